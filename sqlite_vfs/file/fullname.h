/* The one name of a database among its spellings. */
#ifndef MFS_FULLNAME_H
#define MFS_FULLNAME_H

#include <memfs/memfs.h>

/*
 * What xFullPathname answers: absolute, without links, "." and "..", and its code: SQLITE_OK,
 * SQLITE_OK_SYMLINK if a link was on the way, SQLITE_CANTOPEN if there is no such name or it
 * does not fit.  Directories may be missing; what is behind the first of them is text.
 */
int mfs_fullname_make(memfs *fs, const char *path, int size, char *out);

#endif
