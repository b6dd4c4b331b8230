#include "sys/pages.h"

#include <stdlib.h>
#include <sys/mman.h>

#define MAPPED_MIN ((size_t)64 << 10) /* below it the rounding to pages would waste too much */

void *pages_alloc(size_t bytes)
{
    if (bytes < MAPPED_MIN)
        return calloc(1, bytes ? bytes : 1);
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return pages == MAP_FAILED ? NULL : pages;
}

void pages_free(void *pages, size_t bytes)
{
    if (bytes < MAPPED_MIN)
        free(pages);
    else if (pages)
        munmap(pages, bytes);
}
