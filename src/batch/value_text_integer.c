#include "batch/value_text.h"
#include "batch/value_text_digits.h"

const char value_text_pairs[200] = "0001020304050607080910111213141516171819"
                                   "2021222324252627282930313233343536373839"
                                   "4041424344454647484950515253545556575859"
                                   "6061626364656667686970717273747576777879"
                                   "8081828384858687888990919293949596979899";

unsigned value_text_count(uint64_t v)
{
    static const uint64_t first[20] = {0,
                                       UINT64_C(10),
                                       UINT64_C(100),
                                       UINT64_C(1000),
                                       UINT64_C(10000),
                                       UINT64_C(100000),
                                       UINT64_C(1000000),
                                       UINT64_C(10000000),
                                       UINT64_C(100000000),
                                       UINT64_C(1000000000),
                                       UINT64_C(10000000000),
                                       UINT64_C(100000000000),
                                       UINT64_C(1000000000000),
                                       UINT64_C(10000000000000),
                                       UINT64_C(100000000000000),
                                       UINT64_C(1000000000000000),
                                       UINT64_C(10000000000000000),
                                       UINT64_C(100000000000000000),
                                       UINT64_C(1000000000000000000),
                                       UINT64_C(10000000000000000000)};
    /* log10(2) is a little above 1233 / 4096: what the bit length says is right or one too small. */
    unsigned bits = 64 - (unsigned)__builtin_clzll(v | 1), guess = bits * 1233 >> 12;
    return guess + (v >= first[guess]);
}

void value_text_fixed(uint64_t v, unsigned count, char *into)
{
    for (; count >= 2; count -= 2) {
        value_text_2((unsigned)(v % 100), into + count - 2);
        v /= 100;
    }
    if (count)
        into[0] = (char)('0' + v % 10);
}

size_t value_text_u64(uint64_t v, char *into)
{
    unsigned count = value_text_count(v);
    value_text_fixed(v, count, into);
    return count;
}

size_t value_text_i64(int64_t v, char *into)
{
    if (v >= 0)
        return value_text_u64((uint64_t)v, into);
    *into = '-';
    return 1 + value_text_u64(0 - (uint64_t)v, into + 1);
}

size_t value_text_decimal(__int128 v, unsigned scale, char *into)
{
    const uint64_t part = UINT64_C(10000000000000000000); /* 10^19 */
    unsigned __int128 magnitude = v < 0 ? 0 - (unsigned __int128)v : (unsigned __int128)v;
    char digits[60]; /* 19 + 19 + 1, and zeros in front where the scale asks for them */
    value_text_fixed((uint64_t)(magnitude % part), 19, digits + 41);
    magnitude /= part;
    value_text_fixed((uint64_t)(magnitude % part), 19, digits + 22);
    value_text_fixed((uint64_t)(magnitude / part), 22, digits);
    size_t begin = 0, point = sizeof digits - scale;
    while (begin < point - 1 && digits[begin] == '0')
        begin++;
    char *at = into;
    if (v < 0)
        *at++ = '-';
    memcpy(at, digits + begin, point - begin);
    at += point - begin;
    if (scale) {
        *at++ = '.';
        memcpy(at, digits + point, scale);
        at += scale;
    }
    return (size_t)(at - into);
}
