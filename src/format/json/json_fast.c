/* Records like the ones before: bytes between values are compared to what stood there last time, and each value is
 * read the way its column is written. Whatever does not fit is left to the general path, which also finds the words
 * for what is wrong. */
#include "batch/cast_inline.h"
#include "format/json/json_work.h"

/* Line feeds end records that are lines, so they are no white space inside of them. */
static const uint8_t *skip_space(const struct json_work *w, const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && w->options.array)))
        p++;
    return p;
}

/* The step that the bytes at *p lead to, when it is not the expected one; remembered for next time. */
static NO_INLINE struct json_step *find_step(struct json_work *w, struct json_step *from, const uint8_t **at,
                                             const uint8_t *end)
{
    const uint8_t *begin = *at, *p = begin;
    bool first = from == &w->head;
    struct json_step *step = NULL;
    if (!first)
        p = skip_space(w, p, end);
    if (p == end || (first && *p != '{'))
        return NULL;
    if (first)
        p = skip_space(w, p + 1, end);
    if (p < end && *p == '}') {
        step = &w->closing;
        p++;
    } else {
        if (!first) {
            if (p == end || *p != ',')
                return NULL;
            p = skip_space(w, p + 1, end);
        }
        if (p == end || *p != '"')
            return NULL;
        uint32_t high = 0;
        const uint8_t *name = p + 1, *quote = w->scan->string_stop(name, end, &high);
        if (quote == end || *quote != '"')
            return NULL;
        size_t key = json_keys_find(&w->keys, (struct str){(const char *)name, (size_t)(quote - name)});
        if (key == JSON_KEY_UNKNOWN)
            return NULL;
        p = skip_space(w, quote + 1, end);
        if (p == end || *p != ':')
            return NULL;
        p = skip_space(w, p + 1, end);
        w->failure = json_keys_step(&w->keys, key, first, &step, w->err);
        if (!step)
            return NULL;
        uint32_t target = w->keys.items[key].target;
        step->field = target == JSON_NO_TARGET ? &w->skip_field : &w->fields[target];
    }
    size_t n = (size_t)(p - begin);
    if (n <= JSON_STEP_BYTES) {
        json_step_set(step, begin, n);
        from->next = step;
    }
    *at = p;
    return step;
}

static NO_INLINE bool is_utf8(const uint8_t *p, size_t n)
{
    return str_is_utf8((struct str){(const char *)p, n});
}

/* The closing quote of a string without escapes whose contents start at p, or NULL. */
static ALWAYS_INLINE const uint8_t *scan_string(const struct json_work *w, const uint8_t *p, const uint8_t *end)
{
    uint32_t high, stops = json_string_stops32(p, &high);
    const uint8_t *quote;
    if (LIKELY(stops)) {
        unsigned at = (unsigned)__builtin_ctz(stops);
        quote = p + at;
        high &= (UINT32_C(1) << at) - 1;
    } else {
        if (end - p <= 32)
            return NULL;
        quote = w->scan->string_stop(p + 32, end, &high);
    }
    if (UNLIKELY(quote >= end) || UNLIKELY(*quote != '"'))
        return NULL;
    if (UNLIKELY(high) && !is_utf8(p, (size_t)(quote - p)))
        return NULL;
    return quote;
}

/* Length of a number or word of at most 31 bytes; 32: longer. *exponent: it has an e or E. */
static ALWAYS_INLINE size_t scan_token(const uint8_t *p, bool *exponent)
{
    uint32_t letters, stops = json_token_stops16(p, &letters);
    if (LIKELY(stops)) {
        *exponent = letters & ((stops & -stops) - 1);
        return (size_t)__builtin_ctz(stops);
    }
    uint32_t more;
    stops = json_token_stops16(p + 16, &more);
    *exponent = letters || (more & ((stops & -stops) - 1));
    return stops ? 16 + (size_t)__builtin_ctz(stops) : 32;
}

