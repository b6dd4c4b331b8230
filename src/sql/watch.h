/* Ends a session's query when somebody wants that: a flag that was set, or time that is up. */
#ifndef FF_SQL_WATCH_H
#define FF_SQL_WATCH_H

#include <pthread.h>
#include <stdatomic.h>

#include "sql/session.h"

struct sql_watch {
    struct sql_session *session; /* borrowed */
    const atomic_bool *cancel;   /* may be NULL */
    double deadline;             /* of clock_seconds(); 0: none */
    atomic_bool stop, timed_out;
    pthread_t thread;
    bool running;
};

/* Look at the flag and the clock many times a second until sql_watch_stop; the session must be open all that time.
 * `seconds` 0: no limit of time. */
status sql_watch_start(struct sql_watch *watch, struct sql_session *session, const atomic_bool *cancel, double seconds,
                       struct error *err) MUST_USE;
/* Ends the looking. A query that ended because of the time has its ERR_CANCELLED turned into ERR_TIMEOUT. Does nothing
 * to a zeroed struct. */
status sql_watch_stop(struct sql_watch *watch, status s, struct error *err);

#endif
