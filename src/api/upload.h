/* Bytes of an upload on their way to <home>/uploads: <id>.part while they come, <id> when all are there and synced.
 * Every function may block; one thread at a time for one upload. */
#ifndef FF_API_UPLOAD_H
#define FF_API_UPLOAD_H

#include "api/route.h"

#define UPLOAD_PIECE (64u << 10)

/* What a request says of its bytes. */
struct upload_request {
    bool resumes;    /* an offset was given */
    uint64_t offset; /* of the first byte */
    uint64_t total;  /* of the whole file; UINT64_MAX: not said */
    bool open_end;   /* "/" followed by "*": more may follow */
    uint64_t length; /* of the body; UINT64_MAX: not said */
};

struct upload;
/* The row of a new upload: `filename` is kept for people and format detection, never as a path. *record gets the id. */
status upload_create(struct api_context *context, const char *filename, const char *content_type, int64_t size,
                     const char *sha256, const char *actor, json_t **record, struct error *err) MUST_USE;
/* Without an offset the upload starts anew. With one, it has to be what is kept (GET tells `size`); what is there is
 * hashed again. ERR_CONFLICT: complete already, received by another request, or another offset; ERR_TOO_LARGE. */
status upload_begin(struct api_context *context, const char *id, const struct upload_request *request,
                    struct upload **upload, struct error *err) MUST_USE;
/* After a failure what was synced before can be resumed; after ERR_IO of a sync the upload starts anew. */
status upload_write(struct upload *upload, const void *bytes, size_t n, struct error *err) MUST_USE;
/* The body ended. All there: checked, synced, renamed, recorded. A part that was sent as such is kept (*complete
 * false). ERR_BAD_DATA: size or checksum are not as announced. */
status upload_finish(struct upload *upload, bool *complete, json_t **record, struct error *err) MUST_USE;
/* Sync and record what came, so that the client can go on from there; frees. NULL is fine. */
void upload_close(struct upload *upload);
/* Its part and its row go; frees. For an upload whose id the client never got. */
void upload_discard(struct upload *upload);
/* Its file and its part, after the row went: a row without its file would be found by a job, a file without a row by
 * nobody. */
status upload_remove_files(struct api_context *context, const char *id, struct error *err) MUST_USE;
/* "bytes a-b/total" (total may be *) or an Upload-Offset; both NULL: none. ERR_INVALID. */
status upload_request_parse(const char *content_range, const char *upload_offset, struct upload_request *request,
                            struct error *err) MUST_USE;

#endif
