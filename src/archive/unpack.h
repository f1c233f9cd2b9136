/* One entry of an archive into the stage. */
#ifndef MFS_ARCHIVE_UNPACK_H
#define MFS_ARCHIVE_UNPACK_H

#include "item.h"
#include "loadstage.h"

struct mfs_archive_unpacker {
    struct mfs_archive_task *task;
    struct mfs_archive_reader reader;
    struct mfs_archive_loadstage stage;
    struct mfs_archive_item item; /* the current one */
};

/* Makes what the current item is, and counts it.  Returns an error, which is noted. */
int mfs_unpack_item(struct mfs_archive_unpacker *unpacker);

#endif
