#include "item.h"

#include "selection.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>

static void read_kind(struct mfs_archive_item *item, struct archive_entry *entry)
{
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
    case 0:
        item->kind = MFS_ARCHIVE_ITEM_FILE;
        break; /* 0: ar and others that have files alone */
    case AE_IFDIR:
        item->kind = MFS_ARCHIVE_ITEM_DIRECTORY;
        break;
    case AE_IFLNK:
        item->kind = MFS_ARCHIVE_ITEM_SYMLINK;
        break;
    default:
        item->kind = MFS_ARCHIVE_ITEM_SPECIAL;
    }
}

/* A lie about a size shows when the data comes; a sum that cannot be is one already. */
static int read_size(struct mfs_archive_item *item, struct archive_entry *entry)
{
    la_int64_t offset, length;
    item->size = archive_entry_size_is_set(entry) ? archive_entry_size(entry) : -1;
    item->has_holes = archive_entry_sparse_reset(entry) > 0;
    item->data_bytes = item->size > 0 && !item->has_holes ? (uint64_t)item->size : 0;
    while (item->has_holes && archive_entry_sparse_next(entry, &offset, &length) == ARCHIVE_OK) {
        if (length < 0 || offset < 0 || length > INT64_MAX - offset ||
            (uint64_t)length > INT64_MAX - item->data_bytes)
            return MEMFS_EIO;
        item->data_bytes += (uint64_t)length;
    }
    return item->size < -1 ? MEMFS_EIO : 0;
}

static int read_symlink(struct mfs_archive_item *item, const struct mfs_archive_reader *reader)
{
    item->target = mfs_reader_symlink(reader);
    if (item->target == NULL || item->target[0] == '\0')
        return MEMFS_EIO;
    if (strlen(item->target) > MEMFS_PATH_MAX)
        return MEMFS_ENAMETOOLONG;
    bool may_leave = mfs_task_has(reader->task, MEMFS_ARCHIVE_OUTER_LINKS);
    return may_leave || mfs_entryname_stays_inside(item->target, item->name.depth) ? 0
                                                                                   : MEMFS_EXDEV;
}

static int read_hardlink(struct mfs_archive_item *item, const struct mfs_archive_reader *reader,
                         const char *first)
{
    item->kind = MFS_ARCHIVE_ITEM_HARDLINK;
    int error = mfs_entryname_read(&item->first, first, &reader->task->options);
    return error == 0 && item->first.depth == 0 ? MEMFS_ENOENT : error;
}

static bool is_wanted(const struct mfs_archive_item *item, const struct mfs_archive_reader *reader)
{
    bool is_directory = item->kind == MFS_ARCHIVE_ITEM_DIRECTORY;
    return !item->name.is_stripped &&
           mfs_selection_takes(&reader->task->options, item->name.path, is_directory);
}

static int read_by_kind(struct mfs_archive_item *item, const struct mfs_archive_reader *reader)
{
    read_kind(item, reader->entry);
    if (!is_wanted(item, reader)) {
        item->kind = MFS_ARCHIVE_ITEM_FILTERED;
        return 0;
    }
    const char *first = mfs_reader_hardlink(reader);
    int error = first != NULL ? read_hardlink(item, reader, first) : 0;
    if (item->kind == MFS_ARCHIVE_ITEM_SPECIAL)
        return error;
    if (error == 0 && item->name.depth == 0 && item->kind != MFS_ARCHIVE_ITEM_DIRECTORY)
        error = MEMFS_EISDIR;
    if (error == 0 && item->kind == MFS_ARCHIVE_ITEM_SYMLINK)
        error = read_symlink(item, reader);
    if (error == 0 &&
        (item->kind == MFS_ARCHIVE_ITEM_FILE || item->kind == MFS_ARCHIVE_ITEM_HARDLINK))
        error = read_size(item, reader->entry);
    return error;
}

int mfs_item_read(struct mfs_archive_item *item, const struct mfs_archive_reader *reader)
{
    const char *raw = mfs_reader_name(reader);
    item->target = NULL;
    item->size = -1;
    item->data_bytes = 0;
    item->has_holes = false;
    int error = mfs_entryname_read(&item->name, raw, &reader->task->options);
    if (error != 0)
        return mfs_task_fail(reader->task, raw != NULL ? raw : "", error,
                             raw != NULL ? NULL : "A name cannot be read");
    return mfs_task_fail(reader->task, item->name.path, read_by_kind(item, reader), NULL);
}
