/* The structural scan: where fields and records end, 64 bytes at a time.
 *
 * Valid for dialects with a one-byte delimiter and either no quote or doubled quotes, on text whose
 * quotes stand only at field borders (csv_scan_cut tells). Record ends are LF, CR LF and lone CR. */
#ifndef FF_FORMAT_CSV_SCAN_H
#define FF_FORMAT_CSV_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_marks {
    uint8_t delimiter;
    uint8_t quote; /* 0: none */
};

struct csv_scan_state {
    uint64_t inside;  /* all ones while within quotes */
    uint64_t lines;   /* physical line ends seen, within quotes too */
    uint64_t records; /* record ends seen */
    bool high;        /* a byte of 0x80 or above was seen */
    bool carriage;    /* a CR was seen */
};

struct csv_cut {
    size_t end;     /* after the last record end outside quotes; 0: none */
    bool quotes;    /* a quote was seen */
    bool open;      /* the text ends within quotes */
    bool irregular; /* a quote stands where the scan cannot vouch for it: the rest is not to be trusted */
};

struct csv_scanner {
    const char *name;
    /* Append to `positions` the offset (from data) of every delimiter and record end outside quotes within
     * data[begin, end). For CR LF the LF's. Returns how many; room for end - begin + 64
     * values is needed. 64 bytes beyond `end` are readable, and data[end] is looked at when it follows a CR. */
    size_t (*index)(const uint8_t *data, size_t begin, size_t end, struct csv_marks marks, struct csv_scan_state *state,
                    uint32_t *positions);
    /* Look at data[0, end), which starts at a record boundary, for the last record end. */
    struct csv_cut (*cut)(const uint8_t *data, size_t end, struct csv_marks marks);
};

extern const struct csv_scanner csv_scanner_scalar;
#if defined(__x86_64__)
extern const struct csv_scanner csv_scanner_sse2;
extern const struct csv_scanner csv_scanner_avx2;
#elif defined(__aarch64__)
extern const struct csv_scanner csv_scanner_neon;
#endif

/* The best one for this CPU. */
const struct csv_scanner *csv_scanner_best(void);

#endif
