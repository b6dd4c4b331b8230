#include "api/watermark.h"

#include "api/handler.h"
#include "api/job_handlers.h"
#include "job/watermark_value.h"
#include "store/store_views.h"

static const struct field_def set_members[] = {
    {.key = "value",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .label = "Value",
     .help = "The new watermark, as text of the type that watermark_column has in the dataset: rows of new files below "
             "it are filtered."},
    {.key = "reason",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 1000,
     .label = "Reason",
     .help = "Why the watermark is set; it goes into the audit log."},
    {.key = "forget_files",
     .kind = FIELD_BOOLEAN,
     .default_json = "false",
     .label = "Forget files",
     .help = "Empty the file ledger too: the next run takes all files again, and what they gave before is replaced."}};
const struct field_table watermark_set_fields = {
    .name = "watermark", .title = "Watermark", .fields = set_members, .count = ARRAY_LENGTH(set_members)};

static const struct field_def reset_members[] = {
    {.key = "reason",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .min = 1,
     .max = 1000,
     .label = "Reason",
     .help = "Why watermark and ledger are forgotten; it goes into the audit log."}};
const struct field_table watermark_reset_fields = {.name = "watermark_reset",
                                                   .title = "Watermark reset",
                                                   .fields = reset_members,
                                                   .count = ARRAY_LENGTH(reset_members)};

/* {"watermark", "ledger_files"} of a job. */
static status shown(struct db *db, const char *job_id, json_t **answer, struct error *err)
{
    json_t *value = NULL;
    int64_t files = 0;
    status s = watermark_get(db, job_id, &value, err);
    if (s == OK)
        s = ledger_count(db, job_id, &files, err);
    if (s == OK && !(*answer = json_pack("{s:o, s:I}", "watermark", value ? json_incref(value) : json_null(),
                                         "ledger_files", (json_int_t)files)))
        s = error_no_memory(err, 64);
    json_decref(value);
    return s;
}

status watermark_handle_get(struct api_context *context, const struct api_request *request,
                            struct api_response *response, struct error *err)
{
    json_t *job = NULL, *answer = NULL;
    struct db *db = NULL;
    status s = job_of_path(context, JOB_INGEST, request, NULL, &job, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = shown(db, json_text(job, "id", ""), &answer, err);
    store_give_back(context->store, db);
    if (s == OK)
        s = api_answer(response, 200, answer, err);
    json_decref(job);
    return s;
}

/* ---- resets ---- */

/* What stands before one, for its checks and its audit. */
struct reset {
    struct api_write write;
    json_t *job, *before; /* before: the watermark, NULL: none */
    const char *job_id;
    int64_t files;
};

static status reset_begin(struct reset *r, struct api_context *context, const struct api_request *request,
                          struct error *err)
{
    json_t *pipeline = NULL;
    int64_t open = 0;
    status s = api_write_begin(context, &r->write, err);
    if (s == OK)
        s = pipeline_find(r->write.db, request->params[0], &pipeline, err);
    if (s == OK)
        s = job_get(r->write.db, JOB_INGEST, json_text(pipeline, "id", ""), request->params[1], &r->job, err);
    json_decref(pipeline);
    if (s != OK)
        return s;
    r->job_id = json_text(r->job, "id", "");
    s = job_runs_open(r->write.db, JOB_INGEST, r->job_id, &open, err);
    if (s == OK && open > 0) {
        s = error_set(err, ERR_CONFLICT,
                      "the job has a run that did not end yet, which would move the watermark again");
        error_hint(err, "Cancel it, or wait until it has ended.");
    }
    if (s == OK)
        s = watermark_get(r->write.db, r->job_id, &r->before, err);
    return s == OK ? ledger_count(r->write.db, r->job_id, &r->files, err) : s;
}

static void reset_end(struct reset *r)
{
    api_write_end(&r->write);
    json_decref(r->job);
    json_decref(r->before);
}

status watermark_handle_delete(struct api_context *context, const struct api_request *request,
                               struct api_response *response, struct error *err)
{
    struct reset r = {0};
    struct field_errors errors = {0};
    json_t *wanted = NULL, *details = NULL;
    status s = field_table_apply(&watermark_reset_fields, NULL, request->body, &wanted, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = reset_begin(&r, context, request, err);
    if (s == OK)
        s = watermark_reset(r.write.db, r.job_id, err);
    if (s == OK && !(details = json_pack("{s:s, s:s*, s:I}", "reason", json_text(wanted, "reason", ""), "watermark",
                                         json_text(r.before, "value", NULL), "ledger_files", (json_int_t)r.files)))
        s = error_no_memory(err, 64);
    if (s == OK)
        s = api_audit(&r.write, request, "ingest_job.watermark_reset", "ingest_job", r.job_id, details, err);
    if (s == OK)
        s = api_write_commit(&r.write, err);
    if (s == OK)
        response->status = 204;
out:
    reset_end(&r);
    field_errors_release(&errors);
    json_decref(wanted);
    return s;
}

/* The watermark's column as the dataset has it, in its spelling. */
static status find_column(const struct reset *r, const char **column, const char **type, json_t **dataset,
                          struct error *err)
{
    const char *wanted = json_text(r->job, "watermark_column", ""), *name = json_text(r->job, "dataset", "");
    const json_t *one;
    size_t i;
    status s = dataset_find(r->write.db, "bronze", name, dataset, err);
    if (s != OK)
        return s;
    if (!wanted[0]) {
        s = error_set(err, ERR_CONFLICT, "the job has no watermark_column");
        error_hint(err, "Name one (PATCH of the job), then set its value.");
        return s;
    }
    json_array_foreach(json_object_get(*dataset, "schema"), i, one)
    {
        *column = json_text(one, "name", "");
        *type = json_text(one, "type", "");
        if (str_equal_nocase(str_of(*column), str_of(wanted)))
            return OK;
    }
    s = error_set(err, ERR_CONFLICT, "bronze.%.100s has no column '%.100s' yet, so that its type is not known", name,
                  wanted);
    error_hint(err, "Run the job once, which makes the column and leaves a watermark.");
    return s;
}

static status audit_set(struct reset *r, const struct api_request *request, const json_t *wanted, const char *column,
                        struct error *err)
{
    json_t *details =
        json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:b, s:I}", "reason", json_text(wanted, "reason", ""), "column", column,
                  "old_column", json_text(r->before, "column", NULL), "old_value", json_text(r->before, "value", NULL),
                  "new_value", json_text(wanted, "value", ""), "forget_files", json_flag(wanted, "forget_files", false),
                  "ledger_files", (json_int_t)r->files);
    return details ? api_audit(&r->write, request, "ingest_job.watermark_set", "ingest_job", r->job_id, details, err)
                   : error_no_memory(err, 64);
}

