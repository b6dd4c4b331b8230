#include "sys/ordered.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum slot_state { SLOT_FREE, SLOT_CLAIMED, SLOT_DONE };

struct ordered {
    const struct ordered_steps *steps;
    void *self;
    size_t slots;
    const atomic_bool *cancel;
    pthread_mutex_t claiming; /* held during claim; guards nothing else */
    pthread_mutex_t lock;     /* guards all below */
    pthread_cond_t freed;
    enum slot_state *states;   /* item i uses slot i % slots */
    size_t claimed, delivered; /* item counts */
    bool delivering;           /* some thread is in deliver */
    bool ended;                /* no further item will be claimed */
    size_t failed_item;        /* of `error`, SIZE_MAX: none */
    struct error error;
};

struct worker {
    struct ordered *o;
    size_t index;
    pthread_t thread;
};

static void fail(struct ordered *o, size_t item, const struct error *error)
{
    pthread_mutex_lock(&o->lock);
    if (item < o->failed_item) {
        o->failed_item = item;
        o->error = *error;
    }
    o->ended = true;
    pthread_cond_broadcast(&o->freed);
    pthread_mutex_unlock(&o->lock);
}

static bool is_cancelled(const struct ordered *o)
{
    return o->cancel && atomic_load_explicit(o->cancel, memory_order_relaxed);
}

/* The next item into a free slot; false when there is nothing more to do. */
static bool claim(struct ordered *o, size_t *item)
{
    bool claimed = false;
    struct error error = {0};
    pthread_mutex_lock(&o->claiming);
    pthread_mutex_lock(&o->lock);
    while (!o->ended && o->states[o->claimed % o->slots] != SLOT_FREE)
        pthread_cond_wait(&o->freed, &o->lock);
    bool go = !o->ended;
    *item = o->claimed;
    pthread_mutex_unlock(&o->lock);
    if (go && is_cancelled(o)) {
        error_set(&error, ERR_CANCELLED, "cancelled");
        fail(o, *item, &error);
    } else if (go) {
        bool end = false;
        status s = o->steps->claim(o->self, *item % o->slots, &end, &error);
        if (s != OK) {
            fail(o, *item, &error);
        } else {
            pthread_mutex_lock(&o->lock);
            if (end) {
                o->ended = true;
                pthread_cond_broadcast(&o->freed);
            } else {
                o->states[*item % o->slots] = SLOT_CLAIMED;
                o->claimed++;
                claimed = true;
            }
            pthread_mutex_unlock(&o->lock);
        }
    }
    pthread_mutex_unlock(&o->claiming);
    return claimed;
}

/* Deliver what is done and next in order, unless another thread is at it (which then takes ours too). */
static void deliver(struct ordered *o, size_t worker)
{
    pthread_mutex_lock(&o->lock);
    while (!o->delivering && o->delivered < o->claimed && o->delivered < o->failed_item &&
           o->states[o->delivered % o->slots] == SLOT_DONE) {
        size_t item = o->delivered;
        o->delivering = true;
        pthread_mutex_unlock(&o->lock);
        struct error error = {0};
        status s = o->steps->deliver(o->self, worker, item % o->slots, &error);
        if (s != OK)
            fail(o, item, &error);
        pthread_mutex_lock(&o->lock);
        o->delivering = false;
        o->states[item % o->slots] = SLOT_FREE;
        o->delivered++;
        pthread_cond_broadcast(&o->freed);
    }
    pthread_mutex_unlock(&o->lock);
}

static void *run_worker(void *argument)
{
    struct worker *w = argument;
    struct ordered *o = w->o;
    size_t item;
    while (claim(o, &item)) {
        struct error error = {0};
        status s = o->steps->work(o->self, w->index, item % o->slots, &error);
        if (s != OK) {
            fail(o, item, &error);
            continue; /* an earlier item may still have to be delivered; claim ends the loop */
        }
        pthread_mutex_lock(&o->lock);
        o->states[item % o->slots] = SLOT_DONE;
        pthread_mutex_unlock(&o->lock);
        deliver(o, w->index);
    }
    return NULL;
}

status ordered_run(const struct ordered_steps *steps, void *self, size_t threads, size_t slots,
                   const atomic_bool *cancel, struct error *err)
{
    struct ordered o = {.steps = steps, .self = self, .slots = slots, .cancel = cancel, .failed_item = SIZE_MAX};
    o.states = calloc(slots, sizeof *o.states);
    struct worker *workers = calloc(threads, sizeof *workers);
    if (!o.states || !workers) {
        free(o.states);
        free(workers);
        return error_no_memory(err, slots * sizeof *o.states + threads * sizeof *workers);
    }
    pthread_mutex_init(&o.claiming, NULL);
    pthread_mutex_init(&o.lock, NULL);
    pthread_cond_init(&o.freed, NULL);
    size_t started = 1; /* the calling thread is worker 0 */
    for (; started < threads; started++) {
        workers[started] = (struct worker){.o = &o, .index = started};
        if (pthread_create(&workers[started].thread, NULL, run_worker, &workers[started]) != 0)
            break; /* fewer threads do the same work */
    }
    workers[0] = (struct worker){.o = &o};
    run_worker(&workers[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    pthread_cond_destroy(&o.freed);
    pthread_mutex_destroy(&o.lock);
    pthread_mutex_destroy(&o.claiming);
    free(o.states);
    free(workers);
    if (o.failed_item != SIZE_MAX) {
        if (err)
            *err = o.error;
        return o.error.code;
    }
    return OK;
}
