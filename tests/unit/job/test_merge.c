/* Merging by key: which rows stay, which files are written again, and what is refused. */
#include <sys/stat.h>

#include "job/merge.h"
#include "unit/job/job_files.h"

#define FILES_MAX 8

struct merge_case {
    struct job_files folder;
    char paths[FILES_MAX][JOB_PATH_MAX];
    struct merge_file files[FILES_MAX];
    struct merge_outcome outcomes[FILES_MAX];
    size_t count, older;
    char output[JOB_PATH_MAX];
};

static void begin(struct merge_case *c)
{
    setenv("FLOWFORGE_LIBDUCKDB", TEST_BUILD_DIR "/libduckdb.so", 1);
    *c = (struct merge_case){.folder = job_files_begin()};
    job_files_path(&c->folder, "out", c->output);
}

static void convert(const struct convert_options *options, struct convert_result *r)
{
    struct error err = {0};
    if (convert_run(options, r, &err) != OK)
        fail_msg("%s (%s)", err.message, err.hint);
}

/* A Parquet file of this CSV; the first `older` files of a case are the older ones. */
static void add_file(struct merge_case *c, const char *csv, const char *relative, bool older)
{
    char name[32], text[JOB_PATH_MAX];
    snprintf(name, sizeof name, "%zu.csv", c->count);
    const char *inputs[] = {job_files_write(&c->folder, name, csv, strlen(csv), text)};
    snprintf(name, sizeof name, "%zu.parquet", c->count);
    const struct job_files folder = c->folder;
    struct convert_options options = job_options(inputs, 1, job_files_path(&folder, name, c->paths[c->count]));
    options.dialect.header = 1;
    struct convert_result r;
    convert(&options, &r);
    c->files[c->count] = (struct merge_file){c->paths[c->count], relative, r.rows_written};
    c->count++;
    c->older += older;
    convert_result_release(&r);
}

static struct merge_options options_of(const struct merge_case *c, const struct str *keys, size_t key_count)
{
    return (struct merge_options){
        .older = c->files,
        .older_count = c->older,
        .newer = c->files + c->older,
        .newer_count = c->count - c->older,
        .keys = keys,
        .key_count = key_count,
        .output = c->output,
        .temp_dir = "/tmp",
        .threads = 2,
        .memory = 64u << 20,
    };
}

static void merge(struct merge_case *c, const struct merge_options *options)
{
    struct error err = {0};
    if (merge_files(options, c->outcomes, c->outcomes + c->older, &err) != OK)
        fail_msg("%s (%s)", err.message, err.hint);
}

static void assert_refused(struct merge_case *c, const struct merge_options *options, status code, const char *says)
{
    struct error err = {0};
    assert_int_equal(merge_files(options, c->outcomes, c->outcomes + c->older, &err), code);
    if (!strstr(err.message, says))
        fail_msg("'%s' does not say '%s'", err.message, says);
    assert_true(err.hint[0]);
}

/* The file as CSV. */
static void assert_file(const struct merge_case *c, const char *parquet, const char *csv)
{
    char out[JOB_PATH_MAX];
    struct buf text = {0};
    const char *inputs[] = {parquet};
    struct convert_options options = job_options(inputs, 1, job_files_path(&c->folder, "look.csv", out));
    struct convert_result r;
    convert(&options, &r);
    job_files_read(out, &text);
    assert_int_equal(buf_append(&text, "", 1, NULL), OK);
    assert_string_equal((const char *)text.data, csv);
    buf_release(&text);
    convert_result_release(&r);
}

static void assert_rewritten(const struct merge_case *c, size_t file, uint64_t lost, const char *csv)
{
    char path[2 * JOB_PATH_MAX];
    const struct merge_outcome *o = &c->outcomes[file];
    struct stat st;
    assert_true(o->rewritten);
    assert_int_equal(o->lost, lost);
    assert_int_equal(o->rows, c->files[file].rows - lost);
    snprintf(path, sizeof path, "%s/%s", c->output, c->files[file].relative);
    if (!csv) {
        assert_int_equal(o->rows, 0);
        assert_int_equal(stat(path, &st), -1);
        return;
    }
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(o->bytes, st.st_size);
    assert_file(c, path, csv);
}

