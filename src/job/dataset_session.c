#include "job/dataset_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/views.h"
#include "sys/dir.h"

#define MEMORY_DEFAULT ((int64_t)512 << 20)

size_t dataset_memory(const struct task *task)
{
    int64_t memory = json_int(task->payload, "memory", MEMORY_DEFAULT);
    return memory < (int64_t)DATASET_MEMORY_LEAST ? DATASET_MEMORY_LEAST : (size_t)memory;
}

size_t dataset_threads(const struct task *task)
{
    int64_t threads = json_int(task->payload, "threads", 1);
    return threads < 1 ? 1 : threads > 256 ? 256 : (size_t)threads;
}

status dataset_columns(const json_t *columns, const char *what, struct schema *schema, struct error *err)
{
    size_t i;
    const json_t *column;
    struct schema made = {0};
    status s = OK;
    json_array_foreach(columns, i, column)
    {
        const char *name = json_text(column, "name", NULL), *type = json_text(column, "type", NULL);
        const char *source = json_text(column, "source_name", NULL);
        struct data_type t = {0};
        if (!name || !type)
            s = error_set(err, ERR_INVALID, "%s: column %zu has no name or type", what, i + 1);
        else if (schema_find(&made, str_of(name)) >= 0)
            s = error_set(err, ERR_INVALID, "%s: the column '%s' is in it twice", what, name);
        else if ((s = type_parse(str_of(type), &t, err)) != OK)
            error_prefix(err, "%s: column '%s'", what, name);
        else
            s = schema_add(&made, str_of(name), source ? str_of(source) : (struct str){0}, t,
                           !json_flag(column, "nullable", true), err);
        if (s != OK)
            break;
    }
    if (s == OK)
        *schema = made;
    else
        schema_release(&made);
    return s;
}

static status open_paths(struct dataset_session *session, const json_t *inputs, struct error *err)
{
    size_t count = 0, i, k;
    const json_t *input, *file;
    json_array_foreach(inputs, i, input) count += json_array_size(json_object_get(input, "files"));
    const char **names = calloc(count + 1, sizeof *names);
    if (!names)
        return error_no_memory(err, count * sizeof *names);
    count = 0;
    status s = OK;
    json_array_foreach(inputs, i, input)
    {
        json_array_foreach(json_object_get(input, "files"), k, file)
        {
            names[count] = json_text(file, "path", NULL);
            if (!names[count++])
                s = error_set(err, ERR_INVALID, "a file of input '%s' has no path", json_text(input, "alias", ""));
        }
    }
    if (s == OK && count > 0)
        s = parquet_paths_open(&session->paths, names, count, err);
    free(names);
    return s;
}

/* What follows the file's first dot: all files of a dataset have the same. */
static const char *extension_of(const char *path)
{
    const char *name = strrchr(path, '/');
    return strchr(name ? name : path, '.');
}

static status make_view(struct dataset_session *session, const json_t *input, size_t first, size_t count,
                        struct error *err)
{
    const char *alias = json_text(input, "alias", NULL), *format = json_text(input, "format", "parquet");
    struct schema schema = {0};
    if (!alias)
        return error_set(err, ERR_INVALID, "an input has no alias");
    status s = dataset_columns(json_object_get(input, "schema"), alias, &schema, err);
    if (s == OK) {
        const struct view_input view = {
            .alias = str_of(alias),
            .format = strcmp(format, "csv") == 0                                     ? VIEW_CSV
                      : strcmp(format, "json") == 0 || strcmp(format, "ndjson") == 0 ? VIEW_JSON
                                                                                     : VIEW_PARQUET,
            .schema = &schema,
            .paths = count ? session->paths.aliases + first : NULL,
            .path_count = count,
            .extension = count ? extension_of(session->paths.names[first]) : NULL,
        };
        s = view_create(&session->sql, &view, err);
    }
    schema_release(&schema);
    return s;
}

static status make_views(struct dataset_session *session, const json_t *inputs, bool with_files, struct error *err)
{
    size_t i, first = 0;
    const json_t *input;
    status s = OK;
    json_array_foreach(inputs, i, input)
    {
        size_t count = with_files ? json_array_size(json_object_get(input, "files")) : 0;
        s = make_view(session, input, first, count, err);
        if (s != OK)
            return s;
        first += count;
    }
    return s;
}

static status make_temp_dir(struct dataset_session *session, const struct task *task, struct error *err)
{
    const char *staging = json_text(task->payload, "staging", NULL);
    if (!staging)
        return OK;
    if (asprintf(&session->temp_dir, "%s/tmp", staging) < 0) {
        session->temp_dir = NULL;
        return error_no_memory(err, strlen(staging) + 5);
    }
    return dir_make_all(session->temp_dir, NULL, err);
}

status dataset_session_open(struct dataset_session *session, const struct task *task, const json_t *inputs,
                            enum dataset_use use, double seconds, struct error *err)
{
    *session = (struct dataset_session){0};
    status s = use == DATASET_RUN ? make_temp_dir(session, task, err) : OK;
    if (s == OK && use != DATASET_COLUMNS)
        s = open_paths(session, inputs, err);
    const struct sql_session_options options = {
        .memory = dataset_memory(task) / 2,
        .threads = (unsigned)dataset_threads(task),
        .allowed_paths = session->paths.aliases,
        .allowed_path_count = session->paths.count,
        .temp_directory = session->temp_dir,
    };
    if (s == OK)
        s = sql_session_open(&session->sql, &options, err);
    if (s == OK)
        s = sql_watch_start(&session->watch, &session->sql, task->cancel, seconds, err);
    if (s == OK)
        s = make_views(session, inputs, use != DATASET_COLUMNS, err);
    if (s != OK) {
        s = dataset_session_end(session, s, err);
        dataset_session_release(session);
    }
    return s;
}

status dataset_session_end(struct dataset_session *session, status s, struct error *err)
{
    s = sql_watch_stop(&session->watch, s, err);
    if (s != OK)
        parquet_paths_explain(&session->paths, err);
    if (s == ERR_NO_MEMORY && err)
        error_hint(err, "give the job more memory, or let the query hold less at a time (fewer groups, smaller joins)");
    return s;
}

void dataset_session_release(struct dataset_session *session)
{
    sql_watch_stop(&session->watch, OK, NULL);
    sql_session_release(&session->sql);
    parquet_paths_release(&session->paths);
    if (session->temp_dir && dir_remove_tree(session->temp_dir, NULL) != OK)
        session->temp_dir[0] = '\0'; /* no matter: the whole staging goes with the run */
    free(session->temp_dir);
    session->temp_dir = NULL;
}
