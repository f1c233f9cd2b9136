/*
 * How the formats know that two names are of one file:
 *
 *     tar    the later name has the first one as its link, and no data
 *     cpio   all have the same number, the first one's place in the archive, and count of links;
 *            the first one has the data, the others the size 0
 *     zip    not at all: the file is packed again
 */
#include "pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

enum { NS_PER_S = 1000000000 };

/* For a tar that holes are told to: libarchive wants the zeros, and leaves them out. */
static const char zeros[16384];

static bool is_tar(const struct mfs_archive_packer *packer)
{
    return packer->writer.format != MEMFS_ARCHIVE_ZIP &&
           packer->writer.format != MEMFS_ARCHIVE_CPIO;
}

/* ---------------------------------------------------------------------- head */

static void split_time(int64_t ns, time_t *seconds, long *rest)
{
    int64_t nanoseconds = ns % NS_PER_S;
    if (nanoseconds < 0)
        nanoseconds += NS_PER_S;
    *seconds = (time_t)((ns - nanoseconds) / NS_PER_S);
    *rest = (long)nanoseconds;
}

static void set_attributes(struct mfs_archive_packer *packer)
{
    const memfs_stat_info *stat = &packer->members.stat;
    struct archive_entry *entry = packer->writer.entry;
    bool is_fixed = mfs_task_has(packer->task, MEMFS_ARCHIVE_DETERMINISTIC);
    time_t seconds;
    long rest;
    split_time(is_fixed ? packer->task->options.fixed_time_ns : stat->modify_ns, &seconds, &rest);
    archive_entry_set_mtime(entry, seconds, rest);
    archive_entry_set_perm(entry, (mode_t)stat->mode);
    archive_entry_set_uid(entry, is_fixed ? 0 : stat->uid);
    archive_entry_set_gid(entry, is_fixed ? 0 : stat->gid);
    if (is_fixed)
        return;
    split_time(stat->access_ns, &seconds, &rest);
    archive_entry_set_atime(entry, seconds, rest);
}

/* Begins an entry of this type. */
static void begin_entry(struct mfs_archive_packer *packer, unsigned type)
{
    const memfs_stat_info *stat = &packer->members.stat;
    struct archive_entry *entry = packer->writer.entry;
    const char *path = packer->members.path;
    (void)archive_entry_clear(entry);
    archive_entry_set_pathname(entry, path[0] != '\0' ? path : ".");
    archive_entry_set_filetype(entry, type);
    archive_entry_set_size(entry, 0);
    set_attributes(packer);
    if (packer->writer.format == MEMFS_ARCHIVE_CPIO) {
        archive_entry_set_dev(entry, 1);
        archive_entry_set_ino64(entry, (int64_t)packer->task->progress.entries_done + 1);
        archive_entry_set_nlink(entry, stat->links);
    }
}

static int write_header(struct mfs_archive_packer *packer, const char *other_name)
{
    const char *path = packer->members.path;
    bool is_utf8 = mfs_charset_is_utf8(path) && mfs_charset_is_utf8(other_name);
    return mfs_writer_header(&packer->writer, path, is_utf8);
}

/* ---------------------------------------------------------------------- data */

/* Bytes that were read from the file, or stand for it. */
static int write_piece(struct mfs_archive_packer *packer, const char *bytes, size_t size,
                       bool is_hole)
{
    struct mfs_archive_task *task = packer->task;
    int error = mfs_writer_data(&packer->writer, packer->members.path, bytes, size);
    task->progress.bytes_done += size;
    if (!is_hole)
        task->result.bytes += size;
    return error != 0 ? error
                      : mfs_task_fail(task, packer->members.path, mfs_task_tell(task, NULL), NULL);
}

static int write_zeros(struct mfs_archive_packer *packer, int64_t from, int64_t to)
{
    int error = 0;
    while (from < to && error == 0) {
        size_t size = to - from < (int64_t)sizeof zeros ? (size_t)(to - from) : sizeof zeros;
        error = write_piece(packer, zeros, size, true);
        from += (int64_t)size;
    }
    return error;
}

/* A file that was cut meanwhile ends in zeros. */
static int write_range(struct mfs_archive_packer *packer, memfs_file *file, int64_t from,
                       int64_t to)
{
    struct mfs_archive_task *task = packer->task;
    while (from < to) {
        size_t wanted = to - from < MFS_ARCHIVE_PIECE_BYTES ? (size_t)(to - from)
                                                            : MFS_ARCHIVE_PIECE_BYTES;
        int64_t count = memfs_pread(file, task->buffer, wanted, from);
        if (count < 0)
            return mfs_task_fail(task, packer->members.path, (int)count, NULL);
        if (count == 0)
            return write_zeros(packer, from, to);
        int error = write_piece(packer, task->buffer, (size_t)count, false);
        if (error != 0)
            return error;
        from += count;
    }
    return 0;
}

/* The next run of data from `from` on: up to `size`, where there is none. */
static int find_run(memfs_file *file, int64_t from, int64_t size, int64_t *begin, int64_t *end)
{
    *begin = memfs_seek(file, from, MEMFS_SEEK_DATA);
    if (*begin == MEMFS_ENXIO || *begin > size)
        *begin = size;
    if (*begin < 0)
        return (int)*begin;
    *end = *begin < size ? memfs_seek(file, *begin, MEMFS_SEEK_HOLE) : size;
    if (*end == MEMFS_ENXIO || *end > size)
        *end = size;
    return *end < 0 ? (int)*end : 0;
}

