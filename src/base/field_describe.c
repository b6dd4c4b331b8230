#include "base/field_value.h"

static const char *const kind_names[] = {
    [FIELD_TEXT] = "text",       [FIELD_INTEGER] = "integer", [FIELD_NUMBER] = "number",
    [FIELD_BOOLEAN] = "boolean", [FIELD_ENUM] = "enum",       [FIELD_OBJECT] = "object",
    [FIELD_LIST] = "list",       [FIELD_MAP] = "map",         [FIELD_TIME] = "time",
};

static const struct {
    unsigned flag;
    const char *name;
} flag_names[] = {
    {FIELD_REQUIRED, "required"},   {FIELD_NULLABLE, "nullable"}, {FIELD_SECRET, "secret"},
    {FIELD_READ_ONLY, "read_only"}, {FIELD_ADVANCED, "advanced"},
};

static status describe_fields(const struct field_table *table, json_t *into, struct error *err);

static status put_default(const struct field_def *field, json_t *into, struct error *err)
{
    if (!field->default_json)
        return json_put(into, "default", json_null(), err);
    return json_put(into, "default", json_loads(field->default_json, JSON_DECODE_ANY, NULL), err);
}

static status put_choices(const struct field_def *field, json_t *into, struct error *err)
{
    json_t *choices = json_array();
    status s = choices ? OK : error_no_memory(err, 64);
    for (const char *const *choice = field->choices; s == OK && *choice; choice++)
        s = json_add(choices, json_string(*choice), err);
    if (s != OK) {
        json_decref(choices);
        return s;
    }
    return json_put(into, "choices", choices, err);
}

static status put_bounds(const struct field_def *field, json_t *into, struct error *err)
{
    bool number = field->kind == FIELD_INTEGER || field->kind == FIELD_NUMBER;
    bool sized = field->kind == FIELD_TEXT || field->kind == FIELD_LIST || field->kind == FIELD_MAP;
    if (!sized && !(number && (field->min != 0 || field->max != 0)))
        return OK;
    bool whole = field->kind != FIELD_NUMBER;
    double most = number ? field->max : field_length_most(field);
    status s = json_put(into, "min", whole ? json_integer((json_int_t)field->min) : json_real(field->min), err);
    return s == OK ? json_put(into, "max", whole ? json_integer((json_int_t)most) : json_real(most), err) : s;
}

static status describe_field(const struct field_def *field, json_t *into, struct error *err)
{
    status s = json_put_text(into, "kind", kind_names[field->kind], err);
    if (s == OK && field->key)
        s = json_put_text(into, "key", field->key, err);
    if (s == OK && field->label)
        s = json_put_text(into, "label", field->label, err);
    if (s == OK && field->help)
        s = json_put_text(into, "help", field->help, err);
    if (s == OK && field->key)
        s = put_default(field, into, err);
    if (s == OK && field->choices)
        s = put_choices(field, into, err);
    if (s == OK)
        s = put_bounds(field, into, err);
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(flag_names); i++)
        s = json_put_bool(into, flag_names[i].name, field->flags & flag_names[i].flag, err);
    if (s == OK && field->required_when)
        s = json_put_text(into, "required_when", field->required_when, err);
    if (s == OK && field->format)
        s = json_put_text(into, "format", field->format, err);
    if (s == OK && field->pattern)
        s = json_put_text(into, "pattern", field->pattern, err);
    if (s == OK && field->of)
        s = describe_fields(field->of, into, err);
    if (s != OK || !field->item)
        return s;
    json_t *item = json_object();
    s = item ? describe_field(field->item, item, err) : error_no_memory(err, 64);
    if (s != OK) {
        json_decref(item);
        return s;
    }
    return json_put(into, "item", item, err);
}

static status describe_fields(const struct field_table *table, json_t *into, struct error *err)
{
    json_t *fields = json_array();
    status s = fields ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < table->count; i++) {
        json_t *one = json_object();
        s = one ? describe_field(&table->fields[i], one, err) : error_no_memory(err, 64);
        if (s == OK)
            s = json_add(fields, one, err);
        else
            json_decref(one);
    }
    if (s != OK) {
        json_decref(fields);
        return s;
    }
    return json_put(into, "fields", fields, err);
}

status field_table_describe(const struct field_table *table, json_t **description, struct error *err)
{
    json_t *made = json_object();
    status s = made ? json_put_text(made, "name", table->name, err) : error_no_memory(err, 64);
    if (s == OK)
        s = json_put_text(made, "title", table->title, err);
    if (s == OK)
        s = describe_fields(table, made, err);
    if (s == OK)
        *description = made;
    else
        json_decref(made);
    return s;
}

static status redact_into(const struct field_table *table, json_t *shown, struct error *err);

static status redact_member(const struct field_def *field, json_t *shown, struct error *err)
{
    if (field->flags & FIELD_SECRET) {
        json_object_del(shown, field->key);
        return OK;
    }
    json_t *value = json_object_get(shown, field->key);
    if (field->of && json_is_object(value))
        return redact_into(field->of, value, err);
    if (!field->item || !field->item->of || !json_is_array(value))
        return OK;
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = json_array_get(value, i);
        status s = json_is_object(item) ? redact_into(field->item->of, item, err) : OK;
        if (s != OK)
            return s;
    }
    return OK;
}

static status redact_into(const struct field_table *table, json_t *shown, struct error *err)
{
    for (size_t i = 0; i < table->count; i++) {
        status s = redact_member(&table->fields[i], shown, err);
        if (s != OK)
            return s;
    }
    return OK;
}

status field_table_redact(const struct field_table *table, const json_t *record, json_t **shown, struct error *err)
{
    json_t *copy = json_deep_copy(record);
    status s = copy ? redact_into(table, copy, err) : error_no_memory(err, 64);
    if (s == OK)
        *shown = copy;
    else
        json_decref(copy);
    return s;
}
