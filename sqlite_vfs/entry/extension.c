/*
 * The loadable extension: one file system for the process, registered as "memfs".
 *
 *     .load ./memfs_sqlite
 *     .open 'file:/app.db?vfs=memfs'
 *
 * 1. The file system and its VFS are made by the first load in the process, and last as long as
 *    the process: the extension asks SQLite to stay loaded.
 * 2. Once the VFS is registered, no later failure may let SQLite unload this code.
 * 3. The SQL functions and the table go into the connection that loads the extension, and into
 *    each connection that is opened through the VFS "memfs" afterwards.  Other connections have
 *    not asked for them; each may load the extension itself, any number of times.
 *
 * Settings come from environment variables, which MANUAL.md lists; a malformed value fails the
 * load.
 *
 * SQLite finds the entry point by the file's name, memfs_sqlite.  It is the only symbol that the
 * extension exports.
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "base/amount.h"
#include "base/assertion.h"
#include "entry/newconnection.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define EXTENSION_VFS_NAME "memfs"

/* --------------------------------------------------------------- environment */

struct extension_settings {
    memfs_config config;
    bool has_host_access;
    bool is_default_vfs;
    bool refuses_control;
    const char *confined_to; /* the directory for each connection's databases; null: not confined */
};

static bool read_quota(const char *value, struct extension_settings *out)
{
    return mfs_amount_read(value, &out->config.quota_bytes);
}

static bool read_host_access(const char *value, struct extension_settings *out)
{
    return mfs_amount_read_switch(value, &out->has_host_access);
}

static bool read_default_vfs(const char *value, struct extension_settings *out)
{
    return mfs_amount_read_switch(value, &out->is_default_vfs);
}

static bool read_no_control(const char *value, struct extension_settings *out)
{
    return mfs_amount_read_switch(value, &out->refuses_control);
}

static bool read_confine(const char *value, struct extension_settings *out)
{
    out->confined_to = value;
    return value[0] == '/';
}

/*
 * All environment variables.  A new one is a row here and a function above, and besides: a row in
 * the table of MANUAL.md (a lint compares the two), an entry in CHANGELOG.md, and a test in
 * tests/sqlite/entry/extension_test.c.
 */
static const struct environment_variable {
    const char *name;
    bool (*read)(const char *value, struct extension_settings *out); /* false: malformed */
    const char *complaint;
} environment_variables[] = {
    {"MEMFS_QUOTA", read_quota,
     "is not a size (bytes, or a number with K, M, G or T; 0 for no limit)"},
    {"MEMFS_HOST_ACCESS", read_host_access, "is neither 0 nor 1"},
    {"MEMFS_DEFAULT_VFS", read_default_vfs, "is neither 0 nor 1"},
    {"MEMFS_NO_CONTROL", read_no_control, "is neither 0 nor 1"},
    {"MEMFS_CONFINE", read_confine, "is not an absolute path"},
};

/*
 * Read anew for each load and each connection, so that there is no state to keep.  A malformed
 * variable counts as not set; the first of them makes the answer false, and `*complaint`, on
 * SQLite's heap, says which.
 */
static bool read_environment(struct extension_settings *out, char **complaint)
{
    bool is_sound = true;
    *out = (struct extension_settings){.config = memfs_config_default()};
    for (size_t index = 0; index < sizeof environment_variables / sizeof environment_variables[0];
         index++) {
        const struct environment_variable *variable = &environment_variables[index];
        const char *value = getenv(variable->name);
        if (value == NULL || variable->read(value, out))
            continue;
        if (is_sound)
            *complaint = sqlite3_mprintf("memfs: %s=\"%s\" %s", variable->name, value,
                                         variable->complaint);
        is_sound = false;
    }
    return is_sound;
}

/* ---------------------------------------------------------------- connections */

