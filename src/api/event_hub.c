#include "api/event_hub.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/run_state.h"

/* Written once, shared by all who wait for it; `uses` is guarded by the hub's lock. */
struct event_text {
    size_t uses;
    struct buf text;
};

struct waiting_event {
    struct waiting_event *next;
    struct event_text *event;
    int64_t log_id; /* -1: no log line */
    bool progress, end;
};

struct event_subscriber {
    struct event_subscriber *next, *before;
    struct event_hub *hub;
    char *pipeline_run_id;
    void (*wake)(void *self);
    void *self;
    struct waiting_event *first, **last;
    size_t count;
    int64_t log_floor;
    bool lost;   /* something but progress was dropped: "reset" is due */
    bool closed; /* "end" is queued: nothing after it */
    bool ended;
};

struct event_hub {
    pthread_mutex_t lock;
    struct event_subscriber *subscribers;
};

status event_hub_create(struct event_hub **hub, struct error *err)
{
    struct event_hub *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    pthread_mutex_init(&made->lock, NULL);
    *hub = made;
    return OK;
}

void event_hub_free(struct event_hub *hub)
{
    if (!hub)
        return;
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

status event_write(struct buf *text, const char *event, int64_t id, const json_t *data, struct error *err)
{
    status s = OK;
    if (id >= 0)
        s = buf_printf(text, err, "id: %" PRId64 "\n", id);
    if (s == OK)
        s = buf_printf(text, err, "event: %s\ndata: ", event);
    if (s == OK)
        s = json_write(data, text, err); /* compact: it has no line feeds */
    return s == OK ? buf_append(text, "\n\n", 2, err) : s;
}

static void event_text_release(struct event_text *event)
{
    if (!event || --event->uses > 0)
        return;
    buf_release(&event->text);
    free(event);
}

static struct event_text *event_text_make(const char *event, int64_t id, const json_t *data)
{
    struct event_text *made = calloc(1, sizeof *made);
    if (!made)
        return NULL;
    made->uses = 1;
    if (event_write(&made->text, event, id, data, NULL) != OK) {
        event_text_release(made);
        return NULL;
    }
    return made;
}

static void drop_at(struct event_subscriber *subscriber, struct waiting_event **at)
{
    struct waiting_event *gone = *at;
    *at = gone->next;
    if (!gone->next)
        subscriber->last = at;
    event_text_release(gone->event);
    free(gone);
    subscriber->count--;
}

static void drop_all(struct event_subscriber *subscriber)
{
    while (subscriber->first)
        drop_at(subscriber, &subscriber->first);
}

/* The oldest progress, or else everything: then only a reload shows the whole again. */
static void make_room(struct event_subscriber *subscriber)
{
    for (struct waiting_event **at = &subscriber->first; *at; at = &(*at)->next)
        if ((*at)->progress) {
            drop_at(subscriber, at);
            return;
        }
    drop_all(subscriber);
    subscriber->lost = true;
}

static void deliver(struct event_subscriber *subscriber, struct event_text *event, const struct waiting_event *kind)
{
    if (subscriber->closed || (kind->log_id >= 0 && kind->log_id <= subscriber->log_floor))
        return;
    bool was_empty = subscriber->count == 0 && !subscriber->lost;
    if (subscriber->count >= EVENTS_WAITING_MOST)
        make_room(subscriber);
    struct waiting_event *waiting = event ? calloc(1, sizeof *waiting) : NULL;
    if (waiting) {
        *waiting = *kind;
        waiting->event = event;
        event->uses++;
        *subscriber->last = waiting;
        subscriber->last = &waiting->next;
        subscriber->count++;
    } else if (!kind->progress) {
        subscriber->lost = true;
    }
    subscriber->closed = kind->end && waiting;
    if (was_empty && (subscriber->count || subscriber->lost))
        subscriber->wake(subscriber->self);
}

static bool is_terminal(const char *state_type)
{
    enum run_state state;
    return run_state_parse(state_type, &state) && run_state_terminal(state);
}

static bool wants(const struct event_subscriber *subscriber, const char *pipeline_run_id)
{
    return !subscriber->pipeline_run_id ||
           (pipeline_run_id && strcmp(subscriber->pipeline_run_id, pipeline_run_id) == 0);
}

void event_hub_publish(struct event_hub *hub, const char *pipeline_run_id, const char *event, const json_t *data)
{
    pthread_mutex_lock(&hub->lock);
    bool wanted = false;
    for (struct event_subscriber *s = hub->subscribers; s && !wanted; s = s->next)
        wanted = wants(s, pipeline_run_id);
    if (!wanted) {
        pthread_mutex_unlock(&hub->lock);
        return;
    }
    bool is_log = strcmp(event, "log") == 0;
    struct waiting_event kind = {.log_id = is_log ? json_int(data, "id", -1) : -1,
                                 .progress = strcmp(event, "progress") == 0};
    bool end = strcmp(event, "state") == 0 && pipeline_run_id &&
               strcmp(json_text(data, "id", ""), pipeline_run_id) == 0 &&
               is_terminal(json_text(data, "state_type", ""));
    struct event_text *text = event_text_make(event, kind.log_id, data);
    struct event_text *end_text = end ? event_text_make("end", -1, data) : NULL;
    for (struct event_subscriber *s = hub->subscribers; s; s = s->next) {
        if (!wants(s, pipeline_run_id))
            continue;
        deliver(s, text, &kind);
        if (end && s->pipeline_run_id)
            deliver(s, end_text, &(struct waiting_event){.log_id = -1, .end = true});
    }
    event_text_release(text);
    event_text_release(end_text);
    pthread_mutex_unlock(&hub->lock);
}

status event_subscribe(struct event_hub *hub, const char *pipeline_run_id, void (*wake)(void *self), void *self,
                       struct event_subscriber **subscriber, struct error *err)
{
    struct event_subscriber *made = calloc(1, sizeof *made);
    char *id = pipeline_run_id ? strdup(pipeline_run_id) : NULL;
    if (!made || (pipeline_run_id && !id)) {
        free(made);
        free(id);
        return error_no_memory(err, sizeof *made);
    }
    *made = (struct event_subscriber){
        .hub = hub, .pipeline_run_id = id, .wake = wake, .self = self, .last = &made->first, .log_floor = -1};
    pthread_mutex_lock(&hub->lock);
    made->next = hub->subscribers;
    if (made->next)
        made->next->before = made;
    hub->subscribers = made;
    pthread_mutex_unlock(&hub->lock);
    *subscriber = made;
    return OK;
}

status event_take(struct event_subscriber *subscriber, struct buf *text, struct error *err)
{
    status s = OK;
    pthread_mutex_lock(&subscriber->hub->lock);
    if (subscriber->lost) {
        s = buf_append_str(text, STR("event: reset\ndata: {}\n\n"), err);
        subscriber->lost = s != OK;
    }
    while (subscriber->first && s == OK) {
        struct waiting_event *next = subscriber->first;
        bool skipped = next->log_id >= 0 && next->log_id <= subscriber->log_floor;
        if (!skipped)
            s = buf_append_str(text, buf_str(&next->event->text), err);
        if (s != OK)
            break;
        subscriber->ended = next->end;
        drop_at(subscriber, &subscriber->first);
    }
    pthread_mutex_unlock(&subscriber->hub->lock);
    return s;
}

bool event_ended(struct event_subscriber *subscriber)
{
    pthread_mutex_lock(&subscriber->hub->lock);
    bool ended = subscriber->ended;
    pthread_mutex_unlock(&subscriber->hub->lock);
    return ended;
}

void event_skip_log(struct event_subscriber *subscriber, int64_t id)
{
    pthread_mutex_lock(&subscriber->hub->lock);
    subscriber->log_floor = id;
    pthread_mutex_unlock(&subscriber->hub->lock);
}

void event_unsubscribe(struct event_subscriber *subscriber)
{
    if (!subscriber)
        return;
    struct event_hub *hub = subscriber->hub;
    pthread_mutex_lock(&hub->lock);
    if (subscriber->next)
        subscriber->next->before = subscriber->before;
    if (subscriber->before)
        subscriber->before->next = subscriber->next;
    else
        hub->subscribers = subscriber->next;
    drop_all(subscriber);
    pthread_mutex_unlock(&hub->lock);
    free(subscriber->pipeline_run_id);
    free(subscriber);
}
