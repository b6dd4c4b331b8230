#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "api/problem.h"
#include "api/server_internal.h"
#include "sys/file.h"

static const char no_memory_body[] = "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,"
                                     "\"detail\":\"out of memory\",\"code\":\"no_memory\",\"errors\":[]}";

static struct MHD_Response *from_json(struct exchange *x)
{
    const struct mhd_api *mhd = &x->server->mhd;
    struct buf text = {0};
    struct error err;
    if (json_write(x->response.body, &text, &err) != OK || buf_append(&text, "\n", 1, &err) != OK) {
        buf_release(&text);
        return NULL;
    }
    struct MHD_Response *made = mhd->create_response_from_buffer(text.len, text.data, MHD_RESPMEM_MUST_FREE);
    if (!made)
        buf_release(&text);
    return made;
}

static struct MHD_Response *from_text(struct exchange *x)
{
    struct MHD_Response *made =
        x->server->mhd.create_response_from_buffer(x->response.text_length, x->response.text, MHD_RESPMEM_MUST_FREE);
    if (made)
        x->response.text = NULL;
    return made;
}

static struct MHD_Response *from_file(struct exchange *x)
{
    struct stat now;
    int fd = file_open(x->response.file_path, O_RDONLY, 0);
    if (fd < 0 || fstat(fd, &now) != 0 || !S_ISREG(now.st_mode)) {
        file_close(fd);
        api_problem(&x->response, 404, "not_found", "the file is not there any more", NULL, NULL);
        return from_json(x);
    }
    struct MHD_Response *made = x->server->mhd.create_response_from_fd64((uint64_t)now.st_size, fd);
    if (!made)
        file_close(fd);
    return made;
}

static struct MHD_Response *make(struct exchange *x)
{
    if (x->stream) {
        struct MHD_Response *made = event_stream_response(x->stream, x->connection);
        if (made)
            x->stream = NULL;
        return made;
    }
    if (x->response.file_path)
        return from_file(x);
    if (x->response.body)
        return from_json(x);
    if (x->response.text)
        return from_text(x);
    return x->server->mhd.create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
}

static bool add(const struct exchange *x, struct MHD_Response *response, const char *name, const char *value)
{
    return !value || !value[0] || x->server->mhd.add_response_header(response, name, value) == MHD_YES;
}

static bool add_cross_origin(const struct exchange *x, struct MHD_Response *response)
{
    const char *origin = x->headers.origin;
    if (!origin || !api_origin_allowed(x->server->context, origin, x->headers.host))
        return true;
    bool good = add(x, response, "Access-Control-Allow-Origin", origin) && add(x, response, "Vary", "Origin") &&
                add(x, response, "Access-Control-Allow-Credentials", "true");
    if (!good || strcmp(x->method, "OPTIONS") != 0)
        return good;
    return add(x, response, "Access-Control-Allow-Methods", x->response.allow) &&
           add(x, response, "Access-Control-Allow-Headers",
               "Authorization, Content-Type, Content-Range, Idempotency-Key, If-Match, Last-Event-ID, Upload-Offset") &&
           add(x, response, "Access-Control-Max-Age", "600");
}

static bool add_retry_after(const struct exchange *x, struct MHD_Response *response)
{
    char seconds[16];
    if (x->response.retry_after <= 0)
        return true;
    snprintf(seconds, sizeof seconds, "%d", x->response.retry_after);
    return add(x, response, "Retry-After", seconds);
}

static bool add_headers(const struct exchange *x, struct MHD_Response *response, const char *type)
{
    return add(x, response, "Content-Type", type) && add(x, response, "Location", x->response.location) &&
           add(x, response, "Set-Cookie", x->response.set_cookie) && add(x, response, "Allow", x->response.allow) &&
           add(x, response, "Connection", x->ends_connection ? "close" : NULL) &&
           add(x, response, "ETag", x->response.etag) && add_retry_after(x, response) &&
           add(x, response, "WWW-Authenticate", x->response.status == 401 ? "Bearer realm=\"FlowForge\"" : NULL) &&
           add(x, response, "X-Content-Type-Options", "nosniff") && add(x, response, "X-Frame-Options", "DENY") &&
           add(x, response, "Referrer-Policy", "no-referrer") && add(x, response, "Cache-Control", "no-store") &&
           add(x, response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'") &&
           add_cross_origin(x, response);
}

enum MHD_Result exchange_answer(struct exchange *x)
{
    const struct mhd_api *mhd = &x->server->mhd;
    bool events = x->stream != NULL;
    const char *type = events                     ? "text/event-stream"
                       : x->response.content_type ? x->response.content_type
                       : x->response.body         ? "application/json"
                                                  : NULL;
    if (x->response.status == 0)
        api_problem(&x->response, 500, "internal", "no answer was made", NULL, NULL);
    struct MHD_Response *response = make(x);
    if (!response || (x->response.status >= 500 && !x->response.body && !x->response.text)) {
        if (response)
            mhd->destroy_response(response);
        x->response.status = 500;
        type = "application/problem+json";
        response = mhd->create_response_from_buffer(sizeof no_memory_body - 1, (void *)(uintptr_t)no_memory_body,
                                                    MHD_RESPMEM_PERSISTENT);
    } else if (!events && x->response.content_type) {
        type = x->response.content_type;
    }
    if (!response)
        return MHD_NO;
    if (x->peer) { /* from here libmicrohttpd's own idle timeout counts */
        pthread_mutex_lock(&x->server->lock);
        x->peer->deadline = 0;
        pthread_mutex_unlock(&x->server->lock);
    }
    enum MHD_Result result = MHD_NO;
    if (add_headers(x, response, type))
        result = mhd->queue_response(x->connection, (unsigned)x->response.status, response);
    mhd->destroy_response(response);
    return result;
}
