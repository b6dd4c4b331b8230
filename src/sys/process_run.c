/* process_run: one child from start to end, for callers that may block. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/clock.h"
#include "sys/process.h"

#define READ_SIZE 65536
#define CANCEL_LOOK_SECONDS 0.05 /* how often *cancel is looked at */

struct talk {
    struct process process;
    const char *input;
    size_t input_left;
    struct buf text;
    size_t most;
    char *errors; /* the last 4 KiB */
    size_t error_length;
    bool ended;
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static status feed(struct talk *t, struct error *err)
{
    while (t->input_left) {
        ssize_t n = write(t->process.in, t->input, t->input_left);
        if (n > 0) {
            t->input += n;
            t->input_left -= (size_t)n;
        } else if (n < 0 && errno == EPIPE) {
            break; /* it does not want the rest; its answer tells why */
        } else if (n < 0 && errno == EAGAIN) {
            return OK;
        } else if (n < 0 && errno != EINTR) {
            return error_set_errno(err, errno, "cannot write to child process %d", (int)t->process.pid);
        }
    }
    close_end(&t->process.in);
    return OK;
}

static void keep_errors(struct talk *t, const char *bytes, size_t n)
{
    const size_t cap = sizeof((struct process_output *)0)->errors - 1;
    if (n >= cap) {
        memcpy(t->errors, bytes + n - cap, cap);
        t->error_length = cap;
        return;
    }
    if (t->error_length + n > cap) {
        size_t gone = t->error_length + n - cap;
        memmove(t->errors, t->errors + gone, t->error_length - gone);
        t->error_length -= gone;
    }
    memcpy(t->errors + t->error_length, bytes, n);
    t->error_length += n;
}

/* Everything that is there now; closes the end at the end of file. */
static status drain(struct talk *t, int *fd, bool is_output, struct error *err)
{
    char bytes[READ_SIZE];
    while (*fd >= 0) {
        ssize_t n = read(*fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return OK;
        if (n < 0)
            return error_set_errno(err, errno, "cannot read from child process %d", (int)t->process.pid);
        if (n == 0) {
            close_end(fd);
        } else if (!is_output) {
            keep_errors(t, bytes, (size_t)n);
        } else {
            if ((size_t)n > t->most - t->text.len)
                return error_set(err, ERR_LIMIT, "a child process wrote more than %zu bytes", t->most);
            status s = buf_append(&t->text, bytes, (size_t)n, err);
            if (s != OK)
                return s;
        }
    }
    return OK;
}

/* One round: wait for something, move what can be moved. */
static status step(struct talk *t, double seconds_left, struct error *err)
{
    struct process *p = &t->process;
    struct pollfd fds[4] = {{p->in, POLLOUT, 0}, {p->out, POLLIN, 0}, {p->error, POLLIN, 0}, {p->pidfd, POLLIN, 0}};
    double wait = seconds_left < CANCEL_LOOK_SECONDS ? seconds_left : CANCEL_LOOK_SECONDS;
    if (poll(fds, 4, wait > 0 ? (int)(wait * 1000) + 1 : 0) < 0 && errno != EINTR)
        return error_set_errno(err, errno, "cannot wait for child process %d", (int)p->pid);
    /* What it wrote before it ended is in the pipes when its end shows. */
    t->ended = (fds[3].revents & POLLIN) != 0;
    status s = OK;
    if (p->in >= 0 && fds[0].revents)
        s = feed(t, err);
    if (s == OK && (fds[1].revents || t->ended))
        s = drain(t, &p->out, true, err);
    if (s == OK && (fds[2].revents || t->ended))
        s = drain(t, &p->error, false, err);
    return s;
}

status process_run(const struct process_options *options, const char *input, size_t input_length, size_t most,
                   double timeout_seconds, struct process_output *output, struct error *err)
{
    struct process_output result = {0};
    struct talk t = {.input = input, .input_left = input_length, .most = most, .errors = result.errors};
    double deadline = clock_seconds() + timeout_seconds;
    status s = process_start(&t.process, options, err);
    while (s == OK && !t.ended) {
        double left = deadline - clock_seconds();
        if (options->cancel && atomic_load(options->cancel))
            s = error_set(err, ERR_CANCELLED, "cancelled");
        else if (left <= 0)
            s = error_set(err, ERR_TIMEOUT, "'%s' did not end within %g seconds", options->argv[0], timeout_seconds);
        else
            s = step(&t, left, err);
    }
    if (s == OK)
        s = process_wait(&t.process, &result.exit_code, err);
    if (s == OK)
        s = buf_append(&t.text, "", 1, err);
    if (s == OK) {
        result.length = t.text.len - 1;
        result.text = (char *)t.text.data;
        t.text = (struct buf){0};
        *output = result;
    }
    process_release(&t.process);
    buf_release(&t.text);
    return s;
}

void process_output_release(struct process_output *output)
{
    free(output->text);
    *output = (struct process_output){0};
}
