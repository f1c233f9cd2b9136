/*
 * Loading: a database from the host, or from memory.
 *
 * It is complete under a name of its own before it is renamed into place.
 */
#include "base/errmap.h"
#include "entry/registration.h"
#include "file/file.h"
#include "file/sibling.h"
#include "images/image.h"

#include <memfs/sqlite.h>

#include <stdbool.h>
#include <string.h>

enum { BUSY_TIMEOUT_MS = 5000, STAGE_BYTES = 64 };

static int error_code(int error)
{
    return error == MEMFS_EBUSY ? SQLITE_BUSY : mfs_errmap(MFS_OPERATION_OPEN, error);
}

static void name_stage(char stage[STAGE_BYTES])
{
    sqlite3_uint64 random;
    sqlite3_randomness((int)sizeof random, &random);
    sqlite3_snprintf(STAGE_BYTES, stage, "/.memfs-load-%016llx", random);
}

/* Whether something beside the place would be taken for the new database's.  An empty WAL too:
 * somebody has it open. */
static int refuse_journals(memfs *fs, const char *place)
{
    char name[MFS_FILE_NAME_BYTES];
    sqlite3_snprintf((int)sizeof name, name, "%s-wal", place);
    if (memfs_exists(fs, name) != 0)
        return SQLITE_BUSY;
    sqlite3_snprintf((int)sizeof name, name, "%s-journal", place);
    return mfs_sibling_journal_is_live(fs, name) ? SQLITE_BUSY : SQLITE_OK;
}

static int publish(memfs *fs, const char *stage, const char *path, unsigned flags)
{
    char place[MFS_FILE_PATH_MAX + 1];
    bool makes_parents = (flags & MEMFS_SQLITE_LOAD_MAKE_PARENTS) != 0;
    int64_t length = memfs_realpath(fs, path, place, sizeof place);
    if (length >= 0) {
        int rc = refuse_journals(fs, place);
        if (rc != SQLITE_OK)
            return rc;
        path = place; /* links are followed, as opening does */
    } else if (length != MEMFS_ENOENT || !makes_parents || strlen(path) > MFS_FILE_PATH_MAX) {
        return error_code((int)length);
    }
    return error_code(memfs_rename(fs, stage, path, makes_parents ? MEMFS_RENAME_MAKE_PARENTS : 0));
}

/* ----------------------------------------------------------------- from memory */

static int write_image(memfs_file *file, const void *data, size_t size)
{
    static const unsigned char rollback[2] = {1, 1};
    int64_t count = memfs_pwrite(file, data, size, 0);
    if (count >= 0)
        count = memfs_pwrite(file, rollback, sizeof rollback, MFS_IMAGE_FORMAT_OFFSET);
    return count < 0 ? error_code((int)count) : SQLITE_OK;
}

static int stage_buffer(memfs *fs, const char *stage, const void *data, size_t size)
{
    memfs_file *file;
    int error = memfs_open(fs, stage, MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE, 0644,
                           &file);
    if (error != 0)
        return error_code(error);
    int rc = write_image(file, data, size);
    (void)memfs_close(file);
    return rc;
}

int memfs_sqlite_load_buffer(memfs *fs, const char *path, const void *data, size_t size,
                             unsigned flags)
{
    char stage[STAGE_BYTES];
    if (fs == NULL || path == NULL || data == NULL ||
        (flags & ~MEMFS_SQLITE_LOAD_MAKE_PARENTS) != 0)
        return SQLITE_MISUSE;
    if (size < MFS_IMAGE_HEADER_BYTES)
        return SQLITE_NOTADB;
    int rc = mfs_image_check(data, size);
    if (rc != SQLITE_OK)
        return rc;
    name_stage(stage);
    rc = stage_buffer(fs, stage, data, size);
    if (rc == SQLITE_OK)
        rc = publish(fs, stage, path, flags);
    if (rc != SQLITE_OK)
        (void)memfs_unlink(fs, stage);
    return rc;
}

/* --------------------------------------------------------------- from the host */

/* A path as the body of a URI. */
static char *escape(const char *path)
{
    sqlite3_str *out = sqlite3_str_new(NULL);
    sqlite3_str_appendall(out, "file:");
    for (; *path != '\0'; path++) {
        if (strchr("%?#", *path) != NULL)
            sqlite3_str_appendf(out, "%%%02X", (unsigned char)*path);
        else
            sqlite3_str_appendchar(out, 1, *path);
    }
    sqlite3_str_appendall(out, "?immutable=1");
    return sqlite3_str_finish(out);
}

