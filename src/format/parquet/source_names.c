#include "format/parquet/source_names.h"

static status append_byte(unsigned char c, bool is_utf8, struct buf *to, struct error *err)
{
    if (c == '"' || c == '\\')
        return buf_printf(to, err, "\\%c", c);
    if (c < 0x20)
        return buf_printf(to, err, "\\u%04x", c);
    if (c >= 0x80 && !is_utf8)
        return buf_append_str(to, STR("\xEF\xBF\xBD"), err);
    return buf_append(to, &c, 1, err);
}

static status append_string(struct str s, struct buf *to, struct error *err)
{
    bool is_utf8 = str_is_utf8(s);
    status result = buf_append_str(to, STR("\""), err);
    for (size_t i = 0; result == OK && i < s.n; i++)
        result = append_byte((unsigned char)s.p[i], is_utf8, to, err);
    return result == OK ? buf_append_str(to, STR("\""), err) : result;
}

status source_names_json(const struct schema *schema, struct buf *to, struct error *err)
{
    status s = buf_append_str(to, STR("{"), err);
    for (size_t i = 0; s == OK && i < schema->count; i++) {
        if (i)
            s = buf_append_str(to, STR(","), err);
        if (s == OK)
            s = append_string(str_of(schema->fields[i].name), to, err);
        if (s == OK)
            s = buf_append_str(to, STR(":"), err);
        if (s == OK)
            s = append_string(str_of(schema->fields[i].source_name), to, err);
    }
    return s == OK ? buf_append_str(to, STR("}"), err) : s;
}
