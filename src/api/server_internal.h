/* What the files of the HTTP server share. */
#ifndef FF_API_SERVER_INTERNAL_H
#define FF_API_SERVER_INTERNAL_H

#include <pthread.h>

#include "api/auth.h"
#include "api/event_hub.h"
#include "api/mhd_api.h"
#include "api/server.h"
#include "api/upload.h"
#include "sys/workers.h"

#define BODY_MOST (8u << 20)               /* of a control-plane request */
#define BODY_OF_STRANGERS_MOST (64u << 10) /* the same without a token that is valid */
#define DRAIN_MOST (16u << 20) /* what is read of a body that is refused, so that the client sees the answer */
#define BODY_SECONDS 60.0      /* for a whole control-plane body, and for each piece of an upload */
#define HEARTBEAT_SECONDS 15.0 /* a suspended connection does not notice that its client is gone */
#define CONNECTIONS_OF_ONE_IP_MOST 256

/* A connection that is open. */
struct http_peer {
    struct http_peer *next, *before;
    int fd;
    double deadline; /* clock_seconds(): the request has to be complete by then; 0: none */
};

struct event_stream;

struct http_server {
    struct mhd_api mhd;
    struct api_context *context;
    struct MHD_Daemon *daemon;
    struct workers *workers;
    struct buf certificate, key;
    unsigned port;
    int listen_fd;
    double idle_seconds;
    bool tls, log_requests;
    pthread_t keeper;
    bool keeper_runs;

    pthread_mutex_t lock; /* guards what follows; never held while the hub's lock is taken */
    pthread_cond_t changed;
    bool stopping;
    size_t suspended; /* exchanges that a worker has */
    struct http_peer *peers;
    struct event_stream *streams;
};

enum exchange_phase {
    EXCHANGE_OPENING, /* the headers of an upload or of a large body are with a worker */
    EXCHANGE_BODY,    /* collecting a control-plane body */
    EXCHANGE_UPLOAD,  /* passing pieces to the upload */
    EXCHANGE_DRAIN,   /* the answer is known, the rest of the body is thrown away */
    EXCHANGE_ANSWER   /* the answer is there */
};

/* One request and its response. Belongs to libmicrohttpd's thread, or while the connection is suspended to a worker. */
struct exchange {
    struct work work; /* first: a worker gets its address */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_peer *peer;
    enum exchange_phase phase;
    char *target; /* the path, decoded */
    char *cut;    /* a copy that match.params point into */
    char *method;
    json_t *query;
    struct route_match match;
    struct request_headers headers;
    const char *content_type;
    uint64_t content_length; /* UINT64_MAX: not said */
    struct buf body;         /* of a control-plane request, or the piece of an upload */
    size_t body_most;
    uint64_t drained;
    bool with_worker; /* guarded by the server's lock */
    bool first_call_over, body_ended;
    bool is_upload;
    bool ends_connection; /* what follows on it cannot be told from the body */
    struct upload *upload;
    bool upload_created; /* by this request: 201; it goes when it does not get complete */
    struct event_stream *stream;
    struct api_response response;
    enum role role;
    char actor[128];
    double begun;
};

/* server_exchange.c: libmicrohttpd's call-backs. */
enum MHD_Result exchange_on_request(void *server, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *data, size_t *size,
                                    void **exchange);
void exchange_on_completed(void *server, struct MHD_Connection *connection, void **exchange,
                           enum MHD_RequestTerminationCode how);
void exchange_free(struct exchange *x);
/* Give it to a worker, which calls `run`, and suspend the connection. False: the server is stopping. */
bool exchange_hand_over(struct exchange *x, void (*run)(struct work *work));
/* A worker is done with it. */
void exchange_hand_back(struct exchange *x);

/* server_request.c: reading what the client sent. False: the response is a problem. */
bool exchange_read_head(struct exchange *x, const char *url);
/* The body is more than body_most. */
void exchange_refuse_size(struct exchange *x);
/* A percent-decoded copy; NULL when memory runs out. *bad: not a valid path: a slash, NUL or control byte in disguise,
 * or not UTF-8. */
char *url_decode(const char *text, bool is_path, bool *bad);

/* server_work.c: on the workers' threads. */
void exchange_dispatch(struct work *work);
void exchange_open_upload(struct work *work);
void exchange_open_body(struct work *work);
void exchange_write_upload(struct work *work);
void exchange_finish_upload(struct work *work);
void exchange_abandon(struct work *work);
/* Lets go of the upload that did not get complete. */
void exchange_drop_upload(struct exchange *x);

/* server_answer.c */
enum MHD_Result exchange_answer(struct exchange *x);

/* server_events.c */
status event_stream_open(struct http_server *server, const char *pipeline_run_id, struct event_stream **stream,
                         struct error *err) MUST_USE;
/* What comes before the live events: the snapshot, and log lines with an id above `after`. */
status event_stream_begin(struct event_stream *stream, const char *pipeline_run_id, const json_t *snapshot,
                          int64_t after, struct error *err) MUST_USE;
struct MHD_Response *event_stream_response(struct event_stream *stream, struct MHD_Connection *connection);
void event_stream_close(void *stream);
/* Call with the server's lock held. */
void event_streams_heartbeat(struct http_server *server, double now);
void event_streams_end(struct http_server *server);

/* server_listen.c */
status listen_on(const char *address, int *fd, unsigned *port, struct error *err) MUST_USE;

#endif
