/* flowforge pipelines, job, runs, catalog, token: their options, verbs and help as tables. */
#include <stdio.h>
#include <string.h>

#include "app/client.h"
#include "app/command.h"
#include "app/options.h"
#include "app/verb.h"

const char *const verb_roles[] = {"viewer", "editor", "admin", NULL};

/* ---- options ---- */

#define AT(member) offsetof(struct verb_settings, member)
#define HOME OPTION_ROW_HOME(struct verb_settings)
#define JSON OPTION_ROW_JSON(struct verb_settings, "print JSON instead of text")
#define HELP OPTION_ROW_HELP(struct verb_settings)
#define LIMIT(help)                                                                                                    \
    {                                                                                                                  \
        "limit", 'n', OPTION_COUNT, AT(limit), "N", NULL, help                                                         \
    }
#define LIST_LIMIT LIMIT("most items of a list (default 50, at most 500)")

static const struct option list_options[] = {HOME, JSON, LIST_LIMIT, HELP};
static const struct option runs_options[] = {
    HOME,
    JSON,
    LIST_LIMIT,
    {"no-wait", 0, OPTION_FLAG, AT(no_wait), NULL, NULL,
     "of retry: start the run and return at once (a server must be running)"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, NULL, "of retry: print no log lines, only the outcome"},
    HELP};
static const struct option job_options[] = {
    HOME,
    JSON,
    {"set", 0, OPTION_TEXT, AT(set), "VALUE", NULL, "of watermark: set it to this value, forward or back"},
    {"reason", 0, OPTION_TEXT, AT(reason), "TEXT", NULL, "of watermark --set: why; it goes into the audit log"},
    {"forget-files", 0, OPTION_FLAG, AT(forget_files), NULL, NULL,
     "of watermark --set: the next run takes all files again and replaces what they gave before"},
    HELP};
static const struct option catalog_options[] = {
    HOME, JSON, LIMIT("most datasets of list (default 50, at most 500), rows of show (default 10)"), HELP};
static const struct option token_options[] = {
    HOME,
    JSON,
    {"role", 0, OPTION_CHOICE, AT(role), "ROLE", verb_roles,
     "of a new token: viewer reads (default), editor also writes and runs, admin also manages tokens"},
    HELP};

/* ---- verbs ---- */

struct verb {
    const char *name;
    size_t least, most; /* operands */
    verb_function *run;
    const char *usage, *help;
};

static const struct verb pipelines_verbs[] = {
    {"list", 0, 0, verb_pipelines_list, "", "all pipelines"},
};
static const struct verb job_verbs[] = {
    {"list", 1, 1, verb_job_list, "PIPELINE", "the ingest and dataset jobs of a pipeline"},
    {"show", 2, 2, verb_job_show, "PIPELINE JOB", "a job's whole configuration as JSON"},
    {"plan", 2, 2, verb_job_plan, "PIPELINE JOB", "what a run would take and write, as JSON"},
    {"watermark", 2, 2, verb_job_watermark, "PIPELINE JOB", "an ingest job's watermark: show it, or --set it"},
};
static const struct verb runs_verbs[] = {
    {"list", 0, 1, verb_runs_list, "[PIPELINE]", "runs, newest first"},
    {"show", 1, 1, verb_runs_show, "RUN", "a run with its jobs, rows and errors"},
    {"log", 1, 1, verb_runs_log, "RUN", "a run's log lines; with --json one object a line"},
    {"cancel", 1, 1, verb_runs_cancel, "RUN", "cancel a run"},
    {"retry", 1, 1, verb_runs_retry, "RUN", "run again what did not complete, and watch it"},
};
static const struct verb catalog_verbs[] = {
    {"list", 0, 0, verb_catalog_list, "", "the datasets"},
    {"show", 1, 1, verb_catalog_show, "DATASET", "a dataset (silver.orders): columns, parents, first rows"},
};
static const struct verb token_verbs[] = {
    {"list", 0, 0, verb_token_list, "", "all tokens (never their secret)"},
    {"create", 1, 1, verb_token_create, "NAME", "a new token, printed this once"},
    {"revoke", 1, 1, verb_token_revoke, "ID", "a token is refused from now on"},
};

/* The first verb of each is what a command without one does. */
struct command {
    const char *name;
    const struct verb *verbs;
    size_t verb_count;
    const struct option *options;
    size_t option_count;
    const char *find; /* what to do when something is not found */
    const char *examples;
};

#define TABLES(name) name##_verbs, ARRAY_LENGTH(name##_verbs)
#define OPTIONS(name) name##_options, ARRAY_LENGTH(name##_options)

static const struct command pipelines = {"pipelines", TABLES(pipelines), OPTIONS(list), "",
                                         "  flowforge pipelines\n"
                                         "  flowforge pipelines --json --limit 500\n"};
