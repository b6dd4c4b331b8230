#include "api/job_check.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/short_task.h"
#include "job/fields.h"
#include "job/source_config.h"
#include "store/store_connections.h"
#include "store/store_views.h"
#include "sys/confine.h"

const struct field_table *job_fields(enum job_kind kind)
{
    return kind == JOB_INGEST ? &ingest_job_fields : &dataset_job_fields;
}

static status check_upload(struct api_context *context, const char *id, struct field_errors *errors, struct error *err)
{
    struct db *db = NULL;
    json_t *upload = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_get(db, &uploads_table, id, &upload, err);
    store_give_back(context->store, db);
    if (s == ERR_NOT_FOUND)
        return field_error_add(errors, err, "/config/upload_id", "not_found",
                               "there is no upload '%.60s': send the file to POST /api/uploads and write its id here",
                               id);
    if (s == OK && strcmp(json_text(upload, "state", ""), "complete") != 0)
        s = field_error_add(errors, err, "/config/upload_id", "incomplete",
                            "the upload '%.60s' did not arrive whole yet: send the rest of it first", id);
    json_decref(upload);
    return s;
}

static status check_path(struct api_context *context, const char *path, struct field_errors *errors, struct error *err)
{
    char *anchored = NULL, *resolved = NULL;
    status s = confine_anchor(path, context->local_roots, context->local_root_count, &anchored, err);
    if (s == OK)
        s = confine_pattern(anchored, context->local_roots, context->local_root_count, &resolved, err);
    free(anchored);
    free(resolved);
    if (s != ERR_DENIED && s != ERR_INVALID)
        return s;
    struct error why = *err;
    return field_error_add(errors, err, "/config/path", s == ERR_DENIED ? "denied" : "format", "%s. %s", why.message,
                           why.hint);
}

static bool in_list(const char *const *list, const char *name)
{
    for (; *list; list++)
        if (strcmp(*list, name) == 0)
            return true;
    return false;
}

/* What of the job depends on the kind of its connection. */
static status check_kind(const struct source_rule *rule, const json_t *connection, struct field_errors *errors,
                         struct error *err)
{
    const char *kind = json_text(connection, "kind", "");
    if (!in_list(rule->connections, kind)) {
        char kinds[64] = "";
        for (size_t i = 0; rule->connections[i]; i++)
            snprintf(kinds + strlen(kinds), sizeof kinds - strlen(kinds), "%s%s", i ? ", " : "", rule->connections[i]);
        return field_error_add(errors, err, "/connection_id", "combination",
                               "source_type=%s needs a connection of the kind %s: '%.100s' is of the kind %s",
                               rule->name, kinds, json_text(connection, "name", ""), kind);
    }
    return OK;
}

static status check_connection(struct api_context *context, const json_t *record, struct field_errors *errors,
                               struct error *err)
{
    const struct source_rule *rule = source_rule_find(json_text(record, "source_type", ""));
    const char *id = json_text(record, "connection_id", NULL);
    struct db *db = NULL;
    json_t *connection = NULL;
    if (!rule || !rule->connections || !id)
        return OK;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_get(db, &connections_table, id, &connection, err);
    store_give_back(context->store, db);
    if (s == ERR_NOT_FOUND)
        return field_error_add(errors, err, "/connection_id", "not_found",
                               "there is no connection '%.60s': GET /api/connections lists them", id);
    if (s == OK)
        s = check_kind(rule, connection, errors, err);
    json_decref(connection);
    return s;
}

status job_check_connection(const json_t *record, const json_t *connection, struct field_errors *errors,
                            struct error *err)
{
    const struct source_rule *rule = source_rule_find(json_text(record, "source_type", ""));
    return rule && rule->connections ? check_kind(rule, connection, errors, err) : OK;
}

/* Has the catalog columns for the dataset? */
static status input_known(struct db *db, const char *full, bool *known, struct error *err)
{
    char layer[16];
    const char *name;
    json_t *dataset = NULL;
    status s = dataset_name_split(full, layer, &name) ? dataset_find(db, layer, name, &dataset, err) : OK;
    if (s == OK)
        *known = json_array_size(json_object_get(dataset, "schema")) > 0;
    json_decref(dataset);
    return s;
}

status job_check_inputs(struct api_context *context, const json_t *record, struct field_errors *errors, bool *known,
                        struct error *err)
{
    const json_t *inputs = json_object_get(record, "inputs");
    struct db *db = NULL;
    json_t *input;
    size_t i;
    bool all = true;
    status s = store_reader(context->store, &db, err);
    json_array_foreach((json_t *)inputs, i, input)
    {
        const char *full = json_text(input, "dataset", "");
        char pointer[48];
        bool one = false;
        snprintf(pointer, sizeof pointer, "/inputs/%zu/dataset", i);
        if (s == OK)
            s = input_known(db, full, &one, err);
        if (s == OK && !one && errors)
            s = field_error_add(errors, err, pointer, "not_found",
                                "there is no dataset '%.120s' yet: run the job that makes it first", full);
        all = all && one;
    }
    store_give_back(context->store, db);
    if (s == OK)
        *known = all;
    return s;
}

