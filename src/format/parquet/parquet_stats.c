#include "format/parquet/parquet_stats.h"

#include <math.h>

#define SIGN ((uint64_t)1 << 63)

static inline uint64_t load64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

/* The first 8 bytes as a number that sorts like them, missing ones as zero. Reads up to 8 bytes behind the end. */
static inline uint64_t prefix_key(const char *p, size_t n)
{
    if (n == 0)
        return 0;
    uint64_t key = __builtin_bswap64(load64(p));
    return n < 8 ? key & (~(uint64_t)0 << (64 - 8 * n)) : key;
}

/* As str_compare, but in place: bytes behind both are readable. */
static inline int compare_bytes(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n, i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t x = load64(a.p + i), y = load64(b.p + i);
        if (x != y)
            return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
    }
    uint64_t x = prefix_key(a.p + i, n - i), y = prefix_key(b.p + i, n - i);
    if (x != y)
        return x < y ? -1 : 1;
    return (a.n > b.n) - (a.n < b.n);
}

/* Below every number for a NaN of one sign, above every number for the other. */
static inline uint64_t double_key(double v)
{
    uint64_t bits = load64(&v);
    return bits & SIGN ? ~bits : bits | SIGN;
}

#define KEY_OF_MINUS_INFINITY 0x000FFFFFFFFFFFFFu
#define KEY_OF_INFINITY 0xFFF0000000000000u

static inline uint64_t slot_key(const struct parquet_values *v, size_t slot)
{
    int32_t i32;
    float f32;
    double f64;
    const uint8_t *p = v->data + slot * v->type.width;
    switch (v->type.order) {
    case ORDER_I32:
        memcpy(&i32, p, sizeof i32);
        return (uint64_t)(int64_t)i32 ^ SIGN;
    case ORDER_I64:
        return load64(p) ^ SIGN;
    case ORDER_F32:
        memcpy(&f32, p, sizeof f32);
        return double_key((double)f32);
    case ORDER_F64:
        memcpy(&f64, p, sizeof f64);
        return double_key(f64);
    case ORDER_SIGNED_BYTES:
        return __builtin_bswap64(load64(p)) ^ SIGN;
    case ORDER_UNSIGNED:
        break;
    }
    struct str s = parquet_slot_str(v, slot);
    return prefix_key(s.p, s.n);
}

/* Equal keys are equal values, but for bytes beyond the first eight. */
static inline bool key_is_prefix(struct parquet_type type)
{
    return type.order == ORDER_SIGNED_BYTES || type.order == ORDER_UNSIGNED;
}

status parquet_slot_order_prepare(struct parquet_slot_order *order, const struct parquet_values *v, struct error *err)
{
    status s = buf_resize(&order->keys, v->slots * sizeof(uint64_t), err);
    size_t marked = order->marks.len;
    if (s == OK && marked < v->slots) {
        s = buf_resize(&order->marks, v->slots, err);
        if (s == OK)
            memset(order->marks.data + marked, 0, v->slots - marked);
    }
    if (s != OK)
        return s;
    uint64_t *keys = (uint64_t *)order->keys.data;
    for (size_t i = 0; i < v->slots; i++)
        keys[i] = slot_key(v, i);
    return OK;
}

void parquet_slot_order_release(struct parquet_slot_order *order)
{
    buf_release(&order->keys);
    buf_release(&order->marks);
}

int parquet_compare(struct parquet_type type, struct str a, struct str b)
{
    struct parquet_values pair = {.type = type};
    uint64_t x, y;
    switch (type.order) {
    case ORDER_UNSIGNED:
        return str_compare(a, b);
    case ORDER_SIGNED_BYTES:
        x = (unsigned char)a.p[0] ^ 0x80u;
        y = (unsigned char)b.p[0] ^ 0x80u;
        return x != y ? (x < y ? -1 : 1) : str_compare(a, b);
    case ORDER_I32:
    case ORDER_I64:
    case ORDER_F32:
    case ORDER_F64:
        break;
    }
    pair.data = (const uint8_t *)a.p;
    x = slot_key(&pair, 0);
    pair.data = (const uint8_t *)b.p;
    y = slot_key(&pair, 0);
    return (x > y) - (x < y);
}

/* The extremes found so far among slots. */
struct extremes {
    const struct parquet_values *v;
    uint64_t min_key, max_key;
    size_t min_slot, max_slot;
    bool present;
};

