/*
 * Saving: a database to a host file or to memory.
 *
 * 1. A host file is written and synced under a name of its own beside the place, and then renamed
 *    to it: it appears complete, or not at all.
 * 2. In memory the size is known before the copy, from the read transaction that the copy is made
 *    under.  SQLite's in-memory VFS (sqlite3_deserialize()) writes into a buffer of this size, so
 *    nothing but the buffer is needed.
 *
 * Cost: one copy of the database's pages.
 *
 * Left undone on purpose: saving only what has changed since the last time.
 */
#include "base/assertion.h"
#include "base/lasterror.h"
#include "entry/registration.h"
#include "transaction/image.h"

#include <memfs/storage.h>

#include <memfs/sqlite.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The database that is saved cannot be read; `rc` may be SQLITE_OK. */
static int say_of_source(int rc, sqlite3 *db, const char *schema)
{
    if (rc == SQLITE_OK)
        return rc;
    const char *reason = sqlite3_errcode(db) != SQLITE_OK ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    return mfs_lasterror_say(rc, "the database \"%s\" cannot be saved: %s", schema, reason);
}

/* ------------------------------------------------------------------- to memory */

static int charge_buffer(memfs *fs, uint64_t size, void **out)
{
    MFS_ASSERT(size > 0);
    if (size > SIZE_MAX)
        return SQLITE_NOMEM;
    int error = memfs_charged_alloc(fs, (size_t)size, out);
    if (error == 0)
        return SQLITE_OK;
    return mfs_lasterror_say(error == MEMFS_EDQUOT ? SQLITE_FULL : SQLITE_NOMEM,
                             "a buffer of %llu bytes: %s", (unsigned long long)size,
                             memfs_error_text(error));
}

int memfs_sqlite_save_buffer(sqlite3 *db, const char *schema, memfs *fs, void **data, size_t *size)
{
    if (db == NULL || fs == NULL || data == NULL || size == NULL)
        return SQLITE_MISUSE;
    if (schema == NULL)
        schema = "main";
    sqlite3_stmt *held;
    uint64_t bytes;
    mfs_lasterror_clear();
    int rc = mfs_image_begin(db, schema, &held, &bytes);
    if (rc != SQLITE_OK)
        return say_of_source(rc, db, schema);
    void *buffer = NULL;
    rc = charge_buffer(fs, bytes, &buffer);
    if (rc == SQLITE_OK)
        rc = say_of_source(mfs_image_copy_to_buffer(db, schema, buffer, bytes), db, schema);
    (void)sqlite3_finalize(held);
    if (rc != SQLITE_OK) {
        memfs_free(fs, buffer);
        return rc;
    }
    MFS_ASSERT(buffer != NULL);
    *data = buffer;
    *size = (size_t)bytes;
    return SQLITE_OK;
}

/* ------------------------------------------------------------------ to the host */

static int exists_beside(sqlite3_vfs *lower_vfs, const char *host_path, const char *suffix,
                         int *exists)
{
    char *name = sqlite3_mprintf("%s%s", host_path, suffix);
    if (name == NULL)
        return SQLITE_NOMEM;
    int rc = lower_vfs->xAccess(lower_vfs, name, SQLITE_ACCESS_EXISTS, exists);
    sqlite3_free(name);
    return rc;
}

/* SQLITE_BUSY: there is a journal or WAL, which SQLite would take for the new file's. */
static int check_host_journals(sqlite3_vfs *lower_vfs, const char *host_path)
{
    static const char *const suffixes[] = {"-journal", "-wal"};
    for (int index = 0; index < 2; index++) {
        int exists = 0;
        int rc = exists_beside(lower_vfs, host_path, suffixes[index], &exists);
        if (rc == SQLITE_OK && exists)
            rc = mfs_lasterror_say(SQLITE_BUSY,
                                   "%s%s is in the way: it belongs to another database", host_path,
                                   suffixes[index]);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

static int copy_to_host(sqlite3 *db, const char *schema, const char *host_path,
                        sqlite3_vfs *lower_vfs)
{
    sqlite3 *to;
    int rc = mfs_image_open_host(lower_vfs, host_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                 &to);
    if (rc != SQLITE_OK)
        (void)mfs_lasterror_say(rc, "%s: %s", host_path, sqlite3_errmsg(to));
    else
        rc = say_of_source(mfs_image_copy(db, schema, to), db, schema);
    int closed = sqlite3_close(to);
    return rc != SQLITE_OK ? rc : closed;
}

/* In one step, where rename() replaces a file. */
static int put_in_place(const char *temporary, const char *host_path)
{
#if defined(_WIN32)
    (void)remove(host_path);
#endif
    if (rename(temporary, host_path) == 0)
        return SQLITE_OK;
    return mfs_lasterror_say(SQLITE_CANTOPEN, "%s: %s", host_path, strerror(errno));
}

static int save_and_rename(sqlite3 *db, const char *schema, const char *host_path,
                           sqlite3_vfs *lower_vfs)
{
    MFS_ASSERT(host_path[0] != '\0');
    sqlite3_uint64 random;
    sqlite3_randomness((int)sizeof random, &random);
    char *temporary = sqlite3_mprintf("%s-%016llx", host_path, random);
    if (temporary == NULL)
        return SQLITE_NOMEM;
    int rc = copy_to_host(db, schema, temporary, lower_vfs);
    if (rc == SQLITE_OK)
        rc = put_in_place(temporary, host_path);
    if (rc != SQLITE_OK)
        (void)lower_vfs->xDelete(lower_vfs, temporary, 0);
    sqlite3_free(temporary);
    return rc;
}

int memfs_sqlite_save_file(sqlite3 *db, const char *schema, const char *host_path)
{
    if (db == NULL || host_path == NULL || host_path[0] == '\0')
        return SQLITE_MISUSE;
    mfs_lasterror_clear();
    sqlite3_vfs *lower_vfs = mfs_registration_lower_vfs();
    if (lower_vfs == NULL)
        return mfs_lasterror_say(SQLITE_CANTOPEN, "%s: there is no VFS for the host", host_path);
    int rc = check_host_journals(lower_vfs, host_path);
    if (rc != SQLITE_OK)
        return rc;
    return save_and_rename(db, schema != NULL ? schema : "main", host_path, lower_vfs);
}
