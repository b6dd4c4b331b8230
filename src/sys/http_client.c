#include "sys/http_client.h"

#include <dlfcn.h>
#include <stdlib.h>

/* The checked variants of setopt and getinfo are macros around the plain names, which we do not link. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#define TIMEOUT_DEFAULT 60.0
#define ANSWER_MOST ((size_t)64 << 20)

#undef curl_easy_setopt
#undef curl_easy_getinfo

struct curl_api {
#define CURL_FUNCTION(name) __typeof__(curl_##name) *name;
#include "sys/curl_functions.def"
#undef CURL_FUNCTION
};

struct http_client {
    struct curl_api api;
    void *library;
    CURL *easy;
    char problem[CURL_ERROR_SIZE];
};

static const struct {
    const char *name;
    size_t offset;
} functions[] = {
#define CURL_FUNCTION(name) {"curl_" #name, offsetof(struct curl_api, name)},
#include "sys/curl_functions.def"
#undef CURL_FUNCTION
};

static status load(struct http_client *c, struct error *err)
{
    c->library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!c->library) {
        status s = error_set(err, ERR_NOT_FOUND, "libcurl cannot be loaded: %s", dlerror());
        error_hint(err, "install libcurl4");
        return s;
    }
    for (size_t i = 0; i < ARRAY_LENGTH(functions); i++) {
        void *symbol = dlsym(c->library, functions[i].name);
        if (!symbol)
            return error_set(err, ERR_UNSUPPORTED, "libcurl has no function %s: it is too old", functions[i].name);
        memcpy((char *)&c->api + functions[i].offset, &symbol, sizeof symbol);
    }
    if (c->api.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, ERR_INTERNAL, "libcurl cannot be initialised");
    c->easy = c->api.easy_init();
    return c->easy ? OK : error_no_memory(err, sizeof(CURL *));
}

status http_client_open(struct http_client **client, struct error *err)
{
    struct http_client *c = calloc(1, sizeof *c);
    if (!c)
        return error_no_memory(err, sizeof *c);
    status s = load(c, err);
    if (s == OK)
        *client = c;
    else
        http_client_close(c);
    return s;
}

struct receiver {
    struct buf *body;
    size_t most;
    status failure;
};

static size_t receive(char *bytes, size_t one, size_t n, void *self)
{
    struct receiver *r = self;
    (void)one; /* always 1 */
    if (n > r->most - r->body->len)
        r->failure = ERR_LIMIT;
    else
        r->failure = buf_append(r->body, bytes, n, NULL);
    return r->failure == OK ? n : 0;
}

static status explain(const struct http_client *c, CURLcode code, const struct http_request *request,
                      const struct receiver *receiver, struct error *err)
{
    if (receiver->failure == ERR_LIMIT)
        return error_set(err, ERR_LIMIT, "the answer from %s is longer than %zu bytes", request->url, receiver->most);
    if (receiver->failure != OK || code == CURLE_OUT_OF_MEMORY)
        return error_no_memory(err, receiver->body->len);
    const char *why = c->problem[0] ? c->problem : c->api.easy_strerror(code);
    return error_set(err, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE, "%s %s: %s",
                     request->method, request->url, why);
}

static status add_headers(const struct http_client *c, const struct http_request *request, struct curl_slist **list,
                          struct error *err)
{
    /* Bodies are sent at once, without asking first by "Expect: 100-continue". */
    static const char *const always[] = {"Expect:", NULL};
    const char *const *const sets[] = {always, request->headers};
    for (size_t k = 0; k < ARRAY_LENGTH(sets); k++)
        for (size_t i = 0; sets[k] && sets[k][i]; i++) {
            struct curl_slist *grown = c->api.slist_append(*list, sets[k][i]);
            if (!grown)
                return error_no_memory(err, strlen(sets[k][i]));
            *list = grown;
        }
    return OK;
}

status http_client_call(struct http_client *c, const struct http_request *request, struct http_answer *answer,
                        struct error *err)
{
    struct receiver receiver = {.body = &answer->body,
                                .most = request->answer_most ? request->answer_most : ANSWER_MOST};
    double timeout = request->timeout_seconds > 0 ? request->timeout_seconds : TIMEOUT_DEFAULT;
    struct curl_slist *headers = NULL;
    long code = 0;
    buf_clear(&answer->body);
    status s = add_headers(c, request, &headers, err);
    if (s != OK)
        goto out;
    c->api.easy_reset(c->easy);
    c->problem[0] = '\0';
#define SET(option, value) (c->api.easy_setopt(c->easy, option, value) == CURLE_OK)
    bool set = SET(CURLOPT_ERRORBUFFER, c->problem) && SET(CURLOPT_URL, request->url) &&
               SET(CURLOPT_PROTOCOLS_STR, "http,https") && SET(CURLOPT_NOSIGNAL, 1L) &&
               SET(CURLOPT_TIMEOUT_MS, (long)(timeout * 1000)) && SET(CURLOPT_CUSTOMREQUEST, request->method) &&
               SET(CURLOPT_HTTPHEADER, headers) && SET(CURLOPT_WRITEFUNCTION, receive) &&
               SET(CURLOPT_WRITEDATA, &receiver);
    if (set && request->body)
        set = SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length) &&
              SET(CURLOPT_POSTFIELDS, request->body);
    if (set && strcmp(request->method, "HEAD") == 0)
        set = SET(CURLOPT_NOBODY, 1L);
    if (set && request->direct)
        set = SET(CURLOPT_PROXY, "");
    if (set && request->certificate)
        set = SET(CURLOPT_CAINFO, request->certificate) && SET(CURLOPT_SSL_VERIFYHOST, 0L);
#undef SET
    if (!set) {
        s = error_set(err, ERR_UNSUPPORTED, "libcurl refuses an option that is needed for %s", request->url);
        goto out;
    }
    CURLcode result = c->api.easy_perform(c->easy);
    if (result != CURLE_OK)
        s = explain(c, result, request, &receiver, err);
    else if (c->api.easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &code) != CURLE_OK)
        s = error_set(err, ERR_INTERNAL, "libcurl does not tell the status of %s", request->url);
    if (s == OK)
        answer->status = (int)code;
out:
    c->api.slist_free_all(headers);
    return s;
}

void http_client_close(struct http_client *c)
{
    if (!c)
        return;
    if (c->easy)
        c->api.easy_cleanup(c->easy);
    if (c->library)
        dlclose(c->library);
    free(c);
}
