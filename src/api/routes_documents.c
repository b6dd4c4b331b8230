/* /api/apply and /api/workflows/{id}/export: pipelines as documents that live in version control */
#include <string.h>

#include "api/apply.h"
#include "api/route_tables.h"
#include "job/document.h"
#include "store/store_connections.h"

static status apply(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    struct apply_options options = {0};
    struct field_errors errors = {0};
    json_t *document = NULL, *answer = NULL;
    status s = api_query_flag(request, "dry_run", false, &options.dry_run, err);
    if (s == OK)
        s = api_query_flag(request, "prune", false, &options.prune, err);
    if (s == OK)
        s = field_table_apply(&document_fields, NULL, request->body, &document, &errors, err);
    if (s == OK && document)
        s = apply_document(context, request, document, &options, &answer, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0)
        s = api_problem_fields(response, &errors, err);
    else if (s == OK)
        s = api_answer(response, 200, json_incref(answer), err);
    field_errors_release(&errors);
    json_decref(document);
    json_decref(answer);
    return s;
}

/* Ids of connections become names. */
static status name_connections(struct db *db, json_t *jobs, struct error *err)
{
    size_t i;
    json_t *job;
    status s = OK;
    json_array_foreach(jobs, i, job)
    {
        const char *id = json_text(job, "connection_id", NULL);
        json_t *connection = NULL;
        if (s == OK && id)
            s = connection_find(db, id, &connection, err);
        if (s == OK)
            s = json_put_text(job, "connection", json_text(connection, "name", NULL), err);
        json_object_del(job, "connection_id");
        json_decref(connection);
    }
    return s;
}

static status read_all(struct api_context *context, const struct api_request *request, json_t **pipeline,
                       json_t **ingest_jobs, json_t **dataset_jobs, struct error *err)
{
    struct db *db = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = pipeline_find(db, request->params[0], pipeline, err);
    const char *id = json_text(*pipeline, "id", "");
    if (s == OK)
        s = job_list(db, JOB_INGEST, id, ingest_jobs, err);
    if (s == OK)
        s = name_connections(db, *ingest_jobs, err);
    if (s == OK)
        s = job_list(db, JOB_DATASET, id, dataset_jobs, err);
    store_give_back(context->store, db);
    return s;
}

static status answer_yaml(struct api_response *response, const json_t *document, struct error *err)
{
    struct buf text = {0};
    status s = document_write(document, true, &text, err);
    if (s != OK) {
        buf_release(&text);
        return s;
    }
    response->status = 200;
    response->content_type = "application/yaml";
    response->text = (char *)text.data;
    response->text_length = text.len;
    return OK;
}

static status export(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    static const char *const formats[] = {"json", "yaml", NULL};
    const char *format = NULL;
    json_t *pipeline = NULL, *ingest_jobs = NULL, *dataset_jobs = NULL, *document = NULL;
    status s = api_query_choice(request, "format", formats, &format, err);
    if (s == OK)
        s = read_all(context, request, &pipeline, &ingest_jobs, &dataset_jobs, err);
    if (s == OK)
        s = document_export(pipeline, ingest_jobs, dataset_jobs, &document, err);
    if (s == OK && format && strcmp(format, "yaml") == 0)
        s = answer_yaml(response, document, err);
    else if (s == OK)
        s = api_answer(response, 200, json_incref(document), err);
    json_decref(document);
    json_decref(dataset_jobs);
    json_decref(ingest_jobs);
    json_decref(pipeline);
    return s;
}

static const struct api_query_param apply_params[] = {
    {"dry_run", "Say what would change, and change nothing.", QUERY_FLAG},
    {"prune", "Delete jobs of the pipeline that the document does not have.", QUERY_FLAG},
    {0}};
static const struct api_query_param export_params[] = {
    {"format", "json (default) or yaml.", "{\"enum\": [\"json\", \"yaml\"]}"}, {0}};

static const struct route routes[] = {
    {.method = "POST",
     .pattern = "/api/apply",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Create or update a pipeline with its jobs from one document",
     .body = &document_fields,
     .success = 200,
     .handle = apply,
     .params = apply_params},
    {.method = "GET",
     .pattern = "/api/workflows/{id}/export",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "The pipeline with its jobs as one document",
     .success = 200,
     .handle = export,
     .params = export_params},
};
const struct route_table document_routes = {routes, ARRAY_LENGTH(routes)};
