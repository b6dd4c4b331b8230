#include "batch/cast_inline.h"

/* Instants that have a date within the years that text can say: 0001-01-01T00:00Z up to 9999-12-31T23:59:59.999999Z. */
#define FIRST_MICROS (INT64_C(-719162) * CAST_MICROS_PER_DAY)
#define END_MICROS (INT64_C(2932897) * CAST_MICROS_PER_DAY)

/* Months 0 and 13 to 15 have no days, so that a month needs no check of its lower end. */
const struct cast_month cast_months[2][16] = {
    {{0, 0},
     {1, 31},
     {32, 28},
     {60, 31},
     {91, 30},
     {121, 31},
     {152, 30},
     {182, 31},
     {213, 31},
     {244, 30},
     {274, 31},
     {305, 30},
     {335, 31}},
    {{0, 0},
     {0, 31},
     {31, 29},
     {60, 31},
     {91, 30},
     {121, 31},
     {152, 30},
     {182, 31},
     {213, 31},
     {244, 30},
     {274, 31},
     {305, 30},
     {335, 31}},
};

bool cast_date(const char *text, size_t n, int32_t *days)
{
    return cast_date_inline(text, n, days);
}

bool cast_time(const char *text, size_t n, int64_t *micros)
{
    return cast_time_inline(text, n, micros);
}

bool cast_timestamp(const char *text, size_t n, int64_t *micros)
{
    return cast_timestamp_inline(text, n, micros);
}

/* Two digits at p, at most `max`. */
static bool two_digits(const char *p, unsigned max, unsigned *value)
{
    unsigned tens = (unsigned char)p[0] - '0', ones = (unsigned char)p[1] - '0';
    *value = tens * 10 + ones;
    return tens <= 9 && ones <= 9 && *value <= max;
}

/* Z or [+-]HH[[:]mm], and nothing else. */
static bool zone_offset(const char *p, size_t n, int64_t *micros)
{
    if (n == 1 && *p == 'Z') {
        *micros = 0;
        return true;
    }
    unsigned hours, minutes = 0;
    if ((n != 3 && n != 5 && n != 6) || (*p != '+' && *p != '-') || !two_digits(p + 1, 23, &hours))
        return false;
    if (n == 6 && p[3] != ':')
        return false;
    if (n > 3 && !two_digits(p + n - 2, 59, &minutes))
        return false;
    int64_t offset = (int64_t)(hours * 60 + minutes) * 60000000;
    *micros = *p == '-' ? -offset : offset;
    return true;
}

bool cast_timestamptz(const char *text, size_t n, int64_t *micros)
{
    /* A date with an offset but without a time of day says too little: "2024-01-01-05" could be anything. */
    if (n < 17)
        return false;
    size_t at = 16; /* "yyyy-MM-ddTHH:mm" is over: the zone begins at the first Z, sign or space */
    while (at < n && text[at] != 'Z' && text[at] != '+' && text[at] != '-' && text[at] != ' ')
        at++;
    size_t zone = at + (at < n && text[at] == ' ');
    int64_t local, offset;
    if (!zone_offset(text + zone, n - zone, &offset) || !cast_timestamp_inline(text, at, &local))
        return false;
    local -= offset;
    if (local < FIRST_MICROS || local >= END_MICROS)
        return false;
    *micros = local;
    return true;
}
