/* The engine's life and its thread's round (engine_state.h). */
#include "orchestrate/engine.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "orchestrate/engine_state.h"
#include "orchestrate/recovery.h"
#include "sys/clock.h"

#define EVENTS_MOST 256
#define WAKE UINT64_MAX
#define STOP_WRITE_SECONDS 10.0 /* how long a stopping engine tries to write the ends of its runs */

static void start_message(struct engine *engine, struct pipeline_run *run, double now)
{
    *engine->runs_end = run;
    engine->runs_end = &run->next;
    if (engine->stop_at > 0)
        pipeline_cancel(engine, run, now);
}

static void cancel_message(struct engine *engine, const char *id, double now)
{
    for (struct pipeline_run *run = engine->runs; run; run = run->next) {
        if (strcmp(run->id, id) == 0)
            pipeline_cancel(engine, run, now);
        for (size_t i = 0; i < run->job_count; i++)
            if (strcmp(run->jobs[i].id, id) == 0) {
                if (run->whole)
                    job_cancel(engine, &run->jobs[i], now);
                else
                    pipeline_cancel(engine, run, now);
            }
    }
}

/* Nothing new is started; what waits is cancelled, and without `drain` what runs too. */
static void begin_stop(struct engine *engine, enum engine_stop stop, double now)
{
    engine->stop_at = now;
    for (struct pipeline_run *run = engine->runs; run; run = run->next) {
        if (stop == STOP_CANCEL) {
            pipeline_cancel(engine, run, now);
            continue;
        }
        run->cancelled = run->cancelled || run->open > run->running;
        for (size_t i = 0; i < run->job_count; i++)
            if (run->jobs[i].state != RUN_RUNNING)
                job_cancel(engine, &run->jobs[i], now);
    }
}

/* False when the engine may end as far as others are concerned. */
static bool take_messages(struct engine *engine, double now)
{
    pthread_mutex_lock(&engine->lock);
    struct message *message = engine->inbox;
    engine->inbox = NULL;
    engine->inbox_end = &engine->inbox;
    enum engine_stop stop = engine->stop;
    bool more = engine->starters > 0 || stop == STOP_NOT;
    pthread_mutex_unlock(&engine->lock);
    while (message) {
        struct message *next = message->next;
        if (message->run)
            start_message(engine, message->run, now);
        else
            cancel_message(engine, message->cancel, now);
        free(message);
        message = next;
    }
    if (stop != STOP_NOT && !engine->stop_at)
        begin_stop(engine, stop, now);
    return more;
}

static void run_timers(struct engine *engine, double now)
{
    for (size_t i = 0; i < engine->options.max_parallel_jobs; i++)
        if (engine->children[i].started)
            child_timers(engine, &engine->children[i], now);
    for (struct job_run *job = engine->active, *next; job; job = next) {
        next = job->active_next;
        if (job->step == STEP_PUBLISH && job->step_at <= now)
            job_publish(engine, job, now);
    }
}

static void earlier(double *next, double at)
{
    if (at > 0 && (*next == 0 || at < *next))
        *next = at;
}

/* Milliseconds for epoll_wait; -1: until something happens. */
static int time_to_wait(const struct engine *engine, double now)
{
    double next = engine_next_retry(engine);
    if (engine_has_changes(engine, now)) {
        if (engine->write_at <= now)
            return 0;
        earlier(&next, engine->write_at);
    }
    earlier(&next, engine->log_at > engine->write_at ? engine->log_at : engine->write_at);
    for (size_t i = 0; i < engine->options.max_parallel_jobs; i++) {
        earlier(&next, engine->children[i].timeout_at);
        earlier(&next, engine->children[i].kill_at);
    }
    if (next == 0)
        return -1;
    double wait = (next - now) * 1000;
    return wait <= 0 ? 0 : wait > 60000 ? 60000 : (int)wait + 1;
}

static void take_events(struct engine *engine, int timeout)
{
    struct epoll_event events[EVENTS_MOST];
    int n = epoll_wait(engine->epoll, events, EVENTS_MOST, timeout);
    for (int i = 0; i < n; i++) {
        uint64_t tag = events[i].data.u64;
        if (tag == WAKE) {
            uint64_t count;
            while (read(engine->wake, &count, sizeof count) < 0 && errno == EINTR)
                continue;
        } else {
            child_event(engine, &engine->children[tag / CHILD_FD_COUNT], (unsigned)(tag % CHILD_FD_COUNT));
        }
    }
}

static void set_gauges(struct engine *engine, double seconds)
{
    size_t open = 0;
    for (const struct pipeline_run *run = engine->runs; run; run = run->next)
        open += run->open;
    pthread_mutex_lock(&engine->lock);
    engine->gauge_running = engine->children_busy;
    engine->gauge_queued = open > engine->children_busy ? open - engine->children_busy : 0;
    engine->gauge_failures = engine->write_failures;
    engine->gauge_tick = seconds;
    pthread_mutex_unlock(&engine->lock);
}

