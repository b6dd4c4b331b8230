/* A small world in a database: a pipeline with an ingest job and a dataset job, runs of them, and their results. */
#ifndef TESTS_UNIT_LAKE_BOOKS_H
#define TESTS_UNIT_LAKE_BOOKS_H

#include "store/store.h"
#include "store/store_lake.h"
#include "unit/store/store_files.h"

#define NOW ((int64_t)1764000000000000)

/* JSON with ' for ". */
static inline json_t *json_of(const char *text)
{
    char *copy = strdup(text);
    json_error_t error;
    assert_non_null(copy);
    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_t *value = json_loads(copy, 0, &error);
    if (!value)
        fail_msg("%s in %s", error.text, copy);
    free(copy);
    return value;
}

static inline void sql(struct db *db, const char *text)
{
    struct error err;
    assert_ok(db_run(db, text, DB_NO_BINDS, NULL, &err), err);
}

static inline void seed(struct db *db)
{
    sql(db, "INSERT INTO pipelines (id, name, slug, environment, created_at, updated_at) "
            "VALUES ('p', 'Shop', 'shop', 'production', 1, 1)");
    sql(db, "INSERT INTO layer_centric_ingest_jobs (id, pipeline_id, name, slug, source_type, format, dataset, "
            "compression, error_handling, quarantine_path, landing_retention_days, incremental_mode, "
            "watermark_column, created_at, updated_at) VALUES ('j', 'p', 'Orders', 'orders', 'file_local', 'csv', "
            "'orders', 'snappy', 'quarantine', 'quarantine/', 7, 'incremental', 'at', 1, 1)");
    sql(db, "INSERT INTO dataset_jobs (id, pipeline_id, name, slug, layer, dataset, inputs, sql, created_at, "
            "updated_at) VALUES ('d', 'p', 'Sales', 'sales', 'silver', 'sales', "
            "'[{\"alias\":\"o\",\"dataset\":\"bronze.orders\"}]', 'SELECT 1', 1, 1)");
}

/* A running run, of a pipeline run of its own ("p-<id>"). */
static inline void add_run(struct db *db, enum job_kind kind, const char *id)
{
    struct error err;
    char of[64];
    snprintf(of, sizeof of, "p-%s", id);
    assert_ok(db_run(db,
                     "INSERT INTO pipeline_runs (id, pipeline_id, kind, state_type, state_name, jobs_total, "
                     "created_at) VALUES (?1, 'p', 'job', 'RUNNING', 'Running', 1, 1)",
                     DB_BINDS(db_text(of)), NULL, &err),
              err);
    static const char *const insert[] = {
        [JOB_INGEST] = "INSERT INTO layer_centric_ingest_runs (id, pipeline_run_id, pipeline_id, job_id, job_name, "
                       "state_type, state_name, attempt, config, created_at) "
                       "VALUES (?1, ?2, 'p', 'j', 'Orders', 'RUNNING', 'Running', 1, '{}', 1)",
        [JOB_DATASET] = "INSERT INTO dataset_runs (id, pipeline_run_id, pipeline_id, job_id, job_name, state_type, "
                        "state_name, attempt, config, created_at) "
                        "VALUES (?1, ?2, 'p', 'd', 'Sales', 'RUNNING', 'Running', 1, '{}', 1)",
    };
    assert_ok(db_run(db, insert[kind], DB_BINDS(db_text(id), db_text(of)), NULL, &err), err);
}

static inline json_t *run_of(struct db *db, enum job_kind kind, const char *id)
{
    struct error err;
    json_t *run = NULL;
    assert_ok(record_get(db, run_table(kind), id, &run, &err), err);
    return run;
}

static inline json_t *job_of(struct db *db, enum job_kind kind)
{
    struct error err;
    json_t *job = NULL;
    assert_ok(record_get(db, job_table(kind), kind == JOB_INGEST ? "j" : "d", &job, &err), err);
    return job;
}

