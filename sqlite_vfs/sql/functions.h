/* The SQL functions that reach the tree: memfs_read(), memfs_write() and their like. */
#ifndef MFS_FUNCTIONS_H
#define MFS_FUNCTIONS_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>
#include <stdbool.h>

/*
 * Puts the functions for `fs` into a connection, or replaces those that are there.  Without
 * host access, memfs_import() and memfs_export() are taken out.  Returns SQLite's code.
 * SQLITE_BUSY (some are there, and statements are running): nothing has changed.
 */
int mfs_functions_register(sqlite3 *db, memfs *fs, bool has_host_access);

/* Takes them out. */
void mfs_functions_remove(sqlite3 *db);

#endif
