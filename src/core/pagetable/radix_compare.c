/*
 * Two trees that share parts have them in the same place: a part belongs to the indexes that it
 * covers, whatever the height of the tree above it.  So where both have the same part, or none,
 * all that it covers is passed at once.
 *
 * Cost: for each difference found, at most all slots of one node a level, however many pages the
 * trees share.
 */
#include "pagetable/radix_compare.h"

#include "base/check.h"
#include "base/num.h"
#include "pagetable/radix_node.h"

/*
 * The part of a tree that covers `index` and would be in a slot of this level: 0 if there is none.
 * Above its root a tree is thought to go on with nodes that have nothing but their first slot; such
 * a node is named by what is in it, which cannot be taken for a node of the other tree, since that
 * has another level.
 */
static uintptr_t part_over(const struct mfs_pool *pool, struct mfs_radix tree, unsigned level,
                           uint64_t index)
{
    if (index >= mfs_radix_node_span(pool, tree.height))
        return level >= tree.height && index < mfs_radix_node_span(pool, level) ? tree.root : 0;
    uintptr_t slot = tree.root;
    for (unsigned above = tree.height; above > level && slot != 0; above--)
        slot = mfs_radix_node(slot)->slots[mfs_radix_node_slot(pool, above, index)];
    return slot;
}

uint64_t mfs_radix_compare_next(const struct mfs_pool *pool, struct mfs_radix one,
                                struct mfs_radix other, uint64_t from)
{
    unsigned top = one.height > other.height ? one.height : other.height;
    uint64_t end = mfs_radix_node_span(pool, top);
    MFS_CHECK((one.root != 0 || one.height == 0) && (other.root != 0 || other.height == 0));
    unsigned level = top;
    for (uint64_t index = from; index < end;) {
        if (part_over(pool, one, level, index) != part_over(pool, other, level, index)) {
            if (level == 0)
                return index;
            level--;
            continue;
        }
        index = (index | (mfs_radix_node_span(pool, level) - 1)) + 1;
        while (level < top && (index & (mfs_radix_node_span(pool, level + 1) - 1)) == 0)
            level++;
    }
    return MFS_NO_INDEX;
}
