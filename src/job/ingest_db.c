#include "job/ingest_db.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "batch/cast.h"
#include "batch/value_text.h"
#include "job/connection_task.h"

#define WATCH_NS 50000000

/* ---- a request to stop reaches the server ---- */

struct db_cancel {
    struct ingest_db *db;
    const atomic_bool *cancel;
    atomic_bool done;
    pthread_t thread;
};

static void *watch(void *argument)
{
    struct db_cancel *w = argument;
    const struct timespec pause = {0, WATCH_NS};
    while (!atomic_load(&w->done)) {
        if (atomic_load(w->cancel)) {
            w->db->driver->cancel(w->db->session);
            return NULL;
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static status shorten_patience(json_t *config, double patience, struct error *err)
{
    static const char *const members[] = {"statement_timeout_seconds", "connect_timeout_seconds"};
    status s = OK;
    for (size_t i = 0; s == OK && patience > 0 && i < ARRAY_LENGTH(members); i++) {
        const json_t *own = json_object_get(config, members[i]);
        if (!json_is_number(own) || json_number_value(own) <= 0 || json_number_value(own) > patience)
            s = json_put(config, members[i], json_real(patience), err);
    }
    return s;
}

static status connect_to(struct ingest_db *db, const json_t *payload, double patience, struct error *err)
{
    const char *kind = json_text(json_object_get(payload, "connection"), "kind", "");
    json_t *config = NULL;
    status s = connection_config(payload, &config, err);
    if (s == OK)
        s = shorten_patience(config, patience, err);
    if (s == OK) {
        db->driver = db_driver_find(kind);
        if (!db->driver) {
            s = error_set(err, ERR_INVALID, "job/connection_id: a connection of kind '%.40s' is to no database", kind);
            error_hint(err, "choose a connection of kind postgres or sqlite");
        }
    }
    if (s == OK)
        s = db->driver->connect(&db->session, config, NULL, NULL, err);
    json_decref(config);
    return s;
}

static status start_watch(struct ingest_db *db, const atomic_bool *cancel, struct error *err)
{
    struct db_cancel *w = calloc(1, sizeof *w);
    if (!w)
        return error_no_memory(err, sizeof *w);
    w->db = db;
    w->cancel = cancel;
    int failed = pthread_create(&w->thread, NULL, watch, w);
    if (failed) {
        free(w);
        return error_set_errno(err, failed, "cannot start a thread");
    }
    db->watch = w;
    return OK;
}

static void stop_watch(struct ingest_db *db)
{
    if (!db->watch)
        return;
    atomic_store(&db->watch->done, true);
    pthread_join(db->watch->thread, NULL);
    free(db->watch);
    db->watch = NULL;
}

/* ---- what is read ---- */

static status read_target(struct ingest_db *db, const json_t *config, const char *slug, struct error *err)
{
    const char *table = json_text(config, "table", NULL), *query = json_text(config, "query", NULL);
    table = table && *table ? table : NULL;
    query = query && *query ? query : NULL;
    if (!table == !query)
        return error_set(err, ERR_INVALID, "job/config: one of table and query is wanted");
    db->read.table = table;
    db->read.query = query;
    db->name = strdup(table ? table : slug);
    return db->name ? OK : error_no_memory(err, 64);
}

/* Where rows come from, without secrets. */
static status make_uri(struct ingest_db *db, const json_t *connection, struct error *err)
{
    const char *host = json_text(connection, "host", ""), *database = json_text(connection, "database", NULL);
    if (!database)
        database = json_text(connection, "path", "");
    while (*database == '/')
        database++;
    if (asprintf(&db->uri, "%s://%s/%s/%s", db->driver->kind, host, database, db->name) >= 0)
        return OK;
    db->uri = NULL;
    return error_no_memory(err, 64);
}

static status copy(char **to, struct str from, struct error *err)
{
    *to = strndup(from.p, from.n);
    return *to ? OK : error_no_memory(err, from.n);
}

/* The job's columns are called as rename_map says, the database's are not. */
static status source_column(struct ingest_db *db, const struct convert_options *c, struct error *err)
{
    struct str name = c->watermark.column;
    for (size_t i = 0; i < c->rename_count; i++)
        if (str_equal_nocase(c->renames[i].to, name))
            name = c->renames[i].from;
    status s = copy(&db->column, name, err);
    db->read.column = db->column;
    return s;
}

/* ---- the bounds ---- */

static status watermark_type(struct ingest_db *db, struct data_type *type, struct error *err)
{
    struct schema schema = {0};
    status s = db->driver->describe(db->session, &db->read, &schema, err);
    int at = s == OK ? schema_find(&schema, str_of(db->column)) : -1;
    if (s == OK && at < 0) {
        s = error_set(err, ERR_INVALID, "watermark_column: the source has no column '%.100s'", db->column);
        error_hint(err, "name a column of the table or query, as rename_map calls it");
    }
    if (s == OK)
        *type = schema.fields[at].type;
    schema_release(&schema);
    return s;
}

/* value - seconds, of a time. */
static status subtract(struct ingest_db *db, char **value, double seconds, struct error *err)
{
    struct data_type type = {0};
    status s = watermark_type(db, &type, err);
    if (s != OK)
        return s;
    if (type.kind != TYPE_TIMESTAMP && type.kind != TYPE_TIMESTAMPTZ) {
        s = error_set(err, ERR_INVALID, "safety_lag_seconds: watermark column '%.100s' holds no times", db->column);
        error_hint(err, "set safety_lag_seconds to 0, or name a timestamp as watermark_column");
        return s;
    }
    char padded[2 * CAST_PAD + VALUE_TEXT_MAX] = {0}, text[VALUE_TEXT_MAX];
    size_t n = strlen(*value);
    union value v;
    const char *why = "too long";
    if (n < VALUE_TEXT_MAX)
        memcpy(padded + CAST_PAD, *value, n);
    if (n >= VALUE_TEXT_MAX || !cast_text(type, padded + CAST_PAD, n, &v, &why)) {
        s = error_set(err, ERR_INVALID,
                      "the highest value of watermark column '%.100s' is '%.60s', from which "
                      "safety_lag_seconds cannot be taken: %s",
                      db->column, *value, why);
        error_hint(err, "correct that row in the database, or leave it out by a query");
        return s;
    }
    v.i64 -= (int64_t)(seconds * 1e6);
    size_t length = value_text(type, &v, text);
    free(*value);
    return copy(value, (struct str){text, length}, err);
}

static status fix_range(struct ingest_db *db, const struct ingest_options *o, struct error *err)
{
    status s = copy(&db->lower, str_of(o->range_from), err);
    if (s == OK)
        s = copy(&db->upper, str_of(o->range_to), err);
    db->read.upper_open = true;
    return s;
}

/* From the last watermark to the highest value now; rows without a value are taken along to be seen. */
static status fix_window(struct ingest_db *db, const struct ingest_options *o, struct error *err)
{
    status s = db->driver->highest(db->session, &db->read, &db->upper, err);
    if (s == OK && db->upper && o->safety_lag > 0)
        s = subtract(db, &db->upper, o->safety_lag, err);
    if (s == OK && o->convert.watermark.last.p)
        s = copy(&db->lower, o->convert.watermark.last, err);
    db->read.nulls = true;
    return s;
}

static status fix_bounds(struct ingest_db *db, const struct ingest_options *o, struct error *err)
{
    if (!o->convert.watermark.column.n)
        return OK;
    status s = source_column(db, &o->convert, err);
    if (s == OK && o->range_from)
        s = fix_range(db, o, err);
    else if (s == OK && o->incremental)
        s = fix_window(db, o, err);
    db->read.lower = db->lower;
    db->read.upper = db->upper;
    return s;
}

/* ---- the stream ---- */

static status open_rows(void *self, struct batch_stream *stream, struct error *err)
{
    struct ingest_db *db = self;
    return db->driver->open(db->session, &db->read, stream, err);
}

status ingest_db_open(struct ingest_db *db, const struct ingest_options *o, const json_t *payload, double patience,
                      const atomic_bool *cancel, struct convert_options *convert, struct error *err)
{
    const json_t *config = json_object_get(json_object_get(payload, "job"), "config");
    const json_t *connection = json_object_get(json_object_get(payload, "connection"), "config");
    *db = (struct ingest_db){0};
    status s = connect_to(db, payload, patience, err);
    if (s == OK)
        s = start_watch(db, cancel, err);
    if (s == OK)
        s = read_target(db, config, o->job_slug, err);
    if (s == OK)
        s = make_uri(db, connection, err);
    if (s == OK)
        s = fix_bounds(db, o, err);
    /* Pieces under way, their columns and what is encoded of them share the memory. */
    db->read.batch_bytes = convert->memory / 10 / (convert->threads + 1);
    convert->open_stream = open_rows;
    convert->stream_self = db;
    return s;
}

status ingest_db_plan(struct ingest_db *db, json_t *plan, struct error *err)
{
    const struct db_read *r = &db->read;
    int64_t rows = -1;
    status s = db->driver->estimate ? db->driver->estimate(db->session, r, &rows, err) : OK;
    if (s == OK)
        s = json_put(plan, "rows_estimate", rows < 0 ? json_null() : json_integer(rows), err);
    if (s == OK)
        s = json_put(plan, "window",
                     r->column ? json_pack("{s:s, s:s?, s:s?, s:b}", "column", r->column, "from", r->lower, "to",
                                           r->upper, "to_open", r->upper_open)
                               : json_null(),
                     err);
    return s;
}

void ingest_db_close(struct ingest_db *db)
{
    stop_watch(db);
    if (db->driver)
        db->driver->close(db->session);
    free(db->column);
    free(db->lower);
    free(db->upper);
    free(db->uri);
    free(db->name);
    *db = (struct ingest_db){0};
}
