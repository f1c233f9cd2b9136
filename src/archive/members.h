/* What is to be saved, entry by entry: by a walk, or from a list of all paths, sorted. */
#ifndef MFS_ARCHIVE_MEMBERS_H
#define MFS_ARCHIVE_MEMBERS_H

#include "task.h"

struct mfs_archive_members {
    struct mfs_archive_task *task;
    memfs_walker *walker; /* or null: by the list */
    memfs_list list;
    size_t next;
    size_t root_length; /* of the root's path, which is in front of all others */
    /* The current one. */
    const char *full_path;
    const char *path; /* relative; of a root that is no directory its name */
    memfs_stat_info stat;
};

/* Begins at `root`, a path without links.  Returns an error, which is noted. */
int mfs_members_open(struct mfs_archive_members *members, struct mfs_archive_task *task,
                     const char *root, bool is_sorted);

/* Goes to the next one that the options select: 1, or 0 at the end, or an error, which is noted. */
int mfs_members_next(struct mfs_archive_members *members);

/* Opens the current file.  Errors: as memfs_open(); ENOENT: it has gone. */
int mfs_members_open_file(struct mfs_archive_members *members, memfs_file **file);

/* Reads the current symlink, with a NUL behind it.  Errors: ENOENT: it has gone. */
int mfs_members_readlink(struct mfs_archive_members *members, char target[MEMFS_PATH_MAX + 1]);

void mfs_members_close(struct mfs_archive_members *members);

#endif
