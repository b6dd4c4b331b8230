/* flowforge apply and export: pipelines as files that live in version control. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/client.h"
#include "app/command.h"
#include "app/options.h"
#include "app/print.h"
#include "job/document.h"
#include "sys/file.h"

#define DOCUMENT_MOST ((size_t)8 << 20)

struct settings {
    const char *home;
    bool json, dry_run, prune, help;
};

#define AT(member) offsetof(struct settings, member)
static const struct option apply_table[] = {
    OPTION_ROW_HOME(struct settings),
    {"dry-run", 'n', OPTION_FLAG, AT(dry_run), NULL, NULL, "check it and say what would change"},
    {"prune", 0, OPTION_FLAG, AT(prune), NULL, NULL,
     "delete jobs of the pipeline that the document does not have; what they made stays"},
    OPTION_ROW_JSON(struct settings, "print the answer as JSON"),
    OPTION_ROW_HELP(struct settings),
};

static const struct option export_table[] = {
    OPTION_ROW_HOME(struct settings),
    OPTION_ROW_JSON(struct settings, "JSON instead of YAML"),
    OPTION_ROW_HELP(struct settings),
};

/* ---- apply ---- */

static status read_document(const char *path, json_t **document, struct error *err)
{
    struct byte_source source = {0};
    struct buf text = {0};
    uint64_t size;
    size_t got = 0;
    status s = file_source_open(&source, path, &size, err);
    if (s == OK)
        s = buf_reserve(&text, DOCUMENT_MOST + 1, err);
    if (s == OK)
        s = byte_source_read_full(&source, text.data, DOCUMENT_MOST + 1, &got, err);
    if (s == OK && got > DOCUMENT_MOST)
        s = error_set(err, ERR_LIMIT, "%s is larger than %zu bytes: that is no pipeline", path, DOCUMENT_MOST);
    if (s == OK)
        s = document_parse((const char *)text.data, got, path, document, err);
    byte_source_close(&source);
    buf_release(&text);
    return s;
}

static void print_changes(const json_t *answer)
{
    static const struct print_column columns[] = {{"object", "OBJECT"}, {"name", "NAME"}, {"action", "ACTION"}};
    const json_t *changes = json_object_get(answer, "changes");
    print_table(changes, columns, ARRAY_LENGTH(columns));
    if (json_flag(answer, "dry_run", false))
        puts("nothing was changed (--dry-run)");
    size_t i;
    const json_t *change;
    json_array_foreach(changes, i, change)
    {
        if (strcmp(json_text(change, "action", ""), "kept") == 0) {
            puts("jobs that are 'kept' are not in the document; --prune deletes them");
            break;
        }
    }
}

static status apply(const struct settings *settings, const char *path, struct error *err)
{
    char target[80];
    struct client *client = NULL;
    json_t *document = NULL, *answer = NULL;
    snprintf(target, sizeof target, "/api/apply?dry_run=%s&prune=%s", settings->dry_run ? "true" : "false",
             settings->prune ? "true" : "false");
    status s = read_document(path, &document, err);
    if (s == OK)
        s = client_open(&client, settings->home, true, err);
    if (s == OK)
        s = client_call(client, "POST", target, document, &answer, err);
    if (s == OK && settings->json)
        s = print_json(answer, err);
    else if (s == OK)
        print_changes(answer);
    json_decref(answer);
    json_decref(document);
    client_close(client);
    return s;
}

int command_apply(const struct app *app, int argc, char **argv)
{
    struct settings settings = {0};
    struct text_list operands = {0};
    struct error err;
    (void)app;
    status s = options_parse(apply_table, ARRAY_LENGTH(apply_table), argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        puts("Usage: flowforge apply [OPTION]... FILE\n\n"
             "Create or update a pipeline with its jobs from one YAML or JSON document ('-': standard input). Pipeline "
             "and\njobs are found by their names. All of it is applied, or nothing. A home that is not there is "
             "made.\n");
        options_print(apply_table, ARRAY_LENGTH(apply_table));
        puts("\nExamples:\n"
             "  flowforge apply pipelines/sales.yaml\n"
             "  flowforge apply --dry-run --prune pipelines/sales.yaml");
        goto out;
    }
    if (s == OK && operands.count != 1) {
        s = error_set(&err, ERR_USAGE, "apply takes one file");
        error_hint(&err, "flowforge apply --help shows how; flowforge export prints such a document");
    }
    if (s == OK)
        s = apply(&settings, operands.items[0].p, &err);
out:
    text_list_release(&operands);
    return s == OK ? 0 : command_failed(&err);
}

/* ---- export ---- */

static status export(const struct settings *settings, const char *pipeline, struct error *err)
{
    struct client *client = NULL;
    struct buf path = {0}, text = {0};
    json_t *document = NULL;
    status s = client_open(&client, settings->home, false, err);
    if (s == OK)
        s = client_path(&path, "/api/workflows/", pipeline, "/export", err);
    if (s == OK)
        s = client_call(client, "GET", (const char *)path.data, NULL, &document, err);
    if (s == OK)
        s = document_write(document, !settings->json, &text, err);
    if (s == OK && fwrite(text.data, 1, text.len, stdout) != text.len)
        s = error_set(err, ERR_IO, "cannot write to standard output");
    json_decref(document);
    buf_release(&text);
    buf_release(&path);
    client_close(client);
    return s;
}

int command_export(const struct app *app, int argc, char **argv)
{
    struct settings settings = {0};
    struct text_list operands = {0};
    struct error err;
    (void)app;
    status s = options_parse(export_table, ARRAY_LENGTH(export_table), argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        puts("Usage: flowforge export [OPTION]... PIPELINE\n\n"
             "Print a pipeline with its jobs as the document that flowforge apply takes. Applying it changes "
             "nothing.\n");
        options_print(export_table, ARRAY_LENGTH(export_table));
        puts("\nExamples:\n"
             "  flowforge export sales > pipelines/sales.yaml\n"
             "  flowforge export --json sales");
        goto out;
    }
    if (s == OK && operands.count != 1) {
        s = error_set(&err, ERR_USAGE, "export takes one pipeline, by name or id");
        error_hint(&err, "flowforge pipelines lists them");
    }
    if (s == OK)
        s = export(&settings, operands.items[0].p, &err);
out:
    text_list_release(&operands);
    return s == OK ? 0 : command_failed(&err);
}
