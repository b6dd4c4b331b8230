#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/answer_cache.h"
#include "api/auth.h"
#include "api/metrics.h"
#include "api/server.h"
#include "app/command.h"
#include "app/options.h"
#include "app/runtime.h"
#include "sys/log.h"

struct serve_settings {
    const char *home, *listen, *tls_cert, *tls_key;
    struct text_list local_roots, allowed_origins, allowed_hosts;
    uint64_t max_parallel_jobs, task_memory, upload_limit, garbage_grace;
    int layer_centric;
    bool quiet, help;
};

static const char *const on_off[] = {"on", "off", NULL};

#define AT(field) offsetof(struct serve_settings, field)

static const struct option table[] = {
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Server:"},
    {"home", 0, OPTION_TEXT, AT(home), "DIR", NULL,
     "folder of metadata and lake, made if it is not there (default $FLOWFORGE_HOME, else ./flowforge-home)"},
    {"listen", 'l', OPTION_TEXT, AT(listen), "ADDR:PORT", NULL,
     "where to listen (default 127.0.0.1:8765); port 0 takes any that is free"},
    {"tls-cert", 0, OPTION_TEXT, AT(tls_cert), "FILE", NULL, "serve HTTPS: the certificate with its chain, PEM"},
    {"tls-key", 0, OPTION_TEXT, AT(tls_key), "FILE", NULL, "the certificate's private key, PEM"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), NULL, NULL, "log warnings and errors only, not every request"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Jobs:"},
    {"local-root", 0, OPTION_WHOLE, AT(local_roots), "DIR", NULL,
     "folder that file_local jobs may read; repeatable (default HOME/inbox)"},
    {"max-parallel-jobs", 0, OPTION_COUNT, AT(max_parallel_jobs), "N", NULL, "jobs at once (default 2)"},
    {"task-memory", 0, OPTION_BYTES, AT(task_memory), "SIZE", NULL, "memory of each job (default 256M, least 64M)"},
    {"layer-centric", 0, OPTION_CHOICE, AT(layer_centric), "on|off", on_off,
     "the feature layer-centric pipelines (default on)"},
    {"garbage-grace", 0, OPTION_COUNT, AT(garbage_grace), "SECONDS", NULL,
     "how long replaced files stay on disk (default 3600)"},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, "Access:"},
    {"upload-limit", 0, OPTION_BYTES, AT(upload_limit), "SIZE", NULL, "largest upload (default 8G)"},
    {"allowed-origin", 0, OPTION_WHOLE, AT(allowed_origins), "ORIGIN", NULL,
     "web origin (https://name:port) whose pages may use the API; repeatable"},
    {"allowed-host", 0, OPTION_WHOLE, AT(allowed_hosts), "NAME", NULL,
     "name by which clients reach this server, beside localhost and addresses; repeatable"},
    {"help", 'h', OPTION_FLAG, AT(help), NULL, NULL, "show this text"},
};

static void print_help(void)
{
    puts("Usage: flowforge serve [OPTION]...\n\n"
         "Own a home: serve its API, run its jobs. Prints a URL that signs in once it listens; the log goes to "
         "standard\n"
         "error, one JSON object a line. SIGINT or SIGTERM cancels what runs and stops.\n\n"
         "Examples:\n"
         "  flowforge serve\n"
         "  flowforge serve --home /srv/lake --listen 0.0.0.0:8765 --tls-cert cert.pem --tls-key key.pem\n"
         "  flowforge serve --local-root /data/feeds --max-parallel-jobs 4 --task-memory 512M");
    options_print(table, ARRAY_LENGTH(table));
}

/* What the settings' lists hold, in the form that the rooms below take: NULL-terminated texts. */
struct name_list {
    const char **names;
    size_t count;
    bool owned; /* the texts too */
};

static void name_list_release(struct name_list *list)
{
    for (size_t i = 0; list->owned && i < list->count; i++)
        free((void *)(uintptr_t)list->names[i]);
    free(list->names);
}

