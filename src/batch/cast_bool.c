#include "base/str.h"
#include "batch/cast.h"

bool cast_bool(const char *text, size_t n, uint8_t *out)
{
    static const struct {
        struct str name;
        uint8_t value;
    } names[] = {
        {{"true", 4}, 1}, {{"false", 5}, 0}, {{"t", 1}, 1},  {{"f", 1}, 0}, {{"1", 1}, 1},
        {{"0", 1}, 0},    {{"yes", 3}, 1},   {{"no", 2}, 0}, {{"y", 1}, 1}, {{"n", 1}, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_equal_nocase((struct str){text, n}, names[i].name)) {
            *out = names[i].value;
            return true;
        }
    return false;
}

/* true True TRUE, false False FALSE: a word is written in capitals, in lower case or with one capital in front. */
bool infer_bool(const char *text, size_t n, uint8_t *out)
{
    if (n == 4 && (memcmp(text, "true", 4) == 0 || memcmp(text, "True", 4) == 0 || memcmp(text, "TRUE", 4) == 0)) {
        *out = 1;
        return true;
    }
    if (n == 5 && (memcmp(text, "false", 5) == 0 || memcmp(text, "False", 5) == 0 || memcmp(text, "FALSE", 5) == 0)) {
        *out = 0;
        return true;
    }
    return false;
}
