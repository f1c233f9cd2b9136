/*
 * When a WAL is checkpointed.
 *
 * 1. A checkpoint of the kind PASSIVE waits for no connection, and needs no memory: what it writes
 *    was preallocated with the frames.  Afterwards the WAL begins anew in the pages that it has.
 * 2. The frames of a WAL may take a quarter of what is left for them and for new data together.  At
 *    a full quota every commit is followed by a checkpoint, so each transaction has the whole
 *    emergency reserve.
 *
 * Cost: one memfs_statfs() for each commit in WAL mode.
 *
 * Left undone on purpose: connections that memfs_sqlite_open() did not open.  SQLite sets its own
 * hook after the last moment at which an extension sees a new connection.
 */
#include "entry/walhook.h"

#include "base/assertion.h"
#include "vfs/vfs.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

enum { PAGE_SIZE_IN_HEADER = 16, FREE_PARTS = 3 };

/* Of the database that a schema is; 65536, the largest, if it cannot be read. */
static uint64_t page_size_of_schema(sqlite3 *db, const char *schema)
{
    sqlite3_file *file = NULL;
    unsigned char bytes[2];
    if (sqlite3_file_control(db, schema, SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file == NULL || file->pMethods == NULL ||
        file->pMethods->xRead(file, bytes, sizeof bytes, PAGE_SIZE_IN_HEADER) != SQLITE_OK)
        return 65536;
    uint64_t size = (uint64_t)bytes[0] << 8 | bytes[1];
    return size >= 512 ? size : 65536;
}

/* Whether the WAL's frames take too much of the file system.  Elsewhere they never do. */
static bool is_memory_short(sqlite3 *db, const char *schema, int frames)
{
    sqlite3_vfs *base = NULL;
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    if (sqlite3_file_control(db, schema, SQLITE_FCNTL_VFS_POINTER, &base) != SQLITE_OK)
        return false;
    const struct mfs_vfs *vfs = mfs_vfs_from(base);
    if (vfs == NULL || memfs_statfs(vfs->fs, &info) != 0)
        return false;
    return (uint64_t)frames * page_size_of_schema(db, schema) > info.available_bytes / FREE_PARTS;
}

/* SQLite calls it after each commit to a WAL, which has `frames` now. */
static int checkpoint_in_time(void *limit, sqlite3 *db, const char *schema, int frames)
{
    MFS_ASSERT(frames >= 0);
    if (frames >= (int)(intptr_t)limit || is_memory_short(db, schema, frames))
        (void)sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK; /* the commit has succeeded, whatever became of the checkpoint */
}

int mfs_walhook_set(sqlite3 *db)
{
    sqlite3_stmt *statement;
    int limit = 0;
    int rc = sqlite3_prepare_v2(db, "PRAGMA wal_autocheckpoint", -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_step(statement) == SQLITE_ROW)
        limit = sqlite3_column_int(statement, 0);
    rc = sqlite3_finalize(statement);
    if (rc == SQLITE_OK && limit > 0)
        (void)sqlite3_wal_hook(db, checkpoint_in_time, (void *)(intptr_t)limit);
    return rc;
}
