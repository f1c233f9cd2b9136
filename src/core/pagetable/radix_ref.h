/* References to page tables, whole ones and parts: sharing a tree, and letting go of it. */
#ifndef MFS_RADIX_REF_H
#define MFS_RADIX_REF_H

#include "pagetable/radix.h"

struct mfs_radix_node;

/* One more holder of the tree.  The caller holds it already. */
void mfs_radix_ref_retain(struct mfs_pool *pool, struct mfs_radix tree);

/* One holder less; the last one frees the tree, down to the parts that other trees share. */
void mfs_radix_ref_release(struct mfs_pool *pool, struct mfs_radix tree);

/* Fills the slots of `copy`, of the given level, with those of `node`, with references of its own,
 * or, where that is possible, makes it its twin. */
void mfs_radix_ref_copy(struct mfs_pool *pool, struct mfs_radix_node *node,
                        struct mfs_radix_node *copy, unsigned level);

#endif
