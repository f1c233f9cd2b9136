/*
 * What a new connection gets that cannot come from the VFS below it: its PRAGMA mmap_size, and the
 * defaults of the connections that this library opens.
 */
#ifndef MFS_NEWCONNECTION_H
#define MFS_NEWCONNECTION_H

#include "base/sqliteapi.h"

/* How long a connection that this library opens waits for a lock, unless told otherwise. */
#define MFS_NEWCONNECTION_BUSY_MS 5000

/* An mmap_size that no database reaches. */
#define MFS_NEWCONNECTION_MMAP_ALL (INT64_C(1) << 40)

/*
 * Has SQLite call mfs_newconnection_set_up(db, -1) for every connection that is opened from now
 * on, until it is stopped.  SQLITE_NOMEM.
 */
int mfs_newconnection_watch(void);
void mfs_newconnection_unwatch(void);

/*
 * If the main database is on one of our VFSes: sets its mmap_size to what the URI says, or else to
 * `mmap_size`; negative: leaves it.  A failure is ignored: reading without mappings works too.
 */
void mfs_newconnection_set_up(sqlite3 *db, sqlite3_int64 mmap_size);

#endif
