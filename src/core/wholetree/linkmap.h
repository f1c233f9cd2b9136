/* While a tree is copied: which node with several names has become which copy. */
#ifndef MFS_LINKMAP_H
#define MFS_LINKMAP_H

#include "node/node.h"

struct mfs_linkmap_slot {
    const struct mfs_node *from;
    struct mfs_node *to;
};

struct mfs_linkmap {
    struct mfs_linkmap_slot *slots; /* open addressing; null while empty */
    size_t capacity;                /* a power of two */
    size_t count;
};

/* The copy of `from`, or null.  No references are counted. */
struct mfs_node *mfs_linkmap_find(const struct mfs_linkmap *map, const struct mfs_node *from);

/* Errors: EDQUOT, ENOMEM.  Charged to the class of handles. */
int mfs_linkmap_add(struct mfs_linkmap *map, struct mfs_memory *memory, const struct mfs_node *from,
                    struct mfs_node *to);
void mfs_linkmap_fini(struct mfs_linkmap *map, struct mfs_memory *memory);

#endif
