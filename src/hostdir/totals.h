/* Counting before copying, so that progress knows the totals (MEMFS_HOSTDIR_COUNT). */
#ifndef MFS_HOSTDIR_TOTALS_H
#define MFS_HOSTDIR_TOTALS_H

#include "job.h"

/* Of a tree of the host, at an open directory that stays open; what the host refuses is left out.
 * Returns an error, which is noted. */
int mfs_totals_of_host(struct mfs_hostdir_job *job, int descriptor);

/* Of the tree at `path`.  Returns an error, which is noted. */
int mfs_totals_of_tree(struct mfs_hostdir_job *job, const char *path);

/* Of a single file. */
void mfs_totals_add(struct mfs_hostdir_job *job, uint64_t file_bytes);

#endif
