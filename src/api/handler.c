#include "api/handler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *api_query(const struct api_request *request, const char *name)
{
    const char *text = json_text(request->query, name, NULL);
    return text && *text ? text : NULL;
}

status api_query_flag(const struct api_request *request, const char *name, bool fallback, bool *value,
                      struct error *err)
{
    const char *text = api_query(request, name);
    bool yes = text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);
    if (text && !yes && strcmp(text, "false") != 0 && strcmp(text, "0") != 0)
        return error_set(err, ERR_INVALID, "?%s=%.100s: it is true or false", name, text);
    *value = text ? yes : fallback;
    return OK;
}

status api_query_number(const struct api_request *request, const char *name, int64_t min, int64_t max, int64_t fallback,
                        int64_t *value, struct error *err)
{
    const char *text = api_query(request, name);
    if (!text) {
        *value = fallback;
        return OK;
    }
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (*end || errno || text[0] == ' ' || n < min || n > max)
        return error_set(err, ERR_INVALID, "?%s=%.100s: it is a whole number from %lld to %lld", name, text,
                         (long long)min, (long long)max);
    *value = n;
    return OK;
}

status api_query_choice(const struct api_request *request, const char *name, const char *const *choices,
                        const char **value, struct error *err)
{
    const char *text = api_query(request, name);
    *value = NULL;
    if (!text)
        return OK;
    char list[256] = "";
    for (size_t i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *value = choices[i];
            return OK;
        }
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", choices[i]);
    }
    return error_set(err, ERR_INVALID, "?%s=%.100s: it is one of %s", name, text, list);
}

status api_answer(struct api_response *response, int code, json_t *body, struct error *err)
{
    if (!body)
        return error_no_memory(err, 64);
    json_decref(response->body);
    response->body = body;
    response->status = code;
    return OK;
}

/* Quoted updated_at, which every update changes. */
static void etag_of(const json_t *record, char *into, size_t cap)
{
    const char *time = json_text(record, "updated_at", NULL);
    into[0] = '\0';
    if (time)
        snprintf(into, cap, "\"%.40s\"", time);
}

status api_answer_record(struct api_response *response, int code, json_t *record, struct error *err)
{
    status s = api_answer(response, code, record, err);
    if (s == OK)
        etag_of(record, response->etag, sizeof response->etag);
    return s;
}

/* Is `etag` in the list of If-Match (RFC 9110 13.1.1, strong comparison)? */
static bool etag_listed(const char *list, const char *etag)
{
    if (strcmp(list, "*") == 0)
        return true;
    for (const char *at = list; *etag && (at = strstr(at, etag)); at++)
        if (at == list || at[-1] != '/')
            return true;
    return false;
}

status api_match(const struct api_request *request, const json_t *record, struct error *err)
{
    char etag[64];
    etag_of(record, etag, sizeof etag);
    if (!request->if_match || etag_listed(request->if_match, etag))
        return OK;
    status s = error_set(err, ERR_PRECONDITION, "the record was changed at %s by another request",
                         json_text(record, "updated_at", "some time"));
    error_hint(err, "Read it again, apply your change to what it is now and send that with the new ETag.");
    return s;
}

status api_answer_problems(struct api_response *response, json_t *problems, struct error *err)
{
    struct field_errors errors = {.list = problems};
    status s = api_problem_fields(response, &errors, err);
    field_errors_release(&errors);
    return s;
}

status api_write_begin(struct api_context *context, struct api_write *write, struct error *err)
{
    write->store = context->store;
    status s = store_writer(context->store, &write->db, err);
    return s == OK ? db_begin(write->db, err) : s;
}

status api_write_commit(struct api_write *write, struct error *err)
{
    return db_commit(write->db, err);
}

void api_write_end(struct api_write *write)
{
    if (write->db)
        store_give_back(write->store, write->db);
    write->db = NULL;
}

status api_audit(struct api_write *write, const struct api_request *request, const char *action, const char *type,
                 const char *id, json_t *details, struct error *err)
{
    status s = audit_add(write->db, request->actor ? request->actor : "", action, type, id, details, err);
    json_decref(details);
    return s;
}

status api_changed_members(const json_t *body, json_t **details, struct error *err)
{
    json_t *object = json_object(), *names = json_array(), *value;
    const char *key;
    if (!object || !names) {
        json_decref(object);
        json_decref(names);
        return error_no_memory(err, 64);
    }
    status s = OK;
    json_object_foreach((json_t *)body, key, value)
    {
        if (s == OK)
            s = json_add(names, json_string(key), err);
    }
    if (s == OK)
        s = json_put(object, "members", json_incref(names), err);
    json_decref(names);
    if (s != OK) {
        json_decref(object);
        return s;
    }
    *details = object;
    return OK;
}

status api_pipeline(struct api_context *context, const struct api_request *request, json_t **pipeline,
                    struct error *err)
{
    struct db *db = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = pipeline_find(db, request->params[0], pipeline, err);
    store_give_back(context->store, db);
    return s;
}
