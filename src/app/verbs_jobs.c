/* flowforge pipelines and job. */
#include "app/verb.h"

#include <stdio.h>

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
