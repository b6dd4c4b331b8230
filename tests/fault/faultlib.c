/* Preloaded into the program under test: makes one system or allocation call fail, or every one from some point on.
 *
 *   FAULT_KIND    alloc | read | write | open | fsync | rename | mkdir | truncate | unlink
 *   FAULT_AT      the first call that fails, 1 first; 0: none, only count
 *   FAULT_HOW     once | on (all from then on) | alternate (every second one from then on) | kill (die before it)
 *   FAULT_ERRNO   number of the error, or "short": reads and writes do half of what was asked for
 *   FAULT_COUNT   file that the number of calls is added to at the end, a line of each process
 *   FAULT_ROLE    the program's first argument (serve, task): in processes with another one nothing fails or counts.
 *                 Then an error strikes regular files only in `serve`: no disk stands behind its pipes and events.
 *   FAULT_ARM     file: only calls made once it is there count
 *   FAULT_STRUCK  file that is made at the first strike; `once` then is once for all processes that have it. For fsync
 * it holds the path of what was not synced
 *
 * Only calls made after main began count, and only those of objects that were loaded by then: the program and the
 * libraries it is linked to, but neither the dynamic loader nor what is loaded later. So what is counted does not
 * depend on the loader, and nothing is asked of code that has its own idea of running out of memory. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define CALLER ((uintptr_t)__builtin_return_address(0))

enum kind { KIND_NONE, ALLOC, READ, WRITE, OPEN, FSYNC, RENAME, MKDIR, TRUNCATE, UNLINK };
static const char *const kind_names[] = {"none",  "alloc",  "read",  "write",    "open",
                                         "fsync", "rename", "mkdir", "truncate", "unlink"};

enum how { ONCE, ON, ALTERNATE, KILL };
static const char *const how_names[] = {"once", "on", "alternate", "kill"};

static struct {
    enum kind kind;
    long at;
    enum how how;
    int error;
    bool shorten;
    const char *count_file, *arm_file, *struck_file;
    bool files_only;
    atomic_bool armed, waits; /* waits: for arm_file */
    atomic_long calls;
    struct {
        uintptr_t from, to;
    } objects[64];
    size_t object_count;
} fault;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

/* libc's, not the one below. */
typedef long system_call(long number, ...);
static system_call *libc_syscall(void)
{
    static system_call *_Atomic found;
    system_call *call = atomic_load_explicit(&found, memory_order_relaxed);
    if (!call) {
        call = (system_call *)dlsym(RTLD_NEXT, "syscall");
        atomic_store_explicit(&found, call, memory_order_relaxed);
    }
    return call;
}
#define sys(...) (libc_syscall()(__VA_ARGS__))

static int add_object(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    const char *slash = strrchr(info->dlpi_name, '/'), *name = slash ? slash + 1 : info->dlpi_name;
    if (strncmp(name, "ld-", 3) == 0 || strcmp(name, "faultlib.so") == 0 || strncmp(name, "linux-vdso", 10) == 0)
        return 0;
    for (int i = 0; i < info->dlpi_phnum && fault.object_count < 64; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X))
            continue;
        uintptr_t from = info->dlpi_addr + p->p_vaddr;
        fault.objects[fault.object_count].from = from;
        fault.objects[fault.object_count++].to = from + p->p_memsz;
    }
    return 0;
}

static bool is_counted(uintptr_t caller)
{
    for (size_t i = 0; i < fault.object_count; i++)
        if (caller >= fault.objects[i].from && caller < fault.objects[i].to)
            return true;
    return false;
}

static bool is_armed(void)
{
    if (!atomic_load_explicit(&fault.armed, memory_order_relaxed))
        return false;
    if (atomic_load_explicit(&fault.waits, memory_order_relaxed)) {
        int before = errno;
        if (sys(SYS_faccessat, AT_FDCWD, fault.arm_file, F_OK) != 0) {
            errno = before;
            return false;
        }
        atomic_store(&fault.waits, false);
    }
    return true;
}

