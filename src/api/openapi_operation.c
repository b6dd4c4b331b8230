#include "api/openapi_operation.h"

#include <ctype.h>
#include <stdio.h>

const int openapi_problem_codes[] = {400, 401, 403, 404, 409, 412, 413, 415, 422, 500, 503, 504, 507};
const size_t openapi_problem_code_count = ARRAY_LENGTH(openapi_problem_codes);

/* Answers and bodies that are not JSON, by the end of the path. */
static const struct {
    const char *method, *ending, *type, *holds;
    bool beside; /* JSON is possible too */
} other_answers[] = {
    {"GET", "/metrics", "text/plain", "string", false},
    {"GET", "/events", "text/event-stream", "string", false},
    {"GET", "/export", "application/yaml", "object", true},
    {"GET", "/log", "text/plain", "string", true},
};
/* Statuses beside the usual one that are no problem, with the same body. */
static const struct {
    const char *method, *ending;
    int status;
    const char *description;
} other_statuses[] = {
    {"POST", "/run", 200, "The run that this Idempotency-Key has started before"},
    {"POST", "/retry", 200, "The run that this Idempotency-Key has started before"},
    {"PUT", "/api/uploads/{id}", 202, "A part; the rest is still to come"},
};
static const struct {
    const char *method, *pattern;
} raw_bodies[] = {{"POST", "/api/uploads"}, {"PUT", "/api/uploads/{id}"}};
static const char *const idempotent_endings[] = {"/run", "/retry"};

static bool ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcmp(text + n - m, ending) == 0;
}

static status add_path_params(const struct route *route, json_t *params, struct error *err)
{
    status s = OK;
    for (const char *open = strchr(route->pattern, '{'); s == OK && open; open = strchr(open + 1, '{')) {
        size_t n = strcspn(open + 1, "}");
        s = json_add(params,
                     json_pack("{s:s%,s:s,s:b,s:{s:s,s:i}}", "name", open + 1, n, "in", "path", "required", 1, "schema",
                               "type", "string", "minLength", 1),
                     err);
    }
    return s;
}

static status add_query_params(const struct route *route, json_t *params, struct error *err)
{
    status s = OK;
    for (const struct api_query_param *p = route->params; s == OK && p && p->name; p++) {
        json_t *schema = json_loads(p->schema_json ? p->schema_json : "{\"type\":\"string\"}", 0, NULL);
        if (!schema)
            return error_set(err, ERR_INTERNAL, "%s %s: the schema of query parameter '%s' is no JSON", route->method,
                             route->pattern, p->name);
        s = json_add(params,
                     json_pack("{s:s,s:s,s:b,s:s,s:o}", "name", p->name, "in", "query", "required", 0, "description",
                               p->help ? p->help : "", "schema", schema),
                     err);
    }
    return s;
}

static status add_header(json_t *params, const char *name, const char *help, struct error *err)
{
    return json_add(params,
                    json_pack("{s:s,s:s,s:b,s:s,s:{s:s,s:s}}", "name", name, "in", "header", "required", 0,
                              "description", help, "schema", "type", "string", "pattern", "^[!-~]{1,200}$"),
                    err);
}

static status add_headers(const struct route *route, json_t *params, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(idempotent_endings); i++)
        if (strcmp(route->method, "POST") == 0 && ends_with(route->pattern, idempotent_endings[i]))
            s = add_header(params, "Idempotency-Key", "The same key gives the same run again.", err);
    if (s == OK && strcmp(route->method, "PATCH") == 0)
        s = add_header(params, "If-Match", "The ETag of the record that is to be changed.", err);
    return s;
}

static status put_params(const struct route *route, json_t *operation, struct error *err)
{
    json_t *params = json_array();
    status s = params ? add_path_params(route, params, err) : error_no_memory(err, 64);
    if (s == OK)
        s = add_query_params(route, params, err);
    if (s == OK)
        s = add_headers(route, params, err);
    if (s != OK || json_array_size(params) == 0) {
        json_decref(params);
        return s;
    }
    return json_put(operation, "parameters", params, err);
}

static bool takes_raw_body(const struct route *route)
{
    for (size_t i = 0; i < ARRAY_LENGTH(raw_bodies); i++)
        if (strcmp(route->method, raw_bodies[i].method) == 0 && strcmp(route->pattern, raw_bodies[i].pattern) == 0)
            return true;
    return false;
}

static status put_body(const struct route *route, json_t *operation, struct error *err)
{
    char ref[160];
    bool raw = takes_raw_body(route);
    if (!raw && !route->body)
        return OK;
    json_t *content = json_object();
    status s = content ? OK : error_no_memory(err, 64);
    if (s == OK && route->body) {
        snprintf(ref, sizeof ref, "#/components/schemas/%s_%s", route->body->name,
                 route->body_partial ? "patch" : "request");
        s = json_put(content, "application/json", json_pack("{s:{s:s}}", "schema", "$ref", ref), err);
    }
    if (s == OK && raw)
        s = json_put(content, "application/octet-stream", json_object(), err);
    if (s != OK) {
        json_decref(content);
        return s;
    }
    return json_put(operation, "requestBody",
                    json_pack("{s:b,s:o}", "required", !raw && !route->body_optional, "content", content), err);
}

