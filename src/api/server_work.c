#include <stdio.h>
#include <stdlib.h>

#include "api/answer_cache.h"
#include "api/problem.h"
#include "api/server_internal.h"
#include "sys/clock.h"
#include "sys/log.h"

#define LOGGED_PATH_CAP 1024

/* A token that somebody has put into a path does not get into the log. */
static void copy_path(const char *path, char into[LOGGED_PATH_CAP])
{
    size_t n = 0;
    while (*path && n < LOGGED_PATH_CAP - 8) {
        size_t digits = strncmp(path, "ff_", 3) == 0 ? strspn(path + 3, "0123456789abcdefABCDEF") : 0;
        if (digits >= 32) {
            path += 3 + digits;
            n += (size_t)snprintf(into + n, LOGGED_PATH_CAP - n, "ff_...");
        } else {
            into[n++] = *path++;
        }
    }
    while (*path && n > 0 && ((unsigned char)into[n - 1] & 0x80)) /* no half characters where it is cut */
        n--;
    into[n] = '\0';
}

static void log_request(const struct exchange *x)
{
    char path[LOGGED_PATH_CAP];
    json_t *fields = json_object();
    const char *actor = x->actor;
    copy_path(x->target, path);
    status s = json_put_text(fields, "method", x->method, NULL);
    if (s == OK)
        s = json_put_text(fields, "path", path, NULL); /* without the query: it may hold a token */
    if (s == OK)
        s = json_put_int(fields, "status", x->response.status, NULL);
    if (s == OK)
        s = json_put(fields, "ms", json_real((clock_seconds() - x->begun) * 1e3), NULL);
    if (s == OK && actor[0])
        s = json_put_text(fields, "actor", actor, NULL);
    if (s != OK) {
        json_decref(fields);
        return;
    }
    log_line(LOG_INFO, "request", fields);
}

