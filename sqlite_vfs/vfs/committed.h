/* What has been committed to a database, its WAL included, as one held content. */
#ifndef MFS_COMMITTED_H
#define MFS_COMMITTED_H

#include "vfs/dbstate.h"

#include <memfs/storage.h>

/*
 * Takes what is committed to the database of a connection.  The connection holds a read
 * transaction, and is not in one that writes; other connections may write meanwhile.  `*out` is
 * then as large as the database, to be dropped with memfs_content_drop().  Where the same pages are
 * in the WAL at the next time, they are other pages of memfs with the same bytes.
 *
 * SQLITE_BUSY: the database is being checkpointed, or a WAL was begun anew meanwhile; to be tried
 * again.  SQLITE_FULL, SQLITE_NOMEM: no room for the pages that are in the WAL alone.
 */
int mfs_committed_take(struct mfs_dbfile *db, memfs_content_ref *out);

#endif
