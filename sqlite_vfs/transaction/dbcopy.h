/*
 * Copying an open database to another name in the same tree, while other connections use it.
 *
 * The copy is the database as it was last committed.  A WAL with content is copied with it, so that
 * the two files together are complete.
 */
#ifndef MFS_DBCOPY_H
#define MFS_DBCOPY_H

#include "file/file.h"
#include "locks/member.h"

/*
 * Copies the database of an open connection to `name`.
 *
 * Errors:  EBUSY (a transaction is writing, or the WAL is being checkpointed, or there is a journal
 *          or WAL that no connection has looked at yet; `*why` is then a text that says which),
 *          EEXIST (`name` exists, or a journal or WAL of that name), ENAMETOOLONG, EDQUOT, ENOSPC,
 *          ENOMEM, those of a path.
 * Failure: nothing has changed.
 */
int mfs_dbcopy_make(struct mfs_file *file, struct mfs_member *member, const char *name,
                    const char **why);

#endif
