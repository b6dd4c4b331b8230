#include <stdlib.h>

#include "api/server_internal.h"
#include "base/run_state.h"
#include "sys/clock.h"

#define LINES_A_READ 500
#define LINES_MOST 10000 /* of the log at once; a longer one is read by its pages */

struct event_stream {
    struct event_stream *next, *before;
    struct http_server *server;
    struct MHD_Connection *connection;
    struct event_subscriber *subscriber;
    struct buf text;
    size_t sent;   /* of text */
    bool finished; /* "end" is in text */
    /* Guarded by the server's lock. */
    bool pending, suspended, heartbeat;
    double last;
};

/* Any thread; the hub is locked, so the server's lock comes after it. */
static void wake(void *self)
{
    struct event_stream *stream = self;
    pthread_mutex_lock(&stream->server->lock);
    stream->pending = true;
    if (stream->suspended) {
        stream->suspended = false;
        stream->server->mhd.resume_connection(stream->connection);
    }
    pthread_mutex_unlock(&stream->server->lock);
}

status event_stream_open(struct http_server *server, const char *pipeline_run_id, struct event_stream **stream,
                         struct error *err)
{
    struct event_stream *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->server = server;
    made->last = clock_seconds();
    status s = event_subscribe(server->context->hub, pipeline_run_id, wake, made, &made->subscriber, err);
    if (s != OK) {
        free(made);
        return s;
    }
    pthread_mutex_lock(&server->lock);
    made->next = server->streams;
    if (made->next)
        made->next->before = made;
    server->streams = made;
    pthread_mutex_unlock(&server->lock);
    *stream = made;
    return OK;
}

void event_stream_close(void *self)
{
    struct event_stream *stream = self;
    if (!stream)
        return;
    struct http_server *server = stream->server;
    event_unsubscribe(stream->subscriber);
    pthread_mutex_lock(&server->lock);
    if (stream->next)
        stream->next->before = stream->before;
    if (stream->before)
        stream->before->next = stream->next;
    else
        server->streams = stream->next;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    buf_release(&stream->text);
    free(stream);
}

static status add_lines(struct buf *text, const json_t *lines, int64_t *last, struct error *err)
{
    size_t i;
    json_t *line;
    status s = OK;
    json_array_foreach(lines, i, line)
    {
        *last = json_int(line, "id", *last);
        s = event_write(text, "log", *last, line, err);
        if (s != OK)
            break;
    }
    return s;
}

static status add_log(struct event_stream *stream, const char *pipeline_run_id, int64_t after, struct error *err)
{
    struct store *store = stream->server->context->store;
    struct db *db = NULL;
    size_t total = 0, count = LINES_A_READ;
    status s = store_reader(store, &db, err);
    while (s == OK && count == LINES_A_READ && total < LINES_MOST) {
        json_t *lines = NULL;
        const struct log_query query = {.pipeline_run_id = pipeline_run_id, .after = after, .limit = LINES_A_READ};
        s = run_log_list(db, &query, &lines, err);
        count = s == OK ? json_array_size(lines) : 0;
        total += count;
        if (s == OK)
            s = add_lines(&stream->text, lines, &after, err);
        json_decref(lines);
    }
    store_give_back(store, db);
    if (s == OK && total >= LINES_MOST)
        s = buf_append_str(&stream->text, STR("event: reset\ndata: {}\n\n"), err);
    if (s == OK)
        event_skip_log(stream->subscriber, after);
    return s;
}

status event_stream_begin(struct event_stream *stream, const char *pipeline_run_id, const json_t *snapshot,
                          int64_t after, struct error *err)
{
    status s = event_write(&stream->text, "snapshot", -1, snapshot, err);
    if (s == OK)
        s = add_log(stream, pipeline_run_id, after, err);
    enum run_state state;
    if (s == OK && run_state_parse(json_text(snapshot, "state_type", ""), &state) && run_state_terminal(state)) {
        s = event_write(&stream->text, "end", -1, snapshot, err);
        stream->finished = true;
    }
    return s;
}

static ssize_t hand_out(struct event_stream *stream, char *into, size_t most)
{
    size_t n = stream->text.len - stream->sent < most ? stream->text.len - stream->sent : most;
    memcpy(into, stream->text.data + stream->sent, n);
    stream->sent += n;
    return (ssize_t)n;
}

/* Suspends the connection when there is nothing to say. */
static ssize_t read_stream(void *self, uint64_t position, char *into, size_t most)
{
    (void)position;
    struct event_stream *stream = self;
    struct http_server *server = stream->server;
    if (stream->sent < stream->text.len)
        return hand_out(stream, into, most);
    if (stream->finished)
        return MHD_CONTENT_READER_END_OF_STREAM;
    pthread_mutex_lock(&server->lock);
    stream->pending = false;
    bool heartbeat = stream->heartbeat, stopping = server->stopping;
    stream->heartbeat = false;
    pthread_mutex_unlock(&server->lock);
    if (stopping)
        return MHD_CONTENT_READER_END_OF_STREAM;
    buf_clear(&stream->text);
    stream->sent = 0;
    struct error err;
    status s = event_take(stream->subscriber, &stream->text, &err);
    if (s == OK && heartbeat && stream->text.len == 0)
        s = buf_append_str(&stream->text, STR(": heartbeat\n\n"), &err);
    if (s != OK)
        return MHD_CONTENT_READER_END_WITH_ERROR; /* the client connects again and gets a fresh snapshot */
    stream->finished = event_ended(stream->subscriber);
    if (stream->text.len)
        return hand_out(stream, into, most);
    pthread_mutex_lock(&server->lock);
    if (!stream->pending && !stream->heartbeat && !server->stopping) {
        stream->suspended = true;
        server->mhd.suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&server->lock);
    return 0;
}

struct MHD_Response *event_stream_response(struct event_stream *stream, struct MHD_Connection *connection)
{
    stream->connection = connection;
    return stream->server->mhd.create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, read_stream, stream,
                                                             event_stream_close);
}

static void resume(struct event_stream *stream)
{
    if (!stream->suspended)
        return;
    stream->suspended = false;
    stream->server->mhd.resume_connection(stream->connection);
}

void event_streams_heartbeat(struct http_server *server, double now)
{
    for (struct event_stream *stream = server->streams; stream; stream = stream->next)
        if (now - stream->last >= HEARTBEAT_SECONDS) {
            stream->last = now;
            stream->heartbeat = true;
            resume(stream);
        }
}

void event_streams_end(struct http_server *server)
{
    for (struct event_stream *stream = server->streams; stream; stream = stream->next)
        resume(stream);
}