static status set(struct reset *r, const struct api_request *request, const json_t *wanted, struct field_errors *errors,
                  struct error *err)
{
    const char *column = NULL, *type = NULL, *value = json_text(wanted, "value", "");
    json_t *dataset = NULL;
    status s = find_column(r, &column, &type, &dataset, err);
    if (s == OK)
        s = watermark_value_check(column, type, value, err);
    if (s == ERR_INVALID) {
        struct error why = *err;
        s = field_error_add(errors, err, "/value", "format", "%s. %s", why.message, why.hint);
    } else {
        if (s == OK && json_flag(wanted, "forget_files", false))
            s = ledger_forget(r->write.db, r->job_id, err);
        if (s == OK)
            s = watermark_set(r->write.db, r->job_id, column, type, value, err);
        if (s == OK)
            s = audit_set(r, request, wanted, column, err);
    }
    json_decref(dataset);
    return s;
}

status watermark_handle_put(struct api_context *context, const struct api_request *request,
                            struct api_response *response, struct error *err)
{
    struct reset r = {0};
    struct field_errors errors = {0};
    json_t *wanted = NULL, *answer = NULL;
    status s = field_table_apply(&watermark_set_fields, NULL, request->body, &wanted, &errors, err);
    if (s == OK && field_errors_count(&errors) == 0)
        s = reset_begin(&r, context, request, err);
    if (s == OK && field_errors_count(&errors) == 0)
        s = set(&r, request, wanted, &errors, err);
    if (s == OK && field_errors_count(&errors) > 0) {
        s = api_problem_fields(response, &errors, err);
        goto out;
    }
    if (s == OK)
        s = shown(r.write.db, r.job_id, &answer, err);
    if (s == OK)
        s = api_write_commit(&r.write, err);
    if (s == OK)
        s = api_answer(response, 200, json_incref(answer), err);
out:
    reset_end(&r);
    field_errors_release(&errors);
    json_decref(answer);
    json_decref(wanted);
    return s;
}
