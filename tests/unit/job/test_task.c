/* Event lines: whole, and none that the engine would refuse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/task.h"
#include "unit/cmocka_all.h"

static void test_a_line_that_is_too_long(void **state)
{
    FILE *file = tmpfile();
    struct task_events events;
    struct error err;
    char line[200];
    (void)state;
    assert_non_null(file);
    task_events_init(&events, fileno(file));
    char *text = malloc(TASK_EVENT_MOST + 1);
    assert_non_null(text);
    memset(text, 'x', TASK_EVENT_MOST);
    text[TASK_EVENT_MOST] = '\0';
    assert_int_equal(task_event(&events, "finished", json_pack("{s:s}", "text", text), &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "'finished'"));
    assert_non_null(strstr(err.hint, "too many files"));
    /* What the engine takes at most, with its frame. */
    text[TASK_EVENT_MOST - 100] = '\0';
    assert_int_equal(task_event(&events, "finished", json_pack("{s:s}", "text", text), &err), OK);
    rewind(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_ptr_equal(strstr(line, "{\"event\":\"finished\""), line);
    task_events_release(&events);
    free(text);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_a_line_that_is_too_long)};
    return cmocka_run_group_tests_name("task", tests, NULL, NULL);
}
