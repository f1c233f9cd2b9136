/* The SQL functions that change the tree. */
#ifndef MFS_WRITERS_H
#define MFS_WRITERS_H

#include "base/sqliteapi.h"

/* Each has the signature that SQLite calls; the user data is the memfs. */

/* memfs_write(path, data) and memfs_append(path, data) */
void mfs_writers_write(sqlite3_context *context, int count, sqlite3_value **values);
void mfs_writers_append(sqlite3_context *context, int count, sqlite3_value **values);

/* memfs_mkdir(path), memfs_remove(path) and memfs_remove_tree(path) */
void mfs_writers_mkdir(sqlite3_context *context, int count, sqlite3_value **values);
void mfs_writers_remove(sqlite3_context *context, int count, sqlite3_value **values);
void mfs_writers_remove_tree(sqlite3_context *context, int count, sqlite3_value **values);

/* memfs_rename(from, to) and memfs_copy(from, to) */
void mfs_writers_rename(sqlite3_context *context, int count, sqlite3_value **values);
void mfs_writers_copy(sqlite3_context *context, int count, sqlite3_value **values);

/* memfs_snapshot_extract(snapshot, from, to) */
void mfs_writers_extract(sqlite3_context *context, int count, sqlite3_value **values);

#endif
