/* Who may what: /api/login, /api/logout, /api/me, /api/tokens, /api/audit, and / for the URL that the server prints. */

#include "api/auth.h"
#include "api/handler.h"
#include "api/problem.h"
#include "api/route_tables.h"

static const char *const role_choices[] = {"viewer", "editor", "admin", NULL};

static const struct field_def token_field_list[] = {
    {.key = "name",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .max = 100,
     .label = "Name",
     .help = "Who or what uses the token; it stands in the audit log."},
    {.key = "role",
     .kind = FIELD_ENUM,
     .default_json = "\"editor\"",
     .choices = role_choices,
     .label = "Role",
     .help = "A viewer reads, an editor also changes and runs, an admin also manages tokens and reads the audit log."},
    {.key = "expires_at",
     .kind = FIELD_TIME,
     .flags = FIELD_NULLABLE,
     .label = "Expires at",
     .help = "When the token stops working; null: never."},
};
static const struct field_table token_fields = {
    .name = "token", .title = "Token", .fields = token_field_list, .count = ARRAY_LENGTH(token_field_list)};

static const struct field_def login_field_list[] = {
    {.key = "token",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED | FIELD_SECRET,
     .max = 200,
     .label = "Token",
     .help = "What flowforge serve printed, or flowforge token create made."},
};
static const struct field_table login_fields = {
    .name = "login", .title = "Login", .fields = login_field_list, .count = ARRAY_LENGTH(login_field_list)};

/* *record NULL: the response is the problem. */
static status read_body(const struct field_table *table, const struct api_request *request, json_t **record,
                        struct api_response *response, struct error *err)
{
    struct field_errors errors = {0};
    status s = field_table_apply(table, NULL, request->body, record, &errors, err);
    if (s == OK && !*record)
        s = api_problem_fields(response, &errors, err);
    field_errors_release(&errors);
    return s;
}

static status answer_who(struct api_response *response, const char *name, enum role role, struct error *err)
{
    return api_answer(response, 200, json_pack("{s:s, s:s}", "name", name, "role", role_name(role)), err);
}

static status refuse_token(struct api_response *response)
{
    api_problem(response, 401, "unauthenticated", "the token is not valid, has expired or was revoked",
                "flowforge serve prints a token that works; flowforge token create makes more", NULL);
    return OK;
}

static status login(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    json_t *record = NULL;
    char name[128] = "";
    enum role role = ROLE_NONE;
    status s = read_body(&login_fields, request, &record, response, err);
    if (s != OK || !record)
        return s;
    const char *token = json_text(record, "token", "");
    s = api_auth_token(context, token, &role, name, sizeof name, err);
    if (s == OK && role == ROLE_NONE) {
        s = refuse_token(response);
    } else if (s == OK) {
        s = answer_who(response, name, role, err);
        if (s == OK)
            api_session_cookie(response->set_cookie, token, request->secure);
    }
    json_decref(record);
    return s;
}

static status logout(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    (void)context;
    (void)err;
    response->status = 204;
    api_session_cookie(response->set_cookie, NULL, request->secure);
    return OK;
}

static status me(struct api_context *context, const struct api_request *request, struct api_response *response,
                 struct error *err)
{
    (void)context;
    return answer_who(response, request->actor ? request->actor : "", request->role, err);
}

/* The URL that is printed at the start holds a token: it becomes a cookie, and leaves the address bar. */
static status front(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    const char *token = api_query(request, "token");
    char name[128] = "";
    enum role role = ROLE_NONE;
    if (!token) {
        api_problem(response, 404, "not_found", "there is no page here yet",
                    "the web UI comes with a later version; GET /api/openapi.json describes the API", NULL);
        return OK;
    }
    status s = api_auth_token(context, token, &role, name, sizeof name, err);
    if (s != OK)
        return s;
    if (role == ROLE_NONE)
        return refuse_token(response);
    response->status = 303;
    memcpy(response->location, "/", 2);
    api_session_cookie(response->set_cookie, token, request->secure);
    return OK;
}

static status tokens_list(struct api_context *context, const struct api_request *request, struct api_response *response,
                          struct error *err)
{
    (void)request;
    struct db *db = NULL;
    json_t *rows = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = token_list(db, &rows, err);
    store_give_back(context->store, db);
    return s == OK ? api_answer_page(response, rows, false, err) : s;
}

