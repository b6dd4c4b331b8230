/* flowforge connection: how sources are reached. Secrets come by --secret, from files or from the environment, and are
 * never printed. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/client.h"
#include "app/command.h"
#include "app/options.h"
#include "app/print.h"
#include "job/connection_fields.h"
#include "sys/file.h"

#define SECRET_MOST 65536

struct settings {
    const char *home, *kind, *search, *schema;
    struct text_list sets, secrets, secret_files, secret_envs;
    bool json, help;
};

#define AT(field) offsetof(struct settings, field)

static const struct option table[] = {
    {"home", 0, OPTION_TEXT, AT(home), "DIR", NULL,
     "where FlowForge keeps its data (default $FLOWFORGE_HOME, else ./flowforge-home)"},
    {"kind", 0, OPTION_TEXT, AT(kind), "KIND", NULL, "of a new one: postgres or sqlite"},
    {"set", 's', OPTION_WHOLE, AT(sets), "NAME=VALUE", NULL,
     "a setting, such as host=db.example or auth.type=basic; NAME= removes it; repeatable"},
    {"secret", 0, OPTION_WHOLE, AT(secrets), "NAME=VALUE", NULL,
     "a secret, such as password=...; other users of this machine may see it in the list of processes"},
    {"secret-file", 0, OPTION_WHOLE, AT(secret_files), "NAME=FILE", NULL,
     "a secret that is in a file (- for standard input), without its last line end"},
    {"secret-env", 0, OPTION_WHOLE, AT(secret_envs), "NAME=VARIABLE", NULL, "a secret that is in the environment"},
    {"search", 0, OPTION_TEXT, AT(search), "TEXT", NULL, "of tables: only those whose name holds this"},
    {"schema", 0, OPTION_TEXT, AT(schema), "SCHEMA", NULL, "of tables: only those of this schema"},
    {"json", 0, OPTION_FLAG, AT(json), NULL, NULL, "print JSON instead of a table"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, NULL, "show this help"},
};

struct call {
    struct client *client;
    const struct settings *settings;
    const char *name; /* NULL: not given */
};

/* ---- settings and secrets ---- */

/* "name=value" cut in two; *name is a copy. */
static status split(struct str text, const char *option, char name[100], const char **value, struct error *err)
{
    const char *sign = memchr(text.p, '=', text.n);
    size_t n = sign ? (size_t)(sign - text.p) : 0;
    if (n == 0 || n >= 100)
        return error_set(err, ERR_USAGE, "--%s takes NAME=%s", option, strcmp(option, "set") == 0 ? "VALUE" : "...");
    memcpy(name, text.p, n);
    name[n] = '\0';
    *value = sign + 1; /* options come from argv: the text ends with it */
    return OK;
}

/* The field that a path like auth.type names; NULL: the server will say what there is. */
static const struct field_def *find_field(const struct field_table *fields, const char *path)
{
    size_t n = strcspn(path, ".");
    for (size_t i = 0; fields && i < fields->count; i++) {
        const struct field_def *field = &fields->fields[i];
        if (strlen(field->key) != n || strncmp(field->key, path, n) != 0)
            continue;
        return path[n] == '.' && field->of ? find_field(field->of, path + n + 1) : field;
    }
    return NULL;
}

/* Numbers, booleans and objects are read as JSON where the field is one. */
static json_t *value_of(const struct field_def *field, const char *text)
{
    bool is_text = !field || field->kind == FIELD_TEXT || field->kind == FIELD_ENUM || field->kind == FIELD_TIME;
    json_t *value = is_text ? NULL : json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(text);
}

/* config[a][b] = value for "a.b"; steals the value. */
static status put_at(json_t *config, const char *path, json_t *value, struct error *err)
{
    char key[100];
    size_t n = strcspn(path, ".");
    snprintf(key, sizeof key, "%.*s", (int)n, path);
    if (path[n] != '.')
        return json_put(config, key, value, err);
    json_t *below = json_object_get(config, key);
    status s = json_is_object(below) ? OK : json_put(config, key, below = json_object(), err);
    if (s == OK)
        return put_at(below, path + n + 1, value, err);
    json_decref(value);
    return s;
}

