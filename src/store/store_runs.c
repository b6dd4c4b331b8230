#include "store/store_runs.h"

#include "base/utf8.h"

static const struct record_column pipeline_run_columns[] = {
    {"id", COLUMN_TEXT},
    {"pipeline_id", COLUMN_TEXT},
    {"kind", COLUMN_TEXT},
    {"state_type", COLUMN_TEXT},
    {"state_name", COLUMN_TEXT},
    {"trigger", COLUMN_TEXT},
    {"orchestrator", COLUMN_TEXT},
    {"created_by", COLUMN_TEXT},
    {"idempotency_key", COLUMN_TEXT},
    {"jobs_total", COLUMN_INTEGER},
    {"jobs_completed", COLUMN_INTEGER},
    {"jobs_failed", COLUMN_INTEGER},
    {"rows_written", COLUMN_INTEGER},
    {"error", COLUMN_JSON},
    {"created_at", COLUMN_TIME},
    {"started_at", COLUMN_TIME},
    {"ended_at", COLUMN_TIME},
};

/* Of both kinds of job. */
static const struct record_column job_run_columns[] = {
    {"id", COLUMN_TEXT},
    {"pipeline_run_id", COLUMN_TEXT},
    {"pipeline_id", COLUMN_TEXT},
    {"job_id", COLUMN_TEXT},
    {"job_name", COLUMN_TEXT},
    {"state_type", COLUMN_TEXT},
    {"state_name", COLUMN_TEXT},
    {"attempt", COLUMN_INTEGER},
    {"commit_state", COLUMN_TEXT},
    {"dataset_id", COLUMN_TEXT},
    {"snapshot", COLUMN_INTEGER},
    {"rows_read", COLUMN_INTEGER},
    {"rows_written", COLUMN_INTEGER},
    {"rows_rejected", COLUMN_INTEGER},
    {"rows_deduped", COLUMN_INTEGER},
    {"rows_filtered", COLUMN_INTEGER},
    {"rows_replaced", COLUMN_INTEGER},
    {"bytes_in", COLUMN_INTEGER},
    {"bytes_out", COLUMN_INTEGER},
    {"output_keys", COLUMN_JSON},
    {"watermark_before", COLUMN_TEXT},
    {"watermark_after", COLUMN_TEXT},
    {"error", COLUMN_JSON},
    {"report", COLUMN_JSON},
    {"config", COLUMN_JSON},
    {"created_at", COLUMN_TIME},
    {"scheduled_at", COLUMN_TIME},
    {"started_at", COLUMN_TIME},
    {"ended_at", COLUMN_TIME},
};

const struct record_table pipeline_runs_table = {"pipeline_runs", "pipeline run", pipeline_run_columns,
                                                 ARRAY_LENGTH(pipeline_run_columns)};
const struct record_table ingest_runs_table = {"layer_centric_ingest_runs", "ingest run", job_run_columns,
                                               ARRAY_LENGTH(job_run_columns)};
const struct record_table dataset_runs_table = {"dataset_runs", "dataset run", job_run_columns,
                                                ARRAY_LENGTH(job_run_columns)};

#define OPEN_STATES "state_type IN ('SCHEDULED', 'PENDING', 'RUNNING', 'CANCELLING')"
#define NEWEST_OF(runs, jobs)                                                                                          \
    "id IN (SELECT (SELECT max(r.id) FROM " runs " r WHERE r.job_id = j.id) FROM " jobs " j WHERE j.pipeline_id = ?1)"

static const struct run_queries {
    const struct record_table *table;
    const char *kind;
    const char *open, *newest;
} queries[] = {
    [JOB_INGEST] = {&ingest_runs_table, "ingest",
                    "SELECT count(*) FROM layer_centric_ingest_runs WHERE job_id = ?1 AND " OPEN_STATES,
                    NEWEST_OF("layer_centric_ingest_runs", "layer_centric_ingest_jobs")},
    [JOB_DATASET] = {&dataset_runs_table, "dataset",
                     "SELECT count(*) FROM dataset_runs WHERE job_id = ?1 AND " OPEN_STATES,
                     NEWEST_OF("dataset_runs", "dataset_jobs")},
};

