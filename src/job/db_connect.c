#include "job/db_connect.h"

#include <stdlib.h>

#include "sys/confine.h"

/* The config with its path resolved and confined. */
static status confined(const json_t *payload, const json_t *config, json_t **into, struct error *err)
{
    const json_t *roots = json_object_get(payload, "local_roots");
    const char *path = json_text(config, "path", NULL);
    size_t count = json_array_size(roots);
    char *anchored = NULL, *resolved = NULL;
    const char **list = calloc(count + 1, sizeof *list);
    json_t *copy = json_deep_copy(config);
    status s = copy && list ? OK : error_no_memory(err, 64);
    for (size_t i = 0; s == OK && i < count; i++)
        list[i] = json_string_value(json_array_get(roots, i));
    if (s == OK && path) {
        s = confine_anchor(path, list, count, &anchored, err);
        if (s == OK)
            s = confine_path(anchored, list, count, &resolved, err);
        if (s == OK)
            s = json_put_text(copy, "path", resolved, err);
    }
    free(anchored);
    free(resolved);
    free(list);
    if (s == OK)
        *into = copy;
    else
        json_decref(copy);
    return s;
}

status db_connect(const json_t *payload, db_step *step, void *self, const struct db_driver **driver,
                  struct db_session **session, struct error *err)
{
    const json_t *connection = json_object_get(payload, "connection");
    const char *kind = json_text(connection, "kind", "");
    json_t *config = NULL;
    if (!json_is_object(connection)) {
        status s = error_set(err, ERR_INVALID, "job/connection_id: the job has no connection");
        error_hint(err, "choose a connection to a database");
        return s;
    }
    *driver = db_driver_find(kind);
    if (!*driver) {
        status s =
            error_set(err, ERR_INVALID, "job/connection_id: a connection of kind '%.40s' is to no database", kind);
        error_hint(err, "choose a connection of kind postgres, mysql, sqlite or odbc");
        return s;
    }
    status s = confined(payload, json_object_get(connection, "config"), &config, err);
    if (s == OK)
        s = (*driver)->connect(session, config, step, self, err);
    json_decref(config);
    return s;
}
