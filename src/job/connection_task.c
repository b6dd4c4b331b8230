#include "job/connection_task.h"

#include <stdlib.h>
#include <strings.h>

#include "job/connection_fields.h"
#include "sys/clock.h"
#include "sys/confine.h"

#define PATIENCE_SECONDS 15 /* of one try to connect: somebody is waiting */
#define TABLES_MOST 2000
#define SECRET_LEAST 4 /* characters: "***" is never longer than what it stands for */

/* ---- the payload's connection ---- */

static status resolve_path(const json_t *payload, json_t *config, struct error *err)
{
    const json_t *roots = json_object_get(payload, "local_roots");
    size_t count = json_array_size(roots);
    const char **names = calloc(count + 1, sizeof *names);
    char *anchored = NULL, *resolved = NULL;
    status s = names ? OK : error_no_memory(err, count);
    for (size_t i = 0; s == OK && i < count; i++) {
        names[i] = json_string_value(json_array_get(roots, i));
        if (!names[i])
            s = error_set(err, ERR_INVALID, "payload: a local root is no text");
    }
    if (s == OK)
        s = confine_anchor(json_text(config, "path", ""), names, count, &anchored, err);
    if (s == OK)
        s = confine_path(anchored, names, count, &resolved, err);
    if (s == OK)
        s = json_put_text(config, "path", resolved, err);
    free(names);
    free(anchored);
    free(resolved);
    return s;
}

status connection_config(const json_t *payload, json_t **config, struct error *err)
{
    const json_t *connection = json_object_get(payload, "connection");
    json_t *made = json_deep_copy(json_object_get(connection, "config"));
    if (!json_is_object(made)) {
        json_decref(made);
        return error_set(err, ERR_INVALID, "payload: there is no connection");
    }
    status s = strcmp(json_text(connection, "kind", ""), "sqlite") == 0 ? resolve_path(payload, made, err) : OK;
    if (s == OK)
        *config = made;
    else
        json_decref(made);
    return s;
}

static void scrub_text(char *text, const char *secret)
{
    size_t n = strlen(secret);
    if (n < SECRET_LEAST)
        return;
    for (char *at = strstr(text, secret); at; at = strstr(at, secret)) {
        memcpy(at, "***", 3);
        memmove(at + 3, at + n, strlen(at + n) + 1);
        at += 3;
    }
}

static void scrub_value(char *text, const json_t *value)
{
    const char *key;
    json_t *member;
    if (json_is_string(value))
        scrub_text(text, json_string_value(value));
    if (!json_is_object(value))
        return;
    json_object_foreach((json_t *)(uintptr_t)value, key, member) scrub_value(text, member);
}

static void scrub_table(char *text, const struct field_table *table, const json_t *config)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field_def *field = &table->fields[i];
        const json_t *member = json_object_get(config, field->key);
        if (field->flags & FIELD_SECRET)
            scrub_value(text, member);
        else if (field->of && json_is_object(member))
            scrub_table(text, field->of, member);
    }
}

void connection_scrub(const json_t *payload, char *text)
{
    const json_t *connection = json_object_get(payload, "connection");
    const struct field_table *table = connection_kind_fields(json_text(connection, "kind", ""));
    if (table)
        scrub_table(text, table, json_object_get(connection, "config"));
}

/* ---- databases ---- */

static status find_driver(const json_t *payload, const struct db_driver **driver, struct error *err)
{
    const char *kind = json_text(json_object_get(payload, "connection"), "kind", "");
    *driver = db_driver_find(kind);
    return *driver ? OK
                   : error_set(err, ERR_UNSUPPORTED,
                               "this version of FlowForge cannot reach connections of the kind %s", kind);
}

static status shorten_patience(json_t *config, struct error *err)
{
    static const char *const members[] = {"connect_timeout_seconds", "login_timeout_seconds"};
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(members); i++)
        if (json_int(config, members[i], 0) > PATIENCE_SECONDS)
            s = json_put_int(config, members[i], PATIENCE_SECONDS, err);
    return s;
}

static status connect(const json_t *payload, db_step *step, void *self, const struct db_driver **driver,
                      struct db_session **session, struct error *err)
{
    json_t *config = NULL;
    status s = find_driver(payload, driver, err);
    if (s == OK)
        s = connection_config(payload, &config, err);
    if (s == OK)
        s = shorten_patience(config, err);
    if (s == OK)
        s = (*driver)->connect(session, config, step, self, err);
    json_decref(config);
    return s;
}

static status test_database(const struct task *task, db_step *step, void *self, struct error *err)
{
    const struct db_driver *driver = NULL;
    struct db_session *session = NULL;
    struct schema schema = {0};
    const struct db_read read = {.query = "SELECT 1 AS one"};
    status s = connect(task->payload, step, self, &driver, &session, err);
    if (s == OK) {
        double begun = clock_seconds();
        s = driver->describe(session, &read, &schema, err);
        step(self, "select", clock_seconds() - begun, s == OK ? NULL : err);
    }
    schema_release(&schema);
    if (driver)
        driver->close(session);
    return s;
}

