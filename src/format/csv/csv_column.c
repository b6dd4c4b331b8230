#include "format/csv/csv_column.h"

#include "batch/cast_inline.h"

/* A dictionary is given up when, after SAMPLE rows, almost every value was new, or when it outgrows its limits. */
#define DICT_SAMPLE_ROWS 4096
#define DICT_SAMPLE_MOST (DICT_SAMPLE_ROWS * 9 / 10)
#define DICT_MOST_BYTES (1u << 20)
#define DICT_RETRY_CHUNKS 16

/* Most entries of a dictionary by type, 0: none is tried. Recognising a text pays where it is dearer to parse or to
 * store than to look up. Whole numbers and dates parse as fast as any look-up, and the Parquet encoder finds their
 * repeats by value; of numbers with a fraction only few different ones stay in the nearest cache. */
static size_t most_entries(enum type_kind kind)
{
    switch (kind) {
    case TYPE_STRING:
        return 49152;
    case TYPE_TIMESTAMPTZ:
    case TYPE_TIME:
        return 8192;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return 1024;
    default:
        return 0;
    }
}

status csv_column_begin(struct csv_column *state, struct column *out, const struct decode_target *target,
                        struct error *err)
{
    column_reset(out, target->type);
    if (state->tried_kind != target->type.kind) {
        state->tried_kind = target->type.kind;
        state->chunks_to_skip = 0;
    }
    state->dictionary = state->chunks_to_skip == 0 && most_entries(target->type.kind) > 0;
    if (state->chunks_to_skip)
        state->chunks_to_skip--;
    out->is_dict = state->dictionary;
    status s = OK;
    if (state->dictionary) {
        s = text_memo_reset(&state->memo, err);
        if (s == OK && !type_is_var(target->type))
            s = text_memo_reset(&state->values, err);
    }
    const uint32_t zero = 0;
    if (s == OK && type_is_var(target->type))
        s = buf_append(&out->offsets, &zero, sizeof zero, err);
    return s;
}

static bool is_null_value(const struct null_values *nulls, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < nulls->count; i++)
        if (nulls->items[i].n == n && memcmp(nulls->items[i].p, p, n) == 0)
            return true;
    return false;
}

static ALWAYS_INLINE bool cell_is_null(const struct csv_column_job *job, struct csv_cell cell)
{
    if (cell.n == 0 && !cell.quoted)
        return true;
    return UNLIKELY(job->nulls->count) && cell.n <= job->nulls->longest && is_null_value(job->nulls, cell.p, cell.n);
}

/* What a loop over a segment needs, in locals: stores of values through byte pointers could alias anything else and
 * would have it loaded again for every cell. */
struct cell_cursor {
    struct csv_segment seg;
    const struct csv_segment *original;
    size_t field;
    bool null_texts;
};

static ALWAYS_INLINE struct cell_cursor cell_cursor(const struct csv_column_job *job)
{
    return (struct cell_cursor){*job->segment, job->segment, (size_t)job->target->source_index, job->nulls->count > 0};
}

static ALWAYS_INLINE struct csv_cell cursor_cell(const struct cell_cursor *c, const enum csv_access access, size_t row)
{
    return csv_segment_cell(&c->seg, c->original, access, row, c->field);
}

static ALWAYS_INLINE bool cursor_is_null(const struct cell_cursor *c, const struct csv_column_job *job,
                                         struct csv_cell cell)
{
    if (cell.n == 0 && !cell.quoted)
        return true;
    return UNLIKELY(c->null_texts) && cell_is_null(job, cell);
}

static NO_INLINE status append_null(struct column *out, size_t row, struct error *err)
{
    size_t have = out->validity.len, wanted = row / 8 + 1;
    if (have < wanted) {
        status s = buf_resize(&out->validity, wanted, err);
        if (s != OK)
            return s;
        memset(out->validity.data + have, 0xFF, wanted - have);
    }
    out->validity.data[row >> 3] &= (uint8_t) ~(1u << (row & 7));
    out->null_count++;
    return OK;
}

