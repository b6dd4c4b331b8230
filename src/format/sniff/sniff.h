/* Guess how an input is written from its head (a few hundred KiB), and say how sure the guess is.
 * Pure: bytes in, answer out. */
#ifndef FF_FORMAT_SNIFF_H
#define FF_FORMAT_SNIFF_H

#include <stddef.h>

#include "base/error.h"
#include "format/csv/csv_dialect.h"

/* SNIFF_JSON_ARRAY: one top-level array, or a single object written over several lines (an array of one element, as it
 * were). SNIFF_NDJSON: an object a line, even if it is only one. */
enum sniff_format { SNIFF_CSV, SNIFF_NDJSON, SNIFF_JSON_ARRAY, SNIFF_PARQUET };
enum sniff_compression { SNIFF_PLAIN, SNIFF_GZIP, SNIFF_ZSTD };
enum sniff_newline { NEWLINE_LF, NEWLINE_CRLF, NEWLINE_CR, NEWLINE_MIXED, NEWLINE_NONE };

/* By magic number: gzip 1f 8b, zstd 28 b5 2f fd. */
enum sniff_compression sniff_compression(const uint8_t *head, size_t n);

/* The encoding of text: an iconv name ("UTF-8", "UTF-16LE", "WINDOWS-1252", ...) and the length of its BOM.
 * `sure` is 0..1: 1 with a BOM or with non-ASCII valid UTF-8; a code page is told by letter statistics. */
struct sniff_encoding {
    const char *name;
    size_t bom_bytes;
    double sure;
};
struct sniff_encoding sniff_encoding(const uint8_t *head, size_t n, bool at_end);

/* What the user has fixed already; everything else is guessed. */
struct sniff_given {
    const char *delimiter; /* NULL: guess */
    const char *quote;     /* NULL: guess; "": none */
    const char *escape;    /* NULL: guess; "": none */
    int header;            /* -1: guess, 0, 1 */
    int64_t skip_lines;    /* -1: guess */
    const char *comment;   /* NULL: guess; "": none */
};

struct sniff_text {
    enum sniff_format format;
    struct csv_dialect dialect; /* for SNIFF_CSV; of one column: the delimiter is one that does not occur in the head */
    enum sniff_newline newline;
    uint32_t columns;      /* fields of a record under that dialect; 0 for the other formats */
    uint64_t footer_lines; /* only when the whole input was seen: trailing lines that are no records (totals, notes) */
    double sure;           /* 0..1 that the dialect is right */
    char reason[160];      /* one sentence for people: what spoke for it, what against */
};
/* `head` is UTF-8 (already decoded), without BOM. `at_end`: it is the whole input. Never fails on any bytes (only when
 * memory runs out); an empty input gives one column, comma, sure 0. `given` wins over what is found; quote and escape
 * are one byte. A first line "sep=;" sets the delimiter and is skipped. With a comment sign, comment lines in front
 * are not counted in skip_lines. When no quote occurs, '"' is reported: more may follow. */
status sniff_text(const uint8_t *head, size_t n, bool at_end, const struct sniff_given *given,
                  struct sniff_text *result, struct error *err) MUST_USE;

#endif