static status read_secret(const char *path, struct buf *text, struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : file_open(path, O_RDONLY, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    status s = OK;
    for (ssize_t n = 1; s == OK && n > 0;) {
        s = text->len > SECRET_MOST
                ? error_set(err, ERR_LIMIT, "%s is larger than %d bytes: no secret", path, SECRET_MOST)
                : buf_reserve(text, SECRET_MOST, err);
        if (s != OK)
            break;
        n = read(fd, text->data + text->len, SECRET_MOST);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n < 0)
            s = error_set_errno(err, errno, "cannot read %s", path);
        else
            text->len += (size_t)n;
    }
    if (!standard)
        file_close(fd);
    while (s == OK && text->len > 0 && strchr("\r\n", text->data[text->len - 1]) && text->data[text->len - 1])
        text->len--;
    return s;
}

static status put_secret(json_t *config, const struct field_table *fields, const char *option, struct str text,
                         struct error *err)
{
    char name[100];
    const char *value;
    struct buf bytes = {0};
    status s = split(text, option, name, &value, err);
    if (s == OK && strcmp(option, "secret-file") == 0)
        s = read_secret(value, &bytes, err);
    else if (s == OK && strcmp(option, "secret-env") == 0 && !(value = getenv(value)))
        s = error_set(err, ERR_USAGE, "--secret-env %s: there is no such variable in the environment", text.p);
    if (s == OK && strcmp(option, "secret-file") != 0)
        s = buf_append(&bytes, value, strlen(value), err);
    if (s == OK)
        s = buf_append(&bytes, "", 1, err);
    if (s == OK)
        s = put_at(config, name, value_of(find_field(fields, name), (const char *)bytes.data), err);
    if (bytes.data)
        sodium_memzero(bytes.data, bytes.cap);
    buf_release(&bytes);
    return s;
}

static status make_config(const struct settings *settings, const char *kind, json_t **config, struct error *err)
{
    const struct field_table *fields = connection_kind_fields(kind);
    const struct {
        const char *option;
        const struct text_list *list;
    } secrets[] = {{"secret", &settings->secrets},
                   {"secret-file", &settings->secret_files},
                   {"secret-env", &settings->secret_envs}};
    json_t *made = json_object();
    status s = made ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < settings->sets.count; i++) {
        char name[100];
        const char *value;
        s = split(settings->sets.items[i], "set", name, &value, err);
        const struct field_def *field = s == OK ? find_field(fields, name) : NULL;
        if (s == OK && field && field->flags & FIELD_SECRET && *value)
            s = error_set(err, ERR_USAGE, "%s is a secret: give it by --secret-file, --secret-env or --secret", name);
        if (s == OK)
            s = put_at(made, name, *value ? value_of(field, value) : json_null(), err);
    }
    for (size_t o = 0; o < ARRAY_LENGTH(secrets); o++)
        for (size_t i = 0; s == OK && i < secrets[o].list->count; i++)
            s = put_secret(made, fields, secrets[o].option, secrets[o].list->items[i], err);
    if (s == OK)
        *config = made;
    else
        json_decref(made);
    return s;
}

/* ---- verbs ---- */

static status one_call(const struct call *call, const char *method, const char *after, const json_t *body,
                       json_t **answer, struct error *err)
{
    struct buf path = {0};
    status s = client_path(&path, "/api/connections/", call->name, after, err);
    if (s == OK)
        s = client_call(call->client, method, (const char *)path.data, body, answer, err);
    buf_release(&path);
    return s;
}