/* commit_record in a transaction of its own. */
static inline status record_error(struct db *db, enum job_kind kind, const char *run_id, int64_t base,
                                  const char *result_text, int64_t now, struct error *err)
{
    json_t *run = run_of(db, kind, run_id), *job = job_of(db, kind), *result = json_of(result_text);
    status s = db_begin(db, err);
    if (s == OK)
        s = commit_record(db, kind, run, job, base, result, now, err);
    if (s == OK)
        s = db_commit(db, err);
    db_rollback(db);
    json_decref(run);
    json_decref(job);
    json_decref(result);
    return s;
}

static inline void record(struct db *db, enum job_kind kind, const char *run_id, int64_t base, const char *result,
                          int64_t now)
{
    struct error err;
    assert_ok(record_error(db, kind, run_id, base, result, now, &err), err);
}

static inline void publish_record(struct db *db, enum job_kind kind, const char *run_id, int64_t now)
{
    struct error err;
    assert_ok(db_begin(db, &err), err);
    assert_ok(commit_publish_record(db, kind, run_id, now, &err), err);
    assert_ok(db_commit(db, &err), err);
}

/* The first run of the ingest job: two files, one of them with a rejected row. */
#define RESULT_1                                                                                                       \
    "{'rows': {'read': 12, 'written': 10, 'rejected': 1, 'deduped': 1, 'filtered': 0, 'replaced': 0}, "                \
    "'bytes_in': 120, 'bytes_out': 60, 'schema': [{'name': 'id', 'type': 'bigint'}], 'files': ["                       \
    "{'layer': 'bronze', 'path': 'bronze/orders/a.parquet', 'staged': 'a', 'partition': '', 'rows': 4, 'bytes': 40, "  \
    "'format': 'parquet', 'source_uri': 'a.csv'}, "                                                                    \
    "{'layer': 'bronze', 'path': 'bronze/orders/b.parquet', 'staged': 'b', 'partition': '', 'rows': 6, 'bytes': 60, "  \
    "'format': 'parquet', 'source_uri': 'b.csv'}, "                                                                    \
    "{'layer': 'landing', 'path': 'landing/shop/orders/a.csv', 'staged': 'la', 'partition': '', 'rows': 0, "           \
    "'bytes': 50, 'format': 'csv', 'source_uri': 'a.csv'}, "                                                           \
    "{'layer': 'quarantine', 'path': 'quarantine/job=j/dt=2026-11-25/run_id=r1/rejects-00000.parquet', "               \
    "'staged': 'q', 'rows': 1, 'bytes': 9, 'format': 'parquet'}], "                                                    \
    "'watermark': {'column': 'at', 'type': 'bigint', 'value': '10', 'ties': ['ff']}, "                                 \
    "'ledger': [{'uri': 'a.csv', 'size': 50, 'mtime_ns': 1764000000123456789, 'etag': null, 'hash': 'aa', 'rows': 5, " \
    "'change': 'new'}, {'uri': 'b.csv', 'size': 70, 'mtime_ns': 2, 'etag': 'e', 'hash': 'bb', 'rows': 7, "             \
    "'change': 'new'}], 'rejects_by_code': {'CAST': 1}, 'warnings': ['w']}"

