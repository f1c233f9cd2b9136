/*
 * File-controls: what SQLite and its users ask of an open file beyond reading
 * and writing.  Whatever is not ours is SQLITE_NOTFOUND, PRAGMAs included:
 * answering OK to those would turn every PRAGMA into a no-op.
 */
#ifndef MFS_CONTROL_H
#define MFS_CONTROL_H

#include "file/file.h"
#include "locks/member.h"
#include "transaction/undo.h"

/* Those that any file answers. */
int mfs_control_file(struct mfs_file *file, int operation, void *argument);

/* Those of a main database, and the others. */
int mfs_control_database(struct mfs_file *file, struct mfs_member *member, struct mfs_undo *undo,
                         int operation, void *argument);

#endif
