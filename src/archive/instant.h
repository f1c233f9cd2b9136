/* A copy of a tree as it is at one instant, to be saved at leisure: MEMFS_ARCHIVE_AT_ONCE. */
#ifndef MFS_ARCHIVE_INSTANT_H
#define MFS_ARCHIVE_INSTANT_H

#include <memfs/memfs.h>

enum { MFS_ARCHIVE_INSTANT_BYTES = 32 };

struct mfs_archive_instant {
    memfs *fs;
    char stage[MFS_ARCHIVE_INSTANT_BYTES]; /* the directory that the copy is in; "": none */
    char root[MFS_ARCHIVE_INSTANT_BYTES + MEMFS_NAME_MAX + 1]; /* the copy, under the same name */
};

/* Takes it of what is at `path`, a path without links.  Errors: EDQUOT, ENOSPC, ENOMEM, ENOENT,
 * EMLINK (too many snapshots). */
int mfs_instant_take(struct mfs_archive_instant *instant, memfs *fs, const char *path);

/* Removes it. */
void mfs_instant_fini(struct mfs_archive_instant *instant);

#endif
