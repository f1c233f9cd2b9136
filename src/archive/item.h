/* What an archive says of an entry, checked: for the survey and for the unpacking alike. */
#ifndef MFS_ARCHIVE_ITEM_H
#define MFS_ARCHIVE_ITEM_H

#include "entryname.h"
#include "reader.h"

enum mfs_archive_item_kind {
    MFS_ARCHIVE_ITEM_FILE,
    MFS_ARCHIVE_ITEM_DIRECTORY,
    MFS_ARCHIVE_ITEM_SYMLINK,
    MFS_ARCHIVE_ITEM_HARDLINK,
    MFS_ARCHIVE_ITEM_SPECIAL, /* a device, socket or pipe: left out */
    MFS_ARCHIVE_ITEM_FILTERED /* left out by the options */
};

struct mfs_archive_item {
    enum mfs_archive_item_kind kind;
    struct mfs_archive_name name;
    struct mfs_archive_name first; /* of a hard link: the other name */
    const char *target;            /* of a symlink; good until the next entry */
    int64_t size;                  /* as declared; -1: it is not */
    uint64_t data_bytes;           /* of these, what is not in a hole; 0 if not declared */
    bool has_holes;
};

/* Reads the reader's current entry.  Returns an error, which is noted. */
int mfs_item_read(struct mfs_archive_item *item, const struct mfs_archive_reader *reader);

#endif
