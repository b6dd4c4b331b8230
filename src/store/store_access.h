/* Tokens, audit, uploads, settings. */
#ifndef FF_STORE_STORE_ACCESS_H
#define FF_STORE_STORE_ACCESS_H

#include "store/record.h"

enum role { ROLE_NONE, ROLE_VIEWER, ROLE_EDITOR, ROLE_ADMIN };
const char *role_name(enum role role);
bool role_parse(const char *name, enum role *role);

/* A new token "ff_<64 hex>": shown this once, stored as its SHA-256. *record: {id, name, role, created_at, expires_at}.
 * expires_at in microseconds, 0: never. The caller wipes `token`. ERR_INVALID for ROLE_NONE. */
#define TOKEN_CAP 68
status token_create(struct db *db, const char *name, enum role role, int64_t expires_at, char token[TOKEN_CAP],
                    json_t **record, struct error *err) MUST_USE;
/* ROLE_NONE when unknown, expired or revoked (compared by hash, so in constant time). name: for the audit. *until: when
 * it expires, in microseconds; INT64_MAX: never. */
status token_check(struct db *db, const char *token, int64_t now, enum role *role, int64_t *until, char *name,
                   size_t cap, struct error *err) MUST_USE;
/* Notes that the token was used, at most once a minute; needs the writer. */
status token_touch(struct db *db, const char *token, int64_t now, struct error *err) MUST_USE;
/* Newest first: [{id, name, role, created_at, expires_at, last_used_at, revoked_at}] */
status token_list(struct db *db, json_t **rows, struct error *err) MUST_USE;
/* Again is fine. */
status token_revoke(struct db *db, const char *id, struct error *err) MUST_USE;

/* details may be NULL. */
status audit_add(struct db *db, const char *actor, const char *action, const char *object_type, const char *object_id,
                 const json_t *details, struct error *err) MUST_USE;
/* Newest first, with ids below before_id (0: from the newest): [{id, time, actor, action, object_type, object_id,
 * details}]. */
status audit_list(struct db *db, int64_t before_id, size_t limit, json_t **rows, struct error *err) MUST_USE;

extern const struct record_table uploads_table;

/* JSON text values. *value NULL when not set. */
status setting_get(struct db *db, const char *key, json_t **value, struct error *err) MUST_USE;
status setting_put(struct db *db, const char *key, const json_t *value, struct error *err) MUST_USE;

#endif
