#include "batch/schema.h"

#include <stdlib.h>

static char *copy_text(struct str s)
{
    char *copy = malloc(s.n + 1);
    if (copy) {
        memcpy(copy, s.p, s.n);
        copy[s.n] = '\0';
    }
    return copy;
}

status schema_add(struct schema *s, struct str name, struct str source_name, struct data_type type, bool not_null,
                  struct error *err)
{
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct field *fields = realloc(s->fields, cap * sizeof *fields);
        if (!fields)
            return error_no_memory(err, cap * sizeof *fields);
        s->fields = fields;
        s->cap = cap;
    }
    struct field f = {
        .name = copy_text(name),
        .source_name = copy_text(source_name.p ? source_name : name),
        .type = type,
        .not_null = not_null,
    };
    if (!f.name || !f.source_name) {
        free(f.name);
        free(f.source_name);
        return error_no_memory(err, name.n + source_name.n + 2);
    }
    s->fields[s->count++] = f;
    return OK;
}

status schema_copy(struct schema *to, const struct schema *from, struct error *err)
{
    struct schema copy = {0};
    for (size_t i = 0; i < from->count; i++) {
        const struct field *f = &from->fields[i];
        status s = schema_add(&copy, str_of(f->name), str_of(f->source_name), f->type, f->not_null, err);
        if (s != OK) {
            schema_release(&copy);
            return s;
        }
    }
    *to = copy;
    return OK;
}

int schema_find(const struct schema *s, struct str name)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_equal(str_of(s->fields[i].name), name))
            return (int)i;
    for (size_t i = 0; i < s->count; i++)
        if (str_equal_nocase(str_of(s->fields[i].name), name))
            return (int)i;
    return -1;
}

void schema_release(struct schema *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->fields[i].name);
        free(s->fields[i].source_name);
    }
    free(s->fields);
    *s = (struct schema){0};
}
