#include "api/answer_cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store.h"

#define ENTRIES 128
#define BYTES_MOST (4u << 20)
#define TEXT_MOST (BYTES_MOST / 4)

struct entry {
    char *key, *text; /* NULL: free */
    size_t key_length, text_length;
    uint64_t hash, used;
    char etag[sizeof((struct api_response *)0)->etag];
};

struct answer_cache {
    struct store *store;
    pthread_mutex_t lock;
    uint64_t version; /* that all entries hold for */
    uint64_t turn;
    size_t bytes; /* of keys and texts */
    struct entry entries[ENTRIES];
};

status answer_cache_create(struct answer_cache **cache, struct store *store, struct error *err)
{
    struct answer_cache *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(err, sizeof *made);
    made->store = store;
    pthread_mutex_init(&made->lock, NULL);
    *cache = made;
    return OK;
}

static void drop(struct answer_cache *cache, struct entry *entry)
{
    if (entry->key)
        cache->bytes -= entry->key_length + entry->text_length;
    free(entry->key);
    free(entry->text);
    *entry = (struct entry){0};
}

static void drop_all(struct answer_cache *cache)
{
    for (size_t i = 0; i < ENTRIES; i++)
        drop(cache, &cache->entries[i]);
}

void answer_cache_free(struct answer_cache *cache)
{
    if (!cache)
        return;
    drop_all(cache);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* FNV-1a */
static uint64_t hash_of(struct str key)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (uint8_t)key.p[i]) * 0x100000001b3u;
    return h;
}

static struct entry *look_up(struct answer_cache *cache, struct str key, uint64_t hash)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *entry = &cache->entries[i];
        if (entry->key && entry->hash == hash && str_equal((struct str){entry->key, entry->key_length}, key))
            return entry;
    }
    return NULL;
}

static char *copy_of(const char *bytes, size_t n)
{
    char *copy = malloc(n + 1);
    if (copy) {
        memcpy(copy, bytes, n);
        copy[n] = '\0';
    }
    return copy;
}

bool answer_cache_find(struct answer_cache *cache, struct str key, struct api_response *response, uint64_t *version)
{
    *version = store_version(cache->store);
    if (*version == 0)
        return false;
    uint64_t hash = hash_of(key);
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = cache->version == *version ? look_up(cache, key, hash) : NULL;
    char *text = entry ? copy_of(entry->text, entry->text_length) : NULL;
    if (text) {
        entry->used = ++cache->turn;
        *response = (struct api_response){
            .status = 200, .text = text, .text_length = entry->text_length, .content_type = "application/json"};
        memcpy(response->etag, entry->etag, sizeof response->etag);
    }
    pthread_mutex_unlock(&cache->lock);
    return text != NULL;
}

/* A free place, after the ones that were not used for longest went to make room for so many bytes. */
static struct entry *make_room(struct answer_cache *cache, size_t bytes)
{
    for (;;) {
        struct entry *empty = NULL, *oldest = NULL;
        for (size_t i = 0; i < ENTRIES; i++) {
            struct entry *entry = &cache->entries[i];
            if (!entry->key)
                empty = entry;
            else if (!oldest || entry->used < oldest->used)
                oldest = entry;
        }
        if (empty && cache->bytes + bytes <= BYTES_MOST)
            return empty;
        drop(cache, oldest);
    }
}

void api_response_render(struct api_response *response)
{
    struct buf text = {0};
    if (!response->body)
        return;
    if (json_write(response->body, &text, NULL) != OK || buf_append(&text, "\n", 1, NULL) != OK) {
        buf_release(&text);
        return;
    }
    json_decref(response->body);
    response->body = NULL;
    response->text = (char *)text.data;
    response->text_length = text.len;
    if (!response->content_type)
        response->content_type = "application/json";
}

void answer_cache_keep(struct answer_cache *cache, struct str key, uint64_t version, struct api_response *response)
{
    bool plain = response->status == 200 && response->body && !response->content_type && !response->location[0] &&
                 !response->set_cookie[0] && !response->retry_after;
    api_response_render(response);
    if (!plain || !response->text || response->text_length + key.n > TEXT_MOST || version == 0)
        return;
    struct entry made = {.key = copy_of(key.p, key.n),
                         .text = copy_of(response->text, response->text_length),
                         .key_length = key.n,
                         .text_length = response->text_length,
                         .hash = hash_of(key)};
    memcpy(made.etag, response->etag, sizeof made.etag);
    pthread_mutex_lock(&cache->lock);
    if (cache->version < version) {
        drop_all(cache);
        cache->version = version;
    }
    if (made.key && made.text && cache->version == version && !look_up(cache, key, made.hash)) {
        struct entry *place = make_room(cache, made.key_length + made.text_length);
        made.used = ++cache->turn;
        cache->bytes += made.key_length + made.text_length;
        *place = made;
        made = (struct entry){0};
    }
    pthread_mutex_unlock(&cache->lock);
    free(made.key);
    free(made.text);
}
