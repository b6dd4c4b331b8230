#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "api/problem.h"
#include "api/server_internal.h"
#include "sys/clock.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

char *url_decode(const char *text, bool is_path, bool *bad)
{
    char *decoded = malloc(strlen(text) + 1), *to = decoded;
    *bad = false;
    if (!decoded)
        return NULL;
    for (const char *at = text; *at; at++) {
        unsigned char c = (unsigned char)*at;
        if (c == '%') {
            int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
            if (low < 0) {
                *bad = true;
                break;
            }
            c = (unsigned char)(high * 16 + low);
            at += 2;
            *bad = *bad || c == '\0' || (is_path && (c == '/' || c == '\\'));
        }
        *bad = *bad || (is_path && (c < 0x20 || c == 0x7F));
        *to++ = (char)c;
    }
    *to = '\0';
    *bad = *bad || !str_is_utf8(str_of(decoded));
    return decoded;
}

struct query_reading {
    json_t *query;
    bool bad, no_memory;
};

static enum MHD_Result read_query(void *self, enum MHD_ValueKind kind, const char *key, const char *value)
{
    (void)kind;
    struct query_reading *reading = self;
    bool bad_key = false, bad_value = false;
    char *name = url_decode(key, false, &bad_key), *text = url_decode(value ? value : "", false, &bad_value);
    if (!name || !text)
        reading->no_memory = true;
    else if (bad_key || bad_value)
        reading->bad = true;
    else
        reading->no_memory = json_put_text(reading->query, name, text, NULL) != OK;
    free(name);
    free(text);
    return reading->bad || reading->no_memory ? MHD_NO : MHD_YES;
}

static const char *header(const struct exchange *x, const char *name)
{
    return x->server->mhd.lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

static bool is_json(const char *content_type)
{
    size_t n = strcspn(content_type, "; \t");
    return (n == 16 && strncasecmp(content_type, "application/json", n) == 0) ||
           (n == 28 && strncasecmp(content_type, "application/merge-patch+json", n) == 0);
}

static bool refuse(struct exchange *x, int http_status, const char *code, const char *detail, const char *hint)
{
    api_problem(&x->response, http_status, code, detail, hint, NULL);
    return false;
}

void exchange_refuse_size(struct exchange *x)
{
    if (x->body_most == BODY_MOST)
        refuse(x, 413, "too_large", "the body is larger than 8 MiB", "files go to /api/uploads");
    else
        refuse(x, 413, "too_large", "the body of a request without a valid token is larger than 64 KiB",
               "send the header Authorization: Bearer TOKEN");
}

/* What must not be there twice: a proxy may have looked at the other one. */
static const char *const single_headers[] = {"Host", "Authorization", "Content-Length", "Transfer-Encoding", "Origin"};

struct header_count {
    unsigned counts[ARRAY_LENGTH(single_headers)];
};

static enum MHD_Result count_header(void *self, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct header_count *count = self;
    (void)kind;
    (void)value;
    for (size_t i = 0; i < ARRAY_LENGTH(single_headers); i++)
        count->counts[i] += strcasecmp(key, single_headers[i]) == 0;
    return MHD_YES;
}

static bool check_headers(struct exchange *x)
{
    char detail[64];
    struct header_count count = {0};
    x->server->mhd.get_connection_values(x->connection, MHD_HEADER_KIND, count_header, &count);
    for (size_t i = 0; i < ARRAY_LENGTH(single_headers); i++) {
        if (count.counts[i] < 2)
            continue;
        x->ends_connection = true;
        snprintf(detail, sizeof detail, "the header %s is there more than once", single_headers[i]);
        return refuse(x, 400, "invalid", detail, NULL);
    }
    return true;
}

static bool read_length(struct exchange *x)
{
    const char *length = header(x, "Content-Length");
    bool chunked = header(x, "Transfer-Encoding") != NULL;
    x->content_length = chunked ? UINT64_MAX : 0;
    if (length && chunked) {
        x->ends_connection = true;
        return refuse(x, 400, "invalid", "Content-Length and Transfer-Encoding contradict each other", "send one");
    }
    if (length && !str_parse_u64(str_of(length), INT64_MAX, &x->content_length))
        return refuse(x, 400, "invalid", "Content-Length is not a number", NULL);
    return true;
}

bool exchange_read_head(struct exchange *x, const char *url)
{
    bool bad = false;
    struct query_reading reading = {.query = json_object()};
    x->query = reading.query;
    x->target = url_decode(url, true, &bad);
    x->cut = x->target ? strdup(x->target) : NULL;
    x->content_type = header(x, "Content-Type");
    x->headers = (struct request_headers){x->method,           header(x, "Host"),   header(x, "Authorization"),
                                          header(x, "Cookie"), header(x, "Origin"), header(x, "Referer")};
    if (!x->query || !x->cut)
        return refuse(x, 500, "no_memory", "out of memory", NULL);
    if (!check_headers(x) || !read_length(x))
        return false;
    if (bad || x->target[0] != '/')
        return refuse(x, 400, "invalid",
                      "the path is not valid: it has a broken escape, an escaped slash, or bytes that are not UTF-8",
                      "ids and names in paths never contain a slash");
    x->server->mhd.get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, read_query, &reading);
    if (reading.no_memory)
        return refuse(x, 500, "no_memory", "out of memory", NULL);
    if (reading.bad)
        return refuse(x, 400, "invalid", "the query has a broken escape, or bytes that are not UTF-8", NULL);
    api_route_find(x->method, x->cut, &x->match);
    x->is_upload = x->match.route && x->match.route->stream == ROUTE_UPLOAD &&
                   (strcmp(x->method, "PUT") == 0 || (x->content_type && !is_json(x->content_type)));
    if (x->is_upload) {
        x->phase = EXCHANGE_OPENING;
        return true;
    }
    x->body_most = BODY_MOST;
    if (x->content_length != UINT64_MAX && x->content_length > BODY_MOST) {
        exchange_refuse_size(x);
        return false;
    }
    if (x->content_length != 0 && x->content_type && !is_json(x->content_type))
        return refuse(x, 415, "unsupported", "the body has to be JSON", "send Content-Type: application/json");
    x->phase = x->content_length > BODY_OF_STRANGERS_MOST ? EXCHANGE_OPENING : EXCHANGE_BODY;
    return true;
}
