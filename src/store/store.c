#include "store/store.h"

#include <pthread.h>
#include <stdlib.h>

#include "store/migrations.h"

#define READERS_MOST 16

struct store {
    pthread_mutex_t lock; /* guards what follows; held for moments only */
    pthread_cond_t given_back;
    struct db *writer;
    bool writer_lent;
    struct db *idle[READERS_MOST]; /* the last one given back is lent first: its pages are in the caches */
    size_t idle_count, reader_count;
    char path[];
};

status store_open(struct store **store, const char *path, struct error *err)
{
    struct store *made = calloc(1, sizeof *made + strlen(path) + 1);
    if (!made)
        return error_no_memory(err, sizeof *made);
    memcpy(made->path, path, strlen(path) + 1);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->given_back, NULL);
    status s = db_open(&made->writer, path, DB_WRITE, err);
    if (s == OK)
        s = migrations_apply(made->writer, path, store_migrations, store_migrations_count, err);
    if (s == OK)
        *store = made;
    else
        store_close(made);
    return s;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->idle_count; i++)
        db_close(store->idle[i]);
    db_close(store->writer); /* the last to go moves the log into the database */
    pthread_cond_destroy(&store->given_back);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

status store_writer(struct store *store, struct db **db, struct error *err)
{
    (void)err;
    pthread_mutex_lock(&store->lock);
    while (store->writer_lent)
        pthread_cond_wait(&store->given_back, &store->lock);
    store->writer_lent = true;
    pthread_mutex_unlock(&store->lock);
    *db = store->writer;
    return OK;
}

status store_reader(struct store *store, struct db **db, struct error *err)
{
    struct db *idle = NULL;
    pthread_mutex_lock(&store->lock);
    while (store->idle_count == 0 && store->reader_count == READERS_MOST)
        pthread_cond_wait(&store->given_back, &store->lock);
    if (store->idle_count > 0)
        idle = store->idle[--store->idle_count];
    else
        store->reader_count++;
    pthread_mutex_unlock(&store->lock);
    if (idle) {
        *db = idle;
        return OK;
    }
    status s = db_open(db, store->path, DB_READ, err);
    if (s != OK) {
        pthread_mutex_lock(&store->lock);
        store->reader_count--;
        pthread_cond_broadcast(&store->given_back);
        pthread_mutex_unlock(&store->lock);
    }
    return s;
}

uint64_t store_version(const struct store *store)
{
    return db_version(store->writer);
}

void store_give_back(struct store *store, struct db *db)
{
    if (!db)
        return;
    db_rollback(db);
    pthread_mutex_lock(&store->lock);
    if (db == store->writer)
        store->writer_lent = false;
    else
        store->idle[store->idle_count++] = db;
    pthread_cond_broadcast(&store->given_back);
    pthread_mutex_unlock(&store->lock);
}
