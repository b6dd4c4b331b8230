/* Inputs that can be read only once: kept as an anonymous file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/input_plan.h"
#include "sys/file.h"

#define SPOOL_BYTES (1u << 20)
#define SPOOL_WAIT_MS 100 /* how long a request to stop may go unnoticed while nothing comes */

/* Wait for bytes from a pipe that may stay silent for ever, without being deaf to a request to stop. */
static status wait_for_bytes(int fd, const struct convert_options *options, struct error *err)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    do
        if (options->cancel && atomic_load_explicit(options->cancel, memory_order_relaxed))
            return error_set(err, ERR_CANCELLED, "cancelled");
    while (poll(&p, 1, SPOOL_WAIT_MS) <= 0);
    return OK;
}

static status spool_bytes(int from, int to, const char *name, const struct convert_options *options, struct error *err)
{
    uint8_t *bytes = malloc(SPOOL_BYTES);
    status s = bytes ? OK : error_no_memory(err, SPOOL_BYTES);
    while (s == OK) {
        s = wait_for_bytes(from, options, err);
        if (s != OK)
            break;
        ssize_t n = read(from, bytes, SPOOL_BYTES);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            s = error_set_errno(err, errno, "cannot read %s", name);
        if (n <= 0)
            break;
        s = file_write_all(to, bytes, (size_t)n, options->temp_dir, err);
        if (s != OK)
            error_prefix(err, "cannot keep a copy of %s in --temp-dir", name);
    }
    free(bytes);
    return s;
}

status planned_input_spool(struct planned_input *in, const struct convert_options *options, struct error *err)
{
    bool standard = strcmp(in->path, "-") == 0;
    int from = standard ? STDIN_FILENO : file_open(in->path, O_RDONLY | O_NONBLOCK, 0);
    if (from < 0)
        return error_set_errno(err, errno, "cannot open %s", in->path);
    status s = file_open_anonymous(options->temp_dir, &in->spool, err);
    if (s == OK)
        s = spool_bytes(from, in->spool, standard ? "standard input" : in->path, options, err);
    if (!standard)
        file_close(from);
    if (s == OK) {
        snprintf(in->spool_path, sizeof in->spool_path, "/proc/self/fd/%d", in->spool);
        in->path = in->spool_path;
    }
    return s;
}

bool input_is_read_once(const char *path)
{
    struct stat st;
    return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode));
}
