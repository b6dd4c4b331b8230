/* What the engine's files share. Everything of struct engine below "thread" belongs to the engine's thread alone.
 *
 * The thread's round (engine.c): take messages and what children say -> schedule -> write, one transaction for all
 * that changed -> act on what is now durable (publish files, start children, tell observers). What could not be
 * written stays marked and is tried again. So that a lack of memory cannot lose a state, states are plain members
 * and become JSON only while they are written. */
#ifndef FF_ORCHESTRATE_ENGINE_STATE_H
#define FF_ORCHESTRATE_ENGINE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/run_state.h"
#include "job/task.h"
#include "orchestrate/engine.h"
#include "orchestrate/graph.h"
#include "storage/storage.h"
#include "sys/id.h"
#include "sys/process.h"

#define LOG_LINES_MOST 100000         /* of a pipeline run */
#define LOG_MESSAGE_MOST 8192         /* bytes */
#define LOG_WAITING_MOST (16UL << 20) /* bytes of lines that are not written yet, of a pipeline run */
#define ERRORS_KEPT 4096              /* bytes of a child's standard error */
#define KILL_AFTER_SECONDS 1.5
#define PROGRESS_SECONDS 0.25 /* between two progress events of a run */
#define LOG_SECONDS 0.2       /* log lines wait so long for others */

struct run_error {
    char code[40]; /* empty: no error */
    char message[1024];
    char hint[384];
};

/* What of a job run is to be done in the next transaction or after it. */
enum job_step {
    STEP_NONE,
    STEP_START,   /* write: make the payload, pin inputs; start the child */
    STEP_COMMIT,  /* write: commit_record */
    STEP_PUBLISH, /* move the files; or, with an error, take them back, which may have to be tried again */
    STEP_PUBLISHED,
    STEP_UNDO, /* write: commit_undo */
};

struct job_counts {
    int64_t read, written, rejected, deduped, filtered, bytes_in;
};

struct job_run {
    struct pipeline_run *run;
    enum job_kind kind;
    char id[ID_CAP];
    json_t *config; /* the job's record */
    const char *job_id, *job_name;
    int64_t created_at, started_at, ended_at, scheduled_at;
    int64_t run_time; /* the first attempt's start */
    enum run_state state;
    const char *state_name; /* static text */
    unsigned attempt;
    size_t waits;                   /* jobs before this one that have not ended */
    const struct job_run *upstream; /* a needed one that did not complete */
    double retry_at;                /* clock_seconds(), while AwaitingRetry */
    enum job_step step;
    double step_at; /* STEP_PUBLISH: not before */
    unsigned step_tries;
    int64_t base_snapshot;  /* the target's, as the task was told */
    json_t *result;         /* of a task that completed, until it is published */
    json_t *files;          /* [{path, staged}] of a commit that is to be published */
    json_t *report;         /* of an attempt that failed; null: the one before is over; NULL: the row's own stays */
    struct job_counts seen; /* by the task's last progress event, then by its result */
    struct run_error error;
    char *refusal;     /* why the database does not take it; until job_refused */
    unsigned refusals; /* how often that was so */
    struct child *child;
    char *payload;
    bool has_rejects;
    bool dirty;                  /* its row is to be written */
    bool pinned;                 /* has rows in run_inputs */
    struct job_run *active_next; /* engine.active, while RUNNING or CANCELLING */
};

struct log_line {
    struct log_line *next;
    const struct job_run *job; /* may be NULL */
    int64_t time, id;
    const char *level; /* static text */
    char message[];
};

struct pipeline_run {
    struct pipeline_run *next;
    char id[ID_CAP];
    json_t *pipeline; /* the record */
    const char *pipeline_id;
    bool whole; /* kind "pipeline" */
    int64_t created_at, started_at, ended_at;
    enum run_state state;
    const char *state_name;
    struct job_run *jobs; /* in the order of graph's jobs */
    size_t job_count;
    struct graph graph;
    size_t open, completed, failed, crashed, with_rejects; /* jobs */
    int64_t rows_written;
    size_t running, max_parallel; /* max_parallel 0: no limit of its own */
    bool cancelled;
    bool dirty;
    struct log_line *log, **log_end; /* not written yet */
    size_t log_count, log_bytes;     /* bytes: of `log` */
    bool log_overrun;
    double progress_at; /* the next progress event not before */
};

/* A child's slot. */
struct child {
    struct job_run *job; /* NULL: free */
    bool started;
    struct process process;
    size_t payload_at, payload_length;
    struct buf line;     /* of standard output, not whole yet */
    size_t line_scanned; /* bytes of it that hold no newline */
    char errors[ERRORS_KEPT + 1];
    size_t error_length;
    double timeout_at, kill_at; /* 0: none */
    bool timed_out, terminated, ended;
    int exit_code;
    struct run_error protocol_error;
    json_t *finished; /* the event */
};

struct message {
    struct message *next;
    struct pipeline_run *run; /* to start */
    char cancel[ID_CAP];      /* or to cancel */
};

enum engine_stop { STOP_NOT, STOP_CANCEL, STOP_DRAIN };

struct engine {
    struct engine_options options; /* strings owned, below */
    char *home, *program, *lake_path;
    char **local_roots;
    struct storage lake;
    size_t cores;
    int wake; /* eventfd */
    pthread_mutex_t lock;
    struct message *inbox, **inbox_end;
    size_t starters; /* threads in engine_start that will send a run */
    enum engine_stop stop;
    size_t gauge_running, gauge_queued, gauge_failures;
    double gauge_tick;
    char gauge_error[512];
    struct housekeeper *housekeeper;
    pthread_t thread;