static NO_INLINE void take_extreme(struct extremes *e, uint64_t key, size_t slot)
{
    bool is_float = e->v->type.order == ORDER_F32 || e->v->type.order == ORDER_F64;
    if (is_float && (key < KEY_OF_MINUS_INFINITY || key > KEY_OF_INFINITY))
        return; /* NaN */
    bool below = !e->present || key < e->min_key, above = !e->present || key > e->max_key;
    if (e->present && key_is_prefix(e->v->type)) {
        struct str value = parquet_slot_str(e->v, slot);
        if (key == e->min_key && slot != e->min_slot)
            below = compare_bytes(value, parquet_slot_str(e->v, e->min_slot)) < 0;
        if (key == e->max_key && slot != e->max_slot)
            above = compare_bytes(value, parquet_slot_str(e->v, e->max_slot)) > 0;
    }
    if (below) {
        e->min_key = key;
        e->min_slot = slot;
    }
    if (above) {
        e->max_key = key;
        e->max_slot = slot;
    }
    e->present = true;
}

/* Most values lie between the extremes; with `tie` equal keys need a closer look. */
static ALWAYS_INLINE void see(struct extremes *e, uint64_t key, size_t slot, bool tie)
{
    if (UNLIKELY(tie ? key <= e->min_key || key >= e->max_key : key < e->min_key || key > e->max_key))
        take_extreme(e, key, slot);
}

static void put_extremes(const struct extremes *e, struct parquet_range *r)
{
    struct parquet_type type = e->v->type;
    r->present = e->present;
    if (!e->present)
        return;
    struct str min = parquet_slot_str(e->v, e->min_slot), max = parquet_slot_str(e->v, e->max_slot);
    if (type.width) {
        memcpy(r->min_fixed, min.p, type.width);
        memcpy(r->max_fixed, max.p, type.width);
    } else {
        r->min_var = min;
        r->max_var = max;
    }
}

/* Many rows, few slots: mark what is used, then look at each slot once. */
static void extremes_of_marked(struct extremes *e, struct parquet_slot_order *order, size_t begin, size_t end, bool tie)
{
    const uint32_t *codes = e->v->codes;
    const uint64_t *keys = (const uint64_t *)order->keys.data;
    uint8_t *marks = order->marks.data;
    size_t slots = e->v->slots;
    for (size_t i = begin; i < end; i++)
        marks[codes[i]] = 1;
    for (size_t slot = 0; slot < slots; slot++)
        if (marks[slot])
            see(e, keys[slot], slot, tie);
    memset(marks, 0, slots);
}

static void extremes_of_codes(struct extremes *e, struct parquet_slot_order *order, size_t begin, size_t end)
{
    bool tie = key_is_prefix(e->v->type);
    if (e->v->slots < (end - begin) / 2) {
        extremes_of_marked(e, order, begin, end, tie);
        return;
    }
    const uint64_t *keys = (const uint64_t *)order->keys.data;
    for (size_t i = begin; i < end; i++)
        see(e, keys[e->v->codes[i]], e->v->codes[i], tie);
}

static void extremes_of_bytes(struct extremes *e, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++)
        see(e, slot_key(e->v, i), i, true);
}

/* Two chains of comparisons each way, so that they do not wait for one another. In the comparisons of the float
 * variants a NaN loses. */
#define RANGE_OF_NUMBERS(name, ctype, lowest, highest)                                                                 \
    static bool name(const ctype *v, size_t n, ctype *min, ctype *max)                                                 \
    {                                                                                                                  \
        ctype lo0 = highest, lo1 = highest, hi0 = lowest, hi1 = lowest;                                                \
        size_t i = 0;                                                                                                  \
        for (; i + 2 <= n; i += 2) {                                                                                   \
            ctype a = v[i], b = v[i + 1];                                                                              \
            lo0 = a < lo0 ? a : lo0;                                                                                   \
            hi0 = a > hi0 ? a : hi0;                                                                                   \
            lo1 = b < lo1 ? b : lo1;                                                                                   \
            hi1 = b > hi1 ? b : hi1;                                                                                   \
        }                                                                                                              \
        if (i < n) {                                                                                                   \
            lo0 = v[i] < lo0 ? v[i] : lo0;                                                                             \
            hi0 = v[i] > hi0 ? v[i] : hi0;                                                                             \
        }                                                                                                              \
        *min = lo0 < lo1 ? lo0 : lo1;                                                                                  \
        *max = hi0 > hi1 ? hi0 : hi1;                                                                                  \
        return *min <= *max;                                                                                           \
    }

