/* /api/uploads. Bytes come past the handlers (server_work.c, upload.c): these see JSON only. */
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "api/handler.h"
#include "api/problem.h"
#include "api/route_tables.h"
#include "api/upload.h"
#include "store/store_uploads.h"

static const struct field_def upload_field_list[] = {
    {.key = "filename",
     .kind = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .max = 255,
     .label = "File name",
     .help = "The name that the file has at its owner; its ending helps to tell the format."},
    {.key = "size",
     .kind = FIELD_INTEGER,
     .flags = FIELD_NULLABLE,
     .min = 0,
     .max = 9007199254740992.0,
     .label = "Size",
     .help = "Bytes of the whole file, if known; another number of bytes is then refused."},
    {.key = "sha256",
     .kind = FIELD_TEXT,
     .flags = FIELD_NULLABLE,
     .max = 64,
     .label = "SHA-256",
     .help = "64 hexadecimal digits, if known; other bytes are then refused."},
    {.key = "content_type",
     .kind = FIELD_TEXT,
     .default_json = "\"\"",
     .max = 255,
     .label = "Content type",
     .help = "As the owner calls it; kept for people."},
};

static status rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    const char *hash = json_text(record, "sha256", NULL);
    const char *name = json_text(record, "filename", "");
    status s = OK;
    if (!name[0])
        s = field_error_add(errors, err, "/filename", "length", "give the file's name");
    if (s == OK && hash && (strlen(hash) != 64 || strspn(hash, "0123456789abcdefABCDEF") != 64))
        s = field_error_add(errors, err, "/sha256", "format", "write 64 hexadecimal digits, or leave it out");
    return s;
}

static const struct field_table upload_fields = {.name = "upload",
                                                 .title = "Upload",
                                                 .fields = upload_field_list,
                                                 .count = ARRAY_LENGTH(upload_field_list),
                                                 .rules = rules};

static void lower(const char *text, char into[65])
{
    size_t i = 0;
    for (; text[i] && i < 64; i++)
        into[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
    into[i] = '\0';
}

static status create(struct api_context *context, const struct api_request *request, struct api_response *response,
                     struct error *err)
{
    json_t *wanted = NULL, *record = NULL;
    char hash[65];
    struct field_errors errors = {0};
    status s = field_table_apply(&upload_fields, NULL, request->body, &wanted, &errors, err);
    if (s == OK && !wanted)
        s = api_problem_fields(response, &errors, err);
    field_errors_release(&errors);
    if (s != OK || !wanted)
        return s;
    const char *given = json_text(wanted, "sha256", NULL);
    lower(given ? given : "", hash);
    s = upload_create(context, json_text(wanted, "filename", ""), json_text(wanted, "content_type", ""),
                      json_int(wanted, "size", -1), given ? hash : NULL, request->actor, &record, err);
    if (s == OK)
        snprintf(response->location, sizeof response->location, "/api/uploads/%s", json_text(record, "id", ""));
    json_decref(wanted);
    return s == OK ? api_answer(response, 201, record, err) : s;
}

/* `size` of one that is still coming is what a client can go on from: nothing when its part is gone. */
static status correct_size(const struct api_context *context, json_t *record, struct error *err)
{
    char path[PATH_MAX];
    struct stat now;
    if (strcmp(json_text(record, "state", ""), "receiving") != 0)
        return OK;
    int n = snprintf(path, sizeof path, "%s/uploads/%s.part", context->home, json_text(record, "id", ""));
    bool there =
        n > 0 && n < (int)sizeof path && stat(path, &now) == 0 && (int64_t)now.st_size >= json_int(record, "size", 0);
    return there ? OK : json_put_int(record, "size", 0, err);
}

static status get(struct api_context *context, const struct api_request *request, struct api_response *response,
                  struct error *err)
{
    struct db *db = NULL;
    json_t *record = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_get(db, &uploads_table, request->params[0], &record, err);
    store_give_back(context->store, db);
    if (s == OK)
        s = correct_size(context, record, err);
    if (s == OK)
        s = api_answer(response, 200, json_incref(record), err);
    json_decref(record);
    return s;
}

static status list(struct api_context *context, const struct api_request *request, struct api_response *response,
                   struct error *err)
{
    struct db *db = NULL;
    json_t *rows = NULL;
    bool more = false;
    struct record_page page = {0};
    status s = api_page(request, &page.limit, &page.after, err);
    if (s == OK)
        s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_list(db, &uploads_table, &page, &rows, &more, err);
    store_give_back(context->store, db);
    return s == OK ? api_answer_page(response, rows, more, err) : s;
}

/* Without a socket: there are no bytes. */
static status put(struct api_context *context, const struct api_request *request, struct api_response *response,
                  struct error *err)
{
    (void)context;
    (void)request;
    (void)err;
    api_problem(response, 415, "unsupported", "the bytes of an upload come as the raw body of a request to the server",
                "PUT the file itself, with Content-Type: application/octet-stream", NULL);
    return OK;
}

static status delete_upload(struct api_context *context, const struct api_request *request,
                            struct api_response *response, struct error *err)
{
    struct api_write write = {0};
    char user[256] = "";
    const char *id = request->params[0];
    json_t *record = NULL;
    status s = api_write_begin(context, &write, err);
    if (s == OK)
        s = record_get(write.db, &uploads_table, id, &record, err);
    if (s == OK)
        s = upload_user(write.db, id, user, sizeof user, err);
    if (s == OK && user[0]) {
        s = error_set(err, ERR_CONFLICT, "the job '%s' takes this upload", user);
        error_hint(err, "switch the job off or give it another upload first");
    }
    if (s == OK)
        s = api_audit(&write, request, "upload.delete", "upload", id, NULL, err);
    if (s == OK)
        s = record_delete(write.db, &uploads_table, id, err);
    if (s == OK)
        s = api_write_commit(&write, err);
    api_write_end(&write);
    json_decref(record);
    if (s == OK)
        s = upload_remove_files(context, id, err);
    if (s == OK)
        response->status = 204;
    return s;
}

static const struct api_query_param list_params[] = {QUERY_PAGE, {0}};
static const struct api_query_param create_params[] = {{"filename", "With a raw body: the file's name.", QUERY_TEXT},
                                                       {0}};

static const struct route routes[] = {
    {.method = "GET",
     .pattern = "/api/uploads",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "Uploads, newest first",
     .answer_list = true,
     .success = 200,
     .handle = list,
     .params = list_params},
    {.method = "POST",
     .pattern = "/api/uploads",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Announce an upload (JSON), or send a whole file as the raw body with ?filename=",
     .body = &upload_fields,
     .success = 201,
     .handle = create,
     .params = create_params,
     .stream = ROUTE_UPLOAD},
    {.method = "GET",
     .pattern = "/api/uploads/{id}",
     .role = ROLE_VIEWER,
     .layer_centric = true,
     .summary = "An upload; size is what was received",
     .success = 200,
     .handle = get},
    {.method = "PUT",
     .pattern = "/api/uploads/{id}",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "The file's bytes as the raw body; Upload-Offset or Content-Range goes on where it stopped",
     .success = 200,
     .handle = put,
     .stream = ROUTE_UPLOAD},
    {.method = "DELETE",
     .pattern = "/api/uploads/{id}",
     .role = ROLE_EDITOR,
     .layer_centric = true,
     .summary = "Remove an upload that no enabled job takes",
     .success = 204,
     .handle = delete_upload},
};

const struct route_table upload_routes = {routes, ARRAY_LENGTH(routes)};
