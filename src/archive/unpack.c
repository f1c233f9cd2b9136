/* A failure leaves what is half made: the stage goes as a whole. */
#include "unpack.h"

#include "survey.h"

#include <archive_entry.h>

enum { NS_IN_S = 1000000000 };

static const int64_t seconds_most = INT64_MAX / NS_IN_S - 1;

/* A time that 64 bits cannot hold in nanoseconds becomes the nearest that they can. */
static int64_t time_of(time_t seconds, long nanoseconds, bool is_set)
{
    if (!is_set)
        return MEMFS_TIME_OMIT;
    int64_t whole = seconds > seconds_most    ? seconds_most
                    : seconds < -seconds_most ? -seconds_most
                                              : (int64_t)seconds;
    return whole * NS_IN_S + (nanoseconds >= 0 && nanoseconds < NS_IN_S ? nanoseconds : 0);
}

static int64_t access_time(struct archive_entry *entry)
{
    return time_of(archive_entry_atime(entry), archive_entry_atime_nsec(entry),
                   archive_entry_atime_is_set(entry) != 0);
}

static int64_t modify_time(struct archive_entry *entry)
{
    return time_of(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry),
                   archive_entry_mtime_is_set(entry) != 0);
}

static uint32_t mode_of(const struct mfs_archive_unpacker *unpacker)
{
    uint32_t kept = mfs_task_has(unpacker->task, MEMFS_ARCHIVE_SPECIAL_BITS) ? 07777 : 0777;
    return archive_entry_perm(unpacker->reader.entry) & kept;
}

static uint32_t id_of(int64_t id)
{
    return id < 0 || id >= MEMFS_ID_KEEP ? MEMFS_ID_KEEP : (uint32_t)id;
}

static int set_owner(const struct mfs_archive_unpacker *unpacker, memfs_dir *dir, const char *name)
{
    if (!mfs_task_has(unpacker->task, MEMFS_ARCHIVE_OWNERS))
        return 0;
    struct archive_entry *entry = unpacker->reader.entry;
    return memfs_chownat(unpacker->task->fs, dir, name, id_of(archive_entry_uid(entry)),
                         id_of(archive_entry_gid(entry)), MEMFS_AT_NOFOLLOW);
}

/* Something has the name of a file or link that is to be made. */
static int make_way(const struct mfs_archive_unpacker *unpacker, memfs_dir *dir, const char *name)
{
    memfs *fs = unpacker->task->fs;
    memfs_stat_info stat = {.struct_size = sizeof stat};
    int error = memfs_statat(fs, dir, name, &stat, MEMFS_AT_NOFOLLOW);
    if (error != 0)
        return error;
    if (stat.kind == MEMFS_KIND_DIRECTORY)
        return MEMFS_EISDIR;
    if (!mfs_task_has(unpacker->task, MEMFS_ARCHIVE_LAST_COUNTS))
        return MEMFS_EEXIST;
    return memfs_unlinkat(fs, dir, name, 0);
}

/* ---------------------------------------------------------------------- data */

/* More than was declared is a lie; the file system's own limit is checked by the write. */
static int check_piece(const struct mfs_archive_unpacker *unpacker, int64_t offset, size_t size)
{
    int64_t declared = unpacker->item.size;
    if (offset < 0 || size > INT64_MAX || (int64_t)size > INT64_MAX - offset)
        return MEMFS_EIO;
    if (declared >= 0 && offset + (int64_t)size > declared)
        return MEMFS_EIO;
    return mfs_survey_check_bytes(unpacker->task, unpacker->task->result.bytes + size);
}

static int store_piece(struct mfs_archive_unpacker *unpacker, memfs_file *file, const void *bytes,
                       size_t size, int64_t offset)
{
    struct mfs_archive_task *task = unpacker->task;
    int error = check_piece(unpacker, offset, size);
    if (error != 0 || size == 0)
        return error;
    int64_t written = memfs_pwrite(file, bytes, size, offset);
    if (written < 0)
        return (int)written;
    task->result.bytes += size;
    task->progress.bytes_done += size;
    return mfs_task_tell(task, NULL);
}

/* Only holes may be missing from what was declared. */
static int end_data(const struct mfs_archive_unpacker *unpacker, memfs_file *file, int64_t end)
{
    int64_t declared = unpacker->item.size;
    if (declared < 0 || end == declared)
        return 0;
    return unpacker->item.has_holes ? memfs_ftruncate(file, declared) : MEMFS_EIO;
}

static int copy_data(struct mfs_archive_unpacker *unpacker, memfs_file *file)
{
    struct mfs_archive_task *task = unpacker->task;
    const char *path = unpacker->item.name.path;
    const void *bytes;
    size_t size;
    int64_t offset, end = 0;
    int found;
    while ((found = mfs_reader_data(&unpacker->reader, path, &bytes, &size, &offset)) == 1) {
        int error = mfs_task_fail(task, path, store_piece(unpacker, file, bytes, size, offset),
                                  NULL);
        if (error != 0)
            return error;
        end = offset + (int64_t)size;
    }
    if (found != 0)
        return found;
    return mfs_task_fail(task, path, end_data(unpacker, file, end),
                         "The data is not of the size that the archive says");
}

static int fill_file(struct mfs_archive_unpacker *unpacker, memfs_file *file)
{
    struct archive_entry *entry = unpacker->reader.entry;
    int error = copy_data(unpacker, file);
    return error != 0 ? error : memfs_futimens(file, access_time(entry), modify_time(entry));
}

/* ------------------------------------------------------------------- entries */

