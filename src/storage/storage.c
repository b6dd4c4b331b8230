#include "storage/storage.h"

void storage_release(struct storage *storage)
{
    if (storage->ops)
        storage->ops->release(storage->self);
    *storage = (struct storage){0};
}

static bool is_plain_byte(unsigned char c)
{
    return c >= 0x20 && c != 0x7f && c != '\\';
}

bool storage_name_is_plain(const char *name)
{
    if (!name || strlen(name) > STORAGE_NAME_MOST)
        return false;
    for (const char *at = name;; at++) {
        size_t n = strcspn(at, "/");
        if (n == 0 || (n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if (!is_plain_byte((unsigned char)at[i]))
                return false;
        at += n;
        if (!*at)
            return true;
    }
}

status storage_check_name(const char *name, struct error *err)
{
    if (storage_name_is_plain(name))
        return OK;
    status s = error_set(err, ERR_INVALID, "'%.200s' is not the name of an object", name ? name : "");
    error_hint(err, "names are relative, without '.' or '..' segments, backslashes or control characters, and at most "
                    "1024 bytes long");
    return s;
}

bool storage_name_is_hidden(const char *name)
{
    for (const char *at = name; at; at = strchr(at, '/')) {
        if (*at == '/')
            at++;
        if (*at == '.')
            return true;
    }
    return false;
}
