/* The columns of a conversion, from its inputs and options. */
#include "unit/job/job_files.h"

#include "job/input_plan.h"

struct fixture {
    struct job_files files;
    char paths[3][JOB_PATH_MAX];
    const char *inputs[3];
    struct convert_options options;
    struct convert_result result;
    struct input_plan plan;
    struct error err;
};

static void begin(struct fixture *f, const char *a, const char *b)
{
    *f = (struct fixture){.files = job_files_begin()};
    f->inputs[0] = job_files_write(&f->files, "a.csv", a, strlen(a), f->paths[0]);
    if (b)
        f->inputs[1] = job_files_write(&f->files, "b.csv", b, strlen(b), f->paths[1]);
    f->options = job_options(f->inputs, b ? 2 : 1, "out.parquet");
    f->options.dialect.delimiter = ",";
    f->options.dialect.header = 1;
    f->options.from = FORMAT_CSV;
}

static status make(struct fixture *f)
{
    return input_plan_make(&f->plan, &f->options, &f->result, &f->err);
}

static void end(struct fixture *f)
{
    input_plan_release(&f->plan);
    convert_result_release(&f->result);
    job_files_remove(f->files.folder);
}

/* "name:class|..." */
static void assert_columns(const struct fixture *f, const char *wanted)
{
    char got[512] = "";
    for (size_t i = 0; i < f->plan.column_count; i++) {
        const struct type_column *c = &f->plan.columns[i];
        struct data_type type = c->infer ? infer_type(c->class_) : c->type;
        char name[TYPE_NAME_MAX];
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s:%s", i ? "|" : "", (int)c->name.n, c->name.p,
                 type.kind == TYPE_NULL ? "null" : type_name(type, name));
    }
    assert_string_equal(got, wanted);
}

static void assert_refused(struct fixture *f, const char *a, const char *b)
{
    assert_int_equal(make(f), ERR_INVALID);
    if (!strstr(f->err.message, a) || !strstr(f->err.message, b))
        print_error("%s\n", f->err.message);
    assert_non_null(strstr(f->err.message, a));
    assert_non_null(strstr(f->err.message, b));
    end(f);
}

static void first_guesses(void **unused)
{
    (void)unused;
    struct fixture f;
    begin(&f, "id,x,day,flag,none\n1,1.5,2024-01-01,true,\n2,2,2024-01-02,false,\n", NULL);
    assert_int_equal(make(&f), OK);
    assert_columns(&f, "id:bigint|x:double|day:date|flag:boolean|none:null");
    assert_int_equal(f.plan.inputs[0].data_start, 19);
    assert_int_equal(f.plan.inputs[0].data_line, 1);
    end(&f);
    begin(&f, "id,x\n1,1.5\n", NULL);
    f.options.all_text = true;
    assert_int_equal(make(&f), OK);
    assert_columns(&f, "id:string|x:string");
    end(&f);
}

static void union_of_inputs(void **unused)
{
    (void)unused;
    struct fixture f;
    begin(&f, "id,name\n1,a\n", "NAME,extra,id\nb,2.5,2\n");
    assert_int_equal(make(&f), OK);
    assert_columns(&f, "id:bigint|name:string|extra:double");
    assert_int_equal(f.plan.inputs[0].source_of[0], 0);
    assert_int_equal(f.plan.inputs[0].source_of_count, 2); /* what came later is null there */
    assert_int_equal(f.plan.inputs[1].source_of[0], 2);
    assert_int_equal(f.plan.inputs[1].source_of[1], 0);
    assert_int_equal(f.plan.inputs[1].source_of[2], 1);
    end(&f);
}

