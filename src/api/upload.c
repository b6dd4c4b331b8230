#include "api/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/metrics.h"
#include "base/civil.h"
#include "sys/dir.h"
#include "sys/file.h"
#include "sys/id.h"

/* How many bytes may be lost by a crash: then the client goes on from the last record. */
#define RECORD_EVERY (64u << 20)

struct upload {
    struct api_context *context;
    char id[ID_CAP];
    char folder[PATH_MAX], part[PATH_MAX], final[PATH_MAX];
    int fd;
    uint64_t at, recorded;
    uint64_t expected; /* UINT64_MAX: not announced */
    bool open_end;     /* the request said that it does not know the end */
    bool by_parts;     /* the request said where its bytes belong: it may end before the file does */
    bool spoiled;      /* what is on disk is not to be gone on from */
    char sha256[crypto_hash_sha256_BYTES * 2 + 1]; /* "": not announced */
    crypto_hash_sha256_state hash;
};

static status update_row(struct api_context *context, const char *id, const json_t *changes, struct error *err)
{
    struct db *db = NULL;
    status s = store_writer(context->store, &db, err);
    if (s == OK)
        s = record_update(db, &uploads_table, id, changes, err);
    store_give_back(context->store, db);
    return s;
}

static status get_row(struct api_context *context, const char *id, json_t **record, struct error *err)
{
    struct db *db = NULL;
    status s = store_reader(context->store, &db, err);
    if (s == OK)
        s = record_get(db, &uploads_table, id, record, err);
    store_give_back(context->store, db);
    return s;
}

status upload_create(struct api_context *context, const char *filename, const char *content_type, int64_t size,
                     const char *sha256, const char *actor, json_t **record, struct error *err)
{
    char id[ID_CAP], now[TIME_TEXT_CAP];
    struct db *db = NULL;
    if (size >= 0 && (uint64_t)size > context->upload_most) {
        status s = error_set(err, ERR_TOO_LARGE, "%lld bytes are more than one upload may have: %llu", (long long)size,
                             (unsigned long long)context->upload_most);
        error_hint(err, "start the server with a larger --upload-limit, or split the file");
        return s;
    }
    id_make(id);
    time_text(civil_micros_now(), now);
    json_t *row = json_object();
    status s = row ? OK : error_no_memory(err, 64);
    if (s == OK)
        s = json_put_text(row, "id", id, err);
    if (s == OK)
        s = json_put_text(row, "filename", filename, err);
    if (s == OK)
        s = json_put_text(row, "state", "receiving", err);
    if (s == OK)
        s = json_put_int(row, "size", 0, err);
    if (s == OK)
        s = json_put(row, "expected_size", size >= 0 ? json_integer(size) : json_null(), err);
    if (s == OK)
        s = json_put_text(row, "sha256", sha256, err);
    if (s == OK)
        s = json_put_text(row, "content_type", content_type ? content_type : "", err);
    if (s == OK)
        s = json_put_text(row, "created_by", actor ? actor : "", err);
    if (s == OK)
        s = json_put_text(row, "created_at", now, err);
    if (s == OK)
        s = json_put(row, "completed_at", json_null(), err);
    if (s == OK)
        s = store_writer(context->store, &db, err);
    if (s == OK)
        s = record_insert(db, &uploads_table, row, err);
    store_give_back(context->store, db);
    if (s == OK)
        *record = json_incref(row);
    json_decref(row);
    return s;
}

static status paths_of(const struct api_context *context, const char *id, char folder[PATH_MAX], char part[PATH_MAX],
                       char final[PATH_MAX], struct error *err)
{
    if (!id_is_valid(id))
        return error_set(err, ERR_NOT_FOUND, "there is no upload '%.64s'", id);
    int n = snprintf(part, PATH_MAX, "%s/uploads/%s.part", context->home, id);
    if (n < 0 || n >= PATH_MAX)
        return error_set(err, ERR_INVALID, "the path of the home is too long");
    snprintf(folder, PATH_MAX, "%s/uploads", context->home);
    snprintf(final, PATH_MAX, "%s/uploads/%s", context->home, id);
    return OK;
}

/* Read what is there into the checksum. */
static status hash_again(struct upload *upload, uint64_t upto, struct error *err)
{
    uint8_t *piece = malloc(UPLOAD_PIECE);
    status s = piece ? OK : error_no_memory(err, UPLOAD_PIECE);
    for (uint64_t at = 0; at < upto && s == OK;) {
        size_t n = upto - at < UPLOAD_PIECE ? (size_t)(upto - at) : UPLOAD_PIECE;
        s = file_pread_all(upload->fd, piece, n, at, upload->part, err);
        if (s == OK)
            crypto_hash_sha256_update(&upload->hash, piece, n);
        at += n;
    }
    free(piece);
    return s;
}

