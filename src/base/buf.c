#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

status buf_reserve(struct buf *b, size_t more, struct error *err)
{
    if (b->data && more <= b->cap - b->len)
        return OK;
    if (more > SIZE_MAX / 4 - b->len)
        return error_no_memory(err, more);
    size_t wanted = b->len + more;
    size_t cap = b->cap + b->cap / 2;
    if (cap < wanted)
        cap = wanted;
    if (cap < 256)
        cap = 256;
    uint8_t *data = realloc(b->data, cap + BUF_PAD);
    if (!data)
        return error_no_memory(err, cap + BUF_PAD);
    memset(data + cap, 0, BUF_PAD);
    b->data = data;
    b->cap = cap;
    return OK;
}

status buf_append(struct buf *b, const void *bytes, size_t n, struct error *err)
{
    status s = buf_reserve(b, n, err);
    if (s == OK)
        buf_append_unsafe(b, bytes, n);
    return s;
}

status buf_append_str(struct buf *b, struct str s, struct error *err)
{
    return buf_append(b, s.p, s.n, err);
}

status buf_printf(struct buf *b, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    status s =
        n < 0 ? error_set(err, ERR_INTERNAL, "a message could not be formatted") : buf_reserve(b, (size_t)n + 1, err);
    if (s == OK) {
        vsnprintf((char *)b->data + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return s;
}

status buf_extend_zero(struct buf *b, size_t n, uint8_t **at, struct error *err)
{
    status s = buf_reserve(b, n, err);
    if (s != OK)
        return s;
    *at = b->data ? b->data + b->len : NULL; /* no offset to no memory when n is 0 */
    if (n)
        memset(*at, 0, n);
    b->len += n;
    return OK;
}

status buf_resize(struct buf *b, size_t n, struct error *err)
{
    if (n > b->len) {
        status s = buf_reserve(b, n - b->len, err);
        if (s != OK)
            return s;
    }
    b->len = n;
    return OK;
}

void buf_release(struct buf *b)
{
    free(b->data);
    *b = (struct buf){0};
}
