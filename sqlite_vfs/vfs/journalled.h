/*
 * Memory for a rollback, taken when a page is journalled.
 *
 * Playing a journal back must need no memory.  Most of what it writes is what the file has, or goes
 * where the transaction has written before.  The exception are free pages: SQLite changes them in
 * its cache without writing them, and journals what the cache has.
 */
#ifndef MFS_JOURNALLED_H
#define MFS_JOURNALLED_H

#include "vfs/dbstate.h"

/* Where in the open journal the next page begins, if its number was written last.  All zeros to
 * begin with. */
struct mfs_journalled {
    sqlite3_int64 next_offset; /* 0: none */
    uint32_t page_number;
};

/*
 * Before a write to the rollback journal of a connection.  SQLITE_FULL and SQLITE_IOERR_NOMEM:
 * playing back the page that is to be written could be refused; nothing has changed.
 */
int mfs_journalled_before_write(struct mfs_journalled *journalled, struct mfs_dbfile *db,
                                const void *buffer, int count, sqlite3_int64 offset);

#endif
