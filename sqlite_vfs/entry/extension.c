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
 * 4. SQLite passes the table of its functions with each load, and this code has one pointer to it.
 *    So it serves one SQLite library of the process, the first; loading it into another is refused.
 * 5. sqlite3_shutdown() makes SQLite forget its automatic extensions and the default VFS, but not
 *    the VFS.  Opening a database through it registers the former again, loading the extension
 *    both.
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
#include "base/lasterror.h"
#include "base/mutex.h"
#include "entry/newconnection.h"
#include "entry/registration.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>
#include <memfs/storage.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define EXTENSION_VFS_NAME "memfs"

/* --------------------------------------------------------------- environment */

struct extension_settings {
    memfs_config config;
    bool has_host_access;
    bool is_default_vfs;
    bool refuses_control;
    const char *confined_to; /* the directory for each connection's databases; null: not confined */
    bool makes_parents;
    const char *quota;    /* as it was written; null: not set */
    const char *log_path; /* null: not set */
};

static bool read_quota(const char *value, struct extension_settings *out)
{
    out->quota = value;
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

static bool read_makes_parents(const char *value, struct extension_settings *out)
{
    return mfs_amount_read_switch(value, &out->makes_parents);
}

static bool read_log(const char *value, struct extension_settings *out)
{
    out->log_path = value;
    return value[0] != '\0';
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
    {"MEMFS_MAKE_PARENTS", read_makes_parents, "is neither 0 nor 1"},
    {"MEMFS_LOG", read_log, "is neither stderr nor the path of a file"},
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

static int watch(void)
{
    int rc = mfs_newconnection_watch();
    return rc == SQLITE_OK ? sqlite3_auto_extension((void (*)(void))set_up_connection) : rc;
}

static int watch_connections(char **message)
{
    int rc = watch();
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

/* Makes the file system and registers its VFS. */
static int make_vfs(const struct extension_settings *settings, const char **doing)
{
    memfs *fs;
    unsigned flags = (settings->is_default_vfs ? MEMFS_SQLITE_REGISTER_DEFAULT : 0) |
                     (settings->makes_parents ? MEMFS_SQLITE_REGISTER_MAKE_PARENTS : 0) |
                     (settings->refuses_control ? MEMFS_SQLITE_REGISTER_NO_CONTROL : 0);
    *doing = "cannot make the file system";
    int error = memfs_create(&settings->config, &fs);
    if (error != 0)
        return error;
    *doing = "cannot register the VFS \"" EXTENSION_VFS_NAME "\"";
    error = mfs_registration_add(fs, EXTENSION_VFS_NAME, flags, watch);
    if (error != 0)
        (void)memfs_destroy(fs, 0);
    return error;
}

/* The smallest quota, in steps of 1 KiB, with which a file system can have a VFS. */
static uint64_t find_least_quota(void)
{
    memfs_config config = memfs_config_default();
    for (config.quota_bytes = 1024;; config.quota_bytes += 1024) {
        memfs *fs;
        void *vfs;
        if (memfs_create(&config, &fs) != 0)
            continue;
        int error = memfs_charged_alloc(fs, sizeof(struct mfs_vfs), &vfs);
        if (error == 0)
            memfs_free(fs, vfs);
        (void)memfs_destroy(fs, 0);
        if (error != MEMFS_EDQUOT)
            return config.quota_bytes;
    }
}

/* Once a process. */
static int set_up_process(const struct extension_settings *settings, char **message)
{
    const char *doing;
    int error = make_vfs(settings, &doing);
    if (error == 0)
        return SQLITE_OK;
    if (error != MEMFS_EDQUOT)
        return fail_load(message, doing, error);
    *message = sqlite3_mprintf("memfs: MEMFS_QUOTA=\"%s\" is too small: %llu bytes are the least,"
                               " without any file",
                               settings->quota, (sqlite3_uint64)find_least_quota());
    return SQLITE_ERROR;
}

/* Loaded again: the default VFS may be another since sqlite3_shutdown(). */
static void make_default_again(const struct extension_settings *settings)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(EXTENSION_VFS_NAME);
    MFS_ASSERT(vfs != NULL);
    if (settings->is_default_vfs && vfs != sqlite3_vfs_find(NULL))
        (void)sqlite3_vfs_register(vfs, 1);
}

/* The last error has no prefix; a message has "memfs: ", or is null for want of memory. */
static void say_message(int code, const char *message)
{
    (void)mfs_lasterror_say(code, "%s",
                            message != NULL ? strchr(message, ' ') + 1 : "out of memory");
}

/* After a failure with the VFS registered: logs it, and reports success (invariant 2). */
static int keep_loaded(char **message)
{
    MFS_ASSERT(memfs_sqlite_find(EXTENSION_VFS_NAME) != NULL);
    say_message(SQLITE_WARNING, *message);
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

/* Reads the settings, and opens the log if one is wanted. */
static int read_settings(struct extension_settings *out, char **message)
{
    if (!read_environment(out, message))
        return SQLITE_ERROR;
    if (out->log_path == NULL || mfs_lasterror_open_log(out->log_path))
        return SQLITE_OK;
    *message = sqlite3_mprintf("memfs: MEMFS_LOG=\"%s\" cannot be opened", out->log_path);
    return SQLITE_ERROR;
}

static int load(sqlite3 *db, char **message)
{
    struct extension_settings settings;
    int rc = read_settings(&settings, message);
    if (rc != SQLITE_OK)
        return rc;
    if (memfs_sqlite_find(EXTENSION_VFS_NAME) == NULL)
        rc = set_up_process(&settings, message);
    else
        make_default_again(&settings);
    if (rc == SQLITE_OK)
        rc = watch_connections(message);
    if (rc == SQLITE_OK)
        rc = set_up_loader(db, &settings, message);
    return rc;
}

/*
 * Whether the library with this table is the one that is served.  One pointer that differs is no
 * proof of two libraries, since a program may pass on a copy of the table.
 */
static bool is_served(const sqlite3_api_routines *api)
{
    return sqlite3_api == api || sqlite3_api->vfs_register == api->vfs_register;
}

static int refuse_library(char **message, const sqlite3_api_routines *api)
{
    *message = api->mprintf(
        "memfs: another SQLite library of this process (%s; this one is %s) has loaded this file,"
        " which serves one library. Load a copy of the file from another directory; the copy has a"
        " file system of its own",
        sqlite3_api->libversion(), api->libversion());
    return SQLITE_ERROR;
}

/* One load at a time: the others wait.  The pointer to SQLite's table is written by the first load,
 * and again only after that has failed. */
static mfs_mutex loading = MFS_MUTEX_STATIC;

int sqlite3_memfssqlite_init(sqlite3 *db, char **message, const sqlite3_api_routines *api)
{
    mfs_mutex_lock(&loading);
    bool is_first = sqlite3_api == NULL;
    int rc;
    if (is_first)
        sqlite3_api = api;
    if (!is_served(api)) {
        rc = refuse_library(message, api);
    } else {
        rc = load(db, message);
        if (rc != SQLITE_OK_LOAD_PERMANENTLY && memfs_sqlite_find(EXTENSION_VFS_NAME) != NULL)
            rc = keep_loaded(message);
        if (rc != SQLITE_OK_LOAD_PERMANENTLY)
            say_message(rc, *message);
        if (rc != SQLITE_OK_LOAD_PERMANENTLY && is_first)
            sqlite3_api = NULL;
    }
    mfs_mutex_unlock(&loading);
    return rc;
}
