/* Numbered items through threads: order, errors, cancelling, bounded memory. Also run under the thread sanitizer. */
#include "unit/cmocka_all.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/ordered.h"

#define SLOTS_MAX 64
#define NEVER SIZE_MAX

struct run {
    size_t items, slots;
    size_t claim_fails, work_fails, work_fails_too, deliver_fails; /* at this item; NEVER */
    size_t cancel_at;                                              /* claiming this item sets `cancel` */
    atomic_bool cancel;
    size_t next_claim;       /* claim only */
    size_t item[SLOTS_MAX];  /* by slot: written by claim */
    size_t value[SLOTS_MAX]; /* by slot: written by work */
    size_t delivered;        /* deliver only */
    atomic_size_t under_way, most_under_way, in_claim, in_deliver, worked;
};

static void alone(atomic_size_t *counter)
{
    if (atomic_fetch_add(counter, 1) != 0)
        abort(); /* two threads in a step that only one may be in */
}

static status claim(void *self, size_t slot, bool *end, struct error *err)
{
    struct run *r = self;
    alone(&r->in_claim);
    status s = OK;
    if (r->next_claim == r->claim_fails) {
        s = error_set(err, ERR_IO, "claim %zu", r->next_claim);
    } else if (r->next_claim == r->items) {
        *end = true;
    } else {
        if (r->next_claim == r->cancel_at)
            atomic_store(&r->cancel, true);
        if (slot >= r->slots)
            abort();
        r->item[slot] = r->next_claim++;
        size_t now = atomic_fetch_add(&r->under_way, 1) + 1;
        if (now > atomic_load(&r->most_under_way))
            atomic_store(&r->most_under_way, now);
    }
    atomic_fetch_sub(&r->in_claim, 1);
    return s;
}

static status work(void *self, size_t worker, size_t slot, struct error *err)
{
    struct run *r = self;
    (void)worker;
    size_t item = r->item[slot];
    for (size_t i = 0; i < (item * 7919) % 13; i++) /* so that items overtake each other */
        sched_yield();
    atomic_fetch_add(&r->worked, 1);
    if (item == r->work_fails || item == r->work_fails_too)
        return error_set(err, ERR_BAD_DATA, "work %zu", item);
    r->value[slot] = item * item;
    return OK;
}

static status deliver(void *self, size_t worker, size_t slot, struct error *err)
{
    struct run *r = self;
    (void)worker;
    alone(&r->in_deliver);
    size_t item = r->item[slot];
    if (item != r->delivered || r->value[slot] != item * item)
        abort(); /* out of order, or another item's slot */
    status s = item == r->deliver_fails ? error_set(err, ERR_NO_SPACE, "deliver %zu", item) : OK;
    r->delivered++;
    atomic_fetch_sub(&r->under_way, 1);
    atomic_fetch_sub(&r->in_deliver, 1);
    return s;
}

static const struct ordered_steps steps = {claim, work, deliver};

static struct run *new_run(size_t items, size_t slots)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    r->items = items;
    r->slots = slots;
    r->claim_fails = r->work_fails = r->work_fails_too = r->deliver_fails = r->cancel_at = NEVER;
    return r;
}

static const struct {
    size_t threads, slots;
} shapes[] = {{1, 1}, {1, 3}, {2, 2}, {2, 5}, {4, 4}, {4, 8}, {8, 64}};

#define SHAPES (sizeof shapes / sizeof *shapes)

static void all_in_order(void **unused)
{
    (void)unused;
    static const size_t counts[] = {0, 1, 2, 3, 7, 500};
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            struct run *r = new_run(counts[c], shapes[s].slots);
            struct error err;
            assert_int_equal(ordered_run(&steps, r, shapes[s].threads, shapes[s].slots, &r->cancel, &err), OK);
            assert_int_equal(r->delivered, counts[c]);
            assert_int_equal(atomic_load(&r->worked), counts[c]);
            assert_true(atomic_load(&r->most_under_way) <= shapes[s].slots);
            free(r);
        }
}

/* The error that is told is the earliest item's, and all items before it were delivered. */
static void earliest_error_wins(void **unused)
{
    (void)unused;
    for (size_t s = 0; s < SHAPES; s++)
        for (size_t at = 0; at < 60; at += 3) {
            struct run *r = new_run(200, shapes[s].slots);
            struct error err = {0};
            char wanted[40];
            r->work_fails = at;
            r->work_fails_too = at + 1; /* often finished before the other */
            r->claim_fails = at + 3;
            snprintf(wanted, sizeof wanted, "work %zu", at);
            assert_int_equal(ordered_run(&steps, r, shapes[s].threads, shapes[s].slots, NULL, &err), ERR_BAD_DATA);
            assert_string_equal(err.message, wanted);
            assert_int_equal(r->delivered, at);
            free(r);
        }
}

static void errors_of_each_step(void **unused)
{
    (void)unused;
    for (size_t s = 0; s < SHAPES; s++) {
        struct run *r = new_run(100, shapes[s].slots);
        struct error err = {0};
        r->claim_fails = 40;
        assert_int_equal(ordered_run(&steps, r, shapes[s].threads, shapes[s].slots, NULL, &err), ERR_IO);
        assert_string_equal(err.message, "claim 40");
        assert_int_equal(r->delivered, 40);
        free(r);
        r = new_run(100, shapes[s].slots);
        r->deliver_fails = 40;
        assert_int_equal(ordered_run(&steps, r, shapes[s].threads, shapes[s].slots, NULL, &err), ERR_NO_SPACE);
        assert_string_equal(err.message, "deliver 40");
        assert_int_equal(r->delivered, 41); /* and nothing after it */
        free(r);
        r = new_run(100, shapes[s].slots);
        r->claim_fails = 0;
        assert_int_equal(ordered_run(&steps, r, shapes[s].threads, shapes[s].slots, NULL, NULL), ERR_IO);
        assert_int_equal(r->delivered, 0);
        free(r);
    }
}

static void cancelled(void **unused)
{
    (void)unused;
    for (size_t s = 0; s < SHAPES; s++) {
        struct run *r = new_run(NEVER - 1, shapes[s].slots); /* would never end by itself */
        struct error err = {0};
        r->cancel_at = 50;
        assert_int_equal(ordered_run(&steps, r, shapes[s].threads, shapes[s].slots, &r->cancel, &err), ERR_CANCELLED);
        assert_true(r->next_claim == 51); /* no item was claimed after that */
        free(r);
        r = new_run(10, shapes[s].slots);
        atomic_store(&r->cancel, true);
        assert_int_equal(ordered_run(&steps, r, shapes[s].threads, shapes[s].slots, &r->cancel, &err), ERR_CANCELLED);
        assert_int_equal(r->next_claim, 0);
        free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_order),
        cmocka_unit_test(earliest_error_wins),
        cmocka_unit_test(errors_of_each_step),
        cmocka_unit_test(cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
