/* Control-plane JSON (jansson) under our error rules. Never for data: it is slow and keeps whole documents. */
#ifndef FF_BASE_JSON_H
#define FF_BASE_JSON_H

#include <jansson.h>

#include "base/buf.h"

#define JSON_DEPTH_MOST 64

/* One document of n bytes; repeated members and depth beyond JSON_DEPTH_MOST are errors. ERR_INVALID names line and
 * column; `what` ("request body") begins the message. *value is a new reference. */
status json_parse(const char *text, size_t n, const char *what, json_t **value, struct error *err) MUST_USE;
/* Append as compact text (JSON_COMPACT, non-ASCII kept). */
status json_write(const json_t *value, struct buf *text, struct error *err) MUST_USE;
/* object[key] = value, stealing value. NULL value (what jansson's constructors give when memory runs out) is
 * ERR_NO_MEMORY. */
status json_put(json_t *object, const char *key, json_t *value, struct error *err) MUST_USE;
status json_put_text(json_t *object, const char *key, const char *text, struct error *err) MUST_USE; /* NULL: null */
status json_put_int(json_t *object, const char *key, int64_t n, struct error *err) MUST_USE;
status json_put_bool(json_t *object, const char *key, bool yes, struct error *err) MUST_USE;
status json_add(json_t *array, json_t *value, struct error *err) MUST_USE;
/* Members of an object; absent, null or another type gives the fallback. The text belongs to the object. */
const char *json_text(const json_t *object, const char *key, const char *fallback);
int64_t json_int(const json_t *object, const char *key, int64_t fallback);
bool json_flag(const json_t *object, const char *key, bool fallback);
/* Microseconds since 1970 UTC as "2026-11-25T10:00:00.123456Z", and back ("Z" or an offset; fraction optional). */
#define TIME_TEXT_CAP 40
void time_text(int64_t micros, char into[TIME_TEXT_CAP]);
bool time_parse(const char *text, int64_t *micros);

#endif
