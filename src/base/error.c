#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *slug;
    int http;
    int exit_code;
    bool retryable;
} code_table[STATUS_COUNT] = {
#define ERROR_CODE(symbol, slug_, http_, exit_, retryable_)                                                            \
    [symbol] = {.slug = slug_, .http = http_, .exit_code = exit_, .retryable = retryable_},
#include "base/error_codes.def"
#undef ERROR_CODE
};

/* User data (file names, cells) ends up in messages: keep terminals and logs safe from it. */
static void mask_control_bytes(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
}

status error_set(struct error *err, status code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        mask_control_bytes(err->message);
        err->hint[0] = '\0';
        err->code = code;
    }
    return code;
}

static status code_of_errno(int sys_errno)
{
    switch (sys_errno) {
    case ENOSPC:
    case EDQUOT:
        return ERR_NO_SPACE;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_DENIED;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case ENOMEM:
        return ERR_NO_MEMORY;
    default:
        return ERR_IO;
    }
}

status error_set_errno(struct error *err, int sys_errno, const char *format, ...)
{
    status code = code_of_errno(sys_errno);
    if (err) {
        char reason[128];
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ": %s", strerror_r(sys_errno, reason, sizeof reason));
        mask_control_bytes(err->message);
        err->hint[0] = '\0';
        if (code == ERR_NO_SPACE)
            error_hint(err, "free some space on that file system, or write elsewhere");
        err->code = code;
    }
    return code;
}

status error_no_memory(struct error *err, unsigned long wanted)
{
    status code = error_set(err, ERR_NO_MEMORY, "out of memory: %lu bytes could not be had", wanted);
    error_hint(err, "lower --memory or --threads, or free memory on this machine");
    return code;
}

status error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return ERR_INTERNAL;
    char joined[sizeof err->message];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(joined, sizeof joined, format, args);
    va_end(args);
    size_t at = used < 0 ? 0 : (size_t)used;
    if (at + 3 < sizeof joined) {
        size_t room = sizeof joined - at - 3;
        size_t n = strnlen(err->message, room);
        memcpy(joined + at, ": ", 2);
        memcpy(joined + at + 2, err->message, n);
        joined[at + 2 + n] = '\0';
    }
    memcpy(err->message, joined, sizeof joined);
    mask_control_bytes(err->message);
    return err->code;
}

void error_hint(struct error *err, const char *format, ...)
{
    if (!err)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(err->hint, sizeof err->hint, format, args);
    va_end(args);
    mask_control_bytes(err->hint);
}

const char *status_slug(status code)
{
    return code_table[code].slug;
}
int status_http(status code)
{
    return code_table[code].http;
}
int status_exit_code(status code)
{
    return code_table[code].exit_code;
}
bool status_retryable(status code)
{
    return code_table[code].retryable;
}
