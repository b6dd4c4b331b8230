/* What a run would take, and how its first file would be read. */
#include <stdlib.h>

#include "job/ingest.h"
#include "job/output_names.h"
#include "job/preview.h"
#include "lake/percent_encoding.h"

#define PLAN_FILES_SHOWN 1000
#define PREVIEW_ROWS 50
#define PREVIEW_ROWS_MOST 1000

static status plan_files(const struct ingest_files *files, json_t *list, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < files->count && i < PLAN_FILES_SHOWN; i++) {
        const struct ingest_file *f = &files->items[i];
        s = json_add(list,
                     json_pack("{s:s, s:s, s:I, s:s}", "uri", f->uri, "name", f->name, "size", (json_int_t)f->size,
                               "change", f->change == INGEST_CHANGED ? "changed" : "new"),
                     err);
    }
    return s;
}

/* Where the first file would go; what only its rows tell is "...". */
static status example_path(const struct ingest_options *options, const struct ingest_files *files, struct buf *text,
                           struct error *err)
{
    const char *path = files->items[0].path, *name = files->items[0].name;
    struct convert_options convert = options->convert;
    struct output_plan output;
    struct output_names names = {0};
    convert.inputs = &path;
    convert.input_names = &name;
    convert.input_count = 1;
    convert.output = INGEST_DATA "/";
    status s = output_plan_make(&output, &convert, err);
    if (s == OK)
        s = output_names_make(&names, &convert, &output, err);
    if (s == OK)
        s = buf_printf(text, err, "%s/", options->folder);
    if (s == OK && convert.partition_date.n)
        s = partition_date_path(convert.partition_date, convert.run_micros, text, err);
    for (size_t i = 0; s == OK && i < convert.partition_column_count; i++) {
        s = percent_encode(convert.partition_columns[i], text, err);
        if (s == OK)
            s = buf_append_str(text, STR("=.../"), err);
    }
    if (s == OK)
        s = buf_append_str(text, str_of(output_names_of(&names, 0)), err);
    output_names_release(&names);
    return s;
}

static status put_example(const struct ingest_options *options, const struct ingest_files *files, json_t *plan,
                          struct error *err)
{
    struct buf text = {0};
    if (files->count == 0)
        return json_put(plan, "example_path", json_null(), err);
    status s = example_path(options, files, &text, err);
    if (s == OK)
        s = json_put(plan, "example_path", json_stringn((const char *)text.data, text.len), err);
    buf_release(&text);
    return s;
}

/* A job's input without taking it: files, or a query as if it were one. */
static status find_input(const struct task *task, const struct ingest_options *options, struct ingest_files *files,
                         struct ingest_db *db, struct convert_options *convert, struct error *err)
{
    *convert = options->convert;
    if (!options->database)
        return ingest_files_find(files, options, task->payload, task->cancel, err);
    status s = ingest_db_open(db, options, task->payload, INGEST_DB_PATIENCE, task->cancel, convert, err);
    return s == OK ? ingest_files_of_query(files, db->uri, db->name, err) : s;
}

status ingest_plan(const struct task *task, json_t **answer, struct error *err)
{
    struct ingest_options options = {0};
    struct ingest_files files = {0};
    struct ingest_db db = {0};
    struct convert_options convert;
    json_t *plan = NULL, *list = json_array();
    status s = list ? ingest_options_read(&options, task->payload, err) : error_no_memory(err, 64);
    options.settle_seconds = 0; /* answers at once: by the time of a run files have come to rest */
    if (s == OK)
        s = find_input(task, &options, &files, &db, &convert, err);
    if (s == OK)
        s = plan_files(&files, list, err);
    if (s == OK) {
        plan = json_pack("{s:s, s:s, s:s, s:s, s:b, s:O, s:I, s:I, s:I, s:I}", "mode",
                         options.incremental ? "incremental" : "full", "dataset", options.dataset, "layer",
                         options.layer, "folder", options.folder, "replace_all", !options.incremental, "files", list,
                         "file_count", (json_int_t)files.count, "bytes", (json_int_t)files.bytes, "skipped_files",
                         (json_int_t)files.skipped, "waiting_files", (json_int_t)files.waiting);
        if (!plan)
            s = error_no_memory(err, 64);
    }
    if (s == OK)
        s = put_example(&options, &files, plan, err);
    if (s == OK && options.database)
        s = ingest_db_plan(&db, plan, err);
    if (s == OK)
        *answer = json_incref(plan);
    json_decref(plan);
    json_decref(list);
    ingest_db_close(&db);
    ingest_files_release(&files);
    ingest_options_release(&options);
    return s;
}

static status preview_answer(const struct preview *preview, const struct ingest_files *files, json_t **answer,
                             struct error *err)
{
    struct buf text = {0};
    json_t *shown = NULL;
    status s = preview_json(preview, &text, err);
    if (s == OK)
        s = json_parse((const char *)text.data, text.len, "preview", &shown, err);
    if (s == OK)
        s = json_put(shown, "source",
                     json_pack("{s:s, s:s, s:I, s:I, s:I}", "uri", files->items[0].uri, "name", files->items[0].name,
                               "size", (json_int_t)files->items[0].size, "files", (json_int_t)files->count, "bytes",
                               (json_int_t)files->bytes),
                     err);
    if (s == OK)
        *answer = shown;
    else
        json_decref(shown);
    buf_release(&text);
    return s;
}

status ingest_preview(const struct task *task, json_t **answer, struct error *err)
{
    struct ingest_options options = {0};
    struct ingest_files files = {0};
    struct ingest_db db = {0};
    struct convert_options convert;
    struct preview preview = {0};
    int64_t rows = json_int(task->payload, "rows", PREVIEW_ROWS);
    status s = ingest_options_read(&options, task->payload, err);
    options.settle_seconds = 0;
    options.incremental = false;
    options.range_from = NULL; /* what a file looks like does not depend on what was taken before */
    if (s == OK)
        s = find_input(task, &options, &files, &db, &convert, err);
    rows = rows < 0 ? 0 : rows > PREVIEW_ROWS_MOST ? PREVIEW_ROWS_MOST : rows;
    if (s == OK) {
        const char *path = files.items[0].path, *name = files.items[0].name;
        db.read.most_rows = rows ? (size_t)rows : 1;
        convert.inputs = &path;
        convert.input_names = &name;
        convert.input_count = 1;
        convert.cancel = task->cancel;
        s = preview_make(&preview, &convert, (size_t)rows, err);
    }
    if (s == OK)
        s = preview_answer(&preview, &files, answer, err);
    if (s == OK && options.database) /* which is no file of any format */
        s = json_put_text(json_object_get(*answer, "input"), "format", "query", err);
    preview_release(&preview);
    ingest_db_close(&db);
    ingest_files_release(&files);
    ingest_options_release(&options);
    return s;
}
