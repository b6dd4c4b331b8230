#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/command.h"

/* Handlers can only reach a global; it is the program's only one. */
static atomic_bool cancelled;

static void on_signal(int number)
{
    if (atomic_exchange(&cancelled, true))
        _exit(128 + number); /* asked twice: staged files stay hidden and the next run sweeps them */
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static const struct {
    const char *name;
    int (*run)(const struct app *app, int argc, char **argv);
    const char *summary;
} commands[] = {
    {"convert", command_convert, "turn CSV, NDJSON, JSON or Parquet files into Parquet, CSV or NDJSON"},
    {"preview", command_preview, "show how a file would be read: encoding, dialect, schema, first rows"},
    {"serve", command_serve, "own a home: serve the API and run its jobs"},
    {"run", command_run, "run a pipeline or one of its jobs, and watch it"},
    {"apply", command_apply, "create or update a pipeline with its jobs from a YAML or JSON file"},
    {"export", command_export, "print a pipeline with its jobs as such a file"},
    {"pipelines", command_pipelines, "list the pipelines"},
    {"job", command_job, "list, show and plan the jobs of a pipeline"},
    {"runs", command_runs, "list, show, cancel and retry runs; print their logs"},
    {"catalog", command_catalog, "list the datasets, show one"},
    {"connection", command_connection, "make, test and list connections to sources"},
    {"token", command_token, "make, list and revoke access tokens"},
    {"task", command_task, "what the server starts for a job; payload on standard input"},
};

static void print_usage(FILE *to)
{
    fprintf(to,
            "FlowForge keeps a data lake fed.\n\nUsage: flowforge COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\n  flowforge COMMAND --help   shows a command's options and examples\n"
                "  flowforge --version        shows the version\n");
}

int command_failed(const struct error *err)
{
    fflush(stdout);
    fprintf(stderr, "flowforge: %s\n", err->message);
    if (err->hint[0])
        fprintf(stderr, "  %s\n", err->hint);
    return status_exit_code(err->code);
}

/* What was printed has to have arrived: a pipeline that is exported to a full disk is no success. A reader that went
 * away, as head does, needs no message. */
static int printed(int code)
{
    struct error err;
    bool lost = ferror(stdout) != 0;
    errno = 0;
    if (fflush(stdout) != 0)
        lost = true;
    if (!lost || code != 0)
        return code;
    if (errno == EPIPE)
        return 1;
    error_set_errno(&err, errno ? errno : EIO, "cannot write to standard output");
    return command_failed(&err);
}

static int run_command(int argc, char **argv)
{
    const struct app app = {.cancel = &cancelled};
    if (argc < 2) {
        print_usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("flowforge " FLOWFORGE_VERSION);
        return 0;
    }
    catch_signals();
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        if (strcmp(commands[i].name, argv[1]) == 0)
            return commands[i].run(&app, argc - 2, argv + 2);
    struct error err;
    error_set(&err, ERR_USAGE, "there is no command '%s'", argv[1]);
    error_hint(&err, "flowforge --help lists the commands");
    return command_failed(&err);
}

int main(int argc, char **argv)
{
    return printed(run_command(argc, argv));
}
