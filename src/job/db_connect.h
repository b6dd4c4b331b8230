/* A task's connection to a database. */
#ifndef FF_JOB_DB_CONNECT_H
#define FF_JOB_DB_CONNECT_H

#include "source/db_driver.h"

/* By payload.connection {kind, config with secrets}; files of a database (sqlite) have to lie below
 * payload.local_roots. `step` may be NULL. *driver is set even when connecting fails, *session only on success. */
status db_connect(const json_t *payload, db_step *step, void *self, const struct db_driver **driver,
                  struct db_session **session, struct error *err) MUST_USE;

#endif
