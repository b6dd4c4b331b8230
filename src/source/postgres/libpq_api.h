/* libpq, loaded at run time by the tasks that talk to PostgreSQL (docs/decisions/0007). */
#ifndef FF_SOURCE_POSTGRES_LIBPQ_API_H
#define FF_SOURCE_POSTGRES_LIBPQ_API_H

#include <postgresql/libpq-fe.h>

#include "base/error.h"

struct libpq_api {
    void *library; /* of dlopen; NULL: not loaded */
#define LIBPQ_FUNCTION(name) __typeof__(name) *name;
#include "source/postgres/libpq_functions.def"
#undef LIBPQ_FUNCTION
};

/* Load libpq.so.5. ERR_UNSUPPORTED, with what to install, when it is not there or lacks a function. */
status libpq_api_load(struct libpq_api *api, struct error *err) MUST_USE;
/* The library stays mapped until the process ends. */
void libpq_api_release(struct libpq_api *api);

#endif