static status refuse_size(const struct upload *upload, const struct upload_request *request, struct error *err)
{
    uint64_t most = upload->context->upload_most;
    uint64_t end = request->length == UINT64_MAX ? request->offset : request->offset + request->length;
    if (end > most || (request->total != UINT64_MAX && request->total > most)) {
        status s = error_set(err, ERR_TOO_LARGE, "the upload is larger than the limit of %llu bytes",
                             (unsigned long long)most);
        error_hint(err, "start the server with a larger --upload-limit, or split the file");
        return s;
    }
    if (upload->expected != UINT64_MAX && end > upload->expected) {
        status s = error_set(err, ERR_BAD_DATA, "the body ends at byte %llu, and %llu bytes were announced",
                             (unsigned long long)end, (unsigned long long)upload->expected);
        error_hint(err, "send the file as it was announced, or make a new upload");
        return s;
    }
    return OK;
}

static status refuse_complete(const json_t *row, struct error *err)
{
    return strcmp(json_text(row, "state", ""), "complete") == 0
               ? error_set(err, ERR_CONFLICT, "the upload is complete already: %lld bytes",
                           (long long)json_int(row, "size", 0))
               : OK;
}

static status being_sent(struct error *err)
{
    status s = error_set(err, ERR_CONFLICT, "another request is sending this upload");
    error_hint(err, "wait until it ends; GET the upload tells how far it came");
    return s;
}

