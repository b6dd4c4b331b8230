/* Who listens to which pipeline run. Publishing never blocks; a subscriber that lags behind EVENTS_WAITING_MOST loses
 * the oldest progress events first and is told to reload ("reset") when others would be lost. */
#ifndef FF_API_EVENT_HUB_H
#define FF_API_EVENT_HUB_H

#include "base/json.h"

#define EVENTS_WAITING_MOST 1000

struct event_hub;
struct event_subscriber;
status event_hub_create(struct event_hub **hub, struct error *err) MUST_USE;
void event_hub_free(struct event_hub *hub);
/* Any thread. `pipeline_run_id` NULL subscribers get everything. */
void event_hub_publish(struct event_hub *hub, const char *pipeline_run_id, const char *event, const json_t *data);
/* `wake` is called (any thread) when something arrives after the queue was empty. */
status event_subscribe(struct event_hub *hub, const char *pipeline_run_id, void (*wake)(void *self), void *self,
                       struct event_subscriber **subscriber, struct error *err) MUST_USE;
/* The next events as text/event-stream bytes ("id:", "event:", "data:"), appended; nothing when none waits. */
status event_take(struct event_subscriber *subscriber, struct buf *text, struct error *err) MUST_USE;
void event_unsubscribe(struct event_subscriber *subscriber);

#endif
