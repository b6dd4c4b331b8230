/* Databases as sources: one const table per kind (source/<kind>/). Used in task processes only.
 *
 * A session is one connection with one read-only transaction of one consistent snapshot: everything that a run asks is
 * asked through it. Calls come from one thread at a time, cancel from any. */
#ifndef FF_SOURCE_DB_DRIVER_H
#define FF_SOURCE_DB_DRIVER_H

#include "base/json.h"
#include "batch/batch.h"

/* A step of connecting, told as it ends: "resolve", "connect", "tls", "authenticate", "select". */
typedef void db_step(void *self, const char *step, double seconds, const struct error *failure);

struct db_session; /* each driver's own; the first member is `const struct db_driver *driver` */

/* What to read. Exactly one of table ("schema.table", identifiers as they are) and query (one SELECT without ';'). */
struct db_read {
    const char *table, *query;
    /* The watermark: rows with lower <= column and column <= upper (upper_open: < upper), either NULL: no such bound.
     * Bound as parameters of the column's type, in the driver's full precision. */
    const char *column;
    const char *lower, *upper;
    bool upper_open;
    bool nulls;        /* rows whose column is null come along, whatever the bounds: they must not get lost silently */
    size_t most_rows;  /* read no more than so many; 0: all */
    size_t batch_rows; /* 0: the driver's choice */
    size_t batch_bytes;
};

struct db_driver {
    const char *kind; /* "postgres" */
    /* config: of the connection, with secrets. Timeouts of the config hold. ERR_UNAVAILABLE (retryable) when the server
     * cannot be reached, ERR_DENIED for credentials, each with a hint. */
    status (*connect)(struct db_session **session, const json_t *config, db_step *step, void *self, struct error *err);
    /* Schemas, tables, columns: [{"schema", "name", "kind": "table" | "view", "rows": estimate or null, "columns":
     * [{"name", "type", "source_type", "nullable", "key": bool}]}]. */
    status (*tables)(struct db_session *session, json_t **tables, struct error *err);
    /* The columns that read() will give, by the database's own description; nothing is read. ERR_INVALID with the
     * database's message and position for SQL that is wrong. */
    status (*describe)(struct db_session *session, const struct db_read *read, struct schema *schema,
                       struct error *err);
    /* The highest value of read->column as text in full precision; *value NULL when there is none. To be freed. */
    status (*highest)(struct db_session *session, const struct db_read *read, char **value, struct error *err);
    /* Start reading; batches have describe's schema. Values that no type of ours holds exactly are bad values of the
     * batch (batch.h), never changed silently. */
    status (*open)(struct db_session *session, const struct db_read *read, struct batch_stream *stream,
                   struct error *err);
    /* How many rows the database expects the read to give, by its statistics; -1: it does not know. NULL: never. */
    status (*estimate)(struct db_session *session, const struct db_read *read, int64_t *rows, struct error *err);
    /* Make what runs end soon with ERR_CANCELLED, on the server too. */
    void (*cancel)(struct db_session *session);
    void (*close)(struct db_session *session); /* NULL is fine */
};

/* NULL: no such kind. */
const struct db_driver *db_driver_find(const char *kind);

#endif
