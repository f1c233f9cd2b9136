/* Opening a database whose directories may be missing. */
#ifndef MFS_OPENPARENTS_H
#define MFS_OPENPARENTS_H

#include <memfs/memfs.h>

/* Tries to open; returns one of SQLite's codes.  SQLITE_CANTOPEN: a directory may be missing. */
typedef int (*mfs_openparents_attempt)(void *context);

/*
 * Makes an attempt.  If it says SQLITE_CANTOPEN, makes the missing parents of `path`, 0755, and a
 * second attempt; if that fails too, removes those parents again.
 *
 * Returns the code of the last attempt, or of the error that making a directory met.
 */
int mfs_openparents_run(memfs *fs, const char *path, mfs_openparents_attempt attempt,
                        void *context);

#endif
