/* /api/catalog: what lies in the lake */
#include <inttypes.h>
#include <stdio.h>

#include "api/handler.h"
#include "api/route_tables.h"
#include "api/sample.h"
#include "store/store_views.h"

static const char *const layers[] = {"bronze", "silver", "gold", NULL};

static status list(struct api_context *context, const struct api_request *request, struct api_response *response,
                   struct error *err)
{
    const char *layer = NULL, *wanted = api_query(request, "pipeline");
    struct record_page page = {0};
    struct db *db = NULL;
    json_t *rows = NULL, *pipeline = NULL;
    bool more = false;
    status s = api_query_choice(request, "layer", layers, &layer, err);
    if (s == OK)
        s = api_page(request, &page.limit, &page.after, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK && wanted)
        s = pipeline_find(db, wanted, &pipeline, err);
    if (s == OK) {
        const struct db_value binds[] = {db_text(layer), db_text(json_text(pipeline, "id", NULL)),
                                         db_text(api_query(request, "search"))};
        page.where = "(?1 IS NULL OR layer = ?1) AND (?2 IS NULL OR pipeline_id = ?2)"
                     " AND (?3 IS NULL OR instr(lower(layer || '.' || name), lower(?3)) > 0)";
        page.binds = binds;
        page.bind_count = sizeof binds / sizeof *binds;
        s = record_list(db, &catalog_table, &page, &rows, &more, err);
    }
    store_give_back(context->store, db);
    if (s == OK)
        s = api_answer_page(response, json_incref(rows), more, err);
    json_decref(rows);
    json_decref(pipeline);
    return s;
}

/* By id, or by full name ("silver.orders"). */
static status find(struct db *db, const char *id, json_t **dataset, struct error *err)
{
    char layer[16];
    const char *name;
    json_t *found = NULL;
    if (!strchr(id, '.') || !dataset_name_split(id, layer, &name))
        return record_get(db, &catalog_table, id, dataset, err);
    status s = dataset_find(db, layer, name, &found, err);
    if (s == OK && !found)
        return error_set(err, ERR_NOT_FOUND, "there is no dataset '%.200s'", id);
    if (s == OK)
        *dataset = found;
    return s;
}

static status get(struct api_context *context, const struct api_request *request, struct api_response *response,
                  struct error *err)
{
    struct db *db = NULL;
    struct buf name = {0};
    json_t *dataset = NULL, *children = NULL, *history = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = find(db, request->params[0], &dataset, err);
    if (s == OK)
        s = buf_printf(&name, err, "%s.%s", json_text(dataset, "layer", ""), json_text(dataset, "name", ""));
    if (s == OK)
        s = buf_append(&name, "", 1, err);
    if (s == OK)
        s = dataset_children(db, (const char *)name.data, &children, err);
    if (s == OK)
        s = json_put(dataset, "child_tables", children, err);
    if (s == OK)
        s = dataset_schemas(db, json_text(dataset, "id", ""), &history, err);
    if (s == OK)
        s = json_put(dataset, "schema_history", history, err);
    store_give_back(context->store, db);
    if (s == OK)
        s = api_answer_record(response, 200, json_incref(dataset), err);
    buf_release(&name);
    json_decref(dataset);
    return s;
}

/* A dataset without a published snapshot has no files: *snapshot is 0. */
static int64_t current(const json_t *dataset)
{
    return json_int(dataset, "current_snapshot", 0);
}

static status files(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    struct db *db = NULL;
    json_t *dataset = NULL, *rows = NULL;
    int64_t after = 0;
    size_t limit = 0;
    const char *cursor;
    bool more = false;
    status s = api_page(request, &limit, &cursor, err);
    if (s == OK)
        s = api_query_number(request, "cursor", 0, INT64_MAX, 0, &after, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = find(db, request->params[0], &dataset, err);
    if (s == OK)
        s = dataset_files_page(db, json_text(dataset, "id", ""), current(dataset), after, limit, &rows, &more, err);
    store_give_back(context->store, db);
    json_decref(dataset);
    return s == OK ? api_answer_page(response, rows, more, err) : s;
}

/* Rows come from the first files only: a sample does not open thousands. */
#define SAMPLE_FILES 16

static status sample(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    struct db *db = NULL;
    json_t *dataset = NULL, *rows = NULL, *target = NULL;
    bool more = false;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = find(db, request->params[0], &dataset, err);
    if (s == OK)
        s = dataset_files_page(db, json_text(dataset, "id", ""), current(dataset), 0, SAMPLE_FILES, &rows, &more, err);
    store_give_back(context->store, db);
    if (s == OK && json_array_size(rows) == 0) {
        s = api_answer(response, 200, json_pack("{s:O, s:[]}", "columns", json_object_get(dataset, "schema"), "rows"),
                       err);
        goto out;
    }
    if (s == OK &&
        !(target = json_pack("{s:s, s:s, s:s, s:I, s:O, s:O, s:s}", "dataset", json_text(dataset, "name", ""), "layer",
                             json_text(dataset, "layer", ""), "folder", json_text(dataset, "path", ""), "snapshot",
                             (json_int_t)current(dataset), "schema", json_object_get(dataset, "schema"), "files", rows,
                             "format", json_text(dataset, "format", "parquet"))))
        s = error_no_memory(err, 64);
    if (s == OK)
        s = sample_answer(context, request, target, response, err);
out:
    json_decref(target);
    json_decref(rows);
    json_decref(dataset);
    return s;
}

static const struct api_query_param list_params[] = {
    {"layer", "Only this layer.", "{\"type\": \"string\", \"enum\": [\"bronze\", \"silver\", \"gold\"]}"},
    {"pipeline", "Only datasets of this pipeline (id or name).", QUERY_TEXT},
    {"search", "Part of the full name (\"bronze.orders\").", QUERY_TEXT},
    QUERY_PAGE,
    {0}};
static const struct api_query_param files_params[] = {QUERY_PAGE, {0}};
static const struct api_query_param sample_params[] = {SAMPLE_PARAMS, {0}};

#define DATASET "/api/catalog/{id}"

static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/api/catalog",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Datasets, newest first",
     .answer_list = true,
     .success = 200,
     .handle = list,
     .kept = true,
     .params = list_params},
    {.method = "GET",
     .pattern = DATASET,
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "A dataset (by id or full name) with columns, their history, parents and children",
     .success = 200,
     .handle = get,
     .kept = true},
    {.method = "GET",
     .pattern = DATASET "/files",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Files of the current snapshot",
     .answer_list = true,
     .success = 200,
     .handle = files,
     .kept = true,
     .params = files_params},
    {.method = "GET",
     .pattern = DATASET "/sample",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "First rows",
     .success = 200,
     .handle = sample,
     .params = sample_params},
};

const struct route_table catalog_routes = {routes, sizeof routes / sizeof *routes};
