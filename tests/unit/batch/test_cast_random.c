/* The inline casts against naive ones that look at one character at a time, on millions of random texts; and doubles
 * against the C library. */
#include <math.h>
#include <stdio.h>

#include "base/civil.h"
#include "batch/cast_inline.h"
#include "batch/infer.h"
#include "unit/batch/cell.h"
#include "unit/batch/random.h"
#include "unit/cmocka_all.h"

#define TEXT_MAX 40

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool naive_i64(const char *p, size_t n, bool infer, int64_t *out)
{
    size_t at = 0;
    bool negative = n > 0 && p[0] == '-';
    if (negative || (n > 0 && p[0] == '+' && !infer))
        at++;
    if (at == n || (infer && p[at] == '0' && n > 1))
        return false;
    __int128 value = 0;
    for (; at < n; at++) {
        if (!digit(p[at]))
            return false;
        value = value * 10 + (p[at] - '0');
        if (value > (__int128)1 << 64)
            value = (__int128)1 << 64;
    }
    value = negative ? -value : value;
    if (value < INT64_MIN || value > INT64_MAX)
        return false;
    *out = (int64_t)value;
    return true;
}

static size_t run(const char *p, size_t n, size_t at)
{
    size_t begin = at;
    while (at < n && digit(p[at]))
        at++;
    return at - begin;
}

/* The grammar by hand, the value by the C library. The alphabet below has no letters for inf and nan. */
static bool naive_f64(const char *p, size_t n, bool infer, double *out)
{
    size_t at = 0;
    if (n > 0 && (p[0] == '-' || (p[0] == '+' && !infer)))
        at++;
    size_t whole = run(p, n, at), fraction = 0, begin = at;
    bool integer = true;
    if (infer && whole > 1 && p[at] == '0')
        return false;
    at += whole;
    if (at < n && p[at] == '.') {
        fraction = run(p, n, at + 1);
        at += 1 + fraction;
        integer = false;
    }
    if (whole + fraction == 0)
        return false;
    if (at < n && (p[at] == 'e' || p[at] == 'E')) {
        at++;
        if (at < n && (p[at] == '-' || p[at] == '+'))
            at++;
        size_t exponent = run(p, n, at);
        if (exponent == 0)
            return false;
        at += exponent;
        integer = false;
    }
    if (at != n)
        return false;
    char copy[TEXT_MAX + 60];
    memcpy(copy, p, n);
    copy[n] = '\0';
    if (infer && integer && (whole > 16 || strtoull(copy + begin, NULL, 10) > UINT64_C(1) << 53))
        return false;
    *out = strtod(copy, NULL);
    return !isinf(*out);
}

static int number(const char *p, size_t digits)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (p[i] - '0');
    return value;
}

/* '9' in the shape stands for a digit. */
static bool has_shape(const char *p, size_t n, const char *shape)
{
    for (size_t i = 0; shape[i]; i++)
        if (i >= n || (shape[i] == '9' ? !digit(p[i]) : p[i] != shape[i]))
            return false;
    return true;
}

static bool naive_date(const char *p, size_t n, int32_t *out)
{
    if (n != 10 || !has_shape(p, n, "9999-99-99"))
        return false;
    int year = number(p, 4), month = number(p + 5, 2), day = number(p + 8, 2);
    if (year == 0 || !civil_date_exists(year, month, day))
        return false;
    *out = (int32_t)civil_days(year, month, day);
    return true;
}

static bool naive_time(const char *p, size_t n, int64_t *out)
{
    if (!has_shape(p, n, "99:99"))
        return false;
    int64_t seconds = number(p, 2) * 3600 + number(p + 3, 2) * 60, micros = 0;
    if (number(p, 2) > 23 || number(p + 3, 2) > 59)
        return false;
    if (n > 5) {
        if (!has_shape(p + 5, n - 5, ":99") || number(p + 6, 2) > 59)
            return false;
        seconds += number(p + 6, 2);
    }
    if (n > 8) {
        if (!has_shape(p + 8, n - 8, ".9"))
            return false;
        for (size_t i = 9, place = 100000; i < n; i++, place /= 10) {
            if (!digit(p[i]) || (place == 0 && p[i] != '0'))
                return false;
            micros += (int64_t)place * (p[i] - '0');
        }
    }
    *out = seconds * 1000000 + micros;
    return true;
}

static bool naive_timestamp(const char *p, size_t n, int64_t *out)
{
    int32_t days;
    int64_t time = 0;
    if (n < 10 || !naive_date(p, 10, &days))
        return false;
    if (n > 10 && ((p[10] != 'T' && p[10] != ' ') || !naive_time(p + 11, n - 11, &time)))
        return false;
    *out = days * INT64_C(86400000000) + time;
    return true;
}

