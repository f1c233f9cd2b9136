/* Visiting the nodes of a page table, depth first, in one loop. */
#ifndef MFS_RADIX_VISIT_H
#define MFS_RADIX_VISIT_H

#include "pagetable/radix_node.h"

struct mfs_radix_visitor {
    /* At a node, before those below it; false: it is left at once, without leave(). */
    bool (*enter)(void *context, struct mfs_radix_node *node, unsigned level);
    /* After those below it, of which it may free itself.  Null: nothing is done. */
    void (*leave)(void *context, struct mfs_radix_node *node, unsigned level);
    void *context;
};

/* Visits the tree whose root is in a slot of this level; it may be absent, or one page. */
void mfs_radix_visit(const struct mfs_pool *pool, uintptr_t root, unsigned height,
                     const struct mfs_radix_visitor *visitor);

#endif