static int unpack_file(struct mfs_archive_unpacker *unpacker, memfs_dir *dir, const char *name)
{
    memfs *fs = unpacker->task->fs;
    const uint32_t flags = MEMFS_O_WRITE | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE;
    memfs_file *file;
    int error = memfs_openat(fs, dir, name, flags, mode_of(unpacker), &file);
    if (error == MEMFS_EEXIST) {
        error = make_way(unpacker, dir, name);
        if (error == 0)
            error = memfs_openat(fs, dir, name, flags, mode_of(unpacker), &file);
    }
    if (error != 0)
        return error;
    error = fill_file(unpacker, file);
    (void)memfs_close(file);
    if (error == 0)
        error = set_owner(unpacker, dir, name);
    unpacker->task->result.files += error == 0;
    return error;
}

static int unpack_symlink(struct mfs_archive_unpacker *unpacker, memfs_dir *dir, const char *name)
{
    memfs *fs = unpacker->task->fs;
    struct archive_entry *entry = unpacker->reader.entry;
    const char *target = unpacker->item.target;
    int error = memfs_symlinkat(fs, target, dir, name, 0);
    if (error == MEMFS_EEXIST) {
        error = make_way(unpacker, dir, name);
        if (error == 0)
            error = memfs_symlinkat(fs, target, dir, name, 0);
    }
    if (error == 0)
        error = set_owner(unpacker, dir, name);
    if (error == 0)
        error = memfs_utimensat(fs, dir, name, access_time(entry), modify_time(entry),
                                MEMFS_AT_NOFOLLOW);
    unpacker->task->result.symlinks += error == 0;
    return error;
}

/* The archive may give a directory first, after what is in it, or twice. */
static int unpack_directory(struct mfs_archive_unpacker *unpacker, memfs_dir *dir, const char *name)
{
    memfs *fs = unpacker->task->fs;
    struct archive_entry *entry = unpacker->reader.entry;
    memfs_stat_info stat = {.struct_size = sizeof stat};
    int error = memfs_statat(fs, dir, name, &stat, MEMFS_AT_NOFOLLOW);
    if (error == MEMFS_ENOENT)
        error = memfs_mkdirat(fs, dir, name, mode_of(unpacker));
    else if (error == 0 && stat.kind != MEMFS_KIND_DIRECTORY)
        error = MEMFS_ENOTDIR;
    else if (error == 0)
        error = memfs_chmodat(fs, dir, name, mode_of(unpacker), MEMFS_AT_NOFOLLOW);
    if (error == 0)
        error = set_owner(unpacker, dir, name);
    if (error == 0)
        error = mfs_loadstage_note_times(&unpacker->stage, unpacker->item.name.path,
                                         access_time(entry), modify_time(entry));
    unpacker->task->result.directories += error == 0;
    return error;
}

/* In a cpio the data may come with the last name of a file. */
static int fill_linked(struct mfs_archive_unpacker *unpacker, memfs_dir *dir, const char *name)
{
    memfs_file *file;
    if (unpacker->item.size <= 0)
        return 0;
    int error = memfs_openat(unpacker->task->fs, dir, name, MEMFS_O_WRITE | MEMFS_O_NOFOLLOW, 0,
                             &file);
    if (error != 0)
        return error;
    error = memfs_ftruncate(file, 0);
    if (error == 0)
        error = fill_file(unpacker, file);
    (void)memfs_close(file);
    return error;
}

static int link_first(struct mfs_archive_unpacker *unpacker, memfs_dir *first_dir,
                      const char *first_name, memfs_dir *dir, const char *name)
{
    memfs *fs = unpacker->task->fs;
    int error = memfs_linkat(fs, first_dir, first_name, dir, name, 0);
    if (error == MEMFS_EEXIST) {
        error = make_way(unpacker, dir, name);
        if (error == 0)
            error = memfs_linkat(fs, first_dir, first_name, dir, name, 0);
    }
    return error;
}

static int unpack_hardlink(struct mfs_archive_unpacker *unpacker, memfs_dir *dir, const char *name)
{
    memfs_dir *first_dir;
    const char *first_name;
    int error = mfs_loadstage_find(&unpacker->stage, unpacker->item.first.path, &first_dir,
                                   &first_name);
    if (error != 0)
        return error;
    error = link_first(unpacker, first_dir, first_name, dir, name);
    (void)memfs_closedir(first_dir);
    if (error == 0)
        error = fill_linked(unpacker, dir, name);
    unpacker->task->result.files += error == 0;
    unpacker->task->result.links += error == 0;
    return error;
}

static int unpack_by_kind(struct mfs_archive_unpacker *unpacker)
{
    memfs_dir *dir;
    const char *name;
    int error = mfs_task_tell(unpacker->task, unpacker->item.name.path);
    if (error == 0)
        error = mfs_loadstage_enter(&unpacker->stage, unpacker->item.name.path, &dir, &name);
    if (error != 0)
        return error;
    switch (unpacker->item.kind) {
    case MFS_ARCHIVE_ITEM_DIRECTORY:
        return unpack_directory(unpacker, dir, name);
    case MFS_ARCHIVE_ITEM_SYMLINK:
        return unpack_symlink(unpacker, dir, name);
    case MFS_ARCHIVE_ITEM_HARDLINK:
        return unpack_hardlink(unpacker, dir, name);
    default:
        return unpack_file(unpacker, dir, name);
    }
}

int mfs_unpack_item(struct mfs_archive_unpacker *unpacker)
{
    struct mfs_archive_task *task = unpacker->task;
    if (unpacker->item.kind == MFS_ARCHIVE_ITEM_SPECIAL) {
        task->result.special++;
        return 0;
    }
    if (unpacker->item.kind == MFS_ARCHIVE_ITEM_FILTERED) {
        task->result.filtered++;
        return 0;
    }
    int error = mfs_task_fail(task, unpacker->item.name.path, unpack_by_kind(unpacker), NULL);
    task->progress.entries_done += error == 0;
    return error;
}
