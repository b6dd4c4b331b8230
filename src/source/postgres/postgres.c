#include "source/postgres/postgres.h"

#include "source/postgres/pg_session.h"

static status describe(struct db_session *session, const struct db_read *read, struct schema *schema, struct error *err)
{
    struct pg_columns columns = {0};
    status s = pg_columns_read(session, read, &columns, err);
    if (s == OK) {
        *schema = columns.schema;
        columns.schema = (struct schema){0};
    }
    pg_columns_release(&columns);
    return s;
}

const struct db_driver postgres_driver = {
    .kind = "postgres",
    .connect = pg_connect,
    .tables = pg_tables,
    .describe = describe,
    .highest = pg_highest,
    .open = pg_copy_open,
    .estimate = pg_estimate,
    .cancel = pg_cancel,
    .close = pg_close,
};
