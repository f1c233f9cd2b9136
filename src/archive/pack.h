/* One entry of the tree into an archive. */
#ifndef MFS_ARCHIVE_PACK_H
#define MFS_ARCHIVE_PACK_H

#include "firstnames.h"
#include "members.h"
#include "writer.h"

struct mfs_archive_packer {
    struct mfs_archive_task *task;
    struct mfs_archive_members members;
    struct mfs_archive_writer writer;
    struct mfs_archive_firstnames firstnames;
    char target[MEMFS_PATH_MAX + 1]; /* of the current symlink */
};

/* Writes what the members stand on, and counts it.  Returns an error, which is noted. */
int mfs_pack_member(struct mfs_archive_packer *packer);

#endif
