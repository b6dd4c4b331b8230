/* A byte source over memory that hands out at most `step` bytes a read and notes that it was closed. */
#ifndef FF_TESTS_DRIP_SOURCE_H
#define FF_TESTS_DRIP_SOURCE_H

#include <string.h>

#include "base/byte_stream.h"

struct drip {
    const uint8_t *at;
    size_t left, step;
    int closed;
};

static status drip_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct drip *d = self;
    (void)err;
    size_t n = d->left < cap ? d->left : cap;
    if (n > d->step)
        n = d->step;
    if (n)
        memcpy(into, d->at, n);
    d->at += n;
    d->left -= n;
    *got = n;
    return OK;
}

static void drip_close(void *self)
{
    ((struct drip *)self)->closed++;
}

static const struct byte_source_ops drip_ops = {.read = drip_read, .close = drip_close};

static inline struct byte_source drip_open(struct drip *d, const void *bytes, size_t n, size_t step)
{
    *d = (struct drip){bytes, n, step, 0};
    return (struct byte_source){&drip_ops, d};
}

#endif
