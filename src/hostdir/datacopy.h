/* The content of one file, copied between an open file of the host and one of the tree. */
#ifndef MFS_HOSTDIR_DATACOPY_H
#define MFS_HOSTDIR_DATACOPY_H

#include "job.h"

/* From the host, to a new file of the tree: holes and pieces that are all zeros become holes.
 * Returns a problem. */
int mfs_datacopy_import(struct mfs_hostdir_job *job, int descriptor, memfs_file *file);

/* To the host, into a new file: holes stay holes.  Returns a problem. */
int mfs_datacopy_export(struct mfs_hostdir_job *job, memfs_file *file, int descriptor);

#endif
