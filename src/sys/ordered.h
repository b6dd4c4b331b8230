/* Work on numbered items by several threads, with both ends in order.
 *
 * Each item passes three steps: claim (one thread at a time, in order: reads the next piece of input), work (any
 * thread, in parallel) and deliver (one thread at a time, in claim order: writes). Every thread does all three, so no
 * thread waits for a stage of its own, and what one claims it works on while it is still in its cache. At most
 * `slots` items are under way, which bounds memory. */
#ifndef FF_SYS_ORDERED_H
#define FF_SYS_ORDERED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct ordered_steps {
    /* Fill slot `slot` with the next item; *end when there is none. */
    status (*claim)(void *self, size_t slot, bool *end, struct error *err);
    status (*work)(void *self, size_t worker, size_t slot, struct error *err);
    status (*deliver)(void *self, size_t worker, size_t slot, struct error *err);
};

/* Run to the end or the first error, which is returned: of several, that of the earliest item. `cancel` (may be NULL)
 * ends it with ERR_CANCELLED within one step. threads >= 1, slots >= threads. */
status ordered_run(const struct ordered_steps *steps, void *self, size_t threads, size_t slots,
                   const atomic_bool *cancel, struct error *err) MUST_USE;

#endif
