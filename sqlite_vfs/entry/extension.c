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
 * The SQL functions and the table go into the connection that loads the extension, and
 * into each that is opened through the VFS "memfs" afterwards (SQLite calls
 * add_functions() for every new connection).  Others in the process have asked for
 * nothing and get nothing; they may load the extension themselves, any number of times.
 * MEMFS_HOST_ACCESS=1 in the environment adds memfs_import() and memfs_export().
 *
 * MEMFS_DEFAULT_VFS=1 makes "memfs" the VFS of connections that name none, for programs that
 * cannot name one (Node's better-sqlite3 knows no URIs).
 *
 * SQLite finds the entry point by the file's name, memfs_sqlite.  It is the only
 * symbol that the extension exports.
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "base/amount.h"
#include "entry/newconnection.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define VFS_NAME "memfs"
#define QUOTA_VARIABLE "MEMFS_QUOTA"
#define HOST_VARIABLE "MEMFS_HOST_ACCESS"
#define DEFAULT_VARIABLE "MEMFS_DEFAULT_VFS"

static int fail(char **message, const char *doing, int error)
{
    *message = sqlite3_mprintf("memfs: %s: %s", doing, memfs_error_text(error));
    return error == MEMFS_ENOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

static int create_file_system(char **message, memfs **out)
{
    memfs_config config = memfs_config_default();
    const char *quota = getenv(QUOTA_VARIABLE);
    if (quota != NULL && !mfs_amount_read(quota, &config.quota_bytes)) {
        *message = sqlite3_mprintf("memfs: " QUOTA_VARIABLE "=\"%s\" is no size "
                                   "(bytes, or a number with K, M, G or T; 0 for no limit)",
                                   quota);
        return SQLITE_ERROR;
    }
    int error = memfs_create(&config, out);
    return error == 0 ? SQLITE_OK : fail(message, "cannot make the file system", error);
}

/* Asked each time, so that nothing has to be remembered.  -1: neither yes nor no. */
static int read_switch(const char *variable)
{
    const char *value = getenv(variable);
    if (value == NULL || strcmp(value, "0") == 0)
        return 0;
    return strcmp(value, "1") == 0 ? 1 : -1;
}

static bool check_switch(const char *variable, char **message)
{
    if (read_switch(variable) >= 0)
        return true;
    *message = sqlite3_mprintf("memfs: %s=\"%s\" is neither 0 nor 1", variable, getenv(variable));
    return false;
}

static int register_functions(sqlite3 *db, memfs *fs)
{
    return memfs_sqlite_register_functions(
        db, fs, read_switch(HOST_VARIABLE) == 1 ? MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS : 0);
}

/* For a new connection: the functions, and pages read where they lie, if it was opened through our
 * VFS. */
static int add_functions(sqlite3 *db, const char **message, const sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    sqlite3_vfs *vfs = NULL;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK)
        return SQLITE_OK;
    if (vfs == NULL || vfs != sqlite3_vfs_find(VFS_NAME))
        return SQLITE_OK;
    mfs_newconnection_set_up(db, MFS_MMAP_ALL);
    return register_functions(db, memfs_sqlite_find(VFS_NAME)) == 0 ? SQLITE_OK : SQLITE_NOMEM;
}

static int add_to_new_connections(char **message)
{
    int rc = sqlite3_auto_extension((void (*)(void))add_functions);
    return rc == SQLITE_OK ? rc : fail(message, "cannot watch for connections", MEMFS_ENOMEM);
}

/* For the connection that loads the extension. */
static int add_to_this_connection(sqlite3 *db, char **message)
{
    int error = register_functions(db, memfs_sqlite_find(VFS_NAME));
    /* Loaded again by a statement, on a connection that has them. */
    if (error == 0 || error == MEMFS_EBUSY)
        return SQLITE_OK_LOAD_PERMANENTLY;
    return fail(message, "cannot add the functions", error);
}

/* Once a process: the file system, and its VFS. */
static int set_up(char **message)
{
    memfs *fs;
    int rc = create_file_system(message, &fs);
    if (rc != SQLITE_OK)
        return rc;
    int error = memfs_sqlite_register(
        fs, VFS_NAME, read_switch(DEFAULT_VARIABLE) == 1 ? MEMFS_SQLITE_REGISTER_DEFAULT : 0);
    if (error == 0)
        return SQLITE_OK;
    (void)memfs_destroy(fs, 0);
    /* Another thread that loads the extension at this moment may have been first. */
    if (error == MEMFS_EEXIST && memfs_sqlite_find(VFS_NAME) != NULL)
        return SQLITE_OK;
    return fail(message, "cannot register the VFS \"" VFS_NAME "\"", error);
}

/* The VFS is there, so whatever happens now, this code must stay loaded. */
static int keep_loaded(char **message)
{
    sqlite3_log(SQLITE_WARNING, "%s", *message != NULL ? *message : "memfs: out of memory");
    sqlite3_free(*message);
    *message = NULL;
    return SQLITE_OK_LOAD_PERMANENTLY;
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
    SQLITE_EXTENSION_INIT2(api)
    if (!check_switch(HOST_VARIABLE, message) || !check_switch(DEFAULT_VARIABLE, message))
        return SQLITE_ERROR;
    int rc = memfs_sqlite_find(VFS_NAME) == NULL ? set_up(message) : SQLITE_OK;
    if (rc == SQLITE_OK)
        rc = add_to_new_connections(message);
    if (rc == SQLITE_OK)
        return add_to_this_connection(db, message) == SQLITE_OK_LOAD_PERMANENTLY
                   ? SQLITE_OK_LOAD_PERMANENTLY
                   : keep_loaded(message);
    return memfs_sqlite_find(VFS_NAME) != NULL ? keep_loaded(message) : rc;
}
