/*
 * A copy of an open database under another name in the same tree, while others use it.
 *
 * The copy is the database as it was last committed.  A WAL with anything in it is copied along,
 * so that the two files together are whole.
 */
#ifndef MFS_DBCOPY_H
#define MFS_DBCOPY_H

#include "file/file.h"
#include "locks/dbshare.h"

/*
 * Replaces nothing.  `why` is set with EBUSY.
 * Errors:  EBUSY (a transaction is writing, or the WAL is being checkpointed, or there is a journal
 *          or WAL that no connection has looked at yet), EEXIST (`name`, or a journal or WAL of that
 *          name), ENAMETOOLONG, EDQUOT, ENOSPC, ENOMEM, those of a path.
 * Failure: nothing has changed.
 */
int mfs_dbcopy_make(struct mfs_file *file, struct mfs_member *member, const char *name,
                    const char **why);

#endif
