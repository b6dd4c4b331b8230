#include "base/field.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define SUMMED_MOST 5

/* User data that was cut in the middle of a character would not be JSON. */
static void repair_utf8(char *text)
{
    uint8_t *p = (uint8_t *)text;
    size_t left = strlen(text);
    while (left > 0) {
        size_t n = *p < 0x80 ? 1 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
        if (n > left || !utf8_is_valid(p, n)) {
            *p = '?';
            n = 1;
        } else if (n == 1 && (*p < 0x20 || *p == 0x7f)) {
            *p = ' ';
        }
        p += n;
        left -= n;
    }
}

status field_error_add(struct field_errors *errors, struct error *err, const char *pointer, const char *code,
                       const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    repair_utf8(message);
    if (!errors->list)
        errors->list = json_array();
    if (!errors->list)
        return error_no_memory(err, sizeof message);
    json_t *item = json_object();
    if (!item)
        return error_no_memory(err, sizeof message);
    status s = json_put_text(item, "pointer", pointer, err);
    if (s == OK)
        s = json_put_text(item, "code", code, err);
    if (s == OK)
        s = json_put_text(item, "message", message, err);
    if (s != OK) {
        json_decref(item);
        return s;
    }
    return json_add(errors->list, item, err);
}

size_t field_errors_count(const struct field_errors *errors)
{
    return json_array_size(errors->list);
}

void field_errors_release(struct field_errors *errors)
{
    json_decref(errors->list);
    errors->list = NULL;
}

status field_errors_status(const struct field_errors *errors, struct error *err)
{
    size_t count = field_errors_count(errors);
    struct buf text = {0};
    if (count == 0)
        return OK;
    status s = OK;
    for (size_t i = 0; s == OK && i < count && i < SUMMED_MOST; i++) {
        const json_t *item = json_array_get(errors->list, i);
        const char *pointer = json_text(item, "pointer", "");
        s = buf_printf(&text, err, "%s%s%s%s", i ? "; " : "", pointer, *pointer ? ": " : "",
                       json_text(item, "message", ""));
    }
    if (s == OK && count > SUMMED_MOST)
        s = buf_printf(&text, err, "; and %zu more", count - SUMMED_MOST);
    if (s == OK) {
        struct str all = buf_str(&text);
        s = error_set(err, ERR_INVALID, "%.*s", (int)str_utf8_prefix(all, 1000), all.p);
    }
    buf_release(&text);
    return s;
}