/* The validity has to reach the last row, not only the last null, before anybody else reads it. */
static status complete_validity(struct column *out, struct error *err)
{
    size_t have = out->validity.len, wanted = (out->length + 7) / 8;
    if (!out->null_count || have >= wanted)
        return OK;
    status s = buf_resize(&out->validity, wanted, err);
    if (s == OK)
        memset(out->validity.data + have, 0xFF, wanted - have);
    return s;
}

static void mark_fault(const struct csv_column_job *job, size_t row, enum reject_code code)
{
    struct csv_faults *f = job->faults;
    if (f->codes[row])
        return;
    f->codes[row] = (uint8_t)code;
    f->columns[row] = job->index;
    f->count++;
}

static void observe_cell(const struct csv_column_job *job, struct csv_cell cell)
{
    if (*job->observed != INFER_STRING)
        *job->observed = infer_join(*job->observed, infer_text((const char *)cell.p, cell.n));
}

/* The rows from `row` on hold values that do not fit: only their classes matter now. */
static void observe_from(const struct csv_column_job *job, size_t row)
{
    const struct csv_segment *seg = job->segment;
    for (; row < seg->rows && *job->observed != INFER_STRING; row++) {
        struct csv_cell cell = csv_segment_cell(seg, seg, seg->access, row, (size_t)job->target->source_index);
        if (!cell_is_null(job, cell))
            observe_cell(job, cell);
    }
}

void csv_column_observe(const struct csv_column_job *job)
{
    *job->observed = infer_join(*job->observed, job->target->class_);
    if (job->target->source_index >= 0)
        observe_from(job, 0);
}

/* Parse by the quick way for this type. The INFER grammar accepts a part of what CAST does, always with the same
 * value, so it also serves declared types; what it refuses goes to cast_text. */
static ALWAYS_INLINE bool parse_quickly(const enum type_kind kind, const char *p, size_t n, union value *v)
{
    switch (kind) {
    case TYPE_BIGINT:
        return infer_i64_inline(p, n, &v->i64);
    case TYPE_DOUBLE:
        return infer_f64_inline(p, n, &v->f64);
    case TYPE_DATE:
        return cast_date_inline(p, n, &v->i32);
    case TYPE_TIMESTAMP:
        return cast_timestamp_inline(p, n, &v->i64);
    default:
        return false;
    }
}

static NO_INLINE bool parse_otherwise(const struct csv_column_job *job, struct csv_cell cell, union value *v)
{
    const struct decode_target *t = job->target;
    const char *text = (const char *)cell.p;
    if (t->infer) {
        switch (t->type.kind) {
        case TYPE_BOOLEAN:
            return infer_bool(text, cell.n, &v->b);
        case TYPE_TIMESTAMPTZ:
            return cast_timestamptz(text, cell.n, &v->i64);
        default:
            return false;
        }
    }
    const char *why;
    return cast_text(t->type, text, cell.n, v, &why);
}

enum cell_fate { CELL_PLACED, CELL_WIDENS };

/* A cell that the quick way does not take: null, another spelling, a fault, or what makes the column widen. */
static NO_INLINE status place_rare(struct column *out, const struct csv_column_job *job, struct csv_cell cell,
                                   size_t row, size_t out_row, union value *v, enum cell_fate *fate, struct error *err)
{
    *v = (union value){.bytes = {0}};
    *fate = CELL_PLACED;
    if (cell_is_null(job, cell))
        return append_null(out, out_row, err);
    if (parse_otherwise(job, cell, v))
        return OK;
    *v = (union value){.bytes = {0}};
    if (job->target->infer) {
        *job->widened = true;
        *fate = CELL_WIDENS;
        observe_from(job, row);
        return OK;
    }
    mark_fault(job, row, REJECT_CAST);
    return OK;
}

static ALWAYS_INLINE void store(uint8_t *values, size_t at, const size_t width, const union value *v)
{
    if (width)
        memcpy(values + at * width, v, width);
}

