/*
 * Checkpoints that come before the file system is full.
 *
 * SQLite's automatic checkpoint comes after 1000 frames, which is more than a small quota has.  A
 * connection has one hook that SQLite calls after each commit to a WAL; SQLite's own hook is in it
 * unless the program has set another, or none.  Here are hooks that do what SQLite's does, and
 * checkpoint earlier if memory is short.
 */
#ifndef MFS_WALHOOK_H
#define MFS_WALHOOK_H

#include "base/sqliteapi.h"

/* A file-control of a database; the argument is an int.  In: the frames of its WAL.  Out: whether
 * they take too much of the file system (transaction/walroom.h).  SQLite leaves numbers above 100
 * to others. */
#define MFS_WALHOOK_IS_SHORT 0x6d656d66

/* For a new connection of ours: the hook stays. */
int mfs_walhook_set(sqlite3 *db);

/*
 * For any connection, in the second phase of a commit to a WAL: the hook is called at its end, and
 * puts SQLite's back.  Nothing happens unless SQLite's own hook is in place now, nor if the
 * connection has attached databases.
 */
void mfs_walhook_set_once(sqlite3 *db);

#endif
