#include "job/ingest_options.h"

#include <stdio.h>
#include <stdlib.h>

#include "shape/watermark.h"

#define MEMORY_LEAST ((int64_t)64 << 20)
#define RECORD_MOST ((size_t)16 << 20)
#define RATIO_MOST 1000
#define SETTLE_SECONDS 2.0

struct choice {
    const char *name;
    int value;
};

static const struct choice formats[] = {{"csv", FORMAT_CSV}, {"json", FORMAT_JSON}, {"parquet", FORMAT_PARQUET}};
static const struct choice codecs[] = {
    {"none", COMPRESSION_NONE}, {"gzip", COMPRESSION_GZIP}, {"snappy", COMPRESSION_SNAPPY}, {"zstd", COMPRESSION_ZSTD}};

static status choose(const char *member, const char *value, const struct choice *choices, size_t count, int *chosen,
                     struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(choices[i].name, value) == 0) {
            *chosen = choices[i].value;
            return OK;
        }
    return error_set(err, ERR_INVALID, "job/%s: '%.60s' is none of its values", member, value);
}

static status need_text(const json_t *object, const char *where, const char *key, const char **text, struct error *err)
{
    *text = json_text(object, key, NULL);
    return *text && (*text)[0] ? OK : error_set(err, ERR_INVALID, "payload: %s%s is missing", where, key);
}

static status read_names(const json_t *list, struct str **names, size_t *count, struct error *err)
{
    size_t n = json_array_size(list);
    *names = calloc(n + 1, sizeof **names);
    if (!*names)
        return error_no_memory(err, n * sizeof **names);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        if (!json_is_string(item))
            return error_set(err, ERR_INVALID, "payload: a list of names holds something else");
        (*names)[i] = (struct str){json_string_value(item), json_string_length(item)};
    }
    *count = n;
    return OK;
}

status ingest_columns_read(const json_t *list, struct user_column **columns, size_t *count, struct error *err)
{
    size_t n = json_array_size(list);
    *columns = calloc(n + 1, sizeof **columns);
    if (!*columns)
        return error_no_memory(err, n * sizeof **columns);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        struct user_column *c = &(*columns)[i];
        c->name = str_of(json_text(item, "name", ""));
        c->not_null = !json_flag(item, "nullable", true);
        status s = c->name.n ? type_parse(str_of(json_text(item, "type", "")), &c->type, err)
                             : error_set(err, ERR_INVALID, "payload: column %zu of a schema has no name", i);
        if (s != OK)
            return s;
    }
    *count = n;
    return OK;
}

/* ---- how files are written ---- */

static void read_dialect(const json_t *config, struct convert_options *c)
{
    const json_t *csv = json_object_get(config, "csv_options"), *header = json_object_get(csv, "header");
    c->dialect = (struct sniff_given){
        .delimiter = json_text(csv, "delimiter", NULL),
        .quote = json_text(csv, "quote", NULL),
        .escape = json_text(csv, "escape", NULL),
        .comment = json_text(csv, "comment", NULL),
        .header = json_is_boolean(header) ? json_is_true(header) : -1,
        .skip_lines = json_int(csv, "skip_lines", -1),
    };
    if (c->dialect.header == 1 && c->dialect.skip_lines < 0)
        c->dialect.skip_lines = 0; /* the header was said to be there: nothing before it is guessed away */
    c->encoding = json_text(csv, "encoding", NULL);
}

static status read_renames(const json_t *map, struct ingest_options *o, struct error *err)
{
    const char *key;
    json_t *value;
    size_t n = 0;
    o->renames = calloc(json_object_size(map) + 1, sizeof *o->renames);
    if (!o->renames)
        return error_no_memory(err, json_object_size(map) * sizeof *o->renames);
    json_object_foreach((json_t *)map, key, value)
    {
        if (!json_is_string(value))
            return error_set(err, ERR_INVALID, "job/rename_map/%.60s: the new name is wanted, as text", key);
        o->renames[n++] = (struct rename_pair){str_of(key), {json_string_value(value), json_string_length(value)}};
    }
    o->convert.renames = o->renames;
    o->convert.rename_count = n;
    return OK;
}

/* ---- where they go ---- */

