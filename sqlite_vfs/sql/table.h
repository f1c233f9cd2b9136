/* The table-valued function memfs_tree(root, depth), with a row for each entry of the tree. */
#ifndef MFS_TABLE_H
#define MFS_TABLE_H

#include "base/sqliteapi.h"

#include <memfs/memfs.h>

/* Puts the table for `fs` into a connection, in the place of one that is there.  SQLite's code. */
int mfs_table_register(sqlite3 *db, memfs *fs);

/* Takes it out. */
void mfs_table_remove(sqlite3 *db);

#endif
