/* Who asks: tokens in headers and cookies, and what keeps other web sites from asking in their name. */
#ifndef FF_API_AUTH_H
#define FF_API_AUTH_H

#include "api/route.h"

#define SESSION_COOKIE "ff_session"

struct api_auth;
/* `listen_host` and allowed_hosts are the names, beside localhost and addresses, that a Host header may have; they are
 * borrowed. */
status api_auth_create(struct api_auth **auth, const char *listen_host, const char *const *allowed_hosts,
                       size_t allowed_host_count, struct error *err) MUST_USE;
void api_auth_free(struct api_auth *auth);
/* An admin's token that works as long as `auth` lives, known to nobody but the caller: not in the store. */
void api_auth_local_token(struct api_auth *auth, char token[TOKEN_CAP]);

/* The token's role and name, from a memory of a few seconds or the store; ROLE_NONE when it is not valid. Any thread.
 */
status api_auth_token(struct api_context *context, const char *token, enum role *role, char *name, size_t cap,
                      struct error *err) MUST_USE;
/* After a token was revoked. */
void api_auth_forget(struct api_auth *auth);

struct request_headers {
    const char *method, *host, *authorization, *cookie, *origin, *referer; /* NULL: not sent */
};
/* Host, Origin and token. False: the response is the problem. Without a token, or with one that is not valid, the role
 * is ROLE_NONE: routes say what they need. */
bool api_authenticate(struct api_context *context, const struct request_headers *headers, enum role *role, char *name,
                      size_t cap, struct api_response *response);
/* A page of that origin may use the API with this user's cookie. */
bool api_origin_allowed(const struct api_context *context, const char *origin, const char *host);
/* Set-Cookie's value; token NULL: the cookie goes. */
void api_session_cookie(char into[192], const char *token, bool secure);

#endif