/* Fixed-width values, plain form. `kind`, `width` and `access` are constants of each call. */
static ALWAYS_INLINE status append_fixed(struct column *out, const struct csv_column_job *job, size_t from,
                                         const enum type_kind kind, const size_t width, const enum csv_access access,
                                         struct error *err)
{
    const struct cell_cursor c = cell_cursor(job);
    const size_t rows = c.seg.rows, first = out->length - from;
    status s = buf_reserve(&out->data, (rows - from) * width, err);
    if (s != OK)
        return s;
    uint8_t *values = width ? out->data.data + first * width : NULL; /* no value so far: no memory */
    size_t longest = 0;
    for (size_t row = from; row < rows; row++) {
        struct csv_cell cell = cursor_cell(&c, access, row);
        union value v;
        if (LIKELY(!cursor_is_null(&c, job, cell)) && LIKELY(parse_quickly(kind, (const char *)cell.p, cell.n, &v))) {
            if (kind == TYPE_BIGINT)
                longest = cell.n > longest ? cell.n : longest;
            store(values, row, width, &v);
            continue;
        }
        enum cell_fate fate;
        s = place_rare(out, job, cell, row, first + row, &v, &fate, err);
        if (s == OK && fate == CELL_WIDENS && kind == TYPE_BIGINT && longest >= 16)
            observe_from(job, from); /* what the look after the loop would have found */
        if (s != OK || fate == CELL_WIDENS)
            return s;
        longest = cell.n > longest ? cell.n : longest;
        store(values, row, width, &v);
    }
    out->length = first + rows;
    out->data.len = out->length * width;
    /* 2^53 has 16 digits: only longer texts need a look at the value. */
    if (kind == TYPE_BIGINT && longest >= 16 && *job->observed == INFER_INT53)
        observe_from(job, from);
    return OK;
}

static ALWAYS_INLINE void copy_text(uint8_t *to, const uint8_t *from, size_t n)
{
    if (LIKELY(n <= 32)) { /* both sides have room for it */
        memcpy(to, from, 16);
        memcpy(to + 16, from + 16, 16);
    } else {
        memcpy(to, from, n);
    }
}

static status too_much_text(struct error *err)
{
    return error_set(err, ERR_LIMIT, "one chunk holds more than 4 GiB of text in a column");
}

/* Texts, plain form. */
static ALWAYS_INLINE status append_texts(struct column *out, const struct csv_column_job *job, size_t from,
                                         const enum csv_access access, struct error *err)
{
    const struct cell_cursor c = cell_cursor(job);
    const size_t rows = c.seg.rows, first = out->length - from;
    const bool json = job->target->type.kind == TYPE_JSON;
    status s = buf_reserve(&out->offsets, (rows - from) * sizeof(uint32_t), err);
    if (s == OK)
        s = buf_reserve(&out->data, 1, err); /* memory to copy an empty text to */
    if (s != OK)
        return s;
    uint32_t *offsets = (uint32_t *)out->offsets.data + first + 1;
    uint8_t *data = out->data.data;
    size_t used = out->data.len, cap = out->data.cap;
    for (size_t row = from; row < rows; row++) {
        struct csv_cell cell = cursor_cell(&c, access, row);
        if (UNLIKELY(cap - used < cell.n)) {
            if (used + cell.n > UINT32_MAX)
                return too_much_text(err);
            out->data.len = used;
            s = buf_reserve(&out->data, cell.n + 65536, err);
            if (s != OK)
                return s;
            data = out->data.data;
            cap = out->data.cap;
        }
        if (UNLIKELY(cursor_is_null(&c, job, cell))) {
            s = append_null(out, first + row, err);
            if (s != OK)
                return s;
        } else if (UNLIKELY(json && !cast_json_valid((const char *)cell.p, cell.n))) {
            mark_fault(job, row, REJECT_CAST);
        } else {
            copy_text(data + used, cell.p, cell.n);
            used += cell.n;
        }
        offsets[row] = (uint32_t)used;
    }
    out->length = first + rows;
    out->data.len = used;
    out->offsets.len = (out->length + 1) * sizeof(uint32_t);
    return OK;
}

