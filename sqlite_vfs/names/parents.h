/* Running an operation with the missing parent directories made first, and removed if it fails. */
#ifndef MFS_PARENTS_H
#define MFS_PARENTS_H

#include <memfs/memfs.h>

/* Returns 0 or one of memfs's errors; ENOENT says that a directory may be missing. */
typedef int (*mfs_parents_operation)(memfs *fs, void *context);

/*
 * Runs an operation that makes an entry at `path`.  If it returns ENOENT, makes the missing parents
 * of `path` with mode 0755 and runs it once more.
 *
 * Errors:  the operation's, those of memfs_mkdir_parents(), ENOMEM.
 * Failure: the directories that were made are removed, unless they are in use by then.
 */
int mfs_parents_run(memfs *fs, const char *path, mfs_parents_operation operation, void *context);

#endif
