/*
 * Snapshots: whole trees, kept by name.
 *
 * fs->snapshots is a tree of its own.  Each snapshot is a directory in its root and has the
 * attributes that "/" had; only its time of birth says when the snapshot was taken.  What is in a
 * snapshot never changes.  The root exists while there is a snapshot.
 */
#ifndef MFS_SNAPSHOT_H
#define MFS_SNAPSHOT_H

#include "instance/fs.h"

/* Whether this can be the name of a snapshot.  Errors: EINVAL, ENAMETOOLONG. */
int mfs_snapshot_check_name(const char *name, struct mfs_component *out);

/* The snapshot's entry, or null. */
struct mfs_dirent *mfs_snapshot_find(memfs *fs, const struct mfs_component *name)
    MFS_REQUIRES_SHARED(fs->snapshots.lock);

/* What is at `path` in the snapshot, whose root is the root of all.  Errors: ENOENT (no snapshot,
 * or nothing there), and those of walking. */
int mfs_snapshot_look_up(memfs *fs, const struct mfs_component *name, const char *path, int flags,
                         struct mfs_place *out) MFS_REQUIRES_SHARED(fs->snapshots.lock);

/* A private copy of the live tree, of nodes of the snapshots.  Errors: EDQUOT, ENOMEM. */
int mfs_snapshot_capture(memfs *fs, struct mfs_node **out) MFS_EXCLUDES(fs->tree.lock);

/* Keeps `snapshot` under the name, which holds a reference of its own.  Errors: EEXIST, EMLINK,
 * EDQUOT, ENOMEM. */
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

/* Replaces all that is in the root by all that is in `restored`, a private directory of the live
 * tree.  Errors: EBUSY (a file is locked). */
int mfs_snapshot_install(memfs *fs, struct mfs_dir_node *restored) MFS_EXCLUDES(fs->tree.lock);

#endif
