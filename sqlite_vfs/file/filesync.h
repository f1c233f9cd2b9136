/*
 * Syncing.  Memory has nothing to sync to; where a test has the file system track what is durable,
 * or make calls fail (memfs/fault.h), it is done as on a disk: the bytes of a file, and the
 * directories of journals that were made and of names that were deleted.
 */
#ifndef MFS_FILESYNC_H
#define MFS_FILESYNC_H

#include "file/file.h"

/* xSync of a file. */
int mfs_filesync(struct mfs_file *file);

/* Syncs the directory in which `path`, which is absolute, is, or was. */
int mfs_filesync_parent(memfs *fs, const char *path);

#endif
