#include "shape/row_marks.h"

#include <stdlib.h>

#include "sys/file.h"

#define RANGE_BYTES_MIN 512
#define RANGE_BYTES_MAX ((uint64_t)256 << 20) /* so that a row within its range fits 32 bits */
#define LOG_BLOCK_MIN 256
#define LOG_BLOCK_MAX ((size_t)64 << 10)

void row_marks_init(struct row_marks *marks, size_t memory, struct spill_file *spill)
{
    *marks = (struct row_marks){.memory = memory, .spill = spill, .range_bytes = RANGE_BYTES_MIN};
    while (marks->range_bytes * 4 <= memory && marks->range_bytes < RANGE_BYTES_MAX)
        marks->range_bytes *= 2;
    spill_file_init(&marks->file, spill->dir);
}

void row_marks_release(struct row_marks *marks)
{
    for (size_t i = 0; i < marks->range_count; i++)
        spill_chain_release(&marks->logs[i]);
    free(marks->logs);
    buf_release(&marks->bits);
    spill_file_release(&marks->file);
    *marks = (struct row_marks){0};
}

static status grow_bits(struct row_marks *marks, size_t wanted, struct error *err)
{
    uint8_t *added;
    size_t bytes = marks->bits.len + marks->bits.len / 2;
    if (bytes < wanted)
        bytes = wanted;
    if (bytes > marks->memory)
        bytes = marks->memory;
    return buf_extend_zero(&marks->bits, bytes - marks->bits.len, &added, err);
}

static status move_to_disk(struct row_marks *marks, struct error *err)
{
    status s = spill_file_open(&marks->file, err);
    if (s == OK)
        s = file_pwrite_all(marks->file.fd, marks->bits.data, marks->bits.len, 0, marks->file.name, err);
    if (s != OK)
        return s;
    marks->file.end = marks->bits.len;
    marks->on_disk = true;
    buf_release(&marks->bits);
    return OK;
}

static status flush_logs(struct row_marks *marks, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < marks->range_count; i++)
        s = spill_flush(marks->spill, &marks->logs[i], err);
    marks->log_memory = 0;
    return s;
}

static status log_row(struct row_marks *marks, uint64_t row, struct error *err)
{
    uint64_t rows_per_range = marks->range_bytes * 8;
    size_t range = row / rows_per_range;
    uint32_t within = (uint32_t)(row % rows_per_range);
    size_t block = marks->memory / 32;
    block = block < LOG_BLOCK_MIN ? LOG_BLOCK_MIN : block > LOG_BLOCK_MAX ? LOG_BLOCK_MAX : block;
    if (range >= marks->range_count) {
        size_t count = range + 1 + range / 2;
        struct spill_chain *logs = realloc(marks->logs, count * sizeof *logs);
        if (!logs)
            return error_no_memory(err, count * sizeof *logs);
        memset(logs + marks->range_count, 0, (count - marks->range_count) * sizeof *logs);
        marks->logs = logs;
        marks->range_count = count;
    }
    struct spill_chain *chain = &marks->logs[range];
    status s = OK;
    if (chain->block.cap == 0) {
        if (marks->log_memory + block > marks->memory / 2)
            s = flush_logs(marks, err);
        marks->log_memory += block;
    }
    return s == OK ? spill_append(marks->spill, chain, block, &within, sizeof within, NULL, 0, err) : s;
}

status row_marks_put(struct row_marks *marks, uint64_t row, struct error *err)
{
    status s = OK;
    if (!marks->on_disk && row / 8 >= marks->bits.len)
        s = row / 8 < marks->memory ? grow_bits(marks, row / 8 + 1, err) : move_to_disk(marks, err);
    if (s != OK)
        return s;
    if (marks->on_disk)
        return log_row(marks, row, err);
    marks->bits.data[row >> 3] |= (uint8_t)(1u << (row & 7));
    return OK;
}

