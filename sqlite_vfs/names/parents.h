/* An operation that makes the directories it misses, and unmakes them if it fails. */
#ifndef MFS_PARENTS_H
#define MFS_PARENTS_H

#include <memfs/memfs.h>

/* 0 or an error, as memfs's own; ENOENT says that a directory may be missing. */
typedef int (*mfs_parents_operation)(memfs *fs, void *context);

/*
 * Runs an operation that makes an entry at `path`.  If it says ENOENT, makes the parents of
 * `path` that are missing, 0755, and runs it once more.  If it fails again, removes those
 * that were made, unless somebody has put something into them meanwhile.
 * Errors: the operation's, those of memfs_mkdir_parents(), ENOMEM.
 */
int mfs_parents_run(memfs *fs, const char *path, mfs_parents_operation operation, void *context);

#endif
