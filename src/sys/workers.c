#include "sys/workers.h"

#include <pthread.h>
#include <stdlib.h>

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct work *first, **last;
    bool ending;
    size_t count;
    pthread_t threads[];
};

static void *work_loop(void *self)
{
    struct workers *workers = self;
    pthread_mutex_lock(&workers->lock);
    for (;;) {
        while (!workers->first && !workers->ending)
            pthread_cond_wait(&workers->more, &workers->lock);
        struct work *next = workers->first;
        if (!next)
            break;
        workers->first = next->next;
        if (!workers->first)
            workers->last = &workers->first;
        pthread_mutex_unlock(&workers->lock);
        next->run(next);
        pthread_mutex_lock(&workers->lock);
    }
    pthread_mutex_unlock(&workers->lock);
    return NULL;
}

status workers_create(struct workers **workers, size_t threads, struct error *err)
{
    struct workers *made = calloc(1, sizeof *made + threads * sizeof made->threads[0]);
    if (!made)
        return error_no_memory(err, sizeof *made);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->more, NULL);
    made->last = &made->first;
    for (; made->count < threads; made->count++) {
        int failure = pthread_create(&made->threads[made->count], NULL, work_loop, made);
        if (failure) {
            workers_free(made);
            return error_set_errno(err, failure, "a thread could not be started");
        }
    }
    *workers = made;
    return OK;
}

void workers_add(struct workers *workers, struct work *work)
{
    work->next = NULL;
    pthread_mutex_lock(&workers->lock);
    *workers->last = work;
    workers->last = &work->next;
    pthread_cond_signal(&workers->more);
    pthread_mutex_unlock(&workers->lock);
}

void workers_free(struct workers *workers)
{
    if (!workers)
        return;
    pthread_mutex_lock(&workers->lock);
    workers->ending = true;
    pthread_cond_broadcast(&workers->more);
    pthread_mutex_unlock(&workers->lock);
    for (size_t i = 0; i < workers->count; i++)
        pthread_join(workers->threads[i], NULL);
    pthread_cond_destroy(&workers->more);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}
