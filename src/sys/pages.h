/* Large zeroed memory straight from the operating system, which has it back the moment it is freed: for tables that
 * come and go within a limit that the whole process is held to. */
#ifndef FF_SYS_PAGES_H
#define FF_SYS_PAGES_H

#include <stddef.h>

#include "base/attributes.h"

/* NULL when there is none. Small blocks come from malloc. */
void *pages_alloc(size_t bytes) MUST_USE;
/* `bytes` as it was asked for. NULL is fine. */
void pages_free(void *pages, size_t bytes);

#endif