static int fail_load(char **message, const char *doing, int error)
{
    MFS_ASSERT(error < 0);
    *message = sqlite3_mprintf("memfs: %s: %s", doing, memfs_error_text(error));
    return error == MEMFS_ENOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

static int register_functions(sqlite3 *db, const struct extension_settings *settings)
{
    memfs *fs = memfs_sqlite_find(EXTENSION_VFS_NAME);
    return memfs_sqlite_register_functions(
        db, fs, settings->has_host_access ? MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS : 0);
}

/* A connection that cannot be confined must not be opened. */
static int confine_connection(sqlite3 *db, const struct extension_settings *settings)
{
    if (settings->confined_to == NULL)
        return SQLITE_OK;
    memfs_sqlite_confine_options options = {.struct_size = sizeof options,
                                            .directory = settings->confined_to};
    int error = memfs_sqlite_confine(db, &options);
    if (error == 0)
        return SQLITE_OK;
    return error == MEMFS_ENOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

/* Called by SQLite for every new connection of the process. */
static int set_up_connection(sqlite3 *db, const char **message, const sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    struct extension_settings settings;
    char *complaint = NULL;
    sqlite3_vfs *vfs = NULL;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK)
        return SQLITE_OK;
    if (vfs == NULL || vfs != sqlite3_vfs_find(EXTENSION_VFS_NAME))
        return SQLITE_OK;
    mfs_newconnection_set_up(db, MFS_NEWCONNECTION_MMAP_ALL);
    (void)read_environment(&settings, &complaint);
    sqlite3_free(complaint);
    if (register_functions(db, &settings) != 0)
        return SQLITE_NOMEM;
    return confine_connection(db, &settings);
}

static int watch_connections(char **message)
{
    int rc = sqlite3_auto_extension((void (*)(void))set_up_connection);
    return rc == SQLITE_OK ? rc : fail_load(message, "cannot watch for connections", MEMFS_ENOMEM);
}

/* The connection that loads the extension. */
static int set_up_loader(sqlite3 *db, const struct extension_settings *settings, char **message)
{
    int error = register_functions(db, settings);
    /* EBUSY: loaded again, by a statement, on a connection that has the functions. */
    if (error == 0 || error == MEMFS_EBUSY)
        return SQLITE_OK_LOAD_PERMANENTLY;
    return fail_load(message, "cannot add the functions", error);
}

/* ------------------------------------------------------------------- loading */

static unsigned registration_flags(const struct extension_settings *settings)
{
    return (settings->is_default_vfs ? MEMFS_SQLITE_REGISTER_DEFAULT : 0u) |
           (settings->refuses_control ? MEMFS_SQLITE_REGISTER_NO_CONTROL : 0u);
}

/* Once a process: makes the file system and registers its VFS. */
static int set_up_process(const struct extension_settings *settings, char **message)
{
    memfs *fs;
    int error = memfs_create(&settings->config, &fs);
    if (error != 0)
        return fail_load(message, "cannot make the file system", error);
    error = memfs_sqlite_register(fs, EXTENSION_VFS_NAME, registration_flags(settings));
    if (error == 0)
        return SQLITE_OK;
    (void)memfs_destroy(fs, 0);
    /* Another thread that loads the extension at this moment may have been faster. */
    if (error == MEMFS_EEXIST && memfs_sqlite_find(EXTENSION_VFS_NAME) != NULL)
        return SQLITE_OK;
    return fail_load(message, "cannot register the VFS \"" EXTENSION_VFS_NAME "\"", error);
}

/* After a failure with the VFS registered: logs it, and reports success (invariant 2). */
static int keep_loaded(char **message)
{
    MFS_ASSERT(memfs_sqlite_find(EXTENSION_VFS_NAME) != NULL);
    sqlite3_log(SQLITE_WARNING, "%s", *message != NULL ? *message : "memfs: out of memory");
    sqlite3_free(*message);
    *message = NULL;
    return SQLITE_OK_LOAD_PERMANENTLY;
}

#if defined(__GNUC__)
#define EXTENSION_ENTRY_POINT __attribute__((visibility("default")))
#else
#define EXTENSION_ENTRY_POINT
#endif

EXTENSION_ENTRY_POINT int sqlite3_memfssqlite_init(sqlite3 *db, char **message,
                                                   const sqlite3_api_routines *api);

int sqlite3_memfssqlite_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
    SQLITE_EXTENSION_INIT2(api)
    struct extension_settings settings;
    if (!read_environment(&settings, message))
        return SQLITE_ERROR;
    int rc = SQLITE_OK;
    if (memfs_sqlite_find(EXTENSION_VFS_NAME) == NULL)
        rc = set_up_process(&settings, message);
    if (rc == SQLITE_OK)
        rc = watch_connections(message);
    if (rc == SQLITE_OK)
        rc = set_up_loader(db, &settings, message);
    if (rc == SQLITE_OK_LOAD_PERMANENTLY || memfs_sqlite_find(EXTENSION_VFS_NAME) == NULL)
        return rc;
    return keep_loaded(message);
}
