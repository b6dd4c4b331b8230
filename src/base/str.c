#include "base/str.h"

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (fold(a.p[i]) != fold(b.p[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

size_t str_utf8_prefix(struct str s, size_t max)
{
    if (s.n <= max)
        return s.n;
    size_t end = max;
    while (end > 0 && ((unsigned char)s.p[end] & 0xC0) == 0x80)
        end--;
    return end;
}

/* Well-formed UTF-8 as Unicode 15 table 3-7: no surrogates, no overlong forms. */
bool str_is_utf8(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
    while (p < end) {
        unsigned char c = *p++;
        if (c < 0x80)
            continue;
        unsigned low = 0x80, high = 0xBF, more;
        if (c >= 0xC2 && c <= 0xDF) {
            more = 1;
        } else if (c >= 0xE0 && c <= 0xEF) {
            more = 2;
            low = c == 0xE0 ? 0xA0 : 0x80;
            high = c == 0xED ? 0x9F : 0xBF;
        } else if (c >= 0xF0 && c <= 0xF4) {
            more = 3;
            low = c == 0xF0 ? 0x90 : 0x80;
            high = c == 0xF4 ? 0x8F : 0xBF;
        } else {
            return false;
        }
        if ((size_t)(end - p) < more || *p < low || *p > high)
            return false;
        for (unsigned i = 1; i < more; i++)
            if ((p[i] & 0xC0) != 0x80)
                return false;
        p += more;
    }
    return true;
}

bool str_parse_u64(struct str s, uint64_t max, uint64_t *value)
{
    uint64_t v = 0;
    if (s.n == 0 || s.n > 20)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned char)s.p[i] - '0';
        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (v > max)
        return false;
    *value = v;
    return true;
}

bool str_parse_bytes(struct str s, uint64_t *bytes)
{
    static const struct {
        struct str suffix;
        unsigned shift;
    } units[] = {
        {{"KiB", 3}, 10}, {{"MiB", 3}, 20}, {{"GiB", 3}, 30}, {{"TiB", 3}, 40}, {{"KB", 2}, 10},
        {{"MB", 2}, 20},  {{"GB", 2}, 30},  {{"TB", 2}, 40},  {{"K", 1}, 10},   {{"M", 1}, 20},
        {{"G", 1}, 30},   {{"T", 1}, 40},   {{"B", 1}, 0},
    };
    unsigned shift = 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct str suffix = units[i].suffix;
        if (s.n > suffix.n && str_equal_nocase((struct str){s.p + s.n - suffix.n, suffix.n}, suffix)) {
            shift = units[i].shift;
            s.n -= suffix.n;
            break;
        }
    }
    uint64_t whole = 0, tenths = 0;
    if (s.n > 2 && s.p[s.n - 2] == '.') { /* one decimal place is enough for "1.5G" */
        if (!str_parse_u64((struct str){s.p + s.n - 1, 1}, 9, &tenths))
            return false;
        s.n -= 2;
    }
    if (!str_parse_u64(s, (UINT64_MAX >> 1) >> shift, &whole))
        return false;
    *bytes = (whole << shift) + ((tenths << shift) / 10);
    return *bytes <= UINT64_MAX >> 1;
}
