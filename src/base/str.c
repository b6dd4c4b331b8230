#include "base/str.h"

#include "base/utf8.h"

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

bool str_is_utf8(struct str s)
{
    return utf8_is_valid((const uint8_t *)s.p, s.n);
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
