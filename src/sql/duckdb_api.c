#include "sql/duckdb_api.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIBRARY_NAME "libduckdb.so"
#define VERSION_WANTED "v1.5."

/* RTLD_LOCAL: it exports symbols of libraries that it carries inside, which must not stand in for ours. RTLD_NODELETE:
 * its threads and exit handlers live in it. */
static void *open_library(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

/* Try <folder of the program>/<relative>libduckdb.so; `tried` gets the path. */
static void *open_beside_program(const char *relative, char tried[PATH_MAX])
{
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0)
        return NULL;
    program[n] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return NULL;
    slash[1] = '\0';
    if ((size_t)snprintf(tried, PATH_MAX, "%s%s" LIBRARY_NAME, program, relative) >= PATH_MAX)
        return NULL;
    return open_library(tried);
}

static status not_loaded(struct error *err, const char *why)
{
    status s =
        error_set(err, ERR_NOT_FOUND, "the DuckDB library could not be loaded: %s", why ? why : "no reason given");
    error_hint(err, "put " LIBRARY_NAME
                    " (DuckDB 1.5) beside the flowforge program, or set FLOWFORGE_LIBDUCKDB to its path");
    return s;
}

static status find_library(struct duckdb_api *api, struct error *err)
{
    const char *named = getenv("FLOWFORGE_LIBDUCKDB");
    if (named && *named) {
        api->library = open_library(named);
        return api->library ? OK : not_loaded(err, dlerror());
    }
    char tried[PATH_MAX] = "";
    api->library = open_beside_program("", tried);
    if (!api->library && access(tried, F_OK) == 0)
        return not_loaded(err, dlerror()); /* it is there but does not load: say why */
    if (!api->library)
        api->library = open_beside_program("../lib/flowforge/", tried);
    return api->library ? OK : not_loaded(err, dlerror());
}

static status find_functions(struct duckdb_api *api, struct error *err)
{
    void *address;
    const char *missing = NULL;
    /* memcpy: ISO C has no conversion from an object pointer to a function pointer. */
#define DUCKDB_FUNCTION(name)                                                                                          \
    address = dlsym(api->library, "duckdb_" #name);                                                                    \
    memcpy(&api->name, &address, sizeof address);                                                                      \
    if (!address)                                                                                                      \
        missing = #name;
#include "sql/duckdb_functions.def"
#undef DUCKDB_FUNCTION
    if (api->library_version && strncmp(api->library_version(), VERSION_WANTED, strlen(VERSION_WANTED)) != 0) {
        status s = error_set(err, ERR_UNSUPPORTED, "the DuckDB library is %s, and " VERSION_WANTED "x is needed",
                             api->library_version());
        error_hint(err, "use the " LIBRARY_NAME " that came with this flowforge");
        return s;
    }
    if (missing)
        return error_set(err, ERR_UNSUPPORTED, "the DuckDB library has no function duckdb_%s", missing);
    return OK;
}

status duckdb_api_load(struct duckdb_api *api, struct error *err)
{
    struct duckdb_api loaded = {0};
    status s = find_library(&loaded, err);
    if (s == OK)
        s = find_functions(&loaded, err);
    if (s == OK)
        *api = loaded;
    else
        duckdb_api_release(&loaded);
    return s;
}

void duckdb_api_release(struct duckdb_api *api)
{
    if (api->library)
        dlclose(api->library);
    *api = (struct duckdb_api){0};
}
