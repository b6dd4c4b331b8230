/* The table of run states, and the waits between attempts. */
#include "unit/cmocka_all.h"

#include "base/backoff.h"
#include "base/run_state.h"

static enum run_state after(enum run_state from, enum run_event event)
{
    enum run_state to = from;
    assert_true(run_state_next(from, event, &to));
    return to;
}

static void every_open_state_can_be_left_and_no_terminal_one(void **state)
{
    (void)state;
    for (int from = 0; from < RUN_STATE_COUNT; from++) {
        enum run_state to;
        bool terminal = run_state_terminal((enum run_state)from);
        for (int event = 0; event < RUN_EVENT_COUNT; event++)
            if (terminal)
                assert_false(run_state_next((enum run_state)from, (enum run_event)event, &to));
        if (!terminal) {
            assert_true(run_state_next((enum run_state)from, RUN_CRASH, &to));
            assert_int_equal(to, RUN_CRASHED);
            if (from != RUN_CANCELLING)
                assert_true(run_state_next((enum run_state)from, RUN_CANCEL, &to));
        }
    }
}

static void a_run_takes_its_ways(void **state)
{
    (void)state;
    assert_int_equal(after(RUN_PENDING, RUN_START), RUN_RUNNING);
    assert_int_equal(after(RUN_RUNNING, RUN_SUCCEED), RUN_COMPLETED);
    assert_int_equal(after(RUN_RUNNING, RUN_RETRY), RUN_SCHEDULED);
    assert_int_equal(after(RUN_SCHEDULED, RUN_START), RUN_RUNNING);
    assert_int_equal(after(RUN_SCHEDULED, RUN_CANCEL), RUN_CANCELLED);
    assert_int_equal(after(RUN_PENDING, RUN_FAIL), RUN_FAILED);
    assert_int_equal(after(RUN_RUNNING, RUN_CANCEL), RUN_CANCELLING);
    assert_int_equal(after(RUN_CANCELLING, RUN_STOPPED), RUN_CANCELLED);
    enum run_state to;
    assert_false(run_state_next(RUN_PENDING, RUN_SUCCEED, &to));
    assert_false(run_state_next(RUN_CANCELLING, RUN_RETRY, &to));
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (int s = 0; s < RUN_STATE_COUNT; s++) {
        enum run_state parsed;
        assert_true(run_state_parse(run_state_type((enum run_state)s), &parsed));
        assert_int_equal(parsed, s);
        assert_non_null(run_state_name((enum run_state)s));
    }
    for (int e = 0; e < RUN_EVENT_COUNT; e++)
        assert_non_null(run_event_name((enum run_event)e));
    enum run_state parsed;
    assert_false(run_state_parse("Running", &parsed));
}

static void waits_double_up_to_their_most(void **state)
{
    (void)state;
    assert_float_equal(backoff_seconds(10, BACKOFF_MOST_SECONDS, 1, 0), 10, 1e-9);
    assert_float_equal(backoff_seconds(10, BACKOFF_MOST_SECONDS, 3, 0), 40, 1e-9);
    assert_float_equal(backoff_seconds(10, BACKOFF_MOST_SECONDS, 4000000000U, 0), 600, 1e-9);
    assert_float_equal(backoff_seconds(10, BACKOFF_MOST_SECONDS, 1, 0.5), 8.75, 1e-9);
    assert_float_equal(backoff_seconds(0, BACKOFF_MOST_SECONDS, 3, 0.5), 0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_open_state_can_be_left_and_no_terminal_one),
        cmocka_unit_test(a_run_takes_its_ways),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(waits_double_up_to_their_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
