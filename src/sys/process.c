#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMIT_MEMORY 0 /* the sanitizers' shadow takes terabytes */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LIMIT_MEMORY 0
#endif
#endif
#ifndef LIMIT_MEMORY
#define LIMIT_MEMORY 1
#endif

/* [child's end, ours] of the three standard streams, and the pipe that tells an exec error. */
struct pipes {
    int child[3], ours[3];
    int report[2];
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void pipes_release(struct pipes *pipes)
{
    for (int i = 0; i < 3; i++) {
        close_fd(&pipes->child[i]);
        close_fd(&pipes->ours[i]);
    }
    close_fd(&pipes->report[0]);
    close_fd(&pipes->report[1]);
}

/* The child's ends are kept above the standard descriptors, so that dup2 never overwrites one that is still needed. */
static int above_standard(int fd)
{
    if (fd > STDERR_FILENO)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(fd);
    return moved;
}

static status pipes_open(struct pipes *pipes, struct error *err)
{
    *pipes = (struct pipes){{-1, -1, -1}, {-1, -1, -1}, {-1, -1}};
    for (int i = 0; i < 4; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            return error_set_errno(err, errno, "cannot make a pipe for a child process");
        for (int k = 0; k < 2; k++)
            ends[k] = above_standard(ends[k]);
        if (i == 3) {
            pipes->report[0] = ends[0];
            pipes->report[1] = ends[1];
        } else {
            pipes->child[i] = ends[i == 0 ? 0 : 1];
            pipes->ours[i] = ends[i == 0 ? 1 : 0];
        }
        if (ends[0] < 0 || ends[1] < 0)
            return error_set_errno(err, errno, "cannot make a pipe for a child process");
        if (i < 3 && fcntl(pipes->ours[i], F_SETFL, O_NONBLOCK) != 0)
            return error_set_errno(err, errno, "cannot set up a pipe for a child process");
    }
    return OK;
}

/* In the child, which shares the parent's memory until exec: system calls only, nothing is changed. */
static void become_child(const struct process_options *options, const struct pipes *pipes, pid_t parent)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    static const int reset[] = {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGCHLD};
    for (size_t i = 0; i < sizeof reset / sizeof reset[0]; i++)
        sigaction(reset[i], &usual, NULL);
    sigset_t none;
    sigemptyset(&none);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    bool ready = getppid() == parent && dup2(pipes->child[0], STDIN_FILENO) >= 0 &&
                 dup2(pipes->child[1], STDOUT_FILENO) >= 0 && dup2(pipes->child[2], STDERR_FILENO) >= 0;
    /* Also what some library opened without close-on-exec. An older kernel refuses: then it is up to those libraries.
     */
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        errno = 0;
    if (ready && options->directory)
        ready = chdir(options->directory) == 0;
    if (ready && LIMIT_MEMORY && options->memory_limit) {
        struct rlimit limit = {options->memory_limit, options->memory_limit};
        ready = setrlimit(RLIMIT_DATA, &limit) == 0;
    }
    if (ready) {
        sigprocmask(SIG_SETMASK, &none, NULL);
        execv(options->argv[0], (char *const *)(const void *)options->argv);
    }
    int code = errno;
    ssize_t told = write(pipes->report[1], &code, sizeof code);
    _exit(told == sizeof code ? 127 : 126);
}

/* vfork in a function of its own: its frame is shared with the child. */
static NO_INLINE pid_t spawn(const struct process_options *options, const struct pipes *pipes)
{
    pid_t parent = getpid();
    pid_t pid = vfork();
    if (pid == 0)
        become_child(options, pipes, parent);
    return pid;
}

/* 0, or the errno by which the child could not become the program. */
static int exec_error(int report)
{
    int code = 0;
    ssize_t n;
    do
        n = read(report, &code, sizeof code);
    while (n < 0 && errno == EINTR);
    return n == sizeof code ? code : 0;
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

status process_start(struct process *p, const struct process_options *options, struct error *err)
{
    struct pipes pipes;
    status s = pipes_open(&pipes, err);
    if (s != OK)
        goto out;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = spawn(options, &pipes);
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        s = error_set_errno(err, code, "cannot start a child process for '%s'", options->argv[0]);
        goto out;
    }
    close_fd(&pipes.report[1]);
    code = exec_error(pipes.report[0]);
    if (code) {
        reap(pid);
        s = error_set_errno(err, code, "cannot run '%s'", options->argv[0]);
        goto out;
    }
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) {
        code = errno;
        kill(-pid, SIGKILL);
        reap(pid);
        s = error_set_errno(err, code, "cannot watch the child process of '%s'", options->argv[0]);
        goto out;
    }
    *p = (struct process){pid, pidfd, pipes.ours[0], pipes.ours[1], pipes.ours[2]};
    pipes.ours[0] = pipes.ours[1] = pipes.ours[2] = -1;
out:
    pipes_release(&pipes);
    return s;
}

void process_signal(const struct process *p, int signal_number)
{
    if (p->pid > 0)
        kill(-p->pid, signal_number);
}

status process_wait(struct process *p, int *exit_code, struct error *err)
{
    siginfo_t info = {0};
    /* Wait without reaping, so that the group's number is still this child's while what it left behind is killed. */
    int waited;
    do
        waited = waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOWAIT);
    while (waited != 0 && errno == EINTR);
    if (waited != 0)
        return error_set_errno(err, errno, "cannot wait for child process %d", (int)p->pid);
    kill(-p->pid, SIGKILL);
    reap(p->pid);
    p->pid = 0;
    *exit_code = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
    return OK;
}

void process_release(struct process *p)
{
    if (p->pid > 0) {
        kill(-p->pid, SIGKILL);
        reap(p->pid);
    }
    int *fds[] = {&p->pidfd, &p->in, &p->out, &p->error};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (*fds[i] > 0) /* zero: a zeroed struct; pipes are above the standard descriptors */
            close(*fds[i]);
    *p = (struct process){0, -1, -1, -1, -1};
}
