#include "orchestrate/recovery.h"

#include "lake/publish.h"
#include "orchestrate/commit.h"
#include "store/store_lake.h"

#define OPEN_STATES "('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING')"

struct recovery {
    struct db *db;
    struct storage *lake;
    int64_t now;
    struct recovery_report report;
};

/* The run has ended: state, error (NULL: none) and time. */
static status end_run(struct recovery *r, enum job_kind kind, const char *run_id, const char *type, const char *name,
                      const struct error *error, const char *code, struct error *err)
{
    char time[TIME_TEXT_CAP];
    json_t *row = json_object(), *problem = NULL;
    status s = row ? OK : error_no_memory(err, sizeof *row);
    time_text(r->now, time);
    if (s == OK && error) {
        problem = json_pack("{s:s, s:s, s:s}", "code", code, "message", error->message, "hint", error->hint);
        s = json_put(row, "error", problem, err);
    } else if (s == OK) {
        s = json_put(row, "error", json_null(), err);
    }
    if (s == OK)
        s = json_put_text(row, "state_type", type, err);
    if (s == OK)
        s = json_put_text(row, "state_name", name, err);
    if (s == OK)
        s = json_put_text(row, "ended_at", time, err);
    if (s == OK)
        s = record_update(r->db, run_table(kind), run_id, row, err);
    json_decref(row);
    return s;
}

static status record_published(struct recovery *r, enum job_kind kind, const json_t *run, struct error *err)
{
    const char *id = json_text(run, "id", "");
    bool rejects = json_int(run, "rows_rejected", 0) > 0;
    status s = db_begin(r->db, err);
    if (s == OK)
        s = commit_publish_record(r->db, kind, id, r->now, err);
    if (s == OK)
        s = end_run(r, kind, id, "COMPLETED", rejects ? "CompletedWithRejects" : "Completed", NULL, NULL, err);
    if (s == OK)
        s = db_commit(r->db, err);
    db_rollback(r->db);
    r->report.published += s == OK;
    return s;
}

static status record_lost(struct recovery *r, enum job_kind kind, const char *id, const json_t *files,
                          const struct error *why, struct error *err)
{
    struct error told = *why;
    bool lost = why->code == ERR_NOT_FOUND;
    (void)error_prefix(&told, "the run's commit is undone: the server was stopped before it was published, and");
    error_hint(&told, lost ? "run the job again: the dataset is as it was before this run"
                           : "move the file away that stands in the way, then run the job again");
    status s = commit_unpublish_files(r->lake, id, files, err);
    if (s == OK)
        s = db_begin(r->db, err);
    if (s == OK)
        s = commit_undo(r->db, kind, id, err);
    if (s == OK)
        s = end_run(r, kind, id, "FAILED", "Failed", &told, lost ? "lost_staging" : status_slug(why->code), err);
    if (s == OK)
        s = db_commit(r->db, err);
    db_rollback(r->db);
    r->report.undone += s == OK;
    return s;
}

static status finish_commits(struct recovery *r, struct error *err)
{
    json_t *runs = NULL, *run, *files = NULL;
    size_t i;
    status s = commits_unpublished(r->db, &runs, err);
    json_array_foreach(runs, i, run)
    {
        struct error why = {0};
        const char *id = json_text(run, "id", "");
        enum job_kind kind = strcmp(json_text(run, "kind", ""), "ingest") == 0 ? JOB_INGEST : JOB_DATASET;
        json_decref(files);
        files = NULL;
        status moved = commit_files(r->db, id, &files, &why);
        if (moved == OK)
            moved = commit_publish_files(r->lake, id, files, &why);
        if (moved == OK) {
            s = record_published(r, kind, run, err);
        } else if (moved == ERR_NOT_FOUND || moved == ERR_EXISTS) {
            s = record_lost(r, kind, id, files, &why, err);
        } else {
            if (err)
                *err = why;
            s = error_prefix(err, "the run '%s' cannot be published", id);
        }
        if (s != OK)
            break;
    }
    json_decref(files);
    json_decref(runs);
    return s;
}

/* Who had asked for its end has got it: a run that was being cancelled is cancelled, not crashed. */
#define CANCEL_RUNS(table)                                                                                             \
    "UPDATE " table " SET state_type = 'CANCELLED', state_name = 'Cancelled', rows_written = 0, ended_at = ?1 "        \
    "WHERE state_type = 'CANCELLING' OR (state_type IN " OPEN_STATES " AND pipeline_run_id IN "                        \
    "(SELECT id FROM pipeline_runs WHERE state_type = 'CANCELLING'))"

#define CRASHED_ERROR                                                                                                  \
    "json_object('code', 'crashed', 'message', CASE WHEN state_type = 'RUNNING' "                                      \
    "THEN 'the server was stopped or killed while this job was running; nothing of it was published' "                 \
    "ELSE 'the server was stopped or killed before this job could start' END, "                                        \
    "'hint', 'run it again: it starts from what the datasets hold now')"
#define CRASH_RUNS(table)                                                                                              \
    "UPDATE " table " SET error = " CRASHED_ERROR ", state_type = 'CRASHED', state_name = 'Crashed', ended_at = ?1, "  \
    "rows_read = 0, rows_written = 0, rows_rejected = 0, rows_deduped = 0, rows_filtered = 0, bytes_in = 0 "           \
    "WHERE state_type IN " OPEN_STATES

