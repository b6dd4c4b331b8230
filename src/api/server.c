#include "api/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "api/server_internal.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/log.h"

#define WORKERS_USUAL 8
#define CONNECTIONS_USUAL 1000
#define IDLE_USUAL 30.0
#define MHD_THREADS 2
#define CONNECTION_MEMORY (64u << 10) /* headers and read buffer of one connection: longer headers are a 431 */
#define KEEPER_SECONDS 1
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" /* of GnuTLS */

static void on_connection(void *self, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct http_server *server = self;
    struct http_peer *peer = *context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            server->mhd.get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        peer = calloc(1, sizeof *peer);
        *context = peer;
        if (!peer)
            return; /* the request is then answered without a deadline of ours */
        peer->fd = info ? info->connect_fd : -1;
        peer->deadline = clock_seconds() + server->idle_seconds;
        pthread_mutex_lock(&server->lock);
        peer->next = server->peers;
        if (peer->next)
            peer->next->before = peer;
        server->peers = peer;
        pthread_mutex_unlock(&server->lock);
        return;
    }
    if (!peer)
        return;
    pthread_mutex_lock(&server->lock);
    if (peer->next)
        peer->next->before = peer->before;
    if (peer->before)
        peer->before->next = peer->next;
    else
        server->peers = peer->next;
    pthread_mutex_unlock(&server->lock);
    *context = NULL;
    free(peer);
}

/* Closes connections whose request does not get complete in time (libmicrohttpd's timeout starts again with every
 * byte), and lets event streams say that they live. */
static void *keep(void *self)
{
    struct http_server *server = self;
    pthread_mutex_lock(&server->lock);
    while (!server->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += KEEPER_SECONDS;
        pthread_cond_timedwait(&server->changed, &server->lock, &until);
        double now = clock_seconds();
        for (struct http_peer *peer = server->peers; peer; peer = peer->next)
            if (peer->deadline > 0 && peer->deadline < now && peer->fd >= 0) {
                peer->deadline = 0;
                shutdown(peer->fd, SHUT_RDWR);
            }
        event_streams_heartbeat(server, now);
    }
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static size_t keep_raw(void *self, struct MHD_Connection *connection, char *text)
{
    (void)self;
    (void)connection;
    return strlen(text); /* we decode ourselves: an escaped slash has to be told from a slash */
}

static void log_mhd(void *self, const char *format, va_list args)
{
    (void)self;
    char message[256];
    vsnprintf(message, sizeof message, format, args);
    message[strcspn(message, "\r\n")] = '\0';
    json_t *fields = json_object();
    if (json_put_text(fields, "detail", message, NULL) != OK) {
        json_decref(fields);
        fields = NULL;
    }
    log_line(LOG_WARNING, "http library", fields);
}

static status read_pem(const char *path, struct buf *text, struct error *err)
{
    struct byte_source source = {0};
    uint64_t size = 0;
    uint8_t piece[4096];
    size_t n = 1;
    status s = file_source_open(&source, path, &size, err);
    while (s == OK && n > 0) {
        s = byte_source_read(&source, piece, sizeof piece, &n, err);
        if (s == OK && text->len + n > (1u << 20))
            s = error_set(err, ERR_INVALID, "%s is too large for a PEM file", path);
        if (s == OK)
            s = buf_append(text, piece, n, err);
    }
    byte_source_close(&source);
    return s == OK ? buf_append(text, "", 1, err) : s;
}

static status read_tls(struct http_server *server, const struct http_server_options *options, struct error *err)
{
    if (!options->tls_certificate != !options->tls_key)
        return error_set(err, ERR_USAGE, "TLS needs both a certificate and a key");
    if (!options->tls_certificate)
        return OK;
    server->tls = true;
    status s = read_pem(options->tls_certificate, &server->certificate, err);
    return s == OK ? read_pem(options->tls_key, &server->key, err) : s;
}

static status start_daemon(struct http_server *server, const struct http_server_options *options, struct error *err)
{
    size_t most = options->connections_most ? options->connections_most : CONNECTIONS_USUAL;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, server->listen_fd, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, MHD_THREADS, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)most, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)server->idle_seconds, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_OF_ONE_IP_MOST, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_on_completed, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_raw, NULL},
        {server->tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, server->certificate.data},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, server->key.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    if (server->tls)
        flags |= MHD_USE_TLS;
    server->daemon =
        server->mhd.start_daemon(flags, (uint16_t)server->port, NULL, NULL, exchange_on_request, server,
                                 MHD_OPTION_EXTERNAL_LOGGER, log_mhd, NULL, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    if (server->daemon)
        return OK;
    status s = error_set(err, ERR_INVALID, "the HTTP server could not be started on %s", options->address);
    error_hint(err, server->tls ? "check that the certificate and the key are PEM files that belong together"
                                : "the line before says why");
    return s;
}

static void release(struct http_server *server)
{
    workers_free(server->workers);
    file_close(server->listen_fd);
    buf_release(&server->certificate);
    if (server->key.data)
        memset(server->key.data, 0, server->key.len);
    buf_release(&server->key);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

status http_server_start(struct http_server **server, struct api_context *context,
                         const struct http_server_options *options, struct error *err)
{
    struct http_server *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->context = context;
    made->listen_fd = -1;
    made->log_requests = options->log_requests;
    made->idle_seconds = options->idle_seconds > 0 ? options->idle_seconds : IDLE_USUAL;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    status s = mhd_api_load(&made->mhd, err);
    if (s == OK)
        s = read_tls(made, options, err);
    if (s == OK)
        s = workers_create(&made->workers, options->workers ? options->workers : WORKERS_USUAL, err);
    if (s == OK)
        s = listen_on(options->address, &made->listen_fd, &made->port, err);
    if (s == OK)
        s = start_daemon(made, options, err);
    if (s != OK) {
        release(made);
        return s;
    }
    int failure = pthread_create(&made->keeper, NULL, keep, made);
    made->keeper_runs = failure == 0;
    *server = made;
    if (failure) {
        http_server_stop(made);
        return error_set_errno(err, failure, "a thread could not be started");
    }
    return OK;
}

unsigned http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_stop(struct http_server *server)
{
    if (!server)
        return;
    server->mhd.quiesce_daemon(server->daemon); /* new connections wait in vain: the socket closes below */
    pthread_mutex_lock(&server->lock);
    server->stopping = true;
    event_streams_end(server);
    pthread_cond_broadcast(&server->changed);
    /* Nothing is suspended from here on: libmicrohttpd aborts when it is stopped with a suspended connection. */
    while (server->suspended > 0)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
    if (server->keeper_runs)
        pthread_join(server->keeper, NULL);
    /* Answers that are on their way get a moment to arrive. */
    const struct timespec moment = {.tv_nsec = 50000000};
    nanosleep(&moment, NULL);
    server->mhd.stop_daemon(server->daemon);
    release(server);
}
