#include "batch/cast.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool cast_uuid(const char *text, size_t n, uint8_t out[16])
{
    uint8_t bytes[16];
    if (n != 36)
        return false;
    for (size_t at = 0, i = 0; i < 16; i++) {
        if ((at == 8 || at == 13 || at == 18 || at == 23) && text[at++] != '-')
            return false;
        int high = hex_digit(text[at]), low = hex_digit(text[at + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    for (size_t i = 0; i < 16; i++)
        out[i] = bytes[i];
    return true;
}
