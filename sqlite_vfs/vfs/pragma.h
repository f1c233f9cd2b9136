/*
 * PRAGMAs of our own.  Their names begin with "memfs_"; the manual lists them.
 *
 * SQLite asks while it prepares a statement, for an EXPLAIN of it too, and again if it has to
 * prepare it anew.  So setting happens at prepare time; setting twice does no harm, and
 * memfs_copy, which would, never replaces anything.
 */
#ifndef MFS_PRAGMA_H
#define MFS_PRAGMA_H

#include "file/file.h"
#include "locks/member.h"

/*
 * Serves SQLITE_FCNTL_PRAGMA of a main database: `words` are where the answer goes, the name, and
 * the value or null.  The answer, which may be an error's message, is on SQLite's heap.
 * SQLITE_NOTFOUND: not one of ours.
 */
int mfs_pragma_serve(struct mfs_file *file, struct mfs_member *member, char **words);

#endif
