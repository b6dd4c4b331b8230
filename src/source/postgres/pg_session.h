/* One connection to PostgreSQL with its read-only transaction, and what the parts of the driver share. */
#ifndef FF_SOURCE_POSTGRES_PG_SESSION_H
#define FF_SOURCE_POSTGRES_PG_SESSION_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/json.h"
#include "source/db_driver.h"
#include "source/postgres/libpq_api.h"
#include "source/postgres/pg_types.h"

struct db_session {
    const struct db_driver *driver;
    struct libpq_api pq;
    PGconn *connection;
    PGcancel *cancel; /* made once: PQcancel is then safe from any thread */
    atomic_bool cancelled;
    char *server; /* "host:port/database", for messages */
};

/* ---- pg_session.c ---- */

status pg_connect(struct db_session **session, const json_t *config, db_step *step, void *self,
                  struct error *err) MUST_USE;
void pg_cancel(struct db_session *session);
void pg_close(struct db_session *session);
/* One statement with text parameters (simple protocol when there are none). *result is to be PQclear'ed. */
status pg_query(struct db_session *session, const char *sql, const char *const *parameters, int count,
                PGresult **result, struct error *err) MUST_USE;
/* Wait for the socket; ERR_CANCELLED some time after a cancel that the server did not heed. */
status pg_wait(struct db_session *session, short events, struct error *err) MUST_USE;

/* ---- pg_error.c ---- */

/* Of a result, or of the connection when it is NULL. */
status pg_result_error(struct db_session *session, const PGresult *result, struct error *err);
/* What the server said in an ErrorResponse: state ("57014"), message, and position in the statement (0: none). */
status pg_server_error(struct db_session *session, const char *state, const char *message, const char *detail,
                       struct error *err);
/* Why no connection came about, by libpq's verbose message. */
status pg_connect_error(struct db_session *session, const char *message, struct error *err);

/* ---- pg_query.c: what a read asks for ---- */

struct pg_columns {
    struct schema schema;
    enum pg_wire *wire; /* one a column, as the two below */
    enum pg_cast *cast; /* in the select list */
    Oid *oids;
};
void pg_columns_release(struct pg_columns *columns);
/* Prepare the statement (the server checks it) and learn its columns. */
status pg_columns_read(struct db_session *session, const struct db_read *read, struct pg_columns *columns,
                       struct error *err) MUST_USE;
/* SELECT of the columns as the decoder wants them, within the bounds; sets the bounds as settings of the transaction.
 */
status pg_select(struct db_session *session, const struct db_read *read, const struct pg_columns *columns,
                 struct buf *sql, struct error *err) MUST_USE;
status pg_estimate(struct db_session *session, const struct db_read *read, int64_t *rows, struct error *err) MUST_USE;
status pg_highest(struct db_session *session, const struct db_read *read, char **value, struct error *err) MUST_USE;

/* ---- pg_tables.c, pg_copy.c ---- */

status pg_tables(struct db_session *session, json_t **tables, struct error *err) MUST_USE;
status pg_copy_open(struct db_session *session, const struct db_read *read, struct batch_stream *stream,
                    struct error *err) MUST_USE;

#endif
