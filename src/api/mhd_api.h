/* libmicrohttpd, loaded at run time by the process that serves (docs/decisions/0007). */
#ifndef FF_API_MHD_API_H
#define FF_API_MHD_API_H

#include <microhttpd.h>

#include "base/error.h"

struct mhd_api {
    void *library; /* of dlopen; NULL: not loaded */
#define MHD_FUNCTION(name) __typeof__(MHD_##name) *name;
#include "api/mhd_functions.def"
#undef MHD_FUNCTION
};

/* ERR_NOT_FOUND when it is not installed, ERR_UNSUPPORTED when it lacks a function. It stays loaded until the process
 * ends: its TLS library has exit handlers. */
status mhd_api_load(struct mhd_api *api, struct error *err) MUST_USE;

#endif
