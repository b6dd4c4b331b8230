#include "source/postgres/libpq_api.h"

#include <dlfcn.h>
#include <string.h>

#define LIBRARY_NAME "libpq.so.5"

static status unusable(struct error *err, const char *why)
{
    status s = error_set(err, ERR_UNSUPPORTED, "the PostgreSQL client library cannot be used: %s", why);
    error_hint(err, "install " LIBRARY_NAME " on the machine that runs the task (Debian: apt-get install libpq5)");
    return s;
}

status libpq_api_load(struct libpq_api *api, struct error *err)
{
    struct libpq_api loaded = {.library = dlopen(LIBRARY_NAME, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)};
    const char *missing = NULL;
    void *address;
    if (!loaded.library) {
        const char *why = dlerror();
        return unusable(err, why ? why : "no reason given");
    }
    /* memcpy: ISO C has no conversion from an object pointer to a function pointer. */
#define LIBPQ_FUNCTION(name)                                                                                           \
    address = dlsym(loaded.library, #name);                                                                            \
    memcpy(&loaded.name, &address, sizeof address);                                                                    \
    if (!address)                                                                                                      \
        missing = "it lacks the function " #name;
#include "source/postgres/libpq_functions.def"
#undef LIBPQ_FUNCTION
    if (missing) {
        libpq_api_release(&loaded);
        return unusable(err, missing);
    }
    *api = loaded;
    return OK;
}

void libpq_api_release(struct libpq_api *api)
{
    if (api->library)
        dlclose(api->library);
    *api = (struct libpq_api){0};
}
