/* Rows of a database as an ingest run's input (docs/sources.md 3, DESIGN 3.7). */
#ifndef FF_JOB_INGEST_DB_H
#define FF_JOB_INGEST_DB_H

#include "job/ingest_options.h"
#include "source/db_driver.h"

struct ingest_db {
    const struct db_driver *driver; /* NULL: the run is not from a database */
    struct db_session *session;
    struct db_read read;
    char *column, *lower, *upper; /* behind `read` */
    char *uri, *name;             /* "postgres://host/database/schema.table", "schema.table" */
    struct db_cancel *watch;      /* hands a request to stop on to the server */
};

/* Of a task whose answer somebody waits for. */
#define INGEST_DB_PATIENCE 20.0

/* Connect, and fix what will be read: the columns are described, the upper bound is read once. `convert` gets the
 * opener of the stream. `patience` in seconds bounds each statement; 0: only the connection's own limits. *db must stay
 * where it is until the conversion is done. */
status ingest_db_open(struct ingest_db *db, const struct ingest_options *options, const json_t *payload,
                      double patience, const atomic_bool *cancel, struct convert_options *convert,
                      struct error *err) MUST_USE;
/* {"window": {"column", "from", "to", "to_open"} or null, "rows_estimate": n or null} into `plan`. */
status ingest_db_plan(struct ingest_db *db, json_t *plan, struct error *err) MUST_USE;
void ingest_db_close(struct ingest_db *db);

#endif
