/* Adding up a tree. */
#ifndef MFS_CENSUS_H
#define MFS_CENSUS_H

#include "instance/fs.h"

struct mfs_census {
    memfs_tree_info info;
    uint64_t bare_bytes; /* of info.usage_bytes, what nodes and names cost */
    uint64_t own_bytes;  /* of info.allocated_bytes, what only one content refers to */
};

enum mfs_census_depth { MFS_CENSUS_FIGURES, MFS_CENSUS_PAGES };

/*
 * Adds up `node` and all below it, each node once; `own_bytes` only with MFS_CENSUS_PAGES, which
 * looks at pages one by one.  Errors: EDQUOT, ENOMEM.
 */
int mfs_census_take(memfs *fs, struct mfs_tree *tree, struct mfs_node *node,
                    enum mfs_census_depth depth, struct mfs_census *out)
    MFS_REQUIRES_SHARED(tree->lock);

#endif
