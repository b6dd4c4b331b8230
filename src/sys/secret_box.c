#include "sys/secret_box.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dir.h"
#include "sys/file.h"
#include "sys/id.h"

#define SEALED_VERSION 1
#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_BYTES crypto_aead_xchacha20poly1305_ietf_ABYTES
#define HEAD_BYTES (1 + NONCE_BYTES)

_Static_assert(SECRET_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "the cipher's key");

static status library_ready(struct error *err)
{
    return sodium_init() >= 0 ? OK : error_set(err, ERR_INTERNAL, "libsodium cannot be used: it finds no random bytes");
}

static status read_key(int fd, const char *path, struct secret_key *key, struct error *err)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return error_set_errno(err, errno, "cannot look at %s", path);
    if (info.st_mode & (S_IRWXG | S_IRWXO)) {
        status s =
            error_set(err, ERR_DENIED, "%s is open to other users (mode %03o)", path, (unsigned)info.st_mode & 0777);
        error_hint(err,
                   "Only its owner may read the key: chmod 600 %s. If others could read it for a while, change "
                   "the passwords of the connections.",
                   path);
        return s;
    }
    if (!S_ISREG(info.st_mode) || info.st_size != SECRET_KEY_BYTES) {
        status s = error_set(err, ERR_BAD_DATA, "%s is no key: a file of %d bytes is expected", path, SECRET_KEY_BYTES);
        error_hint(err, "Put the file back from your backup of this home.");
        return s;
    }
    return file_pread_all(fd, key->bytes, SECRET_KEY_BYTES, 0, path, err);
}

static status load(struct secret_key *key, const char *path, struct error *err)
{
    int fd = file_open(path, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot open the key %s", path);
    status s = read_key(fd, path, key, err);
    file_close(fd);
    return s;
}

static status write_key(const char *path, const struct secret_key *key, struct error *err)
{
    int fd = file_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (fd < 0)
        return error_set_errno(err, errno, "cannot create %s", path);
    status s = file_write_all(fd, key->bytes, SECRET_KEY_BYTES, path, err);
    if (s == OK)
        s = file_fsync(fd, path, err);
    file_close(fd);
    return s;
}

static status sync_folder_of(const char *path, struct error *err)
{
    char *folder = strdup(path);
    if (!folder)
        return error_no_memory(err, strlen(path));
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    status s = dir_fsync(slash ? folder : ".", err);
    free(folder);
    return s;
}

/* ERR_EXISTS when somebody else was quicker. */
static status create(const char *path, struct error *err)
{
    struct secret_key made;
    char suffix[17];
    struct buf fresh = {0};
    random_hex(suffix, 8);
    randombytes_buf(made.bytes, sizeof made.bytes);
    status s = buf_printf(&fresh, err, "%s.%s.new", path, suffix);
    if (s == OK)
        s = buf_append(&fresh, "", 1, err);
    const char *name = (const char *)fresh.data;
    if (s == OK)
        s = write_key(name, &made, err);
    if (s == OK)
        s = file_rename(name, path, FILE_RENAME_NEW, err);
    if (s != OK && name)
        unlink(name);
    if (s == OK)
        s = sync_folder_of(path, err);
    secret_key_clear(&made);
    buf_release(&fresh);
    return s;
}

status secret_key_load(struct secret_key *key, const char *path, bool create_it, struct error *err)
{
    struct secret_key found;
    status s = library_ready(err);
    if (s == OK)
        s = load(&found, path, err);
    if (s == ERR_NOT_FOUND && create_it) {
        s = create(path, err);
        if (s == OK || s == ERR_EXISTS)
            s = load(&found, path, err);
    }
    if (s == OK)
        *key = found;
    secret_key_clear(&found);
    return s;
}

void secret_key_clear(struct secret_key *key)
{
    sodium_memzero(key, sizeof *key);
}

status secret_seal(const struct secret_key *key, const char *bound_to, const void *plain, size_t n, struct buf *sealed,
                   struct error *err)
{
    size_t before = sealed->len;
    unsigned long long written = 0;
    status s = library_ready(err);
    if (s == OK)
        s = buf_resize(sealed, before + HEAD_BYTES + n + TAG_BYTES, err);
    if (s != OK)
        return s;
    unsigned char *head = sealed->data + before, *nonce = head + 1;
    head[0] = SEALED_VERSION;
    randombytes_buf(nonce, NONCE_BYTES);
    crypto_aead_xchacha20poly1305_ietf_encrypt(head + HEAD_BYTES, &written, plain, n, (const unsigned char *)bound_to,
                                               strlen(bound_to), NULL, nonce, key->bytes);
    sealed->len = before + HEAD_BYTES + (size_t)written;
    return OK;
}

status secret_open(const struct secret_key *key, const char *bound_to, const void *sealed, size_t n, struct buf *plain,
                   struct error *err)
{
    const unsigned char *head = sealed;
    size_t before = plain->len;
    unsigned long long written = 0;
    status s = library_ready(err);
    if (s == OK && (n < HEAD_BYTES + TAG_BYTES || head[0] != SEALED_VERSION))
        s = error_set(err, ERR_BAD_DATA, "the sealed secrets are damaged, or of a newer FlowForge");
    if (s == OK)
        s = buf_resize(plain, before + n - HEAD_BYTES - TAG_BYTES, err);
    if (s != OK)
        return s;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain->data + before, &written, NULL, head + HEAD_BYTES,
                                                   n - HEAD_BYTES, (const unsigned char *)bound_to, strlen(bound_to),
                                                   head + 1, key->bytes) != 0) {
        plain->len = before;
        return error_set(err, ERR_BAD_DATA,
                         "the key does not fit: it is not the one that these secrets were sealed "
                         "with, or they were changed");
    }
    plain->len = before + (size_t)written;
    return OK;
}

void secret_wipe(struct buf *plain)
{
    if (plain->data)
        sodium_memzero(plain->data, plain->cap);
    buf_release(plain);
}
