/*
 * What the kit learns of nodes that it has not met: they come onto the disk, and all that is in
 * them is pending; or durable, where the kit begins with a tree.
 */
#ifndef MFS_ADOPT_H
#define MFS_ADOPT_H

#include "faults/kit.h"

/* A node, and if it is a directory all that is below it.  With the namespace lock held, and the
 * kit's not. */
void mfs_adopt_tree(struct mfs_kit *kit, struct mfs_node *top) MFS_EXCLUDES(kit->lock);

/* Sets the attributes of a node and all below it, which the disk has. */
void mfs_adopt_attributes(struct mfs_kit *kit, struct mfs_node *top) MFS_EXCLUDES(kit->lock);

/* A file without a name.  With no lock of the file held. */
void mfs_adopt_node(struct mfs_kit *kit, struct mfs_node *node) MFS_EXCLUDES(kit->lock);

/* A write to a file that the disk has, from its content as it is.  With the file's lock. */
void mfs_adopt_bytes(struct mfs_kit *kit, struct mfs_file_node *file, uint64_t offset,
                     uint64_t length) MFS_REQUIRES(kit->lock);

#endif
