/* A cell in a heap block of exactly its size plus the padding that cast.h asks for, so that the address sanitizer sees
 * any read beyond. The padding holds digits: taking one of them for a part of the cell changes the value. */
#ifndef TESTS_UNIT_BATCH_CELL_H
#define TESTS_UNIT_BATCH_CELL_H

#include <stdlib.h>
#include <string.h>

#include "batch/cast.h"

static inline char *cell_new_filled(const char *text, size_t n, char fill)
{
    char *block = malloc(n + 2 * CAST_PAD);
    if (!block)
        abort();
    memset(block, fill, n + 2 * CAST_PAD);
    if (n)
        memcpy(block + CAST_PAD, text, n);
    return block + CAST_PAD;
}

static inline char *cell_new(const char *text, size_t n)
{
    return cell_new_filled(text, n, '7');
}

static inline void cell_free(char *cell)
{
    free(cell - CAST_PAD);
}

#endif
