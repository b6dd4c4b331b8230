#include "app/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/route.h"
#include "app/runtime.h"
#include "sys/http_client.h"

/* How often a run is looked at while it is watched. */
#define WATCH_MICROSECONDS 150000

struct client {
    struct http_client *http; /* NULL: in this process */
    struct http_answer answer;
    struct home_owner owner; /* who is talked to */
    char authorization[160];
    struct runtime *runtime;
};

/* ---- which of the two ---- */

status client_open(struct client **client, const char *home, bool create, struct error *err)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, sizeof *c);
    struct runtime_options options = {.home = home, .create = create, .layer_centric = true};
    status s = runtime_open(&c->runtime, &options, &c->owner, err);
    if (s == ERR_CONFLICT && c->owner.url[0]) {
        snprintf(c->authorization, sizeof c->authorization, "Authorization: Bearer %s", c->owner.token);
        s = http_client_open(&c->http, err);
    }
    if (s == OK)
        *client = c;
    else
        client_close(c);
    return s;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    http_client_close(c->http);
    buf_release(&c->answer.body);
    runtime_close(c->runtime);
    free(c);
}

bool client_has_server(const struct client *c)
{
    return c->http != NULL;
}

/* ---- calls ---- */

/* A problem document as an error: its detail, or all that is wrong when it is more than one thing. */
static status explain(int http_status, const json_t *problem, struct error *err)
{
    char text[sizeof err->message];
    size_t i, used = 0;
    const json_t *item, *errors = json_object_get(problem, "errors");
    if (json_array_size(errors) < 2)
        snprintf(text, sizeof text, "%s",
                 json_text(problem, "detail", json_text(problem, "title", "the server refuses")));
    else
        snprintf(text, sizeof text, "%zu things are wrong:", json_array_size(errors));
    json_array_foreach(errors, i, item)
    {
        used = strlen(text);
        if (json_array_size(errors) > 1)
            snprintf(text + used, sizeof text - used, "%s %s: %s", i ? ";" : "", json_text(item, "pointer", ""),
                     json_text(item, "message", ""));
    }
    status code = http_status == 404   ? ERR_NOT_FOUND
                  : http_status == 409 ? ERR_CONFLICT
                  : http_status >= 500 ? ERR_UNAVAILABLE
                                       : ERR_INVALID;
    error_set(err, code, "%s", text);
    error_hint(err, "%s", json_text(problem, "hint", ""));
    return code;
}

static status call_http(struct client *c, const char *method, const char *path, const json_t *body, int *http_status,
                        json_t **answer, struct error *err)
{
    struct buf url = {0}, text = {0};
    const char *const headers[] = {c->authorization, "Content-Type: application/json", NULL};
    status s = buf_printf(&url, err, "%s%s", c->owner.url, path);
    if (s == OK)
        s = buf_append(&url, "", 1, err);
    if (s == OK && body)
        s = json_write(body, &text, err);
    if (s == OK) {
        struct http_request request = {.method = method,
                                       .url = (const char *)url.data,
                                       .headers = headers,
                                       .body = body ? text.data : NULL,
                                       .body_length = text.len,
                                       .direct = true,
                                       .certificate = c->owner.certificate[0] ? c->owner.certificate : NULL};
        s = http_client_call(c->http, &request, &c->answer, err);
    }
    if (s == OK) {
        *http_status = c->answer.status;
        if (c->answer.body.len > 0)
            s = json_parse((const char *)c->answer.body.data, c->answer.body.len, "the server's answer", answer, err);
    }
    buf_release(&url);
    buf_release(&text);
    return s;
}