static void renames(void **unused)
{
    (void)unused;
    struct fixture f;
    const struct rename_pair pairs[] = {{STR(" Total Price "), STR("price")}, {STR("id"), STR("key")}};
    begin(&f, "id, Total Price \n1,2\n", NULL);
    f.options.renames = pairs;
    f.options.rename_count = 2;
    f.options.dedupe_keys = &(struct str){"key", 3};
    f.options.dedupe_key_count = 1;
    assert_int_equal(make(&f), OK);
    assert_columns(&f, "key:bigint|price:bigint");
    assert_int_equal(f.plan.columns[0].on_null, REJECT_NULL_KEY);
    assert_int_equal(f.plan.columns[1].on_null, REJECT_NONE);
    end(&f);
    /* Names that are swapped do not collide. */
    const struct rename_pair swap[] = {{STR("a"), STR("b")}, {STR("b"), STR("a")}};
    begin(&f, "a,b\n1,x\n", NULL);
    f.options.renames = swap;
    f.options.rename_count = 2;
    assert_int_equal(make(&f), OK);
    assert_columns(&f, "b:bigint|a:string");
    end(&f);
}

static void collisions(void **unused)
{
    (void)unused;
    struct fixture f;
    const struct rename_pair onto[] = {{STR("a"), STR("B")}};
    begin(&f, "a,b\n1,2\n", NULL);
    f.options.renames = onto;
    f.options.rename_count = 1;
    assert_refused(&f, "'a'", "'b'");
    const struct rename_pair both[] = {{STR("a"), STR("x")}, {STR("b"), STR("X")}};
    begin(&f, "a,b\n1,2\n", NULL);
    f.options.renames = both;
    f.options.rename_count = 2;
    assert_refused(&f, "'a' and 'b'", "a.csv");
}

static void named_columns_must_exist(void **unused)
{
    (void)unused;
    struct fixture f;
    struct str gone = STR("gone");
    begin(&f, "a,b\n1,2\n", NULL);
    f.options.dedupe_keys = &gone;
    f.options.dedupe_key_count = 1;
    assert_refused(&f, "--dedupe", "'gone'");
    begin(&f, "a,b\n1,2\n", NULL);
    f.options.order_by = gone;
    assert_refused(&f, "--order-by", "'gone'");
    begin(&f, "a,b\n1,2\n", NULL);
    f.options.partition_columns = &gone;
    f.options.partition_column_count = 1;
    assert_refused(&f, "--partition-by", "'gone'");
}

static void declared_columns(void **unused)
{
    (void)unused;
    struct fixture f;
    struct user_column columns[] = {{STR("B"), {.kind = TYPE_DATE}, false}, {STR("c"), {.kind = TYPE_STRING}, false}};
    begin(&f, "a,b\n1,2024-01-01\n", "b,c\n2024-01-01,x\n");
    f.options.schema = columns;
    f.options.schema_count = 2;
    assert_int_equal(make(&f), OK);
    assert_columns(&f, "B:date|c:string");
    assert_int_equal(f.plan.inputs[0].source_of[0], 1);
    assert_int_equal(f.plan.inputs[0].source_of[1], -1);
    assert_false(f.plan.inputs[0].used[0]);
    assert_true(f.plan.inputs[0].used[1]);
    assert_int_equal(f.result.warning_count, 1);
    assert_non_null(strstr(f.result.warnings[0], "a.csv has no column 'c'"));
    end(&f);
    begin(&f, "a,b\n1,2024-01-01\n", NULL);
    columns[1].not_null = true;
    f.options.schema = columns;
    f.options.schema_count = 2;
    assert_refused(&f, "a.csv", "'c'");
}

static void formats_differ(void **unused)
{
    (void)unused;
    struct fixture f;
    begin(&f, "a,b\n1,2\n3,4\n", "{\"a\":1}\n{\"a\":2}\n");
    f.options.from = FORMAT_AUTO;
    f.options.dialect = (struct sniff_given){.header = -1, .skip_lines = -1};
    assert_refused(&f, "a.csv is csv", "b.csv is ndjson");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_guesses),    cmocka_unit_test(union_of_inputs),
        cmocka_unit_test(renames),          cmocka_unit_test(collisions),
        cmocka_unit_test(declared_columns), cmocka_unit_test(named_columns_must_exist),
        cmocka_unit_test(formats_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