static void write_path(int into, int of)
{
    char link[32], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", of);
    long n = sys(SYS_readlinkat, AT_FDCWD, link, path, sizeof path);
    if (n > 0)
        (void)!sys(SYS_write, into, path, n);
}

/* False when another process has been struck already. subject: a descriptor, or -1. */
static bool claim(int subject)
{
    if (!fault.struck_file)
        return true;
    int fd = (int)sys(SYS_openat, AT_FDCWD, fault.struck_file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 && subject >= 0)
        write_path(fd, subject);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Does this call, on a descriptor (else -1), fail? */
static bool strikes_on(enum kind kind, int subject, uintptr_t caller)
{
    if (kind != fault.kind || !is_armed() || !is_counted(caller))
        return false;
    long now = atomic_fetch_add(&fault.calls, 1) + 1;
    if (fault.at == 0 || now < fault.at)
        return false;
    switch (fault.how) {
    case ONCE:
        return now == fault.at && claim(subject);
    case ON:
        (void)claim(subject);
        return true;
    case ALTERNATE:
        (void)claim(subject);
        return (now - fault.at) % 2 == 0;
    case KILL:
        (void)claim(subject);
        sys(SYS_kill, getpid(), SIGKILL);
        return true;
    }
    return false;
}

static bool strikes(enum kind kind, uintptr_t caller)
{
    return strikes_on(kind, -1, caller);
}

/* The same for a call that moves bytes: events are none that can fail or be halved, and in the server no pipe fails. */
static bool strikes_fd(enum kind kind, int fd, uintptr_t caller)
{
    struct stat st;
    if (kind != fault.kind || !atomic_load_explicit(&fault.armed, memory_order_relaxed))
        return false;
    if (fault.files_only && (fstat(fd, &st) != 0 || !(st.st_mode & S_IFMT)))
        return false;
    if (fault.files_only && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode) && !fault.shorten && fault.error != EINTR)
        return false;
    return strikes(kind, caller);
}

static long failed(void)
{
    errno = fault.error;
    return -1;
}

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

static void configure(int argc, char **argv)
{
    const char *kind = setting("FAULT_KIND"), *how = setting("FAULT_HOW");
    for (size_t i = 1; i < sizeof kind_names / sizeof *kind_names; i++)
        if (strcmp(kind, kind_names[i]) == 0)
            fault.kind = (enum kind)i;
    fault.at = atol(setting("FAULT_AT"));
    for (size_t i = 0; i < sizeof how_names / sizeof *how_names; i++)
        if (strcmp(how, how_names[i]) == 0)
            fault.how = (enum how)i;
    fault.shorten = strcmp(setting("FAULT_ERRNO"), "short") == 0;
    fault.error = atoi(setting("FAULT_ERRNO"));
    fault.count_file = getenv("FAULT_COUNT");
    fault.arm_file = getenv("FAULT_ARM");
    fault.struck_file = getenv("FAULT_STRUCK");
    fault.waits = fault.arm_file != NULL;
    const char *role = getenv("FAULT_ROLE");
    fault.files_only = role && strcmp(role, "serve") == 0;
    if (role && (argc < 2 || strcmp(argv[1], role) != 0)) {
        fault.kind = KIND_NONE;
        fault.count_file = NULL;
    }
    dl_iterate_phdr(add_object, NULL);
}

__attribute__((destructor)) static void tell_count(void)
{
    atomic_store(&fault.armed, false);
    if (!fault.count_file)
        return;
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&fault.calls));
    int fd = (int)sys(SYS_openat, AT_FDCWD, fault.count_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd >= 0) {
        (void)!sys(SYS_write, fd, text, (size_t)n);
        close(fd);
    }
}

/* ---- main begins ---- */

static int (*program_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **environment)
{
    atomic_store(&fault.armed, true);
    return program_main(argc, argv, environment);
}

