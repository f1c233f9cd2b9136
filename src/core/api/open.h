/* Opening what another call has found already. */
#ifndef MFS_OPEN_H
#define MFS_OPEN_H

#include "instance/fs.h"

/*
 * Opens, to be read, a file that is no part of the tree: the handle gets a file of its own, without
 * a name, that shares the content of `kept` and has its attributes.  So nothing that is done by the
 * handle reaches `kept`.  `flags` are 0, or MEMFS_O_READ and what goes with it.
 * Errors: EINVAL (flags), EISDIR, ELOOP (a symlink), EDQUOT, ENOSPC, ENOMEM.
 */
int mfs_open_kept(memfs *fs, struct mfs_node *kept, uint32_t flags, memfs_file **out);

#endif
