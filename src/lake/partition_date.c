#include <stdio.h>

#include "base/civil.h"
#include "lake/partition.h"

enum date_token { TOKEN_YEAR, TOKEN_MONTH, TOKEN_DAY, TOKEN_HOUR, TOKEN_COUNT };

static const struct str tokens[TOKEN_COUNT] = {{"yyyy", 4}, {"MM", 2}, {"dd", 2}, {"HH", 2}};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Length of the run of one letter at the front. */
static size_t run_length(struct str s)
{
    size_t n = 1;
    while (n < s.n && s.p[n] == s.p[0])
        n++;
    return n;
}

/* The token that the run at the front is, or -1. */
static int token_at(struct str s)
{
    struct str run = {s.p, run_length(s)};
    for (int t = 0; t < TOKEN_COUNT; t++)
        if (str_equal(run, tokens[t]))
            return t;
    return -1;
}

enum word_kind { WORD_TOKENS, WORD_LITERAL, WORD_UNCLEAR };

static enum word_kind word_kind(struct str word)
{
    bool only_tokens = true, only_date_letters = true, looks_like_token = false;
    for (size_t at = 0; at < word.n;) {
        struct str rest = {word.p + at, word.n - at};
        size_t n = run_length(rest);
        bool capital = rest.p[0] < 'a';
        bool token = token_at(rest) >= 0;
        bool date_letter = strchr("yMdHmshYDS", rest.p[0]) != NULL;
        only_tokens &= token;
        only_date_letters &= date_letter;
        /* A doubled capital or y is meant for a date; "ss" and "mm" are in many a plain word. */
        looks_like_token |= token || (date_letter && n > 1 && (capital || rest.p[0] == 'y'));
        at += n;
    }
    if (only_tokens)
        return WORD_TOKENS;
    return only_date_letters || looks_like_token ? WORD_UNCLEAR : WORD_LITERAL;
}

/* Take the next piece off the front of a segment's rest: a word, or what stands between words. */
static struct str next_piece(struct str *rest)
{
    bool word = is_letter(rest->p[0]);
    size_t n = 1;
    while (n < rest->n && is_letter(rest->p[n]) == word)
        n++;
    struct str piece = {rest->p, n};
    rest->p += n;
    rest->n -= n;
    return piece;
}

static status refuse(struct error *err, struct str pattern, const char *why)
{
    status s = error_set(err, ERR_INVALID, "the partition pattern '%.*s' %s", (int)(pattern.n < 200 ? pattern.n : 200),
                         pattern.p, why);
    error_hint(err, "tokens: yyyy MM dd HH; other text may stand around them, such as dt=yyyy-MM-dd or yyyy/MM/dd");
    return s;
}

static status check_segment(struct str pattern, struct str segment, struct error *err)
{
    if (segment.n == 0)
        return refuse(err, pattern, "has an empty part: no '/' may be first, last or doubled");
    if (str_equal(segment, STR(".")) || str_equal(segment, STR("..")))
        return refuse(err, pattern, "may not go up or stay with '.' or '..'");
    const char *equals = memchr(segment.p, '=', segment.n);
    struct str rest = segment;
    if (equals) {
        rest.p = equals + 1;
        rest.n = (size_t)(segment.p + segment.n - rest.p);
    }
    while (rest.n) {
        struct str piece = next_piece(&rest);
        if (!is_letter(piece.p[0]) || word_kind(piece) != WORD_UNCLEAR)
            continue;
        char why[128];
        snprintf(why, sizeof why, "has '%.*s', which is no token and too much like one",
                 (int)(piece.n < 32 ? piece.n : 32), piece.p);
        return refuse(err, pattern, why);
    }
    return OK;
}

/* Take the next segment off the front of `rest`; its '/' is gone, too. */
static struct str next_segment(struct str *rest)
{
    const char *slash = memchr(rest->p, '/', rest->n);
    size_t n = slash ? (size_t)(slash - rest->p) : rest->n;
    struct str segment = {rest->p, n};
    rest->p += n + (slash != NULL);
    rest->n -= n + (slash != NULL);
    return segment;
}

status partition_date_check(struct str pattern, struct error *err)
{
    if (pattern.n == 0)
        return refuse(err, pattern, "is empty");
    if (pattern.n > 255)
        return refuse(err, pattern, "is longer than 255 bytes");
    if (!str_is_utf8(pattern))
        return refuse(err, (struct str){"", 0}, "is not valid UTF-8");
    for (size_t i = 0; i < pattern.n; i++)
        if ((unsigned char)pattern.p[i] < 0x20 || pattern.p[i] == 0x7F || pattern.p[i] == '\\')
            return refuse(err, pattern, "holds a backslash or a control character");
    if (pattern.p[pattern.n - 1] == '/')
        return check_segment(pattern, (struct str){pattern.p, 0}, err);
    status s = OK;
    for (struct str rest = pattern; s == OK && rest.n;)
        s = check_segment(pattern, next_segment(&rest), err);
    return s;
}

static status append_tokens(struct str word, const struct civil *time, struct buf *path, struct error *err)
{
    status s = OK;
    while (s == OK && word.n) {
        int token = token_at(word);
        const int values[TOKEN_COUNT] = {time->year, time->month, time->day, time->hour};
        s = buf_printf(path, err, "%0*d", (int)tokens[token].n, values[token]);
        word.p += tokens[token].n;
        word.n -= tokens[token].n;
    }
    return s;
}

status partition_date_path(struct str pattern, int64_t run_micros, struct buf *path, struct error *err)
{
    struct civil time = civil_of_micros(run_micros);
    status s = partition_date_check(pattern, err);
    for (struct str rest = pattern; s == OK && rest.n;) {
        struct str segment = next_segment(&rest);
        const char *equals = memchr(segment.p, '=', segment.n);
        size_t literal = equals ? (size_t)(equals - segment.p) + 1 : 0;
        s = buf_append(path, segment.p, literal, err);
        for (struct str part = {segment.p + literal, segment.n - literal}; s == OK && part.n;) {
            struct str piece = next_piece(&part);
            bool is_tokens = is_letter(piece.p[0]) && word_kind(piece) == WORD_TOKENS;
            s = is_tokens ? append_tokens(piece, &time, path, err) : buf_append_str(path, piece, err);
        }
        if (s == OK)
            s = buf_append(path, "/", 1, err);
    }
    return s;
}