/* Bits [at, at + n) of the file, in bytes; zeros beyond its end. */
static status read_bits(const struct row_marks *marks, uint64_t at, uint8_t *into, size_t n, struct error *err)
{
    uint64_t there = at < marks->file.end ? marks->file.end - at : 0;
    size_t from_file = there < n ? (size_t)there : n;
    memset(into + from_file, 0, n - from_file);
    return from_file ? file_pread_all(marks->file.fd, into, from_file, at, marks->file.name, err) : OK;
}

static status seal_range(struct row_marks *marks, size_t range, struct buf *block, struct error *err)
{
    struct spill_chain *chain = &marks->logs[range];
    struct str records;
    uint64_t at = range * marks->range_bytes;
    status s = buf_resize(&marks->bits, marks->range_bytes, err);
    if (s == OK)
        s = read_bits(marks, at, marks->bits.data, marks->range_bytes, err);
    while (s == OK) {
        s = spill_take(marks->spill, chain, block, &records, err);
        if (s != OK || records.n == 0)
            break;
        const uint32_t *rows = (const uint32_t *)records.p;
        for (size_t i = 0; i < records.n / sizeof *rows; i++)
            marks->bits.data[rows[i] >> 3] |= (uint8_t)(1u << (rows[i] & 7));
    }
    if (s == OK)
        s = file_pwrite_all(marks->file.fd, marks->bits.data, marks->range_bytes, at, marks->file.name, err);
    if (s == OK && marks->file.end < at + marks->range_bytes)
        marks->file.end = at + marks->range_bytes;
    return s;
}

status row_marks_seal(struct row_marks *marks, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < ROW_MARKS_AHEAD; i++)
        if (marks->ahead[i])
            s = row_marks_put(marks, marks->ahead[i] - 1, err);
    if (s != OK || !marks->on_disk)
        return s;
    struct buf block = {0};
    s = flush_logs(marks, err);
    for (size_t i = 0; s == OK && i < marks->range_count; i++)
        if (marks->logs[i].last_length)
            s = seal_range(marks, i, &block, err);
    buf_release(&block);
    buf_release(&marks->bits);
    return s;
}

/* Byte `at` of the bits in memory and 0 beyond them. */
static inline unsigned bits_byte(const struct buf *bits, uint64_t at)
{
    return at < bits->len ? bits->data[at] : 0;
}

/* to[i] = the 8 bits that begin at bit `shift` of from[i]; from has n + 1 bytes. */
static void shift_down(uint8_t *to, const uint8_t *from, size_t n, unsigned shift)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)((from[i] | (unsigned)from[i + 1] << 8) >> shift);
}

static status marked_bits(const struct row_marks *marks, uint64_t first, size_t bytes, uint8_t *into, struct error *err)
{
    unsigned shift = first & 7;
    uint64_t at = first >> 3;
    if (!marks->on_disk) {
        for (size_t i = 0; i < bytes; i++)
            into[i] = (uint8_t)((bits_byte(&marks->bits, at + i) | bits_byte(&marks->bits, at + i + 1) << 8) >> shift);
        return OK;
    }
    uint8_t piece[4096 + 1];
    status s = OK;
    for (size_t done = 0; s == OK && done < bytes;) {
        size_t n = bytes - done < sizeof piece - 1 ? bytes - done : sizeof piece - 1;
        s = read_bits(marks, at + done, piece, n + 1, err);
        if (s == OK)
            shift_down(into + done, piece, n, shift);
        done += n;
    }
    return s;
}

status row_marks_unmarked(const struct row_marks *marks, uint64_t first, size_t rows, uint8_t *keep, size_t *kept,
                          struct error *err)
{
    size_t bytes = (rows + 7) / 8, total = 0;
    status s = marked_bits(marks, first, bytes, keep, err);
    if (s != OK)
        return s;
    for (size_t i = 0; i < bytes; i++)
        keep[i] = (uint8_t)~keep[i];
    if (rows & 7)
        keep[bytes - 1] &= (uint8_t)((1u << (rows & 7)) - 1);
    for (size_t i = 0; i < bytes; i++)
        total += (unsigned)__builtin_popcount(keep[i]);
    *kept = total;
    return OK;
}
