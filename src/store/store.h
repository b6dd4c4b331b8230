/* The metadata of one home: its connections and its migrations. The aggregates are in store_<name>.h; their functions
 * take a connection, so that several can share a transaction. */
#ifndef FF_STORE_STORE_H
#define FF_STORE_STORE_H

#include "store/db.h"

struct store;

/* Opens or creates <path>, brings it to the newest version (each migration in one transaction, PRAGMA user_version).
 * ERR_UNSUPPORTED when the file was written by a newer FlowForge. */
status store_open(struct store **store, const char *path, struct error *err) MUST_USE;
#define STORE_VERSION 4 /* the number of migrations */

/* All connections have been given back. NULL is fine. */
void store_close(struct store *store);

/* The one writing connection, exclusively until it is given back; waits for it. A thread that has it must not ask
 * again. */
status store_writer(struct store *store, struct db **db, struct error *err) MUST_USE;
/* A reading connection of a pool; sees what is committed. When all are lent out it waits, so a thread takes one at a
 * time. */
status store_reader(struct store *store, struct db **db, struct error *err) MUST_USE;
/* What this process has committed so far, for caches (db_version): what was read after this number was taken, and the
 * number is the same again later, is what would be read then. 0: nothing can be said now. Takes no lock. */
uint64_t store_version(const struct store *store);
/* Give either back (a transaction that is open is rolled back). NULL is fine. */
void store_give_back(struct store *store, struct db *db);

#endif
