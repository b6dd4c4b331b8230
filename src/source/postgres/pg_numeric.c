/* numeric on the wire (numeric_send): int16 digits, int16 weight of the first, uint16 sign, uint16 display scale, then
 * the digits, base 10,000, the first the highest, those at the end that are zero left out. */
#include "source/postgres/pg_bytes.h"
#include "source/postgres/pg_decode.h"

#define HEAD 8
#define BASE_DIGITS 4
#define SIGN_NEGATIVE 0x4000
#define SIGN_NAN 0xC000
#define SIGN_INFINITY 0xD000
#define SIGN_MINUS_INFINITY 0xF000
#define DIGITS_MOST 11 /* of base 10,000, that 38 decimal digits touch */

typedef unsigned __int128 u128;

static const uint32_t small_power[] = {1, 10, 100, 1000, 10000};

static u128 power_of_10(unsigned n)
{
    static const uint64_t power[] = {1ull,
                                     10ull,
                                     100ull,
                                     1000ull,
                                     10000ull,
                                     100000ull,
                                     1000000ull,
                                     10000000ull,
                                     100000000ull,
                                     1000000000ull,
                                     10000000000ull,
                                     100000000000ull,
                                     1000000000000ull,
                                     10000000000000ull,
                                     100000000000000ull,
                                     1000000000000000ull,
                                     10000000000000000ull,
                                     100000000000000000ull,
                                     1000000000000000000ull,
                                     10000000000000000000ull};
    return n < 20 ? power[n] : (u128)power[19] * power[n - 19];
}

static bool refuse(const char **why, const char *what)
{
    *why = what;
    return false;
}

bool pg_numeric(const uint8_t *bytes, size_t n, unsigned precision, unsigned scale, __int128 *value, const char **why)
{
    if (n < HEAD)
        return refuse(why, "not a numeric");
    unsigned digits = pg_u16(bytes), sign = pg_u16(bytes + 4);
    int weight = (int16_t)pg_u16(bytes + 2);
    if (n != HEAD + 2 * (size_t)digits)
        return refuse(why, "not a numeric");
    if (sign == SIGN_NAN)
        return refuse(why, "not a number");
    if (sign == SIGN_INFINITY || sign == SIGN_MINUS_INFINITY)
        return refuse(why, "infinite");
    const uint8_t *at = bytes + HEAD;
    while (digits > 0 && pg_u16(at) == 0) { /* no server sends them */
        at += 2;
        digits--;
        weight--;
    }
    while (digits > 0 && pg_u16(at + 2 * (size_t)digits - 2) == 0)
        digits--;
    *value = 0;
    if (digits == 0)
        return true;
    /* Decimal places between the last digit's end and the wanted scale: < 0: its last ones lie beyond. */
    int shift = (weight - (int)digits + 1) * BASE_DIGITS + (int)scale;
    if (shift <= -BASE_DIGITS)
        return refuse(why, "more digits after the point than the column's scale");
    if (digits > DIGITS_MOST || shift > 38 || (int)(digits - 1) * BASE_DIGITS + shift > 38)
        return refuse(why, "more digits than the column's precision");
    u128 sum = 0;
    for (unsigned i = 0; i + 1 < digits; i++) {
        unsigned digit = pg_u16(at + 2 * (size_t)i);
        if (digit > 9999)
            return refuse(why, "not a numeric");
        if (sum >= power_of_10(34))
            return refuse(why, "more digits than the column's precision");
        sum = sum * 10000 + digit;
    }
    unsigned last = pg_u16(at + 2 * (size_t)digits - 2);
    if (last > 9999)
        return refuse(why, "not a numeric");
    if (shift < 0) {
        uint32_t cut = small_power[-shift];
        if (last % cut)
            return refuse(why, "more digits after the point than the column's scale");
        if (sum >= power_of_10(38) / small_power[BASE_DIGITS + shift])
            return refuse(why, "more digits than the column's precision");
        sum = sum * small_power[BASE_DIGITS + shift] + last / cut;
    } else {
        if (sum >= power_of_10(34))
            return refuse(why, "more digits than the column's precision");
        sum = sum * 10000 + last;
        if (shift > 0 && sum >= power_of_10(38) / power_of_10((unsigned)shift))
            return refuse(why, "more digits than the column's precision");
        sum *= power_of_10((unsigned)shift);
    }
    if (sum >= power_of_10(precision))
        return refuse(why, "more digits than the column's precision");
    *value = sign == SIGN_NEGATIVE ? -(__int128)sum : (__int128)sum;
    return true;
}

status pg_numeric_text(const uint8_t *bytes, size_t n, struct buf *text, struct error *err)
{
    unsigned digits = n >= HEAD ? pg_u16(bytes) : 0, sign = n >= HEAD ? pg_u16(bytes + 4) : 0;
    int weight = n >= HEAD ? (int16_t)pg_u16(bytes + 2) : 0;
    if (n < HEAD || n != HEAD + 2 * (size_t)digits)
        return buf_append_str(text, STR("?"), err);
    if (sign == SIGN_NAN)
        return buf_append_str(text, STR("NaN"), err);
    if (sign == SIGN_INFINITY || sign == SIGN_MINUS_INFINITY)
        return buf_append_str(text, sign == SIGN_INFINITY ? STR("Infinity") : STR("-Infinity"), err);
    status s = buf_append_str(text, sign == SIGN_NEGATIVE ? STR("-0.") : STR("0."), err);
    for (unsigned i = 0; s == OK && i < digits && i < DIGITS_MOST; i++)
        s = buf_printf(text, err, "%04u", pg_u16(bytes + HEAD + 2 * (size_t)i));
    return s == OK ? buf_printf(text, err, "e%+d", (weight + 1) * BASE_DIGITS) : s;
}
