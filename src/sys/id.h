/* Identifiers: 26 lower-case characters (ULID: 48 bits of milliseconds, 80 random bits, Crockford's base 32) that sort
 * by the time they were made; within one process strictly. */
#ifndef FF_SYS_ID_H
#define FF_SYS_ID_H

#include <stdbool.h>
#include <stddef.h>

#define ID_CAP 27 /* with the NUL */

/* Thread-safe. Aborts only when the system has no random bytes, which it does not do after boot. */
void id_make(char into[ID_CAP]);
bool id_is_valid(const char *text);
/* n random bytes as lower-case hex; into holds 2 n + 1. For tokens. */
void random_hex(char *into, size_t n);

#endif
