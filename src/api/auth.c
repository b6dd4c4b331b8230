#include "api/auth.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "api/problem.h"
#include "base/civil.h"
#include "sys/clock.h"
#include "sys/id.h"

#define REMEMBERED 64 /* a power of two */
#define REMEMBER_SECONDS 3.0
#define NAME_CAP 128
#define DAY_SECONDS 86400

struct remembered {
    unsigned char hash[crypto_hash_sha256_BYTES];
    double until;
    enum role role;
    char name[NAME_CAP];
};

struct api_auth {
    pthread_mutex_t lock;
    const char *listen_host;
    const char *const *allowed_hosts;
    size_t allowed_host_count;
    unsigned char local[crypto_hash_sha256_BYTES]; /* of the local token */
    bool has_local;
    uint64_t forgotten; /* how often: what was read before that is not remembered after it */
    struct remembered tokens[REMEMBERED];
};

status api_auth_create(struct api_auth **auth, const char *listen_host, const char *const *allowed_hosts,
                       size_t allowed_host_count, struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, ERR_INTERNAL, "libsodium could not be initialised");
    struct api_auth *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    pthread_mutex_init(&made->lock, NULL);
    made->listen_host = listen_host;
    made->allowed_hosts = allowed_hosts;
    made->allowed_host_count = allowed_host_count;
    *auth = made;
    return OK;
}

void api_auth_free(struct api_auth *auth)
{
    if (!auth)
        return;
    pthread_mutex_destroy(&auth->lock);
    sodium_memzero(auth, sizeof *auth);
    free(auth);
}

void api_auth_forget(struct api_auth *auth)
{
    if (!auth)
        return;
    pthread_mutex_lock(&auth->lock);
    memset(auth->tokens, 0, sizeof auth->tokens);
    auth->forgotten++;
    pthread_mutex_unlock(&auth->lock);
}

void api_auth_local_token(struct api_auth *auth, char token[TOKEN_CAP])
{
    memcpy(token, "ff_", 3);
    random_hex(token + 3, (TOKEN_CAP - 4) / 2);
    crypto_hash_sha256(auth->local, (const unsigned char *)token, strlen(token));
    auth->has_local = true;
}

static bool recall(struct api_auth *auth, const unsigned char *hash, enum role *role, char *name, size_t cap,
                   uint64_t *forgotten)
{
    const struct remembered *entry = &auth->tokens[hash[0] % REMEMBERED];
    pthread_mutex_lock(&auth->lock);
    *forgotten = auth->forgotten;
    bool found = entry->until > clock_seconds() && sodium_memcmp(entry->hash, hash, sizeof entry->hash) == 0;
    if (found) {
        *role = entry->role;
        snprintf(name, cap, "%s", entry->name);
    }
    pthread_mutex_unlock(&auth->lock);
    return found;
}

/* For `seconds`, unless a token was revoked since *forgotten was read: it may be this one. */
static void remember(struct api_auth *auth, const unsigned char *hash, enum role role, const char *name, double seconds,
                     uint64_t forgotten)
{
    struct remembered *entry = &auth->tokens[hash[0] % REMEMBERED];
    pthread_mutex_lock(&auth->lock);
    if (auth->forgotten == forgotten) {
        memcpy(entry->hash, hash, sizeof entry->hash);
        entry->until = clock_seconds() + (seconds < REMEMBER_SECONDS ? seconds : REMEMBER_SECONDS);
        entry->role = role;
        snprintf(entry->name, sizeof entry->name, "%s", name);
    }
    pthread_mutex_unlock(&auth->lock);
}

status api_auth_token(struct api_context *context, const char *token, enum role *role, char *name, size_t cap,
                      struct error *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char found_name[NAME_CAP] = "";
    enum role found = ROLE_NONE;
    struct db *db = NULL;
    uint64_t forgotten = 0;
    int64_t now = civil_micros_now(), until = 0;
    size_t n = strlen(token);
    if (n == 0 || n >= TOKEN_CAP) {
        *role = ROLE_NONE;
        return OK;
    }
    crypto_hash_sha256(hash, (const unsigned char *)token, n);
    if (context->auth && context->auth->has_local && sodium_memcmp(context->auth->local, hash, sizeof hash) == 0) {
        *role = ROLE_ADMIN;
        snprintf(name, cap, "local");
        return OK;
    }
    if (context->auth && recall(context->auth, hash, role, name, cap, &forgotten))
        return OK;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = token_check(db, token, now, &found, &until, found_name, sizeof found_name, err);
    store_give_back(context->store, db);
    if (s != OK)
        return s;
    if (found != ROLE_NONE && context->auth) /* unknown ones are not kept: they would push out the good */
        remember(context->auth, hash, found, found_name, (double)(until - now) / 1e6, forgotten);
    *role = found;
    snprintf(name, cap, "%s", found_name);
    return OK;
}