static status split_columns(const char *pattern, struct ingest_options *o, struct error *err)
{
    size_t room = 1, n = 0;
    for (const char *p = pattern; *p; p++)
        room += *p == ',';
    o->partition_columns = calloc(room, sizeof *o->partition_columns);
    if (!o->partition_columns)
        return error_no_memory(err, room * sizeof *o->partition_columns);
    for (const char *p = pattern;; p++) {
        size_t length = strcspn(p, ",");
        struct str name = {p, length};
        while (name.n && *name.p == ' ') {
            name.p++;
            name.n--;
        }
        while (name.n && name.p[name.n - 1] == ' ')
            name.n--;
        if (name.n == 0)
            return error_set(err, ERR_INVALID, "job/partition_pattern: '%.100s' holds an empty column name", pattern);
        o->partition_columns[n++] = name;
        p += length;
        if (!*p)
            break;
    }
    o->convert.partition_columns = o->partition_columns;
    o->convert.partition_column_count = n;
    return OK;
}

static status read_partition(const json_t *job, struct ingest_options *o, struct error *err)
{
    const char *mode = json_text(job, "partition_mode", "date"), *pattern = json_text(job, "partition_pattern", NULL);
    o->landing_partition = "yyyy/MM/dd";
    if (strcmp(mode, "none") == 0)
        return OK;
    if (strcmp(mode, "column") == 0)
        return pattern ? split_columns(pattern, o, err)
                       : error_set(err, ERR_INVALID, "job/partition_pattern: partition_mode=column needs column names");
    if (strcmp(mode, "date") != 0)
        return error_set(err, ERR_INVALID, "job/partition_mode: '%.60s' is none of date, column, none", mode);
    if (pattern && pattern[0])
        o->landing_partition = pattern;
    o->convert.partition_date = str_of(o->landing_partition);
    return OK;
}

/* Names are unique over runs and attempts: the timestamp alone is not, where runs follow each other quickly. */
static status read_pattern(const json_t *job, int64_t attempt, struct ingest_options *o, struct error *err)
{
    const char *pattern = json_text(job, "filename_pattern", NULL);
    size_t id = strlen(o->run_id);
    struct buf text = {0};
    if (!pattern || !pattern[0])
        pattern = "{timestamp}_{filename}";
    int n = snprintf(o->name_suffix, sizeof o->name_suffix, "-%s", o->run_id + (id > 6 ? id - 6 : 0));
    if (attempt > 1)
        snprintf(o->name_suffix + n, sizeof o->name_suffix - (size_t)n, "a%u", (unsigned)(attempt % 1000000));
    status s = buf_append_str(&text, str_of(pattern), err);
    if (s == OK && !strstr(pattern, "{run_id}"))
        s = buf_append_str(&text, str_of(o->name_suffix), err);
    else if (s == OK && attempt > 1)
        s = buf_append_str(&text, str_of(o->name_suffix + n), err);
    if (s == OK)
        s = buf_append(&text, "", 1, err);
    if (s != OK) {
        buf_release(&text);
        return s;
    }
    o->pattern = (char *)text.data;
    o->convert.filename_pattern = str_of(o->pattern);
    return OK;
}

/* Below the lake, whatever the record says. */
static status read_quarantine(const json_t *job, struct ingest_options *o, struct error *err)
{
    struct convert_options *c = &o->convert;
    const json_t *most = json_object_get(job, "max_rejects"), *ratio = json_object_get(job, "max_reject_ratio");
    c->quarantine = strcmp(json_text(job, "error_handling", "fail"), "quarantine") == 0;
    c->max_rejects = json_is_integer(most) ? (uint64_t)json_integer_value(most) : UINT64_MAX;
    c->limit_reject_ratio = json_is_number(ratio);
    c->max_reject_ratio = json_number_value(ratio);
    const char *path = json_text(job, "quarantine_path", "quarantine");
    while (*path == '/')
        path++;
    o->quarantine_path = path;
    if (!c->quarantine)
        return OK;
    for (const char *part = path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL) {
        size_t n = strcspn(part, "/");
        if (part[0] == '.' || n == 0 || memchr(part, '\\', n)) {
            status s = error_set(err, ERR_INVALID, "job/quarantine_path: '%.200s' is no folder below the lake", path);
            error_hint(err, "write a relative path of plain names, for example quarantine/sales");
            return s;
        }
    }
    return OK;
}