/* Parse a value with all checks, texts unescaped into w->scratch. NULL: it is not valid, or not here. */
static const uint8_t *parse_value(struct json_work *w, const uint8_t *p, const uint8_t *end, struct json_value *v)
{
    struct json_fault fault;
    const uint8_t *after;
    bool escaped = false, integer = false;
    if (*p == '"') {
        v->kind = JSON_STRING;
        after = json_check_string(p, end, &escaped, &fault);
    } else if (*p == '{' || *p == '[') {
        const uint8_t *feed = w->options.array ? NULL : memchr(p, '\n', (size_t)(end - p));
        v->kind = JSON_NESTED;
        after = json_check_value(p, feed ? feed : end, 1, &fault);
    } else if (*p == '-' || (unsigned)*p - '0' <= 9) {
        after = json_check_number(p, end, &integer, &fault);
        v->kind = integer ? JSON_INTEGER : JSON_REAL;
    } else {
        after = json_check_word(p, end, &fault);
        v->kind = *p == 'n' ? JSON_NULL : JSON_BOOLEAN;
    }
    if (!after)
        return NULL;
    v->raw = v->text = (struct str){(const char *)p, (size_t)(after - p)};
    if (v->kind == JSON_STRING) {
        v->text = (struct str){v->raw.p + 1, v->raw.n - 2};
        if (escaped) {
            buf_clear(&w->scratch);
            w->failure = json_unescape_append(&w->scratch, p + 1, v->raw.n - 2, &v->text, w->err);
            if (w->failure != OK)
                return NULL;
        }
    }
    if ((v->kind == JSON_STRING || v->kind == JSON_NESTED) && !str_is_utf8(v->raw))
        return NULL;
    return after;
}

/* Any value of a field, the slower way. */
static NO_INLINE const uint8_t *take_value(struct json_work *w, struct json_field *f, const uint8_t *p,
                                           const uint8_t *end)
{
    struct json_value v;
    p = parse_value(w, p, end, &v);
    if (!p)
        return NULL;
    if (v.kind == JSON_NULL || (v.kind == JSON_STRING && json_is_null_text(&w->options, v.text))) {
        if (f->target->on_null != REJECT_NONE)
            return NULL;
        w->failure = json_field_null(f, w->row, w->err);
        return w->failure == OK ? p : NULL;
    }
    bool taken;
    w->failure = json_field_learn(f, w->row, &v, &taken, w->err);
    return w->failure == OK && taken ? p : NULL;
}

/* A value that nobody wants; still it has to be valid. */
static NO_INLINE const uint8_t *skip_value(struct json_work *w, const struct json_step *step, const uint8_t *p,
                                           const uint8_t *end)
{
    struct json_key *key = &w->keys.items[step->key];
    if (key->seen == w->attempt)
        return NULL;
    key->seen = w->attempt;
    if (*p == '"') {
        const uint8_t *quote = scan_string(w, p + 1, end);
        if (quote)
            return quote + 1;
    }
    struct json_value v;
    return parse_value(w, p, end, &v);
}

static bool has_required(const struct json_work *w)
{
    for (size_t i = 0; i < w->required_count; i++)
        if (w->fields[w->required[i]].rows <= w->row)
            return false;
    return true;
}

static ALWAYS_INLINE bool within_class(const struct json_field *f, int64_t v)
{
    const int64_t exact = INT64_C(1) << 53;
    return LIKELY(v >= -exact && v <= exact) || !f->target->infer || f->target->class_ == INFER_INT64;
}

static ALWAYS_INLINE const uint8_t *take_i64(const struct json_field *f, size_t row, const uint8_t *p)
{
    bool exponent;
    size_t n = scan_token(p, &exponent);
    int64_t v;
    if (UNLIKELY(!infer_i64_inline((const char *)p, n, &v)) || UNLIKELY(!within_class(f, v)))
        return NULL;
    memcpy(f->data + row * sizeof v, &v, sizeof v);
    return p + n;
}

static ALWAYS_INLINE const uint8_t *take_f64(const struct json_field *f, size_t row, const uint8_t *p)
{
    bool exponent;
    size_t n = scan_token(p, &exponent);
    double v;
    /* Without an exponent, a number that begins and ends with a digit is one by JSON's grammar too. */
    if (UNLIKELY(n == 0) || UNLIKELY(exponent) || UNLIKELY((unsigned)p[*p == '-'] - '0' > 9) ||
        UNLIKELY((unsigned)p[n - 1] - '0' > 9) || UNLIKELY(!infer_f64_inline((const char *)p, n, &v)))
        return NULL;
    memcpy(f->data + row * sizeof v, &v, sizeof v);
    return p + n;
}

static ALWAYS_INLINE const uint8_t *take_number_code(const struct json_field *f, size_t row, const uint8_t *p)
{
    bool exponent;
    size_t n = scan_token(p, &exponent);
    return n - 1 < 16 && LIKELY(json_memo_find16(&f->memo, p, n, 1, &f->indexes[row])) ? p + n : NULL;
}

static ALWAYS_INLINE const uint8_t *take_string(struct json_work *w, struct json_field *f, size_t row, const uint8_t *p,
                                                const uint8_t *end)
{
    const uint8_t *quote = *p == '"' ? scan_string(w, p + 1, end) : NULL;
    if (UNLIKELY(!quote))
        return NULL;
    size_t n = (size_t)(quote - p) - 1;
    if (UNLIKELY(w->options.null_value_count) && json_is_null_text(&w->options, (struct str){(const char *)p + 1, n}))
        return NULL;
    w->failure = json_field_put_text(f, row, p + 1, n, w->err);
    return LIKELY(w->failure == OK) ? quote + 1 : NULL;
}

