/* A view of bytes, usually UTF-8 text, owned by somebody else. Never NUL-terminated by contract. */
#ifndef FF_BASE_STR_H
#define FF_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

static inline struct str str_of(const char *c_string)
{
    return (struct str){c_string, strlen(c_string)};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII case folding only: what Parquet readers and SQL engines agree on for column names. */
bool str_equal_nocase(struct str a, struct str b);
/* <0, 0, >0 by unsigned bytes, a prefix sorting first: the order of Parquet string statistics. */
int str_compare(struct str a, struct str b);
/* Length of the longest prefix of at most `max` bytes that does not cut a UTF-8 sequence. */
size_t str_utf8_prefix(struct str s, size_t max);
bool str_is_utf8(struct str s);

/* "256M", "1.5G", "4096", "64KiB": a count of bytes, powers of 1024. False if malformed, negative or >= 2^63. */
bool str_parse_bytes(struct str s, uint64_t *bytes);
/* Decimal digits only, within [0, max]. */
bool str_parse_u64(struct str s, uint64_t max, uint64_t *value);

#endif
