/* A child: started, fed, listened to, stopped. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "orchestrate/engine_state.h"
#include "sys/clock.h"

#define READ_SIZE 65536
#define READS_MOST 64 /* of one child in one round: others wait too */

/* What epoll gives back: the child's slot and which of its descriptors. */
static status watch(struct engine *engine, const struct child *child, int fd, unsigned which, unsigned events,
                    struct error *err)
{
    size_t slot = (size_t)(child - engine->children);
    struct epoll_event event = {.events = events, .data.u64 = slot * CHILD_FD_COUNT + which};
    if (epoll_ctl(engine->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return error_set_errno(err, errno, "cannot watch a child process");
    return OK;
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd); /* leaves the epoll set with it */
    *fd = -1;
}

status child_start(struct engine *engine, struct child *child, struct error *err)
{
    const char *const argv[] = {engine->program, "task", "run", NULL};
    /* The engine's own use stays within task_memory; the rest is for libraries, stacks and allocators. */
    struct process_options options = {.argv = argv, .memory_limit = 2 * engine->options.task_memory + (1UL << 30)};
    struct job_run *job = child->job;
    status s = process_start(&child->process, &options, err);
    if (s != OK)
        return s;
    child->started = true;
    struct process *p = &child->process;
    child->payload_length = strlen(job->payload);
    const int64_t timeout = json_int(job->config, "timeout_seconds", 0);
    child->timeout_at = timeout > 0 ? clock_seconds() + (double)timeout : 0;
    s = watch(engine, child, p->in, CHILD_IN, EPOLLOUT, err);
    if (s == OK)
        s = watch(engine, child, p->out, CHILD_OUT, EPOLLIN, err);
    if (s == OK)
        s = watch(engine, child, p->error, CHILD_ERROR, EPOLLIN, err);
    if (s == OK)
        s = watch(engine, child, p->pidfd, CHILD_END, EPOLLIN, err);
    return s;
}

void child_release(struct engine *engine, struct child *child)
{
    if (child->job) {
        child->job->child = NULL;
        engine->children_busy--;
    }
    if (child->started)
        process_release(&child->process);
    buf_release(&child->line);
    json_decref(child->finished);
    *child = (struct child){0};
}

static void feed(struct child *child)
{
    struct job_run *job = child->job;
    while (child->payload_at < child->payload_length) {
        ssize_t n =
            write(child->process.in, job->payload + child->payload_at, child->payload_length - child->payload_at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break; /* it does not read: how it ends says why */
        child->payload_at += (size_t)n;
    }
    close_end(&child->process.in);
    free(job->payload);
    job->payload = NULL;
}

static void break_protocol(struct child *child, const char *why)
{
    if (child->protocol_error.code[0])
        return;
    run_error_format(&child->protocol_error, status_slug(ERR_INTERNAL),
                     "see the run's log; this is a defect of FlowForge", "the task's process broke the protocol: %s",
                     why);
    process_signal(&child->process, SIGKILL);
}

/* Whole lines go to child_line; the rest is kept. */
static void take_lines(struct engine *engine, struct child *child)
{
    struct buf *line = &child->line;
    size_t begin = 0;
    while (!child->protocol_error.code[0]) {
        const uint8_t *from = line->data + child->line_scanned;
        const uint8_t *end = memchr(from, '\n', line->len - child->line_scanned);
        if (!end)
            break;
        size_t length = (size_t)(end - line->data) - begin;
        child_line(engine, child, (const char *)line->data + begin, length);
        begin += length + 1;
        child->line_scanned = begin;
    }
    if (begin) {
        memmove(line->data, line->data + begin, line->len - begin);
        line->len -= begin;
    }
    child->line_scanned = line->len;
    if (line->len > TASK_EVENT_MOST)
        break_protocol(child, "an event is longer than 64 MiB");
}

static void keep_errors(struct child *child, const char *bytes, size_t n)
{
    if (n >= ERRORS_KEPT) {
        memcpy(child->errors, bytes + n - ERRORS_KEPT, ERRORS_KEPT);
        child->error_length = ERRORS_KEPT;
        return;
    }
    size_t gone = child->error_length + n > ERRORS_KEPT ? child->error_length + n - ERRORS_KEPT : 0;
    memmove(child->errors, child->errors + gone, child->error_length - gone);
    child->error_length -= gone;
    memcpy(child->errors + child->error_length, bytes, n);
    child->error_length += n;
}

/* False at the end of the stream, or when nothing is there now. */
static bool read_some(struct engine *engine, struct child *child, unsigned which)
{
    char bytes[READ_SIZE];
    int *fd = which == CHILD_OUT ? &child->process.out : &child->process.error;
    ssize_t n = *fd < 0 ? 0 : read(*fd, bytes, sizeof bytes);
    if (n < 0)
        return errno == EINTR;
    if (n == 0) {
        close_end(fd);
        return false;
    }
    if (which == CHILD_ERROR) {
        keep_errors(child, bytes, (size_t)n);
    } else if (!child->protocol_error.code[0]) {
        if (buf_append(&child->line, bytes, (size_t)n, NULL) == OK)
            take_lines(engine, child);
        else
            break_protocol(child, "there is no memory for its event");
    }
    return true;
}

static void end(struct engine *engine, struct child *child)
{
    /* All that it wrote is in the pipes. */
    while (read_some(engine, child, CHILD_OUT))
        continue;
    while (read_some(engine, child, CHILD_ERROR))
        continue;
    if (process_wait(&child->process, &child->exit_code, NULL) != OK)
        child->exit_code = -SIGKILL;
    child->errors[child->error_length] = 0;
    child->ended = true;
    job_child_ended(engine, child);
}

void child_event(struct engine *engine, struct child *child, unsigned which)
{
    if (!child->started)
        return; /* it ended earlier in this round */
    if (which == CHILD_IN) {
        feed(child);
    } else if (which == CHILD_END) {
        end(engine, child);
    } else {
        for (int i = 0; i < READS_MOST && read_some(engine, child, which); i++)
            continue;
    }
}

void child_terminate(struct child *child, double now)
{
    if (!child->started || child->terminated)
        return;
    child->terminated = true;
    child->kill_at = now + KILL_AFTER_SECONDS;
    process_signal(&child->process, SIGTERM);
}

void child_timers(struct engine *engine, struct child *child, double now)
{
    if (child->timeout_at > 0 && now >= child->timeout_at) {
        child->timeout_at = 0;
        child->timed_out = !child->terminated;
        child_terminate(child, now);
    }
    if (child->kill_at > 0 && now >= child->kill_at) {
        child->kill_at = 0;
        engine_log(
            engine, "warning",
            "the task of job '%s' (run %s, process %ld) did not end within %.1f seconds of SIGTERM and is killed",
            child->job->job_name, child->job->id, (long)child->process.pid, KILL_AFTER_SECONDS);
        process_signal(&child->process, SIGKILL);
    }
}
