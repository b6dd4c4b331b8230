/* Elapsed time. */
#ifndef FF_SYS_CLOCK_H
#define FF_SYS_CLOCK_H

#include <time.h>

/* Monotonic, from an arbitrary start. */
static inline double clock_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* CPU time of the calling thread: what a stage costs, whatever else the machine does. */
static inline double clock_thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
