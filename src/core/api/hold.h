/* What a handle holds of its file besides a lock: see memfs_hold_private(). */
#ifndef MFS_HOLD_H
#define MFS_HOLD_H

#include "instance/fs.h"

/* Begins or ends the handle's private hold of its file, `node`. */
void mfs_hold_set_private(memfs_file *file, struct mfs_file_node *node, bool wanted)
    MFS_EXCLUDES(file->lock);

#endif
