/* Requests, responses and routes, without a socket: tests and the command line call api_dispatch directly. */
#ifndef FF_API_ROUTE_H
#define FF_API_ROUTE_H

#include <stdatomic.h>

#include "base/field.h"
#include "orchestrate/engine.h"
#include "store/store_access.h"

struct event_hub;
struct api_metrics;
struct api_auth;
struct answer_cache;

/* What the handlers work with; all borrowed. */
struct api_context {
    struct store *store;
    struct engine *engine;
    struct event_hub *hub;
    const char *home;
    const char *program; /* path of this executable, for short tasks */
    bool layer_centric;  /* the feature flag of SPEC section 4 */
    const char *const *local_roots;
    size_t local_root_count;
    uint64_t upload_most;               /* bytes of one upload */
    const char *const *allowed_origins; /* beside the server's own */
    size_t allowed_origin_count;
    struct api_metrics *metrics;  /* NULL: nothing is counted */
    struct answer_cache *answers; /* NULL: none is kept */
    struct api_auth *auth;        /* NULL: in this process, without tokens to remember */
    atomic_uint short_tasks;      /* running now, see api/short_task.h */
};

#define PATH_PARAMS_MOST 4

struct api_request {
    const char *method; /* "GET" */
    const char *path;   /* decoded, without query */
    json_t *query;      /* {name: text}; repeated names: the last */
    json_t *body;       /* NULL: none */
    bool secure;        /* came by TLS */
    const char *idempotency_key, *if_match, *last_event_id;
    enum role role;
    const char *actor;                    /* the token's name */
    const char *params[PATH_PARAMS_MOST]; /* of the route's {...}, in order */
};

struct api_response {
    int status;
    json_t *body; /* NULL: `text`, or nothing */
    char *text;   /* with content_type; to be freed */
    size_t text_length;
    const char *content_type; /* NULL: application/json */
    char location[256];       /* "": none */
    char set_cookie[192];     /* "": none */
    char allow[64];           /* of 405 and OPTIONS: the methods that the path has */
    char etag[64];            /* with its quotes; "": none */
    int retry_after;          /* seconds; 0: no such header */
    /* A streamed file instead of a body; to be freed. */
    char *file_path;
};
void api_response_release(struct api_response *response);

/* Routes whose bytes do not pass through memory as a whole. What their handlers do is the part without a socket. */
enum route_stream {
    ROUTE_PLAIN,
    ROUTE_EVENTS, /* the handler's body is the `snapshot`, event_hub's events of {id} follow as text/event-stream */
    ROUTE_UPLOAD  /* a body that is not JSON goes into an upload (api/upload.h); with JSON, or none: the handler */
};

struct route {
    const char *method, *pattern;     /* "/api/workflows/{id}/ingest-jobs" */
    enum role role;                   /* least that is needed; ROLE_NONE: anybody */
    bool layer_centric;               /* 403 while the feature is off */
    const char *summary;              /* for OpenAPI */
    const struct field_table *body;   /* what a request body holds; NULL: none */
    bool body_partial;                /* PATCH: any subset */
    const struct field_table *answer; /* record of the response; NULL: any object */
    bool answer_list;                 /* {"items": [...], "next_cursor"} of it */
    int success;                      /* 200, 201, 202, 204 */
    status (*handle)(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err);
    const struct api_query_param *params; /* query parameters, ended by a NULL name; may be NULL */
    enum route_stream stream;
    bool body_optional; /* none is fine too */
    /* The answer is made of path, query and metadata alone: not of the time, the role, files or the engine. */
    bool kept;
};
struct api_query_param {
    const char *name, *help;
    const char *schema_json; /* JSON Schema of the value */
};

struct route_table {
    const struct route *routes;
    size_t count;
};
/* One per resource file (routes_pipelines.c ...), all in api/routes.c. */
extern const struct route_table *const api_route_tables[];
extern const size_t api_route_table_count;

/* Find the route, check role, feature and body, call it; every error becomes application/problem+json:
 * {"type": "about:blank", "title", "status", "detail", "code", "hint", "errors": [{pointer, code, message}]}. 404 for
 * an unknown path, 405 with Allow for a wrong method, 401 without and 403 with too small a role. Never fails. */
void api_dispatch(struct api_context *context, struct api_request *request, struct api_response *response);
/* The route of a path and method (HEAD is GET's). *route NULL: none; then *known tells that the path has other methods,
 * and `allow` lists them. Values of {...} go to params, as views into `path`, which is cut up for that. *index numbers
 * the route among all tables. */
struct route_match {
    const struct route *route;
    size_t index;
    bool known;
    char allow[64];
    const char *params[PATH_PARAMS_MOST];
};
void api_route_find(const char *method, char *path, struct route_match *match);
size_t api_route_count(void);
/* What api_dispatch checks before it calls the handler. False: the response is a problem. */
bool api_route_admit(const struct api_context *context, const struct route *route, const struct api_request *request,
                     struct api_response *response);

/* For handlers: a problem with all bad fields (steals errors->list). Returns OK: the response is set. */
status api_problem_fields(struct api_response *response, struct field_errors *errors, struct error *err) MUST_USE;
/* *limit of 1..500 (default 50) and *after from ?limit= and ?cursor=. */
status api_page(const struct api_request *request, size_t *limit, const char **after, struct error *err) MUST_USE;
/* {"items": rows, "next_cursor": id of the last row or null}; steals rows. */
status api_answer_page(struct api_response *response, json_t *rows, bool more, struct error *err) MUST_USE;

#endif
