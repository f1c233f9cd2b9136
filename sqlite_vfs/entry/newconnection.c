/*
 * Setting mmap_size on new connections.
 *
 * The pager asks for pages by xFetch only if its connection's mmap_size is above 0, and a VFS
 * cannot reach the connection that opens a file.  An automatic extension can: SQLite calls it for
 * each new connection, after the main database was opened.
 *
 * Cost: every connection of the process is asked for its VFS once.
 *
 * Left undone on purpose: attached databases.  No such call is made for them; they inherit what
 * PRAGMA mmap_size has set on their connection.
 */
#include "entry/newconnection.h"

#include "base/assertion.h"
#include "vfs/uri_parameters.h"
#include "vfs/vfs.h"

static int set_up_new_connection(sqlite3 *db, const char **message, const sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    mfs_newconnection_set_up(db, -1);
    return SQLITE_OK;
}

int mfs_newconnection_watch(void)
{
    return sqlite3_auto_extension((void (*)(void))set_up_new_connection);
}

void mfs_newconnection_unwatch(void)
{
    (void)sqlite3_cancel_auto_extension((void (*)(void))set_up_new_connection);
}

void mfs_newconnection_set_up(sqlite3 *db, sqlite3_int64 mmap_size)
{
    sqlite3_vfs *vfs = NULL;
    struct mfs_uri_parameters parameters = mfs_uri_parameters_none();
    char sql[64];
    MFS_ASSERT(db != NULL);
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK ||
        mfs_vfs_from(vfs) == NULL)
        return;
    const char *path = sqlite3_db_filename(db, "main");
    if (path == NULL || path[0] == '\0' || mfs_uri_parameters_read(path, &parameters) != SQLITE_OK)
        return;
    if (parameters.mmap_size >= 0)
        mmap_size = parameters.mmap_size;
    if (mmap_size < 0)
        return;
    MFS_ASSERT(mmap_size >= 0);
    sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA mmap_size=%lld", mmap_size);
    (void)sqlite3_exec(db, sql, NULL, NULL, NULL);
}