/* "name:port", "[::1]:port" without the port and brackets; empty for anything else. */
static struct str host_name(const char *host)
{
    bool brackets = host[0] == '[';
    struct str name = {host + brackets, strcspn(host + brackets, brackets ? "]" : ":")};
    const char *rest = name.p + name.n;
    if (brackets && *rest++ != ']')
        return (struct str){host, 0};
    if (*rest == ':')
        rest += 1 + strspn(rest + 1, "0123456789");
    return *rest ? (struct str){host, 0} : name;
}

static bool is_address(struct str host)
{
    char text[64];
    unsigned char address[16];
    if (host.n == 0 || host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* A page of another site can make a browser ask for its own name and have that name point here; an address it cannot
 * forge. */
static bool host_allowed(const struct api_auth *auth, const char *host)
{
    struct str name = host_name(host);
    if (str_equal_nocase(name, STR("localhost")) || is_address(name))
        return true;
    if (auth->listen_host && str_equal_nocase(name, str_of(auth->listen_host)))
        return true;
    for (size_t i = 0; i < auth->allowed_host_count; i++)
        if (str_equal_nocase(name, str_of(auth->allowed_hosts[i])))
            return true;
    return false;
}

/* Scheme and path aside: "http://127.0.0.1:8765/x" names the host "127.0.0.1:8765". */
static bool origin_is_host(const char *origin, const char *host)
{
    const char *at = strstr(origin, "://");
    if (!at || !host)
        return false;
    at += 3;
    size_t n = strcspn(at, "/?#");
    return n == strlen(host) && strncasecmp(at, host, n) == 0;
}

bool api_origin_allowed(const struct api_context *context, const char *origin, const char *host)
{
    if (origin_is_host(origin, host))
        return true;
    for (size_t i = 0; i < context->allowed_origin_count; i++) {
        size_t n = strlen(context->allowed_origins[i]);
        if (strncasecmp(origin, context->allowed_origins[i], n) == 0 && (origin[n] == '\0' || origin[n] == '/'))
            return true;
    }
    return false;
}

static bool is_safe(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

/* The value of our cookie in "a=1; ff_session=...; b=2". */
static bool cookie_token(const char *cookies, char token[TOKEN_CAP])
{
    size_t name = strlen(SESSION_COOKIE);
    for (const char *at = cookies; *at;) {
        at += strspn(at, "; ");
        size_t n = strcspn(at, ";");
        if (n > name + 1 && memcmp(at, SESSION_COOKIE, name) == 0 && at[name] == '=' && n - name - 1 < TOKEN_CAP) {
            memcpy(token, at + name + 1, n - name - 1);
            token[n - name - 1] = '\0';
            return true;
        }
        at += n;
    }
    return false;
}

static bool refuse(struct api_response *response, const char *detail, const char *hint)
{
    api_problem(response, 403, "denied", detail, hint, NULL);
    return false;
}

bool api_authenticate(struct api_context *context, const struct request_headers *headers, enum role *role, char *name,
                      size_t cap, struct api_response *response)
{
    struct error err = {0};
    char token[TOKEN_CAP] = "";
    bool by_cookie = false;
    *role = ROLE_NONE;
    if (cap)
        name[0] = '\0';
    if (!headers->host || !host_allowed(context->auth, headers->host))
        return refuse(response, "the Host header names a host that this server does not answer to",
                      "use the address that the server listens on, or start it with --allowed-host NAME");
    if (headers->authorization) {
        if (strncasecmp(headers->authorization, "Bearer ", 7) == 0) {
            const char *given = headers->authorization + 7 + strspn(headers->authorization + 7, " ");
            if (strlen(given) < TOKEN_CAP)
                snprintf(token, sizeof token, "%s", given);
        }
    } else if (headers->cookie) {
        by_cookie = cookie_token(headers->cookie, token);
    }
    if (!is_safe(headers->method)) {
        const char *from = headers->origin ? headers->origin : headers->referer;
        if (from && (by_cookie || headers->origin) && !api_origin_allowed(context, from, headers->host))
            return refuse(response, "the request comes from a page of another site",
                          "start the server with --allowed-origin ORIGIN to let that site in");
        if (!from && by_cookie)
            return refuse(response, "a request that changes something and has a cookie needs an Origin header",
                          "programs send the header Authorization: Bearer TOKEN instead of the cookie");
    }
    if (!token[0])
        return true;
    status s = api_auth_token(context, token, role, name, cap, &err);
    sodium_memzero(token, sizeof token);
    if (s != OK) {
        api_problem_error(response, &err);
        return false;
    }
    return true;
}

void api_session_cookie(char into[192], const char *token, bool secure)
{
    snprintf(into, 192, SESSION_COOKIE "=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d%s", token ? token : "",
             token ? 30 * DAY_SECONDS : 0, secure ? "; Secure" : "");
}
