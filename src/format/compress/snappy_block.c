#include <setjmp.h>
#include <snappy-c.h>

#include "format/compress/stream.h"

/* Snappy is C++ behind a C interface. Its only allocation is the first thing a call does, and when that fails it throws
 * an exception that no C caller can catch: the program would be aborted. C++ asks a handler before it throws, so the
 * handler leaves the call instead. At that moment snappy holds nothing that would be lost. */
typedef void new_handler(void);
new_handler *set_new_handler(new_handler *handler) __asm__("_ZSt15set_new_handlerPFvvE");

static _Thread_local jmp_buf *way_out;

static void out_of_memory(void)
{
    if (way_out)
        longjmp(*way_out, 1);
    set_new_handler(NULL); /* not within snappy: C++ tries again, finds no handler and throws */
}

static status compress(const void *bytes, size_t n, char *to, size_t *length, struct error *err)
{
    jmp_buf here;
    set_new_handler(out_of_memory);
    if (setjmp(here) != 0) {
        way_out = NULL;
        return error_no_memory(err, n);
    }
    way_out = &here;
    snappy_status done = snappy_compress(bytes, n, to, length);
    way_out = NULL;
    return done == SNAPPY_OK ? OK : error_set(err, ERR_INTERNAL, "snappy could not compress a block of %zu bytes", n);
}

status snappy_block(const void *bytes, size_t n, struct buf *to, struct error *err)
{
    size_t length = snappy_max_compressed_length(n);
    status s = buf_reserve(to, length, err);
    if (s == OK)
        s = compress(bytes, n, (char *)to->data + to->len, &length, err);
    if (s == OK)
        to->len += length;
    return s;
}