/* ---- columns ---- */

static const struct user_column *find_column(const struct user_column *columns, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(columns[i].name, name))
            return &columns[i];
    return NULL;
}

/* A declared column that the dataset has with another type would leave files behind that do not fit together. */
static status check_same_types(const struct user_column *declared, size_t count, const json_t *target,
                               struct error *err)
{
    struct user_column *there = NULL;
    size_t there_count = 0;
    char a[TYPE_NAME_MAX], b[TYPE_NAME_MAX];
    status s = ingest_columns_read(target, &there, &there_count, err);
    for (size_t i = 0; s == OK && i < count; i++) {
        const struct user_column *other = find_column(there, there_count, declared[i].name);
        if (!other || type_equal(other->type, declared[i].type))
            continue;
        s = error_set(err, ERR_INVALID, "user_schema says that '%.*s' is %s, but the dataset holds it as %s",
                      (int)declared[i].name.n, declared[i].name.p, type_name(declared[i].type, a),
                      type_name(other->type, b));
        error_hint(err, "run the job once in full mode to make the dataset anew, or declare the column as %s", b);
    }
    free(there);
    return s;
}

/* One dataset, one format: its readers are told by the catalog which. */
static status check_same_format(const struct ingest_options *o, struct error *err)
{
    const char *format = o->convert.to == FORMAT_PARQUET ? "parquet" : o->convert.to == FORMAT_CSV ? "csv" : "json";
    for (size_t i = 0; o->incremental && i < json_array_size(o->target_files); i++) {
        const char *there = json_text(json_array_get(o->target_files, i), "format", format);
        if (strcmp(there, format) == 0)
            continue;
        status s = error_set(err, ERR_INVALID, "dataset '%.100s' holds %.20s files, but the job now makes %s",
                             o->dataset, there, format);
        error_hint(err, "run the job once in full mode to make the dataset anew, or set force_to_parquet back");
        return s;
    }
    return OK;
}

static status read_schema(const json_t *job, struct ingest_options *o, struct error *err)
{
    struct convert_options *c = &o->convert;
    bool user = strcmp(json_text(job, "schema_mode", "infer"), "user") == 0;
    const json_t *list = user ? json_object_get(job, "user_schema") : o->incremental ? o->target_schema : NULL;
    if (!list || (json_array_size(list) == 0 && !user))
        return OK;
    status s = ingest_columns_read(list, &o->columns, &c->schema_count, err);
    if (s != OK)
        return s;
    c->schema = o->columns;
    c->schema_open = !user;
    return user && o->incremental && o->target_schema
               ? check_same_types(o->columns, c->schema_count, o->target_schema, err)
               : OK;
}

/* ---- watermark ---- */

static int64_t rows_of(const json_t *files)
{
    int64_t rows = 0;
    for (size_t i = 0; i < json_array_size(files); i++)
        rows += json_int(json_array_get(files, i), "rows", 0);
    return rows;
}

static status read_ties(const json_t *list, struct ingest_options *o, struct error *err)
{
    size_t n = json_array_size(list);
    o->ties = calloc(n + 1, sizeof *o->ties);
    if (!o->ties)
        return error_no_memory(err, n * sizeof *o->ties);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !row_hash_parse(text, &o->ties[i]))
            return error_set(err, ERR_INVALID, "payload: watermark/ties/%zu is no hash of a row", i);
    }
    o->convert.watermark.ties = o->ties;
    o->convert.watermark.tie_count = n;
    return OK;
}

static status missing_watermark(const char *column, const char *dataset, const char *other, struct error *err)
{
    status s = other ? error_set(err, ERR_INVALID,
                                 "the watermark is kept for column '%.100s', but the job now names '%.100s', and "
                                 "dataset '%.100s' holds rows",
                                 other, column, dataset)
                     : error_set(err, ERR_INVALID,
                                 "dataset '%.100s' holds rows, but there is no watermark for column '%.100s': what is "
                                 "new cannot be told",
                                 dataset, column);
    error_hint(err, "do one of these: set a value (PUT .../watermark, or flowforge job watermark --set); or run once "
                    "with incremental_mode=full, which takes every file again and leaves a watermark; or point the "
                    "job to a new dataset");
    return s;
}

