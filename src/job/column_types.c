#include "job/column_types.h"

#include <stdlib.h>

static void version_free(struct type_version *v)
{
    if (!v)
        return;
    for (size_t i = 0; v->source_names && i < v->schema.count; i++)
        free(v->source_names[i]);
    free(v->source_names);
    free(v->targets);
    schema_release(&v->schema);
    free(v);
}

static struct type_column column_of(const struct type_version *v, size_t i)
{
    const struct field *f = &v->schema.fields[i];
    const struct decode_target *t = &v->targets[i];
    return (struct type_column){
        .name = str_of(f->name),
        .source = t->source,
        .infer = t->infer,
        .class_ = t->class_,
        .type = t->type,
        .not_null = f->not_null,
        .on_null = t->on_null,
    };
}

static status version_add(struct type_version *v, const struct type_column *c, struct error *err)
{
    struct data_type type = c->infer ? infer_type(c->class_) : c->type;
    char *source = malloc(c->source.n + 1);
    if (!source)
        return error_no_memory(err, c->source.n + 1);
    memcpy(source, c->source.p, c->source.n);
    source[c->source.n] = '\0';
    status s = schema_add(&v->schema, c->name, c->source, type, c->not_null, err);
    if (s != OK) {
        free(source);
        return s;
    }
    size_t at = v->schema.count - 1;
    v->source_names[at] = source;
    v->targets[at] = (struct decode_target){
        .source = {source, c->source.n},
        .source_index = -1,
        .type = type,
        .infer = c->infer,
        .class_ = c->class_,
        .on_null = c->on_null,
    };
    return OK;
}

static status version_create(struct type_version **version, unsigned number, size_t columns, struct error *err)
{
    struct type_version *v = calloc(1, sizeof *v);
    size_t room = columns ? columns : 1;
    if (v) {
        v->number = number;
        v->source_names = calloc(room, sizeof *v->source_names);
        v->targets = calloc(room, sizeof *v->targets);
    }
    if (!v || !v->source_names || !v->targets) {
        version_free(v);
        return error_no_memory(err, columns * sizeof *v->targets);
    }
    *version = v;
    return OK;
}

status column_types_init(struct column_types *t, const struct type_column *columns, size_t count, struct error *err)
{
    struct type_version *v = NULL;
    status s = version_create(&v, 1, count, err);
    for (size_t i = 0; s == OK && i < count; i++) {
        s = version_add(v, &columns[i], err);
        if (s != OK)
            version_free(v);
    }
    if (s == OK)
        t->newest = v;
    return s;
}

status column_types_join(struct column_types *t, const struct type_version *from, const enum infer_class *observed,
                         const struct type_column *added, size_t added_count, bool *changed, struct error *err)
{
    struct type_version *now = t->newest, *next = NULL;
    size_t known = from->schema.count; /* columns are only ever appended: the first ones are the same */
    bool differs = added_count > 0;
    for (size_t i = 0; i < known; i++)
        differs |= now->targets[i].infer && infer_join(now->targets[i].class_, observed[i]) != now->targets[i].class_;
    *changed = false;
    if (!differs)
        return OK;
    status s = version_create(&next, now->number + 1, now->schema.count + added_count, err);
    if (s != OK)
        return s;
    for (size_t i = 0; s == OK && i < now->schema.count; i++) {
        struct type_column c = column_of(now, i);
        if (c.infer && i < known)
            c.class_ = infer_join(c.class_, observed[i]);
        s = version_add(next, &c, err);
    }
    for (size_t i = 0; s == OK && i < added_count; i++)
        s = version_add(next, &added[i], err);
    if (s != OK) {
        version_free(next);
        return s;
    }
    next->older = now;
    t->newest = next;
    *changed = true;
    return OK;
}

bool type_version_extends(const struct type_version *older, const struct type_version *newer)
{
    if (older == newer)
        return true;
    if (older->schema.count != newer->schema.count)
        return false;
    for (size_t i = 0; i < older->schema.count; i++) {
        struct data_type a = older->schema.fields[i].type, b = newer->schema.fields[i].type;
        if (a.kind != TYPE_NULL && !type_equal(a, b))
            return false;
    }
    return true;
}

void column_types_release(struct column_types *t)
{
    for (struct type_version *v = t->newest, *older; v; v = older) {
        older = v->older;
        version_free(v);
    }
    t->newest = NULL;
}