/* The schema of what comes back. */
static json_t *answer_schema(const struct route *route)
{
    char ref[160];
    json_t *one;
    if (route->answer) {
        snprintf(ref, sizeof ref, "#/components/schemas/%s", route->answer->name);
        one = json_pack("{s:s}", "$ref", ref);
    } else {
        one = json_pack("{s:s}", "type", "object");
    }
    if (!route->answer_list || !one)
        return one;
    return json_pack("{s:s,s:[ss],s:{s:{s:s,s:o},s:{s:[ss]}}}", "type", "object", "required", "items", "next_cursor",
                     "properties", "items", "type", "array", "items", one, "next_cursor", "type", "string", "null");
}

static bool is_of(const struct route *route, const char *method, const char *ending)
{
    return strcmp(route->method, method) == 0 && ends_with(route->pattern, ending);
}

static status put_answer(const struct route *route, int http_status, const char *description, json_t *responses,
                         struct error *err)
{
    char code[12];
    bool json = true;
    json_t *content = json_object();
    status s = content ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(other_answers); i++) {
        if (!is_of(route, other_answers[i].method, other_answers[i].ending))
            continue;
        json = other_answers[i].beside;
        s = json_put(content, other_answers[i].type, json_pack("{s:{s:s}}", "schema", "type", other_answers[i].holds),
                     err);
    }
    if (s == OK && json)
        s = json_put(content, "application/json", json_pack("{s:o}", "schema", answer_schema(route)), err);
    snprintf(code, sizeof code, "%d", http_status);
    if (s == OK)
        s = json_put(responses, code, json_pack("{s:s,s:O}", "description", description, "content", content), err);
    json_decref(content);
    return s;
}

static status put_success(const struct route *route, json_t *responses, struct error *err)
{
    char code[12];
    snprintf(code, sizeof code, "%d", route->success);
    if (route->success == 204 || route->success >= 300)
        return json_put(responses, code, json_pack("{s:s}", "description", "Done"), err);
    status s = put_answer(route, route->success, "Done", responses, err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(other_statuses); i++)
        if (is_of(route, other_statuses[i].method, other_statuses[i].ending))
            s = put_answer(route, other_statuses[i].status, other_statuses[i].description, responses, err);
    return s;
}

static status put_responses(const struct route *route, json_t *operation, struct error *err)
{
    char code[12];
    json_t *responses = json_object();
    status s = responses ? put_success(route, responses, err) : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < openapi_problem_code_count; i++) {
        snprintf(code, sizeof code, "%d", openapi_problem_codes[i]);
        if (!json_object_get(responses, code))
            s = json_put(responses, code, json_pack("{s:s}", "$ref", "#/components/responses/problem"), err);
    }
    if (s != OK) {
        json_decref(responses);
        return s;
    }
    return json_put(operation, "responses", responses, err);
}

/* "GET /api/workflows/{id}/run" gives "get_workflows_id_run". */
static void operation_id(const struct route *route, char into[200])
{
    size_t n = 0;
    const char *path = strncmp(route->pattern, "/api", 4) == 0 ? route->pattern + 4 : route->pattern;
    for (const char *p = route->method; *p && n < 20; p++)
        into[n++] = (char)tolower((unsigned char)*p);
    for (const char *p = path; *p && n < 198; p++) {
        char c = (char)(isalnum((unsigned char)*p) ? *p : '_');
        if (c != '_' || (n > 0 && into[n - 1] != '_'))
            into[n++] = c;
    }
    while (n > 0 && into[n - 1] == '_')
        n--;
    into[n] = '\0';
}

/* The resource: the last part of the path that is no parameter and no action, as the UI groups them. */
static void tag_of(const struct route *route, char into[80])
{
    const char *path = strncmp(route->pattern, "/api/", 5) == 0 ? route->pattern + 5 : route->pattern + 1;
    snprintf(into, 80, "%.*s", (int)strcspn(path, "/"), path);
    if (!into[0])
        snprintf(into, 80, "ui");
    else if (strstr(path, "/ingest-jobs"))
        snprintf(into, 80, "ingest-jobs");
    else if (strstr(path, "/dataset-jobs"))
        snprintf(into, 80, "dataset-jobs");
}

status openapi_operation(const struct route *route, json_t **operation, struct error *err)
{
    char id[200], tag[80];
    operation_id(route, id);
    tag_of(route, tag);
    json_t *made = json_pack("{s:s,s:s,s:[s],s:s}", "operationId", id, "summary", route->summary ? route->summary : id,
                             "tags", tag, "x-role", role_name(route->role));
    status s = made ? put_params(route, made, err) : error_no_memory(err, 256);
    if (s == OK)
        s = put_body(route, made, err);
    if (s == OK)
        s = put_responses(route, made, err);
    if (s == OK && route->role == ROLE_NONE)
        s = json_put(made, "security", json_array(), err);
    if (s == OK)
        *operation = made;
    else
        json_decref(made);
    return s;
}
