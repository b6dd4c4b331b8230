/* The DuckDB library, loaded at run time: it is some 70 MB, and only the tasks that need it pay for it. */
#ifndef FF_SQL_DUCKDB_API_H
#define FF_SQL_DUCKDB_API_H

#include <duckdb.h>

#include "base/error.h"

struct duckdb_api {
    void *library; /* of dlopen; NULL: not loaded */
#define DUCKDB_FUNCTION(name) __typeof__(duckdb_##name) *name;
#include "sql/duckdb_functions.def"
#undef DUCKDB_FUNCTION
};

/* Load libduckdb.so: the file that the environment's FLOWFORGE_LIBDUCKDB names; else libduckdb.so in the folder of
 * the running program; else in ../lib/flowforge/ from there. ERR_NOT_FOUND with the places that were tried;
 * ERR_UNSUPPORTED when it is not version 1.5.x (1.4 lets a symbolic link escape the allowed folders; what comes after
 * 1.5 is untried) or lacks a function. */
status duckdb_api_load(struct duckdb_api *api, struct error *err) MUST_USE;
/* Let go of the handle. The library itself stays mapped until the process ends. */
void duckdb_api_release(struct duckdb_api *api);

#endif
