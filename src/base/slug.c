#include "base/slug.h"

#include <stdbool.h>

void slug_of(const char *name, char *into, size_t cap)
{
    size_t n = 0;
    bool gap = false;
    for (const char *p = name; *p; p++) {
        char c = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) {
            gap = n > 0;
            continue;
        }
        if (c == '-' && n == 0)
            continue;
        if (n + (gap ? 2 : 1) >= cap)
            break;
        if (gap)
            into[n++] = '_';
        into[n++] = c;
        gap = false;
    }
    if (n == 0 && cap > 1)
        into[n++] = 'x';
    if (cap > 0)
        into[n] = '\0';
}
