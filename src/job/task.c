#include "job/task.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/civil.h"
#include "sys/file.h"

void task_events_init(struct task_events *events, int fd)
{
    events->fd = fd;
    atomic_init(&events->broken, false);
    pthread_mutex_init(&events->lock, NULL);
}

void task_events_release(struct task_events *events)
{
    pthread_mutex_destroy(&events->lock);
}

static status check_length(const char *event, size_t length, struct error *err)
{
    if (length <= TASK_EVENT_MOST)
        return OK;
    status s = error_set(err, ERR_LIMIT, "what the run has to tell (event '%s') has %zu bytes, more than %lu MiB",
                         event, length, TASK_EVENT_MOST >> 20);
    error_hint(err,
               "it has too many files: let config.path or the inputs name fewer of them, one job for each part, or "
               "choose a partition_pattern that makes fewer");
    return s;
}

static status write_line(struct task_events *events, const struct buf *line, struct error *err)
{
    pthread_mutex_lock(&events->lock);
    status s = atomic_load(&events->broken) ? error_set(err, ERR_IO, "events cannot be written any more")
                                            : file_write_all(events->fd, line->data, line->len, "the events", err);
    if (s != OK)
        atomic_store(&events->broken, true);
    pthread_mutex_unlock(&events->lock);
    return s;
}

/* {"event", "time", and the members} */
static status make_line(const char *event, json_t *members, struct buf *line, struct error *err)
{
    json_t *object = json_object();
    status s = object ? json_put_text(object, "event", event, err) : error_no_memory(err, 64);
    if (s == OK)
        s = json_put_int(object, "time", civil_micros_now(), err);
    if (s == OK && members && json_object_update_missing(object, members) != 0)
        s = error_no_memory(err, 64);
    if (s == OK)
        s = json_write(object, line, err);
    if (s == OK)
        s = buf_append(line, "\n", 1, err);
    json_decref(object);
    return s;
}

status task_event(struct task_events *events, const char *event, json_t *members, struct error *err)
{
    struct buf line = {0};
    status s = make_line(event, members, &line, err);
    if (s == OK)
        s = check_length(event, line.len - 1, err);
    if (s == OK)
        s = write_line(events, &line, err);
    buf_release(&line);
    json_decref(members);
    return s;
}

status task_log(struct task_events *events, struct error *err, const char *level, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text[str_utf8_prefix(str_of(text), sizeof text - 1)] = '\0';
    json_t *message = json_string(text), *members = json_object();
    if (!message)
        message = json_string("(a message that is not UTF-8)");
    status s = members ? json_put_text(members, "level", level, err) : error_no_memory(err, sizeof text);
    if (s == OK)
        s = json_put(members, "message", message, err);
    else
        json_decref(message);
    if (s != OK) {
        json_decref(members);
        return s;
    }
    return task_event(events, "log", members, err);
}