/* A backfill adds to the dataset, as the job adds to it, and leaves the watermark alone. */
static status read_range(const json_t *payload, const json_t *job, struct ingest_options *o, struct error *err)
{
    const json_t *range = json_object_get(payload, "range");
    const char *column = json_text(job, "watermark_column", NULL);
    if (!json_is_object(range))
        return OK;
    status s = need_text(range, "range/", "from", &o->range_from, err);
    if (s == OK)
        s = need_text(range, "range/", "to", &o->range_to, err);
    if (s == OK && (!column || !column[0])) {
        s = error_set(err, ERR_INVALID,
                      "a range of what is to be taken needs a watermark_column, and the job has none");
        error_hint(err, "name in the job the column that the range is about");
    }
    o->incremental = true;
    return s;
}

static status read_watermark(const json_t *payload, const json_t *job, struct ingest_options *o, struct error *err)
{
    struct convert_watermark *w = &o->convert.watermark;
    const json_t *last = json_object_get(payload, "watermark");
    const char *column = json_text(job, "watermark_column", NULL);
    if (!column || !column[0])
        return OK;
    w->column = str_of(column);
    if (o->range_from)
        return OK; /* whatever was taken before */
    w->want_ties = o->convert.dedupe_key_count == 0;
    if (!o->incremental)
        return OK;
    const char *of = json_text(last, "column", NULL), *value = json_text(last, "value", NULL);
    bool same = of && value && str_equal_nocase(str_of(of), w->column);
    if (!same)
        return rows_of(o->target_files) > 0 ? missing_watermark(column, o->dataset, of, err) : OK;
    status s = type_parse(str_of(json_text(last, "type", "string")), &w->last_type, err);
    w->last = str_of(value);
    return s == OK ? read_ties(json_object_get(last, "ties"), o, err) : s;
}

/* ---- all of it ---- */

static status read_frame(const json_t *payload, const json_t *job, struct ingest_options *o, struct error *err)
{
    const json_t *target = json_object_get(payload, "target"), *pipeline = json_object_get(payload, "pipeline");
    struct convert_options *c = &o->convert;
    if (json_int(payload, "version", 0) != 1)
        return error_set(err, ERR_UNSUPPORTED, "payload: version 1 is wanted");
    if (!json_is_object(job))
        return error_set(err, ERR_INVALID, "payload: job is missing");
    status s = need_text(payload, "", "run_id", &o->run_id, err);
    if (s == OK)
        s = need_text(payload, "", "lake", &o->lake, err);
    if (s == OK)
        s = need_text(payload, "", "staging", &o->staging, err);
    if (s == OK && !time_parse(json_text(payload, "run_time", ""), &c->run_micros))
        s = error_set(err, ERR_INVALID, "payload: run_time is no time");
    if (s != OK)
        return s;
    o->dataset = json_text(target, "dataset", json_text(job, "dataset", ""));
    o->layer = json_text(target, "layer", "bronze");
    o->folder = json_text(target, "folder", "");
    o->target_files = json_object_get(target, "files");
    o->target_schema = json_object_get(target, "schema");
    if (!json_is_array(o->target_schema))
        o->target_schema = NULL;
    o->pipeline_slug = json_text(pipeline, "slug", "pipeline");
    o->job_slug = json_text(job, "slug", "job");
    c->run_id = str_of(o->run_id);
    c->job = str_of(o->job_slug);
    c->quarantine_job = str_of(json_text(job, "id", o->job_slug));
    int64_t memory = json_int(payload, "memory", (int64_t)256 << 20), threads = json_int(payload, "threads", 1);
    c->memory = (size_t)(memory < MEMORY_LEAST ? MEMORY_LEAST : memory);
    c->threads = (size_t)(threads < 1 ? 1 : threads > 256 ? 256 : threads);
    c->max_record = RECORD_MOST;
    c->max_ratio = RATIO_MOST;
    c->sync = c->overwrite = true; /* the staging is this run's own: what an earlier attempt left goes */
    c->temp_dir = o->staging;
    c->split_inputs = true;
    return OK;
}

