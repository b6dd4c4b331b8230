#include "store/record.h"

#define COLUMNS_MOST 64
#define PAGE_BINDS_MOST 16

/* Values of a record on their way into a statement. */
struct binds {
    struct db_value values[COLUMNS_MOST + 1];
    struct buf texts[COLUMNS_MOST + 1]; /* of JSON columns */
    size_t count;
};

static void binds_release(struct binds *b)
{
    for (size_t i = 0; i < b->count; i++)
        buf_release(&b->texts[i]);
}

static status wrong_kind(const struct record_table *table, const struct record_column *column, const char *wanted,
                         struct error *err)
{
    return error_set(err, ERR_INVALID, "'%s' of the %s has to be %s", column->name, table->what, wanted);
}

static status add_value(const struct record_table *table, const struct record_column *column, const json_t *member,
                        struct binds *b, struct error *err)
{
    if (b->count == COLUMNS_MOST)
        return error_set(err, ERR_INTERNAL, "the table of %ss has more than %d columns", table->what, COLUMNS_MOST);
    struct db_value *value = &b->values[b->count];
    struct buf *text = &b->texts[b->count++];
    int64_t micros;
    status s = OK;
    if (json_is_null(member)) {
        *value = (struct db_value){.kind = DB_NULL};
        return OK;
    }
    switch (column->kind) {
    case COLUMN_TEXT:
        if (!json_is_string(member))
            return wrong_kind(table, column, "text", err);
        *value = db_text(json_string_value(member));
        break;
    case COLUMN_INTEGER:
        if (!json_is_integer(member))
            return wrong_kind(table, column, "a whole number", err);
        *value = db_int(json_integer_value(member));
        break;
    case COLUMN_REAL:
        if (!json_is_number(member))
            return wrong_kind(table, column, "a number", err);
        *value = db_real(json_number_value(member));
        break;
    case COLUMN_BOOLEAN:
        if (!json_is_boolean(member))
            return wrong_kind(table, column, "true or false", err);
        *value = db_int(json_is_true(member));
        break;
    case COLUMN_JSON:
        s = json_write(member, text, err);
        *value = (struct db_value){.kind = DB_TEXT, .bytes = text->data, .length = text->len};
        break;
    case COLUMN_TIME:
        if (!json_is_string(member) || !time_parse(json_string_value(member), &micros))
            return wrong_kind(table, column, "a time such as 2026-01-31T10:00:00Z", err);
        *value = db_int(micros);
        break;
    }
    return s;
}

/* Run what was written into `sql`. */
static status run_text(struct db *db, struct buf *sql, const struct binds *b, int64_t *changes, struct error *err)
{
    status s = buf_append(sql, "", 1, err);
    return s == OK ? db_run(db, (const char *)sql->data, b->values, b->count, changes, err) : s;
}

status record_insert(struct db *db, const struct record_table *table, const json_t *record, struct error *err)
{
    struct binds b = {0};
    struct buf sql = {0}, places = {0};
    status s = buf_printf(&sql, err, "INSERT INTO %s (", table->table);
    for (size_t i = 0; i < table->count && s == OK; i++) {
        const json_t *member = json_object_get(record, table->columns[i].name);
        if (!member)
            continue;
        s = add_value(table, &table->columns[i], member, &b, err);
        if (s == OK)
            s = buf_printf(&sql, err, "%s%s", b.count > 1 ? ", " : "", table->columns[i].name);
        if (s == OK)
            s = buf_printf(&places, err, "%s?%zu", b.count > 1 ? ", " : "", b.count);
    }
    if (s == OK)
        s = buf_append_str(&sql, STR(") VALUES ("), err);
    if (s == OK)
        s = buf_append_str(&sql, buf_str(&places), err);
    if (s == OK)
        s = buf_append_str(&sql, STR(")"), err);
    if (s == OK)
        s = run_text(db, &sql, &b, NULL, err);
    binds_release(&b);
    buf_release(&places);
    buf_release(&sql);
    return s;
}

static status not_found(const struct record_table *table, const char *id, struct error *err)
{
    return error_set(err, ERR_NOT_FOUND, "there is no %s '%.100s'", table->what, id);
}

