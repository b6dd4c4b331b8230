/* A home in a temporary folder with store and engine, and requests through api_dispatch, without a socket. */
#ifndef FF_TEST_ROUTE_FIXTURE_H
#define FF_TEST_ROUTE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/route.h"
#include "sys/dir.h"

static struct {
    char home[64], data[96], program[512];
    const char *roots[1];
    struct store *store;
    struct engine *engine;
    struct api_context context;
    struct api_response last;
} world;

static int world_set_up(void **state)
{
    char path[160];
    struct error err = {0};
    (void)state;
    memset(&world, 0, sizeof world);
    strcpy(world.home, "/tmp/flowforge-test-XXXXXX");
    if (!mkdtemp(world.home))
        return -1;
    const char *folders[] = {"data", "lake", "uploads"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", world.home, folders[i]);
        if (mkdir(path, 0700) != 0)
            return -1;
    }
    snprintf(world.data, sizeof world.data, "%s/data", world.home);
    world.roots[0] = world.data;
    if (!getcwd(world.program, sizeof world.program - 64))
        return -1;
    strcat(world.program, "/" TEST_BUILD_DIR "/flowforge");
    snprintf(path, sizeof path, "%s/flowforge.db", world.home);
    if (store_open(&world.store, path, &err) != OK) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    const struct engine_options options = {.store = world.store,
                                           .home = world.home,
                                           .program = world.program,
                                           .max_parallel_jobs = 1,
                                           .task_memory = (size_t)256 << 20,
                                           .local_roots = world.roots,
                                           .local_root_count = 1};
    if (engine_create(&world.engine, &options, &err) != OK) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    world.context.store = world.store;
    world.context.engine = world.engine;
    world.context.home = world.home;
    world.context.program = world.program;
    world.context.layer_centric = true;
    world.context.local_roots = world.roots;
    world.context.local_root_count = 1;
    world.context.upload_most = (uint64_t)1 << 30;
    return 0;
}

static int world_tear_down(void **state)
{
    struct error err;
    (void)state;
    api_response_release(&world.last);
    engine_free(world.engine, false);
    store_close(world.store);
    return dir_remove_tree(world.home, &err) == OK ? 0 : -1;
}

/* A request of an editor; `target` may hold ?name=value&..., `body` is JSON text or NULL. The response stays in
 * world.last until the next request; the answer is its body. */
static inline const json_t *ask_with(const char *method, const char *target, const char *body, const char *if_match,
                                     const char *key, int wanted)
{
    char path[512], *query;
    struct api_request request = {.method = method,
                                  .path = path,
                                  .if_match = if_match,
                                  .idempotency_key = key,
                                  .role = ROLE_EDITOR,
                                  .actor = "me"};
    api_response_release(&world.last);
    snprintf(path, sizeof path, "%s", target);
    request.query = json_object();
    query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    for (char *pair = query ? strtok(query, "&") : NULL; pair; pair = strtok(NULL, "&")) {
        char *value = strchr(pair, '=');
        assert_non_null(value);
        *value++ = '\0';
        json_object_set_new(request.query, pair, json_string(value));
    }
    if (body) {
        json_error_t error;
        request.body = json_loads(body, JSON_REJECT_DUPLICATES, &error);
        if (!request.body)
            fail_msg("the test's body: %s in %s", error.text, body);
    }
    api_dispatch(&world.context, &request, &world.last);
    if (world.last.status != wanted) {
        char *text = world.last.body ? json_dumps(world.last.body, 0) : strdup("nothing");
        fail_msg("%s %s: %d, not %d: %s", method, target, world.last.status, wanted, text);
    }
    json_decref(request.body);
    json_decref(request.query);
    return world.last.body;
}

static inline const json_t *ask(const char *method, const char *target, const char *body, int wanted)
{
    return ask_with(method, target, body, NULL, NULL, wanted);
}

/* The error with this pointer in the last problem; fails when there is none. */
static inline const json_t *problem_at(const char *pointer)
{
    json_t *problem;
    size_t i;
    json_array_foreach(json_object_get(world.last.body, "errors"), i, problem)
    {
        if (strcmp(json_text(problem, "pointer", ""), pointer) == 0)
            return problem;
    }
    char *text = json_dumps(world.last.body, 0);
    fail_msg("no error at %s in %s", pointer, text);
    return NULL;
}

/* SQL on the writing connection, for what only the engine or an upload would bring about. */
static inline void sql(const char *text)
{
    struct db *db = NULL;
    struct error err = {0};
    assert_int_equal(store_writer(world.store, &db, &err), OK);
    if (db_run(db, text, DB_NO_BINDS, NULL, &err) != OK)
        fail_msg("%s", err.message);
    store_give_back(world.store, db);
}

static inline int64_t sql_number(const char *text)
{
    struct db *db = NULL;
    struct error err = {0};
    int64_t n = -1;
    assert_int_equal(store_reader(world.store, &db, &err), OK);
    if (db_integer(db, text, DB_NO_BINDS, -1, &n, &err) != OK)
        fail_msg("%s", err.message);
    store_give_back(world.store, db);
    return n;
}

/* The id of what POST made. */
static inline void made_id(char into[40])
{
    snprintf(into, 40, "%s", json_text(world.last.body, "id", ""));
    assert_true(into[0] != '\0');
}

#endif
