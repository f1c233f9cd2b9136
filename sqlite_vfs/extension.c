/*
 * The loadable extension: a file system of its own, registered as "memfs".
 *
 *     .load ./memfs_sqlite
 *     .open 'file:/app.db?vfs=memfs'
 *
 * The file system lives as long as the process, so the extension asks to stay
 * loaded, and what is in the tree outlives every connection.  The quota comes
 * from the environment: MEMFS_QUOTA=512M, 0 for none; 256 MiB if it is not set.
 *
 * SQLite finds the entry point by the file's name, memfs_sqlite.  It is the only
 * symbol that the extension exports.
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "uri.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <stdlib.h>

#define VFS_NAME "memfs"
#define QUOTA_VARIABLE "MEMFS_QUOTA"

static int fail(char **message, const char *doing, int error)
{
    *message = sqlite3_mprintf("memfs: %s: %s", doing, memfs_error_text(error));
    return error == MEMFS_ENOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

static int create_file_system(char **message, memfs **out)
{
    memfs_config config = memfs_config_default();
    const char *quota = getenv(QUOTA_VARIABLE);
    if (quota != NULL && !mfs_uri_read_bytes(quota, &config.quota_bytes)) {
        *message = sqlite3_mprintf("memfs: " QUOTA_VARIABLE "=\"%s\" is no size "
                                   "(bytes, or a number with K, M, G or T; 0 for no limit)",
                                   quota);
        return SQLITE_ERROR;
    }
    int error = memfs_create(&config, out);
    return error == 0 ? SQLITE_OK : fail(message, "cannot make the file system", error);
}

#if defined(__GNUC__)
#define ENTRY_POINT __attribute__((visibility("default")))
#else
#define ENTRY_POINT
#endif

ENTRY_POINT int sqlite3_memfssqlite_init(sqlite3 *db, char **message,
                                         const sqlite3_api_routines *api);

int sqlite3_memfssqlite_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
    (void)db;
    SQLITE_EXTENSION_INIT2(api)
    if (memfs_sqlite_find(VFS_NAME) != NULL)
        return SQLITE_OK_LOAD_PERMANENTLY; /* loaded before */
    memfs *fs;
    int rc = create_file_system(message, &fs);
    if (rc != SQLITE_OK)
        return rc;
    int error = memfs_sqlite_register(fs, VFS_NAME, 0);
    if (error == 0)
        return SQLITE_OK_LOAD_PERMANENTLY;
    (void)memfs_destroy(fs, 0);
    /* Another thread that loads the extension at this moment may have been first. */
    if (error == MEMFS_EEXIST && memfs_sqlite_find(VFS_NAME) != NULL)
        return SQLITE_OK_LOAD_PERMANENTLY;
    return fail(message, "cannot register the VFS \"" VFS_NAME "\"", error);
}
