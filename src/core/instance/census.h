/* Adding up a tree. */
#ifndef MFS_CENSUS_H
#define MFS_CENSUS_H

#include "instance/fs.h"

struct mfs_census {
    memfs_tree_info info;
    uint64_t bare_bytes; /* of info.usage_bytes, what nodes and names cost */
};

/* Adds up `top` and all below it, each node once.  Takes no memory. */
void mfs_census_take(memfs *fs, struct mfs_tree *tree, struct mfs_node *top, struct mfs_census *out)
    MFS_REQUIRES_SHARED(tree->lock);

#endif
