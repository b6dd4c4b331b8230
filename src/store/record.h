/* Records between JSON and tables: a table per aggregate says which member is which column. */
#ifndef FF_STORE_RECORD_H
#define FF_STORE_RECORD_H

#include "store/db.h"

enum column_kind {
    COLUMN_TEXT,
    COLUMN_INTEGER,
    COLUMN_REAL,
    COLUMN_BOOLEAN, /* 0 or 1 */
    COLUMN_JSON,    /* JSON text */
    COLUMN_TIME     /* microseconds; RFC 3339 text in JSON */
};

struct record_column {
    const char *name; /* of column and member */
    enum column_kind kind;
};

/* columns[0] is the text primary key. */
struct record_table {
    const char *table;
    const char *what; /* "ingest job", for messages */
    const struct record_column *columns;
    size_t count;
};

/* Members without a column are ignored; columns without a member get their default, null is null. A member of another
 * kind than its column is ERR_INVALID. */
status record_insert(struct db *db, const struct record_table *table, const json_t *record, struct error *err) MUST_USE;
/* Sets the columns that `changes` has members for, except the id. ERR_NOT_FOUND when there is no such id. */
status record_update(struct db *db, const struct record_table *table, const char *id, const json_t *changes,
                     struct error *err) MUST_USE;
/* ERR_NOT_FOUND: "there is no <what> '<id>'". */
status record_get(struct db *db, const struct record_table *table, const char *id, json_t **record,
                  struct error *err) MUST_USE;
/* ERR_NOT_FOUND likewise. */
status record_delete(struct db *db, const struct record_table *table, const char *id, struct error *err) MUST_USE;

#define RECORDS_ALL SIZE_MAX

/* A page of a list, newest id first (or oldest first). `where` is SQL over the table's columns with ?1.. for binds,
 * NULL: all. `after` is the last id of the page before, NULL: from the start. */
struct record_page {
    const char *where;
    const struct db_value *binds;
    size_t bind_count;
    bool ascending;
    const char *after;
    size_t limit;            /* >= 1; RECORDS_ALL: no limit */
    const char *const *omit; /* columns not to be read (large ones), NULL-terminated; may be NULL */
};
/* *rows: array of records; *more: there are further ones. */
status record_list(struct db *db, const struct record_table *table, const struct record_page *page, json_t **rows,
                   bool *more, struct error *err) MUST_USE;

/* One row as a record: row[i] is columns[i]. *record is a new reference. For queries of an aggregate's own. */
status record_of_row(const struct record_column *columns, size_t count, const struct db_value *row, json_t **record,
                     struct error *err) MUST_USE;
/* All rows of a query whose columns are these, in its order. *rows: a new array. */
status record_query(struct db *db, const struct record_column *columns, size_t count, const char *sql,
                    const struct db_value *binds, size_t bind_count, json_t **rows, struct error *err) MUST_USE;

#endif
