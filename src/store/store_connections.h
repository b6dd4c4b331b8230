/* Connections: how sources are reached (docs/sources.md). Their secrets are sealed (sys/secret_box.h) under the key
 * file at `key_path`, bound to the connection's id; everything else can be read without the key.
 *
 * Secrets go about as one flat object {path: value}; the path of a member of an object in config is "auth.password". */
#ifndef FF_STORE_STORE_CONNECTIONS_H
#define FF_STORE_STORE_CONNECTIONS_H

#include "store/record.h"

/* The record as it is shown: config without secrets, "secrets_set": [paths], last_test. */
extern const struct record_table connections_table;

/* <home>/secret.key; to be released. */
status connection_key_path(const char *home, struct buf *path, struct error *err) MUST_USE;

/* Fills in id, times and secrets_set; *record (the caller's) gets them. ERR_CONFLICT when the name is taken. The first
 * secret of a home makes its key. */
status connection_create(struct db *db, const char *key_path, json_t *record, const json_t *secrets,
                         struct error *err) MUST_USE;
/* Sets name and config, and the secrets to exactly those of `secrets` plus, as they are, those named in `kept`. The key
 * is only needed to write new ones; what cannot be opened any more can be replaced or removed. */
status connection_update(struct db *db, const char *key_path, const char *id, json_t *record, const json_t *secrets,
                         const json_t *kept, struct error *err) MUST_USE;
/* By id, or else by name. */
status connection_find(struct db *db, const char *id_or_name, json_t **record, struct error *err) MUST_USE;
/* {"id", "name", "kind", "config", "secrets_set"} with the secrets in config: for the payload of a task, never to be
 * shown, logged or stored. ERR_BAD_DATA when the key is lost or another one. */
status connection_open(struct db *db, const char *key_path, const char *id, json_t **connection,
                       struct error *err) MUST_USE;
/* Jobs that use it: [{"id", "name", "pipeline_id", "pipeline"}], oldest first. */
status connection_users(struct db *db, const char *id, json_t **jobs, struct error *err) MUST_USE;
/* ERR_CONFLICT when a job uses it, naming the first ones. */
status connection_delete(struct db *db, const char *id, struct error *err) MUST_USE;
/* Notes the result of a test; updated_at stays. A connection that is gone by now is no error. */
status connection_tested(struct db *db, const char *id, const json_t *result, struct error *err) MUST_USE;
/* ERR_INVALID when the record of an ingest job names a connection that does not exist. */
status connection_required(struct db *db, const json_t *job, struct error *err) MUST_USE;

/* *all: `secrets` with those of `kept` (paths) added from what is stored for the connection. */
status connection_merge_secrets(struct db *db, const char *key_path, const char *id, const json_t *secrets,
                                const json_t *kept, json_t **all, struct error *err) MUST_USE;
/* Put secrets {path: value} into a config. */
status connection_put_secrets(json_t *config, const json_t *secrets, struct error *err) MUST_USE;

#endif
