/* SQLite files as a source, read only (docs/formats.md tells which declared type becomes which). */
#ifndef FF_SOURCE_SQLITE_SQLITE_SOURCE_H
#define FF_SOURCE_SQLITE_SQLITE_SOURCE_H

#include "source/db_driver.h"

extern const struct db_driver sqlite_driver;

#endif
