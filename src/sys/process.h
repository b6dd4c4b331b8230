/* Child processes: a struct that is filled, started and finished. */
#ifndef FF_SYS_PROCESS_H
#define FF_SYS_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct process_options {
    const char *const *argv;   /* argv[0] is a path; NULL-terminated */
    const char *directory;     /* NULL: the caller's */
    const atomic_bool *cancel; /* looked at by process_run; may be NULL */
    size_t memory_limit;       /* RLIMIT_DATA in bytes (mapped files do not count); 0: none. Not in sanitizer builds */
};

/* A started child: its own process group, dies with the thread that started it (PR_SET_PDEATHSIG). Pipes are
 * close-on-exec; in, out and error are non-blocking on our side. */
struct process {
    pid_t pid;
    int pidfd;          /* readable when it has ended */
    int in, out, error; /* -1 once closed */
};

/* vfork: the cost must not grow with the server's memory. Exec errors are returned (reason included),
 * not left to an exit code. */
status process_start(struct process *p, const struct process_options *options, struct error *err) MUST_USE;
/* To the whole group. No error when it is gone already. */
void process_signal(const struct process *p, int signal_number);
/* Only after pidfd is readable (or to wait): *exit_code >= 0, or -signal. Reaps exactly this pid, after killing what
 * is left of its group. */
status process_wait(struct process *p, int *exit_code, struct error *err) MUST_USE;
/* Kill if it runs, reap, close everything. A zeroed or released struct may be released. */
void process_release(struct process *p);

/* Start, feed `input`, collect all of standard output (at most `most` bytes, else ERR_LIMIT) and the last 4 KiB of
 * standard error, wait at most `timeout_seconds` (ERR_TIMEOUT, killed). *cancel (may be NULL) ends it with
 * ERR_CANCELLED. The caller's process ignores SIGPIPE. */
struct process_output {
    char *text; /* NUL-terminated; to be freed */
    size_t length;
    char errors[4097];
    int exit_code;
};
status process_run(const struct process_options *options, const char *input, size_t input_length, size_t most,
                   double timeout_seconds, struct process_output *output, struct error *err) MUST_USE;
void process_output_release(struct process_output *output);

#endif
