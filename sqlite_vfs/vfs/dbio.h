/* Bytes and pages of a main database: xRead, xWrite, xTruncate, xFileSize, xFetch, xUnfetch. */
#ifndef MFS_DBIO_H
#define MFS_DBIO_H

#include "base/sqliteapi.h"

int mfs_dbio_read(sqlite3_file *file, void *buffer, int count, sqlite3_int64 offset);
int mfs_dbio_write(sqlite3_file *file, const void *buffer, int count, sqlite3_int64 offset);
int mfs_dbio_truncate(sqlite3_file *file, sqlite3_int64 size);
int mfs_dbio_size(sqlite3_file *file, sqlite3_int64 *size);
int mfs_dbio_fetch(sqlite3_file *file, sqlite3_int64 offset, int count, void **out);
int mfs_dbio_unfetch(sqlite3_file *file, sqlite3_int64 offset, void *page);

/* The two bytes of a database's header that say whether it is in WAL mode. */
enum {
    MFS_DBIO_FORMAT_OFFSET = 18,
    MFS_DBIO_FORMAT_BYTES = 2,
    MFS_DBIO_FORMAT_ROLLBACK = 1,
    MFS_DBIO_FORMAT_WAL = 2
};

#endif
