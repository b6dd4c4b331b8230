#include "app/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/event_hub.h"
#include "sys/clock.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/path.h"

#define PARALLEL_DEFAULT 2
#define TASK_MEMORY_DEFAULT ((size_t)256 << 20)
#define GRACE_DEFAULT 3600.0
#define UPLOAD_DEFAULT ((uint64_t)8 << 30)
#define LOCK_NAME "server.lock"

struct runtime {
    char home[PATH_MAX], inbox[PATH_MAX], program[PATH_MAX];
    const char *own_root; /* local_roots when none was given */
    enum runtime_log log;
    int lock;
    struct store *store;
    struct event_hub *hub;
    struct engine *engine;
    struct api_context context;
};

/* ---- the folders of a home ---- */

static status too_long(const char *path, struct error *err)
{
    return error_set(err, ERR_LIMIT, "the path '%.200s...' is too long", path);
}

static status join(char into[PATH_MAX], const char *home, const char *name, struct error *err)
{
    int n = snprintf(into, PATH_MAX, "%s/%s", home, name);
    return n > 0 && n < PATH_MAX ? OK : too_long(home, err);
}

/* The names of the folders at the end of `home` that were made for it: as many as `made` has segments. */
static status sync_made(const char *home, const char *made, struct error *err)
{
    char outer[PATH_MAX];
    status s = OK;
    snprintf(outer, sizeof outer, "%s", home);
    for (made += strspn(made, "/"); s == OK && *made; made += strspn(made, "/")) {
        char *slash = strrchr(outer, '/');
        if (!slash)
            break;
        *slash = '\0';
        s = dir_fsync(*outer ? outer : "/", err);
        made += strcspn(made, "/");
    }
    return s;
}

static status resolve_home(struct runtime *r, const struct runtime_options *options, struct error *err)
{
    const char *home = options->home ? options->home : getenv("FLOWFORGE_HOME");
    char database[PATH_MAX];
    enum path_kind kind;
    size_t existing = 0;
    if (!home || !*home)
        home = "./flowforge-home";
    status s = options->create ? dir_make_all(home, &existing, err) : OK;
    if (s == OK && !realpath(home, r->home))
        s = errno == ENOENT ? error_set(err, ERR_NOT_FOUND, "there is no home at '%s'", home)
                            : error_set_errno(err, errno, "cannot use the home '%s'", home);
    if (s == OK && options->create)
        s = sync_made(r->home, home + existing, err);
    if (s == OK)
        s = join(database, r->home, "flowforge.db", err);
    if (s == OK && !options->create) {
        s = path_kind_of(database, &kind, err);
        if (s == OK && kind != PATH_FILE)
            s = error_set(err, ERR_NOT_FOUND, "'%s' is no FlowForge home: it has no flowforge.db", home);
    }
    if (s == ERR_NOT_FOUND)
        error_hint(err, "name it with --home or FLOWFORGE_HOME; flowforge serve and flowforge apply make a new one");
    return s;
}

static status make_folders(struct runtime *r, struct error *err)
{
    static const char *const folders[] = {"lake", "lake/.staging", "uploads", "inbox"};
    char path[PATH_MAX];
    status s = OK;
    for (size_t i = 0; s == OK && i < ARRAY_LENGTH(folders); i++) {
        s = join(path, r->home, folders[i], err);
        if (s == OK)
            s = dir_make_all(path, NULL, err);
    }
    return s;
}

/* ---- the lock ---- */

/* What the process that has the home wrote into the lock file. All empty when it wrote nothing (yet). */
static void read_owner(int fd, struct home_owner *owner)
{
    char text[2048];
    json_t *value = NULL;
    *owner = (struct home_owner){0};
    ssize_t n = pread(fd, text, sizeof text, 0);
    if (n <= 0 || json_parse(text, (size_t)n, LOCK_NAME, &value, NULL) != OK)
        return;
    owner->pid = (long)json_int(value, "pid", 0);
    snprintf(owner->url, sizeof owner->url, "%s", json_text(value, "url", ""));
    snprintf(owner->token, sizeof owner->token, "%s", json_text(value, "token", ""));
    snprintf(owner->certificate, sizeof owner->certificate, "%s", json_text(value, "certificate", ""));
    json_decref(value);
}

#define GONE_WAIT_SECONDS 2.0
#define GONE_WAIT_STEP_MICROS 5000

/* A server that was killed while it started a child leaves its lock to that child until it has come to its exec, or to
 * its end: as long as the owner is no process any more, the lock is about to be free. */
static int lock_home(int fd)
{
    double until = clock_seconds() + GONE_WAIT_SECONDS;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        struct home_owner found = {0};
        int reason = errno;
        if (reason == EWOULDBLOCK)
            read_owner(fd, &found);
        bool gone = found.pid <= 0 || (kill((pid_t)found.pid, 0) != 0 && errno == ESRCH);
        if (reason != EINTR && (reason != EWOULDBLOCK || !gone || clock_seconds() > until))
            return reason;
        (void)usleep(GONE_WAIT_STEP_MICROS);
    }
    return 0;
}

