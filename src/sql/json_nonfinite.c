#include "sql/json_nonfinite.h"

static const struct {
    struct str word, becomes;
} words[] = {
    {{"NaN", 3}, {"\"NaN\"", 5}},
    {{"-NaN", 4}, {"\"NaN\"", 5}},
    {{"Infinity", 8}, {"\"inf\"", 5}},
    {{"-Infinity", 9}, {"\"-inf\"", 6}},
};
/* A word of 3 bytes becomes one of 5: nothing grows by more. */
#define GROWTH_MAX 2

bool json_nonfinite_maybe(struct str json)
{
    return json.n > 0 && (memmem(json.p, json.n, "NaN", 3) || memmem(json.p, json.n, "Infinity", 8));
}

/* Length of the string literal that begins at p[0] == '"', with its quotes; the rest when it does not end. */
static size_t string_length(const char *p, size_t n)
{
    size_t i = 1;
    while (i < n && p[i] != '"')
        i += p[i] == '\\' && i + 1 < n ? 2 : 1;
    return i < n ? i + 1 : n;
}

static int word_at(struct str rest)
{
    for (size_t w = 0; w < ARRAY_LENGTH(words); w++)
        if (rest.n >= words[w].word.n && memcmp(rest.p, words[w].word.p, words[w].word.n) == 0)
            return (int)w;
    return -1;
}

status json_nonfinite_quote(struct str json, struct buf *to, struct error *err)
{
    status s = buf_reserve(to, json.n + json.n / 3 * GROWTH_MAX, err);
    if (s != OK)
        return s;
    for (size_t i = 0; i < json.n;) {
        struct str rest = {json.p + i, json.n - i};
        size_t n = 1;
        if (*rest.p == '"') {
            n = string_length(rest.p, rest.n);
        } else if (*rest.p == 'N' || *rest.p == 'I' || *rest.p == '-') {
            int w = word_at(rest);
            if (w >= 0) {
                buf_append_unsafe(to, words[w].becomes.p, words[w].becomes.n);
                i += words[w].word.n;
                continue;
            }
        }
        buf_append_unsafe(to, rest.p, n);
        i += n;
    }
    return OK;
}