static ALWAYS_INLINE const uint8_t *take_string_code(struct json_work *w, const struct json_field *f, size_t row,
                                                     const uint8_t *p, const uint8_t *end)
{
    const uint8_t *quote = *p == '"' ? scan_string(w, p + 1, end) : NULL;
    if (UNLIKELY(!quote))
        return NULL;
    size_t n = (size_t)(quote - p) - 1;
    bool found = n <= 16 ? json_memo_find16(&f->memo, p + 1, n, 0, &f->indexes[row])
                         : json_memo_find_long(&f->memo, p + 1, n, 0, &f->indexes[row]);
    return LIKELY(found) ? quote + 1 : NULL;
}

static ALWAYS_INLINE const uint8_t *take_date_code(const struct json_field *f, size_t row, const uint8_t *p)
{
    int32_t day;
    if (UNLIKELY(p[0] != '"') || UNLIKELY(p[11] != '"') || UNLIKELY(!cast_date_inline((const char *)p + 1, 10, &day)))
        return NULL;
    const struct json_day *known = &f->days[(uint32_t)day % JSON_DAYS];
    f->indexes[row] = known->code - 1;
    return LIKELY(known->day == day) && LIKELY(known->code) ? p + 12 : NULL;
}

static ALWAYS_INLINE const uint8_t *take_string_cast(struct json_work *w, const struct json_field *f, size_t row,
                                                     const uint8_t *p, const uint8_t *end)
{
    const uint8_t *quote = *p == '"' ? scan_string(w, p + 1, end) : NULL;
    if (UNLIKELY(!quote))
        return NULL;
    struct str text = {(const char *)p + 1, (size_t)(quote - p) - 1};
    union value v;
    const char *why;
    if (UNLIKELY(w->options.null_value_count) && json_is_null_text(&w->options, text))
        return NULL;
    /* What an inferred type takes and what its casts take are the same for the types that strings have. */
    if (UNLIKELY(!cast_text(f->type, text.p, text.n, &v, &why)))
        return NULL;
    memcpy(f->data + row * f->width, &v, f->width);
    return quote + 1;
}

static ALWAYS_INLINE const uint8_t *take_boolean(const struct json_field *f, size_t row, const uint8_t *p)
{
    bool yes = memcmp(p, "true", 4) == 0;
    if (!yes && UNLIKELY(memcmp(p, "false", 5) != 0))
        return NULL;
    f->data[row] = yes;
    return p + 5 - yes;
}

const uint8_t *json_fast_record(struct json_work *w, const uint8_t *p, const uint8_t *end)
{
    const size_t row = w->row;
    struct json_step *step = &w->head;
    w->attempt++;
    for (;;) {
        if (UNLIKELY(p >= end))
            return NULL;
        struct json_step *next = step->next;
        if (LIKELY(next) && LIKELY(json_step_matches(next, p)))
            p += next->length;
        else if (!(next = find_step(w, step, &p, end)))
            return NULL;
        step = next;
        struct json_field *f = step->field;
        if (f->op == OP_END)
            return LIKELY(p <= end) && has_required(w) ? p : NULL;
        if (UNLIKELY(p >= end))
            return NULL;
        if (UNLIKELY(f->op == OP_SKIP)) {
            p = skip_value(w, step, p, end);
            if (!p)
                return NULL;
            continue;
        }
        if (UNLIKELY(f->rows != row)) {
            if (f->rows > row) /* the key occurs twice */
                return NULL;
            w->failure = json_field_fill(f, row, w->err);
            if (w->failure != OK)
                return NULL;
        }
        f->rows = row + 1;
        const uint8_t *after = NULL;
        switch (f->op) {
        case OP_I64:
            after = take_i64(f, row, p);
            break;
        case OP_F64:
            after = take_f64(f, row, p);
            break;
        case OP_NUMBER_CODE:
            after = take_number_code(f, row, p);
            break;
        case OP_STRING:
            after = take_string(w, f, row, p, end);
            break;
        case OP_STRING_CODE:
            after = take_string_code(w, f, row, p, end);
            break;
        case OP_DATE_CODE:
            after = take_date_code(f, row, p);
            break;
        case OP_STRING_CAST:
            after = take_string_cast(w, f, row, p, end);
            break;
        case OP_BOOLEAN:
            after = take_boolean(f, row, p);
            break;
        default:
            break;
        }
        if (UNLIKELY(!after)) {
            after = w->failure == OK ? take_value(w, f, p, end) : NULL;
            if (!after)
                return NULL;
        }
        p = after;
    }
}
