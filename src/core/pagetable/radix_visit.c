/*
 * The way from the root to the node that is visited lies in two arrays, as long as a tree can be
 * high, so that the stack that a visit takes is the same for all trees.
 *
 * Cost: a look at each slot above the leaves.
 */
#include "pagetable/radix_visit.h"

void mfs_radix_visit(const struct mfs_pool *pool, uintptr_t root, unsigned height,
                     const struct mfs_radix_visitor *visitor)
{
    struct mfs_radix_node *way[MFS_RADIX_NODE_LEVELS_MAX + 1]; /* by level */
    uint8_t next[MFS_RADIX_NODE_LEVELS_MAX + 1];               /* the slot to look at next */
    unsigned level = height;
    MFS_CHECK(height <= MFS_RADIX_NODE_LEVELS_MAX && mfs_radix_node_fan(pool) <= UINT8_MAX);
    if (root == 0 || height == 0 || !visitor->enter(visitor->context, mfs_radix_node(root), height))
        return;
    way[level] = mfs_radix_node(root);
    next[level] = 0;
    while (level <= height) {
        struct mfs_radix_node *node = way[level];
        if (level > 1 && next[level] < mfs_radix_node_fan(pool)) {
            uintptr_t slot = node->slots[next[level]++];
            if (slot != 0 && visitor->enter(visitor->context, mfs_radix_node(slot), level - 1)) {
                way[--level] = mfs_radix_node(slot);
                next[level] = 0;
            }
            continue;
        }
        if (visitor->leave != NULL)
            visitor->leave(visitor->context, node, level);
        level++;
    }
}
