#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "format/sniff/sniff.h"

#define GUESS                                                                                                          \
    {                                                                                                                  \
        .header = -1, .skip_lines = -1                                                                                 \
    }

static struct sniff_text sniff(const char *text, bool at_end, const struct sniff_given *given)
{
    static const struct sniff_given guess = GUESS;
    struct sniff_text result;
    struct error err;
    /* A copy of the exact size lets the sanitizer see reads beyond the end. */
    size_t n = strlen(text);
    uint8_t *copy = test_malloc(n + 1);
    memcpy(copy, text, n);
    assert_int_equal(sniff_text(copy, n, at_end, given ? given : &guess, &result, &err), OK);
    test_free(copy);
    assert_true(result.sure >= 0 && result.sure <= 1);
    assert_true(strlen(result.reason) > 0 && strlen(result.reason) < sizeof result.reason);
    return result;
}

static const struct {
    const char *text, *delimiter;
    const char *marks; /* quote, escape, comment; '-' for none */
    uint32_t header_lines, columns;
    uint64_t skip_lines, footer_lines;
    enum sniff_newline newline;
} cases[] = {
    {"id,name\n1,Ann\n2,Bob\n", ",", "\"\"-", 1, 2, 0, 0, NEWLINE_LF},
    {"1,2,3\n4,5,6\n7,8,9\n", ",", "\"\"-", 0, 3, 0, 0, NEWLINE_LF},
    {"a;b;c\r\n1,5;2,5;x\r\n1,7;3,5;y\r\n", ";", "\"\"-", 1, 3, 0, 0, NEWLINE_CRLF},
    {"a\tb\r1\tx, y\r2\tz\r", "\t", "\"\"-", 1, 2, 0, 0, NEWLINE_CR},
    {"id, name, n\n1, Ann, 5\n2, Bob, 7\n", ", ", "\"\"-", 1, 3, 0, 0, NEWLINE_LF},
    {"id::at\n1::10:00\n2::11:30\n", "::", "\"\"-", 1, 2, 0, 0, NEWLINE_LF},
    {"1|~|a|~|x\n2|~|b|~|y\n3|~|c|~|z\n", "|~|", "\"\"-", 0, 3, 0, 0, NEWLINE_LF},
    {"id,what\n1,'it''s, well'\n2,'no, it''s not'\n", ",", "''-", 1, 2, 0, 0, NEWLINE_LF},
    {"id,what,n\n1,\"a \\\"b\\\", c\",5\n2,\"d \\\"e\\\"\",6\n", ",", "\"\\-", 1, 3, 0, 0, NEWLINE_LF},
    {"part\tsize\tn\nBolt\t\"5 inch\t1\nNut\t\"6 inch\" or 7\t2\nPin\t9\"\t3\n", "\t", "---", 1, 3, 0, 0, NEWLINE_LF},
    {"Report of May\nall regions, final\n\nid;name;price\n1;x;2,5\n2;y;3,5\n3;z;4,5\n\nSource: us\n", ";", "\"\"-", 1,
     3, 3, 2, NEWLINE_LF},
    {"# made by us\nt,v\n1,2.5\n# odd\n2,3.5\n3,4.5\n", ",", "\"\"#", 1, 2, 0, 0, NEWLINE_LF},
    {"##meta\n#id\tpos\n1\t100\n2\t200\n3\t300\n", "\t", "\"\"-", 1, 2, 1, 0, NEWLINE_LF},
    {"sep=;\r\na;b\r\n1;x\r\n2;y\r\n", ";", "\"\"-", 1, 2, 1, 0, NEWLINE_CRLF},
    {"region,2019,2020,2021\nNorth,5,6,7\nSouth,6,9,11\n", ",", "\"\"-", 1, 4, 0, 0, NEWLINE_LF},
    {"time,speed\ns,m/s\n0.1,2.5\n0.2,2.7\n0.3,2.9\n0.4,2.8\n", ",", "\"\"-", 2, 2, 0, 0, NEWLINE_LF},
    {"item,n,price\nx,1,2.5\ny,2,3.5\nz,3,4.5\nTotal,,10.5\n", ",", "\"\"-", 1, 3, 0, 1, NEWLINE_LF},
    {"id,text\r\n1,\"one\ntwo\"\r\n2,x\r\n", ",", "\"\"-", 1, 2, 0, 0, NEWLINE_CRLF},
    {"a,b\n1,2\r\n3,4\n", ",", "\"\"-", 1, 2, 0, 0, NEWLINE_MIXED},
    {"day\n2020-01-01\n2020-01-02\n2020-01-03\n", ",", "\"\"-", 1, 1, 0, 0, NEWLINE_LF},
    {"first,last,team", ",", "\"\"-", 1, 3, 0, 0, NEWLINE_NONE},
};

