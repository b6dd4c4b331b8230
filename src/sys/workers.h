/* A pool of threads that do what is handed to them, first come first served. */
#ifndef FF_SYS_WORKERS_H
#define FF_SYS_WORKERS_H

#include <stddef.h>

#include "base/error.h"

/* Part of the work's own struct, so that handing it over cannot fail. */
struct work {
    struct work *next;
    void (*run)(struct work *self);
};

struct workers;
status workers_create(struct workers **workers, size_t threads, struct error *err) MUST_USE;
/* Any thread. `work` belongs to the pool until run is called, which may free it. */
void workers_add(struct workers *workers, struct work *work);
/* Everything that was added is done, then the threads are joined. */
void workers_free(struct workers *workers);

#endif