/* Is `path` this very file still? */
static bool is_named(int fd, const char *path)
{
    struct stat own, there;
    return fstat(fd, &own) == 0 && stat(path, &there) == 0 && own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

/* A request that gives the file its final name holds the lock on it until the row says so. */
static bool is_being_finished(const struct upload *upload)
{
    int fd = file_open(upload->final, O_RDONLY, 0);
    bool locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0;
    file_close(fd);
    return locked;
}

/* The part is this request's alone. The row that was read before says nothing then: *row is read anew. */
static status take_part(struct upload *upload, json_t **row, struct error *err)
{
    upload->fd = file_open(upload->part, O_RDWR | O_CREAT, 0600);
    if (upload->fd < 0)
        return error_set_errno(err, errno, "%s", upload->part);
    if (flock(upload->fd, LOCK_EX | LOCK_NB) != 0 || !is_named(upload->fd, upload->part))
        return being_sent(err);
    status s = is_being_finished(upload) ? being_sent(err) : OK;
    json_decref(*row);
    *row = NULL;
    if (s == OK)
        s = get_row(upload->context, upload->id, row, err);
    if (s == OK)
        s = refuse_complete(*row, err);
    if (s == ERR_CONFLICT ||
        s == ERR_NOT_FOUND) /* the file has its final name, or was removed: this part is a new one */
        (void)unlink(upload->part);
    return s;
}

/* The row as it stands, and where the file goes on. */
static status prepare(struct upload *upload, const json_t *row, const struct upload_request *request, struct error *err)
{
    int64_t announced = json_int(row, "expected_size", -1);
    struct stat now;
    upload->expected = announced >= 0 ? (uint64_t)announced : UINT64_MAX;
    if (request->total != UINT64_MAX && upload->expected != UINT64_MAX && request->total != upload->expected)
        return error_set(err, ERR_BAD_DATA, "Content-Range says %llu bytes, and %llu were announced",
                         (unsigned long long)request->total, (unsigned long long)upload->expected);
    if (request->total != UINT64_MAX)
        upload->expected = request->total;
    upload->by_parts = request->resumes;
    upload->open_end = request->open_end && upload->expected == UINT64_MAX;
    snprintf(upload->sha256, sizeof upload->sha256, "%s", json_text(row, "sha256", ""));
    status s = refuse_size(upload, request, err);
    if (s != OK)
        return s;
    if (fstat(upload->fd, &now) != 0)
        return error_set_errno(err, errno, "%s", upload->part);
    uint64_t kept = (uint64_t)json_int(row, "size", 0);
    if (kept > (uint64_t)now.st_size)
        kept = 0; /* the part is not what was recorded: nothing of it counts */
    if (request->offset != 0 && request->offset != kept) {
        s = error_set(err, ERR_CONFLICT, "the upload goes on at byte %llu, not at %llu", (unsigned long long)kept,
                      (unsigned long long)request->offset);
        error_hint(err, "send from there with Upload-Offset: %llu, or from the start", (unsigned long long)kept);
        return s;
    }
    if (ftruncate(upload->fd, (off_t)request->offset) != 0)
        return error_set_errno(err, errno, "%s", upload->part);
    crypto_hash_sha256_init(&upload->hash);
    upload->at = request->offset;
    upload->recorded = kept;
    return hash_again(upload, request->offset, err);
}

status upload_begin(struct api_context *context, const char *id, const struct upload_request *request,
                    struct upload **upload, struct error *err)
{
    json_t *row = NULL;
    struct upload *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->fd = -1;
    made->context = context;
    status s = paths_of(context, id, made->folder, made->part, made->final, err);
    if (s == OK) {
        snprintf(made->id, sizeof made->id, "%s", id);
        s = get_row(context, id, &row, err);
    }
    if (s == OK)
        s = refuse_complete(row, err);
    if (s == OK)
        s = take_part(made, &row, err);
    if (s == OK)
        s = prepare(made, row, request, err);
    json_decref(row);
    if (s == OK) {
        *upload = made;
    } else {
        file_close(made->fd);
        free(made);
    }
    return s;
}

/* What was received is on disk, and the row says so. After a failed fsync nobody knows what is there. */
static status record_progress(struct upload *upload, struct error *err)
{
    status s = file_fsync(upload->fd, upload->part, err);
    if (s != OK) {
        upload->spoiled = true;
        return s;
    }
    json_t *changes = json_object();
    s = json_put_int(changes, "size", (int64_t)upload->at, err);
    if (s == OK)
        s = update_row(upload->context, upload->id, changes, err);
    if (s == OK)
        upload->recorded = upload->at;
    json_decref(changes);
    return s;
}

status upload_write(struct upload *upload, const void *bytes, size_t n, struct error *err)
{
    if (n > upload->context->upload_most || upload->at > upload->context->upload_most - n) {
        status s = error_set(err, ERR_TOO_LARGE, "the upload is larger than the limit of %llu bytes",
                             (unsigned long long)upload->context->upload_most);
        error_hint(err, "start the server with a larger --upload-limit, or split the file");
        return s;
    }
    if (upload->expected != UINT64_MAX && upload->at + n > upload->expected)
        return error_set(err, ERR_BAD_DATA, "more bytes come than the %llu that were announced",
                         (unsigned long long)upload->expected);
    status s = file_pwrite_all(upload->fd, bytes, n, upload->at, upload->part, err);
    if (s != OK)
        return s;
    crypto_hash_sha256_update(&upload->hash, bytes, n);
    upload->at += n;
    api_metrics_upload(upload->context->metrics, n);
    return upload->at - upload->recorded >= RECORD_EVERY ? record_progress(upload, err) : OK;
}

static status check_hash(struct upload *upload, char hex[crypto_hash_sha256_BYTES * 2 + 1], struct error *err)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&upload->hash, hash);
    sodium_bin2hex(hex, crypto_hash_sha256_BYTES * 2 + 1, hash, sizeof hash);
    if (!upload->sha256[0] || strcmp(hex, upload->sha256) == 0)
        return OK;
    upload->spoiled = true;
    status s = error_set(err, ERR_BAD_DATA, "the bytes have the SHA-256 %s, and %s was announced", hex, upload->sha256);
    error_hint(err, "send the file again from its start; what came was dropped");
    return s;
}

static status publish(struct upload *upload, struct error *err)
{
    status s = file_fsync(upload->fd, upload->part, err);
    if (s != OK) {
        upload->spoiled = true;
        return s;
    }
    s = file_rename(upload->part, upload->final, FILE_RENAME_OVER, err);
    return s == OK ? dir_fsync(upload->folder, err) : s;
}