static status name_list_make(const struct text_list *from, struct name_list *list, struct error *err)
{
    list->names = calloc(from->count + 1, sizeof *list->names);
    if (!list->names)
        return error_no_memory(err, from->count * sizeof *list->names);
    for (; list->count < from->count; list->count++)
        list->names[list->count] = from->items[list->count].p; /* words of argv */
    return OK;
}

/* Absolute and without links, so that what a job names can be compared with it. */
static status resolve_roots(const struct text_list *from, struct name_list *list, struct error *err)
{
    list->owned = true;
    list->names = calloc(from->count + 1, sizeof *list->names);
    if (!list->names)
        return error_no_memory(err, from->count * sizeof *list->names);
    for (; list->count < from->count; list->count++) {
        list->names[list->count] = realpath(from->items[list->count].p, NULL);
        if (!list->names[list->count]) {
            status s =
                error_set(err, ERR_USAGE, "--local-root %s: there is no such folder", from->items[list->count].p);
            error_hint(err, "make it first, or name another");
            return s;
        }
    }
    return OK;
}

static status check(const struct serve_settings *settings, const struct text_list *operands, struct error *err)
{
    if (operands->count)
        return error_set(err, ERR_USAGE, "serve takes options only, and '%s' is none", operands->items[0].p);
    if (settings->max_parallel_jobs < 1 || settings->max_parallel_jobs > 256)
        return error_set(err, ERR_USAGE, "--max-parallel-jobs: 1 to 256 are possible");
    if (settings->task_memory < (64u << 20))
        return error_set(err, ERR_USAGE, "--task-memory: 64M is the least");
    if (settings->upload_limit == 0)
        return error_set(err, ERR_USAGE, "--upload-limit: 1 is the least");
    if (!settings->tls_cert != !settings->tls_key)
        return error_set(err, ERR_USAGE, "--tls-cert and --tls-key are needed both");
    return OK;
}

/* How a client on this machine reaches the server. */
static void url_of(const char *host, bool tls, unsigned port, char *url, size_t cap)
{
    const char *name = strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(host, "::") == 0 ? "::1" : host;
    bool brackets = strchr(name, ':') != NULL;
    snprintf(url, cap, "http%s://%s%s%s:%u", tls ? "s" : "", brackets ? "[" : "", name, brackets ? "]" : "", port);
}

static void log_plain(const char *message, const char *url)
{
    json_t *fields = json_object();
    if (json_put_text(fields, "url", url, NULL) != OK || json_put_int(fields, "pid", getpid(), NULL) != OK) {
        json_decref(fields);
        fields = NULL;
    }
    log_line(LOG_INFO, message, fields);
}

static void wait_for_signal(const atomic_bool *cancel)
{
    while (!atomic_load(cancel)) {
        const struct timespec moment = {.tv_nsec = 100000000};
        nanosleep(&moment, NULL); /* the signal itself ends it early */
    }
}

static status announce(struct runtime *runtime, const struct serve_settings *settings, const char *url,
                       const char *token, struct error *err)
{
    struct home_owner owner = {.pid = getpid()};
    char *certificate = settings->tls_cert ? realpath(settings->tls_cert, NULL) : NULL;
    snprintf(owner.url, sizeof owner.url, "%s", url);
    snprintf(owner.token, sizeof owner.token, "%s", token);
    if (certificate)
        snprintf(owner.certificate, sizeof owner.certificate, "%s", certificate);
    free(certificate);
    return runtime_announce(runtime, &owner, err);
}