typedef int start_main(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void),
                       void *);
EXPORT int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv, void (*init)(void),
                             void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
EXPORT int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv, void (*init)(void),
                             void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_main *real = (start_main *)dlsym(RTLD_NEXT, "__libc_start_main");
    program_main = entry;
    configure(argc, argv);
    return real(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

/* ---- memory ---- */

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

EXPORT void *malloc(size_t n)
{
    return strikes(ALLOC, CALLER) ? no_memory() : __libc_malloc(n);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return strikes(ALLOC, CALLER) ? no_memory() : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t n)
{
    return strikes(ALLOC, CALLER) ? no_memory() : __libc_realloc(old, n);
}

EXPORT void *aligned_alloc(size_t alignment, size_t n)
{
    return strikes(ALLOC, CALLER) ? no_memory() : __libc_memalign(alignment, n);
}

EXPORT int posix_memalign(void **into, size_t alignment, size_t n)
{
    void *memory = strikes(ALLOC, CALLER) ? NULL : __libc_memalign(alignment, n);
    if (!memory)
        return ENOMEM;
    *into = memory;
    return 0;
}

EXPORT void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) && strikes(ALLOC, CALLER)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)sys(SYS_mmap, at, n, protection, flags, fd, offset);
}

EXPORT void *mmap64(void *at, size_t n, int protection, int flags, int fd, off_t offset) __attribute__((alias("mmap")));

/* ---- bytes ---- */

static size_t half(size_t n)
{
    return n > 1 ? n / 2 : n;
}

static ssize_t do_read(int fd, void *into, size_t n, uintptr_t caller)
{
    if (strikes_fd(READ, fd, caller)) {
        if (!fault.shorten)
            return failed();
        n = half(n);
    }
    return sys(SYS_read, fd, into, n);
}

static ssize_t do_pread(int fd, void *into, size_t n, off_t at, uintptr_t caller)
{
    if (strikes_fd(READ, fd, caller)) {
        if (!fault.shorten)
            return failed();
        n = half(n);
    }
    return sys(SYS_pread64, fd, into, n, at);
}

EXPORT ssize_t read(int fd, void *into, size_t n)
{
    return do_read(fd, into, n, CALLER);
}

ssize_t __read_chk(int fd, void *into, size_t n, size_t room);
EXPORT ssize_t __read_chk(int fd, void *into, size_t n, size_t room)
{
    if (n > room)
        abort();
    return do_read(fd, into, n, CALLER);
}

EXPORT ssize_t pread(int fd, void *into, size_t n, off_t at)
{
    return do_pread(fd, into, n, at, CALLER);
}

EXPORT ssize_t pread64(int fd, void *into, size_t n, off_t at)
{
    return do_pread(fd, into, n, at, CALLER);
}

ssize_t __pread_chk(int fd, void *into, size_t n, off_t at, size_t room);
EXPORT ssize_t __pread_chk(int fd, void *into, size_t n, off_t at, size_t room)
{
    if (n > room)
        abort();
    return do_pread(fd, into, n, at, CALLER);
}

EXPORT ssize_t write(int fd, const void *from, size_t n)
{
    if (strikes_fd(WRITE, fd, CALLER)) {
        if (!fault.shorten)
            return failed();
        n = half(n);
    }
    return sys(SYS_write, fd, from, n);
}

static ssize_t do_pwrite(int fd, const void *from, size_t n, off_t at, uintptr_t caller)
{
    if (strikes_fd(WRITE, fd, caller)) {
        if (!fault.shorten)
            return failed();
        n = half(n);
    }
    return sys(SYS_pwrite64, fd, from, n, at);
}

EXPORT ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return do_pwrite(fd, from, n, at, CALLER);
}

EXPORT ssize_t pwrite64(int fd, const void *from, size_t n, off_t at)
{
    return do_pwrite(fd, from, n, at, CALLER);
}

