/* HTTP on libmicrohttpd: sockets, TLS, authentication, uploads, events; everything else goes to api_dispatch on a pool
 * of workers, never on libmicrohttpd's threads. */
#ifndef FF_API_SERVER_H
#define FF_API_SERVER_H

#include "api/route.h"

struct http_server;
struct http_server_options {
    const char *address;                   /* "127.0.0.1:8080", "[::1]:0" */
    const char *tls_certificate, *tls_key; /* paths of PEM files, both or neither */
    size_t workers;                        /* 0: 8 */
    size_t connections_most;               /* 0: 1000 */
    double idle_seconds;                   /* a connection that sends nothing is closed: 0: 30 */
    bool log_requests;
};
status http_server_start(struct http_server **server, struct api_context *context,
                         const struct http_server_options *options, struct error *err) MUST_USE;
/* The name or address in "127.0.0.1:8080" or "[::1]:0", without brackets; to be freed. ERR_USAGE when it is neither. */
status http_address_host(const char *address, char **host, struct error *err) MUST_USE;
unsigned http_server_port(const struct http_server *server);
/* Ends event streams, finishes running requests, closes. */
void http_server_stop(struct http_server *server);

#endif
