/* Real children: the shell and what it says. */
#include "unit/cmocka_all.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/process.h"

static status run_script(const char *script, const char *input, size_t most, double timeout, atomic_bool *cancel,
                         struct process_output *output, struct error *err)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    const struct process_options options = {.argv = argv, .cancel = cancel};
    return process_run(&options, input, strlen(input), most, timeout, output, err);
}

static void input_goes_in_and_output_comes_out(void **state)
{
    (void)state;
    struct process_output output;
    struct error err;
    assert_int_equal(run_script("cat; echo problem >&2; exit 3", "hello", 1000, 10, NULL, &output, &err), OK);
    assert_string_equal(output.text, "hello");
    assert_int_equal(output.length, 5);
    assert_string_equal(output.errors, "problem\n");
    assert_int_equal(output.exit_code, 3);
    process_output_release(&output);
}

static void more_than_pipes_hold_flows_both_ways(void **state)
{
    (void)state;
    enum { SIZE = 3000000 };
    char *input = malloc(SIZE + 1);
    memset(input, 'a', SIZE);
    input[SIZE] = 0;
    struct process_output output;
    struct error err;
    assert_int_equal(run_script("cat", input, SIZE, 20, NULL, &output, &err), OK);
    assert_int_equal(output.length, SIZE);
    assert_string_equal(output.text, input);
    process_output_release(&output);
    assert_int_equal(run_script("cat", input, SIZE - 1, 20, NULL, &output, &err), ERR_LIMIT);
    /* It does not read its input. */
    assert_int_equal(run_script("echo done", input, SIZE, 20, NULL, &output, &err), OK);
    assert_string_equal(output.text, "done\n");
    process_output_release(&output);
    free(input);
}

static void only_the_last_errors_are_kept(void **state)
{
    (void)state;
    struct process_output output;
    struct error err;
    assert_int_equal(run_script("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i+1)); done", "", 10, 20, NULL,
                                &output, &err),
                     OK);
    assert_int_equal(strlen(output.errors), 4096);
    assert_non_null(strstr(output.errors, "line 1999\n"));
    process_output_release(&output);
}

static void limits_of_time_and_cancel_end_it(void **state)
{
    (void)state;
    struct process_output output;
    struct error err;
    atomic_bool cancel = true;
    double begin = clock_seconds();
    assert_int_equal(run_script("sleep 30", "", 10, 0.2, NULL, &output, &err), ERR_TIMEOUT);
    assert_int_equal(run_script("sleep 30", "", 10, 20, &cancel, &output, &err), ERR_CANCELLED);
    assert_true(clock_seconds() - begin < 5);
}

static void what_cannot_be_run_is_an_error_with_its_reason(void **state)
{
    (void)state;
    const char *const nothing[] = {"/no/such/program", NULL}, *const folder[] = {"/tmp", NULL},
                      *const shell[] = {"/bin/sh", "-c", ":", NULL};
    struct process p;
    struct error err;
    struct process_options options = {.argv = nothing};
    assert_int_equal(process_start(&p, &options, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/no/such/program"));
    options.argv = folder;
    assert_int_equal(process_start(&p, &options, &err), ERR_DENIED);
    options = (struct process_options){.argv = shell, .directory = "/no/such/folder"};
    assert_int_equal(process_start(&p, &options, &err), ERR_NOT_FOUND);
}

static void signals_are_told_apart_from_exit_codes(void **state)
{
    (void)state;
    struct process_output output;
    struct error err;
    assert_int_equal(run_script("kill -9 $$", "", 10, 10, NULL, &output, &err), OK);
    assert_int_equal(output.exit_code, -SIGKILL);
    process_output_release(&output);
}

static bool is_gone(pid_t pid)
{
    for (int i = 0; i < 400; i++) {
        char path[40], line[200] = "";
        snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
        FILE *f = fopen(path, "r");
        if (!f)
            return true;
        bool zombie = fgets(line, sizeof line, f) && strstr(line, ") Z");
        fclose(f);
        if (zombie) /* whoever adopted it has not looked yet */
            return true;
        usleep(5000);
    }
    return false;
}

/* What the child leaves behind in its group goes with it. */
static void the_whole_group_ends(void **state)
{
    (void)state;
    struct process_output output;
    struct error err;
    assert_int_equal(run_script("sleep 60 >/dev/null 2>&1 & echo $!", "", 100, 10, NULL, &output, &err), OK);
    assert_true(is_gone(atoi(output.text)));
    process_output_release(&output);
}

static void *start_and_end(void *self)
{
    const char *const argv[] = {"/bin/sleep", "60", NULL};
    const struct process_options options = {.argv = argv};
    struct error err;
    assert_int_equal(process_start(self, &options, &err), OK);
    return NULL;
}

static void it_dies_with_the_thread_that_started_it(void **state)
{
    (void)state;
    struct process p;
    pthread_t thread;
    struct error err;
    int code;
    assert_int_equal(pthread_create(&thread, NULL, start_and_end, &p), 0);
    pthread_join(thread, NULL);
    struct pollfd end = {p.pidfd, POLLIN, 0};
    assert_int_equal(poll(&end, 1, 5000), 1);
    assert_int_equal(process_wait(&p, &code, &err), OK);
    assert_int_equal(code, -SIGKILL);
    process_release(&p);
}

/* Only the three streams are there, and what ls opens. */
static void no_descriptor_is_inherited(void **state)
{
    (void)state;
    struct process_output output;
    struct error err;
    int here[2];
    assert_int_equal(pipe2(here, 0), 0);
    assert_int_equal(run_script("exec ls -m /proc/self/fd", "", 100, 10, NULL, &output, &err), OK);
    assert_string_equal(output.text, "0, 1, 2, 3\n");
    process_output_release(&output);
    close(here[0]);
    close(here[1]);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_goes_in_and_output_comes_out),
        cmocka_unit_test(more_than_pipes_hold_flows_both_ways),
        cmocka_unit_test(only_the_last_errors_are_kept),
        cmocka_unit_test(limits_of_time_and_cancel_end_it),
        cmocka_unit_test(what_cannot_be_run_is_an_error_with_its_reason),
        cmocka_unit_test(signals_are_told_apart_from_exit_codes),
        cmocka_unit_test(the_whole_group_ends),
        cmocka_unit_test(it_dies_with_the_thread_that_started_it),
        cmocka_unit_test(no_descriptor_is_inherited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
