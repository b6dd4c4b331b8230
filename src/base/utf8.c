#include "base/utf8.h"

#include <string.h>

bool utf8_is_valid_scalar(const uint8_t *text, size_t n)
{
    const uint8_t *p = text, *end = text + n;
    while (p < end) {
        uint64_t eight;
        if (end - p >= 8 && (memcpy(&eight, p, 8), (eight & 0x8080808080808080u) == 0)) {
            p += 8;
            continue;
        }
        uint8_t c = *p++;
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

bool utf8_is_valid(const uint8_t *text, size_t n)
{
#if defined(__x86_64__)
    if (n >= 64 && __builtin_cpu_supports("avx2"))
        return utf8_is_valid_avx2(text, n);
#endif
    return utf8_is_valid_scalar(text, n);
}
