#include "source/chunk_reader.h"

#include <stdlib.h>
#include <string.h>

#include "sys/clock.h"

/* A read is large enough to amortise the call and small enough to leave its bytes in the L2 cache for the cutter. */
#define READ_BYTES (1u << 20)

status chunk_reader_init(struct chunk_reader *r, struct byte_source source, struct text_cutter cutter,
                         size_t chunk_bytes, struct str first, uint64_t offset, struct error *err)
{
    *r = (struct chunk_reader){.source = source, .cutter = cutter, .chunk_bytes = chunk_bytes, .offset = offset};
    status s = buf_append_str(&r->carry, first, err);
    if (s != OK)
        chunk_reader_release(r);
    return s;
}

static status grow(struct chunk_buffer *b, size_t cap, size_t used, struct error *err)
{
    if (cap <= b->cap)
        return OK;
    uint8_t *memory = malloc(cap + 2 * TEXT_PAD);
    if (!memory)
        return error_no_memory(err, cap);
    memset(memory, 0, TEXT_PAD);
    if (used)
        memcpy(memory + TEXT_PAD, b->memory + TEXT_PAD, used);
    free(b->memory);
    b->memory = memory;
    b->cap = cap;
    return OK;
}

/* Read until `cap` bytes stand in the buffer or the input ends. */
static status fill(struct chunk_reader *r, struct chunk_buffer *b, size_t *len, size_t cap, struct error *err)
{
    double start = clock_seconds();
    while (*len < cap && !r->source_ended) {
        size_t room = cap - *len, got;
        status s =
            byte_source_read(&r->source, b->memory + TEXT_PAD + *len, room < READ_BYTES ? room : READ_BYTES, &got, err);
        if (s != OK)
            return s;
        r->source_ended = got == 0;
        *len += got;
    }
    r->read_seconds += clock_seconds() - start;
    return OK;
}

status chunk_reader_next(struct chunk_reader *r, struct chunk_buffer *b, struct text_chunk *chunk, bool *end,
                         struct error *err)
{
    *end = r->ended;
    if (r->ended)
        return OK;
    size_t cap = r->chunk_bytes > r->carry.len ? r->chunk_bytes : r->carry.len + READ_BYTES;
    status s = grow(b, cap, 0, err);
    if (s != OK)
        return s;
    uint8_t *text = b->memory + TEXT_PAD;
    size_t len = r->carry.len, scanned = 0, cut = 0;
    if (len)
        memcpy(text, r->carry.data, len);
    buf_clear(&r->carry);
    for (;;) {
        s = fill(r, b, &len, cap, err);
        if (s != OK)
            return s;
        /* One byte more tells whether the input ends exactly here; the cutter only has to know when it does. */
        memset(text + len, 0, TEXT_PAD);
        *chunk = (struct text_chunk){.byte_offset = r->offset, .sequence = r->sequence};
        if (len == 0) { /* the cutter is told: what it has open is an error of the whole input */
            r->ended = *end = true;
            return r->cutter.ops->cut(r->cutter.self, text, 0, 0, true, &cut, chunk, err);
        }
        s = r->cutter.ops->cut(r->cutter.self, text, len, scanned, r->source_ended, &cut, chunk, err);
        if (s != OK)
            return s;
        if (cut > 0)
            break;
        scanned = len;
        cap = len * 2;
        s = grow(b, cap, len, err);
        if (s != OK)
            return s;
        text = b->memory + TEXT_PAD;
    }
    s = buf_append(&r->carry, text + cut, len - cut, err);
    if (s != OK)
        return s;
    chunk->data = text;
    chunk->len = cut;
    chunk->last = r->source_ended && cut == len;
    if (chunk->last) {
        /* The last record may lack its line end; decoders may look at the byte after the text. A CR must stay alone. */
        if (text[len - 1] != '\r')
            text[len] = '\n';
        r->ended = true;
    }
    r->offset += cut;
    r->sequence++;
    return OK;
}

void chunk_reader_release(struct chunk_reader *r)
{
    byte_source_close(&r->source);
    text_cutter_free(&r->cutter);
    buf_release(&r->carry);
    r->ended = true;
}

void chunk_buffer_release(struct chunk_buffer *b)
{
    free(b->memory);
    *b = (struct chunk_buffer){0};
}