static status list(const struct call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"id", "ID"}, {"name", "NAME"}, {"kind", "KIND"}, {"tested", "LAST TEST"}, {"updated_at", "UPDATED"}};
    json_t *answer = NULL, *row;
    size_t i;
    status s = client_call(call->client, "GET", "/api/connections?limit=500", NULL, &answer, err);
    json_array_foreach(json_object_get(answer, "items"), i, row)
    {
        const json_t *test = json_object_get(row, "last_test");
        if (s == OK && !call->settings->json)
            s = json_put_text(row, "tested",
                              !json_is_object(test)          ? "never"
                              : json_flag(test, "ok", false) ? "ok"
                                                             : "failed",
                              err);
    }
    if (s == OK && call->settings->json)
        s = print_json(answer, err);
    else if (s == OK)
        print_table(json_object_get(answer, "items"), columns, ARRAY_LENGTH(columns));
    json_decref(answer);
    return s;
}

static status show(const struct call *call, struct error *err)
{
    json_t *answer = NULL;
    status s = one_call(call, "GET", "", NULL, &answer, err);
    if (s == OK)
        s = print_json(answer, err);
    json_decref(answer);
    return s;
}

static status print_made(const struct call *call, const json_t *answer, const char *what, struct error *err)
{
    if (call->settings->json)
        return print_json(answer, err);
    printf("%s %s (%s)\n", json_text(answer, "name", ""), what, json_text(answer, "id", ""));
    return OK;
}

static status create(const struct call *call, struct error *err)
{
    json_t *config = NULL, *body = NULL, *answer = NULL;
    if (!call->settings->kind)
        return error_set(err, ERR_USAGE, "--kind is missing: postgres or sqlite");
    status s = make_config(call->settings, call->settings->kind, &config, err);
    if (s == OK &&
        !(body = json_pack("{s:s, s:s, s:O}", "name", call->name, "kind", call->settings->kind, "config", config)))
        s = error_set(err, ERR_USAGE, "the name or the kind is not UTF-8");
    if (s == OK)
        s = client_call(call->client, "POST", "/api/connections", body, &answer, err);
    if (s == OK)
        s = print_made(call, answer, "created", err);
    json_decref(answer);
    json_decref(body);
    json_decref(config);
    return s;
}

static status update(const struct call *call, struct error *err)
{
    json_t *before = NULL, *config = NULL, *body = NULL, *answer = NULL;
    status s = one_call(call, "GET", "", NULL, &before, err);
    if (s == OK)
        s = make_config(call->settings, json_text(before, "kind", ""), &config, err);
    if (s == OK && !(body = json_pack("{s:O}", "config", config)))
        s = error_no_memory(err, 1);
    if (s == OK)
        s = one_call(call, "PATCH", "", body, &answer, err);
    if (s == OK)
        s = print_made(call, answer, "updated", err);
    json_decref(answer);
    json_decref(body);
    json_decref(config);
    json_decref(before);
    return s;
}

static status test(const struct call *call, struct error *err)
{
    json_t *answer = NULL, *step;
    size_t i;
    struct error failure = {0};
    status s = one_call(call, "POST", "/test", NULL, &answer, err);
    if (s == OK && call->settings->json)
        s = print_json(answer, err);
    json_array_foreach(json_object_get(answer, "steps"), i, step)
    {
        bool ok = json_flag(step, "ok", false);
        if (s == OK && !call->settings->json)
            printf("%-6s  %-14s %8.1f ms\n", ok ? "ok" : "failed", json_text(step, "step", ""),
                   json_number_value(json_object_get(step, "seconds")) * 1e3);
        if (!ok) {
            error_set(&failure, ERR_UNAVAILABLE, "%s", json_text(step, "message", ""));
            error_hint(&failure, "%s", json_text(step, "hint", ""));
        }
    }
    if (s == OK && !json_flag(answer, "ok", false)) {
        *err = failure;
        s = ERR_UNAVAILABLE;
    }
    json_decref(answer);
    return s;
}

