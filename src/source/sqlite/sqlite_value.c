/* SQLite's values have types of their own, whatever the column says: each is held to the column's type. */
#include <math.h>
#include <string.h>

#include "batch/cast.h"
#include "batch/json_check.h"
#include "batch/value_text.h"
#include "source/sqlite/sqlite_session.h"

#define EXACT_MOST 9007199254740992 /* 2^53: integers up to it are doubles without loss */

static bool refuse(const char **why, const char *what)
{
    *why = what;
    return false;
}

/* The value's text as SQLite has it, without letting SQLite convert it in place. */
static struct str text_of(sqlite3_stmt *st, int column, char scratch[64])
{
    switch (sqlite3_column_type(st, column)) {
    case SQLITE_INTEGER:
        return (struct str){scratch, value_text_i64(sqlite3_column_int64(st, column), scratch)};
    case SQLITE_FLOAT:
        return (struct str){scratch, value_text_f64(sqlite3_column_double(st, column), scratch)};
    default: {
        const char *bytes = sqlite3_column_blob(st, column); /* NULL where there are none */
        return bytes ? (struct str){bytes, (size_t)sqlite3_column_bytes(st, column)} : STR("");
    }
    }
}

/* The grammar of declared types (cast.h), which wants room around the text. */
static bool by_text(struct data_type type, struct str text, union value *fixed, const char **why)
{
    char padded[2 * CAST_PAD + VALUE_TEXT_MAX + 64] = {0};
    if (text.n > VALUE_TEXT_MAX + 64)
        return refuse(why, "too long");
    if (text.n)
        memcpy(padded + CAST_PAD, text.p, text.n);
    return cast_text(type, padded + CAST_PAD, text.n, fixed, why);
}

static bool as_number(sqlite3_stmt *st, int column, struct data_type type, union value *fixed, const char **why)
{
    int is = sqlite3_column_type(st, column);
    int64_t i = is == SQLITE_INTEGER ? sqlite3_column_int64(st, column) : 0;
    if (type.kind == TYPE_BIGINT) {
        fixed->i64 = i;
        return is == SQLITE_INTEGER || refuse(why, "not an integer");
    }
    if (is != SQLITE_INTEGER && is != SQLITE_FLOAT)
        return refuse(why, "not a number");
    fixed->f64 = is == SQLITE_FLOAT ? sqlite3_column_double(st, column) : (double)i;
    return is == SQLITE_FLOAT || (i >= -EXACT_MOST && i <= EXACT_MOST) || refuse(why, "beyond what a double holds");
}

static bool as_text(struct data_type type, int is, struct str text, const char **why)
{
    if (type.kind == TYPE_BINARY)
        return is == SQLITE_BLOB || is == SQLITE_TEXT || refuse(why, "a number");
    if (is == SQLITE_BLOB)
        return refuse(why, "bytes, not text");
    if (!str_is_utf8(text))
        return refuse(why, "not valid UTF-8");
    return type.kind != TYPE_JSON || cast_json_valid(text.p, text.n) || refuse(why, "not valid JSON");
}

bool sqlite_value(sqlite3_stmt *st, int column, struct data_type type, union value *fixed, struct str *text,
                  char scratch[64], const char **why)
{
    int is = sqlite3_column_type(st, column);
    bool fits;
    switch (type.kind) {
    case TYPE_BIGINT:
    case TYPE_DOUBLE:
        fits = as_number(st, column, type, fixed, why);
        if (!fits)
            *text = text_of(st, column, scratch);
        return fits;
    case TYPE_STRING:
    case TYPE_JSON:
    case TYPE_BINARY:
        *text = text_of(st, column, scratch);
        return as_text(type, is, *text, why);
    default:
        *text = text_of(st, column, scratch);
        if (is == SQLITE_BLOB)
            return refuse(why, "bytes, not text");
        if (is != SQLITE_TEXT && type.kind != TYPE_DECIMAL && type.kind != TYPE_BOOLEAN)
            return refuse(why, "a number");
        return by_text(type, *text, fixed, why);
    }
}

int sqlite_compare(struct data_type type, const union value *a, struct str a_text, const union value *b,
                   struct str b_text)
{
    switch (type_layout(type)) {
    case LAYOUT_BOOL:
        return a->b - b->b;
    case LAYOUT_I32:
        return (a->i32 > b->i32) - (a->i32 < b->i32);
    case LAYOUT_I64:
        return (a->i64 > b->i64) - (a->i64 < b->i64);
    case LAYOUT_F64:
        return (a->f64 > b->f64) - (a->f64 < b->f64);
    case LAYOUT_I128:
        return (a->i128 > b->i128) - (a->i128 < b->i128);
    case LAYOUT_BYTES16:
        return memcmp(a->bytes, b->bytes, 16);
    default:
        return str_compare(a_text, b_text);
    }
}
