/*
 * One open file: from SQLite's calls to memfs's, with SQLite's manners.
 *
 * - A short read zeroes the rest of the buffer; SQLite's pager relies on it.
 * - Writes are all or nothing below us, so a refused one needs no clean-up.
 * - A file that is to go when it is closed loses its name at once.  Removing it
 *   by name later could hit a file that took the name meanwhile.
 */
#include "file/file.h"

#include "base/errmap.h"

#include <assert.h>
#include <string.h>

#define WRITE_PERMISSION_BITS 0222u
#define NEW_FILE_MODE 0644u

/* What a transaction writes beside the database, so that it can be undone or committed.  Rolling
 * back a temporary database never helps anybody else, so its journal is not among them. */
#define JOURNALS \
    (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUBJOURNAL | SQLITE_OPEN_MASTER_JOURNAL | \
     SQLITE_OPEN_WAL)

static uint32_t reserve_flag(int open_flags)
{
    return (open_flags & JOURNALS) != 0 ? MEMFS_O_EMERGENCY : 0;
}

static uint32_t access_flags(int open_flags)
{
    uint32_t flags = MEMFS_O_NOATIME | reserve_flag(open_flags);
    flags |= (open_flags & SQLITE_OPEN_READWRITE) ? MEMFS_O_RDWR : MEMFS_O_READ;
    if (open_flags & SQLITE_OPEN_CREATE) {
        flags |= MEMFS_O_CREATE;
        if (open_flags & SQLITE_OPEN_EXCLUSIVE)
            flags |= MEMFS_O_EXCLUSIVE;
    }
#ifdef SQLITE_OPEN_NOFOLLOW
    if (open_flags & SQLITE_OPEN_NOFOLLOW)
        flags |= MEMFS_O_NOFOLLOW;
#endif
    return flags;
}

static int open_handle(struct mfs_file *file, uint32_t flags)
{
    memfs_open_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = flags;
    options.mode = NEW_FILE_MODE;
    options.storage = &file->storage;
    return memfs_open_with(file->fs, file->path != NULL ? file->path : "/", &options,
                           &file->handle);
}

/* Opens once more, for reading, a file that nobody may write. */
static int demote(struct mfs_file *file)
{
    memfs_close(file->handle);
    file->is_read_only = true;
    return open_handle(file, MEMFS_O_NOATIME | MEMFS_O_READ);
}

int mfs_file_open(struct mfs_file *file, memfs *fs, const char *vfs_name, const char *path,
                  int open_flags, bool may_demote)
{
    memset(file, 0, sizeof *file);
    file->fs = fs;
    file->vfs_name = vfs_name;
    file->path = path;
    file->is_read_only = path != NULL && !(open_flags & SQLITE_OPEN_READWRITE);
    file->overwrites_are_safe = true;
    uint32_t unnamed = MEMFS_O_TMPFILE | MEMFS_O_RDWR | MEMFS_O_NOATIME | reserve_flag(open_flags);
    int error = open_handle(file, path != NULL ? access_flags(open_flags) : unnamed);
    if (error != 0)
        return mfs_errmap(MFS_OPERATION_OPEN, error);

    memfs_stat_info info;
    info.struct_size = sizeof info;
    error = memfs_fstat(file->handle, &info);
    if (error == 0 && info.kind != MEMFS_KIND_FILE)
        error = MEMFS_EISDIR;
    if (error == 0 && may_demote && !file->is_read_only && !(info.mode & WRITE_PERMISSION_BITS))
        error = demote(file);
    if (error == 0 && path != NULL && (open_flags & SQLITE_OPEN_DELETEONCLOSE)) {
        error = memfs_unlink(fs, path);
        file->path = NULL;
    }
    if (error != 0) {
        memfs_close(file->handle);
        return mfs_errmap(MFS_OPERATION_OPEN, error);
    }
    file->number = info.number;
    return SQLITE_OK;
}

bool mfs_file_sibling(const struct mfs_file *file, const char *suffix,
                      char name[MFS_FILE_NAME_BYTES])
{
    if (file->path == NULL)
        return false;
    size_t length = strlen(file->path);
    size_t suffix_bytes = strlen(suffix) + 1;
    if (length + suffix_bytes > MFS_FILE_NAME_BYTES)
        return false;
    memcpy(name, file->path, length);
    memcpy(name + length, suffix, suffix_bytes);
    return true;
}

int mfs_file_close(struct mfs_file *file)
{
    mfs_file_release_room(file);
    int error = memfs_close(file->handle);
    file->handle = NULL;
    return mfs_errmap(MFS_OPERATION_CLOSE, error);
}

int mfs_file_read(struct mfs_file *file, void *buffer, int count, sqlite3_int64 offset)
{
    assert(count >= 0);
    int64_t got = memfs_pread(file->handle, buffer, (size_t)count, offset);
    if (got < 0)
        return mfs_errmap(MFS_OPERATION_READ, (int)got);
    if (got == count)
        return SQLITE_OK;
    memset((char *)buffer + got, 0, (size_t)(count - got));
    return SQLITE_IOERR_SHORT_READ;
}

int mfs_file_write(struct mfs_file *file, const void *buffer, int count, sqlite3_int64 offset)
{
    assert(count >= 0);
    int64_t written = memfs_pwrite(file->handle, buffer, (size_t)count, offset);
    assert(written < 0 || written == count);
    return written < 0 ? mfs_errmap(MFS_OPERATION_WRITE, (int)written) : SQLITE_OK;
}

int mfs_file_truncate(struct mfs_file *file, sqlite3_int64 size)
{
    if (size < memfs_file_size(file->handle))
        file->reserved_end = 0; /* cutting gives back all room behind the new end */
    return mfs_errmap(MFS_OPERATION_TRUNCATE, memfs_ftruncate(file->handle, size));
}

int mfs_file_size(struct mfs_file *file, sqlite3_int64 *size)
{
    int64_t now = memfs_file_size(file->handle);
    if (now < 0)
        return mfs_errmap(MFS_OPERATION_SIZE, (int)now);
    *size = now;
    return SQLITE_OK;
}

/* All true of memory.  The last keeps PERSIST and TRUNCATE journals open; see auxfile.c. */
int mfs_file_characteristics(const struct mfs_file *file)
{
    int characteristics = SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL |
                          SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
    if (file->overwrites_are_safe)
        characteristics |= SQLITE_IOCAP_POWERSAFE_OVERWRITE;
    return characteristics;
}

int mfs_file_reserve_room(struct mfs_file *file, sqlite3_int64 size)
{
    int64_t now = memfs_file_size(file->handle);
    if (now < 0)
        return mfs_errmap(MFS_OPERATION_SIZE, (int)now);
    if (size <= now || size <= file->reserved_end)
        return SQLITE_OK;
    int error = memfs_fallocate(file->handle, now, size - now, MEMFS_FALLOCATE_KEEP_SIZE);
    if (error == 0)
        file->reserved_end = size;
    return mfs_errmap(MFS_OPERATION_WRITE, error);
}

void mfs_file_release_room(struct mfs_file *file)
{
    int64_t size = memfs_file_size(file->handle);
    if (file->reserved_end > size && size >= 0)
        (void)memfs_ftruncate(file->handle, size);
    file->reserved_end = 0;
}
