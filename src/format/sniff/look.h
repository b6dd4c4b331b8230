/* What a cell looks like to a person: loose on purpose, and not what it will be cast to. */
#ifndef FF_FORMAT_SNIFF_LOOK_H
#define FF_FORMAT_SNIFF_LOOK_H

#include <stdbool.h>
#include <stddef.h>

enum look {
    LOOK_EMPTY,
    LOOK_MISSING, /* NA, null, -, ... */
    LOOK_INTEGER,
    LOOK_DECIMAL, /* point or comma, exponent, grouped thousands */
    LOOK_MONEY,
    LOOK_PERCENT,
    LOOK_DATE,
    LOOK_TIME,
    LOOK_TIMESTAMP,
    LOOK_BOOLEAN,
    LOOK_ADDRESS, /* mail, URL, IP, UUID, path */
    LOOK_CODE,    /* letters and digits mixed, one token */
    LOOK_WORD,    /* one token of letters */
    LOOK_TEXT,    /* several words */
    LOOK_LIST,    /* values joined by , ; or | : perhaps cells that were not split */
    LOOK_ODD,     /* control bytes, stray quotes: perhaps a delimiter or quote that was not seen as one */
    LOOK_COUNT
};

/* Blanks around the text are ignored. */
enum look look_of(const char *text, size_t n);

/* Has a form of its own (numbers, dates, times, booleans), unlike text. */
static inline bool look_is_typed(enum look look)
{
    return look >= LOOK_INTEGER && look <= LOOK_BOOLEAN;
}

/* One of the numeric looks: a column may mix them. */
static inline bool look_is_number(enum look look)
{
    return look >= LOOK_INTEGER && look <= LOOK_PERCENT;
}

#endif
