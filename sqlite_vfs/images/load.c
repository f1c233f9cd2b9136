/*
 * Loading: a database from a host file or from memory.
 *
 * 1. The database is complete under a name of its own, the stage, before it is renamed to its
 *    place.  A failure removes the stage, and has changed nothing else.
 * 2. Nothing may lie beside the place that SQLite would take for the new database's journal or WAL.
 *    The database that is replaced has no writer, and gets none before it is replaced.
 * 3. A host file is read through SQLite, so that its WAL is part of what is loaded.
 *
 * Cost: the memory of the database; while it replaces another one, of both.
 *
 * Left undone on purpose: the check of 2 and the rename are two steps.  A connection that opens the
 * old database in between can make a journal beside the new one; sqlite.h says that none should.
 */
#include "base/assertion.h"
#include "base/errmap.h"
#include "base/lasterror.h"
#include "entry/newconnection.h"
#include "entry/registration.h"
#include "entry/uri.h"
#include "file/file.h"
#include "file/sibling.h"
#include "locks/member.h"
#include "transaction/image.h"

#include <memfs/sqlite.h>

#include <stdbool.h>
#include <string.h>

enum { STAGE_NAME_BYTES = 64 };

/* `path` is what memfs refused, with `error`; 0: nothing. */
static int load_error(int error, const char *path)
{
    if (error == 0)
        return SQLITE_OK;
    int rc = error == MEMFS_EBUSY ? SQLITE_BUSY : mfs_errmap(MFS_OPERATION_OPEN, error);
    return mfs_lasterror_say(rc, "%s: %s", path, memfs_error_text(error));
}

static void name_stage(char stage[STAGE_NAME_BYTES])
{
    sqlite3_uint64 random;
    sqlite3_randomness((int)sizeof random, &random);
    sqlite3_snprintf(STAGE_NAME_BYTES, stage, "/.memfs-load-%016llx", random);
    MFS_ASSERT(strlen(stage) < STAGE_NAME_BYTES - 1); /* not cut off */
}

/* SQLITE_BUSY: there is a live journal or a WAL.  An empty WAL counts, because a connection has it
 * open. */
static int check_tree_journals(memfs *fs, const char *place)
{
    char name[MFS_FILE_NAME_BYTES];
    sqlite3_snprintf((int)sizeof name, name, "%s-wal", place);
    bool is_in_the_way = memfs_exists(fs, name) != 0;
    if (!is_in_the_way) {
        sqlite3_snprintf((int)sizeof name, name, "%s-journal", place);
        is_in_the_way = mfs_sibling_journal_is_live(fs, name);
    }
    if (!is_in_the_way)
        return SQLITE_OK;
    return mfs_lasterror_say(SQLITE_BUSY,
                             "%s is in the way: the database that would be replaced "
                             "uses it, or has left it",
                             name);
}

/* Renames the stage over the database at `place`; SQLITE_BUSY: a connection is its writer. */
static int replace_database(memfs *fs, const char *stage, const char *place)
{
    struct mfs_vfs *vfs = mfs_registration_of(fs);
    mfs_mutex *held;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_stat(fs, place, &info);
    if (vfs == NULL || error == MEMFS_ENOENT)
        return load_error(memfs_rename(fs, stage, place, 0), place);
    if (error != 0)
        return load_error(error, place);
    if (!mfs_member_bar_writers(&vfs->registry, info.number, &held))
        return mfs_lasterror_say(SQLITE_BUSY, "%s: a connection is writing it", place);
    error = memfs_rename(fs, stage, place, 0);
    mfs_member_admit_writers(&vfs->registry, held);
    return load_error(error, place);
}

/* Renames the stage to its place. */
static int publish_stage(memfs *fs, const char *stage, const char *path, unsigned flags)
{
    char place[MFS_FILE_PATH_MAX + 1];
    MFS_ASSERT(stage[0] == '/');
    bool makes_parents = (flags & MEMFS_SQLITE_LOAD_MAKE_PARENTS) != 0;
    int64_t length = memfs_realpath(fs, path, place, sizeof place);
    if (length >= 0) {
        int rc = check_tree_journals(fs, place);
        if (rc != SQLITE_OK)
            return rc;
        return replace_database(fs, stage, place); /* a symlink is followed, as on opening */
    }
    if (length != MEMFS_ENOENT || !makes_parents || strlen(path) > MFS_FILE_PATH_MAX)
        return load_error((int)length, path);
    return load_error(memfs_rename(fs, stage, path, MEMFS_RENAME_MAKE_PARENTS), path);
}

/* ----------------------------------------------------------------- from memory */

static int write_image(memfs_file *file, const void *data, size_t size, const char *stage)
{
    MFS_ASSERT(size >= MFS_IMAGE_HEADER_BYTES);
    static const unsigned char rollback[2] = {MFS_IMAGE_FORMAT_ROLLBACK, MFS_IMAGE_FORMAT_ROLLBACK};
    int64_t count = memfs_pwrite(file, data, size, 0);
    if (count >= 0)
        count = memfs_pwrite(file, rollback, sizeof rollback, MFS_IMAGE_FORMAT_OFFSET);
    return count < 0 ? load_error((int)count, stage) : SQLITE_OK;
}

static int stage_buffer(memfs *fs, const char *stage, const void *data, size_t size)
{
    memfs_file *file;
    int error = memfs_open(fs, stage, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE, 0644,
                           &file);
    if (error != 0)
        return load_error(error, stage);
    int rc = write_image(file, data, size, stage);
    (void)memfs_close(file);
    return rc;
}

