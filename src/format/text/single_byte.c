#include "format/text/single_byte.h"

#include <errno.h>
#include <string.h>

bool single_byte_learn(struct single_byte *table, iconv_t converter)
{
    *table = (struct single_byte){.ascii_same = true};
    for (unsigned b = 0; b < 256; b++) {
        char byte = (char)b;
        char *in = &byte;
        size_t in_left = 1;
        char *out = (char *)table->utf8[b];
        size_t out_left = sizeof table->utf8[b];
        iconv(converter, NULL, NULL, NULL, NULL);
        size_t result = iconv(converter, &in, &in_left, &out, &out_left);
        bool unmapped = result == (size_t)-1 && errno == EILSEQ;
        size_t made = sizeof table->utf8[b] - out_left;
        /* A lead byte asks for more; a shift or a character held back for composing writes nothing yet. */
        if (!unmapped && (result == (size_t)-1 || made == 0))
            return false;
        table->length[b] = unmapped ? 0 : (uint8_t)made;
        if (b < 0x80 && !(table->length[b] == 1 && table->utf8[b][0] == b))
            table->ascii_same = false;
    }
    iconv(converter, NULL, NULL, NULL, NULL);
    return true;
}

static inline size_t ascii_run(const uint8_t *in, size_t n)
{
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t word;
        memcpy(&word, in + i, 8);
        if (word & 0x8080808080808080u)
            break;
    }
    while (i < n && in[i] < 0x80)
        i++;
    return i;
}

size_t single_byte_convert(const struct single_byte *table, const uint8_t *in, size_t n, uint8_t *out, size_t *out_n,
                           bool *invalid)
{
    size_t i = 0, o = 0, cap = *out_n;
    *invalid = false;
    while (i < n) {
        if (table->ascii_same && in[i] < 0x80) {
            size_t room = cap - o;
            size_t run = ascii_run(in + i, n - i < room ? n - i : room);
            if (run == 0)
                break;
            memcpy(out + o, in + i, run);
            i += run;
            o += run;
            continue;
        }
        size_t length = table->length[in[i]];
        if (length == 0) {
            *invalid = true;
            break;
        }
        if (length > cap - o)
            break;
        for (size_t k = 0; k < length; k++)
            out[o + k] = table->utf8[in[i]][k];
        o += length;
        i++;
    }
    *out_n = o;
    return i;
}
