/* What a new connection gets that only SQL can give: its PRAGMA mmap_size. */
#ifndef MFS_NEWCONNECTION_H
#define MFS_NEWCONNECTION_H

#include "base/sqliteapi.h"

/* As much as there is. */
#define MFS_MMAP_ALL (INT64_C(1) << 40)

/*
 * Has SQLite call mfs_newconnection_set_up() for every connection that is opened, until the
 * other is called.  SQLITE_NOMEM.
 */
int mfs_newconnection_watch(void);
void mfs_newconnection_unwatch(void);

/*
 * If the main database is one of ours: sets its mmap_size to what the URI says, or else to
 * `mmap_size`; negative: that stays as it is.  Failing leaves SQLite's, which is no harm.
 */
void mfs_newconnection_set_up(sqlite3 *db, sqlite3_int64 mmap_size);

#endif