/* ---- names ---- */

static int do_open(int parent, const char *path, int flags, mode_t mode, uintptr_t caller)
{
    return strikes(OPEN, caller) ? (int)failed() : (int)sys(SYS_openat, parent, path, flags, mode);
}

static bool has_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

#define OPEN_MODE(flags, mode)                                                                                         \
    mode_t mode = 0;                                                                                                   \
    if (has_mode(flags)) {                                                                                             \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode = va_arg(arguments, mode_t);                                                                              \
        va_end(arguments);                                                                                             \
    }

EXPORT int open(const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    return do_open(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORT int open64(const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    return do_open(AT_FDCWD, path, flags, mode, CALLER);
}

EXPORT int openat(int parent, const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    return do_open(parent, path, flags, mode, CALLER);
}

EXPORT int openat64(int parent, const char *path, int flags, ...)
{
    OPEN_MODE(flags, mode)
    return do_open(parent, path, flags, mode, CALLER);
}

int __open_2(const char *path, int flags);
EXPORT int __open_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0, CALLER);
}

int __open64_2(const char *path, int flags);
EXPORT int __open64_2(const char *path, int flags)
{
    return do_open(AT_FDCWD, path, flags, 0, CALLER);
}

int __openat_2(int parent, const char *path, int flags);
EXPORT int __openat_2(int parent, const char *path, int flags)
{
    return do_open(parent, path, flags, 0, CALLER);
}

int __openat64_2(int parent, const char *path, int flags);
EXPORT int __openat64_2(int parent, const char *path, int flags)
{
    return do_open(parent, path, flags, 0, CALLER);
}

EXPORT int fsync(int fd)
{
    return strikes_on(FSYNC, fd, CALLER) ? (int)failed() : (int)sys(SYS_fsync, fd);
}

EXPORT int fdatasync(int fd)
{
    return strikes_on(FSYNC, fd, CALLER) ? (int)failed() : (int)sys(SYS_fdatasync, fd);
}

EXPORT int rename(const char *from, const char *to)
{
    return strikes(RENAME, CALLER) ? (int)failed() : (int)sys(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return strikes(RENAME, CALLER) ? (int)failed() : (int)sys(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

EXPORT int link(const char *from, const char *to)
{
    return strikes(RENAME, CALLER) ? (int)failed() : (int)sys(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return strikes(RENAME, CALLER) ? (int)failed() : (int)sys(SYS_linkat, from_dir, from, to_dir, to, flags);
}

EXPORT int mkdirat(int parent, const char *path, mode_t mode)
{
    return strikes(MKDIR, CALLER) ? (int)failed() : (int)sys(SYS_mkdirat, parent, path, mode);
}

EXPORT int unlink(const char *path)
{
    return strikes(UNLINK, CALLER) ? (int)failed() : (int)sys(SYS_unlinkat, AT_FDCWD, path, 0);
}

EXPORT int unlinkat(int parent, const char *path, int flags)
{
    return strikes(UNLINK, CALLER) ? (int)failed() : (int)sys(SYS_unlinkat, parent, path, flags);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
    return strikes(MKDIR, CALLER) ? (int)failed() : (int)sys(SYS_mkdirat, AT_FDCWD, path, mode);
}

EXPORT int ftruncate(int fd, off_t length)
{
    return strikes(TRUNCATE, CALLER) ? (int)failed() : (int)sys(SYS_ftruncate, fd, length);
}

EXPORT int ftruncate64(int fd, off_t length)
{
    return strikes(TRUNCATE, CALLER) ? (int)failed() : (int)sys(SYS_ftruncate, fd, length);
}

/* openat2 has no function of its own. */
EXPORT long syscall(long number, ...)
{
    long a[6];
    va_list arguments;
    va_start(arguments, number);
    for (size_t i = 0; i < 6; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_openat2 && strikes(OPEN, CALLER))
        return failed();
    return sys(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
