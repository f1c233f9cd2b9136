/*
 * Opening and closing one file.
 *
 * 1. Opening a file that exists needs no memory of the file system.
 * 2. A file that SQLite wants deleted when it is closed loses its name at once.  Removing it by
 *    name later could remove another file that has taken the name meanwhile.
 * 3. Journals of every kind may use the emergency reserve, so that a full database can shrink.
 *
 * Left out on purpose: owners.  What SQLite creates has the file system's.
 */
#include "file/file.h"

#include "base/assertion.h"
#include "base/lasterror.h"

#include <string.h>

#define WRITE_PERMISSION_BITS 0222u

/* What a transaction writes beside the database to be undone or committed.  The journal of a
 * temporary database is not among them: rolling that back makes no space for others. */
#define JOURNAL_KINDS \
    (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUBJOURNAL | SQLITE_OPEN_MASTER_JOURNAL | \
     SQLITE_OPEN_WAL)

static uint32_t emergency_flag(int open_flags)
{
    return (open_flags & JOURNAL_KINDS) != 0 ? MEMFS_O_EMERGENCY : 0;
}

static uint32_t access_flags(int open_flags)
{
    uint32_t flags = MEMFS_O_NOATIME | emergency_flag(open_flags);
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

static int open_handle(struct mfs_file *file, uint32_t flags, uint32_t mode)
{
    memfs_open_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = flags;
    options.mode = mode;
    options.storage = &file->storage;
    return memfs_open_with(file->fs, file->path != NULL ? file->path : "/", &options,
                           &file->bytes.file);
}

/* Opens the file again, for reading. */
static int demote(struct mfs_file *file)
{
    memfs_close(file->bytes.file);
    file->is_read_only = true;
    return open_handle(file, MEMFS_O_NOATIME | MEMFS_O_READ, 0);
}

int mfs_file_open(struct mfs_file *file, memfs *fs, const char *vfs_name, const char *path,
                  int open_flags, uint32_t mode, bool may_demote)
{
    MFS_ASSERT(fs != NULL && vfs_name != NULL);
    memset(file, 0, sizeof *file);
    file->fs = fs;
    file->vfs_name = vfs_name;
    file->path = path;
    file->is_read_only = path != NULL && !(open_flags & SQLITE_OPEN_READWRITE);
    file->overwrites_are_safe = true;
    file->device = MFS_DEVICE_MEMORY;
    uint32_t unnamed = MEMFS_O_TMPFILE | MEMFS_O_RDWR | MEMFS_O_NOATIME |
                       emergency_flag(open_flags);
    int error = open_handle(file, path != NULL ? access_flags(open_flags) : unnamed, mode);
    if (error != 0)
        return mfs_lasterror_code(MFS_OPERATION_OPEN, error);

    memfs_stat_info info;
    info.struct_size = sizeof info;
    error = memfs_fstat(file->bytes.file, &info);
    if (error == 0 && info.kind != MEMFS_KIND_FILE)
        error = MEMFS_EISDIR;
    if (error == 0 && may_demote && !file->is_read_only && !(info.mode & WRITE_PERMISSION_BITS))
        error = demote(file);
    if (error == 0 && path != NULL && (open_flags & SQLITE_OPEN_DELETEONCLOSE)) {
        error = memfs_unlink(fs, path);
        file->path = NULL;
    }
    if (error != 0) {
        memfs_close(file->bytes.file);
        return mfs_lasterror_code(MFS_OPERATION_OPEN, error);
    }
    file->number = info.number;
    return SQLITE_OK;
}

bool mfs_file_sibling(const struct mfs_file *file, const char *suffix,
                      char name[MFS_FILE_NAME_BYTES])
{
    MFS_ASSERT(suffix[0] == '-');
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

int mfs_file_note_result(struct mfs_file *file, int rc)
{
    if (rc != SQLITE_OK)
        file->last_errno = mfs_lasterror_number();
    return rc;
}

int mfs_file_close(struct mfs_file *file)
{
    MFS_ASSERT(file->bytes.file != NULL);
    mfs_bytes_free_unused(&file->bytes);
    int error = file->is_borrowed ? 0 : memfs_close(file->bytes.file);
    file->bytes.file = NULL;
    return mfs_lasterror_code(MFS_OPERATION_CLOSE, error);
}

void mfs_file_borrow(struct mfs_file *file, memfs *fs, const char *vfs_name, const char *path,
                     memfs_file *handle)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_fstat(handle, &info);
    MFS_ASSERT(error == 0);
    *file = (struct mfs_file){.fs = fs,
                              .bytes = {.file = handle},
                              .path = path,
                              .vfs_name = vfs_name,
                              .number = info.number,
                              .is_borrowed = true,
                              .overwrites_are_safe = true,
                              .device = MFS_DEVICE_MEMORY};
}

/* UNDELETABLE_WHEN_OPEN makes SQLite keep the journals of the modes
 * PERSIST and TRUNCATE open between transactions; auxfile.c relies on it. */
int mfs_file_characteristics(const struct mfs_file *file)
{
    int characteristics = file->device.characteristics | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
    if (file->overwrites_are_safe)
        characteristics |= SQLITE_IOCAP_POWERSAFE_OVERWRITE;
    return characteristics;
}
