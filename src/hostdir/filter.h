/* Which entries are copied, as the options say. */
#ifndef MFS_HOSTDIR_FILTER_H
#define MFS_HOSTDIR_FILTER_H

#include "job.h"

/* MEMFS_HOSTDIR_TAKE, MEMFS_HOSTDIR_LEAVE, or an error. */
int mfs_filter_ask(const struct mfs_hostdir_job *job, const memfs_hostdir_entry *entry);

/* Whether what is in a directory at `depth` is below the deepest level that is wanted. */
bool mfs_filter_ends_at(const struct mfs_hostdir_job *job, uint32_t depth);

/*
 * Whether a symlink at `depth` leads to something in the root whatever other links of this kind
 * are there: its target is relative, and ".." is only at its beginning, at most once for each
 * directory that the link is in.
 */
bool mfs_filter_is_inner(const char *target, uint32_t depth);

#endif
