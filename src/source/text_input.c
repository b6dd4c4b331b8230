#include "source/text_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "format/text/transcode.h"
#include "sys/file.h"

/* Enough of the compressed bytes to tell the format. */
#define MAGIC_BYTES 4

/* A source that first yields bytes that were read ahead, and counts what passes. */
struct replay_source {
    struct byte_source from;
    struct buf first;
    size_t given;
    atomic_ullong *progress;
};

static status replay_read(void *self, uint8_t *into, size_t cap, size_t *got, struct error *err)
{
    struct replay_source *r = self;
    size_t left = r->first.len - r->given;
    if (left == 0) {
        status s = byte_source_read(&r->from, into, cap, got, err);
        if (s == OK && r->progress)
            atomic_fetch_add_explicit(r->progress, *got, memory_order_relaxed);
        return s;
    }
    *got = left < cap ? left : cap;
    memcpy(into, r->first.data + r->given, *got);
    r->given += *got;
    if (r->progress)
        atomic_fetch_add_explicit(r->progress, *got, memory_order_relaxed);
    return OK;
}

static void replay_close(void *self)
{
    struct replay_source *r = self;
    byte_source_close(&r->from);
    buf_release(&r->first);
    free(r);
}

static const struct byte_source_ops replay_ops = {.read = replay_read, .close = replay_close};

/* Takes ownership of *from and of `first`'s memory, also on failure. */
static status replay(struct byte_source *source, struct byte_source *from, struct buf *first, atomic_ullong *progress,
                     struct error *err)
{
    struct replay_source *r = calloc(1, sizeof *r);
    if (!r) {
        byte_source_close(from);
        buf_release(first);
        return error_no_memory(err, sizeof *r);
    }
    *r = (struct replay_source){.from = *from, .first = *first, .progress = progress};
    *from = (struct byte_source){0};
    *first = (struct buf){0};
    *source = (struct byte_source){&replay_ops, r};
    return OK;
}

static status stat_input(const char *path, struct text_input_facts *facts, struct error *err)
{
    struct stat st;
    int rc = strcmp(path, "-") == 0 ? fstat(0, &st) : stat(path, &st);
    if (rc != 0)
        return error_set_errno(err, errno, "cannot open %s", path);
    if (S_ISDIR(st.st_mode)) {
        status s = error_set(err, ERR_INVALID, "%s is a directory", path);
        error_hint(err, "name the files in it, for example %s/*.csv", path);
        return s;
    }
    facts->regular = S_ISREG(st.st_mode) && strcmp(path, "-") != 0;
    facts->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : UINT64_MAX;
    facts->modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return OK;
}

status text_input_check_unchanged(const char *path, const struct text_input_facts *facts, struct error *err)
{
    struct text_input_facts now = {0};
    if (!facts->regular)
        return OK;
    status s = stat_input(path, &now, err);
    if (s == OK && (now.size != facts->size || now.modified_ns != facts->modified_ns)) {
        s = error_set(err, ERR_CHANGED, "%s was changed while it was read", path);
        error_hint(err, "run again when nothing writes to it any more");
    }
    return s;
}

/* The file with its compression taken off, from its first byte. */
static status open_decompressed(const char *path, const struct text_input_options *options,
                                enum sniff_compression *compression, bool look, atomic_ullong *progress,
                                struct byte_source *source, struct error *err)
{
    struct byte_source file = {0}, whole = {0};
    struct buf magic = {0};
    uint64_t size;
    status s = file_source_open(&file, path, &size, err);
    if (s == OK)
        s = buf_reserve(&magic, MAGIC_BYTES, err);
    if (s == OK)
        s = byte_source_read_full(&file, magic.data, MAGIC_BYTES, &magic.len, err);
    if (s != OK) {
        byte_source_close(&file);
        buf_release(&magic);
        return s;
    }
    if (look)
        *compression = sniff_compression(magic.data, magic.len);
    s = replay(&whole, &file, &magic, progress, err);
    if (s != OK)
        return s;
    switch (*compression) {
    case SNIFF_GZIP:
        s = byte_source_gunzip(source, &whole, options->limits, err);
        break;
    case SNIFF_ZSTD:
        s = byte_source_unzstd(source, &whole, options->limits, err);
        break;
    default:
        *source = whole;
        return OK;
    }
    return s == OK ? OK : error_prefix(err, "%s", path);
}

static status skip_bytes(struct byte_source *source, size_t n, struct error *err)
{
    uint8_t bytes[16];
    while (n > 0) {
        size_t got;
        status s = byte_source_read(source, bytes, n < sizeof bytes ? n : sizeof bytes, &got, err);
        if (s != OK)
            return s;
        if (got == 0)
            return OK;
        n -= got;
    }
    return OK;
}

