#include <stdio.h>
#include <stdlib.h>

#include "api/route.h"

#define PAGE_MOST 500
#define PAGE_USUAL 50

void api_response_release(struct api_response *response)
{
    json_decref(response->body);
    free(response->text);
    free(response->file_path);
    *response = (struct api_response){0};
}

status api_page(const struct api_request *request, size_t *limit, const char **after, struct error *err)
{
    uint64_t n = PAGE_USUAL;
    const char *wanted = json_text(request->query, "limit", NULL);
    if (wanted && (!str_parse_u64(str_of(wanted), PAGE_MOST, &n) || n == 0)) {
        status s = error_set(err, ERR_INVALID, "limit=%s: not a whole number from 1 to %d", wanted, PAGE_MOST);
        error_hint(err, "leave it out for pages of %d", PAGE_USUAL);
        return s;
    }
    const char *cursor = json_text(request->query, "cursor", NULL);
    if (cursor && (!cursor[0] || strlen(cursor) > 64)) {
        status s = error_set(err, ERR_INVALID, "cursor=%.80s: not a cursor", cursor);
        error_hint(err, "take next_cursor of the page before, or leave it out for the first page");
        return s;
    }
    *limit = (size_t)n;
    *after = cursor;
    return OK;
}

/* Ids are texts, of log lines and audit entries numbers. */
static json_t *cursor_of(const json_t *row)
{
    json_t *id = json_object_get(row, "id");
    char text[32];
    if (json_is_string(id))
        return json_incref(id);
    if (!json_is_integer(id))
        return json_null();
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(id));
    return json_string(text);
}

status api_answer_page(struct api_response *response, json_t *rows, bool more, struct error *err)
{
    json_t *page = json_object();
    size_t count = json_array_size(rows);
    json_t *next = more && count ? cursor_of(json_array_get(rows, count - 1)) : json_null();
    status s = page ? OK : error_no_memory(err, 64);
    if (s == OK) {
        s = json_put(page, "items", rows, err);
        rows = NULL;
    }
    if (s == OK) {
        s = json_put(page, "next_cursor", next, err);
        next = NULL;
    }
    if (s == OK) {
        response->status = 200;
        response->body = json_incref(page);
    }
    json_decref(rows);
    json_decref(next);
    json_decref(page);
    return s;
}
