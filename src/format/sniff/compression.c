#include <string.h>

#include "format/sniff/sniff.h"

enum sniff_compression sniff_compression(const uint8_t *head, size_t n)
{
    if (n >= 2 && memcmp(head, "\x1f\x8b", 2) == 0)
        return SNIFF_GZIP;
    if (n >= 4 && memcmp(head, "\x28\xb5\x2f\xfd", 4) == 0)
        return SNIFF_ZSTD;
    return SNIFF_PLAIN;
}
