/*
 * The file is written under a name of its own beside the place, and then renamed to it.
 *
 * A connection of SQLite's opens it, so that it is opened as SQLite opens databases, with its modes
 * and its locks.
 */
#include "images/newfile.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "transaction/image.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

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

int mfs_newfile_begin(struct mfs_newfile *file, sqlite3_vfs *vfs, const char *host_path)
{
    sqlite3_uint64 random;
    MFS_ASSERT(host_path[0] != '\0');
    *file = (struct mfs_newfile){.vfs = vfs, .host_path = host_path};
    int rc = check_host_journals(vfs, host_path);
    if (rc != SQLITE_OK)
        return rc;
    sqlite3_randomness((int)sizeof random, &random);
    file->temporary = sqlite3_mprintf("%s-%016llx", host_path, random);
    if (file->temporary == NULL)
        return SQLITE_NOMEM;
    rc = mfs_image_open_host(vfs, file->temporary, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             &file->connection);
    if (rc != SQLITE_OK)
        return mfs_lasterror_say(rc, "%s: %s", file->temporary, sqlite3_errmsg(file->connection));
    file->file = mfs_image_file(file->connection);
    return file->file != NULL ? SQLITE_OK : SQLITE_CANTOPEN;
}

int mfs_newfile_write(struct mfs_newfile *file, const void *bytes, uint32_t count,
                      sqlite3_int64 offset)
{
    return file->file->pMethods->xWrite(file->file, bytes, (int)count, offset);
}

/* Makes the new name durable.  That some file systems cannot sync directories is no failure: theirs
 * need none. */
static void sync_directory(const char *host_path)
{
#if !defined(_WIN32)
    const char *slash = strrchr(host_path, '/');
    int length = slash == NULL ? 1 : (int)(slash - host_path) + 1;
    char *directory = sqlite3_mprintf("%.*s", length, slash == NULL ? "." : host_path);
    int descriptor = directory != NULL ? open(directory, O_RDONLY | O_CLOEXEC) : -1;
    if (descriptor >= 0) {
        (void)fsync(descriptor);
        (void)close(descriptor);
    }
    sqlite3_free(directory);
#else
    (void)host_path;
#endif
}

static int put_in_place(const struct mfs_newfile *file)
{
#if defined(_WIN32)
    (void)remove(file->host_path);
#endif
    if (rename(file->temporary, file->host_path) != 0)
        return mfs_lasterror_say(SQLITE_CANTOPEN, "%s: %s", file->host_path, strerror(errno));
    sync_directory(file->host_path);
    return SQLITE_OK;
}

int mfs_newfile_commit(struct mfs_newfile *file)
{
    int rc = file->file->pMethods->xSync(file->file, SQLITE_SYNC_NORMAL);
    int closed = sqlite3_close(file->connection);
    file->connection = NULL;
    if (rc == SQLITE_OK)
        rc = closed;
    if (rc == SQLITE_OK)
        rc = put_in_place(file);
    if (rc == SQLITE_OK) {
        sqlite3_free(file->temporary);
        file->temporary = NULL;
    }
    return rc;
}

void mfs_newfile_end(struct mfs_newfile *file)
{
    (void)sqlite3_close(file->connection);
    if (file->temporary != NULL)
        (void)file->vfs->xDelete(file->vfs, file->temporary, 0);
    sqlite3_free(file->temporary);
    *file = (struct mfs_newfile){0};
}
