/* The SQL functions that read the tree and change nothing. */
#ifndef MFS_READERS_H
#define MFS_READERS_H

#include "base/sqliteapi.h"

/* Each has the signature that SQLite calls; the user data is the memfs. */

/* memfs_read(path [, offset [, length]]) */
void mfs_readers_read(sqlite3_context *context, int count, sqlite3_value **values);

/* memfs_stat(path) */
void mfs_readers_stat(sqlite3_context *context, int count, sqlite3_value **values);

/* memfs_exists(path) */
void mfs_readers_exists(sqlite3_context *context, int count, sqlite3_value **values);

/* memfs_last_error() */
void mfs_readers_last_error(sqlite3_context *context, int count, sqlite3_value **values);

#endif
