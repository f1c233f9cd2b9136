/*
 * The PRAGMAs whose names begin with "memfs_"; MANUAL.md lists them.
 *
 * SQLite asks for the answer while it prepares the statement, for an EXPLAIN of it too, and asks
 * again when it prepares the statement anew.  A PRAGMA must therefore do no harm if it is served
 * twice: setting a limit twice is harmless, and those that make something never replace anything.
 */
#ifndef MFS_PRAGMA_H
#define MFS_PRAGMA_H

#include "file/file.h"
#include "locks/member.h"

/*
 * Serves SQLITE_FCNTL_PRAGMA of a main database.  `words` is SQLite's argument: [0] receives the
 * answer or the error message, on SQLite's heap; [1] is the name; [2] is the value, or null.
 * SQLITE_NOTFOUND: the name does not begin with "memfs_".
 */
int mfs_pragma_serve(struct mfs_file *file, struct mfs_member *member, char **words);

#endif
