#include "job/watermark_value.h"

#include "shape/watermark.h"

/* How a value of a type is written. */
static const struct {
    enum type_kind kind;
    const char *example;
} examples[] = {
    {TYPE_BOOLEAN, "true"},
    {TYPE_INTEGER, "1250"},
    {TYPE_BIGINT, "1250"},
    {TYPE_FLOAT, "12.5"},
    {TYPE_DOUBLE, "12.5"},
    {TYPE_DECIMAL, "12.50"},
    {TYPE_DATE, "2024-01-31"},
    {TYPE_TIME, "08:30:00"},
    {TYPE_TIMESTAMP, "2024-01-31T08:30:00"},
    {TYPE_TIMESTAMPTZ, "2024-01-31T08:30:00Z"},
    {TYPE_UUID, "67e55044-10b1-426f-9247-bb680e5fe0c8"},
};

status watermark_value_check(const char *column, const char *type, const char *value, struct error *err)
{
    struct data_type t;
    struct error why;
    int order;
    status s = type_parse(str_of(type), &t, err);
    if (s == OK)
        s = watermark_compare(str_of(column), t, str_of(value), str_of(value), &order, &why);
    if (s == OK || s == ERR_NO_MEMORY) {
        if (s != OK)
            *err = why;
        return s;
    }
    s = error_set(err, ERR_INVALID, "\"%.100s\" is no value of column '%.100s', which is %s", value, column, type);
    for (size_t i = 0; i < ARRAY_LENGTH(examples); i++)
        if (examples[i].kind == t.kind)
            error_hint(err, "Write it as text such as %s", examples[i].example);
    return s;
}