static status read_source(const json_t *payload, const json_t *job, struct ingest_options *o, struct error *err)
{
    const json_t *config = json_object_get(job, "config"), *settle = json_object_get(payload, "settle_seconds");
    const char *type = json_text(job, "source_type", "");
    o->upload = strcmp(type, "file_upload") == 0;
    o->path = json_text(config, "path", "");
    o->flat = !json_flag(config, "recursive", true);
    o->settle_seconds = json_is_number(settle) ? json_number_value(settle) : SETTLE_SECONDS;
    const json_t *lag = json_object_get(config, "safety_lag_seconds");
    o->database = strcmp(type, "db_query") == 0;
    o->safety_lag = json_is_number(lag) ? json_number_value(lag) : 0;
    if (o->database)
        return OK;
    if (!o->upload && strcmp(type, "file_local") != 0)
        return error_set(err, ERR_UNSUPPORTED, "job/source_type: '%.60s' cannot be read by this version", type);
    if (!o->upload && !o->path[0])
        return error_set(err, ERR_INVALID, "job/config/path is missing");
    read_dialect(config, &o->convert);
    return OK;
}

static status read_formats(const json_t *job, struct ingest_options *o, struct error *err)
{
    struct convert_options *c = &o->convert;
    int from = FORMAT_AUTO, codec = COMPRESSION_AUTO;
    const char *format = json_text(job, "format", NULL), *compression = json_text(job, "compression", NULL);
    status s = format ? choose("format", format, formats, ARRAY_LENGTH(formats), &from, err) : OK;
    if (s == OK && compression)
        s = choose("compression", compression, codecs, ARRAY_LENGTH(codecs), &codec, err);
    c->from = (enum file_format)from;
    c->compression = (enum convert_compression)codec;
    c->to = json_flag(job, "force_to_parquet", true) || from == FORMAT_AUTO || from == FORMAT_PARQUET ? FORMAT_PARQUET
            : from == FORMAT_JSON                                                                     ? FORMAT_NDJSON
                                                                                                      : FORMAT_CSV;
    return s;
}

static status read_rows(const json_t *payload, const json_t *job, struct ingest_options *o, struct error *err)
{
    struct convert_options *c = &o->convert;
    status s = read_renames(json_object_get(job, "rename_map"), o, err);
    if (s == OK)
        s = read_names(json_object_get(job, "dedupe_keys"), &o->keys, &c->dedupe_key_count, err);
    if (s == OK)
        s = read_names(json_object_get(job, "null_values"), &o->null_values, &c->null_value_count, err);
    if (s != OK)
        return s;
    c->dedupe_keys = o->keys;
    c->null_values = o->null_values;
    s = read_watermark(payload, job, o, err);
    if (s == OK && c->dedupe_key_count)
        c->order_by = c->watermark.column;
    o->merge = o->incremental && c->dedupe_key_count > 0;
    if (s == OK && o->merge && c->to != FORMAT_PARQUET) {
        s = error_set(err, ERR_UNSUPPORTED,
                      "dedupe_keys in incremental mode rewrite older files, which has to be Parquet");
        error_hint(err, "set force_to_parquet to true, or incremental_mode to full");
    }
    return s;
}

status ingest_options_read(struct ingest_options *options, const json_t *payload, struct error *err)
{
    struct ingest_options o = {0};
    const json_t *job = json_object_get(payload, "job");
    status s = read_frame(payload, job, &o, err);
    o.incremental = strcmp(json_text(job, "incremental_mode", "full"), "incremental") == 0;
    if (s == OK)
        s = read_range(payload, job, &o, err);
    if (s == OK)
        s = read_source(payload, job, &o, err);
    if (s == OK)
        s = read_formats(job, &o, err);
    if (s == OK)
        s = read_partition(job, &o, err);
    if (s == OK)
        s = read_pattern(job, json_int(payload, "attempt", 1), &o, err);
    if (s == OK)
        s = read_quarantine(job, &o, err);
    if (s == OK)
        s = read_rows(payload, job, &o, err);
    if (s == OK)
        s = read_schema(job, &o, err);
    if (s == OK)
        s = check_same_format(&o, err);
    if (s == OK)
        *options = o;
    else
        ingest_options_release(&o);
    return s;
}

void ingest_options_release(struct ingest_options *o)
{
    free(o->pattern);
    free(o->columns);
    free(o->renames);
    free(o->keys);
    free(o->null_values);
    free(o->partition_columns);
    free(o->ties);
    *o = (struct ingest_options){0};
}
