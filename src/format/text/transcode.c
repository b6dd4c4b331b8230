#include "format/text/transcode.h"

#include <errno.h>
#include <iconv.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/text/single_byte.h"

#define TRANSCODE_WINDOW (64u << 10)
#define STAGE_BYTES 64 /* more than one character or shift sequence becomes in UTF-8 */

struct transcode {
    struct byte_source from;
    iconv_t converter;
    struct single_byte *table; /* NULL: the encoding needs the converter */
    uint64_t window_offset;    /* in the source, of window[0] */
    size_t at, len;            /* unconverted part of the window */
    bool ended;                /* the source has */
    bool flushed;              /* the converter gave what it held back at the end */
    size_t stage_at, stage_len;
    uint8_t stage[STAGE_BYTES]; /* output for reads too small to convert into */
    uint8_t window[TRANSCODE_WINDOW];
    char encoding[64];
};

static void transcode_close(void *self)
{
    struct transcode *t = self;
    if (t->converter != (iconv_t)-1)
        iconv_close(t->converter);
    byte_source_close(&t->from);
    free(t->table);
    free(t);
}

static status bad_bytes(const struct transcode *t, const char *what, struct error *err)
{
    char shown[3 * 4 + 1] = "";
    for (size_t i = 0; i < 4 && t->at + i < t->len; i++)
        snprintf(shown + 3 * i, sizeof shown - 3 * i, " %02x", t->window[t->at + i]);
    error_set(err, ERR_BAD_ENCODING, "%s in encoding %s at byte %" PRIu64 " (bytes%s)", what, t->encoding,
              t->window_offset + t->at, shown);
    error_hint(err, "check the encoding: the preview shows how the text reads under another one");
    return ERR_BAD_ENCODING;
}

/* Move the unconverted tail (part of a character) to the front and read behind it. */
static status refill(struct transcode *t, struct error *err)
{
    memmove(t->window, t->window + t->at, t->len - t->at);
    t->window_offset += t->at;
    t->len -= t->at;
    t->at = 0;
    size_t got;
    status s = byte_source_read(&t->from, t->window + t->len, sizeof t->window - t->len, &got, err);
    if (s != OK)
        return s;
    t->len += got;
    t->ended = got == 0;
    return OK;
}

static status convert_by_table(struct transcode *t, uint8_t *into, size_t cap, size_t *made, struct error *err)
{
    bool invalid;
    *made = cap;
    t->at += single_byte_convert(t->table, t->window + t->at, t->len - t->at, into, made, &invalid);
    /* What came before the bad byte is delivered first; the next call meets the byte again. */
    return invalid && *made == 0 ? bad_bytes(t, "a byte without meaning", err) : OK;
}

/* *starved: the window holds no whole character. */
static status convert_by_iconv(struct transcode *t, uint8_t *into, size_t cap, size_t *made, bool *starved,
                               struct error *err)
{
    char *in = (char *)t->window + t->at;
    size_t in_left = t->len - t->at;
    char *out = (char *)into;
    size_t out_left = cap;
    size_t result = iconv(t->converter, &in, &in_left, &out, &out_left);
    int why = result == (size_t)-1 ? errno : 0;
    t->at = t->len - in_left;
    *made = cap - out_left;
    *starved = why == EINVAL;
    return why == EILSEQ && *made == 0 ? bad_bytes(t, "a byte sequence that is not valid", err) : OK;
}

/* What a stateful converter still holds once all input was given. */
static status flush(struct transcode *t, uint8_t *into, size_t cap, size_t *made, struct error *err)
{
    char *out = (char *)into;
    size_t out_left = cap;
    t->flushed = true;
    if (iconv(t->converter, NULL, NULL, &out, &out_left) == (size_t)-1)
        return bad_bytes(t, "an unfinished sequence", err);
    *made = cap - out_left;
    return OK;
}

/* Convert at least one byte into `into` (cap >= STAGE_BYTES); *got == 0 only at the end. */
static status convert(struct transcode *t, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    size_t made = 0;
    bool starved = false;
    while (made == 0 && !t->flushed) {
        status s = OK;
        if (t->at == t->len || starved) {
            if (!t->ended)
                s = refill(t, err);
            else if (starved)
                s = bad_bytes(t, "the input ends within a character", err);
            else
                s = flush(t, into, cap, &made, err);
            starved = false;
        } else if (t->table) {
            s = convert_by_table(t, into, cap, &made, err);
        } else {
            s = convert_by_iconv(t, into, cap, &made, &starved, err);
        }
        if (s != OK)
            return s;
    }
    *got = made;
    return OK;
}

static status transcode_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct transcode *t = self;
    if (cap >= STAGE_BYTES && t->stage_at == t->stage_len)
        return convert(t, into, cap, got, err);
    if (t->stage_at == t->stage_len) {
        size_t made;
        status s = convert(t, t->stage, sizeof t->stage, &made, err);
        if (s != OK)
            return s;
        t->stage_at = 0;
        t->stage_len = made;
    }
    size_t n = t->stage_len - t->stage_at;
    if (n > cap)
        n = cap;
    memcpy(into, t->stage + t->stage_at, n);
    t->stage_at += n;
    *got = n;
    return OK;
}

static const struct byte_source_ops transcode_ops = {.read = transcode_read, .close = transcode_close};

static status unknown_encoding(const char *encoding, struct error *err)
{
    error_set(err, ERR_INVALID, "the encoding '%s' is not known", encoding);
    error_hint(err, "`iconv --list` prints the encodings known on this machine");
    return ERR_INVALID;
}

static status open_converter(struct transcode *t, const char *encoding, struct error *err)
{
    /* A slash would begin an option of iconv such as //IGNORE, which drops data silently. */
    size_t n = strlen(encoding);
    if (n == 0 || n >= sizeof t->encoding || strchr(encoding, '/'))
        return unknown_encoding(encoding, err);
    memcpy(t->encoding, encoding, n + 1);
    t->converter = iconv_open("UTF-8", encoding);
    if (t->converter == (iconv_t)-1)
        return errno == ENOMEM ? error_no_memory(err, 1u << 15) : unknown_encoding(encoding, err);
    t->table = malloc(sizeof *t->table);
    if (!t->table)
        return error_no_memory(err, sizeof *t->table);
    if (!single_byte_learn(t->table, t->converter)) {
        free(t->table);
        t->table = NULL;
        /* Asking byte by byte may have left a byte order or a shift state behind. */
        iconv_close(t->converter);
        t->converter = iconv_open("UTF-8", encoding);
        if (t->converter == (iconv_t)-1)
            return error_no_memory(err, 1u << 15);
    }
    return OK;
}

status byte_source_transcode(struct byte_source *source, struct byte_source *from, const char *encoding,
                             uint64_t from_offset, struct error *err)
{
    struct transcode *t = malloc(sizeof *t);
    if (!t) {
        byte_source_close(from);
        return error_no_memory(err, sizeof *t);
    }
    t->from = *from;
    *from = (struct byte_source){0};
    t->converter = (iconv_t)-1;
    t->table = NULL;
    t->window_offset = from_offset;
    t->at = t->len = 0;
    t->ended = t->flushed = false;
    t->stage_at = t->stage_len = 0;
    status s = open_converter(t, encoding, err);
    if (s != OK) {
        transcode_close(t);
        return s;
    }
    *source = (struct byte_source){&transcode_ops, t};
    return OK;
}