static void assert_untouched(const struct merge_case *c, size_t file)
{
    assert_false(c->outcomes[file].rewritten);
    assert_int_equal(c->outcomes[file].lost, 0);
    assert_int_equal(c->outcomes[file].rows, c->files[file].rows);
}

static void newer_rows_win(void **unused)
{
    (void)unused;
    struct merge_case c;
    struct str key = STR("id");
    begin(&c);
    add_file(&c, "id,v\n1,a\n2,b\n3,c\n", "dt=1/one.parquet", true);
    add_file(&c, "id,v\n4,d\n5,e\n", "dt=1/two.parquet", true);
    add_file(&c, "id,v\n6,f\n", "dt=2/three.parquet", true);
    add_file(&c, "id,v\n2,B\n6,F\n7,g\n7,G\n", "new.parquet", false);
    struct merge_options options = options_of(&c, &key, 1);
    merge(&c, &options);
    assert_rewritten(&c, 0, 1, "id,v\n1,a\n3,c\n");
    assert_untouched(&c, 1);
    assert_rewritten(&c, 2, 1, NULL);
    assert_rewritten(&c, 3, 1, "id,v\n2,B\n6,F\n7,G\n");
    job_files_remove(c.folder.folder);
}

static void order_decides(void **unused)
{
    (void)unused;
    struct merge_case c;
    struct str keys[] = {STR("id"), STR("part")};
    begin(&c);
    add_file(&c, "part,v,id,at\nx,a,1,9\ny,b,1,5\nx,c,2,5\nx,d,3,\n", "one.parquet", true);
    add_file(&c, "id,at,part,v\n1,8,x,A\n1,6,y,B\n2,5,x,C\n3,,x,D\n", "two.parquet", false);
    struct merge_options options = options_of(&c, keys, 2);
    options.order_by = STR("at");
    merge(&c, &options);
    assert_rewritten(&c, 0, 3, "part,v,id,at\nx,a,1,9\n");
    assert_rewritten(&c, 1, 1, "id,at,part,v\n1,6,y,B\n2,5,x,C\n3,,x,D\n");
    options.order_by = STR("id"); /* a key orders nothing: the newer row wins */
    job_files_path(&c.folder, "out2", c.output);
    merge(&c, &options);
    assert_rewritten(&c, 0, 4, NULL);
    assert_untouched(&c, 1);
    job_files_remove(c.folder.folder);
}

/* Names of the source, and which columns are required, come along. */
static void fields_are_kept(void **unused)
{
    (void)unused;
    struct merge_case c;
    struct str key = STR("id");
    begin(&c);
    static const char csv[] = "The Id,note\n1,a\n2,b\n";
    char in[JOB_PATH_MAX], out[2 * JOB_PATH_MAX];
    const char *inputs[] = {job_files_write(&c.folder, "in.csv", csv, strlen(csv), in)};
    const struct rename_pair rename = {STR("The Id"), STR("id")};
    const struct user_column schema[] = {{STR("id"), {.kind = TYPE_INTEGER}, true},
                                         {STR("note"), {.kind = TYPE_STRING}, false}};
    struct convert_options convert_options = job_options(inputs, 1, job_files_path(&c.folder, "0.parquet", c.paths[0]));
    convert_options.dialect.header = 1;
    convert_options.renames = &rename;
    convert_options.rename_count = 1;
    convert_options.schema = schema;
    convert_options.schema_count = 2;
    struct convert_result r;
    convert(&convert_options, &r);
    c.files[0] = (struct merge_file){c.paths[0], "zero.parquet", r.rows_written};
    c.count = c.older = 1;
    convert_result_release(&r);
    add_file(&c, "id,note\n1,A\n", "one.parquet", false); /* bigint: the common type holds both */
    struct merge_options options = options_of(&c, &key, 1);
    merge(&c, &options);
    assert_rewritten(&c, 0, 1, "id,note\n2,b\n");
    snprintf(out, sizeof out, "%s/zero.parquet", c.output);
    struct buf bytes = {0};
    job_files_read(out, &bytes);
    assert_non_null(memmem(bytes.data, bytes.len, "{\"id\":\"The Id\",", 15));
    buf_release(&bytes);
    c.files[0].path = out; /* and again, from what was written */
    c.files[0].rows = 1;
    add_file(&c, "id,note\n9,Z\n", "two.parquet", false);
    job_files_path(&c.folder, "again", c.output);
    options = options_of(&c, &key, 1);
    merge(&c, &options);
    assert_untouched(&c, 0);
    job_files_remove(c.folder.folder);
}

