#include "lake/file_name.h"

#include <stdio.h>

#include "base/civil.h"

#define STEM_MAX 200 /* leaves room for the extension in the 255 bytes of a name */

enum name_token { NAME_TIMESTAMP, NAME_FILENAME, NAME_RUN_ID, NAME_JOB, NAME_DATE, NAME_SEQ, NAME_TOKEN_COUNT };

static const struct str names[NAME_TOKEN_COUNT] = {
    {"timestamp", 9}, {"filename", 8}, {"run_id", 6}, {"job", 3}, {"date", 4}, {"seq", 3},
};

static status refuse(struct error *err, struct str pattern, const char *why)
{
    status s = error_set(err, ERR_INVALID, "the file name pattern '%.*s' %s", (int)(pattern.n < 200 ? pattern.n : 200),
                         pattern.p, why);
    error_hint(err, "tokens: {timestamp} {filename} {run_id} {job} {date} {seq}");
    return s;
}

/* Take the next piece off the front: *token tells which one it is, or -1 for literal text. False: no such token, or a
 * brace without its partner. */
static bool next_piece(struct str *rest, struct str *piece, int *token)
{
    const char *end = rest->p + rest->n, *at = rest->p;
    *token = -1;
    if (*at == '{') {
        const char *close = memchr(at, '}', rest->n);
        if (!close)
            return false;
        *piece = (struct str){at + 1, (size_t)(close - at - 1)};
        for (int t = 0; t < NAME_TOKEN_COUNT; t++)
            if (str_equal(*piece, names[t]))
                *token = t;
        rest->p = close + 1;
        rest->n = (size_t)(end - rest->p);
        return *token >= 0;
    }
    while (at < end && *at != '{' && *at != '}')
        at++;
    if (at < end && *at == '}')
        return false;
    *piece = (struct str){rest->p, (size_t)(at - rest->p)};
    rest->p = at;
    rest->n = (size_t)(end - at);
    return true;
}

static size_t count_token(struct str pattern, int wanted)
{
    size_t count = 0;
    struct str piece;
    int token;
    while (pattern.n && next_piece(&pattern, &piece, &token))
        count += token == wanted;
    return count;
}

status file_name_check(struct str pattern, struct error *err)
{
    if (pattern.n == 0)
        return refuse(err, pattern, "is empty");
    if (!str_is_utf8(pattern))
        return refuse(err, (struct str){"", 0}, "is not valid UTF-8");
    if (memchr(pattern.p, '/', pattern.n))
        return refuse(err, pattern, "holds a '/': folders come from the partition pattern");
    for (struct str rest = pattern; rest.n;) {
        struct str piece;
        int token;
        if (!next_piece(&rest, &piece, &token))
            return refuse(err, pattern, "has an unknown token or a brace without its partner");
    }
    return OK;
}

static struct str drop_extension(struct str name, bool only_compression)
{
    static const struct str compressions[] = {{"gz", 2},  {"gzip", 4}, {"zst", 3}, {"zstd", 4},
                                              {"bz2", 3}, {"xz", 2},   {"lz4", 3}, {"snappy", 6}};
    const char *dot = memrchr(name.p, '.', name.n);
    if (!dot || dot == name.p)
        return name;
    struct str extension = {dot + 1, (size_t)(name.p + name.n - dot - 1)};
    bool known = false;
    for (size_t i = 0; i < ARRAY_LENGTH(compressions); i++)
        known |= str_equal_nocase(extension, compressions[i]);
    /* "v1.2" has no extension: one begins with a letter. */
    bool plausible =
        extension.n > 0 && extension.n <= 8 && (extension.p[0] | 32) >= 'a' && (extension.p[0] | 32) <= 'z';
    return known || (plausible && !only_compression) ? (struct str){name.p, (size_t)(dot - name.p)} : name;
}

