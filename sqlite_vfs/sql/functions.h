/* The SQL functions that reach the tree, as one set; SQL.md lists them. */
#ifndef MFS_FUNCTIONS_H
#define MFS_FUNCTIONS_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>
#include <stdbool.h>

/*
 * Puts the functions for `fs` into a connection, in the place of any that are there.  Without
 * host access memfs_import() and memfs_export() are taken out.  Returns SQLite's code.
 * SQLITE_BUSY (functions of these names are there, and statements are running): nothing has
 * changed.
 */
int mfs_functions_register(sqlite3 *db, memfs *fs, bool has_host_access);

/* Takes all of them out. */
void mfs_functions_remove(sqlite3 *db);

#endif
