#include "source/db_driver.h"

#include <string.h>

#include "source/postgres/postgres.h"
#include "source/sqlite/sqlite_source.h"

static const struct db_driver *const drivers[] = {&postgres_driver, &sqlite_driver};

const struct db_driver *db_driver_find(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LENGTH(drivers); i++)
        if (strcmp(drivers[i]->kind, kind) == 0)
            return drivers[i];
    return NULL;
}
