#include "shape/base64.h"

status base64_append(struct str bytes, struct buf *to, struct error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *from = (const uint8_t *)bytes.p;
    status s = buf_reserve(to, (bytes.n + 2) / 3 * 4, err);
    for (size_t i = 0; s == OK && i < bytes.n; i += 3) {
        size_t n = bytes.n - i;
        uint32_t group = (uint32_t)from[i] << 16;
        if (n > 1)
            group |= (uint32_t)from[i + 1] << 8;
        if (n > 2)
            group |= from[i + 2];
        const char text[4] = {digits[group >> 18], digits[group >> 12 & 63], n > 1 ? digits[group >> 6 & 63] : '=',
                              n > 2 ? digits[group & 63] : '='};
        buf_append_unsafe(to, text, sizeof text);
    }
    return s;
}
