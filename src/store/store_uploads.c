#include "store/store_uploads.h"

#include <stdio.h>

struct found_name {
    char *name;
    size_t cap;
};

static status take_name(void *self, const struct db_value *row, size_t columns, struct error *err)
{
    const struct found_name *found = self;
    if (columns != 1)
        return error_set(err, ERR_INTERNAL, "a query for a name gave %zu columns", columns);
    snprintf(found->name, found->cap, "%.*s", (int)row[0].length, (const char *)row[0].bytes);
    return OK;
}

status upload_user(struct db *db, const char *upload_id, char *job_name, size_t cap, struct error *err)
{
    struct found_name found = {job_name, cap};
    job_name[0] = '\0';
    return db_each(db,
                   "SELECT name FROM layer_centric_ingest_jobs WHERE enabled = 1"
                   " AND json_extract(config, '$.upload_id') = ?1 LIMIT 1",
                   DB_BINDS(db_text(upload_id)), take_name, &found, err);
}