/* False when the thread is to end. */
static bool round_trip(struct engine *engine)
{
    double begin = clock_seconds();
    bool wanted = take_messages(engine, begin);
    run_timers(engine, begin);
    engine_schedule(engine, begin);
    if (engine_has_changes(engine, begin) && engine->write_at <= begin)
        engine_write(engine, begin);
    double now = clock_seconds();
    set_gauges(engine, now - begin);
    if (!wanted && engine->runs && engine->write_failures && now > engine->stop_at + STOP_WRITE_SECONDS) {
        engine_log(engine, "error",
                   "the engine ends without having written how its last runs ended: the next start marks them crashed");
        return false;
    }
    if (!wanted && !engine->runs)
        return false;
    take_events(engine, engine->again ? 0 : time_to_wait(engine, now));
    return true;
}

static void *run_thread(void *self)
{
    struct engine *engine = self;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL); /* signals are for the main thread */
    while (round_trip(engine))
        continue;
    return NULL;
}

static void release(struct engine *engine)
{
    housekeeper_free(engine->housekeeper);
    for (size_t i = 0; engine->children && i < engine->options.max_parallel_jobs; i++)
        child_release(engine, &engine->children[i]);
    while (engine->runs) {
        struct pipeline_run *run = engine->runs;
        engine->runs = run->next;
        pipeline_run_free(run);
    }
    for (size_t i = 0; engine->local_roots && i < engine->options.local_root_count; i++)
        free(engine->local_roots[i]);
    while (engine->inbox) {
        struct message *message = engine->inbox;
        engine->inbox = message->next;
        pipeline_run_free(message->run);
        free(message);
    }
    if (engine->epoll >= 0)
        close(engine->epoll);
    if (engine->wake >= 0)
        close(engine->wake);
    if (engine->lake.ops)
        storage_release(&engine->lake);
    pthread_mutex_destroy(&engine->lock);
    free(engine->children);
    free(engine->local_roots);
    free(engine->lake_path);
    free(engine->home);
    free(engine->program);
    free(engine);
}

static status copy_options(struct engine *engine, const struct engine_options *options, struct error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    engine->options = *options;
    engine->cores = cores > 0 ? (size_t)cores : 1;
    engine->home = strdup(options->home);
    engine->program = strdup(options->program);
    engine->children = calloc(options->max_parallel_jobs, sizeof *engine->children);
    engine->local_roots = calloc(options->local_root_count + 1, sizeof *engine->local_roots);
    bool whole = engine->home && engine->program && engine->children && engine->local_roots &&
                 asprintf(&engine->lake_path, "%s/lake", options->home) >= 0;
    for (size_t i = 0; whole && i < options->local_root_count; i++) {
        engine->local_roots[i] = strdup(options->local_roots[i]);
        whole = engine->local_roots[i] != NULL;
    }
    return whole ? OK : error_no_memory(err, sizeof *engine);
}

static status open_descriptors(struct engine *engine, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE};
    engine->epoll = epoll_create1(EPOLL_CLOEXEC);
    engine->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->epoll < 0 || engine->wake < 0 || epoll_ctl(engine->epoll, EPOLL_CTL_ADD, engine->wake, &event) != 0)
        return error_set_errno(err, errno, "cannot set up the engine's event queue");
    return OK;
}

static status open_lake(struct engine *engine, struct error *err)
{
    if (mkdir(engine->lake_path, 0777) != 0 && errno != EEXIST)
        return error_set_errno(err, errno, "cannot make the folder '%s'", engine->lake_path);
    return storage_local(&engine->lake, engine->lake_path, err);
}

static status recover(struct engine *engine, struct error *err)
{
    struct recovery_report report = {0};
    status s = recovery_run(engine->options.store, &engine->lake, engine_now(), &report, err);
    if (s == OK && (report.crashed || report.published || report.undone || report.cancelled))
        engine_log(engine, "warning",
                   "the server before this one was stopped or killed at work: of its job runs %zu crashed, %zu were "
                   "cancelled, %zu were committed and are published now, %zu were committed and had to be undone",
                   report.crashed, report.cancelled, report.published, report.undone);
    return s;
}

status engine_create(struct engine **engine, const struct engine_options *options, struct error *err)
{
    struct engine *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->epoll = made->wake = -1;
    made->inbox_end = &made->inbox;
    made->runs_end = &made->runs;
    made->random = (uint64_t)engine_now() | 1;
    pthread_mutex_init(&made->lock, NULL);
    status s = copy_options(made, options, err);
    if (s == OK)
        s = open_descriptors(made, err);
    if (s == OK)
        s = open_lake(made, err);
    if (s == OK)
        s = recover(made, err);
    if (s == OK)
        s = housekeeper_create(&made->housekeeper, made, err);
    if (s == OK) {
        int code = pthread_create(&made->thread, NULL, run_thread, made);
        if (code)
            s = error_set_errno(err, code, "cannot start the engine's thread");
    }
    if (s == OK)
        *engine = made;
    else
        release(made);
    return s;
}

void engine_free(struct engine *engine, bool drain)
{
    if (!engine)
        return;
    pthread_mutex_lock(&engine->lock);
    engine->stop = drain ? STOP_DRAIN : STOP_CANCEL;
    const uint64_t one = 1;
    while (write(engine->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
    pthread_mutex_unlock(&engine->lock);
    pthread_join(engine->thread, NULL);
    release(engine);
}
