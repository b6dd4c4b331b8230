#include "sql/sql_position.h"

#include <stdlib.h>

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

struct sql_position sql_position_of(struct str sql, size_t byte)
{
    struct sql_position at = {1, 1};
    for (size_t i = 0; i < byte && i < sql.n; i++) {
        if (sql.p[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (begins_character(sql.p[i])) {
            at.column++;
        }
    }
    return at;
}

/* The n-th line, from 1. */
static struct str line_of(struct str sql, size_t n)
{
    const char *end = sql.p + sql.n;
    while (n > 1 && sql.p < end) {
        const char *next = memchr(sql.p, '\n', (size_t)(end - sql.p));
        sql.p = next ? next + 1 : end;
        n--;
    }
    const char *stop = memchr(sql.p, '\n', (size_t)(end - sql.p));
    sql.n = (size_t)((stop ? stop : end) - sql.p);
    return sql;
}

static size_t bytes_of_characters(struct str text, size_t characters)
{
    size_t i = 0;
    while (i < text.n && (characters > 0 || !begins_character(text.p[i])))
        characters -= begins_character(text.p[i++]);
    return i;
}

struct sql_position sql_position_in_message(struct str sql, const char *message)
{
    const struct sql_position unknown = {0, 0};
    const char *mark = NULL;
    for (const char *next = message; (next = strstr(next, "\nLINE ")); next++)
        mark = next;
    if (!mark)
        return unknown;
    char *colon;
    size_t line = strtoul(mark + 6, &colon, 10);
    const char *shown = colon + 2, *end = strchr(colon, '\n'), *caret = end ? strchr(end, '^') : NULL;
    if (strncmp(colon, ": ", 2) != 0 || !caret || line == 0)
        return unknown;
    size_t prefix = (size_t)(shown - mark - 1), indent = (size_t)(caret - end - 1);
    if (indent < prefix)
        return unknown;
    struct str excerpt = {shown, (size_t)(end - shown)}, whole = line_of(sql, line);
    size_t at = bytes_of_characters(excerpt, indent - prefix), cut = 0;
    /* DuckDB shows some 60 characters to each side, and dots where it leaves some out. */
    if (excerpt.n >= 3 && memcmp(excerpt.p, "...", 3) == 0 && (whole.n < 3 || memcmp(whole.p, "...", 3) != 0)) {
        struct str sought = {excerpt.p + 3, excerpt.n - 3};
        if (sought.n >= 3 && memcmp(sought.p + sought.n - 3, "...", 3) == 0)
            sought.n -= 3;
        const char *found = sought.n ? memmem(whole.p, whole.n, sought.p, sought.n) : NULL;
        if (!found || at < 3)
            return (struct sql_position){line, 0};
        at -= 3;
        cut = (size_t)(found - whole.p);
    }
    return (struct sql_position){line, sql_position_of(whole, cut + at).column};
}