static const char *const large_columns[] = {"config", "report", NULL};

const struct record_table *run_table(enum job_kind kind)
{
    return queries[kind].table;
}

/* All rows of one parameter's condition, oldest first. */
static status list_all(struct db *db, const struct record_table *table, const char *where, const char *value,
                       bool brief, json_t **rows, struct error *err)
{
    const struct db_value binds[] = {db_text(value)};
    bool more;
    struct record_page page = {.where = where,
                               .binds = binds,
                               .bind_count = 1,
                               .ascending = true,
                               .limit = RECORDS_ALL,
                               .omit = brief ? large_columns : NULL};
    return record_list(db, table, &page, rows, &more, err);
}

/* Moves what `from` holds (in order of id) into `into`, so that all of it is in order. */
static status merge_by_id(json_t *into, const json_t *from, const char *kind, struct error *err)
{
    size_t at = 0, i;
    json_t *run;
    json_array_foreach(from, i, run)
    {
        const char *id = json_text(run, "id", "");
        status s = json_put_text(run, "kind", kind, err);
        if (s != OK)
            return s;
        while (at < json_array_size(into) && strcmp(json_text(json_array_get(into, at), "id", ""), id) < 0)
            at++;
        if (json_array_insert(into, at, run) != 0)
            return error_no_memory(err, sizeof(json_t *));
    }
    return OK;
}

status job_runs_of(struct db *db, const char *pipeline_run_id, bool brief, json_t **rows, struct error *err)
{
    json_t *merged = json_array();
    status s = merged ? OK : error_no_memory(err, sizeof(json_t *));
    for (size_t kind = 0; kind < ARRAY_LENGTH(queries) && s == OK; kind++) {
        json_t *some = NULL;
        s = list_all(db, queries[kind].table, "pipeline_run_id = ?1", pipeline_run_id, brief, &some, err);
        if (s == OK)
            s = merge_by_id(merged, some, queries[kind].kind, err);
        json_decref(some);
    }
    if (s == OK)
        *rows = merged;
    else
        json_decref(merged);
    return s;
}

status job_runs_open(struct db *db, enum job_kind kind, const char *job_id, int64_t *count, struct error *err)
{
    return db_integer(db, queries[kind].open, DB_BINDS(db_text(job_id)), 0, count, err);
}

status pipeline_runs_open(struct db *db, const char *pipeline_id, int64_t *count, struct error *err)
{
    return db_integer(db, "SELECT count(*) FROM pipeline_runs WHERE pipeline_id = ?1 AND " OPEN_STATES,
                      DB_BINDS(db_text(pipeline_id)), 0, count, err);
}

status job_last_runs(struct db *db, enum job_kind kind, const char *pipeline_id, json_t **by_job_id, struct error *err)
{
    json_t *rows = NULL, *run, *by_id = json_object();
    size_t i;
    status s = by_id ? OK : error_no_memory(err, sizeof(json_t *));
    if (s == OK)
        s = list_all(db, queries[kind].table, queries[kind].newest, pipeline_id, true, &rows, err);
    if (s == OK)
        json_array_foreach(
            rows, i, run) if ((s = json_put(by_id, json_text(run, "job_id", ""), json_incref(run), err)) != OK) break;
    json_decref(rows);
    if (s == OK)
        *by_job_id = by_id;
    else
        json_decref(by_id);
    return s;
}

status pipeline_recent_runs(struct db *db, const char *pipeline_id, size_t limit, json_t **rows, struct error *err)
{
    const struct db_value binds[] = {db_text(pipeline_id)};
    bool more;
    struct record_page page = {.where = "pipeline_id = ?1", .binds = binds, .bind_count = 1, .limit = limit};
    return record_list(db, &pipeline_runs_table, &page, rows, &more, err);
}

