#include "sys/secret_box.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/dir.h"
#include "unit/cmocka_all.h"

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-secret-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/secret.key", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    struct error err;
    return dir_remove_tree(folder, &err) == OK ? 0 : -1;
}

#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) != OK)                                                                                              \
            fail_msg("%s", (err).message);                                                                             \
    } while (0)

static void a_key_is_made_once_and_for_its_owner(void **state)
{
    (void)state;
    struct error err;
    struct secret_key first = {0}, again = {0}, none = {0};
    struct stat info;
    assert_int_equal(secret_key_load(&first, path, false, &err), ERR_NOT_FOUND);
    assert_memory_equal(&first, &none, sizeof first);
    assert_ok(secret_key_load(&first, path, true, &err), err);
    assert_memory_not_equal(&first, &none, sizeof first);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(info.st_size, SECRET_KEY_BYTES);
    assert_ok(secret_key_load(&again, path, true, &err), err);
    assert_memory_equal(&first, &again, sizeof first);
    secret_key_clear(&again);
    assert_memory_equal(&again, &none, sizeof again);
}

static void *load_key(void *into)
{
    struct error err;
    return secret_key_load(into, path, true, &err) == OK ? into : NULL;
}

static void count_name(void *count, const char *name)
{
    (void)name;
    ++*(int *)count;
}

static void many_at_once_get_one_key(void **state)
{
    (void)state;
    struct error err;
    struct secret_key keys[8];
    pthread_t threads[8];
    int files = 0;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_key, &keys[i]), 0);
    for (int i = 0; i < 8; i++) {
        void *loaded = NULL;
        pthread_join(threads[i], &loaded);
        assert_non_null(loaded);
        assert_memory_equal(&keys[0], &keys[i], sizeof keys[0]);
    }
    assert_ok(dir_each(folder, count_name, &files, &err), err);
    assert_int_equal(files, 1);
}

static void a_key_that_others_can_read_or_that_is_none_is_refused(void **state)
{
    (void)state;
    struct error err;
    struct secret_key key;
    assert_ok(secret_key_load(&key, path, true, &err), err);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(secret_key_load(&key, path, true, &err), ERR_DENIED);
    assert_non_null(strstr(err.hint, "chmod 600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 31), 0);
    assert_int_equal(secret_key_load(&key, path, true, &err), ERR_BAD_DATA);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(secret_key_load(&key, path, true, &err), ERR_BAD_DATA);
}

static void what_is_sealed_opens_only_as_it_was(void **state)
{
    (void)state;
    struct error err;
    struct secret_key key, other;
    struct buf sealed = {0}, twice = {0}, plain = {0};
    const char secret[] = "{\"password\":\"hunter2\"}";
    assert_ok(secret_key_load(&key, path, true, &err), err);
    other = key;
    other.bytes[31] ^= 1;
    assert_ok(secret_seal(&key, "id-1", secret, strlen(secret), &sealed, &err), err);
    assert_ok(secret_seal(&key, "id-1", secret, strlen(secret), &twice, &err), err);
    assert_int_equal(sealed.len, 1 + 24 + strlen(secret) + 16);
    assert_memory_not_equal(sealed.data, twice.data, sealed.len);
    assert_null(memmem(sealed.data, sealed.len, "hunter2", 7));
    assert_ok(secret_open(&key, "id-1", sealed.data, sealed.len, &plain, &err), err);
    assert_int_equal(plain.len, strlen(secret));
    assert_memory_equal(plain.data, secret, plain.len);
    secret_wipe(&plain);
    assert_int_equal(secret_open(&other, "id-1", sealed.data, sealed.len, &plain, &err), ERR_BAD_DATA);
    assert_int_equal(secret_open(&key, "id-2", sealed.data, sealed.len, &plain, &err), ERR_BAD_DATA);
    for (size_t n = 0; n < sealed.len; n++)
        assert_int_equal(secret_open(&key, "id-1", sealed.data, n, &plain, &err), ERR_BAD_DATA);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.data[i] ^= 0x40;
        assert_int_equal(secret_open(&key, "id-1", sealed.data, sealed.len, &plain, &err), ERR_BAD_DATA);
        sealed.data[i] ^= 0x40;
    }
    assert_int_equal(plain.len, 0);
    secret_wipe(&plain);
    buf_release(&sealed);
    buf_release(&twice);
}

static void nothing_can_be_sealed_too(void **state)
{
    (void)state;
    struct error err;
    struct secret_key key;
    struct buf sealed = {0}, plain = {0};
    assert_ok(secret_key_load(&key, path, true, &err), err);
    assert_ok(secret_seal(&key, "", "", 0, &sealed, &err), err);
    assert_ok(secret_open(&key, "", sealed.data, sealed.len, &plain, &err), err);
    assert_int_equal(plain.len, 0);
    secret_wipe(&plain);
    buf_release(&sealed);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, drop_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(a_key_is_made_once_and_for_its_owner),
        in_folder(many_at_once_get_one_key),
        in_folder(a_key_that_others_can_read_or_that_is_none_is_refused),
        in_folder(what_is_sealed_opens_only_as_it_was),
        in_folder(nothing_can_be_sealed_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
