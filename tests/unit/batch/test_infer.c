#include "batch/infer.h"

#include "unit/batch/cell.h"
#include "unit/cmocka_all.h"

static enum infer_class class_of(const char *text)
{
    char *cell = cell_new(text, strlen(text));
    enum infer_class c = infer_text(cell, strlen(text));
    cell_free(cell);
    return c;
}

static enum infer_class json_class_of(const char *text)
{
    char *cell = cell_new(text, strlen(text));
    enum infer_class c = infer_json_string(cell, strlen(text));
    cell_free(cell);
    return c;
}

static void the_join_is_one_of_a_lattice(void **state)
{
    (void)state;
    for (enum infer_class a = 0; a < INFER_CLASS_COUNT; a++) {
        assert_int_equal(infer_join(a, a), a);
        assert_int_equal(infer_join(a, INFER_NULL), a);
        assert_int_equal(infer_join(a, INFER_JSON), INFER_JSON);
        for (enum infer_class b = 0; b < INFER_CLASS_COUNT; b++) {
            enum infer_class ab = infer_join(a, b);
            assert_in_range(ab, 0, INFER_CLASS_COUNT - 1);
            assert_int_equal(ab, infer_join(b, a));
            assert_int_equal(infer_join(a, ab), ab);
            for (enum infer_class c = 0; c < INFER_CLASS_COUNT; c++)
                assert_int_equal(infer_join(ab, c), infer_join(a, infer_join(b, c)));
        }
    }
}

static void joins_that_keep_more_than_string(void **state)
{
    (void)state;
    assert_int_equal(infer_join(INFER_INT53, INFER_INT64), INFER_INT64);
    assert_int_equal(infer_join(INFER_INT53, INFER_DOUBLE), INFER_DOUBLE);
    assert_int_equal(infer_join(INFER_DATE, INFER_TIMESTAMP), INFER_TIMESTAMP);
    /* Everything else that differs, short of null and json, is string. */
    for (enum infer_class a = INFER_BOOLEAN; a < INFER_JSON; a++)
        for (enum infer_class b = a + 1; b < INFER_JSON; b++) {
            bool kept = (a == INFER_INT53 && (b == INFER_INT64 || b == INFER_DOUBLE)) ||
                        (a == INFER_DATE && b == INFER_TIMESTAMP);
            if (!kept)
                assert_int_equal(infer_join(a, b), INFER_STRING);
        }
}

static void classes_of_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum infer_class class_;
    } cases[] = {
        {"", INFER_STRING},
        {"true", INFER_BOOLEAN},
        {"FALSE", INFER_BOOLEAN},
        {"tRue", INFER_STRING},
        {"t", INFER_STRING},
        {"yes", INFER_STRING},
        {"0", INFER_INT53},
        {"1", INFER_INT53},
        {"-17", INFER_INT53},
        {"+17", INFER_STRING},
        {"017", INFER_STRING},
        {"00", INFER_STRING},
        {"-0", INFER_DOUBLE},
        {"-00", INFER_STRING},
        {"9007199254740992", INFER_INT53},
        {"-9007199254740992", INFER_INT53},
        {"9007199254740993", INFER_INT64},
        {"-9007199254740993", INFER_INT64},
        {"9223372036854775807", INFER_INT64},
        {"-9223372036854775808", INFER_INT64},
        {"9223372036854775808", INFER_STRING},
        {"12345678901234567890123", INFER_STRING},
        {"1.5", INFER_DOUBLE},
        {".5", INFER_DOUBLE},
        {"-.5", INFER_DOUBLE},
        {"5.", INFER_DOUBLE},
        {"1e5", INFER_DOUBLE},
        {"123e-5", INFER_DOUBLE},
        {"123e-56789", INFER_DOUBLE},
        {"1e999", INFER_STRING},
        {"007.5", INFER_STRING},
        {"nan", INFER_STRING},
        {"inf", INFER_STRING},
        {"-inf", INFER_STRING},
        {"-", INFER_STRING},
        {".", INFER_STRING},
        {"1,5", INFER_STRING},
        {"0x10", INFER_STRING},
        {"2024-02-29", INFER_DATE},
        {"2023-02-29", INFER_STRING},
        {"2024-02-29T10:00", INFER_TIMESTAMP},
        {"2024-02-29 10:00:00.123456", INFER_TIMESTAMP},
        {"2024-02-29 10:00:00.1234567", INFER_STRING},
        {"2024-02-29T10:00Z", INFER_TIMESTAMPTZ},
        {"2024-02-29 10:00:00 +05:30", INFER_TIMESTAMPTZ},
        {"2024-02-29Z", INFER_STRING},
        {"10:00", INFER_STRING},
        {"29.02.2024", INFER_STRING},
        {"hello", INFER_STRING},
        {" 1", INFER_STRING},
        {"{}", INFER_STRING},
        {"123e4567-e89b-12d3-a456-426614174000", INFER_STRING},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        enum infer_class c = class_of(cases[i].text);
        if (c != cases[i].class_)
            fail_msg("'%s' has class %d, not %d", cases[i].text, c, cases[i].class_);
        bool moment = c == INFER_DATE || c == INFER_TIMESTAMP || c == INFER_TIMESTAMPTZ;
        assert_int_equal(json_class_of(cases[i].text), moment ? c : INFER_STRING);
    }
}

/* Decoders rely on it: once a column has a class, each text of a class below it is taken by the type's parser. */
static void a_class_takes_the_texts_of_those_below(void **state)
{
    (void)state;
    static const char *const texts[] = {"7",   "-7", "9007199254740992", "9223372036854775807",
                                        "1.5", "-0", "2024-02-29",       "2024-02-29T10:00"};
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(texts); j++) {
            enum infer_class joined = infer_join(class_of(texts[i]), class_of(texts[j]));
            size_t n = strlen(texts[i]);
            char *cell = cell_new(texts[i], n);
            union value v;
            if (joined == INFER_INT53 || joined == INFER_INT64)
                assert_true(infer_i64(cell, n, &v.i64));
            if (joined == INFER_DOUBLE)
                assert_true(infer_f64(cell, n, &v.f64));
            if (joined == INFER_DATE)
                assert_true(cast_date(cell, n, &v.i32));
            if (joined == INFER_TIMESTAMP)
                assert_true(cast_timestamp(cell, n, &v.i64));
            cell_free(cell);
        }
}

static void types_of_classes(void **state)
{
    (void)state;
    static const enum type_kind kinds[INFER_CLASS_COUNT] = {TYPE_NULL,   TYPE_BOOLEAN, TYPE_BIGINT,    TYPE_BIGINT,
                                                            TYPE_DOUBLE, TYPE_DATE,    TYPE_TIMESTAMP, TYPE_TIMESTAMPTZ,
                                                            TYPE_STRING, TYPE_JSON};
    for (enum infer_class c = 0; c < INFER_CLASS_COUNT; c++)
        assert_int_equal(infer_type(c).kind, kinds[c]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_join_is_one_of_a_lattice),
        cmocka_unit_test(joins_that_keep_more_than_string),
        cmocka_unit_test(classes_of_texts),
        cmocka_unit_test(a_class_takes_the_texts_of_those_below),
        cmocka_unit_test(types_of_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
