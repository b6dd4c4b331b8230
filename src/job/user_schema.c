#include "job/user_schema.h"

#include <jansson.h>
#include <stdlib.h>

#include "sys/file.h"

#define SCHEMA_FILE_MOST (16u << 20)

static status parse_column(const json_t *item, size_t at, const char *from, struct user_column *column,
                           struct error *err)
{
    const char *key;
    json_t *value;
    struct user_column c = {0};
    if (!json_is_object(item))
        return error_set(err, ERR_INVALID, "%s: /%zu: a column is an object with name and type", from, at);
    json_object_foreach((json_t *)item, key, value)
    {
        if (strcmp(key, "name") == 0 && json_is_string(value)) {
            c.name = (struct str){json_string_value(value), json_string_length(value)};
        } else if (strcmp(key, "type") == 0 && json_is_string(value)) {
            status s = type_parse((struct str){json_string_value(value), json_string_length(value)}, &c.type, err);
            if (s != OK)
                return error_prefix(err, "%s: /%zu/type", from, at);
        } else if (strcmp(key, "nullable") == 0 && json_is_boolean(value)) {
            c.not_null = !json_is_true(value);
        } else {
            status s = error_set(err, ERR_INVALID, "%s: /%zu/%.60s: unknown member, or not of its type", from, at, key);
            error_hint(err, "a column has name (text), type (text) and nullable (true or false)");
            return s;
        }
    }
    if (c.name.n == 0)
        return error_set(err, ERR_INVALID, "%s: /%zu/name: the column has no name", from, at);
    if (c.type.kind == TYPE_NULL)
        return error_set(err, ERR_INVALID, "%s: /%zu/type: column '%.*s' has no type", from, at, (int)c.name.n,
                         c.name.p);
    char *copy = malloc(c.name.n + 1);
    if (!copy)
        return error_no_memory(err, c.name.n + 1);
    memcpy(copy, c.name.p, c.name.n);
    copy[c.name.n] = '\0';
    c.name.p = copy;
    *column = c;
    return OK;
}

static status parse_columns(const json_t *array, const char *from, struct user_schema *schema, struct error *err)
{
    size_t count = json_array_size(array);
    if (!json_is_array(array) || count == 0) {
        status s = error_set(err, ERR_INVALID, "%s: a schema is a JSON array of at least one column", from);
        error_hint(err, "for example [{\"name\": \"id\", \"type\": \"bigint\", \"nullable\": false}]");
        return s;
    }
    schema->columns = calloc(count, sizeof *schema->columns);
    if (!schema->columns)
        return error_no_memory(err, count * sizeof *schema->columns);
    for (size_t i = 0; i < count; i++) {
        status s = parse_column(json_array_get(array, i), i, from, &schema->columns[i], err);
        if (s != OK)
            return s;
        schema->count = i + 1;
        for (size_t k = 0; k < i; k++)
            if (str_equal_nocase(schema->columns[k].name, schema->columns[i].name))
                return error_set(err, ERR_INVALID, "%s: /%zu/name: '%s' is the name of column %zu already", from, i,
                                 schema->columns[i].name.p, k);
    }
    return OK;
}

status user_schema_parse(struct user_schema *schema, const char *json, size_t n, const char *from, struct error *err)
{
    json_error_t where;
    *schema = (struct user_schema){0};
    json_t *root = json_loadb(json, n, JSON_REJECT_DUPLICATES, &where);
    if (!root)
        return error_set(err, ERR_INVALID, "%s: line %d, column %d: %s", from, where.line, where.column, where.text);
    const json_t *array = root;
    if (json_is_object(root)) {
        array = json_object_get(root, "columns");
        if (!array)
            array = json_object_get(root, "user_schema");
    }
    status s = parse_columns(array, from, schema, err);
    json_decref(root);
    if (s != OK)
        user_schema_release(schema);
    return s;
}

status user_schema_load(struct user_schema *schema, const char *path, struct error *err)
{
    struct byte_source source = {0};
    struct buf text = {0};
    uint64_t size;
    status s = file_source_open(&source, path, &size, err);
    if (s == OK)
        s = buf_reserve(&text, SCHEMA_FILE_MOST, err);
    if (s == OK)
        s = byte_source_read_full(&source, text.data, text.cap, &text.len, err);
    if (s == OK)
        s = user_schema_parse(schema, (const char *)text.data, text.len, path, err);
    byte_source_close(&source);
    buf_release(&text);
    return s;
}

void user_schema_release(struct user_schema *schema)
{
    for (size_t i = 0; i < schema->count; i++)
        free((char *)schema->columns[i].name.p);
    free(schema->columns);
    *schema = (struct user_schema){0};
}
