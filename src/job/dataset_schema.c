#include "job/dataset_schema.h"

#include "job/dataset_session.h"

/* Digits before the decimal point that a type's values may have; 0: no such type. */
static unsigned whole_digits(struct data_type t)
{
    return t.kind == TYPE_INTEGER   ? 10
           : t.kind == TYPE_BIGINT  ? 19
           : t.kind == TYPE_DECIMAL ? (unsigned)(t.precision - t.scale)
                                    : 0;
}

static bool is_number(struct data_type t)
{
    return t.kind == TYPE_INTEGER || t.kind == TYPE_BIGINT || t.kind == TYPE_DECIMAL;
}

static unsigned scale_of(struct data_type t)
{
    return t.kind == TYPE_DECIMAL ? t.scale : 0;
}

/* A cast keeps each value or fails: among exact numbers DuckDB checks the range, so only digits after the point could
 * be lost. */
static bool cast_keeps(struct data_type from, enum select_form form, struct data_type to)
{
    if (is_number(from) && is_number(to))
        return scale_of(to) >= scale_of(from);
    switch (to.kind) {
    case TYPE_DOUBLE:
        return from.kind == TYPE_FLOAT || (is_number(from) && scale_of(from) == 0 && whole_digits(from) <= 15);
    case TYPE_TIMESTAMP:
        return from.kind == TYPE_DATE;
    case TYPE_STRING:
        return form == SELECT_AS_IS && from.kind != TYPE_BINARY;
    case TYPE_JSON:
        return from.kind == TYPE_STRING && form == SELECT_AS_IS;
    default:
        return false;
    }
}

static status refuse_type(const char *what, const struct field *found, struct data_type expected, struct error *err)
{
    char a[TYPE_NAME_MAX], b[TYPE_NAME_MAX];
    status s = error_set(err, ERR_INVALID, "column '%s': %s has the type %s, and the query gives %s", found->name, what,
                         type_name(expected, a), type_name(found->type, b));
    error_hint(err, "cast it in the query: CAST(... AS ...), or change %s", what);
    return s;
}

static status fit(struct query_stream *query, size_t i, struct data_type to, const char *what, struct error *err)
{
    const struct field *field = &query->schema.fields[i];
    if (type_equal(field->type, to))
        return OK;
    if (!cast_keeps(field->type, query->types[i].select, to))
        return refuse_type(what, field, to, err);
    return query_stream_cast(query, i, to, err);
}

static status refuse_name(const struct schema *wanted, const struct schema *found, size_t i, struct error *err)
{
    if (i >= wanted->count)
        error_set(err, ERR_INVALID, "the query gives a column '%s' that output_schema does not declare",
                  found->fields[i].name);
    else if (i >= found->count)
        error_set(err, ERR_INVALID, "output_schema declares the column '%s', and the query has no such column",
                  wanted->fields[i].name);
    else
        error_set(err, ERR_INVALID, "output_schema expects '%s' as column %zu, and the query gives '%s' there",
                  wanted->fields[i].name, i + 1, found->fields[i].name);
    error_hint(err, "the query has to give the declared columns by their names and in their order");
    return ERR_INVALID;
}

status dataset_schema_declare(struct query_stream *query, const json_t *declared, struct error *err)
{
    struct schema wanted = {0};
    if (!json_is_array(declared) || json_array_size(declared) == 0)
        return OK;
    status s = dataset_columns(declared, "output_schema", &wanted, err);
    struct schema *found = &query->schema;
    size_t most = wanted.count > found->count ? wanted.count : found->count;
    for (size_t i = 0; s == OK && i < most; i++) {
        bool same = i < wanted.count && i < found->count &&
                    str_equal(str_of(wanted.fields[i].name), str_of(found->fields[i].name));
        s = same ? fit(query, i, wanted.fields[i].type, "output_schema", err) : refuse_name(&wanted, found, i, err);
        if (s == OK)
            found->fields[i].not_null = wanted.fields[i].not_null;
    }
    schema_release(&wanted);
    return s;
}

status dataset_schema_unite(struct query_stream *query, const struct schema *existing, struct schema *united,
                            struct error *err)
{
    struct schema made = {0};
    if (existing->count == 0)
        return schema_copy(united, &query->schema, err);
    status s = schema_copy(&made, existing, err);
    for (size_t i = 0; s == OK && i < made.count; i++)
        made.fields[i].not_null &= schema_find(&query->schema, str_of(made.fields[i].name)) >= 0;
    for (size_t i = 0; s == OK && i < query->schema.count; i++) {
        const struct field *field = &query->schema.fields[i];
        int at = schema_find(&made, str_of(field->name));
        if (at < 0) {
            s = schema_add(&made, str_of(field->name), (struct str){0}, field->type, false, err);
            continue;
        }
        s = fit(query, i, made.fields[at].type, "the dataset", err);
        made.fields[at].not_null &= field->not_null;
    }
    if (s == OK)
        *united = made;
    else
        schema_release(&made);
    return s;
}

status dataset_schema_check_rows(const struct schema *schema, const struct batch *batch, uint64_t first_row,
                                 struct error *err)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (!schema->fields[i].not_null || !batch->columns[i].null_count)
            continue;
        size_t row = 0;
        while (!column_is_null(&batch->columns[i], row))
            row++;
        error_set(err, ERR_BAD_DATA, "column '%s' is declared not nullable, and row %llu of the result has no value",
                  schema->fields[i].name, (unsigned long long)(first_row + row + 1));
        error_hint(err, "leave such rows out (WHERE ... IS NOT NULL), give them a value (coalesce), or declare the "
                        "column nullable");
        return ERR_BAD_DATA;
    }
    return OK;
}
