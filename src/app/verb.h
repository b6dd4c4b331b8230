/* The verbs of the commands that manage what a home holds (flowforge job show ...): each is a call of the API and a way
 * to print its answer. */
#ifndef FF_APP_VERB_H
#define FF_APP_VERB_H

#include "app/client.h"
#include "app/command.h"

#define VERB_OPERANDS_MOST 2

/* Options of all verbs; a command's table has those that it takes. */
struct verb_settings {
    const char *home;
    uint64_t limit;           /* 0: not given */
    int role;                 /* index in verb_roles */
    const char *set, *reason; /* of a watermark; NULL: not given */
    bool json, no_wait, quiet, forget_files, help;
};

extern const char *const verb_roles[];

/* A verb at work. */
struct verb_call {
    const struct app *app;
    struct client *client;
    const struct verb_settings *settings;
    const char *operand[VERB_OPERANDS_MOST]; /* NULL: not given */
    int exit_code;                           /* of a verb that went well; 0 unless it says otherwise */
};

typedef status verb_function(struct verb_call *call, struct error *err);

verb_function verb_pipelines_list, verb_job_list, verb_job_show, verb_job_plan, verb_job_watermark;
verb_function verb_runs_list, verb_runs_show, verb_runs_log, verb_runs_cancel, verb_runs_retry;
verb_function verb_catalog_list, verb_catalog_show;
verb_function verb_token_list, verb_token_create, verb_token_revoke;

struct print_column;
/* GET a path and print its items, or the whole answer as JSON. */
status verb_list(const struct verb_call *call, const char *path, const struct print_column *columns, size_t count,
                 struct error *err) MUST_USE;
/* --limit, or what a page has without it. */
unsigned long long verb_limit(const struct verb_call *call);

#endif
