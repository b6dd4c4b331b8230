/* From a request to a connection: its secrets go one way, the rest another. Stored secrets are not opened for that;
 * while the rules run, a random word stands for each. */
#include <stdio.h>

#include "job/connection_fields.h"
#include "sys/id.h"

#define WORD_BYTES 20
#define SECRET_PATH_CAP 64

struct stand_in {
    char word[2 * WORD_BYTES + 1];
    const json_t *stored; /* secrets_set */
};

static void path_of(const char *parent, const char *key, char into[SECRET_PATH_CAP])
{
    snprintf(into, SECRET_PATH_CAP, "%s%s%s", parent ? parent : "", parent ? "." : "", key);
}

static bool is_stored(const struct stand_in *stand_in, const char *path)
{
    size_t i;
    const json_t *one;
    json_array_foreach(stand_in->stored, i, one)
    {
        if (strcmp(json_string_value(one), path) == 0)
            return true;
    }
    return false;
}

/* Put the word for every stored secret of the table that `config` does not name. */
static status put_words(const struct field_table *table, const char *parent, const struct stand_in *stand_in,
                        json_t *config, struct error *err)
{
    char path[SECRET_PATH_CAP];
    status s = OK;
    for (size_t i = 0; s == OK && i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        json_t *member = json_object_get(config, field->key);
        path_of(parent, field->key, path);
        if (field->of && json_is_object(member))
            s = put_words(field->of, field->key, stand_in, member, err);
        else if (field->flags & FIELD_SECRET && !member && is_stored(stand_in, path))
            s = json_put_text(config, field->key, stand_in->word, err);
    }
    return s;
}

/* An object that the request brings replaces the stored one, but for secrets that it does not name; with another type
 * they are those of something else. */
static status put_words_below(const struct field_table *table, const json_t *before, const struct stand_in *stand_in,
                              json_t *request, struct error *err)
{
    status s = OK;
    for (size_t i = 0; s == OK && i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        json_t *member = json_object_get(request, field->key);
        const json_t *old = json_object_get(before, field->key);
        if (!field->of || !json_is_object(member) ||
            strcmp(json_text(member, "type", ""), json_text(old, "type", "")) != 0)
            continue;
        s = put_words(field->of, field->key, stand_in, member, err);
    }
    return s;
}

/* Take the secrets out of a complete config. */
static status take_out(const struct field_table *table, const char *parent, const struct stand_in *stand_in,
                       json_t *config, struct connection_change *change, struct error *err)
{
    char path[SECRET_PATH_CAP];
    status s = OK;
    for (size_t i = 0; s == OK && i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        json_t *member = json_object_get(config, field->key);
        if (field->of && json_is_object(member))
            s = take_out(field->of, field->key, stand_in, member, change, err);
        if (!(field->flags & FIELD_SECRET) || !member)
            continue;
        path_of(parent, field->key, path);
        const char *text = json_string_value(member);
        if (text && strcmp(text, stand_in->word) == 0)
            s = json_add(change->kept, json_string(path), err);
        else if (!json_is_null(member))
            s = json_put(change->secrets, path, json_incref(member), err);
        json_object_del(config, field->key);
    }
    return s;
}

static status move_errors(const struct field_errors *from, struct field_errors *to, struct error *err)
{
    char pointer[400];
    size_t i;
    const json_t *problem;
    status s = OK;
    json_array_foreach(from->list, i, problem)
    {
        snprintf(pointer, sizeof pointer, "/config%s", json_text(problem, "pointer", ""));
        if (s == OK)
            s = field_error_add(to, err, pointer, json_text(problem, "code", "format"), "%s",
                                json_text(problem, "message", ""));
    }
    return s;
}

/* *config NULL: there are problems. */
static status apply_config(const struct field_table *table, const json_t *before, const json_t *request,
                           const struct stand_in *stand_in, json_t **config, struct field_errors *errors,
                           struct error *err)
{
    struct field_errors found = {0};
    json_t *old = before ? json_deep_copy(json_object_get(before, "config")) : NULL;
    const json_t *given = json_object_get(request, "config");
    json_t *wanted = given ? json_deep_copy(given) : json_object(), *made = NULL;
    status s = wanted && (old || !before) ? OK : error_no_memory(err, 64);
    if (s == OK && old)
        s = put_words_below(table, old, stand_in, wanted, err);
    if (s == OK && old)
        s = put_words(table, NULL, stand_in, old, err);
    if (s == OK)
        s = field_table_apply(table, old, wanted, &made, &found, err);
    if (s == OK)
        s = move_errors(&found, errors, err);
    if (s == OK)
        *config = made;
    else
        json_decref(made);
    field_errors_release(&found);
    json_decref(wanted);
    json_decref(old);
    return s;
}

status connection_apply(const json_t *before, const json_t *request, struct connection_change *change,
                        struct field_errors *errors, struct error *err)
{
    struct connection_change made = {.secrets = json_object(), .kept = json_array()};
    struct stand_in stand_in = {.stored = json_object_get(before, "secrets_set")};
    json_t *config = NULL;
    random_hex(stand_in.word, WORD_BYTES);
    const char *kind = json_text(before, "kind", json_text(request, "kind", ""));
    const struct field_table *table = connection_kind_fields(kind);
    const json_t *given = json_object_get(request, "config");
    status s = made.secrets && made.kept
                   ? field_table_apply(&connection_fields, before, request, &made.record, errors, err)
                   : error_no_memory(err, 64);
    if (s == OK && before && strcmp(json_text(request, "kind", kind), kind) != 0)
        s = field_error_add(errors, err, "/kind", "read_only",
                            "a connection keeps its kind, %s: create another connection", kind);
    if (s == OK && table && (before || given) && (!given || json_is_object(given)))
        s = apply_config(table, before, request, &stand_in, &config, errors, err);
    if (s == OK && field_errors_count(errors) == 0)
        s = take_out(table, NULL, &stand_in, config, &made, err);
    if (s == OK && field_errors_count(errors) == 0)
        s = json_put(made.record, "config", json_incref(config), err);
    if (s == OK && field_errors_count(errors) == 0)
        *change = made;
    else
        connection_change_release(&made);
    json_decref(config);
    return s;
}

void connection_change_release(struct connection_change *change)
{
    json_decref(change->record);
    json_decref(change->secrets);
    json_decref(change->kept);
    *change = (struct connection_change){0};
}
