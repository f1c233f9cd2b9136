/*
 * 1. A node counts the pages below it, at least one: a node that loses its last page is freed.
 * 2. A tree without pages has root 0 and height 0.
 * 3. No tree is higher than MFS_RADIX_NODE_LEVELS_MAX, so that is how deep the recursion below is.
 *
 * Cost: finding a page takes a step a level.  The next page or hole, and the count below an index,
 * look at no more than all slots of one node a level: a subtree without pages, or with all its
 * pages, is passed by its count.  Only counting the nodes, and the pages of the tree's own, walks
 * the whole tree.
 */
#include "pagetable/radix.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/memory.h"
#include "pagetable/radix_node.h"
#include "pagetable/twins.h"

mfs_page mfs_radix_find(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index)
{
    MFS_CHECK(tree.root != 0 || tree.height == 0);
    if (index >= mfs_radix_node_span(pool, tree.height))
        return 0;
    uintptr_t slot = tree.root;
    for (unsigned level = tree.height; level > 0 && slot != 0; level--)
        slot = mfs_radix_node(slot)->slots[mfs_radix_node_slot(pool, level, index)];
    return slot;
}

mfs_page mfs_radix_find_exclusive(struct mfs_pool *pool, struct mfs_radix tree, uint64_t index)
{
    struct mfs_radix_leaf at;
    MFS_CHECK(tree.root != 0 || tree.height == 0);
    if (!mfs_radix_node_find_leaf(pool, tree.root, tree.height, index, &at) || at.page == 0 ||
        !mfs_twins_is_private(pool, &at))
        return 0;
    return at.page;
}

/*
 * The first index at or after `from`, within the span of the slot, that has a page or, if not
 * `has_page`, has none; MFS_NO_INDEX if there is none of that kind.
 */
static uint64_t next_in_slot(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                             uint64_t from, bool has_page)
{
    uint64_t span = mfs_radix_node_span(pool, level);
    if (from >= span || mfs_radix_node_pages(slot, level) == (has_page ? 0 : span))
        return MFS_NO_INDEX;
    if (slot == 0 || level == 0)
        return from;
    uint64_t child_span = mfs_radix_node_span(pool, level - 1);
    for (size_t i = mfs_radix_node_slot(pool, level, from); i < mfs_radix_node_fan(pool); i++) {
        uint64_t start = i * child_span;
        uint64_t found = next_in_slot(pool, mfs_radix_node(slot)->slots[i], level - 1,
                                      mfs_num_sub_saturating(from, start), has_page);
        if (found != MFS_NO_INDEX)
            return start + found;
    }
    return MFS_NO_INDEX;
}

uint64_t mfs_radix_next_page(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    uint64_t found = next_in_slot(pool, tree.root, tree.height, from, true);
    MFS_CHECK(found >= from);
    return found;
}

uint64_t mfs_radix_next_hole(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    uint64_t found = next_in_slot(pool, tree.root, tree.height, from, false);
    if (found == MFS_NO_INDEX) /* then what lies behind the tree is a hole */
        found = mfs_num_max_u64(from, mfs_radix_node_span(pool, tree.height));
    MFS_CHECK(found >= from);
    return found;
}

static uint64_t count_in_slot(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                              uint64_t end)
{
    if (slot == 0 || end == 0)
        return 0;
    if (end >= mfs_radix_node_span(pool, level))
        return mfs_radix_node_pages(slot, level);
    uint64_t child_span = mfs_radix_node_span(pool, level - 1);
    uint64_t count = 0;
    for (size_t i = 0; i < mfs_radix_node_fan(pool) && i * child_span < end; i++)
        count += count_in_slot(pool, mfs_radix_node(slot)->slots[i], level - 1,
                               end - i * child_span);
    return count;
}

uint64_t mfs_radix_count(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t end)
{
    uint64_t count = count_in_slot(pool, tree.root, tree.height, end);
    MFS_CHECK(count <= end && count <= mfs_radix_node_pages(tree.root, tree.height));
    return count;
}

static uint64_t count_nodes_in_slot(const struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0 || level == 0)
        return 0;
    uint64_t count = 1;
    for (size_t i = 0; level > 1 && i < mfs_radix_node_fan(pool); i++)
        count += count_nodes_in_slot(pool, mfs_radix_node(slot)->slots[i], level - 1);
    return count;
}

uint64_t mfs_radix_count_nodes(const struct mfs_pool *pool, struct mfs_radix tree)
{
    MFS_CHECK(tree.height <= MFS_RADIX_NODE_LEVELS_MAX);
    return count_nodes_in_slot(pool, tree.root, tree.height);
}

/* Of a node's slots, what begins before `end`, which is counted from the first page below it. */
static uint64_t count_own_in_node(struct mfs_pool *pool, struct mfs_radix_node *node,
                                  unsigned level, uint64_t end)
{
    uint64_t child_span = mfs_radix_node_span(pool, level - 1);
    uint64_t count = 0;
    MFS_CHECK(level > 0);
    if (!mfs_radix_node_is_exclusive(node))
        return 0;
    for (size_t i = 0; i < mfs_radix_node_fan(pool) && i * child_span < end; i++) {
        struct mfs_radix_leaf at = {node, i, node->slots[i]};
        if (at.page == 0)
            continue;
        if (level > 1)
            count += count_own_in_node(pool, mfs_radix_node(at.page), level - 1,
                                       end - i * child_span);
        else if (mfs_twins_is_private(pool, &at))
            count++;
    }
    return count;
}

uint64_t mfs_radix_count_own(struct mfs_pool *pool, struct mfs_radix tree, uint64_t end)
{
    MFS_CHECK(tree.height <= MFS_RADIX_NODE_LEVELS_MAX);
    if (tree.root == 0 || end == 0)
        return 0;
    if (tree.height == 0)
        return mfs_page_is_exclusive(pool, tree.root) ? 1 : 0;
    uint64_t count = count_own_in_node(pool, mfs_radix_node(tree.root), tree.height, end);
    MFS_CHECK(count <= mfs_radix_count(pool, tree, end));
    return count;
}

size_t mfs_radix_node_cost(const struct mfs_pool *pool)
{
    return mfs_memory_cost(pool->memory, mfs_radix_node_bytes(pool));
}

bool mfs_radix_is_valid(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t index)
{
    if (tree.height > MFS_RADIX_NODE_LEVELS_MAX || (tree.root == 0 && tree.height != 0))
        return false;
    uintptr_t slot = tree.root;
    for (unsigned level = tree.height; level > 0 && slot != 0; level--) {
        const struct mfs_radix_node *node = mfs_radix_node(slot);
        uint64_t pages = 0;
        for (size_t i = 0; i < mfs_radix_node_fan(pool); i++)
            pages += mfs_radix_node_pages(node->slots[i], level - 1);
        if (pages == 0 || pages != mfs_radix_node_pages(slot, level))
            return false;
        slot = node->slots[mfs_radix_node_slot(pool, level, index)];
    }
    return true;
}
