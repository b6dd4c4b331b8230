#include "sys/owner_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/file.h"

#define MARK_MAX 512

/* Who a process is, beyond the reuse of process numbers. */
struct process_mark {
    long pid;
    uint64_t start; /* clock ticks since boot: proc_pid_stat(5), field 22 */
    char boot[64];
    char names[64]; /* the namespace in which pid counts */
};

static size_t read_small(const char *path, char *into, size_t cap)
{
    int fd = file_open(path, O_RDONLY, 0);
    if (fd < 0)
        return 0;
    ssize_t n;
    do
        n = read(fd, into, cap - 1);
    while (n < 0 && errno == EINTR);
    close(fd);
    into[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* False when there is no such process. A zombie (its parent has not waited yet) will write nothing any more. */
static bool start_time(long pid, uint64_t *start)
{
    char path[64], stat[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    if (!read_small(path, stat, sizeof stat))
        return false;
    char *at = strrchr(stat, ')'); /* the command name before it may hold anything */
    if (!at || at[1] != ' ' || at[2] == 'Z' || at[2] == 'X')
        return false;
    at += 2;
    for (int field = 3; field < 22 && at; field++) {
        at = strchr(at, ' ');
        if (at)
            at++;
    }
    if (!at)
        return false;
    *start = strtoull(at, NULL, 10);
    return true;
}

static void describe_place(struct process_mark *m)
{
    size_t n = read_small("/proc/sys/kernel/random/boot_id", m->boot, sizeof m->boot);
    if (n && m->boot[n - 1] == '\n')
        m->boot[n - 1] = '\0';
    if (!m->boot[0])
        strcpy(m->boot, "-");
    ssize_t length = readlink("/proc/self/ns/pid", m->names, sizeof m->names - 1);
    m->names[length > 0 ? length : 0] = '\0';
    if (!m->names[0])
        strcpy(m->names, "-");
}

/* A lock of the open file, not of the process: closing another descriptor of the mark does not drop it. */
static int lock(int fd, int how)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int done;
    do
        done = fcntl(fd, how, &whole);
    while (done != 0 && errno == EINTR);
    return done;
}

status owner_mark_create(const char *path, int *fd, struct error *err)
{
    /* The text is ready before the file is made: a process that is killed in between leaves a mark that tells nothing.
     */
    struct process_mark m = {.pid = (long)getpid()};
    (void)start_time(m.pid, &m.start);
    describe_place(&m);
    char text[MARK_MAX];
    int n = snprintf(text, sizeof text, "pid %ld\nstart %" PRIu64 "\nboot %s\nnames %s\nend\n", m.pid, m.start, m.boot,
                     m.names);
    *fd = file_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (*fd < 0)
        return error_set_errno(err, errno, "cannot create '%s'", path);
    (void)lock(*fd, F_OFD_SETLKW); /* file systems without locks leave the numbers */
    status s = file_write_all(*fd, text, (size_t)n, path, err);
    if (s != OK) {
        close(*fd);
        *fd = -1;
    }
    return s;
}

static bool parse(const char *text, struct process_mark *m)
{
    char end[8];
    return sscanf(text, "pid %ld start %" SCNu64 " boot %63s names %63s %7s", &m->pid, &m->start, m->boot, m->names,
                  end) == 5 &&
           strcmp(end, "end") == 0;
}

enum owner_state owner_mark_state(const char *path, int *fd)
{
    char text[MARK_MAX];
    struct process_mark mark, here;
    uint64_t start;
    *fd = file_open(path, O_RDWR, 0);
    if (*fd < 0)
        return errno == ENOENT ? OWNER_UNKNOWN : OWNER_ALIVE;
    int locked = lock(*fd, F_OFD_SETLK);
    bool no_locks = locked != 0 && errno != EAGAIN && errno != EACCES;
    enum owner_state state = OWNER_ALIVE;
    if (locked == 0 || no_locks) {
        describe_place(&here);
        if (!read_small(path, text, sizeof text) || !parse(text, &mark))
            state = OWNER_UNKNOWN;
        else if (here.boot[0] != '-' && strcmp(mark.boot, here.boot) == 0 && strcmp(mark.names, here.names) == 0)
            state = start_time(mark.pid, &start) && start == mark.start ? OWNER_ALIVE : OWNER_DEAD;
        else
            state = no_locks ? OWNER_ALIVE : OWNER_DEAD;
    }
    if (state != OWNER_DEAD) {
        close(*fd);
        *fd = -1;
    }
    return state;
}
