/*
 * File-controls: what SQLite and programs ask of an open file beyond reading and writing it.
 *
 * An operation that is not served is SQLITE_NOTFOUND, PRAGMAs of other names included: SQLITE_OK
 * for those would turn every PRAGMA into a no-op.
 */
#ifndef MFS_CONTROL_H
#define MFS_CONTROL_H

#include "file/file.h"
#include "locks/member.h"
#include "transaction/undo.h"

#include <stdbool.h>

/* Serves those of a file of any kind. */
int mfs_control_file(struct mfs_file *file, int operation, void *argument);

/* Serves those of a main database, which are these and some more. */
int mfs_control_database(struct mfs_file *file, struct mfs_member *member, struct mfs_undo *undo,
                         int operation, void *argument);

/*
 * SQLITE_FCNTL_SIZE_LIMIT: the size that the database may not grow beyond; negative asks.  It
 * cannot be set below the present size, and lasts until the last connection closes.  Without
 * `may_set` it is only answered.
 */
int mfs_control_size_limit(struct mfs_file *file, struct mfs_member *member, bool may_set,
                           sqlite3_int64 *argument);

#endif