/* A value that the dictionary may not know yet. */
static status add_value(struct csv_column *state, struct column *out, const union value *v, struct csv_cell cell,
                        uint32_t *code, struct error *err)
{
    status s;
    if (type_is_var(out->type)) {
        s = buf_append(&out->data, cell.p, cell.n, err);
        uint32_t end = (uint32_t)out->data.len;
        if (s == OK)
            s = buf_append(&out->offsets, &end, sizeof end, err);
    } else {
        size_t width = type_width(out->type);
        uint8_t bits[32] = {0};
        memcpy(bits, v, width);
        *code = text_memo_find(&state->values, bits, width);
        if (*code != TEXT_MEMO_NONE)
            return OK;
        s = text_memo_add(&state->values, bits, width, (uint32_t)out->dict_length, err);
        if (s == OK)
            s = buf_append(&out->data, v, width, err);
    }
    if (s == OK)
        *code = (uint32_t)out->dict_length++;
    return s;
}

enum miss { MISS_ADDED, MISS_FAULT, MISS_WIDENED };

/* A text that is met for the first time in this chunk. */
static NO_INLINE status add_text(struct csv_column *state, struct column *out, const struct csv_column_job *job,
                                 size_t row, struct csv_cell cell, uint32_t *code, enum miss *miss, struct error *err)
{
    union value v = {.bytes = {0}};
    enum type_kind kind = out->type.kind;
    const char *p = (const char *)cell.p;
    bool fits = type_is_var(out->type) || parse_quickly(kind, p, cell.n, &v) || parse_otherwise(job, cell, &v);
    *miss = fits ? MISS_ADDED : job->target->infer ? MISS_WIDENED : MISS_FAULT;
    if (*miss == MISS_WIDENED) {
        *job->widened = true;
        observe_from(job, row);
        return OK;
    }
    if (*miss == MISS_FAULT) {
        mark_fault(job, row, REJECT_CAST);
        *code = 0;
        return OK;
    }
    status s = add_value(state, out, &v, cell, code, err);
    if (s == OK)
        s = text_memo_add(&state->memo, cell.p, cell.n, *code, err);
    return s;
}

static bool dictionary_pays(const struct csv_column *state, const struct column *out)
{
    if (out->length == DICT_SAMPLE_ROWS && out->dict_length > DICT_SAMPLE_MOST)
        return false;
    return state->memo.count <= most_entries(out->type.kind) && out->data.len <= DICT_MOST_BYTES;
}

/* Dictionary form; stops where the dictionary is given up (*done < rows) or after a value that widens. */
static ALWAYS_INLINE status append_codes(struct csv_column *state, struct column *out, const struct csv_column_job *job,
                                         const enum csv_access access, size_t *done, struct error *err)
{
    const struct cell_cursor c = cell_cursor(job);
    const size_t rows = c.seg.rows, first = out->length;
    status s = buf_reserve(&out->codes, rows * sizeof(uint32_t), err);
    if (s != OK)
        return s;
    uint32_t *codes = (uint32_t *)out->codes.data + first;
    struct text_memo memo = state->memo; /* its table is only replaced by add_text */
    size_t row = 0;
    for (; row < rows; row++) {
        struct csv_cell cell = cursor_cell(&c, access, row);
        uint32_t code = 0;
        if (UNLIKELY(cursor_is_null(&c, job, cell))) {
            s = append_null(out, first + row, err);
            if (s != OK)
                return s;
        } else {
            code = text_memo_find(&memo, cell.p, cell.n);
            if (UNLIKELY(code == TEXT_MEMO_NONE)) {
                enum miss miss;
                out->length = first + row;
                if (!dictionary_pays(state, out))
                    break;
                s = add_text(state, out, job, row, cell, &code, &miss, err);
                if (s != OK || miss == MISS_WIDENED)
                    return s;
                memo = state->memo;
            }
        }
        codes[row] = code;
    }
    out->length = first + row;
    out->codes.len = out->length * sizeof(uint32_t);
    *done = row;
    return OK;
}

