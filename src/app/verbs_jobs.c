/* flowforge pipelines and job. */
#include "app/verb.h"

#include <stdio.h>
#include <string.h>

#include "app/print.h"

status verb_pipelines_list(struct verb_call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"id", "ID"}, {"name", "NAME"}, {"environment", "ENVIRONMENT"}, {"owner", "OWNER"}, {"updated_at", "UPDATED"}};
    char path[64];
    snprintf(path, sizeof path, "/api/workflows?limit=%llu", verb_limit(call));
    return verb_list(call, path, columns, ARRAY_LENGTH(columns), err);
}

status verb_job_list(struct verb_call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"id", "ID"},       {"kind", "KIND"},          {"name", "NAME"},       {"dataset", "DATASET"},
        {"layer", "LAYER"}, {"source_type", "SOURCE"}, {"enabled", "ENABLED"}, {"updated_at", "UPDATED"}};
    json_t *jobs = NULL;
    status s = print_all_jobs(call->client, call->operand[0], &jobs, err);
    if (s == OK && call->settings->json)
        s = print_json(jobs, err);
    else if (s == OK)
        print_table(jobs, columns, ARRAY_LENGTH(columns));
    json_decref(jobs);
    return s;
}

status verb_job_show(struct verb_call *call, struct error *err)
{
    json_t *job = NULL;
    status s = print_find_job(call->client, call->operand[0], call->operand[1], &job, err);
    if (s == OK)
        s = print_json(job, err);
    json_decref(job);
    return s;
}

status verb_job_plan(struct verb_call *call, struct error *err)
{
    struct buf path = {0};
    json_t *job = NULL, *plan = NULL;
    status s = print_find_job(call->client, call->operand[0], call->operand[1], &job, err);
    if (s == OK)
        s = print_job_path(job, "/plan", &path, err);
    if (s == OK)
        s = client_call(call->client, "GET", (const char *)path.data, NULL, &plan, err);
    if (s == OK)
        s = print_json(plan, err);
    json_decref(job);
    json_decref(plan);
    buf_release(&path);
    return s;
}

static void print_watermark(const json_t *answer)
{
    const json_t *mark = json_object_get(answer, "watermark");
    if (json_is_object(mark))
        printf("%s (%s): %s\n", json_text(mark, "column", ""), json_text(mark, "type", ""),
               json_text(mark, "value", ""));
    else
        printf("no watermark\n");
    printf("%lld files in the ledger\n", (long long)json_int(answer, "ledger_files", 0));
}

/* --set and --reason go together, and --forget-files with them. *request NULL: nothing is to be set. */
static status watermark_request(const struct verb_settings *settings, json_t **request, struct error *err)
{
    *request = NULL;
    if (!settings->set && !settings->reason && !settings->forget_files)
        return OK;
    if (!settings->set || !settings->reason) {
        error_set(err, ERR_USAGE, "a watermark is set by both --set VALUE and --reason TEXT");
        error_hint(err, "flowforge job --help shows how");
        return ERR_USAGE;
    }
    *request = json_pack("{s:s, s:s, s:b}", "value", settings->set, "reason", settings->reason, "forget_files",
                         settings->forget_files);
    if (*request)
        return OK;
    error_set(err, ERR_USAGE, "--set or --reason is not valid UTF-8");
    return ERR_USAGE;
}

status verb_job_watermark(struct verb_call *call, struct error *err)
{
    struct buf path = {0};
    json_t *job = NULL, *request = NULL, *answer = NULL;
    status s = watermark_request(call->settings, &request, err);
    if (s == OK)
        s = print_find_job(call->client, call->operand[0], call->operand[1], &job, err);
    if (s == OK && strcmp(json_text(job, "kind", ""), "ingest") != 0) {
        s = error_set(err, ERR_USAGE, "'%s' is a dataset job, and only ingest jobs have a watermark", call->operand[1]);
        error_hint(err, "flowforge job list %s shows the kinds", call->operand[0]);
    }
    if (s == OK)
        s = print_job_path(job, "/watermark", &path, err);
    if (s == OK)
        s = client_call(call->client, request ? "PUT" : "GET", (const char *)path.data, request, &answer, err);
    if (s == OK && call->settings->json)
        s = print_json(answer, err);
    else if (s == OK)
        print_watermark(answer);
    json_decref(job);
    json_decref(request);
    json_decref(answer);
    buf_release(&path);
    return s;
}
