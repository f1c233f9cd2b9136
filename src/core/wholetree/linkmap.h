/*
 * While a tree is copied or counted: which node with several names has become which copy, or has
 * been met at all.
 */
#ifndef MFS_LINKMAP_H
#define MFS_LINKMAP_H

#include "node/buckets.h"
#include "node/node.h"

struct mfs_linkmap_chunk;

struct mfs_linkmap {
    struct mfs_buckets buckets;
    struct mfs_linkmap_chunk *chunks; /* that hold the elements; the newest first */
    uint64_t count;
};

/* The copy of `from`, or null.  No references are counted. */
struct mfs_node *mfs_linkmap_find(const struct mfs_linkmap *map, const struct mfs_node *from);

/* Adds a node that is not there yet.  Errors: EDQUOT, ENOMEM.  Charged to the class of handles. */
int mfs_linkmap_add(struct mfs_linkmap *map, struct mfs_memory *memory, const struct mfs_node *from,
                    struct mfs_node *to);
void mfs_linkmap_fini(struct mfs_linkmap *map, struct mfs_memory *memory);

#endif
