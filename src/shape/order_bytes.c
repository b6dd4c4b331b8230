#include "shape/order_bytes.h"

#include <math.h>

/* First byte of every form: with the rest zero, a null comes before every value of its type. */
enum { TAG_NULL = 0, TAG_VALUE = 1 };

size_t order_bytes_width(struct data_type type)
{
    switch (type_layout(type)) {
    case LAYOUT_BOOL:
        return 2;
    case LAYOUT_I32:
    case LAYOUT_F32:
        return 5;
    case LAYOUT_I64:
    case LAYOUT_F64:
        return 9;
    case LAYOUT_I128:
    case LAYOUT_BYTES16:
        return 17;
    case LAYOUT_NONE:
        return 1;
    case LAYOUT_VAR:
        break;
    }
    return 0;
}

static void put_u32(uint8_t *at, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(at, &v, sizeof v);
}

static void put_u64(uint8_t *at, uint64_t v)
{
    v = __builtin_bswap64(v);
    memcpy(at, &v, sizeof v);
}

/* IEEE 754 bits rise with the value once the sign is flipped, and negative ones are turned around. No number comes
 * out as 0, which is left for NaN. */
static uint64_t rising_f64(double v)
{
    uint64_t bits;
    if (isnan(v))
        return 0;
    v += 0.0;
    memcpy(&bits, &v, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static uint32_t rising_f32(float v)
{
    uint32_t bits;
    if (isnan(v))
        return 0;
    v += 0.0f;
    memcpy(&bits, &v, sizeof bits);
    return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

static void put_value(enum value_layout layout, const uint8_t *value, uint8_t *at)
{
    switch (layout) {
    case LAYOUT_BOOL:
        at[0] = *value;
        break;
    case LAYOUT_I32:
        put_u32(at, *(const uint32_t *)value ^ UINT32_C(1) << 31);
        break;
    case LAYOUT_I64:
        put_u64(at, *(const uint64_t *)value ^ UINT64_C(1) << 63);
        break;
    case LAYOUT_F32:
        put_u32(at, rising_f32(*(const float *)value));
        break;
    case LAYOUT_F64:
        put_u64(at, rising_f64(*(const double *)value));
        break;
    case LAYOUT_I128: {
        uint64_t halves[2];
        memcpy(halves, value, sizeof halves);
        put_u64(at, halves[1] ^ UINT64_C(1) << 63);
        put_u64(at + 8, halves[0]);
        break;
    }
    case LAYOUT_BYTES16:
        memcpy(at, value, 16);
        break;
    case LAYOUT_NONE:
    case LAYOUT_VAR:
        break;
    }
}

static status too_long(struct error *err)
{
    return error_set(err, ERR_LIMIT, "the order values of one batch exceed 4 GiB");
}

static status fixed_rows(const struct column *c, size_t width, struct buf *bytes, uint32_t *ends, struct error *err)
{
    enum value_layout layout = type_layout(c->type);
    if (c->length > UINT32_MAX / width)
        return too_long(err);
    uint8_t *at;
    status s = buf_extend_zero(bytes, c->length * width, &at, err);
    if (s != OK)
        return s;
    for (size_t row = 0; row < c->length; row++, at += width) {
        if (!column_is_null(c, row) && layout != LAYOUT_NONE) {
            at[0] = TAG_VALUE;
            put_value(layout, column_value(c, row), at + 1);
        }
        ends[row] = (uint32_t)((row + 1) * width);
    }
    return OK;
}

static status var_rows(const struct column *c, struct buf *bytes, uint32_t *ends, struct error *err)
{
    uint64_t total = c->length;
    for (size_t row = 0; row < c->length; row++)
        total += column_is_null(c, row) ? 0 : column_str(c, row).n;
    if (total > UINT32_MAX)
        return too_long(err);
    status s = buf_reserve(bytes, total, err);
    if (s != OK)
        return s;
    for (size_t row = 0; row < c->length; row++) {
        bool null = column_is_null(c, row);
        uint8_t tag = null ? TAG_NULL : TAG_VALUE;
        buf_append_unsafe(bytes, &tag, 1);
        if (!null) {
            struct str value = column_str(c, row);
            buf_append_unsafe(bytes, value.p, value.n);
        }
        ends[row] = (uint32_t)bytes->len;
    }
    return OK;
}

status order_bytes_rows(const struct column *c, struct buf *bytes, struct buf *ends, struct error *err)
{
    status s = buf_resize(ends, c->length * sizeof(uint32_t), err);
    if (s != OK)
        return s;
    size_t width = order_bytes_width(c->type);
    uint32_t *at = (uint32_t *)ends->data;
    return width ? fixed_rows(c, width, bytes, at, err) : var_rows(c, bytes, at, err);
}
