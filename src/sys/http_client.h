/* HTTP as a client, by libcurl, which is loaded on first use (docs/decisions/0007). */
#ifndef FF_SYS_HTTP_CLIENT_H
#define FF_SYS_HTTP_CLIENT_H

#include "base/buf.h"

struct http_client;

struct http_request {
    const char *method; /* "GET" */
    const char *url;
    const char *const *headers; /* "Name: value"; NULL-terminated; may be NULL */
    const void *body;           /* NULL: none */
    size_t body_length;
    bool direct;            /* past any proxy that the environment names */
    double timeout_seconds; /* of the whole exchange; 0: 60 */
    const char
        *certificate;   /* PEM file that the server has to show, whatever its name says; NULL: the system's rules */
    size_t answer_most; /* bytes of the body, beyond: ERR_LIMIT; 0: 64 MiB */
};

struct http_answer {
    int status;
    struct buf body;
};

/* One thread at a time. Keeps its connection from call to call. */
status http_client_open(struct http_client **client, struct error *err) MUST_USE;
/* Redirects are not followed, and only http and https are spoken. Any status is OK; *answer is emptied first.
 * ERR_UNAVAILABLE when nothing could be reached or it broke off, ERR_TIMEOUT. */
status http_client_call(struct http_client *client, const struct http_request *request, struct http_answer *answer,
                        struct error *err) MUST_USE;
void http_client_close(struct http_client *client);

#endif