status record_update(struct db *db, const struct record_table *table, const char *id, const json_t *changes,
                     struct error *err)
{
    struct binds b = {0};
    struct buf sql = {0};
    int64_t changed = 0;
    status s = buf_printf(&sql, err, "UPDATE %s SET ", table->table);
    for (size_t i = 1; i < table->count && s == OK; i++) {
        const json_t *member = json_object_get(changes, table->columns[i].name);
        if (!member)
            continue;
        s = add_value(table, &table->columns[i], member, &b, err);
        if (s == OK)
            s = buf_printf(&sql, err, "%s%s = ?%zu", b.count > 1 ? ", " : "", table->columns[i].name, b.count);
    }
    if (s == OK && b.count == 0) /* nothing to set: still tell whether it is there */
        s = buf_printf(&sql, err, "%s = %s", table->columns[0].name, table->columns[0].name);
    if (s == OK) {
        b.values[b.count++] = db_text(id);
        s = buf_printf(&sql, err, " WHERE %s = ?%zu", table->columns[0].name, b.count);
    }
    if (s == OK)
        s = run_text(db, &sql, &b, &changed, err);
    if (s == OK && changed == 0)
        s = not_found(table, id, err);
    binds_release(&b);
    buf_release(&sql);
    return s;
}

static status text_member(const struct record_column *column, const struct db_value *value, json_t **member,
                          struct error *err)
{
    struct str text = {value->bytes, value->length};
    if (!str_is_utf8(text))
        return error_set(err, ERR_BAD_DATA, "'%s' in the metadata database is not UTF-8", column->name);
    *member = json_stringn_nocheck(text.p, text.n);
    return OK;
}

/* *member stays NULL when memory runs out: json_put tells. */
static status member_of(const struct record_column *column, const struct db_value *value, json_t **member,
                        struct error *err)
{
    char time[TIME_TEXT_CAP];
    status s = OK;
    if (value->kind == DB_NULL) {
        *member = json_null();
        return OK;
    }
    switch (column->kind) {
    case COLUMN_TEXT:
        s = text_member(column, value, member, err);
        break;
    case COLUMN_INTEGER:
        *member = json_integer(value->integer);
        break;
    case COLUMN_REAL:
        *member = json_real(value->kind == DB_REAL ? value->real : (double)value->integer);
        break;
    case COLUMN_BOOLEAN:
        *member = json_boolean(value->integer != 0);
        break;
    case COLUMN_JSON:
        s = json_parse(value->bytes, value->length, column->name, member, err);
        if (s == ERR_INVALID)
            s = error_set(err, ERR_BAD_DATA, "'%s' in the metadata database is not JSON", column->name);
        break;
    case COLUMN_TIME:
        time_text(value->integer, time);
        *member = json_string_nocheck(time);
        break;
    }
    return s;
}

status record_of_row(const struct record_column *columns, size_t count, const struct db_value *row, json_t **record,
                     struct error *err)
{
    json_t *made = json_object();
    status s = made ? OK : error_no_memory(err, sizeof(json_t *));
    for (size_t i = 0; i < count && s == OK; i++) {
        json_t *member = NULL;
        s = member_of(&columns[i], &row[i], &member, err);
        /* Names of columns are plain ASCII: no need to look at each again. */
        if (s == OK && (!member || json_object_set_new_nocheck(made, columns[i].name, member) != 0))
            s = error_no_memory(err, sizeof(json_t *));
    }
    if (s == OK)
        *record = made;
    else
        json_decref(made);
    return s;
}

struct rows {
    const struct record_column *columns;
    size_t count;
    json_t *array;
};

static status add_row(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    struct rows *rows = self;
    json_t *record;
    if (columns != rows->count)
        return error_set(err, ERR_INTERNAL, "a query gives %zu columns where %zu are meant", columns, rows->count);
    status s = record_of_row(rows->columns, rows->count, row, &record, err);
    return s == OK ? json_add(rows->array, record, err) : s;
}

status record_query(struct db *db, const struct record_column *columns, size_t count, const char *sql,
                    const struct db_value *binds, size_t bind_count, json_t **rows, struct error *err)
{
    struct rows collected = {.columns = columns, .count = count, .array = json_array()};
    status s = collected.array ? OK : error_no_memory(err, sizeof(json_t *));
    if (s == OK)
        s = db_each(db, sql, binds, bind_count, add_row, &collected, err);
    if (s == OK)
        *rows = collected.array;
    else
        json_decref(collected.array);
    return s;
}

static bool is_omitted(const char *const *omit, const char *name)
{
    for (; omit && *omit; omit++)
        if (strcmp(*omit, name) == 0)
            return true;
    return false;
}