static void refusals(void **unused)
{
    (void)unused;
    struct merge_case c;
    struct str key = STR("id"), other = STR("nothing");
    begin(&c);
    add_file(&c, "id,v\n1,a\n2,b\n", "one.parquet", true);
    add_file(&c, "id,v\n3,a\n,b\n", "two.parquet", false);
    struct merge_options options = options_of(&c, &key, 1);
    assert_refused(&c, &options, ERR_BAD_DATA, "key column 'id' has no value in row 2 of the new rows, two.parquet");
    options.keys = &other;
    assert_refused(&c, &options, ERR_INVALID, "nothing");
    options.keys = &key;
    c.count = 1;
    add_file(&c, "id,v\n3.5,a\n", "two.parquet", false); /* double holds not every bigint */
    options = options_of(&c, &key, 1);
    assert_refused(&c, &options, ERR_UNSUPPORTED, "column 'id'");
    c.count = 1;
    add_file(&c, "id,v\n1,a\n", "two.parquet", false);
    options = options_of(&c, &key, 1);
    c.files[0].rows = 3;
    struct error err = {0};
    assert_int_equal(merge_files(&options, c.outcomes, c.outcomes + 1, &err), ERR_ACCOUNTING);
    c.files[0].rows = 2;
    atomic_bool cancel = true;
    options.cancel = &cancel;
    assert_int_equal(merge_files(&options, c.outcomes, c.outcomes + 1, &err), ERR_CANCELLED);
    job_files_remove(c.folder.folder);
}

/* Many rows in several batches against a table of what has to stay. */
static void many_rows(void **unused)
{
    (void)unused;
    enum { KEYS = 100000, FILES = 4, ROWS = 150000 };
    struct merge_case c;
    struct str key = STR("k");
    begin(&c);
    size_t *last = calloc(KEYS, sizeof *last);
    assert_non_null(last);
    struct buf texts[FILES] = {0};
    uint32_t random = 1;
    for (size_t row = 0; row < (size_t)FILES * ROWS; row++) {
        struct buf *text = &texts[row / ROWS];
        if (row % ROWS == 0)
            assert_int_equal(buf_printf(text, NULL, "k,row\n"), OK);
        random = random * 1664525 + 1013904223;
        size_t k = (random >> 8) % KEYS;
        last[k] = row;
        assert_int_equal(buf_printf(text, NULL, "key %zu,%zu\n", k, row), OK);
    }
    uint64_t expected[FILES] = {0};
    for (size_t k = 0; k < KEYS; k++)
        expected[last[k] / ROWS] += last[k] > 0;
    static const char *const names[] = {"a.parquet", "b.parquet", "c.parquet", "d.parquet"};
    for (size_t f = 0; f < FILES; f++) {
        assert_int_equal(buf_append(&texts[f], "", 1, NULL), OK);
        add_file(&c, (const char *)texts[f].data, names[f], f < 2);
    }
    struct merge_options options = options_of(&c, &key, 1);
    options.memory = 16u << 20;
    merge(&c, &options);
    for (size_t f = 0; f < FILES; f++) {
        struct buf want = {0};
        assert_int_equal(buf_printf(&want, NULL, "k,row\n"), OK);
        const char *line = (const char *)texts[f].data;
        for (size_t row = f * ROWS; row < (f + 1) * ROWS; row++) {
            line = strchr(line, '\n') + 1;
            size_t k = strtoul(line + 4, NULL, 10);
            if (last[k] == row)
                assert_int_equal(buf_append(&want, line, (size_t)(strchr(line, '\n') + 1 - line), NULL), OK);
        }
        assert_int_equal(buf_append(&want, "", 1, NULL), OK);
        assert_int_equal(c.outcomes[f].rows, expected[f]);
        assert_rewritten(&c, f, ROWS - expected[f], (const char *)want.data);
        buf_release(&want);
        buf_release(&texts[f]);
    }
    free(last);
    job_files_remove(c.folder.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(newer_rows_win), cmocka_unit_test(order_decides), cmocka_unit_test(fields_are_kept),
        cmocka_unit_test(refusals),       cmocka_unit_test(many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
