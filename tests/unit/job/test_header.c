/* Column names out of a CSV file's first records. */
#include "unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "job/header.h"

static struct planned_input input(const char *text, uint32_t header_lines, uint64_t skip)
{
    struct planned_input in = {.path = "f.csv", .whole = true};
    in.text.dialect = (struct csv_dialect){.delimiter = ",",
                                           .quote = '"',
                                           .escape = '"',
                                           .header = header_lines > 0,
                                           .header_lines = header_lines,
                                           .skip_lines = skip};
    in.text.columns = 3;
    assert_int_equal(buf_append(&in.head, text, strlen(text), NULL), OK);
    return in;
}

static void release(struct planned_input *in)
{
    for (size_t i = 0; i < in->name_count; i++) {
        if (in->names)
            free(in->names[i]);
        if (in->source_names)
            free(in->source_names[i]);
    }
    free(in->names);
    free(in->source_names);
    buf_release(&in->head);
}

/* `names` joined by '|'. */
static void assert_names(struct planned_input in, const char *names, size_t data_start, uint64_t data_line)
{
    struct error err = {0};
    char got[512] = "";
    assert_int_equal(header_read(&in, &err), OK);
    for (size_t i = 0; i < in.name_count; i++) {
        strcat(got, i ? "|" : "");
        strcat(got, in.names[i]);
    }
    assert_string_equal(got, names);
    assert_int_equal(in.data_start, data_start);
    assert_int_equal(in.data_line, data_line);
    release(&in);
}

static void plain_and_quoted(void **unused)
{
    (void)unused;
    assert_names(input("a,b,c\n1,2,3\n", 1, 0), "a|b|c", 6, 1);
    assert_names(input("a,b,c\r\n1,2,3\r\n", 1, 0), "a|b|c", 7, 1);
    assert_names(input("a,b,c\r1,2,3\r", 1, 0), "a|b|c", 6, 1);
    assert_names(input("a,b,c", 1, 0), "a|b|c", 5, 0);
    assert_names(input("\"x,y\",\"say \"\"z\"\"\",\"two\nlines\"\n1,2,3\n", 1, 0), "x,y|say \"z\"|two\nlines", 30, 2);
    assert_names(input(" a ,\tb, \n", 1, 0), "a|b|column_3", 9, 1);
    assert_names(input("\n\na,b,c\n", 1, 0), "a|b|c", 8, 3);
}

static void blank_and_repeated(void **unused)
{
    (void)unused;
    assert_names(input(",x,\n", 1, 0), "column_1|x|column_3", 4, 1);
    assert_names(input("a,a,A,a\n", 1, 0), "a|a_2|A_3|a_4", 8, 1);
    assert_names(input("a,a_2,a\n", 1, 0), "a|a_2|a_3", 8, 1);
    assert_names(input("a,a,a_2\n", 1, 0), "a|a_3|a_2", 8, 1);
    assert_names(input("column_2,,x\n", 1, 0), "column_2|column_2_2|x", 12, 1);
}

static void several_lines(void **unused)
{
    (void)unused;
    assert_names(input("price,,qty\nnet,gross,\n1,2,3\n", 2, 0), "price_net|gross|qty", 22, 2);
    assert_names(input("a,b\nc,d,e\n", 2, 0), "a_c|b_d|e", 10, 2);
}

static void skipped_lines_and_no_header(void **unused)
{
    (void)unused;
    assert_names(input("made today\r\n\"odd\na,b,c\n", 1, 2), "a|b|c", 23, 3);
    assert_names(input("x\ry\ra,b,c\r1,2,3\r", 1, 2), "a|b|c", 10, 3);
    assert_names(input("1,2,3\n", 0, 0), "column_1|column_2|column_3", 0, 0);
    assert_names(input("note\n1,2,3\n", 0, 1), "column_1|column_2|column_3", 5, 1);
}

static void source_names_stay(void **unused)
{
    (void)unused;
    struct planned_input in = input(" a ,,\"b\"\n", 1, 0);
    assert_int_equal(header_read(&in, NULL), OK);
    assert_string_equal(in.source_names[0], " a ");
    assert_string_equal(in.source_names[1], "");
    assert_string_equal(in.source_names[2], "b");
    release(&in);
}

static void assert_refused(struct planned_input in, status code, const char *part)
{
    struct error err = {0};
    assert_int_equal(header_read(&in, &err), code);
    assert_non_null(strstr(err.message, part));
    assert_non_null(strstr(err.message, "f.csv"));
    assert_true(err.hint[0] != '\0');
    release(&in);
}

static void refused(void **unused)
{
    (void)unused;
    assert_refused(input("a,\"b,c\n1,2,3\n", 1, 0), ERR_BAD_DATA, "open quote");
    assert_refused(input("a,\"b\"c,d\n", 1, 0), ERR_BAD_DATA, "after a closing quote");
    assert_refused(input("a,\"b\"c", 1, 0), ERR_BAD_DATA, "after a closing quote");
    assert_refused(input("a,\xFF,c\n", 1, 0), ERR_BAD_ENCODING, "field 2");
    struct planned_input in = input("one\ntwo\n", 1, 3);
    in.whole = false; /* the head ends before the third line */
    assert_refused(in, ERR_LIMIT, "first 3 lines");
    in = input("a,b,c", 1, 0);
    in.whole = false;
    assert_refused(in, ERR_BAD_DATA, "does not end");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_quoted),  cmocka_unit_test(blank_and_repeated),
        cmocka_unit_test(several_lines),     cmocka_unit_test(skipped_lines_and_no_header),
        cmocka_unit_test(source_names_stay), cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
