#include "batch/value_text.h"
#include "lake/partition.h"
#include "lake/percent_encoding.h"

#define NAME_MAX_BYTES 255 /* NAME_MAX of every common file system */

static status append_value(const struct column *c, size_t row, struct buf *path, struct error *err)
{
    char text[VALUE_TEXT_MAX];
    struct str value = {text, 0};
    if (!column_is_null(c, row) && c->type.kind != TYPE_NULL) {
        if (type_is_var(c->type))
            value = column_str(c, row);
        else
            value.n = value_text(c->type, column_value(c, row), text);
    }
    return value.n ? percent_encode(value, path, err) : buf_append_str(path, STR(HIVE_DEFAULT_PARTITION), err);
}

status partition_hive_path(const struct schema *schema, const struct batch *batch, const int *columns,
                           size_t column_count, size_t row, struct buf *path, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < column_count; i++) {
        const char *name = schema->fields[columns[i]].name;
        size_t begin = path->len;
        s = percent_encode(str_of(name), path, err);
        if (s == OK)
            s = buf_append(path, "=", 1, err);
        if (s == OK)
            s = append_value(&batch->columns[columns[i]], row, path, err);
        if (s == OK && path->len - begin > NAME_MAX_BYTES) {
            s = error_set(err, ERR_LIMIT, "the partition folder '%.80s...' would have a name of %zu bytes",
                          (const char *)path->data + begin, path->len - begin);
            error_hint(err, "file systems allow %d bytes: partition by a column with shorter values than '%s' has",
                       NAME_MAX_BYTES, name);
        }
        if (s == OK)
            s = buf_append(path, "/", 1, err);
    }
    return s;
}