/* Each open pipeline run gets a log line that says why it ended. */
#define LOG_CRASH                                                                                                      \
    "INSERT INTO run_logs (pipeline_run_id, time, level, message) SELECT id, ?1, 'error', "                            \
    "'The server was stopped or killed while this run was open: what had not been committed is dropped' "              \
    "FROM pipeline_runs WHERE state_type IN " OPEN_STATES

/* Of the few open runs only: never over all job runs that are stored. */
#define OPEN_RUNS "WITH open AS MATERIALIZED (SELECT id FROM pipeline_runs WHERE state_type IN " OPEN_STATES ") "
#define JOB_RUNS_OF(table)                                                                                             \
    "SELECT j.pipeline_run_id, j.state_type, j.state_name, j.rows_written FROM open o CROSS JOIN " table               \
    " j ON j.pipeline_run_id = o.id"
#define JOB_RUNS "(" JOB_RUNS_OF("layer_centric_ingest_runs") " UNION ALL " JOB_RUNS_OF("dataset_runs") ")"

/* By the rule of docs/pipelines.md 3; a run without job runs had not come so far. */
#define END_PIPELINE_RUNS                                                                                              \
    OPEN_RUNS                                                                                                          \
    "UPDATE pipeline_runs SET ended_at = ?1, jobs_completed = j.completed, jobs_failed = j.failed, "                   \
    "rows_written = j.written, state_type = CASE WHEN j.total = 0 OR j.crashed > 0 THEN 'CRASHED' "                    \
    "WHEN j.completed = j.total THEN 'COMPLETED' "                                                                     \
    "WHEN pipeline_runs.state_type = 'CANCELLING' OR j.cancelled > 0 THEN 'CANCELLED' ELSE 'FAILED' END, "             \
    "state_name = CASE WHEN j.total = 0 OR j.crashed > 0 THEN 'Crashed' "                                              \
    "WHEN j.completed = j.total THEN iif(j.rejects > 0, 'CompletedWithRejects', 'Completed') "                         \
    "WHEN pipeline_runs.state_type = 'CANCELLING' OR j.cancelled > 0 THEN 'Cancelled' ELSE 'Failed' END, "             \
    "error = CASE WHEN j.total = 0 OR j.crashed > 0 THEN json_object('code', 'crashed', 'message', "                   \
    "'the server was stopped or killed while this run was open', 'hint', 'run it again') ELSE error END "              \
    "FROM (SELECT p.id, count(r.state_type) AS total, "                                                                \
    "coalesce(sum(r.state_type = 'COMPLETED'), 0) AS completed, coalesce(sum(r.state_type = 'CRASHED'), 0) AS "        \
    "crashed, coalesce(sum(r.state_type = 'CANCELLED'), 0) AS cancelled, "                                             \
    "coalesce(sum(r.state_type IN ('FAILED', 'CRASHED')), 0) AS failed, "                                              \
    "coalesce(sum(r.state_name = 'CompletedWithRejects'), 0) AS rejects, coalesce(sum(r.rows_written), 0) AS written " \
    "FROM open p LEFT JOIN " JOB_RUNS " r ON r.pipeline_run_id = p.id GROUP BY p.id) j WHERE pipeline_runs.id = j.id"

static status end_open_runs(struct recovery *r, struct error *err)
{
    static const struct {
        const char *sql;
        size_t binds;
        enum { NOTHING, CRASHED, CANCELLED } counts;
    } statements[] = {
        {CANCEL_RUNS("layer_centric_ingest_runs"), 1, CANCELLED},
        {CANCEL_RUNS("dataset_runs"), 1, CANCELLED},
        {CRASH_RUNS("layer_centric_ingest_runs"), 1, CRASHED},
        {CRASH_RUNS("dataset_runs"), 1, CRASHED},
        {LOG_CRASH, 1, NOTHING},
        {END_PIPELINE_RUNS, 1, NOTHING},
        {"DELETE FROM run_inputs", 0, NOTHING}, /* nobody reads at a start */
    };
    const struct db_value now = db_int(r->now);
    size_t ended[] = {[NOTHING] = 0, [CRASHED] = 0, [CANCELLED] = 0};
    status s = db_begin(r->db, err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(statements); i++) {
        int64_t changes = 0;
        s = db_run(r->db, statements[i].sql, &now, statements[i].binds, &changes, err);
        ended[statements[i].counts] += (size_t)changes;
    }
    if (s == OK)
        s = db_commit(r->db, err);
    db_rollback(r->db);
    if (s == OK) {
        r->report.crashed = ended[CRASHED];
        r->report.cancelled = ended[CANCELLED];
    }
    return s;
}

status recovery_run(struct store *store, struct storage *lake, int64_t now, struct recovery_report *report,
                    struct error *err)
{
    struct recovery r = {.lake = lake, .now = now};
    status s = store_writer(store, &r.db, err);
    if (s != OK)
        return s;
    s = finish_commits(&r, err);
    if (s == OK)
        s = end_open_runs(&r, err);
    store_give_back(store, r.db);
    if (s == OK) /* no commit waits any more: nothing of what is staged has a use */
        s = publish_sweep(lake, NULL, NULL, err);
    if (s == OK && report)
        *report = r.report;
    return s;
}