/* The task's problem, its place in front of the message and in members of its own. */
static status add_problem(const json_t *problem, struct field_errors *errors, struct error *err)
{
    json_int_t line = json_int(problem, "line", 0), column = json_int(problem, "column", 0);
    const char *hint = json_text(problem, "hint", "");
    char place[64] = "";
    if (line > 0 && column > 0)
        snprintf(place, sizeof place, "line %lld, column %lld: ", (long long)line, (long long)column);
    else if (line > 0)
        snprintf(place, sizeof place, "line %lld: ", (long long)line);
    status s = field_error_add(errors, err, json_text(problem, "pointer", "/sql"), json_text(problem, "code", "sql"),
                               "%s%s%s%s", place, json_text(problem, "message", "the SQL cannot be run"),
                               *hint ? ". " : "", hint);
    json_t *added = json_array_get(errors->list, json_array_size(errors->list) - 1);
    if (s == OK && line > 0)
        s = json_put_int(added, "line", line, err);
    if (s == OK && line > 0 && column > 0)
        s = json_put_int(added, "column", column, err);
    return s;
}

static status check_sql(struct api_context *context, const json_t *pipeline, const json_t *record,
                        struct field_errors *errors, struct error *err)
{
    json_t *payload = NULL, *answer = NULL, *problems = NULL, *problem;
    size_t i;
    status s = engine_payload(context->engine, JOB_DATASET, pipeline, record, &payload, err);
    if (s == OK)
        s = short_task_run(context, "explain", payload, &answer, &problems, err);
    if (s == OK)
        problems = json_incref(json_object_get(answer, "errors"));
    if (s == OK || json_array_size(problems) > 0) {
        s = OK;
        json_array_foreach(problems, i, problem)
        {
            if (s == OK)
                s = add_problem(problem, errors, err);
        }
    } else if (s == ERR_INVALID || s == ERR_BAD_DATA || s == ERR_UNSUPPORTED || s == ERR_DENIED) {
        struct error why = *err;
        s = field_error_add(errors, err, "/sql", "sql", "%s%s%s", why.message, why.hint[0] ? ". " : "", why.hint);
    }
    json_decref(problems);
    json_decref(answer);
    json_decref(payload);
    return s;
}

status job_check_world(struct api_context *context, enum job_kind kind, const json_t *pipeline, const json_t *record,
                       struct field_errors *errors, struct error *err)
{
    if (kind == JOB_DATASET) {
        bool known = false;
        status s = job_check_inputs(context, record, NULL, &known, err);
        return s == OK && known ? check_sql(context, pipeline, record, errors, err) : s;
    }
    const json_t *config = json_object_get(record, "config");
    const char *source = json_text(record, "source_type", "");
    const char *upload = json_text(config, "upload_id", NULL), *path = json_text(config, "path", NULL);
    if (strcmp(source, "file_upload") == 0 && upload)
        return check_upload(context, upload, errors, err);
    if (strcmp(source, "file_local") == 0 && path)
        return check_path(context, path, errors, err);
    return check_connection(context, record, errors, err);
}

static bool same(const json_t *before, const json_t *after, const char *key)
{
    const json_t *a = json_object_get(before, key), *b = json_object_get(after, key);
    return (json_is_null(a) || !a) ? (json_is_null(b) || !b) : json_equal(a, b);
}

static status refuse_change(const char *member, const char *dataset, long long rows, struct error *err)
{
    status s = error_set(err, ERR_CONFLICT,
                         "%s cannot change now: bronze.%s holds %lld rows that were taken with what it was before",
                         member, dataset, rows);
    error_hint(err,
               "Do one of these: reset the watermark (DELETE .../watermark with a reason), change it then, and set a "
               "value (PUT .../watermark); or run once with incremental_mode=full, together with the change; or point "
               "the job to a new dataset in the same request.");
    return s;
}

status job_check_history(struct db *db, const json_t *before, const json_t *after, bool *fresh, struct error *err)
{
    const char *id = json_text(before, "id", ""), *dataset = json_text(before, "dataset", "");
    bool was_full = strcmp(json_text(before, "incremental_mode", "full"), "full") == 0;
    bool is_full = strcmp(json_text(after, "incremental_mode", "full"), "full") == 0;
    *fresh = !same(before, after, "dataset");
    const char *member = was_full && !is_full                       ? "incremental_mode"
                         : !same(before, after, "watermark_column") ? "watermark_column"
                         : !same(before, after, "dedupe_keys")      ? "dedupe_keys"
                                                                    : NULL;
    if (*fresh || is_full || !member)
        return OK;
    json_t *row = NULL, *watermark = NULL;
    int64_t files = 0;
    status s = dataset_find(db, "bronze", dataset, &row, err);
    if (s == OK)
        s = watermark_get(db, id, &watermark, err);
    if (s == OK)
        s = ledger_count(db, id, &files, err);
    if (s == OK) {
        int64_t rows = json_int(row, "row_count", 0);
        bool was_reset = !watermark && files == 0;
        /* A full run has left a watermark of that very column: incremental can go on from it. */
        bool goes_on = was_full && watermark && same(before, after, "dedupe_keys") &&
                       strcmp(json_text(watermark, "column", ""), json_text(after, "watermark_column", "")) == 0;
        if (rows > 0 && !was_reset && !goes_on)
            s = refuse_change(member, dataset, rows, err);
    }
    json_decref(watermark);
    json_decref(row);
    return s;
}

static status put_missing(json_t *object, const char *key, struct error *err)
{
    return json_object_get(object, key) ? OK : json_put_text(object, key, "preview", err);
}

status job_stand_in(json_t *job, json_t **pipeline, struct error *err)
{
    static const char *const members[] = {"id", "slug", "name", "dataset"};
    json_t *made = json_pack("{s:s, s:s, s:s, s:s}", "id", "preview", "name", "preview", "slug", "preview",
                             "environment", "development");
    status s = made ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < sizeof members / sizeof *members; i++)
        s = put_missing(job, members[i], err);
    if (s == OK)
        *pipeline = made;
    else
        json_decref(made);
    return s;
}