status upload_finish(struct upload *upload, bool *complete, json_t **record, struct error *err)
{
    char hex[crypto_hash_sha256_BYTES * 2 + 1], now[TIME_TEXT_CAP];
    json_t *changes = NULL;
    if (upload->open_end || (upload->expected != UINT64_MAX && upload->at < upload->expected)) {
        if (!upload->by_parts) {
            status s = error_set(err, ERR_BAD_DATA, "%llu bytes came, and %llu were announced",
                                 (unsigned long long)upload->at, (unsigned long long)upload->expected);
            error_hint(err, "send the rest with Upload-Offset: %llu, or all of it again",
                       (unsigned long long)upload->at);
            return s;
        }
        status s = record_progress(upload, err);
        if (s == OK)
            s = get_row(upload->context, upload->id, record, err);
        if (s == OK)
            *complete = false;
        return s;
    }
    status s = check_hash(upload, hex, err);
    if (s == OK)
        s = publish(upload, err);
    if (s != OK)
        return s;
    time_text(civil_micros_now(), now);
    changes = json_object();
    s = json_put_text(changes, "state", "complete", err);
    if (s == OK)
        s = json_put_int(changes, "size", (int64_t)upload->at, err);
    if (s == OK)
        s = json_put_text(changes, "sha256", hex, err);
    if (s == OK)
        s = json_put_text(changes, "completed_at", now, err);
    if (s == OK)
        s = update_row(upload->context, upload->id, changes, err);
    if (s == OK) {
        upload->recorded = upload->at;
        s = get_row(upload->context, upload->id, record, err);
    }
    if (s == OK)
        *complete = true;
    json_decref(changes);
    return s;
}

void upload_close(struct upload *upload)
{
    if (!upload)
        return;
    if (upload->spoiled) {
        upload->at = 0;
        upload->spoiled = false;
        if (ftruncate(upload->fd, 0) != 0)
            (void)unlink(upload->part);
        upload->recorded = UINT64_MAX;
    }
    /* What cannot be recorded is given back: the disk may be full of it. */
    if (upload->recorded != upload->at && record_progress(upload, NULL) != OK && upload->recorded < upload->at &&
        ftruncate(upload->fd, (off_t)upload->recorded) != 0)
        (void)unlink(upload->part);
    file_close(upload->fd);
    free(upload);
}

void upload_discard(struct upload *upload)
{
    struct db *db = NULL;
    /* First, and closed: without it there may be no space for the row's change. */
    (void)unlink(upload->part);
    file_close(upload->fd);
    status s = store_writer(upload->context->store, &db, NULL);
    if (s == OK)
        s = record_delete(db, &uploads_table, upload->id, NULL);
    store_give_back(upload->context->store, db);
    (void)s; /* the row that is then left says "receiving, 0 bytes" and can be deleted */
    free(upload);
}

status upload_remove_files(struct api_context *context, const char *id, struct error *err)
{
    char folder[PATH_MAX], part[PATH_MAX], final[PATH_MAX];
    status s = paths_of(context, id, folder, part, final, err);
    if (s != OK)
        return s;
    if ((unlink(part) != 0 && errno != ENOENT) || (unlink(final) != 0 && errno != ENOENT))
        return error_set_errno(err, errno, "%s", final);
    return OK;
}

static bool read_number(const char **at, uint64_t *n)
{
    struct str digits = {*at, strspn(*at, "0123456789")};
    *at += digits.n;
    return digits.n && str_parse_u64(digits, INT64_MAX, n);
}

status upload_request_parse(const char *content_range, const char *upload_offset, struct upload_request *request,
                            struct error *err)
{
    struct upload_request made = {.total = UINT64_MAX, .length = request->length};
    uint64_t last = 0;
    if (content_range) {
        const char *at = content_range;
        bool good = strncmp(at, "bytes ", 6) == 0;
        at += good ? 6 : 0;
        good = good && read_number(&at, &made.offset) && *at++ == '-' && read_number(&at, &last) && *at++ == '/' &&
               (strcmp(at, "*") == 0 || (read_number(&at, &made.total) && *at == '\0' && last < made.total)) &&
               last >= made.offset;
        if (!good) {
            status s = error_set(err, ERR_INVALID, "Content-Range: %.80s: not a range", content_range);
            error_hint(err, "write for example: Content-Range: bytes 0-1048575/4194304");
            return s;
        }
        if (made.length != UINT64_MAX && last - made.offset + 1 != made.length)
            return error_set(err, ERR_INVALID, "Content-Range names %llu bytes, and the body has %llu",
                             (unsigned long long)(last - made.offset + 1), (unsigned long long)made.length);
        made.resumes = true;
        made.open_end = made.total == UINT64_MAX;
    } else if (upload_offset) {
        const char *at = upload_offset;
        if (!read_number(&at, &made.offset) || *at)
            return error_set(err, ERR_INVALID, "Upload-Offset: %.40s: not a number of bytes", upload_offset);
        made.resumes = true;
    }
    *request = made;
    return OK;
}
