/* The sub-commands. Each takes what follows its name and returns the process's exit code. */
#ifndef FF_APP_COMMAND_H
#define FF_APP_COMMAND_H

#include <stdatomic.h>

#include "base/error.h"

struct app {
    const atomic_bool *cancel; /* set by SIGINT and SIGTERM */
};

int command_convert(const struct app *app, int argc, char **argv);
int command_preview(const struct app *app, int argc, char **argv);
int command_serve(const struct app *app, int argc, char **argv);
int command_run(const struct app *app, int argc, char **argv);
int command_pipelines(const struct app *app, int argc, char **argv);
int command_job(const struct app *app, int argc, char **argv);
int command_runs(const struct app *app, int argc, char **argv);
int command_apply(const struct app *app, int argc, char **argv);
int command_export(const struct app *app, int argc, char **argv);
int command_catalog(const struct app *app, int argc, char **argv);
int command_token(const struct app *app, int argc, char **argv);
int command_connection(const struct app *app, int argc, char **argv);
int command_task(const struct app *app, int argc, char **argv);

/* "flowforge: <message>" and the hint on standard error; returns the exit code. */
int command_failed(const struct error *err);

#endif
