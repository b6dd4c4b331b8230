#include <stdlib.h>

#include "api/problem.h"
#include "api/server_internal.h"
#include "sys/clock.h"

static void set_deadline(struct exchange *x, double seconds)
{
    if (!x->peer)
        return;
    pthread_mutex_lock(&x->server->lock);
    x->peer->deadline = seconds > 0 ? clock_seconds() + seconds : 0;
    pthread_mutex_unlock(&x->server->lock);
}

void exchange_free(struct exchange *x)
{
    if (!x)
        return;
    event_stream_close(x->stream);
    exchange_drop_upload(x);
    api_response_release(&x->response);
    buf_release(&x->body);
    json_decref(x->query);
    free(x->target);
    free(x->cut);
    free(x->method);
    free(x);
}

bool exchange_hand_over(struct exchange *x, void (*run)(struct work *work))
{
    struct http_server *server = x->server;
    pthread_mutex_lock(&server->lock);
    bool going = !server->stopping;
    if (going) {
        server->suspended++;
        x->with_worker = true;
        if (x->peer)
            x->peer->deadline = 0;
        server->mhd.suspend_connection(x->connection);
    }
    pthread_mutex_unlock(&server->lock);
    if (going) {
        x->work.run = run;
        workers_add(server->workers, &x->work);
    }
    return going;
}

void exchange_hand_back(struct exchange *x)
{
    struct http_server *server = x->server;
    struct MHD_Connection *connection = x->connection;
    pthread_mutex_lock(&server->lock);
    if (x->peer)
        x->peer->deadline = clock_seconds() + BODY_SECONDS;
    x->with_worker = false;
    server->mhd.resume_connection(connection);
    server->suspended--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* Answer at once when the rest of the body is too much to be read only to be thrown away. */
static enum MHD_Result drain_or_answer(struct exchange *x)
{
    if (x->content_length == UINT64_MAX || x->content_length <= DRAIN_MOST) {
        x->phase = EXCHANGE_DRAIN;
        return MHD_YES;
    }
    return exchange_answer(x);
}

static enum MHD_Result stopping(struct exchange *x)
{
    api_problem(&x->response, 503, "unavailable", "the server is stopping", "ask again in a few seconds", NULL);
    if (x->body_ended || !x->first_call_over)
        return exchange_answer(x);
    x->phase = EXCHANGE_DRAIN;
    return MHD_YES;
}

static enum MHD_Result first_call(struct exchange *x, const char *url)
{
    if (!exchange_read_head(x, url))
        return drain_or_answer(x);
    if (x->phase == EXCHANGE_OPENING &&
        !exchange_hand_over(x, x->is_upload ? exchange_open_upload : exchange_open_body))
        return stopping(x);
    return MHD_YES;
}

static struct exchange *exchange_create(struct http_server *server, struct MHD_Connection *connection,
                                        const char *method)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    const union MHD_ConnectionInfo *peer =
        server->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    x->server = server;
    x->connection = connection;
    x->peer = peer ? peer->socket_context : NULL;
    x->begun = clock_seconds();
    x->method = strdup(method);
    if (!x->method) {
        free(x);
        return NULL;
    }
    return x;
}

/* Append to the body, which then is at most `most` bytes; what does not fit stays with libmicrohttpd. */
static status collect(struct exchange *x, const char *data, size_t *size, size_t most)
{
    size_t n = most - x->body.len < *size ? most - x->body.len : *size;
    status s = buf_append(&x->body, data, n, NULL);
    if (s == OK)
        *size -= n;
    return s;
}

static enum MHD_Result body_data(struct exchange *x, const char *data, size_t *size)
{
    if (collect(x, data, size, x->body_most) != OK)
        api_problem(&x->response, 500, "no_memory", "out of memory", NULL, NULL);
    else if (*size)
        exchange_refuse_size(x);
    else
        return MHD_YES;
    buf_release(&x->body);
    x->drained = 0;
    *size = 0;
    x->phase = EXCHANGE_DRAIN;
    return MHD_YES;
}

static enum MHD_Result upload_data(struct exchange *x, const char *data, size_t *size)
{
    if (x->body.len < UPLOAD_PIECE && collect(x, data, size, UPLOAD_PIECE) != OK) {
        api_problem(&x->response, 500, "no_memory", "out of memory", NULL, NULL);
        *size = 0;
        x->phase = EXCHANGE_DRAIN;
        return MHD_YES;
    }
    if (x->body.len == UPLOAD_PIECE && !exchange_hand_over(x, exchange_write_upload)) {
        *size = 0;
        return stopping(x);
    }
    return MHD_YES;
}

/* The client hears about a refusal only after it has sent everything; an upload may be long, others are cut off. */
static enum MHD_Result drain_data(struct exchange *x, size_t *size)
{
    bool upload = x->match.route && x->match.route->stream == ROUTE_UPLOAD && x->role != ROLE_NONE;
    uint64_t most = upload || x->content_length != UINT64_MAX ? UINT64_MAX : DRAIN_MOST;
    x->drained += *size;
    *size = 0;
    return x->drained > most ? MHD_NO : MHD_YES;
}

/* Called again after the worker has seen the headers. */
static enum MHD_Result opened(struct exchange *x)
{
    if (x->response.status)
        return drain_or_answer(x);
    x->phase = x->is_upload ? EXCHANGE_UPLOAD : EXCHANGE_BODY;
    return MHD_YES;
}

static enum MHD_Result body_end(struct exchange *x)
{
    x->body_ended = true;
    switch (x->phase) {
    case EXCHANGE_BODY:
        return exchange_hand_over(x, exchange_dispatch) ? MHD_YES : stopping(x);
    case EXCHANGE_UPLOAD:
        return exchange_hand_over(x, exchange_finish_upload) ? MHD_YES : stopping(x);
    default:
        return exchange_answer(x);
    }
}

/* libmicrohttpd 0.9.75 calls once more for the next chunk of a body after its connection was suspended for the last
 * one: then nothing must be touched, and it must not be suspended twice. */
static bool is_with_worker(struct exchange *x)
{
    pthread_mutex_lock(&x->server->lock);
    bool with_worker = x->with_worker;
    pthread_mutex_unlock(&x->server->lock);
    return with_worker;
}

enum MHD_Result exchange_on_request(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                                    const char *version, const char *data, size_t *size, void **exchange)
{
    (void)version;
    struct exchange *x = *exchange;
    if (!x) {
        *exchange = x = exchange_create(self, connection, method);
        if (!x)
            return MHD_NO;
        set_deadline(x, BODY_SECONDS);
        enum MHD_Result result = first_call(x, url);
        x->first_call_over = true;
        return result;
    }
    if (is_with_worker(x))
        return MHD_YES;
    if (x->phase == EXCHANGE_OPENING)
        return opened(x);
    if (*size == 0)
        return body_end(x);
    switch (x->phase) {
    case EXCHANGE_BODY:
        return body_data(x, data, size);
    case EXCHANGE_UPLOAD:
        return upload_data(x, data, size);
    default:
        return drain_data(x, size);
    }
}

void exchange_on_completed(void *self, struct MHD_Connection *connection, void **exchange,
                           enum MHD_RequestTerminationCode how)
{
    (void)connection;
    (void)how;
    struct http_server *server = self;
    struct exchange *x = *exchange;
    *exchange = NULL;
    if (!x)
        return;
    set_deadline(x, server->idle_seconds);
    if (x->upload) { /* it was cut off: syncing what came takes time */
        x->work.run = exchange_abandon;
        workers_add(server->workers, &x->work);
    } else {
        exchange_free(x);
    }
}