static status take_lock(struct runtime *r, struct home_owner *owner, struct error *err)
{
    char path[PATH_MAX];
    status s = join(path, r->home, LOCK_NAME, err);
    if (s != OK)
        return s;
    r->lock = file_open(path, O_RDWR | O_CREAT, 0600);
    if (r->lock < 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    int reason = lock_home(r->lock);
    if (reason == 0) {
        if (fchmod(r->lock, 0600) != 0) /* a copied home may have brought another mode: it will hold a token */
            return error_set_errno(err, errno, "cannot change the mode of %s", path);
        return runtime_announce(r, &(struct home_owner){.pid = getpid()}, err);
    }
    if (reason != EWOULDBLOCK)
        return error_set_errno(err, reason, "cannot lock %s", path);
    struct home_owner found;
    read_owner(r->lock, &found);
    if (owner)
        *owner = found;
    error_set(err, ERR_CONFLICT, "the home '%s' is in use by process %ld", r->home, found.pid);
    error_hint(err, "stop it, or use another home");
    return ERR_CONFLICT;
}

status runtime_announce(struct runtime *r, const struct home_owner *owner, struct error *err)
{
    struct buf text = {0};
    json_t *value = json_object();
    status s = value ? json_put_int(value, "pid", getpid(), err) : error_no_memory(err, 1);
    if (s == OK)
        s = json_put_text(value, "url", owner->url, err);
    if (s == OK)
        s = json_put_text(value, "token", owner->token, err);
    if (s == OK)
        s = json_put_text(value, "certificate", owner->certificate, err);
    if (s == OK)
        s = json_write(value, &text, err);
    if (s == OK && ftruncate(r->lock, 0) != 0)
        s = error_set_errno(err, errno, "cannot write %s/" LOCK_NAME, r->home);
    if (s == OK)
        s = file_pwrite_all(r->lock, text.data, text.len, 0, LOCK_NAME, err);
    json_decref(value);
    buf_release(&text);
    return s;
}

/* ---- parts ---- */

static void log_as_json(void *self, const char *level, const char *message)
{
    const struct runtime *r = self;
    enum log_level as = strcmp(level, "error") == 0     ? LOG_ERROR
                        : strcmp(level, "warning") == 0 ? LOG_WARNING
                                                        : LOG_INFO;
    if (strcmp(level, "debug") == 0 || (as == LOG_INFO && r->log == RUNTIME_LOG_TROUBLE))
        return;
    log_line(as, message, NULL);
}

static void log_as_text(void *self, const char *level, const char *message)
{
    (void)self;
    if (strcmp(level, "error") == 0 || strcmp(level, "warning") == 0)
        fprintf(stderr, "flowforge: %s: %s\n", level, message);
}

static void observe(void *self, const char *pipeline_run_id, const char *event, const json_t *data)
{
    event_hub_publish(self, pipeline_run_id, event, data);
}

static status start_parts(struct runtime *r, const struct runtime_options *options, struct error *err)
{
    char database[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", r->program, sizeof r->program - 1);
    if (n < 0)
        return error_set_errno(err, errno, "cannot tell where this program lies");
    r->program[n] = '\0';
    r->own_root = r->inbox;
    const char *const *roots = options->local_root_count ? options->local_roots : &r->own_root;
    size_t root_count = options->local_root_count ? options->local_root_count : 1;
    status s = join(database, r->home, "flowforge.db", err);
    if (s == OK)
        s = join(r->inbox, r->home, "inbox", err);
    if (s == OK)
        s = store_open(&r->store, database, err);
    if (s == OK) /* SQLite does not look whether the name of its log could be made durable */
        s = dir_fsync(r->home, err);
    if (s == OK)
        s = event_hub_create(&r->hub, err);
    if (s != OK)
        return s;
    struct engine_options engine = {
        .store = r->store,
        .home = r->home,
        .program = r->program,
        .max_parallel_jobs = options->max_parallel_jobs ? options->max_parallel_jobs : PARALLEL_DEFAULT,
        .task_memory = options->task_memory ? options->task_memory : TASK_MEMORY_DEFAULT,
        .local_roots = roots,
        .local_root_count = root_count,
        .garbage_grace_seconds = options->garbage_grace_seconds < 0 ? GRACE_DEFAULT : options->garbage_grace_seconds,
        .observe = observe,
        .observer = r->hub,
        .log = r->log == RUNTIME_LOG_TEXT ? log_as_text : log_as_json,
        .logger = r,
    };
    r->context = (struct api_context){
        .store = r->store,
        .hub = r->hub,
        .home = r->home,
        .program = r->program,
        .layer_centric = options->layer_centric,
        .local_roots = roots,
        .local_root_count = root_count,
        .upload_most = options->upload_most ? options->upload_most : UPLOAD_DEFAULT,
        .allowed_origins = options->allowed_origins,
        .allowed_origin_count = options->allowed_origin_count,
    };
    s = engine_create(&r->engine, &engine, err);
    r->context.engine = r->engine;
    return s;
}

status runtime_open(struct runtime **runtime, const struct runtime_options *options, struct home_owner *owner,
                    struct error *err)
{
    struct runtime *r = calloc(1, sizeof *r);
    if (!r)
        return error_no_memory(err, sizeof *r);
    r->lock = -1;
    umask(umask(S_IRWXO) | S_IRWXO); /* data of a home is not everybody's; children inherit it */
    r->log = options->log;
    status s = resolve_home(r, options, err);
    if (s == OK)
        s = take_lock(r, owner, err);
    if (s == OK)
        s = make_folders(r, err);
    if (s == OK)
        s = start_parts(r, options, err);
    if (s == OK)
        *runtime = r;
    else
        runtime_close(r);
    return s;
}

struct api_context *runtime_context(struct runtime *r)
{
    return &r->context;
}

void runtime_close(struct runtime *r)
{
    if (!r)
        return;
    engine_free(r->engine, false);
    event_hub_free(r->hub);
    store_close(r->store);
    if (r->lock >= 0)
        file_close(r->lock);
    free(r);
}
