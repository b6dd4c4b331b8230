#include "sql/watch.h"

#include <time.h>

#include "sys/clock.h"

#define LOOK_NANOSECONDS 20000000 /* 20 ms */

static void *look(void *self)
{
    struct sql_watch *watch = self;
    const struct timespec pause = {.tv_nsec = LOOK_NANOSECONDS};
    while (!atomic_load(&watch->stop)) {
        bool late = watch->deadline > 0 && clock_seconds() > watch->deadline;
        if (late)
            atomic_store(&watch->timed_out, true);
        /* Again and again: an interrupt that comes between two queries is forgotten. */
        if (late || (watch->cancel && atomic_load(watch->cancel)))
            sql_session_interrupt(watch->session);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

status sql_watch_start(struct sql_watch *watch, struct sql_session *session, const atomic_bool *cancel, double seconds,
                       struct error *err)
{
    watch->session = session;
    watch->cancel = cancel;
    watch->deadline = seconds > 0 ? clock_seconds() + seconds : 0;
    atomic_init(&watch->stop, false);
    atomic_init(&watch->timed_out, false);
    int failed = pthread_create(&watch->thread, NULL, look, watch);
    if (failed)
        return error_set_errno(err, failed, "cannot start the thread that watches a query");
    watch->running = true;
    return OK;
}

status sql_watch_stop(struct sql_watch *watch, status s, struct error *err)
{
    if (!watch->running)
        return s;
    atomic_store(&watch->stop, true);
    pthread_join(watch->thread, NULL);
    watch->running = false;
    if (s != ERR_CANCELLED || !atomic_load(&watch->timed_out) || (watch->cancel && atomic_load(watch->cancel)))
        return s;
    error_set(err, ERR_TIMEOUT, "the query took longer than it may");
    error_hint(err, "try it on fewer rows, or run the job: it has no such limit");
    return ERR_TIMEOUT;
}
