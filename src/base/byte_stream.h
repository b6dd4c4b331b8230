/* Where bytes come from and go to. Codecs know only these two interfaces; files, decompressors,
 * network bodies and test memory implement them.
 *
 * Lifecycle: the creator fills in the table and `self`; the holder calls close exactly once, also
 * after an error. A zeroed struct may be closed (nothing happens). */
#ifndef FF_BASE_BYTE_STREAM_H
#define FF_BASE_BYTE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct byte_source_ops {
    /* Read up to `cap` (> 0) bytes into `into`; *got == 0 means the end. Short reads are allowed
     * anywhere. After an error the source may only be closed. */
    status (*read)(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err);
    void (*close)(void *self);
};

struct byte_source {
    const struct byte_source_ops *ops;
    void *self;
};

struct byte_sink_ops {
    /* Write all `n` bytes or fail. */
    status (*write)(void *self, const uint8_t *bytes, size_t n, struct error *err);
    /* Flush what is buffered and finish the stream (trailers of compressed formats). Called at most
     * once, before close. */
    status (*finish)(void *self, struct error *err);
    void (*close)(void *self);
};

struct byte_sink {
    const struct byte_sink_ops *ops;
    void *self;
};

status byte_source_read(struct byte_source *source, uint8_t *into, size_t cap, size_t *got, struct error *err) MUST_USE;
/* Read until `cap` bytes are there or the input ends; *got < cap only at the end. */
status byte_source_read_full(struct byte_source *source, uint8_t *into, size_t cap, size_t *got,
                             struct error *err) MUST_USE;
void byte_source_close(struct byte_source *source);

status byte_sink_write(struct byte_sink *sink, const void *bytes, size_t n, struct error *err) MUST_USE;
status byte_sink_finish(struct byte_sink *sink, struct error *err) MUST_USE;
void byte_sink_close(struct byte_sink *sink);

/* In memory: for tests and for small objects. The bytes stay owned by the caller. */
status byte_source_memory(struct byte_source *source, const void *bytes, size_t n, struct error *err) MUST_USE;

#endif
