/*
 * Saving: a database to a host file or to memory.
 *
 * 1. A host file appears complete, or not at all (newfile.h).
 * 2. In memory the size is known before the copy, from the read transaction that the copy is made
 *    under.  SQLite's in-memory VFS (sqlite3_deserialize()) writes into a buffer of this size, so
 *    nothing but the buffer is needed.
 *
 * Cost: one copy of the database's pages.
 */
#include "base/assertion.h"
#include "base/lasterror.h"
#include "entry/registration.h"
#include "images/newfile.h"
#include "transaction/image.h"

#include <memfs/storage.h>

#include <memfs/sqlite.h>

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

static int copy_to_file(sqlite3 *db, const char *schema, struct mfs_newfile *file)
{
    int rc = say_of_source(mfs_image_copy(db, schema, file->connection), db, schema);
    return rc == SQLITE_OK ? mfs_newfile_commit(file) : rc;
}

int memfs_sqlite_save_file(sqlite3 *db, const char *schema, const char *host_path)
{
    if (db == NULL || host_path == NULL || host_path[0] == '\0')
        return SQLITE_MISUSE;
    mfs_lasterror_clear();
    sqlite3_vfs *lower_vfs = mfs_registration_lower_vfs();
    if (lower_vfs == NULL)
        return mfs_lasterror_say(SQLITE_CANTOPEN, "%s: there is no VFS for the host", host_path);
    struct mfs_newfile file;
    int rc = mfs_newfile_begin(&file, lower_vfs, host_path);
    if (rc == SQLITE_OK)
        rc = copy_to_file(db, schema != NULL ? schema : "main", &file);
    mfs_newfile_end(&file);
    return rc;
}
