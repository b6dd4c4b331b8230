#include "base/field_value.h"

/* JSON Schema 2020-12, the dialect of OpenAPI 3.1. */

static status table_schema(const struct field_table *table, bool request, json_t *schema, struct error *err);
static status field_schema(const struct field_def *field, bool request, json_t *schema, struct error *err);

static const char *const type_names[] = {
    [FIELD_TEXT] = "string",     [FIELD_INTEGER] = "integer", [FIELD_NUMBER] = "number",
    [FIELD_BOOLEAN] = "boolean", [FIELD_ENUM] = "string",     [FIELD_OBJECT] = "object",
    [FIELD_LIST] = "array",      [FIELD_MAP] = "object",      [FIELD_TIME] = "string",
};

static status put_type(const struct field_def *field, json_t *schema, struct error *err)
{
    const char *name = type_names[field->kind];
    if (!(field->flags & FIELD_NULLABLE))
        return json_put_text(schema, "type", name, err);
    return json_put(schema, "type", json_pack("[ss]", name, "null"), err);
}

static status put_choices(const struct field_def *field, json_t *schema, struct error *err)
{
    json_t *choices = json_array();
    status s = choices ? OK : error_no_memory(err, 64);
    for (const char *const *choice = field->choices; s == OK && *choice; choice++)
        s = json_add(choices, json_string(*choice), err);
    if (s == OK && field->flags & FIELD_NULLABLE)
        s = json_add(choices, json_null(), err);
    if (s != OK) {
        json_decref(choices);
        return s;
    }
    return json_put(schema, "enum", choices, err);
}

static status put_sizes(const struct field_def *field, const char *least, const char *most, json_t *schema,
                        struct error *err)
{
    status s = field->min > 0 ? json_put_int(schema, least, (int64_t)field->min, err) : OK;
    return s == OK ? json_put_int(schema, most, (int64_t)field_length_most(field), err) : s;
}

static status put_bound(const struct field_def *field, const char *name, double bound, json_t *schema,
                        struct error *err)
{
    return json_put(schema, name, field->kind == FIELD_INTEGER ? json_integer((json_int_t)bound) : json_real(bound),
                    err);
}

static status put_bounds(const struct field_def *field, json_t *schema, struct error *err)
{
    if (field->min == 0 && field->max == 0)
        return OK;
    status s = put_bound(field, "minimum", field->min, schema, err);
    return s == OK ? put_bound(field, "maximum", field->max, schema, err) : s;
}

static status put_below(const struct field_def *item, const char *name, bool request, json_t *schema, struct error *err)
{
    json_t *below = json_object();
    status s = below ? field_schema(item, request, below, err) : error_no_memory(err, 64);
    if (s != OK) {
        json_decref(below);
        return s;
    }
    return json_put(schema, name, below, err);
}

static status put_kind(const struct field_def *field, bool request, json_t *schema, struct error *err)
{
    static const struct field_def any_text = {.kind = FIELD_TEXT};
    status s = OK;
    switch (field->kind) {
    case FIELD_TEXT:
        s = put_sizes(field, "minLength", "maxLength", schema, err);
        return s == OK && field->pattern ? json_put_text(schema, "pattern", field->pattern, err) : s;
    case FIELD_INTEGER:
    case FIELD_NUMBER:
        return put_bounds(field, schema, err);
    case FIELD_BOOLEAN:
        return OK;
    case FIELD_ENUM:
        return put_choices(field, schema, err);
    case FIELD_OBJECT:
        return field->of ? table_schema(field->of, request, schema, err) : OK;
    case FIELD_LIST:
        s = put_sizes(field, "minItems", "maxItems", schema, err);
        return s == OK ? put_below(field->item, "items", request, schema, err) : s;
    case FIELD_MAP:
        s = put_sizes(field, "minProperties", "maxProperties", schema, err);
        return s == OK ? put_below(field->item ? field->item : &any_text, "additionalProperties", request, schema, err)
                       : s;
    case FIELD_TIME:
        return json_put_text(schema, "format", "date-time", err);
    }
    return OK;
}

static status field_schema(const struct field_def *field, bool request, json_t *schema, struct error *err)
{
    status s = put_type(field, schema, err);
    if (s == OK)
        s = put_kind(field, request, schema, err);
    if (s == OK && field->label)
        s = json_put_text(schema, "title", field->label, err);
    if (s == OK && field->help)
        s = json_put_text(schema, "description", field->help, err);
    if (s == OK && field->default_json && request)
        s = json_put(schema, "default", json_loads(field->default_json, JSON_DECODE_ANY, NULL), err);
    if (s == OK && field->flags & FIELD_READ_ONLY)
        s = json_put_bool(schema, "readOnly", true, err);
    if (s == OK && field->flags & FIELD_SECRET)
        s = json_put_bool(schema, "writeOnly", true, err);
    if (s == OK && field->format && strcmp(field->format, "uri") == 0)
        s = json_put_text(schema, "format", "uri", err);
    return s;
}

static bool is_shown(const struct field_def *field, bool request)
{
    return !(field->flags & (request ? FIELD_READ_ONLY : FIELD_SECRET));
}

static status table_schema(const struct field_table *table, bool request, json_t *schema, struct error *err)
{
    json_t *properties = json_object(), *required = json_array();
    status s = properties && required ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        if (!is_shown(field, request))
            continue;
        s = put_below(field, field->key, request, properties, err);
        if (s == OK && (field->flags & FIELD_REQUIRED || (!request && !(field->flags & FIELD_OPTIONAL))))
            s = json_add(required, json_string(field->key), err);
    }
    if (s == OK)
        s = json_put(schema, "properties", json_incref(properties), err);
    if (s == OK && json_array_size(required) > 0)
        s = json_put(schema, "required", json_incref(required), err);
    if (s == OK)
        s = json_put_bool(schema, "additionalProperties", false, err);
    json_decref(properties);
    json_decref(required);
    return s;
}

status field_table_json_schema(const struct field_table *table, bool request, json_t **schema, struct error *err)
{
    json_t *made = json_object();
    status s = made ? json_put_text(made, "type", "object", err) : error_no_memory(err, 64);
    if (s == OK)
        s = json_put_text(made, "title", table->title, err);
    if (s == OK)
        s = table_schema(table, request, made, err);
    if (s == OK)
        *schema = made;
    else
        json_decref(made);
    return s;
}
