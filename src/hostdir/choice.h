/* What becomes of an entry: by what it is, where it is, and the filters. */
#ifndef MFS_HOSTDIR_CHOICE_H
#define MFS_HOSTDIR_CHOICE_H

#include "job.h"
#include "scan.h"

enum mfs_hostdir_choice {
    MFS_HOSTDIR_CHOICE_TAKE,
    MFS_HOSTDIR_CHOICE_FILTERED,
    MFS_HOSTDIR_CHOICE_SPECIAL,
    MFS_HOSTDIR_CHOICE_ELSEWHERE
};

/* The choice for the entry at which the scan stands (ENTER or ENTRY), or an error. */
int mfs_choice_of_host(const struct mfs_hostdir_job *job, const struct mfs_hostdir_scan *scan);

/* The choice for the current entry of a walk (ENTER or ENTRY), or an error; `path` is relative. */
int mfs_choice_of_tree(const struct mfs_hostdir_job *job, const memfs_walk_entry *entry,
                       const char *path);

/* The relative path of a walk's entry, whose first entry's path was of `root_length` bytes. */
const char *mfs_choice_relative(const memfs_walk_entry *entry, size_t root_length);

/* Counts what was left out; nothing, if it was not. */
void mfs_choice_count(struct mfs_hostdir_job *job, int choice);

#endif
