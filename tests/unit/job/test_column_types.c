/* Versions of the columns' types: joined, never changed once made. */
#include "unit/cmocka_all.h"

#include "job/column_types.h"

static struct column_types make(void)
{
    static const struct type_column columns[] = {
        {.name = {"a", 1}, .source = {"A!", 2}, .infer = true, .class_ = INFER_INT53},
        {.name = {"b", 1}, .source = {"b", 1}, .infer = true, .class_ = INFER_NULL, .on_null = REJECT_NULL_KEY},
        {.name = {"c", 1}, .source = {"c", 1}, .type = {TYPE_DECIMAL, 9, 2}, .not_null = true},
    };
    struct column_types t = {0};
    assert_int_equal(column_types_init(&t, columns, 3, NULL), OK);
    return t;
}

static bool join(struct column_types *t, const struct type_version *from, enum infer_class a, enum infer_class b)
{
    enum infer_class observed[] = {a, b, INFER_STRING}; /* of a declared column nothing follows */
    bool changed = true;
    assert_int_equal(column_types_join(t, from, observed, NULL, 0, &changed, NULL), OK);
    return changed;
}

static void starts_as_told(void **unused)
{
    (void)unused;
    struct column_types t = make();
    const struct type_version *v = t.newest;
    assert_int_equal(v->number, 1);
    assert_int_equal(v->schema.count, 3);
    assert_string_equal(v->schema.fields[0].name, "a");
    assert_string_equal(v->schema.fields[0].source_name, "A!");
    assert_int_equal(v->schema.fields[0].type.kind, TYPE_BIGINT);
    assert_int_equal(v->schema.fields[1].type.kind, TYPE_NULL);
    assert_int_equal(v->schema.fields[2].type.kind, TYPE_DECIMAL);
    assert_true(v->schema.fields[2].not_null);
    assert_true(str_equal(v->targets[0].source, STR("A!")));
    assert_int_equal(v->targets[0].source_index, -1);
    assert_int_equal(v->targets[1].on_null, REJECT_NULL_KEY);
    assert_int_equal(v->targets[2].type.scale, 2);
    column_types_release(&t);
    assert_null(t.newest);
}

static void joins(void **unused)
{
    (void)unused;
    struct column_types t = make();
    const struct type_version *first = t.newest;
    assert_false(join(&t, first, INFER_INT53, INFER_NULL));
    assert_false(join(&t, first, INFER_NULL, INFER_NULL));
    assert_ptr_equal(t.newest, first);

    assert_true(join(&t, first, INFER_DOUBLE, INFER_NULL));
    const struct type_version *second = t.newest;
    assert_int_equal(second->number, 2);
    assert_ptr_equal(second->older, first);
    assert_int_equal(second->schema.fields[0].type.kind, TYPE_DOUBLE);
    assert_int_equal(first->schema.fields[0].type.kind, TYPE_BIGINT);
    assert_int_equal(second->targets[0].class_, INFER_DOUBLE);
    assert_int_equal(second->targets[1].on_null, REJECT_NULL_KEY);
    assert_true(second->schema.fields[2].not_null);
    assert_int_equal(second->schema.fields[2].type.precision, 9);

    /* Another worker comes late with the first version's view: nothing is lost, nothing made twice. */
    assert_false(join(&t, first, INFER_DOUBLE, INFER_NULL));
    assert_true(join(&t, first, INFER_INT64, INFER_NULL)); /* with double: no type holds both but text */
    assert_int_equal(t.newest->schema.fields[0].type.kind, TYPE_STRING);
    assert_int_equal(t.newest->number, 3);
    column_types_release(&t);
}

static void added_columns(void **unused)
{
    (void)unused;
    struct column_types t = make();
    const struct type_version *first = t.newest;
    const struct type_column more = {.name = STR("d"), .source = STR("d"), .infer = true, .class_ = INFER_DATE};
    enum infer_class observed[] = {INFER_INT53, INFER_BOOLEAN, INFER_NULL};
    bool changed = false;
    assert_int_equal(column_types_join(&t, first, observed, &more, 1, &changed, NULL), OK);
    assert_true(changed);
    assert_int_equal(t.newest->schema.count, 4);
    assert_int_equal(t.newest->schema.fields[1].type.kind, TYPE_BOOLEAN);
    assert_int_equal(t.newest->schema.fields[3].type.kind, TYPE_DATE);
    assert_false(type_version_extends(first, t.newest)); /* a file cannot get a column later */

    /* The first version knows three columns only; the fourth stays as it is. */
    assert_true(join(&t, first, INFER_STRING, INFER_NULL));
    assert_int_equal(t.newest->schema.count, 4);
    assert_int_equal(t.newest->schema.fields[0].type.kind, TYPE_STRING);
    assert_int_equal(t.newest->schema.fields[3].type.kind, TYPE_DATE);
    column_types_release(&t);
}

static void extends(void **unused)
{
    (void)unused;
    struct column_types t = make();
    const struct type_version *first = t.newest;
    assert_true(type_version_extends(first, first));
    assert_true(join(&t, first, INFER_NULL, INFER_DATE));
    assert_true(type_version_extends(first, t.newest)); /* no value so far, now dates */
    const struct type_version *dates = t.newest;
    assert_true(join(&t, dates, INFER_INT64, INFER_NULL));
    assert_true(type_version_extends(dates, t.newest)); /* both are bigint */
    const struct type_version *wide = t.newest;
    assert_true(join(&t, wide, INFER_NULL, INFER_TIMESTAMP));
    assert_false(type_version_extends(wide, t.newest));
    assert_false(type_version_extends(dates, t.newest));
    assert_true(type_version_extends(first, t.newest)); /* its second column had no value, its first stayed bigint */
    column_types_release(&t);
}

static void no_columns(void **unused)
{
    (void)unused;
    struct column_types t = {0};
    bool changed = true;
    assert_int_equal(column_types_init(&t, NULL, 0, NULL), OK);
    assert_int_equal(t.newest->schema.count, 0);
    assert_int_equal(column_types_join(&t, t.newest, NULL, NULL, 0, &changed, NULL), OK);
    assert_false(changed);
    column_types_release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_as_told), cmocka_unit_test(joins),      cmocka_unit_test(added_columns),
        cmocka_unit_test(extends),        cmocka_unit_test(no_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
