#include "batch/value_text.h"

#include "base/civil.h"
#include "batch/value_text_digits.h"

static size_t write_year(int year, char *into)
{
    size_t sign = year < 0;
    unsigned magnitude = year < 0 ? 0 - (unsigned)year : (unsigned)year;
    if (sign)
        *into = '-';
    if (magnitude > 9999)
        return sign + value_text_u64(magnitude, into + sign);
    value_text_2(magnitude / 100, into + sign);
    value_text_2(magnitude % 100, into + sign + 2);
    return sign + 4;
}

static size_t write_date(const struct civil *c, char *into)
{
    char *at = into + write_year(c->year, into);
    *at = '-';
    value_text_2((unsigned)c->month, at + 1);
    at[3] = '-';
    value_text_2((unsigned)c->day, at + 4);
    return (size_t)(at + 6 - into);
}

static size_t write_time(const struct civil *c, char *into)
{
    value_text_2((unsigned)c->hour, into);
    into[2] = ':';
    value_text_2((unsigned)c->minute, into + 3);
    into[5] = ':';
    value_text_2((unsigned)c->second, into + 6);
    if (c->micro == 0)
        return 8;
    into[8] = '.';
    value_text_fixed((uint64_t)c->micro, 6, into + 9);
    size_t n = 15;
    while (into[n - 1] == '0')
        n--;
    return n;
}

size_t value_text_date(int32_t days, char *into)
{
    struct civil c = civil_of_days(days);
    return write_date(&c, into);
}

size_t value_text_timestamp(int64_t micros, char *into)
{
    struct civil c = civil_of_micros(micros);
    size_t n = write_date(&c, into);
    into[n++] = 'T';
    return n + write_time(&c, into + n);
}

static size_t write_uuid(const uint8_t *bytes, char *into)
{
    static const char hex[] = "0123456789abcdef";
    char *at = into;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = hex[bytes[i] >> 4];
        *at++ = hex[bytes[i] & 15];
    }
    return 36;
}

static size_t write_bool(bool v, char *into)
{
    memcpy(into, v ? "true" : "false", v ? 4 : 5);
    return v ? 4 : 5;
}

/* Values may lie unaligned (a dictionary page, a packed key). */
#define READ(type, from) (*(type *)memcpy(&(type){0}, from, sizeof(type)))

size_t value_text(struct data_type type, const void *value, char into[VALUE_TEXT_MAX])
{
    switch (type.kind) {
    case TYPE_BOOLEAN:
        return write_bool(READ(uint8_t, value), into);
    case TYPE_INTEGER:
        return value_text_i64(READ(int32_t, value), into);
    case TYPE_BIGINT:
        return value_text_i64(READ(int64_t, value), into);
    case TYPE_FLOAT:
        return value_text_f32(READ(float, value), into);
    case TYPE_DOUBLE:
        return value_text_f64(READ(double, value), into);
    case TYPE_DECIMAL:
        return value_text_decimal(READ(__int128, value), type.scale, into);
    case TYPE_DATE:
        return value_text_date(READ(int32_t, value), into);
    case TYPE_TIME: {
        struct civil c = civil_of_micros(READ(int64_t, value));
        return write_time(&c, into);
    }
    case TYPE_TIMESTAMP:
        return value_text_timestamp(READ(int64_t, value), into);
    case TYPE_TIMESTAMPTZ: {
        size_t n = value_text_timestamp(READ(int64_t, value), into);
        into[n] = 'Z';
        return n + 1;
    }
    case TYPE_UUID:
        return write_uuid(value, into);
    case TYPE_NULL:
    case TYPE_STRING:
    case TYPE_JSON:
    case TYPE_BINARY:
    case TYPE_KIND_COUNT:
        break;
    }
    return 0;
}

status value_text_append(const struct column *c, size_t row, struct buf *to, struct error *err)
{
    if (type_is_var(c->type))
        return buf_append_str(to, column_str(c, row), err);
    status s = buf_reserve(to, VALUE_TEXT_MAX, err);
    if (s == OK)
        to->len += value_text(c->type, column_value(c, row), (char *)to->data + to->len);
    return s;
}