static const struct command job = {"job", TABLES(job), OPTIONS(job), "flowforge pipelines lists the pipelines",
                                   "  flowforge job list sales\n"
                                   "  flowforge job plan sales orders\n"
                                   "  flowforge job watermark sales orders --set 2024-01-31 --reason 'late files'\n"};
static const struct command runs = {"runs", TABLES(runs), OPTIONS(runs),
                                    "flowforge runs lists the runs, flowforge pipelines the pipelines",
                                    "  flowforge runs list sales --limit 5\n"
                                    "  flowforge runs log 01m896t9af3rr8khmpmkdvvsvw\n"};
static const struct command catalog = {"catalog", TABLES(catalog), OPTIONS(catalog),
                                       "flowforge catalog lists the datasets; a dataset is named with its layer, as "
                                       "gold.revenue",
                                       "  flowforge catalog\n"
                                       "  flowforge catalog show gold.revenue --limit 20\n"};
static const struct command token = {"token", TABLES(token), OPTIONS(token), "flowforge token list shows the ids",
                                     "  flowforge token create ci --role editor\n"
                                     "  flowforge token revoke 01m896s3pf3dfk9dzamyfscsv6\n"};

/* ---- the frame ---- */

static void print_help(const struct command *command)
{
    printf("Usage: flowforge %s [VERB] [OPTION]... [ARGUMENT]...\n\n", command->name);
    for (size_t i = 0; i < command->verb_count; i++) {
        char usage[80];
        snprintf(usage, sizeof usage, "%s %s", command->verbs[i].name, command->verbs[i].usage);
        printf("  %-24s %s\n", usage, command->verbs[i].help);
    }
    printf("\nWithout a verb: %s. Works through the server when one runs on this home, else on the home itself.\n\n",
           command->verbs[0].name);
    options_print(command->options, command->option_count);
    printf("\nExamples:\n%s", command->examples);
}

/* The verb that the first operand names, else the first of all; *taken: how many operands that used. */
static const struct verb *find_verb(const struct command *command, const struct text_list *operands, size_t *taken)
{
    *taken = 0;
    for (size_t i = 0; operands->count > 0 && i < command->verb_count; i++) {
        if (strcmp(operands->items[0].p, command->verbs[i].name) == 0) {
            *taken = 1;
            return &command->verbs[i];
        }
    }
    return &command->verbs[0];
}

/* The operands do not fit: is it the verb that is unknown, or how many stand behind it? */
static status refuse(const struct command *command, const struct verb *verb, const struct text_list *operands,
                     size_t taken, struct error *err)
{
    char known[80] = "";
    if (taken || operands->count == 0) {
        error_set(err, ERR_USAGE, "flowforge %s %s takes %s", command->name, verb->name,
                  verb->usage[0] ? verb->usage : "no argument");
        error_hint(err, "flowforge %s --help shows how", command->name);
        return ERR_USAGE;
    }
    for (size_t i = 0; i < command->verb_count; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", command->verbs[i].name);
    }
    error_set(err, ERR_USAGE, "flowforge %s has no verb '%s'", command->name, operands->items[0].p);
    error_hint(err, "it has %s; flowforge %s --help says more", known, command->name);
    return ERR_USAGE;
}

static int run_verb(const struct app *app, const struct command *command, int argc, char **argv)
{
    struct verb_settings settings = {0};
    struct text_list operands = {0};
    struct verb_call call = {.app = app, .settings = &settings};
    const struct verb *verb = NULL;
    struct error err;
    size_t taken = 0, given = 0;
    status s = options_parse(command->options, command->option_count, argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        print_help(command);
        goto out;
    }
    if (s == OK) {
        verb = find_verb(command, &operands, &taken);
        given = operands.count - taken;
        if (given < verb->least || given > verb->most)
            s = refuse(command, verb, &operands, taken, &err);
    }
    for (size_t i = 0; s == OK && i < given; i++)
        call.operand[i] = operands.items[taken + i].p;
    if (s == OK)
        s = client_open(&call.client, settings.home, false, &err);
    if (s == OK)
        s = verb->run(&call, &err);
    if (s == ERR_NOT_FOUND && !err.hint[0])
        error_hint(&err, "%s", command->find);
out:
    client_close(call.client);
    text_list_release(&operands);
    return s == OK ? call.exit_code : command_failed(&err);
}

int command_pipelines(const struct app *app, int argc, char **argv)
{
    return run_verb(app, &pipelines, argc, argv);
}

int command_job(const struct app *app, int argc, char **argv)
{
    return run_verb(app, &job, argc, argv);
}

int command_runs(const struct app *app, int argc, char **argv)
{
    return run_verb(app, &runs, argc, argv);
}

int command_catalog(const struct app *app, int argc, char **argv)
{
    return run_verb(app, &catalog, argc, argv);
}

int command_token(const struct app *app, int argc, char **argv)
{
    return run_verb(app, &token, argc, argv);
}
