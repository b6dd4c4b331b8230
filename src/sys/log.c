#include "sys/log.h"

#include "base/civil.h"
#include "sys/file.h"

void log_line(enum log_level level, const char *message, json_t *fields)
{
    static const char *const levels[] = {"info", "warning", "error"};
    char time[TIME_TEXT_CAP];
    struct buf text = {0};
    json_t *line = json_object();
    time_text(civil_micros_now(), time);
    status s = json_put_text(line, "time", time, NULL);
    if (s == OK)
        s = json_put_text(line, "level", levels[level], NULL);
    if (s == OK)
        s = json_put_text(line, "message", message, NULL);
    if (s == OK && fields && json_object_update_missing(line, fields) != 0)
        s = ERR_NO_MEMORY;
    if (s == OK)
        s = json_write(line, &text, NULL);
    if (s == OK)
        s = buf_append(&text, "\n", 1, NULL);
    if (s == OK)
        s = file_write_all(2, text.data, text.len, "standard error", NULL);
    json_decref(fields);
    json_decref(line);
    buf_release(&text);
}

void log_error(const char *message, const struct error *err)
{
    json_t *fields = json_object();
    status s = json_put_text(fields, "code", status_slug(err->code), NULL);
    if (s == OK)
        s = json_put_text(fields, "detail", err->message, NULL);
    if (s == OK && err->hint[0])
        s = json_put_text(fields, "hint", err->hint, NULL);
    if (s != OK) {
        json_decref(fields);
        fields = NULL;
    }
    log_line(LOG_ERROR, message, fields);
}
