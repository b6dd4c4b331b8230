/* Runs in memory: the bounds of a log, the ways of a job and what they mean for the jobs behind it. */
#include "unit/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "orchestrate/engine_state.h"

static struct engine engine;
static struct pipeline_run *run;

/* a -> b (needed), a -> c (order only) */
static int make_run(void **state)
{
    struct error err;
    (void)state;
    engine = (struct engine){.random = 1};
    struct graph graph = {.job_count = 3, .edge_count = 2, .stage_count = 2};
    graph.edges = calloc(2, sizeof *graph.edges);
    graph.first_edge = calloc(4, sizeof *graph.first_edge);
    graph.stage = calloc(3, sizeof *graph.stage);
    graph.edges[0] = (struct graph_edge){0, 1, true};
    graph.edges[1] = (struct graph_edge){0, 2, false};
    graph.first_edge[1] = graph.first_edge[2] = graph.first_edge[3] = 2;
    json_t *pipeline = json_pack("{s:s}", "id", "p");
    json_t *configs[] = {json_pack("{s:s, s:s}", "id", "a", "name", "A"),
                         json_pack("{s:s, s:s}", "id", "b", "name", "B"),
                         json_pack("{s:s, s:s}", "id", "c", "name", "C")};
    const enum job_kind kinds[] = {JOB_INGEST, JOB_DATASET, JOB_INGEST};
    assert_int_equal(pipeline_run_make(&run, pipeline, true, &graph, configs, kinds, &err), OK);
    for (size_t i = 0; i < 3; i++)
        json_decref(configs[i]);
    json_decref(pipeline);
    return 0;
}

static int free_run(void **state)
{
    (void)state;
    pipeline_run_free(run);
    return 0;
}

static void forget_log(void)
{
    while (run->log) {
        struct log_line *line = run->log;
        run->log = line->next;
        free(line);
    }
    run->log_end = &run->log;
    run->log_bytes = 0;
}

static void a_log_ends_with_a_line_that_says_so(void **state)
{
    (void)state;
    size_t lines = 0;
    const char *last = "";
    for (size_t i = 0; i < LOG_LINES_MOST + 500; i++)
        run_log(&engine, run, NULL, 1, "info", "line");
    for (const struct log_line *line = run->log; line; line = line->next, lines++)
        last = line->message;
    assert_int_equal(lines, LOG_LINES_MOST + 1);
    assert_non_null(strstr(last, "100000"));
}

static void lines_that_cannot_be_written_do_not_fill_the_memory(void **state)
{
    (void)state;
    char *message = malloc(3 * LOG_MESSAGE_MOST);
    for (size_t i = 0; i < 3 * LOG_MESSAGE_MOST; i++)
        message[i] = "\xc3\xa4"[i % 2];
    message[3 * LOG_MESSAGE_MOST - 2] = 0;
    for (size_t i = 0; i < 5000; i++)
        run_log(&engine, run, &run->jobs[0], 1, "shout", message);
    assert_true(run->log_bytes < LOG_WAITING_MOST + 2 * LOG_MESSAGE_MOST);
    assert_string_equal(run->log->level, "info");
    assert_true(strlen(run->log->message) <= LOG_MESSAGE_MOST);
    assert_true(str_is_utf8(str_of(run->log->message)));
    const struct log_line *line = run->log;
    while (line->next)
        line = line->next;
    assert_non_null(strstr(line->message, "left out"));
    forget_log();
    free(message);
}

static void an_end_reaches_the_jobs_behind(void **state)
{
    (void)state;
    struct job_run *a = &run->jobs[0], *b = &run->jobs[1], *c = &run->jobs[2];
    assert_int_equal(b->waits, 1);
    assert_false(job_event(&engine, a, RUN_SUCCEED, NULL)); /* it has not started */
    assert_true(job_event(&engine, a, RUN_START, NULL));
    assert_ptr_equal(engine.active, a);
    assert_int_equal(run->running, 1);
    assert_true(job_event(&engine, a, RUN_FAIL, NULL));
    assert_null(engine.active);
    assert_int_equal(run->running, 0);
    assert_int_equal(run->failed, 1);
    assert_int_equal(b->waits + c->waits, 0);
    assert_ptr_equal(b->upstream, a);
    assert_null(c->upstream);
    assert_true(a->ended_at >= a->started_at && a->started_at > 0);
    assert_false(job_event(&engine, a, RUN_CANCEL, NULL)); /* it has ended */
}

static void an_error_is_cut_between_characters(void **state)
{
    (void)state;
    struct run_error error;
    char message[3000];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = "\xe2\x82\xac"[i % 3];
    message[2997] = 0;
    run_error_format(&error, "io", message, "x%s", message);
    assert_true(str_is_utf8(str_of(error.message)));
    assert_true(str_is_utf8(str_of(error.hint)));
    assert_true(strlen(error.message) > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_ends_with_a_line_that_says_so, make_run, free_run),
        cmocka_unit_test_setup_teardown(lines_that_cannot_be_written_do_not_fill_the_memory, make_run, free_run),
        cmocka_unit_test_setup_teardown(an_end_reaches_the_jobs_behind, make_run, free_run),
        cmocka_unit_test(an_error_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
