/* The canonical path of a database. */
#ifndef MFS_FULLNAME_H
#define MFS_FULLNAME_H

#include <memfs/memfs.h>

/*
 * Writes what xFullPathname answers: the absolute path without symbolic links, "." and "..".
 * Directories may be missing; what is behind the first missing one is taken as text.
 *
 * SQLITE_OK; SQLITE_OK_SYMLINK if a symbolic link was followed; SQLITE_CANTOPEN if the path cannot
 * be resolved or does not fit.
 */
int mfs_fullname_make(memfs *fs, const char *path, int size, char *out);

#endif
