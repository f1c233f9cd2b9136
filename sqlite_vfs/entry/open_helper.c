/*
 * Opening a database with what suits memory.
 *
 * The page size comes first, since the journal mode looks into the file.
 */
#include "entry/newconnection.h"
#include "entry/registration.h"
#include "names/parents.h"

#include <memfs/sqlite.h>

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define JOURNAL_LEFT "1048576" /* bytes */

enum { BUSY_TIMEOUT_MS = 5000 };

/* What mfs_parents_run() runs. */
struct opening {
    const char *path;
    const char *vfs_name;
    const memfs_sqlite_open_options *options;
    sqlite3 *db; /* null, or to be closed by whoever sees it last */
    int rc;
};

static bool is_journal_mode(const char *word)
{
    static const char *const modes[] = {"delete", "truncate", "persist", "memory", "off", "wal"};
    for (size_t index = 0; index < sizeof modes / sizeof modes[0]; index++)
        if (sqlite3_stricmp(word, modes[index]) == 0)
            return true;
    return false;
}

static bool is_page_size(uint32_t size)
{
    return size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

/* Copies the caller's options, which may be an older or a newer version's (see memfs.h); missing
 * fields are zero.  False: too small, or with fields that this version does not know. */
static bool copy_options(memfs_sqlite_open_options *own, const memfs_sqlite_open_options *theirs)
{
    size_t size = theirs->struct_size;
    const unsigned char *bytes = (const unsigned char *)theirs;
    if (size < offsetof(memfs_sqlite_open_options, journal_mode) || size > MEMFS_STRUCT_SIZE_MAX)
        return false;
    for (size_t i = sizeof *own; i < size; i++)
        if (bytes[i] != 0)
            return false;
    memset(own, 0, sizeof *own);
    memcpy(own, theirs, size < sizeof *own ? size : sizeof *own);
    return true;
}

static bool are_sound(const memfs_sqlite_open_options *options, const char *path)
{
    if (options->journal_mode != NULL && !is_journal_mode(options->journal_mode))
        return false;
    if (options->page_size != 0 && !is_page_size(options->page_size))
        return false;
    bool needs_path = options->make_parents || options->isolated;
    return !needs_path || strncmp(path, "file:", 5) != 0;
}

/* ------------------------------------------------------------------- settings */

static int set(sqlite3 *db, const char *pragma, sqlite3_int64 value)
{
    char sql[64];
    if (value == 0)
        return SQLITE_OK;
    sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA %s=%lld", pragma, value);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Runs a PRAGMA that answers with a journal mode, and says whether it is `mode`. */
static int compare_mode(sqlite3 *db, const char *pragma, const char *mode, bool *is_same)
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(db, pragma, -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    *is_same = false;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *answer = (const char *)sqlite3_column_text(statement, 0);
        *is_same = answer != NULL && sqlite3_stricmp(answer, mode) == 0;
    }
    return sqlite3_finalize(statement);
}

static int set_journal_mode(sqlite3 *db, const char *mode)
{
    char sql[64];
    bool is_set;
    sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA journal_mode=%s", mode);
    int rc = compare_mode(db, sql, mode, &is_set);
    if (rc != SQLITE_OK)
        return rc;
    return is_set ? SQLITE_OK : SQLITE_CANTOPEN;
}

/* A new connection is in mode MEMORY only where the database is isolated. */
static int set_default_journal(sqlite3 *db)
{
    bool is_wal, is_isolated;
    int rc = compare_mode(db, "PRAGMA journal_mode", "wal", &is_wal);
    if (rc == SQLITE_OK)
        rc = compare_mode(db, "PRAGMA journal_mode", "memory", &is_isolated);
    if (rc != SQLITE_OK || is_wal || is_isolated)
        return rc;
    rc = sqlite3_exec(db, "PRAGMA journal_size_limit=" JOURNAL_LEFT, NULL, NULL, NULL);
    return rc == SQLITE_OK ? set_journal_mode(db, "persist") : rc;
}

/* A database that SQLite keeps in memory of its own has no journal to choose. */
static bool is_in_the_tree(sqlite3 *db)
{
    const char *path = sqlite3_db_filename(db, "main");
    return path != NULL && path[0] != '\0';
}

static sqlite3_int64 mmap_size_of(const memfs_sqlite_open_options *options)
{
    if (options->mmap_size == 0)
        return MFS_MMAP_ALL;
    return options->mmap_size > 0 ? options->mmap_size : 0;
}

static int apply(sqlite3 *db, const memfs_sqlite_open_options *options)
{
    int timeout = options->busy_timeout_ms != 0 ? options->busy_timeout_ms : BUSY_TIMEOUT_MS;
    int rc = sqlite3_busy_timeout(db, timeout);
    if (rc == SQLITE_OK)
        rc = set(db, "page_size", (sqlite3_int64)options->page_size);
    if (rc == SQLITE_OK)
        rc = set(db, "cache_size", options->cache_size);
    if (rc == SQLITE_OK)
        mfs_newconnection_set_up(db, mmap_size_of(options));
    if (rc != SQLITE_OK || !is_in_the_tree(db))
        return rc;
    return options->journal_mode != NULL ? set_journal_mode(db, options->journal_mode)
                                         : set_default_journal(db);
}

/* -------------------------------------------------------------------- opening */

/* On SQLite's heap; null: no memory. */
static char *make_isolated_uri(const char *path)
{
    sqlite3_str *uri = sqlite3_str_new(NULL);
    sqlite3_str_appendall(uri, path[0] == '/' ? "file://" : "file:");
    for (; *path != '\0'; path++) {
        if (strchr("%?#", *path) != NULL)
            sqlite3_str_appendf(uri, "%%%02X", (unsigned)(unsigned char)*path);
        else
            sqlite3_str_appendchar(uri, 1, *path);
    }
    sqlite3_str_appendall(uri, "?memfs_mvcc=1");
    return sqlite3_str_finish(uri);
}

static int open_connection(struct opening *opening, int flags)
{
    if (!opening->options->isolated)
        return sqlite3_open_v2(opening->path, &opening->db, flags, opening->vfs_name);
    char *uri = make_isolated_uri(opening->path);
    if (uri == NULL)
        return SQLITE_NOMEM;
    int rc = sqlite3_open_v2(uri, &opening->db, flags | SQLITE_OPEN_URI, opening->vfs_name);
    sqlite3_free(uri);
    return rc;
}

static int open_once(struct opening *opening)
{
    int flags = opening->options->flags != 0 ? opening->options->flags
                                             : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    (void)sqlite3_close(opening->db);
    opening->db = NULL;
    int rc = open_connection(opening, flags);
    return rc == SQLITE_OK ? apply(opening->db, opening->options) : rc;
}

/* ENOENT asks for the directories; any other error has them removed again. */
static int open_in_parents(memfs *fs, void *context)
{
    struct opening *opening = context;
    (void)fs;
    opening->rc = open_once(opening);
    if (opening->rc == SQLITE_OK)
        return 0;
    return (opening->rc & 0xFF) == SQLITE_CANTOPEN ? MEMFS_ENOENT : MEMFS_EIO;
}

static int open_with_parents(memfs *fs, struct opening *opening)
{
    int error = mfs_parents_run(fs, opening->path, open_in_parents, opening);
    if (opening->rc != SQLITE_OK && (error == MEMFS_EDQUOT || error == MEMFS_ENOSPC))
        return SQLITE_FULL; /* for a directory */
    if (error == MEMFS_ENOMEM)
        return SQLITE_NOMEM;
    return opening->rc;
}

int memfs_sqlite_open(memfs *fs, const char *path, const memfs_sqlite_open_options *options,
                      sqlite3 **db)
{
    if (db == NULL)
        return SQLITE_MISUSE;
    *db = NULL;
    memfs_sqlite_open_options own = {.struct_size = sizeof own};
    if (fs == NULL || path == NULL || (options != NULL && !copy_options(&own, options)) ||
        !are_sound(&own, path))
        return SQLITE_MISUSE;
    const struct mfs_vfs *vfs = mfs_registration_of(fs);
    if (vfs == NULL)
        return SQLITE_MISUSE;
    struct opening opening = {path, vfs->name, &own, NULL, SQLITE_OK};
    int rc = own.make_parents ? open_with_parents(fs, &opening) : open_once(&opening);
    *db = opening.db;
    return rc;
}
