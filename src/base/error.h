/* Errors are values. A fallible function returns a `status` (OK is zero), takes
 * `struct error *err` last and writes its outputs only on success. The error says what went
 * wrong and why (`message`) and what the user can do next (`hint`, may be empty). */
#ifndef FF_BASE_ERROR_H
#define FF_BASE_ERROR_H

#include <stdbool.h>

#include "base/attributes.h"

typedef enum status {
#define ERROR_CODE(symbol, slug, http, exit_code, retryable) symbol,
#include "base/error_codes.def"
#undef ERROR_CODE
    STATUS_COUNT
} status;

struct error {
    status code;
    char message[1024]; /* UTF-8, one sentence or a few, never a raw control byte */
    char hint[384];     /* what to do next; empty when there is nothing useful to say */
};

/* Fill *err (which may be NULL) and return `code`, so that callers can `return error_set(...)`. */
status error_set(struct error *err, status code, const char *format, ...) PRINTF_LIKE(3, 4);
/* As error_set; `sys_errno` (an errno value) is explained in the text and chooses the code:
 * ENOSPC/EDQUOT -> ERR_NO_SPACE, EACCES/EPERM/EROFS -> ERR_DENIED, ENOENT -> ERR_NOT_FOUND,
 * EEXIST -> ERR_EXISTS, ENOMEM -> ERR_NO_MEMORY, else ERR_IO. */
status error_set_errno(struct error *err, int sys_errno, const char *format, ...) PRINTF_LIKE(3, 4);
/* The usual out-of-memory error; `wanted` in bytes. */
status error_no_memory(struct error *err, unsigned long wanted);
/* Put the formatted text and ": " before the message of an error that is set; returns err->code. */
status error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* Replace the hint. */
void error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);

const char *status_slug(status code);
int status_http(status code);
int status_exit_code(status code);
bool status_retryable(status code);

#endif