status pipeline_run_by_key(struct db *db, const char *pipeline_id, const char *key, json_t **record, struct error *err)
{
    const struct db_value binds[] = {db_text(pipeline_id), db_text(key)};
    struct record_page page = {
        .where = "pipeline_id = ?1 AND idempotency_key = ?2", .binds = binds, .bind_count = 2, .limit = 1};
    json_t *rows = NULL;
    bool more;
    status s = record_list(db, &pipeline_runs_table, &page, &rows, &more, err);
    if (s == OK)
        *record = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    return s;
}

/* Bytes of the well-formed UTF-8 sequence that begins there; 0: none does. */
static size_t sequence_length(const uint8_t *at, size_t rest)
{
    size_t n = *at < 0x80 ? 1 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
    return n <= rest && utf8_is_valid_scalar(at, n) ? n : 0;
}

/* A copy in which each byte that does not belong to UTF-8 has become '?'. */
static status repaired(const char *message, struct buf *text, struct error *err)
{
    status s = buf_append(text, message, strlen(message), err);
    for (size_t at = 0; s == OK && at < text->len;) {
        size_t n = sequence_length(text->data + at, text->len - at);
        if (n == 0)
            text->data[at] = '?';
        at += n ? n : 1;
    }
    return s;
}

status run_log_add(struct db *db, const char *pipeline_run_id, const char *job_run_id, int64_t time, const char *level,
                   const char *message, int64_t *id, struct error *err)
{
    struct buf text = {0};
    struct db_value shown = db_text(message);
    status s = OK;
    if (!str_is_utf8(str_of(message))) {
        s = repaired(message, &text, err);
        shown = (struct db_value){.kind = DB_TEXT, .bytes = text.data, .length = text.len};
    }
    if (s == OK)
        s = db_run(db,
                   "INSERT INTO run_logs (pipeline_run_id, job_run_id, time, level, message)"
                   " VALUES (?1, ?2, ?3, ?4, ?5)",
                   DB_BINDS(db_text(pipeline_run_id), db_text(job_run_id), db_int(time), db_text(level), shown), NULL,
                   err);
    if (s == OK && id)
        *id = db_last_id(db);
    buf_release(&text);
    return s;
}

static const char *const levels[] = {"debug", "info", "warning", "error"};

/* As the order of `levels`. */
#define LEVEL_RANK "CASE level WHEN 'debug' THEN 0 WHEN 'info' THEN 1 WHEN 'warning' THEN 2 ELSE 3 END"
#define LOG_QUERY(condition)                                                                                           \
    "SELECT id, time, level, message, job_run_id FROM run_logs WHERE " condition " AND id > ?3 AND " LEVEL_RANK        \
    " >= ?4 AND (?5 IS NULL OR instr(lower(message), lower(?5)) > 0)"                                                  \
    " ORDER BY id LIMIT ?6"

status run_log_list(struct db *db, const struct log_query *query, json_t **rows, struct error *err)
{
    static const struct record_column columns[] = {{"id", COLUMN_INTEGER},
                                                   {"time", COLUMN_TIME},
                                                   {"level", COLUMN_TEXT},
                                                   {"message", COLUMN_TEXT},
                                                   {"job_run_id", COLUMN_TEXT}};
    const char *sql = query->job_run_id ? LOG_QUERY("job_run_id = ?2 AND (?1 IS NULL OR pipeline_run_id = ?1)")
                                        : LOG_QUERY("pipeline_run_id = ?1 AND ?2 IS NULL");
    size_t rank = 0;
    while (query->least_level && rank < ARRAY_LENGTH(levels) && strcmp(levels[rank], query->least_level) != 0)
        rank++;
    if (rank == ARRAY_LENGTH(levels)) {
        status s = error_set(err, ERR_INVALID, "'%.40s' is no level of log lines", query->least_level);
        error_hint(err, "the levels are debug, info, warning and error");
        return s;
    }
    return record_query(db, columns, ARRAY_LENGTH(columns), sql,
                        DB_BINDS(db_text(query->pipeline_run_id), db_text(query->job_run_id), db_int(query->after),
                                 db_int((int64_t)rank), db_text(query->contains), db_int((int64_t)query->limit)),
                        rows, err);
}