static int read_header(sqlite3 *from, unsigned char *header, sqlite3_int64 *size)
{
    sqlite3_file *file = mfs_image_file(from);
    if (file == NULL)
        return SQLITE_CANTOPEN;
    int rc = file->pMethods->xFileSize(file, size);
    if (rc == SQLITE_OK)
        rc = file->pMethods->xRead(file, header, MFS_IMAGE_HEADER_BYTES, 0);
    return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_NOTADB : rc;
}

/* Says WAL and has none: so nobody uses it, and SQLite would leave an empty one behind. */
static int is_bare(sqlite3_vfs *host, const char *host_path, const unsigned char *header,
                   bool *answer)
{
    int has_wal = 1;
    *answer = false;
    if (header[MFS_IMAGE_FORMAT_OFFSET] != MFS_IMAGE_FORMAT_WAL)
        return SQLITE_OK;
    char *wal = sqlite3_mprintf("%s-wal", host_path);
    if (wal == NULL)
        return SQLITE_NOMEM;
    int rc = host->xAccess(host, wal, SQLITE_ACCESS_EXISTS, &has_wal);
    sqlite3_free(wal);
    *answer = !has_wal;
    return rc;
}

static int reopen_immutable(sqlite3_vfs *host, const char *host_path, sqlite3 **from)
{
    char *uri = escape(host_path);
    if (uri == NULL)
        return SQLITE_NOMEM;
    (void)sqlite3_close(*from);
    *from = NULL;
    int rc = sqlite3_open_v2(uri, from, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, host->zName);
    sqlite3_free(uri);
    return rc;
}

/* `*from` is to be closed in any case. */
static int open_host(sqlite3_vfs *host, const char *host_path, sqlite3 **from)
{
    unsigned char header[MFS_IMAGE_HEADER_BYTES];
    sqlite3_int64 size;
    bool bare;
    int rc = mfs_image_open_host(host, host_path, SQLITE_OPEN_READONLY, from);
    if (rc == SQLITE_OK)
        rc = read_header(*from, header, &size);
    if (rc == SQLITE_OK)
        rc = mfs_image_check(header, (uint64_t)size);
    /* Somebody who is writing may have come to page 1 and not to the last; no lock is held. */
    if (rc == SQLITE_CORRUPT)
        rc = SQLITE_OK;
    if (rc == SQLITE_OK)
        rc = is_bare(host, host_path, header, &bare);
    if (rc == SQLITE_OK && bare)
        rc = reopen_immutable(host, host_path, from);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(*from, BUSY_TIMEOUT_MS);
    return rc;
}

static int stage_host(const struct mfs_vfs *vfs, const char *stage, const char *host_path)
{
    sqlite3 *from = NULL;
    sqlite3 *to = NULL;
    sqlite3_vfs *host = mfs_registration_host();
    int rc = host != NULL ? open_host(host, host_path, &from) : SQLITE_CANTOPEN;
    if (rc == SQLITE_OK)
        rc = sqlite3_open_v2(stage, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs->name);
    if (rc == SQLITE_OK)
        rc = mfs_image_copy(from, "main", to);
    int closed = sqlite3_close(to);
    (void)sqlite3_close(from);
    return rc != SQLITE_OK ? rc : closed;
}

int memfs_sqlite_load_file(memfs *fs, const char *path, const char *host_path, unsigned flags)
{
    char stage[STAGE_BYTES];
    if (fs == NULL || path == NULL || host_path == NULL || host_path[0] == '\0' ||
        (flags & ~MEMFS_SQLITE_LOAD_MAKE_PARENTS) != 0)
        return SQLITE_MISUSE;
    const struct mfs_vfs *vfs = mfs_registration_of(fs);
    if (vfs == NULL)
        return SQLITE_MISUSE;
    name_stage(stage);
    int rc = stage_host(vfs, stage, host_path);
    if (rc == SQLITE_OK)
        rc = publish(fs, stage, path, flags);
    if (rc != SQLITE_OK)
        (void)memfs_unlink(fs, stage);
    return rc;
}