/* Tries every place where the offset could begin. */
static bool naive_timestamptz(const char *p, size_t n, int64_t *out)
{
    static const char *const shapes[] = {"Z", "+99", "-99", "+9999", "-9999", "+99:99", "-99:99"};
    for (size_t s = 0; s < ARRAY_LENGTH(shapes); s++) {
        size_t zone = strlen(shapes[s]);
        if (n < 16 + zone || !has_shape(p + n - zone, zone, shapes[s]))
            continue;
        const char *z = p + n - zone;
        size_t local = n - zone - (n > zone && z[-1] == ' ');
        int hours = zone > 1 ? number(z + 1, 2) : 0, minutes = zone > 3 ? number(z + zone - 2, 2) : 0;
        int64_t value;
        if (hours > 23 || minutes > 59 || local <= 10 || !naive_timestamp(p, local, &value))
            continue;
        value -= (*z == '-' ? -1 : 1) * (hours * 60 + minutes) * INT64_C(60000000);
        if (value < INT64_C(-719162) * 86400000000 || value >= INT64_C(2932897) * 86400000000)
            continue;
        *out = value;
        return true;
    }
    return false;
}

static enum infer_class naive_class(const char *p, size_t n)
{
    int32_t days;
    int64_t value;
    double real;
    if (naive_i64(p, n, true, &value))
        return value >= -(INT64_C(1) << 53) && value <= INT64_C(1) << 53 ? INFER_INT53 : INFER_INT64;
    if (naive_f64(p, n, true, &real))
        return INFER_DOUBLE;
    if (naive_date(p, n, &days))
        return INFER_DATE;
    if (naive_timestamp(p, n, &value))
        return INFER_TIMESTAMP;
    return naive_timestamptz(p, n, &value) ? INFER_TIMESTAMPTZ : INFER_STRING;
}

#define CHECK(what, ok, expected_ok, value, expected)                                                                  \
    do {                                                                                                               \
        if ((ok) != (expected_ok) || ((ok) && memcmp(&(value), &(expected), sizeof(value)) != 0))                      \
            fail_msg(what " of '%.*s'", (int)n, p);                                                                    \
    } while (0)

static void check_text(const char *text, size_t n)
{
    char *p = cell_new_filled(text, n, "7.-+eE: T/Z"[n % 11]);
    int64_t i, expected_i;
    int32_t d, expected_d;
    double f, expected_f;
    bool ok, expected;
    ok = cast_i64_inline(p, n, &i), expected = naive_i64(p, n, false, &expected_i);
    CHECK("cast_i64", ok, expected, i, expected_i);
    ok = infer_i64_inline(p, n, &i), expected = naive_i64(p, n, true, &expected_i);
    CHECK("infer_i64", ok, expected, i, expected_i);
    ok = cast_f64_inline(p, n, &f), expected = naive_f64(p, n, false, &expected_f);
    CHECK("cast_f64", ok, expected, f, expected_f);
    ok = infer_f64_inline(p, n, &f), expected = naive_f64(p, n, true, &expected_f);
    CHECK("infer_f64", ok, expected, f, expected_f);
    ok = cast_date_inline(p, n, &d), expected = naive_date(p, n, &expected_d);
    CHECK("cast_date", ok, expected, d, expected_d);
    ok = cast_time_inline(p, n, &i), expected = naive_time(p, n, &expected_i);
    CHECK("cast_time", ok, expected, i, expected_i);
    ok = cast_timestamp_inline(p, n, &i), expected = naive_timestamp(p, n, &expected_i);
    CHECK("cast_timestamp", ok, expected, i, expected_i);
    ok = cast_timestamptz(p, n, &i), expected = naive_timestamptz(p, n, &expected_i);
    CHECK("cast_timestamptz", ok, expected, i, expected_i);
    if (infer_text(p, n) != naive_class(p, n))
        fail_msg("infer_text of '%.*s'", (int)n, p);
    cell_free(p);
}

static char pick(uint64_t *random, const char *from)
{
    return from[random_below(random, strlen(from))];
}

static void any_characters(void **state)
{
    (void)state;
    uint64_t random = 1;
    char text[TEXT_MAX + 1];
    for (int i = 0; i < 400000; i++) {
        size_t n = random_below(&random, TEXT_MAX + 1);
        for (size_t k = 0; k < n; k++)
            text[k] = pick(&random, "0123456789.-+eE: T/Zz x");
        check_text(text, n);
    }
}

/* Mostly digits, so that many are numbers: at most a few other characters. */
static void nearly_numbers(void **state)
{
    (void)state;
    uint64_t random = 2;
    char text[TEXT_MAX + 1];
    for (int i = 0; i < 1500000; i++) {
        size_t n = random_below(&random, i % 8 ? 22 : TEXT_MAX + 1);
        for (size_t k = 0; k < n; k++)
            text[k] = pick(&random, i % 3 ? "0123456789" : "00000123459999");
        for (uint64_t others = random_below(&random, 4); others && n; others--)
            text[random_below(&random, n)] = pick(&random, "...eE-+/:");
        if (n && random_below(&random, 3) == 0)
            text[0] = pick(&random, "-+");
        check_text(text, n);
    }
}

