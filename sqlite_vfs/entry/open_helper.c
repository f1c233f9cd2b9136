/*
 * memfs_sqlite_open(): opening a database with settings that suit memory.
 *
 * 1. The page size is set before the journal mode, because setting that looks into the file.
 * 2. As with sqlite3_open_v2(), a failure can leave a connection that the caller has to close.
 * 3. Options that need a URI (`isolated`) or a path (`make_parents`) refuse a name that is a URI
 *    already, instead of taking it apart.
 *
 * Cost: two PRAGMAs that look at the journal mode, and one for each setting that is not SQLite's
 * default.
 */
#include "base/assertion.h"
#include "base/lasterror.h"
#include "entry/newconnection.h"
#include "entry/registration.h"
#include "entry/uri.h"
#include "vfs/openparents.h"
#include "vfs/walhook.h"

#include <memfs/sqlite.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define JOURNAL_KEPT_BYTES "1048576" /* of a PERSIST journal, after a transaction */

/* A connection that is being opened. */
struct connection_opening {
    const char *path;
    const char *vfs_name;
    const memfs_sqlite_open_options *options;
    sqlite3 *db; /* null, or what the last attempt left */
};

/* -------------------------------------------------------------------- options */

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

static bool are_options_sound(const memfs_sqlite_open_options *options, const char *path)
{
    if (options->must_be_zero != 0 || (options->no_wait && options->busy_timeout_ms != 0))
        return false;
    if (options->journal_mode != NULL && !is_journal_mode(options->journal_mode))
        return false;
    if (options->page_size != 0 && !is_page_size(options->page_size))
        return false;
    bool needs_path = options->make_parents || options->isolated;
    return !needs_path || strncmp(path, "file:", 5) != 0;
}

/* ------------------------------------------------------------------- settings */

/* Sets a PRAGMA to a number; 0: leaves it. */
static int set_pragma(sqlite3 *db, const char *pragma, sqlite3_int64 value)
{
    char sql[64];
    if (value == 0)
        return SQLITE_OK;
    sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA %s=%lld", pragma, value);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* Runs a PRAGMA that answers with a journal mode; `*is_same`: the answer is `mode`. */
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
    MFS_ASSERT(is_journal_mode(mode));
    sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA journal_mode=%s", mode);
    int rc = compare_mode(db, sql, mode, &is_set);
    if (rc != SQLITE_OK)
        return rc;
    if (is_set)
        return SQLITE_OK;
    return mfs_lasterror_say(SQLITE_CANTOPEN, "%s cannot have the journal mode %s",
                             sqlite3_db_filename(db, "main"), mode);
}

/*
 * A database in WAL mode stays in it.  So does an isolated one in mode MEMORY, which xOpen chose
 * for it; no other new connection is in that mode.
 */
static int set_default_journal(sqlite3 *db)
{
    bool is_wal, is_isolated;
    int rc = compare_mode(db, "PRAGMA journal_mode", "wal", &is_wal);
    if (rc == SQLITE_OK)
        rc = compare_mode(db, "PRAGMA journal_mode", "memory", &is_isolated);
    if (rc != SQLITE_OK || is_wal || is_isolated)
        return rc;
    rc = sqlite3_exec(db, "PRAGMA journal_size_limit=" JOURNAL_KEPT_BYTES, NULL, NULL, NULL);
    return rc == SQLITE_OK ? set_journal_mode(db, "persist") : rc;
}

/* False for a database that SQLite keeps on its own heap or in a temporary file: ":memory:", "". */
static bool is_in_the_tree(sqlite3 *db)
{
    const char *path = sqlite3_db_filename(db, "main");
    return path != NULL && path[0] != '\0';
}

static sqlite3_int64 mmap_size_of(const memfs_sqlite_open_options *options)
{
    if (options->mmap_size == 0)
        return MFS_NEWCONNECTION_MMAP_ALL;
    return options->mmap_size > 0 ? options->mmap_size : 0;
}

/* As sqlite3_busy_timeout() takes it: 0 does not wait, and 24 days are for ever. */
static int busy_timeout_of(const memfs_sqlite_open_options *options)
{
    if (options->no_wait)
        return 0;
    if (options->busy_timeout_ms < 0)
        return INT_MAX;
    return options->busy_timeout_ms != 0 ? options->busy_timeout_ms : MFS_NEWCONNECTION_BUSY_MS;
}

static int apply_options(sqlite3 *db, const memfs_sqlite_open_options *options)
{
    int rc = sqlite3_busy_timeout(db, busy_timeout_of(options));
    if (rc == SQLITE_OK)
        rc = set_pragma(db, "page_size", (sqlite3_int64)options->page_size);
    if (rc == SQLITE_OK)
        rc = set_pragma(db, "cache_size", options->cache_size);
    if (rc == SQLITE_OK)
        rc = mfs_walhook_set(db);
    if (rc == SQLITE_OK)
        mfs_newconnection_set_up(db, mmap_size_of(options));
    if (rc != SQLITE_OK || !is_in_the_tree(db))
        return rc;
    return options->journal_mode != NULL ? set_journal_mode(db, options->journal_mode)
                                         : set_default_journal(db);
}

/* -------------------------------------------------------------------- opening */

static int open_connection(struct connection_opening *opening, int flags)
{
    MFS_ASSERT(opening->db == NULL);
    if (!opening->options->isolated)
        return sqlite3_open_v2(opening->path, &opening->db, flags, opening->vfs_name);
    char *uri = mfs_uri_make(opening->path, "memfs_mvcc=1");
    if (uri == NULL)
        return SQLITE_NOMEM;
    int rc = sqlite3_open_v2(uri, &opening->db, flags | SQLITE_OPEN_URI, opening->vfs_name);
    sqlite3_free(uri);
    return rc;
}

/* One attempt; closes what an earlier one has left. */
static int attempt_connection(void *context)
{
    struct connection_opening *opening = context;
    int flags = opening->options->flags != 0 ? opening->options->flags
                                             : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    (void)sqlite3_close(opening->db);
    opening->db = NULL;
    int rc = open_connection(opening, flags);
    MFS_ASSERT(rc != SQLITE_OK || opening->db != NULL);
    return rc == SQLITE_OK ? apply_options(opening->db, opening->options) : rc;
}

int memfs_sqlite_open(memfs *fs, const char *path, const memfs_sqlite_open_options *options,
                      sqlite3 **db)
{
    if (db == NULL)
        return SQLITE_MISUSE;
    *db = NULL;
    memfs_sqlite_open_options own = {.struct_size = sizeof own};
    mfs_lasterror_clear();
    if (fs == NULL || path == NULL)
        return mfs_lasterror_say(SQLITE_MISUSE, "memfs_sqlite_open(): a null pointer");
    if ((options != NULL && !copy_options(&own, options)) || !are_options_sound(&own, path))
        return mfs_lasterror_say(SQLITE_MISUSE,
                                 "%s: memfs_sqlite_open() does not have these options", path);
    const struct mfs_vfs *vfs = mfs_registration_of(fs);
    if (vfs == NULL)
        return mfs_lasterror_say(SQLITE_MISUSE, "%s: the file system is not registered with SQLite",
                                 path);
    struct connection_opening opening = {path, vfs->name, &own, NULL};
    int rc = own.make_parents ? mfs_openparents_run(fs, path, attempt_connection, &opening)
                              : attempt_connection(&opening);
    *db = opening.db;
    return rc;
}