/* The second: a.csv changed (its 4 rows go, 5 come), and of b.csv's 6 rows 2 are replaced by a merge. */
#define RESULT_2                                                                                                       \
    "{'rows': {'read': 5, 'written': 5, 'rejected': 0, 'deduped': 0, 'filtered': 0, 'replaced': 6}, "                  \
    "'bytes_in': 55, 'bytes_out': 50, 'schema': [{'name': 'id', 'type': 'bigint'}, {'name': 'x', 'type': 'string'}], " \
    "'files': ["                                                                                                       \
    "{'layer': 'bronze', 'path': 'bronze/orders/a2.parquet', 'staged': 'a2', 'rows': 5, 'bytes': 45, "                 \
    "'format': 'parquet', 'source_uri': 'a.csv'}, "                                                                    \
    "{'layer': 'bronze', 'path': 'bronze/orders/x/b2.parquet', 'staged': 'x/b2', 'rows': 4, 'bytes': 44, "             \
    "'format': 'parquet', 'source_uri': 'b.csv', 'rewrites': 2}, "                                                     \
    "{'layer': 'landing', 'path': 'landing/shop/orders/a2.csv', 'staged': 'la2', 'rows': 0, 'bytes': 55, "             \
    "'format': 'csv', 'source_uri': 'a.csv'}], 'removes': [1, 2], "                                                    \
    "'watermark': {'column': 'at', 'type': 'bigint', 'value': '20', 'ties': []}, "                                     \
    "'ledger': [{'uri': 'a.csv', 'size': 55, 'mtime_ns': 3, 'hash': 'cc', 'rows': 5, 'change': 'changed'}, "           \
    "{'uri': 'c.csv', 'size': 0, 'mtime_ns': 4, 'hash': 'dd', 'rows': 0, 'change': 'new'}]}"

/* A full one. */
#define RESULT_FULL                                                                                                    \
    "{'rows': {'read': 3, 'written': 3, 'rejected': 0, 'deduped': 0, 'filtered': 0, 'replaced': 0}, "                  \
    "'replace_all': true, 'schema': [{'name': 'n', 'type': 'date'}], 'files': ["                                       \
    "{'layer': 'bronze', 'path': 'bronze/orders/f.csv', 'staged': 'f', 'rows': 3, 'bytes': 30, 'format': 'csv'}], "    \
    "'watermark': null, 'ledger': [{'uri': 'z.csv', 'size': 1, 'rows': 3}]}"

#define RESULT_SALES                                                                                                   \
    "{'rows': {'read': 2, 'written': 2, 'rejected': 0, 'deduped': 0, 'filtered': 0, 'replaced': 0}, "                  \
    "'replace_all': true, 'schema': [{'name': 's', 'type': 'double'}], 'files': ["                                     \
    "{'layer': 'silver', 'path': 'silver/sales/s.parquet', 'staged': 's', 'rows': 2, 'bytes': 20, "                    \
    "'format': 'parquet'}]}"

/* Every row of every table but the run rows, logs and the counters of AUTOINCREMENT, as text; to be freed. */
struct dump {
    struct buf text;
    struct db *db;
};

static inline status dump_row(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct dump *d = self;
    for (size_t i = 0; i < columns; i++) {
        const struct db_value *v = &row[i];
        assert_int_equal(v->kind == DB_NULL      ? buf_printf(&d->text, err, "null|")
                         : v->kind == DB_INTEGER ? buf_printf(&d->text, err, "%lld|", (long long)v->integer)
                                                 : buf_printf(&d->text, err, "'%.*s'|", (int)v->length,
                                                              v->bytes ? (const char *)v->bytes : ""),
                         OK);
    }
    return buf_append(&d->text, "\n", 1, err);
}

static inline status dump_table(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct dump *d = self;
    char select[200];
    (void)columns;
    assert_int_equal(buf_printf(&d->text, err, "-- %.*s\n", (int)row[0].length, (const char *)row[0].bytes), OK);
    snprintf(select, sizeof select, "SELECT * FROM %.*s ORDER BY 1, 2", (int)row[0].length, (const char *)row[0].bytes);
    return db_each(d->db, select, DB_NO_BINDS, dump_row, d, err);
}

static inline char *dump(struct db *db)
{
    struct error err;
    struct dump d = {.db = db};
    assert_ok(db_each(db,
                      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN "
                      "('pipeline_runs', 'layer_centric_ingest_runs', 'dataset_runs', 'run_logs') ORDER BY name",
                      DB_NO_BINDS, dump_table, &d, &err),
              err);
    assert_ok(buf_append(&d.text, "", 1, &err), err);
    return (char *)d.text.data;
}

#endif