int memfs_sqlite_load_buffer(memfs *fs, const void *data, size_t size, const char *path,
                             unsigned flags)
{
    char stage[STAGE_NAME_BYTES];
    if (fs == NULL || path == NULL || data == NULL ||
        (flags & ~MEMFS_SQLITE_LOAD_MAKE_PARENTS) != 0)
        return SQLITE_MISUSE;
    mfs_lasterror_clear();
    int rc = size < MFS_IMAGE_HEADER_BYTES ? SQLITE_NOTADB : mfs_image_check(data, size);
    if (rc != SQLITE_OK)
        return mfs_lasterror_say(rc, "the image for %s: %s", path, sqlite3_errstr(rc));
    name_stage(stage);
    rc = stage_buffer(fs, stage, data, size);
    if (rc == SQLITE_OK)
        rc = publish_stage(fs, stage, path, flags);
    if (rc != SQLITE_OK)
        (void)memfs_unlink(fs, stage);
    return rc;
}

/* --------------------------------------------------------------- from the host */

static int read_image_header(sqlite3 *from, unsigned char *header, sqlite3_int64 *size)
{
    sqlite3_file *file = mfs_image_file(from);
    if (file == NULL)
        return SQLITE_CANTOPEN;
    int rc = file->pMethods->xFileSize(file, size);
    if (rc == SQLITE_OK)
        rc = file->pMethods->xRead(file, header, MFS_IMAGE_HEADER_BYTES, 0);
    return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_NOTADB : rc;
}

/*
 * Whether the database is in WAL mode and has no WAL.  Then no connection has it open, and SQLite
 * would leave an empty WAL beside it if it were opened as usual.
 */
static int is_without_wal(sqlite3_vfs *lower_vfs, const char *host_path,
                          const unsigned char *header, bool *answer)
{
    int has_wal = 1;
    MFS_ASSERT(host_path[0] != '\0');
    *answer = false;
    if (header[MFS_IMAGE_FORMAT_OFFSET] != MFS_IMAGE_FORMAT_WAL)
        return SQLITE_OK;
    char *wal = sqlite3_mprintf("%s-wal", host_path);
    if (wal == NULL)
        return SQLITE_NOMEM;
    int rc = lower_vfs->xAccess(lower_vfs, wal, SQLITE_ACCESS_EXISTS, &has_wal);
    sqlite3_free(wal);
    *answer = !has_wal;
    return rc;
}

static int reopen_immutable(sqlite3_vfs *lower_vfs, const char *host_path, sqlite3 **from)
{
    char *uri = mfs_uri_make(host_path, "immutable=1");
    if (uri == NULL)
        return SQLITE_NOMEM;
    (void)sqlite3_close(*from);
    *from = NULL;
    int rc = sqlite3_open_v2(uri, from, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, lower_vfs->zName);
    sqlite3_free(uri);
    return rc;
}

/* `*from` has to be closed after a failure, too. */
static int open_host_database(sqlite3_vfs *lower_vfs, const char *host_path, sqlite3 **from)
{
    unsigned char header[MFS_IMAGE_HEADER_BYTES];
    sqlite3_int64 size;
    bool lacks_wal;
    int rc = mfs_image_open_host(lower_vfs, host_path, SQLITE_OPEN_READONLY, from);
    if (rc == SQLITE_OK)
        rc = read_image_header(*from, header, &size);
    if (rc == SQLITE_OK)
        rc = mfs_image_check(header, (uint64_t)size);
    /* No lock is held yet: another process may be writing, and have written page 1 but not the
     * last page. */
    if (rc == SQLITE_CORRUPT)
        rc = SQLITE_OK;
    if (rc == SQLITE_OK)
        rc = is_without_wal(lower_vfs, host_path, header, &lacks_wal);
    if (rc == SQLITE_OK && lacks_wal)
        rc = reopen_immutable(lower_vfs, host_path, from);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(*from, MFS_NEWCONNECTION_BUSY_MS);
    return rc;
}

static int stage_host(const struct mfs_vfs *vfs, const char *stage, const char *host_path)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    sqlite3_vfs *lower_vfs = mfs_registration_lower_vfs();
    int rc = lower_vfs != NULL ? open_host_database(lower_vfs, host_path, &from) : SQLITE_CANTOPEN;
    if (rc == SQLITE_OK)
        rc = sqlite3_open_v2(stage, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs->name);
    if (rc == SQLITE_OK)
        rc = mfs_image_copy(from, "main", to);
    int closed = sqlite3_close(to);
    if (rc == SQLITE_OK)
        rc = closed;
    if (rc != SQLITE_OK)
        (void)mfs_lasterror_say(rc, "%s cannot be loaded: %s", host_path, sqlite3_errstr(rc));
    (void)sqlite3_close(from);
    return rc;
}

int memfs_sqlite_load_file(memfs *fs, const char *host_path, const char *path, unsigned flags)
{
    char stage[STAGE_NAME_BYTES];
    if (fs == NULL || path == NULL || host_path == NULL || host_path[0] == '\0' ||
        (flags & ~MEMFS_SQLITE_LOAD_MAKE_PARENTS) != 0)
        return SQLITE_MISUSE;
    const struct mfs_vfs *vfs = mfs_registration_of(fs);
    if (vfs == NULL)
        return SQLITE_MISUSE;
    name_stage(stage);
    int rc = stage_host(vfs, stage, host_path);
    if (rc == SQLITE_OK)
        rc = publish_stage(fs, stage, path, flags);
    if (rc != SQLITE_OK)
        (void)memfs_unlink(fs, stage);
    return rc;
}
