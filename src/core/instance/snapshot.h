/*
 * Snapshots: whole trees, kept by name.
 *
 * fs->snapshots is a tree of its own, of which each snapshot is one directory in the
 * root, with the attributes of "/" as they were, but for the time of birth, which
 * says when it was taken.  What is in it is never changed.  There is a root while
 * there is a snapshot.
 */
#ifndef MFS_SNAPSHOT_H
#define MFS_SNAPSHOT_H

#include "instance/fs.h"

/* Errors: EINVAL (what is no name), ENAMETOOLONG. */
int mfs_snapshot_check_name(const char *name, struct mfs_component *out);

/* The snapshot's entry, or null. */
struct mfs_dirent *mfs_snapshot_find(memfs *fs, const struct mfs_component *name)
    MFS_REQUIRES_SHARED(fs->snapshots.lock);

/* A private copy of the live tree, of nodes of the snapshots.  Errors: EDQUOT, ENOMEM. */
int mfs_snapshot_capture(memfs *fs, struct mfs_node **out) MFS_EXCLUDES(fs->tree.lock);

/* Keeps it under the name, which holds a reference of its own.  Errors: EEXIST, EMLINK, EDQUOT,
 * ENOMEM. */
int mfs_snapshot_keep(memfs *fs, const struct mfs_component *name, struct mfs_node *snapshot)
    MFS_EXCLUDES(fs->snapshots.lock);

/* Gives a snapshot another name.  What it holds, its times included, stays as it is.
 * Errors: ENOENT, EEXIST, EDQUOT, ENOMEM. */
int mfs_snapshot_rename(memfs *fs, const struct mfs_component *from, const struct mfs_component *to)
    MFS_EXCLUDES(fs->snapshots.lock);

/* Errors: ENOENT. */
int mfs_snapshot_remove(memfs *fs, const struct mfs_component *name)
    MFS_EXCLUDES(fs->snapshots.lock);
void mfs_snapshot_remove_all(memfs *fs) MFS_EXCLUDES(fs->snapshots.lock);

/* Puts all that is in `restored`, a private directory of the live tree, in the place of all that
 * is in the root.  Errors: EBUSY (a file is locked). */
int mfs_snapshot_install(memfs *fs, struct mfs_dir_node *restored) MFS_EXCLUDES(fs->tree.lock);

#endif
