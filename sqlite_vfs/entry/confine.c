/*
 * memfs_sqlite_confine(): an authorizer that keeps SQL in a connection's own file system.
 *
 * 1. SQLite asks the authorizer while it prepares each statement, for the ATTACH inside VACUUM INTO
 *    too, and prepares earlier statements anew when an authorizer is set.
 * 2. A name is allowed only if it is understood: a literal, and either a path or a URI without
 *    escapes and with parameters from a list.  SQLite may read a URI in more ways than this file.
 * 3. A connection has one authorizer.  The program's own is asked after this one.
 * 4. What the authorizer needs belongs to the SQL function memfs_confined_to(), with which SQLite
 *    frees it: when the connection closes, or when another confinement replaces it.
 *
 * Cost: a few comparisons for each authorizer call; an ATTACH resolves its path.
 *
 * Left undone on purpose: the path is resolved when ATTACH is prepared, and again by SQLite when
 * it runs.  A program that makes symbolic links meanwhile can lead it astray; SQL that is confined
 * to a directory cannot make any.
 */
#include "base/assertion.h"
#include "base/mutex.h"
#include "base/sqliteapi.h"

#include <memfs/sqlite.h>

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define URI_PREFIX "file:"
#define MEMORY_NAME ":memory:"

struct confinement {
    sqlite3_vfs *vfs; /* of the connection's main database */
    int (*authorizer)(void *context, int action, const char *first, const char *second,
                      const char *schema, const char *trigger);
    void *authorizer_context;
    size_t directory_length; /* 0: the whole tree */
    char directory[];        /* canonical, without a slash at the end */
};

/* ---------------------------------------------------------------------- paths */

/* As the VFS resolves it; on SQLite's heap; null: it cannot be resolved, or no memory. */
static char *resolve(sqlite3_vfs *vfs, const char *path)
{
    int size = vfs->mxPathname + 1;
    char *out = sqlite3_malloc(size);
    if (out == NULL)
        return NULL;
    out[0] = '\0';
    if ((vfs->xFullPathname(vfs, path, size, out) & 0xff) == SQLITE_OK)
        return out;
    sqlite3_free(out);
    return NULL;
}

/* "" is a temporary database, which has no path; ":memory:" would be in no file system. */
static bool is_path_allowed(const struct confinement *own, const char *path)
{
    if (path[0] == '\0')
        return true;
    if (strcmp(path, MEMORY_NAME) == 0)
        return false;
    if (own->directory_length == 0)
        return true;
    char *full = resolve(own->vfs, path);
    if (full == NULL)
        return false;
    bool is_inside = strncmp(full, own->directory, own->directory_length) == 0 &&
                     full[own->directory_length] == '/';
    sqlite3_free(full);
    return is_inside;
}

/* ----------------------------------------------------------------------- URIs */

/* `key` and `value` of a URI.  Those that would switch locks off, or raise limits, are not in the
 * list, nor is mode=memory. */
static bool is_parameter_allowed(const struct confinement *own, const char *key, const char *value)
{
    static const char *const modes[] = {"ro", "rw", "rwc"};
    if (strcmp(key, "vfs") == 0)
        return strcmp(value, own->vfs->zName) == 0;
    if (strcmp(key, "mode") == 0) {
        for (size_t index = 0; index < sizeof modes / sizeof modes[0]; index++)
            if (strcmp(value, modes[index]) == 0)
                return true;
        return false;
    }
    return strcmp(key, "cache") == 0 || strcmp(key, "mvcc") == 0 || strcmp(key, "memfs_mvcc") == 0;
}

/* Cuts `query` apart.  A parameter without a key or a value is not allowed. */
static bool is_query_allowed(const struct confinement *own, char *query)
{
    while (query != NULL && query[0] != '\0') {
        char *next = strchr(query, '&');
        if (next != NULL)
            *next++ = '\0';
        char *value = strchr(query, '=');
        if (value == NULL || value == query)
            return false;
        *value++ = '\0';
        if (!is_parameter_allowed(own, query, value))
            return false;
        query = next;
    }
    return true;
}

/* Behind "file:" and the authority, which is empty or "localhost"; null: it is another. */
static char *path_in_uri(char *uri)
{
    char *path = uri + sizeof URI_PREFIX - 1;
    if (strncmp(path, "//", 2) != 0)
        return path;
    path += 2;
    if (strncmp(path, "localhost/", 10) == 0)
        path += 9;
    return path[0] == '/' ? path : NULL;
}

/* Whether SQLite takes it for a URI is a setting of the connection, which cannot be read. */
static bool is_uri_allowed(const struct confinement *own, const char *name)
{
    if (strchr(name, '%') != NULL)
        return false;
    char *uri = sqlite3_mprintf("%s", name);
    if (uri == NULL)
        return false;
    uri[strcspn(uri, "#")] = '\0';
    char *query = strchr(uri, '?');
    if (query != NULL)
        *query++ = '\0';
    char *path = path_in_uri(uri);
    bool is_allowed = path != NULL && is_path_allowed(own, path) && is_query_allowed(own, query);
    sqlite3_free(uri);
    return is_allowed;
}

/* ----------------------------------------------------------------- the verdict */

