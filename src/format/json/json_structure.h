/* Where the elements of one top-level array end: strings, escapes and nesting are tracked, nothing is validated.
 *
 * A backslash takes its meaning from the byte that follows, inside strings and out (where it is an error anyhow). Any
 * closing bracket closes any opening one; only ']' closes the top level, where a '}' is garbage. Cutter and decoder
 * share this scan, so that they agree on the borders of broken elements too. */
#ifndef FF_FORMAT_JSON_STRUCTURE_H
#define FF_FORMAT_JSON_STRUCTURE_H

#include "format/json/json_scan.h"

/* The state between two bytes. A zeroed struct stands at the top level of the array, outside of strings. */
struct json_structure {
    uint64_t nested; /* objects and arrays open inside the top-level array */
    uint64_t string; /* all ones inside a string */
    bool escape;     /* the byte before was a backslash that is not itself escaped */
};

struct json_border {
    size_t at;   /* of the byte after the comma or bracket */
    bool found;  /* a comma at the top level, or its closing bracket */
    bool closed; /* it is the bracket; nothing after it was scanned */
};

/* Scan on over [p, p + n). `first`: stop at the first border (the state is then that of a new element). Else go to
 * the end, or behind the closing bracket, and tell the last border. p[n .. n + 63] must be readable. */
struct json_border json_structure_scan(struct json_structure *s, const struct json_scan_ops *ops, const uint8_t *p,
                                       size_t n, bool first);

#endif