/* A good moment, of which sometimes a character is changed, or the end cut. */
static void nearly_moments(void **state)
{
    (void)state;
    uint64_t random = 3;
    char text[2 * TEXT_MAX];
    static const char *const zones[] = {"", "", "Z", " Z", "+01:00", "-0530", " +14", "-23:59", "+24:00"};
    for (int i = 0; i < 1000000; i++) {
        int year = (int)random_below(&random, 4) ? (int)random_below(&random, 10000) : i % 3 * 9998 + 1;
        int n = snprintf(text, sizeof text, "%04d-%02d-%02d", year > 9999 ? 9999 : year, (int)random_below(&random, 14),
                         (int)random_below(&random, 33));
        uint64_t form = random_below(&random, 5);
        if (form > 0)
            n += snprintf(text + n, sizeof text - (size_t)n, "%c%02d:%02d", pick(&random, "T T t"),
                          (int)random_below(&random, 25), (int)random_below(&random, 61));
        if (form > 1)
            n += snprintf(text + n, sizeof text - (size_t)n, ":%02d", (int)random_below(&random, 61));
        if (form > 2)
            n += snprintf(text + n, sizeof text - (size_t)n, ".%0*d", (int)random_below(&random, 9),
                          (int)random_below(&random, 1000));
        if (form > 3)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s", &"000"[random_below(&random, 4)]);
        n += snprintf(text + n, sizeof text - (size_t)n, "%s", zones[random_below(&random, ARRAY_LENGTH(zones))]);
        if (n > TEXT_MAX)
            n = TEXT_MAX;
        if (random_below(&random, 3) == 0)
            text[random_below(&random, (uint64_t)n)] = pick(&random, "0123456789.-+eE: T/Zz x");
        if (random_below(&random, 5) == 0)
            n -= 1 + (int)random_below(&random, 4);
        check_text(text, (size_t)n);
        if (n > 11)
            check_text(text + 11, (size_t)n - 11);
    }
}

/* Any byte at all in any place. */
static void any_bytes(void **state)
{
    (void)state;
    uint64_t random = 4;
    char text[TEXT_MAX];
    for (int i = 0; i < 500000; i++) {
        size_t n = random_below(&random, 26);
        for (size_t k = 0; k < n; k++)
            text[k] = (char)('0' + random_below(&random, 10));
        if (n)
            text[random_below(&random, n)] = (char)random_next(&random);
        if (n == 10 && i % 2) {
            text[4] = text[7] = '-';
            text[random_below(&random, n)] = (char)random_next(&random);
        }
        check_text(text, n);
    }
}

static void check_double(const char *text, size_t n)
{
    char *p = cell_new(text, n);
    double value = 0, expected = strtod(text, NULL);
    bool ok = cast_f64_inline(p, n, &value);
    if (ok == (bool)isinf(expected) || (ok && memcmp(&value, &expected, sizeof value) != 0))
        fail_msg("cast_f64 of '%s': %.17g, not %.17g", text, value, expected);
    cell_free(p);
}

static void doubles_as_the_c_library_reads_them(void **state)
{
    (void)state;
    uint64_t random = 5;
    char text[64];
    for (int i = 0; i < 1000000; i++) {
        uint64_t bits = random_next(&random);
        double any, near;
        memcpy(&any, &bits, sizeof any);
        near = (double)(int64_t)bits * 0x1p-40 * (double)(1 + random_below(&random, 1000));
        if (isfinite(any))
            check_double(text, (size_t)snprintf(text, sizeof text, "%.*g", 1 + (int)random_below(&random, 20), any));
        check_double(text, (size_t)snprintf(text, sizeof text, "%.*g", 1 + (int)random_below(&random, 19), near));
        check_double(text, (size_t)snprintf(text, sizeof text, "%.*f", (int)random_below(&random, 12), near));
        check_double(text, (size_t)snprintf(text, sizeof text, "%llue%d", (unsigned long long)random_next(&random),
                                            (int)random_below(&random, 50) - 25));
    }
}

/* Every date that can be written, and every month and day, also those that do not exist. */
static void every_date(void **state)
{
    (void)state;
    char *p = cell_new("0000-00-00", 10);
    for (int year = 0; year <= 9999; year++)
        for (int month = 0; month <= 99; month += month == 17 ? 82 : 1)
            for (int day = 0; day <= 99; day += day == 33 ? 66 : 1) {
                p[0] = (char)('0' + year / 1000);
                p[1] = (char)('0' + year / 100 % 10);
                p[2] = (char)('0' + year / 10 % 10);
                p[3] = (char)('0' + year % 10);
                p[5] = (char)('0' + month / 10);
                p[6] = (char)('0' + month % 10);
                p[8] = (char)('0' + day / 10);
                p[9] = (char)('0' + day % 10);
                int32_t days = 0;
                bool exists = year > 0 && civil_date_exists(year, month, day);
                if (cast_date_inline(p, 10, &days) != exists || (exists && days != civil_days(year, month, day)))
                    fail_msg("%.10s", p);
            }
    cell_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_characters),
        cmocka_unit_test(nearly_numbers),
        cmocka_unit_test(nearly_moments),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(doubles_as_the_c_library_reads_them),
        cmocka_unit_test(every_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