status text_input_open(const char *path, const struct text_input_options *options, const struct text_input_facts *facts,
                       atomic_ullong *progress, struct byte_source *source, struct error *err)
{
    struct byte_source plain = {0};
    enum sniff_compression compression = facts->compression;
    status s = open_decompressed(path, options, &compression, false, progress, &plain, err);
    if (s != OK)
        return s;
    s = skip_bytes(&plain, facts->bom_bytes, err);
    if (s != OK) {
        byte_source_close(&plain);
        return error_prefix(err, "%s", path);
    }
    if (strcasecmp(facts->encoding, "UTF-8") == 0) {
        *source = plain;
        return OK;
    }
    s = byte_source_transcode(source, &plain, facts->encoding, facts->bom_bytes, err);
    return s == OK ? OK : error_prefix(err, "%s", path);
}

/* The encoding from the head's raw bytes, or as the user says (a BOM of that encoding is still passed over). */
static status find_encoding(const struct text_input_options *options, const struct buf *raw, bool whole,
                            struct text_input_facts *facts)
{
    struct sniff_encoding found = sniff_encoding(raw->data, raw->len, whole);
    bool given = options->encoding != NULL;
    snprintf(facts->encoding, sizeof facts->encoding, "%s", given ? options->encoding : found.name);
    bool same = given && strcasecmp(options->encoding, found.name) == 0;
    facts->bom_bytes = !given || same || strncasecmp(options->encoding, found.name, 6) == 0 ? found.bom_bytes : 0;
    facts->encoding_sure = given ? 1.0 : found.sure;
    if (given && facts->bom_bytes && !same && strcasecmp(options->encoding, "UTF-16") == 0)
        snprintf(facts->encoding, sizeof facts->encoding, "%s", found.name);
    return OK;
}

/* Parquet, also a damaged file of it, is no text, and its bytes must not be taken for those of some code page. */
static bool is_parquet(const struct buf *raw, bool encoding_given)
{
    if (raw->len < 4 || memcmp(raw->data, "PAR1", 4) != 0)
        return false;
    return memchr(raw->data, 0, raw->len) || (!encoding_given && !str_is_utf8(buf_str(raw)));
}

status text_input_look(const char *path, const struct text_input_options *options, size_t head_bytes,
                       struct text_input_facts *facts, struct buf *head, bool *whole, struct error *err)
{
    struct text_input_facts f = {0};
    struct byte_source plain = {0}, text = {0};
    struct buf raw = {0};
    size_t got = 0;
    status s = stat_input(path, &f, err);
    if (s != OK)
        return s;
    s = open_decompressed(path, options, &f.compression, true, NULL, &plain, err);
    if (s == OK)
        s = buf_reserve(&raw, head_bytes + 1, err);
    if (s == OK)
        s = byte_source_read_full(&plain, raw.data, head_bytes + 1, &raw.len, err);
    if (s != OK) {
        error_prefix(err, "%s", path);
        goto out;
    }
    *whole = raw.len <= head_bytes;
    if (!*whole)
        raw.len = head_bytes;
    buf_clear(head);
    if (is_parquet(&raw, options->encoding != NULL)) {
        snprintf(f.encoding, sizeof f.encoding, "UTF-8"); /* as it stands */
        s = buf_append_str(head, buf_str(&raw), err);
        if (s == OK)
            *facts = f;
        goto out;
    }
    s = find_encoding(options, &raw, *whole, &f);
    if (s != OK)
        goto out;
    size_t skip = f.bom_bytes < raw.len ? f.bom_bytes : raw.len;
    if (strcasecmp(f.encoding, "UTF-8") == 0) {
        s = buf_append(head, raw.data + skip, raw.len - skip, err);
    } else {
        /* Decode what was read; a character that the head's end cuts in two only ends the head. */
        struct byte_source bytes = {0};
        s = byte_source_memory(&bytes, raw.data + skip, raw.len - skip, err);
        if (s == OK)
            s = byte_source_transcode(&text, &bytes, f.encoding, f.bom_bytes, err);
        if (s == OK)
            s = buf_reserve(head, raw.len * 3 + 16, err);
        while (s == OK) {
            s = byte_source_read(&text, head->data + head->len, head->cap - head->len, &got, err);
            if (s == ERR_BAD_ENCODING && !*whole && head->len > 0) {
                s = OK;
                break;
            }
            if (s == OK && got == 0)
                break;
            head->len += s == OK ? got : 0;
        }
        if (s != OK)
            error_prefix(err, "%s", path);
    }
    if (s == OK)
        *facts = f;
out:
    byte_source_close(&text);
    byte_source_close(&plain);
    buf_release(&raw);
    return s;
}
