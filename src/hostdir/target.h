/*
 * Where an export goes: a name in an open directory of the host.  What is to be there is made
 * under a stage's name beside it, and then published or removed.
 */
#ifndef MFS_HOSTDIR_TARGET_H
#define MFS_HOSTDIR_TARGET_H

#include "place.h"

#include <limits.h>
#include <sys/stat.h>

struct mfs_hostdir_target {
    int parent;
    const char *path;        /* the caller's */
    char name[NAME_MAX + 1]; /* "": the path ends in no name, but in ".", ".." or the root */
    char stage[MFS_HOSTDIR_PLACE_NAME_BYTES]; /* "": none */
};

/* Opens the directory that the target is in.  0 or an errno. */
int mfs_target_open(struct mfs_hostdir_target *target, const char *path);

/* What is at the target: 0, ENOENT or another errno. */
int mfs_target_look(const struct mfs_hostdir_target *target, struct stat *status);

/* Makes a stage, a directory or a file, and opens it.  0 or an errno. */
int mfs_target_stage_directory(struct mfs_hostdir_target *target, int *descriptor);
int mfs_target_stage_file(struct mfs_hostdir_target *target, int *descriptor);

/* Opens the directory that is at the target.  0 or an errno. */
int mfs_target_open_directory(const struct mfs_hostdir_target *target, int *descriptor);

/*
 * The stage takes its place, in one step: a file that of a file, a directory of nothing (EEXIST);
 * with `replaces`, either that of whatever is there, which is removed afterwards.  0 or an errno.
 */
int mfs_target_publish_file(struct mfs_hostdir_target *target, bool replaces);
int mfs_target_publish_directory(struct mfs_hostdir_target *target, bool replaces);

/* Removes the stage, if there is one, and closes the directory. */
void mfs_target_close(struct mfs_hostdir_target *target);

#endif
