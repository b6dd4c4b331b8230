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
/* Any thread. `pipeline_run_id` NULL subscribers get everything. After a "state" event of the pipeline run itself with
 * a terminal state_type its subscribers get "end" and then nothing more. */
void event_hub_publish(struct event_hub *hub, const char *pipeline_run_id, const char *event, const json_t *data);
/* `wake` is called (any thread, with the hub locked: it must not call the hub) when something arrives after the queue
 * was empty. */
status event_subscribe(struct event_hub *hub, const char *pipeline_run_id, void (*wake)(void *self), void *self,
                       struct event_subscriber **subscriber, struct error *err) MUST_USE;
/* The next events as text/event-stream bytes ("id:", "event:", "data:"), appended; nothing when none waits. */
status event_take(struct event_subscriber *subscriber, struct buf *text, struct error *err) MUST_USE;
/* "end" was taken. */
bool event_ended(struct event_subscriber *subscriber);
/* Log lines up to this id were read from the store: they are left out from now on, also those that wait. */
void event_skip_log(struct event_subscriber *subscriber, int64_t id);
/* One event as text/event-stream; id < 0: none. Used for what does not come from the hub. */
status event_write(struct buf *text, const char *event, int64_t id, const json_t *data, struct error *err) MUST_USE;
/* Afterwards `wake` is not called any more, and no call of it is under way. */
void event_unsubscribe(struct event_subscriber *subscriber);

#endif