/* Tells the entry where data is, if there are holes. */
static int describe_holes(struct archive_entry *entry, memfs_file *file, int64_t size)
{
    int64_t begin, end = 0;
    while (end < size) {
        int64_t from = end;
        int error = find_run(file, from, size, &begin, &end);
        if (error != 0)
            return error;
        if (from == 0 && begin == 0 && end == size)
            return 0;
        archive_entry_sparse_add_entry(entry, begin, end - begin);
    }
    return 0;
}

/* By the holes that the entry was told, since there may be others by now. */
static int write_runs(struct mfs_archive_packer *packer, memfs_file *file, int64_t size)
{
    struct archive_entry *entry = packer->writer.entry;
    la_int64_t offset, length;
    int64_t end = 0;
    (void)archive_entry_sparse_reset(entry);
    while (archive_entry_sparse_next(entry, &offset, &length) == ARCHIVE_OK) {
        int error = write_zeros(packer, end, offset);
        if (error == 0)
            error = write_range(packer, file, offset, offset + length);
        if (error != 0)
            return error;
        end = offset + length;
    }
    return write_zeros(packer, end, size);
}

/* ------------------------------------------------------------------- entries */

static int pack_content(struct mfs_archive_packer *packer, memfs_file *file)
{
    struct mfs_archive_task *task = packer->task;
    struct archive_entry *entry = packer->writer.entry;
    const char *path = packer->members.path;
    packer->members.stat = (memfs_stat_info){.struct_size = sizeof packer->members.stat};
    int error = mfs_task_fail(task, path, memfs_fstat(file, &packer->members.stat), NULL);
    if (error != 0)
        return error;
    int64_t size = (int64_t)packer->members.stat.size_bytes;
    begin_entry(packer, AE_IFREG);
    archive_entry_set_size(entry, size);
    if (packer->writer.format == MEMFS_ARCHIVE_PAX)
        error = mfs_task_fail(task, path, describe_holes(entry, file, size), NULL);
    bool has_holes = archive_entry_sparse_count(entry) > 0;
    if (error == 0)
        error = write_header(packer, "");
    if (error != 0)
        return error;
    return has_holes ? write_runs(packer, file, size) : write_range(packer, file, 0, size);
}

static int pack_link(struct mfs_archive_packer *packer, const char *first, uint64_t place)
{
    begin_entry(packer, AE_IFREG);
    if (is_tar(packer))
        archive_entry_set_hardlink(packer->writer.entry, first);
    else
        archive_entry_set_ino64(packer->writer.entry, (int64_t)place);
    packer->task->result.links++;
    packer->task->progress.bytes_done += packer->members.stat.size_bytes;
    return write_header(packer, is_tar(packer) ? first : "");
}

static int pack_file(struct mfs_archive_packer *packer)
{
    struct mfs_archive_task *task = packer->task;
    const char *path = packer->members.path;
    const memfs_stat_info *stat = &packer->members.stat;
    bool has_links = stat->links > 1 && packer->writer.format != MEMFS_ARCHIVE_ZIP;
    uint64_t place = task->progress.entries_done + 1, first_place = 0;
    const char *first = NULL;
    if (has_links)
        first = mfs_firstnames_find(&packer->firstnames, stat->number, &first_place);
    memfs_file *file;
    int error;
    if (first != NULL) {
        error = pack_link(packer, first, first_place);
    } else {
        error = mfs_members_open_file(&packer->members, &file);
        if (error == MEMFS_ENOENT)
            return 0;
        uint64_t number = stat->number;
        if (error != 0)
            return mfs_task_fail(task, path, error, NULL);
        error = pack_content(packer, file);
        (void)memfs_close(file);
        if (error == 0 && has_links)
            error = mfs_task_fail(
                task, path, mfs_firstnames_add(&packer->firstnames, number, path, place), NULL);
    }
    task->result.files += error == 0;
    return error;
}

static int pack_symlink(struct mfs_archive_packer *packer)
{
    int error = mfs_members_readlink(&packer->members, packer->target);
    if (error == MEMFS_ENOENT)
        return 0;
    if (error != 0)
        return mfs_task_fail(packer->task, packer->members.path, error, NULL);
    begin_entry(packer, AE_IFLNK);
    archive_entry_set_symlink(packer->writer.entry, packer->target);
    if (packer->writer.format == MEMFS_ARCHIVE_CPIO)
        archive_entry_set_nlink(packer->writer.entry, 1);
    error = write_header(packer, packer->target);
    packer->task->result.symlinks += error == 0;
    return error;
}

/* A zip has no entry for the directory that it is of. */
static int pack_directory(struct mfs_archive_packer *packer)
{
    int error = 0;
    if (packer->members.path[0] != '\0' || packer->writer.format != MEMFS_ARCHIVE_ZIP) {
        begin_entry(packer, AE_IFDIR);
        error = write_header(packer, "");
    }
    packer->task->result.directories += error == 0;
    return error;
}

int mfs_pack_member(struct mfs_archive_packer *packer)
{
    struct mfs_archive_task *task = packer->task;
    const char *path = packer->members.path;
    int error = mfs_task_fail(task, path, mfs_task_tell(task, path), NULL);
    if (error != 0)
        return error;
    switch (packer->members.stat.kind) {
    case MEMFS_KIND_DIRECTORY:
        error = pack_directory(packer);
        break;
    case MEMFS_KIND_SYMLINK:
        error = pack_symlink(packer);
        break;
    default:
        error = pack_file(packer);
    }
    task->progress.entries_done += error == 0;
    return error;
}
