/* The folders of a local storage: opened without leaving the root, made with their parents, made durable once. */
#ifndef FF_STORAGE_LOCAL_FOLDER_H
#define FF_STORAGE_LOCAL_FOLDER_H

#include <pthread.h>

#include "base/attributes.h"
#include "storage/name_set.h"
#include "storage/storage.h"

struct local {
    int root;
    char *path; /* of the root, for messages */
    pthread_mutex_t lock;
    struct name_set durable; /* folders whose own name is known to be on disk */
    struct name_set broken;  /* folders that could not be made durable: never asked again */
    bool all_broken;         /* there was no memory to note which */
};

/* "a/b/c" -> "a/b" and "c"; of "c" the folder is "". `folder` holds STORAGE_NAME_MOST + 1. */
const char *local_split(const char *name, char *folder);
/* openat2 beneath the root, close-on-exec; -1 and errno. "" is the root. */
int local_open(const struct local *l, const char *name, int flags, unsigned mode) MUST_USE;
/* What errno says about a name; ERR_DENIED for a link that leads out. */
status local_error(const struct local *l, int sys_errno, const char *what, const char *name, struct error *err);

/* Open the folder, made with its parents where it is missing; each new name is durable in its parent. */
status local_folder_make(struct local *l, const char *folder, int *fd, struct error *err) MUST_USE;
/* fsync, at most one failure ever. */
status local_folder_sync(struct local *l, const char *folder, struct error *err) MUST_USE;
/* It (and all that is below it) may be gone. */
void local_folder_forget(struct local *l, const char *folder);

/* The ops `list` and `folders`. */
status local_list(void *self, const char *prefix, storage_visitor *visit, void *context, struct error *err);
status local_folders(void *self, const char *folder, storage_visitor *visit, void *context, struct error *err);

#endif
