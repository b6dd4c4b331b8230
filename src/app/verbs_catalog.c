/* flowforge catalog. */
#include "app/verb.h"

#include <stdio.h>

#include "app/print.h"

status verb_catalog_list(struct verb_call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"layer", "LAYER"},      {"name", "DATASET"},  {"row_count", "ROWS"}, {"file_count", "FILES"},
        {"byte_count", "BYTES"}, {"format", "FORMAT"}, {"path", "PATH"},      {"updated_at", "UPDATED"}};
    char path[64];
    snprintf(path, sizeof path, "/api/catalog?limit=%llu", verb_limit(call));
    return verb_list(call, path, columns, ARRAY_LENGTH(columns), err);
}

/* Columns as "name type, ..."; parents as "a, b". */
static void print_facts(const json_t *entry)
{
    size_t i;
    const json_t *item;
    printf("%s.%s: %lld rows in %lld files, %s\n", json_text(entry, "layer", ""), json_text(entry, "name", ""),
           (long long)json_int(entry, "row_count", 0), (long long)json_int(entry, "file_count", 0),
           json_text(entry, "path", ""));
    const json_t *parents = json_object_get(entry, "parent_tables");
    json_array_foreach(parents, i, item) printf("%s%s", i ? ", " : "made from: ", json_string_value(item));
    if (json_array_size(parents))
        putchar('\n');
    json_array_foreach(json_object_get(entry, "schema"), i, item)
        printf("%s%s %s", i ? ", " : "columns: ", json_text(item, "name", ""), json_text(item, "type", ""));
    putchar('\n');
}

/* The sample's rows as objects, to be printed as a table. */
static status print_sample(const json_t *sample, struct error *err)
{
    const json_t *names = json_object_get(sample, "columns"), *row;
    struct print_column columns[16];
    size_t count = 0, i, c;
    json_t *rows = json_array(), *name;
    status s = rows ? OK : error_no_memory(err, 1);
    json_array_foreach(names, c, name)
    {
        if (count < ARRAY_LENGTH(columns)) {
            const char *text = json_text(name, "name", "");
            columns[count++] = (struct print_column){text, text};
        }
    }
    json_array_foreach(json_object_get(sample, "rows"), i, row)
    {
        json_t *object = json_object();
        if (s == OK)
            s = json_add(rows, object, err);
        for (c = 0; s == OK && c < count; c++)
            s = json_put(object, columns[c].member, json_incref(json_array_get(row, c)), err);
    }
    if (s == OK)
        print_table(rows, columns, count);
    json_decref(rows);
    return s;
}

status verb_catalog_show(struct verb_call *call, struct error *err)
{
    char after[64];
    struct buf path = {0}, sample_path = {0};
    json_t *entry = NULL, *sample = NULL;
    snprintf(after, sizeof after, "/sample?limit=%llu",
             (unsigned long long)(call->settings->limit ? call->settings->limit : 10));
    status s = client_path(&path, "/api/catalog/", call->operand[0], "", err);
    if (s == OK)
        s = client_call(call->client, "GET", (const char *)path.data, NULL, &entry, err);
    if (s == OK)
        s = client_path(&sample_path, "/api/catalog/", call->operand[0], after, err);
    if (s == OK)
        s = client_call(call->client, "GET", (const char *)sample_path.data, NULL, &sample, err);
    if (s == OK)
        s = json_put(entry, "sample", json_incref(sample), err);
    if (s == OK && call->settings->json) {
        s = print_json(entry, err);
    } else if (s == OK) {
        print_facts(entry);
        s = print_sample(sample, err);
    }
    json_decref(sample);
    json_decref(entry);
    buf_release(&sample_path);
    buf_release(&path);
    return s;
}
