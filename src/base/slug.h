/* Names for folders and links, made of names for people. */
#ifndef FF_BASE_SLUG_H
#define FF_BASE_SLUG_H

#include <stddef.h>

/* Lower-case ASCII letters, digits, '_' and '-': "Sales EU" gives "sales_eu". What is anything else becomes one '_'
 * between two words and nothing at the ends; no '-' comes first; "x" when nothing is left. Cut at cap - 1 bytes; cap
 * >= 2. */
void slug_of(const char *name, char *into, size_t cap);

#endif
