/* A file that tells whose directory it stands in, and whether that process still lives.
 *
 * The process that writes a mark keeps a lock on it until it ends, however it ends. A mark is dead when its lock can be
 * had and, where its process number means something here (same boot, same process namespace), no process of that
 * number and start time exists. The lock is what tells across containers and machines that share a file system; the
 * numbers are what tells where the file system has no locks. */
#ifndef FF_SYS_OWNER_MARK_H
#define FF_SYS_OWNER_MARK_H

#include "base/error.h"

/* Create (ERR_EXISTS if there) and lock. *fd is to be closed when the directory is given up. */
status owner_mark_create(const char *path, int *fd, struct error *err) MUST_USE;

enum owner_state {
    OWNER_ALIVE,  /* or it cannot be told */
    OWNER_DEAD,   /* *fd holds the lock, so that nobody else acts on the same finding; the caller closes it */
    OWNER_UNKNOWN /* there is no mark, or it was never written to its end */
};
enum owner_state owner_mark_state(const char *path, int *fd);

#endif