/* ---- the test ---- */

static const struct {
    const char *kind;
    connection_tester *test;
} testers[] = {
    {"postgres", test_database},
    {"sqlite", test_database},
};

/* Steps as they come. */
struct steps {
    const json_t *payload;
    json_t *list;
    bool failed;
    status status; /* of keeping them */
    struct error why;
};

static void add_step(void *self, const char *step, double seconds, const struct error *failure)
{
    struct steps *steps = self;
    struct error shown = failure ? *failure : (struct error){0};
    if (steps->status != OK)
        return;
    connection_scrub(steps->payload, shown.message);
    connection_scrub(steps->payload, shown.hint);
    json_t *row = json_pack("{s:s, s:f, s:b}", "step", step, "seconds", seconds, "ok", failure == NULL);
    steps->status = json_add(steps->list, row, &steps->why);
    json_t *added = json_array_get(steps->list, json_array_size(steps->list) - 1);
    json_t *message = json_string(shown.message), *hint = json_string(shown.hint);
    if (steps->status == OK)
        steps->status = json_put(added, "message", message ? message : json_string("(not UTF-8)"), &steps->why);
    else
        json_decref(message);
    if (steps->status == OK)
        steps->status = json_put(added, "hint", hint ? hint : json_string(""), &steps->why);
    else
        json_decref(hint);
    steps->failed |= failure != NULL;
}

static connection_tester *find_tester(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(testers); i++)
        if (strcmp(testers[i].kind, kind) == 0)
            return testers[i].test;
    return NULL;
}

/* What says nothing about the connection. */
static bool is_ours(status s)
{
    return s == ERR_CANCELLED || s == ERR_NO_MEMORY || s == ERR_UNSUPPORTED || s == ERR_INTERNAL;
}

status connection_test(const struct task *task, json_t **answer, struct error *err)
{
    const char *kind = json_text(json_object_get(task->payload, "connection"), "kind", "");
    connection_tester *test = find_tester(kind);
    struct steps steps = {.payload = task->payload, .list = json_array()};
    if (!test) {
        json_decref(steps.list);
        return error_set(err, ERR_UNSUPPORTED, "this version of FlowForge cannot test connections of the kind %s",
                         kind);
    }
    double begun = clock_seconds();
    status s = steps.list ? test(task, add_step, &steps, err) : error_no_memory(err, 64);
    if (s != OK && !is_ours(s) && !steps.failed)
        add_step(&steps, "connect", clock_seconds() - begun, err);
    if (s == OK || !is_ours(s)) {
        s = steps.status;
        if (s != OK && err)
            *err = steps.why;
    }
    json_t *made = s == OK ? json_pack("{s:b, s:O}", "ok", !steps.failed, "steps", steps.list) : NULL;
    if (s == OK && !made)
        s = error_no_memory(err, 64);
    json_decref(steps.list);
    if (s == OK)
        *answer = made;
    return s;
}

/* ---- the tables ---- */

static void ignore_step(void *self, const char *step, double seconds, const struct error *failure)
{
    (void)self;
    (void)step;
    (void)seconds;
    (void)failure;
}

static bool is_wanted(const json_t *payload, const json_t *table)
{
    const char *schema = json_text(payload, "schema", NULL), *search = json_text(payload, "search", NULL);
    return (!schema || strcmp(schema, json_text(table, "schema", "")) == 0) &&
           (!search || strcasestr(json_text(table, "name", ""), search));
}

static status choose_tables(const json_t *payload, const json_t *all, json_t **answer, struct error *err)
{
    json_t *list = json_array(), *table;
    bool more = false;
    size_t i;
    status s = list ? OK : error_no_memory(err, 64);
    json_array_foreach(all, i, table)
    {
        if (s != OK || !is_wanted(payload, table))
            continue;
        if (json_array_size(list) == TABLES_MOST)
            more = true;
        else
            s = json_add(list, json_incref(table), err);
    }
    json_t *made = s == OK ? json_pack("{s:O, s:b}", "tables", list, "more", (int)more) : NULL;
    if (s == OK && !made)
        s = error_no_memory(err, 64);
    json_decref(list);
    if (s == OK)
        *answer = made;
    return s;
}

status connection_tables(const struct task *task, json_t **answer, struct error *err)
{
    const struct db_driver *driver = NULL;
    struct db_session *session = NULL;
    json_t *all = NULL;
    status s = connect(task->payload, ignore_step, NULL, &driver, &session, err);
    if (s == OK)
        s = driver->tables(session, &all, err);
    if (s == OK)
        s = choose_tables(task->payload, all, answer, err);
    json_decref(all);
    if (driver)
        driver->close(session);
    return s;
}