static const char *header(const struct exchange *x, const char *name)
{
    return x->server->mhd.lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

static struct api_request request_of(struct exchange *x, json_t *body)
{
    return (struct api_request){.method = x->method,
                                .path = x->target,
                                .query = x->query,
                                .body = body,
                                .secure = x->server->tls,
                                .idempotency_key = header(x, "Idempotency-Key"),
                                .if_match = header(x, "If-Match"),
                                .last_event_id = header(x, "Last-Event-ID"),
                                .role = x->role,
                                .actor = x->actor};
}

static bool authenticate(struct exchange *x)
{
    return api_authenticate(x->server->context, &x->headers, &x->role, x->actor, sizeof x->actor, &x->response);
}

static int64_t last_log_id(const struct api_request *request)
{
    const char *text = request->last_event_id ? request->last_event_id : json_text(request->query, "after", "0");
    uint64_t id = 0;
    return str_parse_u64(str_of(text), INT64_MAX, &id) ? (int64_t)id : 0;
}

/* Subscribe first, then read: nothing falls between the snapshot and the first live event. */
static void dispatch_events(struct exchange *x, struct api_request *request)
{
    struct error err = {0};
    struct event_stream *stream = NULL;
    const char *id = x->match.params[0];
    status s = event_stream_open(x->server, id, &stream, &err);
    if (s == OK) {
        api_dispatch(x->server->context, request, &x->response);
        if (x->response.status == 200)
            s = event_stream_begin(stream, id, x->response.body, last_log_id(request), &err);
    }
    if (s == OK && x->response.status == 200) {
        x->stream = stream;
        return;
    }
    event_stream_close(stream);
    if (s != OK)
        api_problem_error(&x->response, &err);
}

void exchange_dispatch(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    struct error err = {0};
    json_t *body = NULL;
    if (authenticate(x)) {
        status s = x->body.len ? json_parse((const char *)x->body.data, x->body.len, "request body", &body, &err) : OK;
        struct api_request request = request_of(x, body);
        if (s != OK)
            api_problem_error(&x->response, &err);
        else if (x->match.route && x->match.route->stream == ROUTE_EVENTS && strcmp(x->method, "GET") == 0)
            dispatch_events(x, &request);
        else
            api_dispatch(x->server->context, &request, &x->response);
        if (!x->stream)
            api_response_render(&x->response);
    }
    json_decref(body);
    buf_release(&x->body);
    x->phase = EXCHANGE_ANSWER;
    if (x->server->log_requests)
        log_request(x);
    exchange_hand_back(x);
}

/* POST with raw bytes: the row is made here. */
static status create_row(struct exchange *x, char id[64], struct error *err)
{
    json_t *row = NULL;
    const char *filename = json_text(x->query, "filename", NULL);
    if (!filename || !filename[0] || strlen(filename) > 255) {
        status s = error_set(err, ERR_INVALID, "the name of the file is missing: ?filename= of 1 to 255 bytes");
        error_hint(err, "POST /api/uploads?filename=orders.csv, or POST JSON first and PUT the bytes");
        return s;
    }
    int64_t size = x->content_length == UINT64_MAX ? -1 : (int64_t)x->content_length;
    status s = upload_create(x->server->context, filename, x->content_type, size, NULL, x->actor, &row, err);
    if (s == OK)
        snprintf(id, 64, "%s", json_text(row, "id", ""));
    json_decref(row);
    return s;
}

static status open_upload(struct exchange *x, struct error *err)
{
    char id[64] = "";
    struct upload_request wanted = {.length = x->content_length};
    status s = upload_request_parse(header(x, "Content-Range"), header(x, "Upload-Offset"), &wanted, err);
    if (s != OK)
        return s;
    x->upload_created = !x->match.params[0];
    if (x->match.params[0])
        snprintf(id, sizeof id, "%.63s", x->match.params[0]);
    else if (wanted.resumes)
        return error_set(err, ERR_INVALID, "a new upload starts at byte 0: PUT /api/uploads/{id} goes on with one");
    else
        s = create_row(x, id, err);
    return s == OK ? upload_begin(x->server->context, id, &wanted, &x->upload, err) : s;
}

void exchange_open_upload(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    struct error err = {0};
    struct route admitted = *x->match.route;
    admitted.body = NULL; /* the body is the file */
    struct api_request request = {0};
    if (authenticate(x)) {
        request = request_of(x, NULL);
        if (api_route_admit(x->server->context, &admitted, &request, &x->response) && open_upload(x, &err) != OK)
            api_problem_error(&x->response, &err);
    }
    if (x->response.status && x->server->log_requests)
        log_request(x);
    exchange_hand_back(x);
}

/* A large body is kept in memory only for those who may send it. */
void exchange_open_body(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    if (authenticate(x)) {
        struct api_request request = request_of(x, NULL);
        struct route admitted = x->match.route ? *x->match.route : (struct route){.role = ROLE_NONE};
        admitted.body = NULL; /* it is still to come */
        x->body_most = x->role == ROLE_NONE ? BODY_OF_STRANGERS_MOST : BODY_MOST;
        if (api_route_admit(x->server->context, &admitted, &request, &x->response) && x->role == ROLE_NONE &&
            x->content_length != UINT64_MAX)
            exchange_refuse_size(x);
    }
    if (x->response.status && x->server->log_requests)
        log_request(x);
    exchange_hand_back(x);
}

void exchange_drop_upload(struct exchange *x)
{
    if (x->upload && x->upload_created)
        upload_discard(x->upload);
    else
        upload_close(x->upload);
    x->upload = NULL;
}

static void write_piece(struct exchange *x)
{
    struct error err = {0};
    if (upload_write(x->upload, x->body.data, x->body.len, &err) != OK) {
        api_problem_error(&x->response, &err);
        x->phase = EXCHANGE_DRAIN;
        exchange_drop_upload(x);
        if (x->server->log_requests)
            log_request(x);
    }
    buf_clear(&x->body);
}

void exchange_write_upload(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    write_piece(x);
    exchange_hand_back(x);
}

void exchange_finish_upload(struct work *work)
{
    struct exchange *x = (struct exchange *)work;
    struct error err = {0};
    bool complete = false;
    write_piece(x);
    if (x->upload) {
        if (upload_finish(x->upload, &complete, &x->response.body, &err) != OK)
            api_problem_error(&x->response, &err);
        else
            x->response.status = !complete ? 202 : x->upload_created ? 201 : 200;
        if (x->response.status == 201)
            snprintf(x->response.location, sizeof x->response.location, "/api/uploads/%s",
                     json_text(x->response.body, "id", ""));
        if (complete)
            upload_close(x->upload);
        else
            exchange_drop_upload(x);
        x->upload = NULL;
        if (x->server->log_requests)
            log_request(x);
    }
    x->phase = EXCHANGE_ANSWER;
    exchange_hand_back(x);
}

void exchange_abandon(struct work *work)
{
    exchange_free((struct exchange *)work);
}