RANGE_OF_NUMBERS(range_i32, int32_t, INT32_MIN, INT32_MAX)
RANGE_OF_NUMBERS(range_i64, int64_t, INT64_MIN, INT64_MAX)
RANGE_OF_NUMBERS(range_f32, float, -INFINITY, INFINITY)
RANGE_OF_NUMBERS(range_f64, double, -INFINITY, INFINITY)

static bool range_of_numbers(const struct parquet_values *v, size_t begin, size_t n, struct parquet_range *r)
{
    const uint8_t *p = v->data + begin * v->type.width;
    union number {
        int32_t i32;
        int64_t i64;
        float f32;
        double f64;
    } min = {0}, max = {0};
    bool present = false;
    switch (v->type.order) {
    case ORDER_I32:
        present = range_i32((const int32_t *)p, n, &min.i32, &max.i32);
        break;
    case ORDER_I64:
        present = range_i64((const int64_t *)p, n, &min.i64, &max.i64);
        break;
    case ORDER_F32:
        present = range_f32((const float *)p, n, &min.f32, &max.f32);
        break;
    case ORDER_F64:
        present = range_f64((const double *)p, n, &min.f64, &max.f64);
        break;
    case ORDER_UNSIGNED:
    case ORDER_SIGNED_BYTES:
        break;
    }
    memcpy(r->min_fixed, &min, v->type.width);
    memcpy(r->max_fixed, &max, v->type.width);
    return present;
}

static void range_of_booleans(const struct parquet_values *v, size_t begin, size_t end, struct parquet_range *r)
{
    bool seen[2] = {false, false};
    for (size_t i = begin; i < end && !(seen[0] && seen[1]); i++)
        seen[v->data[parquet_slot(v, i)] != 0] = true;
    r->present = seen[0] || seen[1];
    r->min_fixed[0] = !seen[0];
    r->max_fixed[0] = seen[1];
}

/* parquet.thrift, ColumnOrder: a zero may hide the other zero. */
static void widen_zeros(struct parquet_type type, struct parquet_range *r)
{
    float f;
    double d;
    if (type.order == ORDER_F32) {
        memcpy(&f, r->min_fixed, sizeof f);
        f = f == 0 ? -0.0F : f;
        memcpy(r->min_fixed, &f, sizeof f);
        memcpy(&f, r->max_fixed, sizeof f);
        f = f == 0 ? 0.0F : f;
        memcpy(r->max_fixed, &f, sizeof f);
    } else if (type.order == ORDER_F64) {
        memcpy(&d, r->min_fixed, sizeof d);
        d = d == 0 ? -0.0 : d;
        memcpy(r->min_fixed, &d, sizeof d);
        memcpy(&d, r->max_fixed, sizeof d);
        d = d == 0 ? 0.0 : d;
        memcpy(r->max_fixed, &d, sizeof d);
    }
}

void parquet_range_of(const struct parquet_values *v, struct parquet_slot_order *order, size_t begin, size_t end,
                      struct parquet_range *range)
{
    struct extremes e = {.v = v, .min_key = ~(uint64_t)0, .max_key = 0};
    *range = (struct parquet_range){0};
    if (begin == end)
        return;
    if (v->type.physical == PARQUET_BOOLEAN) {
        range_of_booleans(v, begin, end, range);
    } else if (v->codes) {
        extremes_of_codes(&e, order, begin, end);
        put_extremes(&e, range);
    } else if (key_is_prefix(v->type)) {
        extremes_of_bytes(&e, begin, end);
        put_extremes(&e, range);
    } else {
        range->present = range_of_numbers(v, begin, end - begin, range);
    }
    if (range->present)
        widen_zeros(v->type, range);
}

void parquet_range_join(struct parquet_type type, struct parquet_range *range, const struct parquet_range *other)
{
    if (!other->present)
        return;
    struct parquet_range joined = *range;
    if (!range->present || parquet_compare(type, parquet_range_min(other, type), parquet_range_min(range, type)) < 0) {
        memcpy(joined.min_fixed, other->min_fixed, sizeof joined.min_fixed);
        joined.min_var = other->min_var;
    }
    if (!range->present || parquet_compare(type, parquet_range_max(other, type), parquet_range_max(range, type)) > 0) {
        memcpy(joined.max_fixed, other->max_fixed, sizeof joined.max_fixed);
        joined.max_var = other->max_var;
    }
    joined.present = true;
    *range = joined;
}