/* `name` is null if ATTACH was given no literal. */
static bool is_attach_allowed(const struct confinement *own, const char *name)
{
    if (name == NULL)
        return false;
    bool is_uri = strncmp(name, URI_PREFIX, sizeof URI_PREFIX - 1) == 0;
    return is_uri ? is_uri_allowed(own, name) : is_path_allowed(own, name);
}

static bool is_ours(const char *name)
{
    return sqlite3_strnicmp(name, "memfs_", 6) == 0;
}

/* Asking is always allowed; what may not be set concerns more than the connection. */
static bool is_pragma_allowed(const char *name, const char *value)
{
    static const char *const for_all[] = {"temp_store_directory", "data_store_directory",
                                          "hard_heap_limit", "soft_heap_limit"};
    if (value == NULL)
        return true;
    for (size_t index = 0; index < sizeof for_all / sizeof for_all[0]; index++)
        if (sqlite3_stricmp(name, for_all[index]) == 0)
            return false;
    return !is_ours(name);
}

static bool is_function_allowed(const struct confinement *own, const char *name)
{
    if (sqlite3_stricmp(name, "memfs_confined_to") == 0)
        return true;
    if (sqlite3_stricmp(name, "load_extension") == 0 ||
        sqlite3_stricmp(name, "memfs_import") == 0 || sqlite3_stricmp(name, "memfs_export") == 0)
        return false;
    return own->directory_length == 0 || !is_ours(name);
}

static bool is_action_allowed(const struct confinement *own, int action, const char *first,
                              const char *second)
{
    switch (action) {
    case SQLITE_ATTACH:
        return is_attach_allowed(own, first);
    case SQLITE_PRAGMA:
        return is_pragma_allowed(first, second);
    case SQLITE_FUNCTION:
        return is_function_allowed(own, second);
    case SQLITE_READ:
        return own->directory_length == 0 || sqlite3_stricmp(first, "memfs_tree") != 0;
    default:
        return true;
    }
}

static int authorize(void *context, int action, const char *first, const char *second,
                     const char *schema, const char *trigger)
{
    const struct confinement *own = context;
    if (!is_action_allowed(own, action, first, second))
        return SQLITE_DENY;
    if (own->authorizer == NULL)
        return SQLITE_OK;
    return own->authorizer(own->authorizer_context, action, first, second, schema, trigger);
}

/* -------------------------------------------------------------------- setting */

/* memfs_confined_to(): the directory, or "/". */
static void answer_directory(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    (void)values;
    const struct confinement *own = sqlite3_user_data(context);
    const char *directory = own->directory_length > 0 ? own->directory : "/";
    sqlite3_result_text(context, directory, -1, SQLITE_TRANSIENT);
}

static bool copy_confine_options(memfs_sqlite_confine_options *own,
                                 const memfs_sqlite_confine_options *theirs)
{
    *own = (memfs_sqlite_confine_options){.struct_size = sizeof *own};
    if (theirs == NULL)
        return true;
    if (theirs->struct_size < sizeof *own || theirs->struct_size > MEMFS_STRUCT_SIZE_MAX)
        return false;
    const unsigned char *bytes = (const unsigned char *)theirs;
    for (size_t index = sizeof *own; index < theirs->struct_size; index++)
        if (bytes[index] != 0)
            return false;
    memcpy(own, theirs, sizeof *own);
    return own->directory == NULL || own->directory[0] == '/';
}

static int make_confinement(const memfs_sqlite_confine_options *options, sqlite3_vfs *vfs,
                            struct confinement **out)
{
    char *directory = resolve(vfs, options->directory != NULL ? options->directory : "/");
    if (directory == NULL)
        return MEMFS_EINVAL;
    size_t length = strlen(directory);
    while (length > 0 && directory[length - 1] == '/')
        length--;
    struct confinement *own = sqlite3_malloc64(sizeof *own + length + 1);
    if (own != NULL) {
        own->vfs = vfs;
        own->authorizer = options->authorizer;
        own->authorizer_context = options->authorizer_context;
        own->directory_length = length;
        memcpy(own->directory, directory, length);
        own->directory[length] = '\0';
    }
    sqlite3_free(directory);
    *out = own;
    return own != NULL ? 0 : MEMFS_ENOMEM;
}

/* SQLite frees `own`, also if it refuses. */
static int set_confinement(sqlite3 *db, struct confinement *own)
{
    int rc = sqlite3_create_function_v2(db, "memfs_confined_to", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                        own, answer_directory, NULL, NULL, sqlite3_free);
    if (rc == SQLITE_OK)
        rc = sqlite3_set_authorizer(db, authorize, own);
    if (rc == SQLITE_OK)
        return 0;
    return rc == SQLITE_BUSY ? MEMFS_EBUSY : MEMFS_ENOMEM;
}

int memfs_sqlite_confine(sqlite3 *db, const memfs_sqlite_confine_options *options)
{
    memfs_sqlite_confine_options copy;
    sqlite3_vfs *vfs = NULL;
    if (db == NULL || !copy_confine_options(&copy, options) ||
        sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs) != SQLITE_OK ||
        vfs == NULL)
        return MEMFS_EINVAL;
    struct confinement *own;
    int error = make_confinement(&copy, vfs, &own);
    if (error != 0)
        return error;
    /* In one step for other threads: the old confinement goes with the old function. */
    struct sqlite3_mutex *mutex = mfs_mutex_enter_connection(db);
    error = set_confinement(db, own);
    mfs_mutex_leave(mutex);
    return error;
}
