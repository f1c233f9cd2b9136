/* The audit: whether what a file system says of itself is what can be counted. */
#ifndef MFS_AUDIT_H
#define MFS_AUDIT_H

#include "instance/fs.h"

/*
 * Recounts everything that can be recounted, and logs each disagreement.  Takes time in proportion
 * to all nodes and page tables; nothing is allocated or changed.  Errors: EIO.
 * Threads: no other call may be under way in the file system.
 */
int mfs_audit_run(memfs *fs) MFS_EXCLUDES(fs->tree.lock);

#endif