/* On a runtime that is open: listen, tell, wait, stop. */
static status serve(const struct app *app, const struct serve_settings *settings, const struct name_list *hosts,
                    struct runtime *runtime, struct error *err)
{
    struct api_context *context = runtime_context(runtime);
    struct http_server *server = NULL;
    struct api_metrics *metrics = NULL;
    struct answer_cache *answers = NULL;
    struct api_auth *auth = NULL;
    char *host = NULL, token[TOKEN_CAP] = "", url[128];
    const struct http_server_options options = {.address = settings->listen,
                                                .tls_certificate = settings->tls_cert,
                                                .tls_key = settings->tls_key,
                                                .log_requests = !settings->quiet};
    status s = http_address_host(settings->listen, &host, err);
    if (s == OK)
        s = api_metrics_create(&metrics, err);
    if (s == OK)
        s = answer_cache_create(&answers, context->store, err);
    if (s == OK)
        s = api_auth_create(&auth, host, hosts->names, hosts->count, err);
    if (s != OK)
        goto out;
    context->metrics = metrics;
    context->answers = answers;
    context->auth = auth;
    api_auth_local_token(auth, token);
    s = http_server_start(&server, context, &options, err);
    if (s == OK) {
        url_of(host, settings->tls_cert != NULL, http_server_port(server), url, sizeof url);
        s = announce(runtime, settings, url, token, err);
    }
    if (s == OK) {
        printf("flowforge: serving on %s/?token=%s\n", url, token);
        fflush(stdout);
        if (!settings->quiet)
            log_plain("serving", url);
        wait_for_signal(app->cancel);
        if (!settings->quiet)
            log_plain("stopping", url);
    }
    http_server_stop(server);
out:
    context->metrics = NULL;
    context->answers = NULL;
    context->auth = NULL;
    api_auth_free(auth);
    answer_cache_free(answers);
    api_metrics_free(metrics);
    free(host);
    return s;
}

static status open_and_serve(const struct app *app, const struct serve_settings *settings, struct error *err)
{
    struct name_list roots = {0}, origins = {0}, hosts = {0};
    struct runtime *runtime = NULL;
    status s = resolve_roots(&settings->local_roots, &roots, err);
    if (s == OK)
        s = name_list_make(&settings->allowed_origins, &origins, err);
    if (s == OK)
        s = name_list_make(&settings->allowed_hosts, &hosts, err);
    const struct runtime_options options = {.home = settings->home,
                                            .create = true,
                                            .layer_centric = settings->layer_centric == 0,
                                            .local_roots = roots.names,
                                            .local_root_count = roots.count,
                                            .max_parallel_jobs = (size_t)settings->max_parallel_jobs,
                                            .task_memory = (size_t)settings->task_memory,
                                            .garbage_grace_seconds = (double)settings->garbage_grace,
                                            .upload_most = settings->upload_limit,
                                            .allowed_origins = origins.names,
                                            .allowed_origin_count = origins.count,
                                            .log = settings->quiet ? RUNTIME_LOG_TROUBLE : RUNTIME_LOG_JSON};
    if (s == OK)
        s = runtime_open(&runtime, &options, NULL, err);
    if (s == OK)
        s = serve(app, settings, &hosts, runtime, err);
    runtime_close(runtime);
    name_list_release(&hosts);
    name_list_release(&origins);
    name_list_release(&roots);
    return s;
}

int command_serve(const struct app *app, int argc, char **argv)
{
    struct error err = {0};
    struct text_list operands = {0};
    struct serve_settings settings = {.listen = "127.0.0.1:8765",
                                      .max_parallel_jobs = 2,
                                      .task_memory = 256u << 20,
                                      .upload_limit = (uint64_t)8 << 30,
                                      .garbage_grace = 3600};
    int code = 0;
    status s = options_parse(table, ARRAY_LENGTH(table), argc, argv, &settings, &operands, &err);
    if (s == OK && settings.help) {
        print_help();
    } else {
        if (s == OK)
            s = check(&settings, &operands, &err);
        if (s == OK)
            s = open_and_serve(app, &settings, &err);
        code = s == OK ? 0 : command_failed(&err);
    }
    text_list_release(&operands);
    text_list_release(&settings.local_roots);
    text_list_release(&settings.allowed_origins);
    text_list_release(&settings.allowed_hosts);
    return code;
}
