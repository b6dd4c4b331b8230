/* Secrets at rest: sealed with XChaCha20-Poly1305 under a key that lies in a file of its own (32 random bytes, mode
 * 0600), so that the database alone tells nothing. */
#ifndef FF_SYS_SECRET_BOX_H
#define FF_SYS_SECRET_BOX_H

#include "base/buf.h"

#define SECRET_KEY_BYTES 32

struct secret_key {
    unsigned char bytes[SECRET_KEY_BYTES];
};

/* The key in the file at `path`. With `create` a file that is missing is made first: written under another name,
 * synced, and given its name only if nothing has it by then, so that a key is never overwritten and never seen half.
 * ERR_NOT_FOUND without `create`; ERR_DENIED when others than its owner may read it; ERR_BAD_DATA when it is no key. */
status secret_key_load(struct secret_key *key, const char *path, bool create, struct error *err) MUST_USE;
/* Wipes it. */
void secret_key_clear(struct secret_key *key);

/* Append the sealed form of n bytes: version, nonce, ciphertext with its tag. `bound_to` (an id) is not in it, and is
 * needed again to open it: a sealed secret that is moved to another record does not open. */
status secret_seal(const struct secret_key *key, const char *bound_to, const void *plain, size_t n, struct buf *sealed,
                   struct error *err) MUST_USE;
/* Append the plain bytes. ERR_BAD_DATA for another key, another `bound_to`, or bytes that were changed; then nothing is
 * appended. The caller wipes them (secret_wipe). */
status secret_open(const struct secret_key *key, const char *bound_to, const void *sealed, size_t n, struct buf *plain,
                   struct error *err) MUST_USE;
/* Zeroes and releases a buffer that held secrets. */
void secret_wipe(struct buf *plain);

#endif
