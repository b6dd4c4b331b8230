/* What refers to uploads. */
#ifndef FF_STORE_STORE_UPLOADS_H
#define FF_STORE_STORE_UPLOADS_H

#include "store/store_access.h"

/* Name of an enabled ingest job that takes this upload; "" when there is none. */
status upload_user(struct db *db, const char *upload_id, char *job_name, size_t cap, struct error *err) MUST_USE;

#endif