/* "SELECT a, b FROM t" and which columns these are. */
static status write_select(const struct record_table *table, const char *const *omit, struct buf *sql,
                           struct record_column columns[COLUMNS_MOST], size_t *count, struct error *err)
{
    status s = buf_append_str(sql, STR("SELECT "), err);
    *count = 0;
    for (size_t i = 0; i < table->count && s == OK; i++) {
        if (is_omitted(omit, table->columns[i].name))
            continue;
        if (*count == COLUMNS_MOST)
            return error_set(err, ERR_INTERNAL, "the table of %ss has more than %d columns", table->what, COLUMNS_MOST);
        s = buf_printf(sql, err, "%s%s", *count ? ", " : "", table->columns[i].name);
        columns[(*count)++] = table->columns[i];
    }
    return s == OK ? buf_printf(sql, err, " FROM %s", table->table) : s;
}

status record_get(struct db *db, const struct record_table *table, const char *id, json_t **record, struct error *err)
{
    struct record_column columns[COLUMNS_MOST];
    struct buf sql = {0};
    size_t count;
    json_t *rows = NULL;
    status s = write_select(table, NULL, &sql, columns, &count, err);
    if (s == OK)
        s = buf_printf(&sql, err, " WHERE %s = ?1", table->columns[0].name);
    if (s == OK)
        s = buf_append(&sql, "", 1, err);
    if (s == OK)
        s = record_query(db, columns, count, (const char *)sql.data, DB_BINDS(db_text(id)), &rows, err);
    if (s == OK && json_array_size(rows) == 0)
        s = not_found(table, id, err);
    if (s == OK)
        *record = json_incref(json_array_get(rows, 0));
    json_decref(rows);
    buf_release(&sql);
    return s;
}

status record_delete(struct db *db, const struct record_table *table, const char *id, struct error *err)
{
    struct binds b = {.values = {db_text(id)}, .count = 1};
    struct buf sql = {0};
    int64_t changed = 0;
    status s = buf_printf(&sql, err, "DELETE FROM %s WHERE %s = ?1", table->table, table->columns[0].name);
    if (s == OK)
        s = run_text(db, &sql, &b, &changed, err);
    if (s == OK && changed == 0)
        s = not_found(table, id, err);
    buf_release(&sql);
    return s;
}

/* The conditions, order and limit of a page; its own binds come after those of `where`. */
static status write_page(const struct record_table *table, const struct record_page *page, struct buf *sql,
                         struct db_value *binds, size_t *count, struct error *err)
{
    const char *id = table->columns[0].name;
    if (page->bind_count > PAGE_BINDS_MOST)
        return error_set(err, ERR_INTERNAL, "a list has more than %d parameters", PAGE_BINDS_MOST);
    for (*count = 0; *count < page->bind_count; ++*count)
        binds[*count] = page->binds[*count];
    status s = OK;
    if (page->where)
        s = buf_printf(sql, err, " WHERE (%s)", page->where);
    if (s == OK && page->after) {
        binds[(*count)++] = db_text(page->after);
        s = buf_printf(sql, err, " %s %s %s ?%zu", page->where ? "AND" : "WHERE", id, page->ascending ? ">" : "<",
                       *count);
    }
    if (s == OK)
        s = buf_printf(sql, err, " ORDER BY %s %s", id, page->ascending ? "ASC" : "DESC");
    if (s == OK && page->limit < INT64_MAX) {
        binds[(*count)++] = db_int((int64_t)page->limit + 1);
        s = buf_printf(sql, err, " LIMIT ?%zu", *count);
    }
    return s == OK ? buf_append(sql, "", 1, err) : s;
}

status record_list(struct db *db, const struct record_table *table, const struct record_page *page, json_t **rows,
                   bool *more, struct error *err)
{
    struct record_column columns[COLUMNS_MOST];
    struct db_value binds[PAGE_BINDS_MOST + 2];
    struct buf sql = {0};
    size_t count, bind_count = 0;
    json_t *listed = NULL;
    status s = write_select(table, page->omit, &sql, columns, &count, err);
    if (s == OK)
        s = write_page(table, page, &sql, binds, &bind_count, err);
    if (s == OK)
        s = record_query(db, columns, count, (const char *)sql.data, binds, bind_count, &listed, err);
    if (s == OK) {
        *more = json_array_size(listed) > page->limit;
        if (*more)
            json_array_remove(listed, page->limit);
        *rows = listed;
    }
    buf_release(&sql);
    return s;
}