static ALWAYS_INLINE status append_plain(struct column *out, const struct csv_column_job *job, size_t from,
                                         const enum csv_access access, struct error *err)
{
    switch (out->type.kind) {
    case TYPE_BIGINT:
        return append_fixed(out, job, from, TYPE_BIGINT, 8, access, err);
    case TYPE_DOUBLE:
        return append_fixed(out, job, from, TYPE_DOUBLE, 8, access, err);
    case TYPE_DATE:
        return append_fixed(out, job, from, TYPE_DATE, 4, access, err);
    case TYPE_TIMESTAMP:
        return append_fixed(out, job, from, TYPE_TIMESTAMP, 8, access, err);
    case TYPE_STRING:
    case TYPE_JSON:
    case TYPE_BINARY:
        return append_texts(out, job, from, access, err);
    default:
        break;
    }
    switch (type_width(out->type)) {
    case 0: /* no value seen so far: any value at all widens */
        return append_fixed(out, job, from, TYPE_NULL, 0, access, err);
    case 1:
        return append_fixed(out, job, from, TYPE_NULL, 1, access, err);
    case 4:
        return append_fixed(out, job, from, TYPE_NULL, 4, access, err);
    case 8:
        return append_fixed(out, job, from, TYPE_NULL, 8, access, err);
    default:
        return append_fixed(out, job, from, TYPE_NULL, 16, access, err);
    }
}

static ALWAYS_INLINE status append_by(struct csv_column *state, struct column *out, const struct csv_column_job *job,
                                      const enum csv_access access, struct error *err)
{
    size_t done = 0;
    if (state->dictionary) {
        status s = append_codes(state, out, job, access, &done, err);
        if (s != OK || *job->widened || done == job->segment->rows)
            return s;
        out->codes.len = out->length * sizeof(uint32_t);
        state->dictionary = false;
        state->chunks_to_skip = DICT_RETRY_CHUNKS;
        s = complete_validity(out, err);
        if (s == OK)
            s = column_flatten(out, err);
        if (s != OK)
            return s;
    }
    return append_plain(out, job, done, access, err);
}

static status append_missing(struct column *out, size_t rows, struct error *err)
{
    /* The source has no such column: nulls, in the plain form from the chunk's start. */
    return column_fill_null(out, out->type, out->length + rows, err);
}

static void mark_nulls(const struct column *out, const struct csv_column_job *job, size_t first)
{
    for (size_t row = 0; row < job->segment->rows; row++)
        if (column_is_null(out, first + row))
            mark_fault(job, row, job->target->on_null);
}

status csv_column_append(struct csv_column *state, struct column *out, const struct csv_column_job *job,
                         struct error *err)
{
    size_t first = out->length, nulls = out->null_count;
    status s;
    if (job->segment->rows == 0)
        return OK;
    if (job->target->source_index < 0) {
        s = append_missing(out, job->segment->rows, err);
    } else {
        *job->observed = infer_join(*job->observed, job->target->class_);
        switch (job->segment->access) {
        case CSV_BY_MARKS:
            s = append_by(state, out, job, CSV_BY_MARKS, err);
            break;
        case CSV_BY_MARKS_QUOTED:
            s = append_by(state, out, job, CSV_BY_MARKS_QUOTED, err);
            break;
        default:
            s = append_by(state, out, job, CSV_BY_CELLS, err);
            break;
        }
    }
    if (s != OK || *job->widened)
        return s;
    if (out->null_count > nulls) {
        s = complete_validity(out, err);
        if (s != OK)
            return s;
        if (job->target->on_null != REJECT_NONE)
            mark_nulls(out, job, first);
    }
    return OK;
}

status csv_column_end(struct csv_column *state, struct column *out, struct error *err)
{
    state->dictionary = false;
    status s = complete_validity(out, err);
    if (s != OK)
        return s;
    /* Without one value there is nothing for the codes to name. */
    if (out->is_dict && out->dict_length == 0)
        return column_fill_null(out, out->type, out->length, err);
    return OK;
}

void csv_column_release(struct csv_column *state)
{
    text_memo_release(&state->memo);
    text_memo_release(&state->values);
}
