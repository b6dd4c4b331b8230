/* Answers that are made of nothing but the request and the metadata (routes with `kept`), kept as they go out. An
 * answer holds for exactly one version of the store: the next commit makes it void, so that none is ever stale. */
#ifndef FF_API_ANSWER_CACHE_H
#define FF_API_ANSWER_CACHE_H

#include "api/route.h"

struct answer_cache;

status answer_cache_create(struct answer_cache **cache, struct store *store, struct error *err) MUST_USE;
void answer_cache_free(struct answer_cache *cache); /* NULL is fine */

/* Any thread. `key` is what the answer depends on besides the metadata. True: `response` is set, with a text of its
 * own. False: *version is to be given to answer_cache_keep once the answer is made. */
bool answer_cache_find(struct answer_cache *cache, struct str key, struct api_response *response, uint64_t *version);
/* Turns the response's body into text and keeps a copy of it when it may. The response stays usable whatever happens.
 */
void answer_cache_keep(struct answer_cache *cache, struct str key, uint64_t version, struct api_response *response);

/* body -> text, for the thread that made it rather than the one that sends it. Without memory the body stays. */
void api_response_render(struct api_response *response);

#endif
