#include "api/problem.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {424, "Failed Dependency"},
    {499, "Client Closed Request"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

const char *http_reason(int http_status)
{
    for (size_t i = 0; i < ARRAY_LENGTH(reasons); i++)
        if (reasons[i].status == http_status)
            return reasons[i].reason;
    return http_status < 500 ? "Request Problem" : "Server Problem";
}

/* Messages are cut to a buffer's size, which may cut a character; jansson refuses text that is not UTF-8. */
static json_t *text_value(const char *text)
{
    size_t n = strlen(text);
    for (size_t cut = 0; cut <= n && cut < 4; cut++)
        if (str_is_utf8((struct str){text, n - cut}))
            return json_stringn(text, n - cut);
    char *ascii = strdup(text);
    if (!ascii)
        return NULL;
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    json_t *value = json_string(ascii);
    free(ascii);
    return value;
}

void api_problem(struct api_response *response, int http_status, const char *code, const char *detail, const char *hint,
                 const json_t *errors)
{
    char allow[sizeof response->allow];
    memcpy(allow, response->allow, sizeof allow);
    api_response_release(response);
    memcpy(response->allow, allow, sizeof allow);
    response->status = http_status;
    response->retry_after = http_status == 503 ? 1 : 0;
    json_t *body = json_object();
    status s = json_put_text(body, "type", "about:blank", NULL);
    if (s == OK)
        s = json_put_text(body, "title", http_reason(http_status), NULL);
    if (s == OK)
        s = json_put_int(body, "status", http_status, NULL);
    if (s == OK)
        s = json_put(body, "detail", text_value(detail), NULL);
    if (s == OK)
        s = json_put_text(body, "code", code, NULL);
    if (s == OK && hint && hint[0])
        s = json_put(body, "hint", text_value(hint), NULL);
    if (s == OK)
        s = json_put(body, "errors", errors ? json_deep_copy(errors) : json_array(), NULL);
    if (s != OK) {
        json_decref(body);
        return;
    }
    response->body = body;
    response->content_type = "application/problem+json";
}

void api_problem_error(struct api_response *response, const struct error *err)
{
    int http_status = status_http(err->code);
    api_problem(response, http_status == 200 ? 500 : http_status, status_slug(err->code), err->message, err->hint,
                NULL);
}

status api_problem_fields(struct api_response *response, struct field_errors *errors, struct error *err)
{
    size_t count = json_array_size(errors->list);
    if (count == 0)
        return error_set(err, ERR_INTERNAL, "a request was refused without a reason");
    char detail[512];
    const json_t *first = json_array_get(errors->list, 0);
    const char *pointer = json_text(first, "pointer", ""), *colon = *pointer ? ": " : ""; /* "": the whole request */
    if (count == 1)
        snprintf(detail, sizeof detail, "%s%s%s", pointer, colon, json_text(first, "message", ""));
    else
        snprintf(detail, sizeof detail, "%zu things are wrong, the first is %s%s%s", count, pointer, colon,
                 json_text(first, "message", ""));
    api_problem(response, 400, "invalid", detail, NULL, errors->list);
    field_errors_release(errors);
    return OK;
}
