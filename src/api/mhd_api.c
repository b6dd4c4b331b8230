#include "api/mhd_api.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY_NAME "libmicrohttpd.so.12"

status mhd_api_load(struct mhd_api *api, struct error *err)
{
    struct mhd_api loaded = {.library = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    if (!loaded.library) {
        const char *why = dlerror();
        status s =
            error_set(err, ERR_NOT_FOUND, "the HTTP library could not be loaded: %s", why ? why : "no reason given");
        error_hint(err, "install libmicrohttpd12 (Debian, Ubuntu) or libmicrohttpd (elsewhere)");
        return s;
    }
    void *address;
    const char *missing = NULL;
    /* memcpy: ISO C has no conversion from an object pointer to a function pointer. */
#define MHD_FUNCTION(name)                                                                                             \
    address = dlsym(loaded.library, "MHD_" #name);                                                                     \
    memcpy(&loaded.name, &address, sizeof address);                                                                    \
    if (!address)                                                                                                      \
        missing = #name;
#include "api/mhd_functions.def"
#undef MHD_FUNCTION
    if (missing) {
        dlclose(loaded.library);
        return error_set(err, ERR_UNSUPPORTED, "the HTTP library has no function MHD_%s", missing);
    }
    *api = loaded;
    return OK;
}