    /* thread */
    int epoll;
    struct child *children; /* options.max_parallel_jobs */
    size_t children_busy;
    struct pipeline_run *runs, **runs_end; /* oldest first; until their end is written */
    struct job_run *active;
    unsigned write_failures;
    double write_at, log_at; /* clock_seconds(): not before; 0: nothing waits */
    double stop_at;
    bool again; /* a job has ended since engine_schedule: its run may be over, others may start */
    uint64_t random;
};

/* engine_run.c: runs in memory */
void run_error_set(struct run_error *into, const struct error *err);
void run_error_format(struct run_error *into, const char *code, const char *hint, const char *format, ...)
    PRINTF_LIKE(4, 5);
int64_t engine_now(void); /* microseconds since 1970 UTC */
/* Takes over graph and configs: jobs[i] of the graph is configs[i] (references are taken) of kinds[i]. */
status pipeline_run_make(struct pipeline_run **run, json_t *pipeline, bool whole, struct graph *graph,
                         json_t *const *configs, const enum job_kind *kinds, struct error *err) MUST_USE;
void pipeline_run_free(struct pipeline_run *run);
/* Rows as JSON: what the API shows, without config and report. */
status pipeline_run_json(const struct pipeline_run *run, json_t **record, struct error *err) MUST_USE;
status job_run_json(const struct job_run *job, json_t **record, struct error *err) MUST_USE;
/* A line of the run's log, in memory; beyond LOG_LINES_MOST it is dropped. level: any text of the four. */
void run_log(struct engine *engine, struct pipeline_run *run, const struct job_run *job, int64_t time,
             const char *level, const char *message);
/* Move a state along; an event that is not possible there does nothing and gives false. name NULL: the usual one. */
bool job_event(struct engine *engine, struct job_run *job, enum run_event event, const char *name);
bool pipeline_event(struct pipeline_run *run, enum run_event event, const char *name);

/* engine_log.c. Any thread */
void engine_log(const struct engine *engine, const char *level, const char *format, ...) PRINTF_LIKE(3, 4);

/* engine_schedule.c */
void engine_schedule(struct engine *engine, double now);
double engine_next_retry(const struct engine *engine); /* clock_seconds(); 0: none */

/* engine_child.c */
status child_start(struct engine *engine, struct child *child, struct error *err) MUST_USE;
void child_event(struct engine *engine, struct child *child, unsigned which);
void child_timers(struct engine *engine, struct child *child, double now);
void child_terminate(struct child *child, double now);
void child_release(struct engine *engine, struct child *child);
enum { CHILD_IN, CHILD_OUT, CHILD_ERROR, CHILD_END, CHILD_FD_COUNT };

/* engine_event.c: one line that a child wrote */
void child_line(struct engine *engine, struct child *child, const char *line, size_t length);

/* engine_finish.c */
void job_child_ended(struct engine *engine, struct child *child);
void job_failed(struct engine *engine, struct job_run *job, enum run_event event, bool retryable);
void job_publish(struct engine *engine, struct job_run *job, double now);
void job_cancel(struct engine *engine, struct job_run *job, double now);
void pipeline_cancel(struct engine *engine, struct pipeline_run *run, double now);

/* engine_refused.c: the rest of the transaction is durable, the part of this job (refusal) is not and never will be. */
void job_refused(struct engine *engine, struct job_run *job);

/* engine_written.c. rows: those of the transaction, as subscribers see them */
void engine_written(struct engine *engine, const json_t *rows, double now);
void job_start_child(struct engine *engine, struct job_run *job);

/* engine_write.c: false when nothing could be written (it will be tried again at write_at). */
bool engine_write(struct engine *engine, double now);
bool engine_has_changes(const struct engine *engine, double now);

/* engine_housekeeping.c: hourly, shortly after runs end, and when what they replaced may go */
struct housekeeper;
status housekeeper_create(struct housekeeper **housekeeper, struct engine *engine, struct error *err) MUST_USE;
void housekeeper_run_ended(struct housekeeper *housekeeper);
void housekeeper_free(struct housekeeper *housekeeper);

/* engine_payload.c */
struct payload_for {
    enum job_kind kind;
    const json_t *pipeline, *job;
    const char *run_id, *pipeline_run_id;
    unsigned attempt;
    int64_t run_time;
    size_t threads;
    bool run; /* inputs must exist and are pinned */
};
status payload_make(const struct engine *engine, struct db *db, const struct payload_for *from, json_t **payload,
                    struct error *err) MUST_USE;

/* engine_plan.c */
struct plan {
    json_t *pipeline;
    json_t **configs;
    enum job_kind *kinds;
    size_t count;
    struct graph graph;
    json_t *problems;
};
/* The enabled jobs of the pipeline, or with job_id that job alone; with `only` (may be NULL): {job id: anything}, those
 * and what needs them. */
struct plan_for {
    const char *pipeline_id;
    enum job_kind kind;
    const char *job_id;
    const json_t *only;
};
status plan_make(struct plan *plan, struct db *db, const struct plan_for *from, struct error *err) MUST_USE;
void plan_release(struct plan *plan);

#endif
