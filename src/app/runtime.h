/* A home at work: its lock, its metadata, the engine and what the API's handlers need. The server runs on one, and so
 * does the command line when no server runs. */
#ifndef FF_APP_RUNTIME_H
#define FF_APP_RUNTIME_H

#include "api/route.h"

struct runtime;

/* What the engine has to say, on standard error. */
enum runtime_log {
    RUNTIME_LOG_TEXT,    /* warnings and errors, for a person at a terminal */
    RUNTIME_LOG_JSON,    /* the server's log */
    RUNTIME_LOG_TROUBLE, /* the server's log, without what is in order */
};

struct runtime_options {
    const char *home;               /* NULL: $FLOWFORGE_HOME, else ./flowforge-home */
    bool create;                    /* make it when it is not there */
    bool layer_centric;             /* the feature flag */
    const char *const *local_roots; /* none: <home>/inbox, which is made */
    size_t local_root_count;
    size_t max_parallel_jobs;     /* 0: 2 */
    size_t task_memory;           /* 0: 256 MiB */
    double garbage_grace_seconds; /* < 0: an hour */
    uint64_t upload_most;         /* 0: 8 GiB */
    const char *const *allowed_origins;
    size_t allowed_origin_count;
    enum runtime_log log;
};

/* Who has the home, as <home>/server.lock tells. */
struct home_owner {
    char url[128]; /* "": no server, a command */
    char token[80];
    char certificate[1024]; /* path of the server's PEM file; "": no TLS */
    long pid;
};

/* Takes the lock, opens the store, recovers, starts the engine. ERR_CONFLICT: somebody else has the home; *owner (may
 * be NULL) is filled in. ERR_NOT_FOUND: it is no home. */
status runtime_open(struct runtime **runtime, const struct runtime_options *options, struct home_owner *owner,
                    struct error *err) MUST_USE;
struct api_context *runtime_context(struct runtime *runtime);
/* The server tells where it listens: into the lock file. */
status runtime_announce(struct runtime *runtime, const struct home_owner *owner, struct error *err) MUST_USE;
/* Cancels what runs. NULL is fine. */
void runtime_close(struct runtime *runtime);

#endif