/* name=value&... of a query, percent-encoded. */
static status parse_query(const char *query, json_t *into, struct error *err)
{
    status s = OK;
    while (s == OK && *query) {
        size_t n = strcspn(query, "&"), name = strcspn(query, "=&");
        char key[64], value[256];
        snprintf(key, sizeof key, "%.*s", (int)name, query);
        snprintf(value, sizeof value, "%.*s", (int)(name < n ? n - name - 1 : 0), query + name + (name < n));
        s = json_put_text(into, key, value, err);
        query += n + (query[n] == '&');
    }
    return s;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* In place; our own encoder wrote it, so every % has two digits behind it. */
static void percent_decode(char *text)
{
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (*at == '%' && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
            *to++ = (char)(hex_digit(at[1]) << 4 | hex_digit(at[2]));
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
}

static status call_here(struct client *c, const char *method, const char *path, const json_t *body, int *http_status,
                        json_t **answer, struct error *err)
{
    size_t n = strcspn(path, "?");
    char *plain = strndup(path, n);
    json_t *query = json_object(), *copy = body ? json_deep_copy(body) : NULL;
    struct api_response response = {0};
    status s = plain && query && (copy || !body) ? OK : error_no_memory(err, n);
    if (s == OK)
        s = parse_query(path[n] ? path + n + 1 : "", query, err);
    if (s == OK) {
        percent_decode(plain);
        struct api_request request = {
            .method = method, .path = plain, .query = query, .body = copy, .role = ROLE_ADMIN, .actor = "command line"};
        api_dispatch(runtime_context(c->runtime), &request, &response);
        *http_status = response.status;
        *answer = json_incref(response.body);
    }
    api_response_release(&response);
    json_decref(query);
    json_decref(copy);
    free(plain);
    return s;
}

status client_call(struct client *c, const char *method, const char *path, const json_t *body, json_t **answer,
                   struct error *err)
{
    int http_status = 0;
    json_t *got = NULL;
    status s = c->http ? call_http(c, method, path, body, &http_status, &got, err)
                       : call_here(c, method, path, body, &http_status, &got, err);
    if (s == OK && http_status >= 400)
        s = explain(http_status, got, err);
    if (s == OK && answer) {
        *answer = got ? got : json_null();
        got = NULL;
    }
    json_decref(got);
    return s;
}

status client_path(struct buf *path, const char *before, const char *segment, const char *after, struct error *err)
{
    status s = buf_printf(path, err, "%s", before);
    for (; s == OK && *segment; segment++) {
        unsigned char c = (unsigned char)*segment;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);
        s = buf_printf(path, err, plain ? "%c" : "%%%02X", c);
    }
    if (s == OK)
        s = buf_printf(path, err, "%s", after);
    return s == OK ? buf_append(path, "", 1, err) : s;
}

/* ---- watching ---- */

struct watch {
    struct client *client;
    const char *id;
    client_watcher *show;
    void *self;
    long long last_log;
    json_t *states; /* job run id -> state name that was shown */
};

static status show_jobs(struct watch *w, const json_t *run, struct error *err)
{
    size_t i;
    const json_t *job;
    json_array_foreach(json_object_get(run, "job_runs"), i, job)
    {
        const char *id = json_text(job, "id", ""), *state = json_text(job, "state_name", "");
        if (strcmp(json_text(w->states, id, ""), state) == 0)
            continue;
        w->show(w->self, "job", job);
        status s = json_put_text(w->states, id, state, err);
        if (s != OK)
            return s;
    }
    return OK;
}

static status show_log(struct watch *w, struct error *err)
{
    size_t count;
    do {
        char path[160];
        json_t *answer = NULL;
        size_t i;
        const json_t *line;
        snprintf(path, sizeof path, "/api/pipeline-runs/%s/log?limit=500&after=%lld", w->id, w->last_log);
        status s = client_call(w->client, "GET", path, NULL, &answer, err);
        if (s != OK)
            return s;
        const json_t *items = json_object_get(answer, "items");
        count = json_array_size(items);
        json_array_foreach(items, i, line)
        {
            w->last_log = json_int(line, "id", w->last_log);
            w->show(w->self, "log", line);
        }
        json_decref(answer);
    } while (count == 500);
    return OK;
}

static bool is_over(const json_t *run)
{
    static const char *const terminal[] = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"};
    for (size_t i = 0; i < ARRAY_LENGTH(terminal); i++)
        if (strcmp(json_text(run, "state_type", ""), terminal[i]) == 0)
            return true;
    return false;
}

status client_watch(struct client *c, const char *id, const atomic_bool *cancel, client_watcher *show, void *self,
                    json_t **run, struct error *err)
{
    struct watch w = {.client = c, .id = id, .show = show, .self = self, .states = json_object()};
    char path[128];
    bool asked = false, over = false;
    status s = w.states ? OK : error_no_memory(err, 1);
    while (s == OK && !over) {
        json_t *now = NULL;
        if (!asked && atomic_load(cancel)) {
            struct error ignored; /* it may have ended meanwhile */
            snprintf(path, sizeof path, "/api/pipeline-runs/%s/cancel", id);
            (void)!client_call(c, "POST", path, NULL, NULL, &ignored);
            asked = true;
        }
        snprintf(path, sizeof path, "/api/pipeline-runs/%s", id);
        s = client_call(c, "GET", path, NULL, &now, err);
        if (s == OK)
            s = show_jobs(&w, now, err);
        over = s == OK && is_over(now);
        if (s == OK)
            s = show_log(&w, err);
        if (s == OK && over)
            *run = json_incref(now);
        json_decref(now);
        if (s == OK && !over)
            usleep(WATCH_MICROSECONDS);
    }
    json_decref(w.states);
    return s;
}
