#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "format/sniff/tokenizer.h"

/* Rows as "cell|cell/cell": a comment row is "#fields", a blank one "-". */
static void render(const char *text, const struct sniff_table *t, char *into)
{
    *into = 0;
    for (size_t i = 0; i < t->row_count; i++) {
        const struct sniff_row *r = &t->rows[i];
        if (i)
            strcat(into, "/");
        if (r->kind == ROW_BLANK)
            strcat(into, "-");
        if (r->kind == ROW_COMMENT)
            strncat(into, "###########", r->fields);
        for (uint32_t c = 0; r->kind == ROW_RECORD && c < r->fields; c++) {
            const struct sniff_cell *cell = &t->cells[r->first_cell + c];
            if (c)
                strcat(into, "|");
            strncat(into, text + cell->at, cell->length);
        }
    }
}

static const struct {
    const char *text, *delimiter, *marks, *rows; /* marks: quote, escape, comment; '-' for none */
    bool at_end;
    size_t malformed, line_of_last;
} cases[] = {
    {"a,b\n1,2\n", ",", "\"\"-", "a|b/1|2", true, 0, 1},
    {"a,b\n1,2", ",", "\"\"-", "a|b/1|2", true, 0, 1},
    {"a,b\n1,2", ",", "\"\"-", "a|b", false, 0, 0},
    {"a,b", ",", "\"\"-", "a|b", false, 0, 0},
    {"a,\r\n,\r\r\n", ",", "\"\"-", "a|/|/-", true, 0, 2},
    {"\"a,b\"\"c\",d\n", ",", "\"\"-", "a,b\"\"c|d", true, 0, 0},
    {"\"a\nb\r\nc\",d\nx,y\n", ",", "\"\"-", "a\nb\r\nc|d/x|y", true, 0, 3},
    {"\"a\\\"b\",c\n", ",", "\"\\-", "a\\\"b|c", true, 0, 0},
    {"a\\,b,c\\\\,d\n", ",", "-\\-", "a\\,b|c\\\\|d", true, 0, 0},
    {"\"a\"x,b\n", ",", "\"\"-", "a\"x|b", true, 1, 0},
    {"'it''s',b\n", ",", "''-", "it''s|b", true, 0, 0},
    {"a::b:c::\n", "::", "\"\"-", "a|b:c|", true, 0, 0},
    {"a|~|b~c\n", "|~|", "\"\"-", "a|b~c", true, 0, 0},
    {"# x,y,z\na,b\n \n", ",", "\"\"#", "###/a|b/-", true, 0, 2},
    {"\"a\",\"b\"\n", ",", "---", "\"a\"|\"b\"", true, 0, 0},
};

static void rows_and_cells(void **unused)
{
    (void)unused;
    struct sniff_table table = {0};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const char *m = cases[i].marks;
        struct csv_dialect d = {
            .quote = m[0] == '-' ? 0 : m[0], .escape = m[1] == '-' ? 0 : m[1], .comment = m[2] == '-' ? 0 : m[2]};
        strcpy(d.delimiter, cases[i].delimiter);
        struct error err;
        size_t n = strlen(cases[i].text);
        assert_int_equal(sniff_tokenize(cases[i].text, n, cases[i].at_end, &d, 100, &table, &err), OK);
        char found[256];
        render(cases[i].text, &table, found);
        assert_string_equal(found, cases[i].rows);
        assert_int_equal(table.malformed, cases[i].malformed);
        assert_int_equal(table.rows[table.row_count - 1].line, cases[i].line_of_last);
        assert_false(table.unterminated);
    }
    sniff_table_release(&table);
}

static void open_quotes_are_noticed(void **unused)
{
    (void)unused;
    struct sniff_table table = {0};
    struct error err;
    struct csv_dialect d = {.delimiter = ",", .quote = '"', .escape = '"'};
    assert_int_equal(sniff_tokenize("a,\"b\nc", 6, true, &d, 100, &table, &err), OK);
    assert_true(table.unterminated);
    assert_int_equal(sniff_tokenize("a,b\na,\"b\nc", 10, false, &d, 100, &table, &err), OK);
    assert_false(table.unterminated);
    assert_int_equal(table.row_count, 1);
    static char far[40000];
    memset(far, 'x', sizeof far);
    far[0] = '"';
    assert_int_equal(sniff_tokenize(far, sizeof far, false, &d, 100, &table, &err), OK);
    assert_true(table.unterminated);
    sniff_table_release(&table);
}

/* Dialects that read the same cells have the same fingerprint, and only those. */
static void fingerprints(void **unused)
{
    (void)unused;
    struct sniff_table table = {0};
    struct error err;
    const char *text = "a,b;c\n1,2;3\n";
    struct csv_dialect d = {.delimiter = ",", .quote = '"', .escape = '"'};
    assert_int_equal(sniff_tokenize(text, strlen(text), true, &d, 100, &table, &err), OK);
    uint64_t comma = table.fingerprint;
    d.quote = d.escape = 0;
    assert_int_equal(sniff_tokenize(text, strlen(text), true, &d, 100, &table, &err), OK);
    assert_true(table.fingerprint == comma);
    d.delimiter[0] = ';';
    assert_int_equal(sniff_tokenize(text, strlen(text), true, &d, 100, &table, &err), OK);
    assert_false(table.fingerprint == comma);
    sniff_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_cells),
        cmocka_unit_test(open_quotes_are_noticed),
        cmocka_unit_test(fingerprints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
