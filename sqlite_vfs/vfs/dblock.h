/* Locks of a main database: xLock, xUnlock, xCheckReservedLock. */
#ifndef MFS_DBLOCK_H
#define MFS_DBLOCK_H

#include "base/sqliteapi.h"

int mfs_dblock_lock(sqlite3_file *file, int level);
int mfs_dblock_unlock(sqlite3_file *file, int level);
int mfs_dblock_check_reserved(sqlite3_file *file, int *is_reserved);

#endif