static status tables(const struct call *call, struct error *err)
{
    static const struct print_column columns[] = {
        {"schema", "SCHEMA"}, {"name", "TABLE"}, {"kind", "KIND"}, {"rows", "ROWS"}, {"columns", "COLUMNS"}};
    struct buf after = {0}, path = {0};
    json_t *answer = NULL, *row;
    size_t i;
    const struct settings *settings = call->settings;
    status s = client_path(&after, "/tables?search=", settings->search ? settings->search : "", "&schema=", err);
    if (s == OK)
        s = client_path(&path, (const char *)after.data, settings->schema ? settings->schema : "", "", err);
    if (s == OK)
        s = one_call(call, "GET", (const char *)path.data, NULL, &answer, err);
    if (s == OK && settings->json)
        s = print_json(answer, err);
    json_array_foreach(json_object_get(answer, "tables"), i, row)
    {
        if (s == OK && !settings->json)
            s = json_put_int(row, "columns", (int64_t)json_array_size(json_object_get(row, "columns")), err);
    }
    if (s == OK && !settings->json)
        print_table(json_object_get(answer, "tables"), columns, ARRAY_LENGTH(columns));
    json_decref(answer);
    buf_release(&after);
    buf_release(&path);
    return s;
}

static status delete (const struct call *call, struct error *err)
{
    return one_call(call, "DELETE", "", NULL, NULL, err);
}

static const struct {
    const char *name;
    bool named;
    status (*run)(const struct call *call, struct error *err);
    const char *help;
} verbs[] = {
    {"list", false, list, "all connections"},
    {"show", true, show, "a connection as JSON; secrets are never shown"},
    {"create", true, create, "a new one, with --kind, --set and secrets"},
    {"update", true, update, "change it by --set and secrets; what is not named stays"},
    {"test", true, test, "connect step by step, and say what is wrong"},
    {"tables", true, tables, "schemas and tables of a database"},
    {"delete", true, delete, "a connection that no job uses"},
};

static void print_help(void)
{
    puts("Usage: flowforge connection [VERB] [OPTION]... [NAME]\n");
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        printf("  %-6s %-5s %s\n", verbs[i].name, verbs[i].named ? "NAME" : "", verbs[i].help);
    puts("\nWorks through the server when one runs on this home, else on the home itself.\n");
    options_print(table, ARRAY_LENGTH(table));
    puts("\nExamples:\n"
         "  flowforge connection create sales --kind postgres -s host=db -s database=sales -s user=reader \\\n"
         "      --secret-file password=/run/secrets/sales\n"
         "  flowforge connection test sales\n"
         "  flowforge connection tables sales --search order");
}

int command_connection(const struct app *app, int argc, char **argv)
{
    struct settings settings = {0};
    struct text_list operands = {0};
    struct call call = {.settings = &settings};
    struct error err;
    size_t verb = 0, taken = 0;
    (void)app;
    status s = options_parse(table, ARRAY_LENGTH(table), argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        print_help();
        goto out;
    }
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(verbs) && operands.count > 0; i++)
        if (strcmp(operands.items[0].p, verbs[i].name) == 0) {
            verb = i;
            taken = 1;
        }
    if (s == OK && operands.count - taken != verbs[verb].named) {
        s = error_set(&err, ERR_USAGE, "flowforge connection %s takes %s", verbs[verb].name,
                      verbs[verb].named ? "the name of one connection" : "no argument");
        error_hint(&err, "flowforge connection --help shows how");
    }
    if (s == OK && verbs[verb].named)
        call.name = operands.items[taken].p;
    if (s == OK)
        s = client_open(&call.client, settings.home, verbs[verb].run == create, &err);
    if (s == OK)
        s = verbs[verb].run(&call, &err);
out:
    client_close(call.client);
    text_list_release(&settings.sets);
    text_list_release(&settings.secrets);
    text_list_release(&settings.secret_files);
    text_list_release(&settings.secret_envs);
    text_list_release(&operands);
    return s == OK ? 0 : command_failed(&err);
}
