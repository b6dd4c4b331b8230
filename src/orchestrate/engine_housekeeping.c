/* Housekeeping on a thread of its own: it walks and removes, which may take long. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "orchestrate/engine_state.h"
#include "orchestrate/housekeeping.h"
#include "sys/clock.h"

#define USUAL_SECONDS 3600.0
#define START_SECONDS 5.0 /* after the engine's start */
#define SOON_SECONDS 1.0  /* after a run's end */
#define APART_MOST_SECONDS 60.0

#define TOLD_MOST 1000 /* files that the log names */

struct housekeeper {
    const struct engine *engine;
    struct store *store;
    struct storage *lake;
    char *uploads;
    double grace;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    double next_at;  /* clock_seconds() */
    double later_at; /* when what a run replaced may go; 0: nothing */
    double last_at;
    bool compared; /* once a start: lake and manifest */
    size_t orphans, lost;
    atomic_bool stop;
};

/* Runs that end all the time do not make it run all the time. */
static double apart(const struct housekeeper *h)
{
    double seconds = h->grace / 10;
    return seconds < SOON_SECONDS ? SOON_SECONDS : seconds > APART_MOST_SECONDS ? APART_MOST_SECONDS : seconds;
}

/* Until it is time; false to stop. */
static bool wait_turn(struct housekeeper *h)
{
    pthread_mutex_lock(&h->lock);
    while (!h->stop && clock_seconds() < h->next_at) {
        struct timespec until = {(time_t)h->next_at, (long)((h->next_at - (double)(time_t)h->next_at) * 1e9)};
        pthread_cond_timedwait(&h->changed, &h->lock, &until);
    }
    h->last_at = clock_seconds();
    h->next_at = h->last_at + USUAL_SECONDS;
    if (h->later_at > h->last_at)
        h->next_at = h->later_at;
    bool go = !h->stop;
    pthread_mutex_unlock(&h->lock);
    return go;
}

static void tell_orphan(void *self, const char *path)
{
    struct housekeeper *h = self;
    if (h->orphans++ < TOLD_MOST)
        engine_log(h->engine, "warning", "a file of the lake is part of no dataset of this home; it is left alone: %s",
                   path);
}

static void tell_lost(void *self, const char *path)
{
    struct housekeeper *h = self;
    if (h->lost++ < TOLD_MOST)
        engine_log(h->engine, "error",
                   "a file of the lake is not there; restore it, or run its job again in full mode: %s", path);
}

static void keep_house(struct housekeeper *h)
{
    struct housekeeping_report report = {0};
    struct error err = {0};
    const struct housekeeping_options options = {.now = engine_now(),
                                                 .grace_seconds = h->grace,
                                                 .uploads = h->uploads,
                                                 .orphan = h->compared ? NULL : tell_orphan,
                                                 .lost = h->compared ? NULL : tell_lost,
                                                 .self = h,
                                                 .stop = &h->stop};
    /* What an error left is there the next time. */
    if (housekeeping_run(h->store, h->lake, &options, &report, &err) != OK)
        engine_log(h->engine, "warning", "housekeeping could not do all of its work and tries again later: %s",
                   err.message);
    if (report.files_removed || report.uploads_removed)
        engine_log(h->engine, "info", "housekeeping removed %zu files (%zu landing copies had expired) and %zu uploads",
                   report.files_removed, report.landing_expired, report.uploads_removed);
    if (!h->compared && (h->orphans || h->lost))
        engine_log(h->engine, h->lost ? "error" : "warning",
                   "lake and metadata differ: %zu files of the lake are part of no dataset, %zu files are not there",
                   h->orphans, h->lost);
    h->compared = true;
}

static void *run_thread(void *self)
{
    struct housekeeper *h = self;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    while (wait_turn(h))
        keep_house(h);
    return NULL;
}

void housekeeper_run_ended(struct housekeeper *h)
{
    double now = clock_seconds();
    pthread_mutex_lock(&h->lock);
    double soon = now + SOON_SECONDS, earliest = h->last_at + apart(h);
    if (soon < earliest)
        soon = earliest;
    if (soon < h->next_at)
        h->next_at = soon;
    h->later_at = now + h->grace + SOON_SECONDS;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void release(struct housekeeper *h)
{
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->changed);
    free(h->uploads);
    free(h);
}

status housekeeper_create(struct housekeeper **housekeeper, struct engine *engine, struct error *err)
{
    struct housekeeper *h = calloc(1, sizeof *h);
    pthread_condattr_t monotonic;
    if (!h)
        return error_no_memory(err, sizeof *h);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&h->lock, NULL);
    h->engine = engine;
    h->store = engine->options.store;
    h->lake = &engine->lake;
    h->grace = engine->options.garbage_grace_seconds;
    h->next_at = clock_seconds() + START_SECONDS;
    status s = OK;
    if (asprintf(&h->uploads, "%s/uploads", engine->home) < 0) {
        h->uploads = NULL;
        s = error_no_memory(err, 1);
    }
    int code = s == OK ? pthread_create(&h->thread, NULL, run_thread, h) : 0;
    if (code)
        s = error_set_errno(err, code, "cannot start the housekeeping thread");
    if (s == OK)
        *housekeeper = h;
    else
        release(h);
    return s;
}

void housekeeper_free(struct housekeeper *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    release(h);
}
