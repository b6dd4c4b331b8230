#include "base/byte_stream.h"

#include <stdlib.h>
#include <string.h>

status byte_source_read(struct byte_source *source, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    return source->ops->read(source->self, into, cap, got, err);
}

status byte_source_read_full(struct byte_source *source, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    size_t total = 0;
    while (total < cap) {
        size_t n;
        status s = byte_source_read(source, into + total, cap - total, &n, err);
        if (s != OK)
            return s;
        if (n == 0)
            break;
        total += n;
    }
    *got = total;
    return OK;
}

void byte_source_close(struct byte_source *source)
{
    if (source->ops)
        source->ops->close(source->self);
    *source = (struct byte_source){0};
}

status byte_sink_write(struct byte_sink *sink, const void *bytes, size_t n, struct error *err)
{
    return sink->ops->write(sink->self, bytes, n, err);
}

status byte_sink_finish(struct byte_sink *sink, struct error *err)
{
    return sink->ops->finish(sink->self, err);
}

void byte_sink_close(struct byte_sink *sink)
{
    if (sink->ops)
        sink->ops->close(sink->self);
    *sink = (struct byte_sink){0};
}

struct memory_source {
    const uint8_t *at;
    size_t left;
};

static status memory_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct memory_source *m = self;
    (void)err;
    size_t n = cap < m->left ? cap : m->left;
    if (n) { /* nothing may be added to a null pointer, not even zero */
        memcpy(into, m->at, n);
        m->at += n;
        m->left -= n;
    }
    *got = n;
    return OK;
}

static const struct byte_source_ops memory_ops = {.read = memory_read, .close = free};

status byte_source_memory(struct byte_source *source, const void *bytes, size_t n, struct error *err)
{
    struct memory_source *m = malloc(sizeof *m);
    if (!m)
        return error_no_memory(err, sizeof *m);
    *m = (struct memory_source){bytes, n};
    *source = (struct byte_source){&memory_ops, m};
    return OK;
}
