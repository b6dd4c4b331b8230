/* What a task writes to the engine: whatever the bytes and however the pipe cuts them, they are taken as the same
 * lines, or the task is stopped with a reason. The first byte says where the pipe cuts. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "orchestrate/engine_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    size_t log_lines;
    bool broken, finished;
    struct job_counts seen;
};

static void put(int fd, const uint8_t *bytes, size_t n)
{
    if (n && write(fd, bytes, n) != (ssize_t)n)
        abort();
}

static struct heard hear(const uint8_t *bytes, size_t size, size_t cut)
{
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) != 0) /* as process_start makes it */
        abort();
    struct engine engine = {0};
    struct pipeline_run *run = calloc(1, sizeof *run);
    struct job_run job = {.run = run};
    struct child *child = calloc(1, sizeof *child);
    if (!run || !child)
        abort();
    run->log_end = &run->log;
    child->job = &job;
    child->started = true;
    child->process = (struct process){0, -1, -1, ends[0], -1};
    put(ends[1], bytes, cut);
    if (cut)
        child_event(&engine, child, CHILD_OUT);
    put(ends[1], bytes + cut, size - cut);
    close(ends[1]);
    for (int i = 0; i < 4; i++) /* until the end of the stream was read */
        child_event(&engine, child, CHILD_OUT);
    if (child->process.out != -1)
        abort();
    struct heard heard = {run->log_count, child->protocol_error.code[0] != 0, child->finished != NULL, job.seen};
    child->started = false;
    child->job = NULL;
    child_release(&engine, child);
    free(child);
    pipeline_run_free(run);
    return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 32768) /* what a pipe takes at once */
        return 0;
    struct heard whole = hear(data + 1, size - 1, 0);
    struct heard parts = hear(data + 1, size - 1, data[0] % (size - 1));
    if (whole.log_lines != parts.log_lines || whole.broken != parts.broken || whole.finished != parts.finished ||
        whole.seen.read != parts.seen.read || whole.seen.bytes_in != parts.seen.bytes_in)
        abort();
    return 0;
}