static void dialects(void **unused)
{
    (void)unused;
    unsigned wrong = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct sniff_text r = sniff(cases[i].text, true, NULL);
        char marks[4] = {r.dialect.quote ? r.dialect.quote : '-', r.dialect.escape ? r.dialect.escape : '-',
                         r.dialect.comment ? r.dialect.comment : '-', 0};
        bool same = r.format == SNIFF_CSV && strcmp(r.dialect.delimiter, cases[i].delimiter) == 0 &&
                    strcmp(marks, cases[i].marks) == 0 && r.dialect.header_lines == cases[i].header_lines &&
                    r.dialect.header == (cases[i].header_lines > 0) && r.columns == cases[i].columns &&
                    r.dialect.skip_lines == cases[i].skip_lines && r.footer_lines == cases[i].footer_lines &&
                    r.newline == cases[i].newline;
        if (!same) {
            print_error("case %zu: '%s' %s, %u header lines, %u columns, skip %d, footer %d, newline %d: %s\n", i,
                        r.dialect.delimiter, marks, r.dialect.header_lines, r.columns, (int)r.dialect.skip_lines,
                        (int)r.footer_lines, (int)r.newline, r.reason);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void what_is_given_wins(void **unused)
{
    (void)unused;
    const char *text = "title line\nid;name,x\n1;Ann,3\n2;Bob,4\n";
    struct sniff_given given = GUESS;
    given.delimiter = ",";
    struct sniff_text r = sniff(text, true, &given);
    assert_string_equal(r.dialect.delimiter, ",");
    assert_int_equal(r.columns, 2);
    given.header = 0;
    given.skip_lines = 2;
    given.quote = "'";
    given.escape = "\\";
    r = sniff(text, true, &given);
    assert_false(r.dialect.header);
    assert_int_equal(r.dialect.header_lines, 0);
    assert_int_equal(r.dialect.skip_lines, 2);
    assert_int_equal(r.dialect.quote, '\'');
    assert_int_equal(r.dialect.escape, '\\');
    given = (struct sniff_given)GUESS;
    given.header = 1;
    r = sniff("1,2\n3,4\n", true, &given);
    assert_true(r.dialect.header);
    assert_int_equal(r.dialect.header_lines, 1);
    given.quote = "";
    r = sniff("\"a\",b\n\"c\",d\n", true, &given);
    assert_int_equal(r.dialect.quote, 0);
    given.comment = "%";
    r = sniff("% x\na,b\n1,2\n", true, &given);
    assert_int_equal(r.dialect.comment, '%');
    assert_int_equal(r.dialect.skip_lines, 0);
    /* A given comment sign is kept even if it does not occur, and none stays none. */
    given.comment = "";
    r = sniff("# x\na,b\n1,2\n3,4\n", true, &given);
    assert_int_equal(r.dialect.comment, 0);
    assert_int_equal(r.dialect.skip_lines, 1);
}

static void a_cut_head(void **unused)
{
    (void)unused;
    struct sniff_text r = sniff("id,name,at\n1,Ann,2020-01-01\n2,Bob,2020-01-02\n3,\"C", false, NULL);
    assert_string_equal(r.dialect.delimiter, ",");
    assert_int_equal(r.columns, 3);
    assert_int_equal(r.footer_lines, 0);
    r = sniff("id,name,at\n1,Ann,2020-01-01\n2,Bob,2020-01-02\nnote", false, NULL);
    assert_int_equal(r.footer_lines, 0);
}

static void other_formats(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        bool at_end;
        enum sniff_format format;
    } texts[] = {
        {"{\"a\": 1}\n{\"a\": 2}\n", true, SNIFF_NDJSON},
        {"{\"a\": 1}", true, SNIFF_NDJSON},
        {"\n {\"a\": {\"b\": [1, \"}\\\"{\"]}}\n{\"a\"", false, SNIFF_NDJSON},
        {"{\"a\": 1}\n{\"a\": broken}\n{\"a\": 3}\n{}\n{\"a\": 1}\n", true, SNIFF_NDJSON},
        {"{\n  \"a\": 1,\n  \"b\": [1, 2]\n}\n", true, SNIFF_JSON_ARRAY},
        {"[{\"a\": 1}, {\"a\": 2}]", true, SNIFF_JSON_ARRAY},
        {" [\n  {\"a\": 1.5e3},\n  {\"a\": nul", false, SNIFF_JSON_ARRAY},
        {"[]", true, SNIFF_JSON_ARRAY},
        {"[id],[name]\n1,a\n2,b\n", true, SNIFF_CSV},
        {"[1],[2]\n", true, SNIFF_CSV},
        {"{a},{b}\n1,2\n", true, SNIFF_CSV},
        {"PAR1\x15\x04", false, SNIFF_PARQUET},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        struct sniff_text r = sniff(texts[i].text, texts[i].at_end, NULL);
        if (r.format != texts[i].format)
            print_error("%s: %d\n", texts[i].text, (int)r.format);
        assert_int_equal(r.format, texts[i].format);
        if (r.format != SNIFF_CSV)
            assert_int_equal(r.columns, 0);
    }
}

static void nothing_there(void **unused)
{
    (void)unused;
    struct sniff_text r = sniff("", true, NULL);
    assert_string_equal(r.dialect.delimiter, ",");
    assert_int_equal(r.columns, 1);
    assert_true(r.sure == 0);
    r = sniff("\n\n \n", true, NULL);
    assert_int_equal(r.columns, 1);
    assert_true(r.sure == 0);
}

/* A clear file is told with more confidence than one that could be read in two ways. */
static void confidence(void **unused)
{
    (void)unused;
    double clear = sniff("id,name,at\n1,Ann,2020-01-01\n2,Bob,2020-01-02\n3,Cy,2020-01-03\n", true, NULL).sure;
    double two_ways = sniff("Doe, Ann\nFox, Bob\n", true, NULL).sure;
    assert_true(clear > 0.9);
    assert_true(two_ways < clear - 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialects),      cmocka_unit_test(what_is_given_wins), cmocka_unit_test(a_cut_head),
        cmocka_unit_test(other_formats), cmocka_unit_test(nothing_there),      cmocka_unit_test(confidence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
