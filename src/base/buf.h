/* A growable byte buffer on the fallible allocator. A zeroed struct is a valid empty buffer.
 * BUF_PAD readable bytes always follow data[cap - 1]'s reserve: vector code may load (never use)
 * up to that many bytes past `len`. */
#ifndef FF_BASE_BUF_H
#define FF_BASE_BUF_H

#include <stdint.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"

#define BUF_PAD 64

struct buf {
    uint8_t *data;
    size_t len; /* bytes in use */
    size_t cap; /* bytes that may be used; BUF_PAD more are allocated */
};

/* Make room for `more` bytes beyond len (cap grows geometrically); contents kept. Afterwards data is not null, even
 * when `more` is 0. */
status buf_reserve(struct buf *b, size_t more, struct error *err) MUST_USE;
status buf_append(struct buf *b, const void *bytes, size_t n, struct error *err) MUST_USE;
status buf_append_str(struct buf *b, struct str s, struct error *err) MUST_USE;
status buf_printf(struct buf *b, struct error *err, const char *format, ...) PRINTF_LIKE(3, 4) MUST_USE;
/* Grow by n zero bytes and return where they begin through *at. */
status buf_extend_zero(struct buf *b, size_t n, uint8_t **at, struct error *err) MUST_USE;
/* len becomes n; bytes beyond the former len are undefined. */
status buf_resize(struct buf *b, size_t n, struct error *err) MUST_USE;
/* Forget the contents, keep the memory. */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
}
void buf_release(struct buf *b);

static inline struct str buf_str(const struct buf *b)
{
    return (struct str){(const char *)b->data, b->len};
}

/* Room for it was reserved before. */
static inline void buf_append_unsafe(struct buf *b, const void *bytes, size_t n)
{
    if (n)
        memcpy(b->data + b->len, bytes, n);
    b->len += n;
}

#endif
