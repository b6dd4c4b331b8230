#include <stdio.h>
#include <stdlib.h>

#include "api/answer_cache.h"
#include "api/metrics.h"
#include "api/problem.h"
#include "sys/clock.h"

/* Does `path` have the pattern's form? {name} takes one segment that is not empty. Begin and length of each go to
 * `params`, so that nothing is cut before all of it fits. */
static bool path_fits(const char *pattern, const char *path, struct str params[PATH_PARAMS_MOST])
{
    size_t count = 0;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        size_t n = strcspn(path, "/");
        if (n == 0 || count == PATH_PARAMS_MOST)
            return false;
        params[count++] = (struct str){path, n};
        path += n;
        pattern += strcspn(pattern, "}") + 1;
    }
    return *path == '\0';
}

static void allow_add(char allow[64], const char *method)
{
    size_t used = strlen(allow);
    if (used + strlen(method) + 3 < 64)
        snprintf(allow + used, 64 - used, "%s%s", used ? ", " : "", method);
}

void api_route_find(const char *method, char *path, struct route_match *match)
{
    struct str params[PATH_PARAMS_MOST] = {{0}}, found[PATH_PARAMS_MOST] = {{0}};
    *match = (struct route_match){0};
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    size_t index = 0;
    bool literal = false; /* /api/uploads/x beats /api/uploads/{id}, whatever order the tables have */
    for (size_t t = 0; t < api_route_table_count; t++)
        for (size_t r = 0; r < api_route_tables[t]->count; r++, index++) {
            const struct route *route = &api_route_tables[t]->routes[r];
            memset(params, 0, sizeof params);
            if (!path_fits(route->pattern, path, params))
                continue;
            match->known = true;
            allow_add(match->allow, route->method);
            if (strcmp(route->method, "GET") == 0)
                allow_add(match->allow, "HEAD");
            bool exact = !strchr(route->pattern, '{');
            if (strcmp(route->method, method) != 0 || (match->route && (literal || !exact)))
                continue;
            match->route = route;
            match->index = index;
            literal = exact;
            memcpy(found, params, sizeof found);
        }
    if (match->known)
        allow_add(match->allow, "OPTIONS");
    for (size_t i = 0; match->route && i < PATH_PARAMS_MOST && found[i].p; i++) {
        path[(found[i].p - path) + (ptrdiff_t)found[i].n] = '\0';
        match->params[i] = found[i].p;
    }
}

size_t api_route_count(void)
{
    size_t count = 0;
    for (size_t t = 0; t < api_route_table_count; t++)
        count += api_route_tables[t]->count;
    return count;
}

bool api_route_admit(const struct api_context *context, const struct route *route, const struct api_request *request,
                     struct api_response *response)
{
    if (request->role < route->role && request->role == ROLE_NONE) {
        api_problem(response, 401, "unauthenticated", "a token is needed, and none that is valid was given",
                    "send the header Authorization: Bearer TOKEN; flowforge serve prints a token, and flowforge token "
                    "create makes one",
                    NULL);
        return false;
    }
    if (request->role < route->role) {
        char detail[160];
        snprintf(detail, sizeof detail, "the role %s is needed, and this token has the role %s", role_name(route->role),
                 role_name(request->role));
        api_problem(response, 403, "denied", detail, "ask an admin for a token with that role", NULL);
        return false;
    }
    if (route->layer_centric && !context->layer_centric) {
        api_problem(response, 403, "feature_off", "layer-centric pipelines are switched off on this server",
                    "start it with --layer-centric on; GET /api/features tells what is on", NULL);
        return false;
    }
    if (route->body && !(route->body_optional && !request->body) && !json_is_object(request->body)) {
        api_problem(response, 400, "invalid",
                    request->body ? "the body has to be a JSON object" : "the body is missing: a JSON object is needed",
                    "GET /api/openapi.json describes the body", NULL);
        return false;
    }
    return true;
}

static void handle(struct api_context *context, const struct route *route, const struct api_request *request,
                   struct api_response *response)
{
    struct error err = {0};
    if (route->handle(context, request, response, &err) != OK)
        api_problem_error(response, &err);
    else if (response->status == 0)
        response->status = route->success;
}

static void handle_kept(struct api_context *context, const struct route *route, const struct api_request *request,
                        struct api_response *response)
{
    struct buf key = {0};
    uint64_t version;
    status s = buf_append_str(&key, str_of(request->path), NULL);
    if (s == OK && json_object_size(request->query))
        s = json_write(request->query, &key, NULL);
    if (s != OK) {
        handle(context, route, request, response);
    } else if (!answer_cache_find(context->answers, buf_str(&key), response, &version)) {
        handle(context, route, request, response);
        answer_cache_keep(context->answers, buf_str(&key), version, response);
    }
    buf_release(&key);
}

static void admit_and_handle(struct api_context *context, const struct route *route, const struct api_request *request,
                             struct api_response *response)
{
    if (!api_route_admit(context, route, request, response))
        return;
    if (context->answers && route->kept)
        handle_kept(context, route, request, response);
    else
        handle(context, route, request, response);
}

void api_dispatch(struct api_context *context, struct api_request *request, struct api_response *response)
{
    double begun = clock_seconds();
    struct route_match match = {0};
    char *path = strdup(request->path);
    *response = (struct api_response){0};
    if (!path) {
        api_problem(response, 500, "no_memory", "out of memory", NULL, NULL);
        return;
    }
    api_route_find(request->method, path, &match);
    if (match.route) {
        memcpy(request->params, match.params, sizeof request->params);
        admit_and_handle(context, match.route, request, response);
        memset(request->params, 0, sizeof request->params);
    } else if (match.known && strcmp(request->method, "OPTIONS") == 0) {
        response->status = 204;
        memcpy(response->allow, match.allow, sizeof match.allow);
    } else if (match.known) {
        char detail[160];
        memcpy(response->allow, match.allow, sizeof match.allow);
        snprintf(detail, sizeof detail, "this path has no method %.16s; it has %s", request->method, match.allow);
        api_problem(response, 405, "method_not_allowed", detail, NULL, NULL);
    } else {
        char detail[256];
        snprintf(detail, sizeof detail, "there is nothing at %.200s", request->path);
        api_problem(response, 404, "not_found", detail,
                    "GET /api/openapi.json lists all paths; the web UI comes with a later version", NULL);
    }
    api_metrics_request(context->metrics, match.route ? match.index : SIZE_MAX, response->status,
                        clock_seconds() - begun);
    free(path);
}