static status tokens_create(struct api_context *context, const struct api_request *request,
                            struct api_response *response, struct error *err)
{
    char token[TOKEN_CAP] = "";
    json_t *wanted = NULL, *record = NULL;
    struct api_write write = {0};
    enum role role = ROLE_NONE;
    int64_t expires_at = 0;
    status s = read_body(&token_fields, request, &wanted, response, err);
    if (s != OK || !wanted)
        return s;
    const char *expires = json_text(wanted, "expires_at", NULL);
    if (!role_parse(json_text(wanted, "role", ""), &role) || (expires && !time_parse(expires, &expires_at)))
        s = error_set(err, ERR_INTERNAL, "a token's role or time passed its check and cannot be read");
    if (s == OK)
        s = api_write_begin(context, &write, err);
    if (s == OK)
        s = token_create(write.db, json_text(wanted, "name", ""), role, expires_at, token, &record, err);
    if (s == OK)
        s = api_audit(&write, request, "token.create", "token", json_text(record, "id", ""), NULL, err);
    if (s == OK)
        s = json_put_text(record, "token", token, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    if (s == OK)
        s = api_answer(response, 201, json_incref(record), err);
    json_decref(record);
    json_decref(wanted);
    return s;
}

static status tokens_revoke(struct api_context *context, const struct api_request *request,
                            struct api_response *response, struct error *err)
{
    struct api_write write = {0};
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = token_revoke(write.db, request->params[0], err);
    if (s == OK)
        s = api_audit(&write, request, "token.revoke", "token", request->params[0], NULL, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    api_auth_forget(context->auth);
    if (s == OK)
        response->status = 204;
    return s;
}

/* One row more than asked for tells whether there is a further page. */
static status audit(struct api_context *context, const struct api_request *request, struct api_response *response,
                    struct error *err)
{
    struct db *db = NULL;
    json_t *rows = NULL;
    size_t limit = 0;
    const char *after = NULL;
    uint64_t before = INT64_MAX;
    status s = api_page(request, &limit, &after, err);
    if (s == OK && after && !str_parse_u64(str_of(after), INT64_MAX, &before))
        s = error_set(err, ERR_INVALID, "cursor=%.40s: not a cursor of this list", after);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = audit_list(db, (int64_t)before, limit + 1, &rows, err);
    store_give_back(context->store, db);
    if (s != OK)
        return s;
    bool more = json_array_size(rows) > limit;
    if (more && json_array_remove(rows, limit) != 0)
        more = false;
    return api_answer_page(response, rows, more, err);
}

static const struct api_query_param page_params[] = {QUERY_PAGE, {0}};
static const struct api_query_param front_params[] = {
    {"token", "Becomes the session cookie; the answer leads to / without it.", QUERY_TEXT}, {0}};

static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/",
     .role = ROLE_NONE,
     .summary = "Sign in by the URL that flowforge serve prints",
     .success = 303,
     .handle = front,
     .params = front_params},
    {.method = "POST",
     .pattern = "/api/login",
     .role = ROLE_NONE,
     .summary = "Sign in: a token becomes the session cookie",
     .body = &login_fields,
     .success = 200,
     .handle = login},
    {.method = "POST",
     .pattern = "/api/logout",
     .role = ROLE_NONE,
     .summary = "Sign out: the session cookie goes",
     .success = 204,
     .handle = logout},
    {.method = "GET",
     .pattern = "/api/me",
     .role = ROLE_VIEWER,
     .summary = "Name and role of the token in use",
     .success = 200,
     .handle = me},
    {.method = "GET",
     .pattern = "/api/tokens",
     .role = ROLE_ADMIN,
     .summary = "Tokens, without their secret",
     .answer_list = true,
     .success = 200,
     .handle = tokens_list},
    {.method = "POST",
     .pattern = "/api/tokens",
     .role = ROLE_ADMIN,
     .summary = "Make a token; the answer is the only place where it is shown",
     .body = &token_fields,
     .success = 201,
     .handle = tokens_create},
    {.method = "DELETE",
     .pattern = "/api/tokens/{id}",
     .role = ROLE_ADMIN,
     .summary = "Revoke a token",
     .success = 204,
     .handle = tokens_revoke},
    {.method = "GET",
     .pattern = "/api/audit",
     .role = ROLE_ADMIN,
     .summary = "Who changed what, newest first",
     .answer_list = true,
     .success = 200,
     .handle = audit,
     .kept = true,
     .params = page_params},
};

const struct route_table access_routes = {routes, ARRAY_LENGTH(routes)};