static struct str source_stem(const struct file_name_parts *parts)
{
    struct str name = parts->source;
    const char *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
    if (slash) {
        name.n = (size_t)(name.p + name.n - slash - 1);
        name.p = slash + 1;
    }
    if (str_equal(name, STR("-")))
        return STR("stdin");
    if (name.n == 0)
        return parts->job.n ? parts->job : STR("data");
    return drop_extension(drop_extension(name, true), false);
}

static status append_time(const struct file_name_parts *parts, bool date_only, struct buf *to, struct error *err)
{
    struct civil t = civil_of_micros(parts->run_micros);
    if (date_only)
        return buf_printf(to, err, "%04d-%02d-%02d", t.year, t.month, t.day);
    return buf_printf(to, err, "%04d%02d%02dT%02d%02d%02d%03dZ", t.year, t.month, t.day, t.hour, t.minute, t.second,
                      t.micro / 1000);
}

static status append_token(int token, struct str stem, const struct file_name_parts *parts, struct buf *to,
                           struct error *err)
{
    switch (token) {
    case NAME_TIMESTAMP:
        return append_time(parts, false, to, err);
    case NAME_DATE:
        return append_time(parts, true, to, err);
    case NAME_FILENAME:
        return buf_append_str(to, stem, err);
    case NAME_RUN_ID:
        return buf_append_str(to, parts->run_id, err);
    case NAME_JOB:
        return buf_append_str(to, parts->job, err);
    default:
        return buf_printf(to, err, "%05u", parts->sequence);
    }
}

static status fill_in(struct str pattern, struct str stem, const struct file_name_parts *parts, struct buf *to,
                      struct error *err)
{
    status s = OK;
    while (s == OK && pattern.n) {
        struct str piece = {0};
        int token;
        if (!next_piece(&pattern, &piece, &token))
            break;
        s = token < 0 ? buf_append_str(to, piece, err) : append_token(token, stem, parts, to, err);
    }
    return s;
}

/* Length of the UTF-8 character at the front, or 0 when there is none. */
static size_t utf8_character(struct str s)
{
    for (size_t n = 1; n <= 4 && n <= s.n; n++)
        if (str_is_utf8((struct str){s.p, n}))
            return n;
    return 0;
}

static void sanitise(char *name, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t length = utf8_character((struct str){name + i, n - i});
        unsigned char c = (unsigned char)name[i];
        if (length == 0 || (length == 1 && (c < 0x20 || c == 0x7F || strchr("/\\:*?\"<>|", c))) || (i == 0 && c == '.'))
            name[i] = '_';
        i += length ? length : 1;
    }
}

status file_name_make(struct str pattern, const struct file_name_parts *parts, struct buf *name, struct error *err)
{
    size_t begin = name->len;
    char suffix[16] = "";
    struct str stem = source_stem(parts);
    size_t stems = count_token(pattern, NAME_FILENAME);
    status s = file_name_check(pattern, err);
    if (s == OK)
        s = fill_in(pattern, stem, parts, name, err);
    if (s != OK)
        return s;
    bool sequenced = count_token(pattern, NAME_SEQ) > 0;
    size_t room = STEM_MAX - (sequenced ? 0 : sizeof suffix - 1);
    size_t length = name->len - begin;
    if (length > room && stems > 0) {
        size_t others = length - stems * stem.n;
        name->len = begin;
        s = fill_in(pattern, (struct str){stem.p, str_utf8_prefix(stem, others < room ? (room - others) / stems : 0)},
                    parts, name, err);
        length = name->len - begin;
    }
    bool cut = length > room;
    if (cut)
        length = str_utf8_prefix((struct str){(const char *)name->data + begin, length}, STEM_MAX - sizeof suffix + 1);
    name->len = begin + length;
    if (s == OK)
        sanitise((char *)name->data + begin, length);
    if (parts->sequence > 0 && (!sequenced || cut))
        snprintf(suffix, sizeof suffix, "-%u", parts->sequence);
    if (s == OK)
        s = buf_append_str(name, str_of(suffix), err);
    return s == OK ? buf_append_str(name, parts->extension, err) : s;
}
