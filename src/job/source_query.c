#include "job/source_query.h"

#include <ctype.h>
#include <strings.h>

/* Behind a quoted piece that begins at p, its quotes doubled inside; NULL: it does not end. */
static const char *skip_quoted(const char *p)
{
    char quote = *p++;
    for (; *p; p++)
        if (*p == quote && *++p != quote)
            return p;
    return NULL;
}

/* Behind $tag$ ... $tag$ of PostgreSQL; p itself when that is not what stands there. */
static const char *skip_dollar(const char *p)
{
    const char *tag = p + 1;
    while (isalnum((unsigned char)*tag) || *tag == '_')
        tag++;
    if (*tag != '$' || isdigit((unsigned char)p[1]))
        return p;
    size_t n = (size_t)(tag - p) + 1;
    for (const char *at = strchr(p + n, '$'); at; at = strchr(at + 1, '$'))
        if (strncmp(at, p, n) == 0)
            return at + n;
    return NULL;
}

static const char *skip_comment(const char *p)
{
    if (p[0] == '-' && p[1] == '-')
        return p + strcspn(p, "\n");
    const char *end = strstr(p + 2, "*/");
    return end ? end + 2 : NULL;
}

static bool begins_comment(const char *p)
{
    return (p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*');
}

struct scan {
    const char *first;     /* of the first word; NULL: there is none */
    const char *semicolon; /* NULL: none */
    bool open;             /* a quote or a comment does not end */
};

static struct scan scan_sql(const char *sql)
{
    struct scan found = {0};
    for (const char *p = sql; *p;) {
        const char *next = p + 1;
        if (begins_comment(p)) {
            next = skip_comment(p);
        } else if (!isspace((unsigned char)*p)) {
            if (!found.first)
                found.first = p;
            if (*p == '\'' || *p == '"' || *p == '`')
                next = skip_quoted(p);
            else if (*p == '$' && (next = skip_dollar(p)) == p)
                next = p + 1;
            else if (*p == ';' && !found.semicolon)
                found.semicolon = p;
        }
        if (!next) {
            found.open = true;
            break;
        }
        p = next;
    }
    return found;
}

static bool begins_with_select(const char *text)
{
    static const char *const words[] = {"SELECT", "WITH", "VALUES", "TABLE"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        size_t n = strlen(words[i]);
        if (strncasecmp(text, words[i], n) == 0 && !isalnum((unsigned char)text[n]) && text[n] != '_')
            return true;
    }
    return *text == '(';
}

status rule_query(const json_t *config, struct field_errors *errors, struct error *err)
{
    const char *query = json_text(config, "query", NULL), *table = json_text(config, "table", NULL);
    status s = OK;
    if (table && table[strcspn(table, "\r\n\t")])
        s = field_error_add(errors, err, "/table", "format", "a table's name holds no line ends and tabs: remove them");
    if (!query || s != OK)
        return s;
    struct scan found = scan_sql(query);
    if (found.open)
        return field_error_add(errors, err, "/query", "sql",
                               "a quote or a comment in the query does not end: close it");
    if (found.semicolon)
        return field_error_add(errors, err, "/query", "sql",
                               "the query is one statement without ';': remove it, and what follows it");
    if (!found.first || !begins_with_select(found.first))
        return field_error_add(errors, err, "/query", "sql",
                               "the query has to be one SELECT (or WITH, VALUES, TABLE): nothing but reading is done");
    return OK;
}
