#include "job/document.h"

#include <stdio.h>
#include <stdlib.h>

#include "job/document_yaml.h"
#include "job/fields.h"

static const struct field_def ingest_item = {.kind = FIELD_OBJECT, .of = &ingest_document_fields};
static const struct field_def dataset_item = {.kind = FIELD_OBJECT, .of = &dataset_job_fields};
static const struct field_def rows[] = {
    {.key = "version",
     .kind = FIELD_INTEGER,
     .default_json = "1",
     .min = 1,
     .max = 1,
     .help = "Of this kind of document."},
    {.key = "pipeline",
     .kind = FIELD_OBJECT,
     .flags = FIELD_REQUIRED,
     .of = &pipeline_fields,
     .help = "The pipeline: at least its name."},
    {.key = "ingest_jobs", .kind = FIELD_LIST, .item = &ingest_item, .default_json = "[]"},
    {.key = "dataset_jobs", .kind = FIELD_LIST, .item = &dataset_item, .default_json = "[]"},
};

static status rule_unique(const json_t *jobs, const char *list, const char *key, struct field_errors *errors,
                          struct error *err)
{
    char pointer[80];
    for (size_t i = 0; i < json_array_size(jobs); i++) {
        const json_t *job = json_array_get(jobs, i);
        for (size_t k = 0; k < i; k++) {
            const json_t *other = json_array_get(jobs, k);
            const char *text = json_text(job, key, "");
            if (!*text || !str_equal_nocase(str_of(text), str_of(json_text(other, key, ""))) ||
                strcmp(json_text(job, "layer", "bronze"), json_text(other, "layer", "bronze")) != 0)
                continue;
            snprintf(pointer, sizeof pointer, "/%s/%zu/%s", list, i, key);
            status s =
                field_error_add(errors, err, pointer, "duplicate",
                                "'%s' is the %s of job %zu of the list already: give each its own", text, key, k);
            if (s != OK)
                return s;
            break;
        }
    }
    return OK;
}

static status rule_names_unique(const json_t *jobs, const char *list, struct field_errors *errors, struct error *err)
{
    char pointer[80];
    for (size_t i = 0; i < json_array_size(jobs); i++)
        for (size_t k = 0; k < i; k++) {
            const char *name = json_text(json_array_get(jobs, i), "name", "");
            if (!*name || !str_equal_nocase(str_of(name), str_of(json_text(json_array_get(jobs, k), "name", ""))))
                continue;
            snprintf(pointer, sizeof pointer, "/%s/%zu/name", list, i);
            status s = field_error_add(errors, err, pointer, "duplicate",
                                       "'%s' is the name of job %zu of the list already: give each its own", name, k);
            if (s != OK)
                return s;
            break;
        }
    return OK;
}

static status rules(const json_t *record, struct field_errors *errors, struct error *err)
{
    static const char *const lists[] = {"ingest_jobs", "dataset_jobs"};
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(lists); i++) {
        const json_t *jobs = json_object_get(record, lists[i]);
        s = rule_names_unique(jobs, lists[i], errors, err);
        if (s == OK)
            s = rule_unique(jobs, lists[i], "dataset", errors, err);
    }
    return s;
}

const struct field_table document_fields = {.name = "pipeline_document",
                                            .title = "Pipeline with its jobs",
                                            .fields = rows,
                                            .count = ARRAY_LENGTH(rows),
                                            .rules = rules};

status document_parse(const char *text, size_t n, const char *name, json_t **document, struct error *err)
{
    size_t at = 0;
    while (at < n && strchr(" \t\r\n", text[at]) && text[at])
        at++;
    return at < n && text[at] == '{' ? json_parse(text, n, name, document, err)
                                     : yaml_read(text, n, name, document, err);
}

/* Is what a table without `complete` gives for a member that is left out. */
static bool is_fixed_default(const struct field_def *field, const json_t *value)
{
    if (field->flags & FIELD_REQUIRED)
        return false;
    if (!field->default_json)
        return (field->flags & FIELD_NULLABLE) && json_is_null(value);
    json_t *plain = json_loads(field->default_json, JSON_DECODE_ANY, NULL);
    bool same = plain && json_equal(plain, value);
    json_decref(plain);
    return same;
}

static status shorten_object(const struct field_table *table, const json_t *value, bool top, json_t **shorter,
                             struct error *err);

/* The same value with less in it. */
static status shorten_value(const struct field_def *field, const json_t *value, json_t **shorter, struct error *err)
{
    if (field->of && json_is_object(value))
        return shorten_object(field->of, value, false, shorter, err);
    if (!field->item || !field->item->of || !json_is_array(value)) {
        *shorter = json_deep_copy(value);
        return *shorter ? OK : error_no_memory(err, 64);
    }
    json_t *list = json_array();
    status s = list ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < json_array_size(value); i++) {
        json_t *item = NULL;
        s = shorten_value(field->item, json_array_get(value, i), &item, err);
        if (s == OK)
            s = json_add(list, item, err);
    }
    if (s == OK)
        *shorter = list;
    else
        json_decref(list);
    return s;
}

