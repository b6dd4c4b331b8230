/* PostgreSQL as a source: rows by binary COPY (docs/formats.md tells which type becomes which). */
#ifndef FF_SOURCE_POSTGRES_POSTGRES_H
#define FF_SOURCE_POSTGRES_POSTGRES_H

#include "source/db_driver.h"

extern const struct db_driver postgres_driver;

#endif
