/* Checkpoints in time: before a WAL takes what a small quota has for the database. */
#ifndef MFS_WALHOOK_H
#define MFS_WALHOOK_H

#include "base/sqliteapi.h"

/*
 * Replaces SQLite's automatic checkpoints on the connection, which come after a number of frames
 * (PRAGMA wal_autocheckpoint), by ones that come after the same number, and earlier where memory
 * is short.  Does nothing if automatic checkpoints are switched off.
 */
int mfs_walhook_set(sqlite3 *db);

#endif