/* Without what the server fills in and, below the top, without defaults. */
static status shorten_object(const struct field_table *table, const json_t *value, bool top, json_t **shorter,
                             struct error *err)
{
    json_t *made = json_object();
    status s = made ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        const json_t *member = json_object_get(value, field->key);
        json_t *less = NULL;
        if (!member || field->flags & (FIELD_READ_ONLY | FIELD_SECRET))
            continue;
        s = shorten_value(field, member, &less, err);
        if (s == OK && !top && is_fixed_default(field, less))
            json_decref(less);
        else if (s == OK)
            s = json_put(made, field->key, less, err);
    }
    if (s == OK)
        *shorter = made;
    else
        json_decref(made);
    return s;
}

/* *record is NULL when the request is refused. */
static status apply_quietly(const struct field_table *table, const json_t *request, json_t **record, struct error *err)
{
    struct field_errors errors = {0};
    *record = NULL;
    status s = field_table_apply(table, NULL, request, record, &errors, err);
    field_errors_release(&errors);
    return s;
}

/* Take out what comes back by itself, defaults that depend on other members among it. */
static status drop_defaults(const struct field_table *table, json_t *record, struct error *err)
{
    json_t *full = NULL;
    status s = apply_quietly(table, record, &full, err);
    for (size_t i = 0; s == OK && full && i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        json_t *member = json_object_get(record, field->key), *again = NULL, *fewer;
        if (!member || field->flags & FIELD_REQUIRED)
            continue;
        fewer = json_copy(record);
        if (!fewer) {
            s = error_no_memory(err, 64);
            break;
        }
        json_object_del(fewer, field->key);
        s = apply_quietly(table, fewer, &again, err);
        if (s == OK && again && json_equal(full, again))
            json_object_del(record, field->key);
        json_decref(fewer);
        json_decref(again);
    }
    json_decref(full);
    return s;
}

static status export_record(const struct field_table *table, const json_t *record, json_t **shorter, struct error *err)
{
    json_t *made = NULL;
    status s = shorten_object(table, record, true, &made, err);
    if (s == OK)
        s = drop_defaults(table, made, err);
    if (s == OK)
        *shorter = made;
    else
        json_decref(made);
    return s;
}

static status export_list(const struct field_table *table, const json_t *records, const char *key, json_t *document,
                          struct error *err)
{
    json_t *list = json_array();
    status s = list ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < json_array_size(records); i++) {
        json_t *one = NULL;
        s = export_record(table, json_array_get(records, i), &one, err);
        if (s == OK)
            s = json_add(list, one, err);
    }
    if (s != OK || json_array_size(list) == 0) {
        json_decref(list);
        return s;
    }
    return json_put(document, key, list, err);
}

status document_export(const json_t *pipeline, const json_t *ingest_jobs, const json_t *dataset_jobs, json_t **document,
                       struct error *err)
{
    json_t *made = json_object(), *one = NULL;
    status s = made ? json_put_int(made, "version", 1, err) : error_no_memory(err, 64);
    if (s == OK)
        s = export_record(&pipeline_fields, pipeline, &one, err);
    if (s == OK)
        s = json_put(made, "pipeline", one, err);
    if (s == OK)
        s = export_list(&ingest_document_fields, ingest_jobs, "ingest_jobs", made, err);
    if (s == OK)
        s = export_list(&dataset_job_fields, dataset_jobs, "dataset_jobs", made, err);
    if (s == OK)
        *document = made;
    else
        json_decref(made);
    return s;
}

static status write_json(const json_t *document, struct buf *text, struct error *err)
{
    char *dump = json_dumps(document, JSON_INDENT(2));
    if (!dump)
        return error_no_memory(err, 4096);
    status s = buf_append(text, dump, strlen(dump), err);
    free(dump);
    return s == OK ? buf_append(text, "\n", 1, err) : s;
}

status document_write(const json_t *document, bool yaml, struct buf *text, struct error *err)
{
    size_t before = text->len;
    json_t *again = NULL;
    status s = yaml ? yaml_write(document, text, err) : write_json(document, text, err);
    if (s == OK)
        s = document_parse((const char *)text->data + before, text->len - before, "what was written", &again, err);
    if (s == OK && !json_equal(document, again))
        s = error_set(err, ERR_INTERNAL, "the document cannot be written so that it is read back as the same");
    json_decref(again);
    if (s != OK)
        text->len = before;
    return s;
}
