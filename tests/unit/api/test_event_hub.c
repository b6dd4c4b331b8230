#include "api/event_hub.h"

#include <stdlib.h>

#include "unit/cmocka_all.h"

struct listener {
    struct event_hub *hub;
    struct event_subscriber *subscriber;
    int wakes;
    struct buf text;
};

static void on_wake(void *self)
{
    ((struct listener *)self)->wakes++;
}

static void listen_to(struct listener *l, const char *run)
{
    struct error err;
    if (!l->hub)
        assert_int_equal(event_hub_create(&l->hub, &err), OK);
    assert_int_equal(event_subscribe(l->hub, run, on_wake, l, &l->subscriber, &err), OK);
}

static const char *take(struct listener *l)
{
    struct error err;
    buf_clear(&l->text);
    assert_int_equal(event_take(l->subscriber, &l->text, &err), OK);
    assert_int_equal(buf_append(&l->text, "", 1, &err), OK);
    return (const char *)l->text.data;
}

static void end(struct listener *l)
{
    event_unsubscribe(l->subscriber);
    event_hub_free(l->hub);
    buf_release(&l->text);
}

static void publish(struct event_hub *hub, const char *run, const char *event, const char *data)
{
    json_t *value = json_loads(data, 0, NULL);
    assert_non_null(value);
    event_hub_publish(hub, run, event, value);
    json_decref(value);
}

static void test_order_and_wake(void **state)
{
    (void)state;
    struct listener l = {0};
    listen_to(&l, "r1");
    publish(l.hub, "r1", "state", "{\"id\":\"j\",\"state_type\":\"COMPLETED\"}");
    publish(l.hub, "r2", "state", "{\"id\":\"r2\"}");
    publish(l.hub, "r1", "log", "{\"id\":7,\"message\":\"a\\nb\"}");
    assert_int_equal(l.wakes, 1);
    assert_string_equal(take(&l), "event: state\ndata: {\"id\":\"j\",\"state_type\":\"COMPLETED\"}\n\n"
                                  "id: 7\nevent: log\ndata: {\"id\":7,\"message\":\"a\\nb\"}\n\n");
    assert_string_equal(take(&l), "");
    publish(l.hub, "r1", "progress", "{}");
    assert_int_equal(l.wakes, 2);
    assert_false(event_ended(l.subscriber));
    end(&l);
}

static void test_end(void **state)
{
    (void)state;
    struct listener l = {0};
    listen_to(&l, "r1");
    publish(l.hub, "r1", "state", "{\"id\":\"r1\",\"state_type\":\"FAILED\"}");
    publish(l.hub, "r1", "progress", "{}");
    assert_false(event_ended(l.subscriber));
    assert_string_equal(take(&l), "event: state\ndata: {\"id\":\"r1\",\"state_type\":\"FAILED\"}\n\n"
                                  "event: end\ndata: {\"id\":\"r1\",\"state_type\":\"FAILED\"}\n\n");
    assert_true(event_ended(l.subscriber));
    end(&l);
}

static void test_everything(void **state)
{
    (void)state;
    struct listener l = {0};
    listen_to(&l, NULL);
    publish(l.hub, "a", "progress", "{}");
    publish(l.hub, "b", "progress", "{}");
    assert_string_equal(take(&l), "event: progress\ndata: {}\n\nevent: progress\ndata: {}\n\n");
    end(&l);
}

static void test_log_floor(void **state)
{
    (void)state;
    struct listener l = {0};
    listen_to(&l, "r");
    publish(l.hub, "r", "log", "{\"id\":1}");
    publish(l.hub, "r", "log", "{\"id\":2}");
    event_skip_log(l.subscriber, 1);
    assert_string_equal(take(&l), "id: 2\nevent: log\ndata: {\"id\":2}\n\n");
    publish(l.hub, "r", "log", "{\"id\":1}");
    assert_string_equal(take(&l), "");
    end(&l);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)); text++)
        n++;
    return n;
}

/* Progress goes first, so that no log line is lost to it. */
static void test_lagging_loses_progress_first(void **state)
{
    (void)state;
    struct listener l = {0};
    listen_to(&l, "r");
    for (int i = 0; i < EVENTS_WAITING_MOST; i++)
        publish(l.hub, "r", i % 2 ? "log" : "progress", "{}");
    for (int i = 0; i < EVENTS_WAITING_MOST / 2; i++)
        publish(l.hub, "r", "log", "{}");
    const char *text = take(&l);
    assert_int_equal(count(text, "event: log\n"), EVENTS_WAITING_MOST);
    assert_int_equal(count(text, "event: progress\n"), 0);
    assert_int_equal(count(text, "event: reset\n"), 0);
    end(&l);
}

static void test_lagging_far_is_a_reset(void **state)
{
    (void)state;
    struct listener l = {0};
    listen_to(&l, "r");
    for (int i = 0; i < EVENTS_WAITING_MOST + 5; i++)
        publish(l.hub, "r", "log", "{}");
    const char *text = take(&l);
    assert_int_equal(strncmp(text, "event: reset\n", 13), 0);
    assert_int_equal(count(text, "event: log\n"), 5);
    assert_int_equal(l.wakes, 1);
    end(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_wake),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_everything),
        cmocka_unit_test(test_log_floor),
        cmocka_unit_test(test_lagging_loses_progress_first),
        cmocka_unit_test(test_lagging_far_is_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
