#include "lake/percent_encoding.h"

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

status percent_encode(struct str text, struct buf *to, struct error *err)
{
    static const char digits[] = "0123456789ABCDEF";
    status s = buf_reserve(to, text.n * 3, err);
    if (s != OK)
        return s;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        const char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
        if (is_unreserved(c))
            buf_append_unsafe(to, &c, 1);
        else
            buf_append_unsafe(to, escape, sizeof escape);
    }
    return OK;
}
