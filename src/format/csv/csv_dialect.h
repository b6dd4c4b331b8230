/* How a CSV file is written: RFC 4180 and what people make of it. */
#ifndef FF_FORMAT_CSV_DIALECT_H
#define FF_FORMAT_CSV_DIALECT_H

#include <stdbool.h>
#include <stdint.h>

#define CSV_DELIMITER_MAX 7

struct csv_dialect {
    char delimiter[CSV_DELIMITER_MAX + 1]; /* 1 to 7 bytes, NUL-terminated */
    char quote;                            /* 0: none, quotes are ordinary bytes */
    char escape;           /* equal to quote: a doubled quote stands for one; '\\': backslash escapes; 0: no escaping */
    bool header;           /* the first record after skip_lines holds the names */
    uint32_t header_lines; /* records that together make the header (names joined by '_'); 1 when header */
    uint64_t skip_lines;   /* physical lines before the header or the first record */
    char comment;          /* lines that start with it are skipped; 0: none */
};

#endif
