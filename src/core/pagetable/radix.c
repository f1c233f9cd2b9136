/*
 * 1. A node counts the pages below it, at least one: a node that loses its last page is freed.
 * 2. A tree without pages has root 0 and height 0.
 * 3. No tree is higher than MFS_RADIX_NODE_LEVELS_MAX, so that a way from its root fits into an
 *    array.
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
#include "pagetable/radix_visit.h"
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

/* Whether no page below the slot is there, or, if not `has_page`, all are. */
static bool has_none(const struct mfs_pool *pool, uintptr_t slot, unsigned level, bool has_page)
{
    return mfs_radix_node_pages(slot, level) == (has_page ? 0 : mfs_radix_node_span(pool, level));
}

/* The first slot of a node, from `i` on, with one of that kind below it; the fan if none has. */
static size_t next_slot(const struct mfs_pool *pool, uintptr_t node, unsigned level, size_t i,
                        bool has_page)
{
    while (i < mfs_radix_node_fan(pool) &&
           has_none(pool, mfs_radix_node(node)->slots[i], level - 1, has_page))
        i++;
    return i;
}

/* The first index below a slot that has one of that kind; `start` is the slot's first one. */
static uint64_t first_below(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                            uint64_t start, bool has_page)
{
    for (; slot != 0 && level > 0; level--) {
        size_t i = next_slot(pool, slot, level, 0, has_page);
        MFS_CHECK(i < mfs_radix_node_fan(pool));
        start += i * mfs_radix_node_span(pool, level - 1);
        slot = mfs_radix_node(slot)->slots[i];
    }
    return start;
}

/*
 * The first index at or after `from`, of those that the tree can hold, that has a page or, if not
 * `has_page`, has none; MFS_NO_INDEX if there is none of that kind.
 *
 * Goes down towards `from` as far as there can be one, and from there up until a slot further on
 * has one below it.
 */
static uint64_t next_of_kind(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from,
                             bool has_page)
{
    uintptr_t way[MFS_RADIX_NODE_LEVELS_MAX + 1]; /* by level */
    unsigned level = tree.height;
    uintptr_t slot = tree.root;
    if (from >= mfs_radix_node_span(pool, level))
        return MFS_NO_INDEX;
    while (!has_none(pool, slot, level, has_page)) {
        if (slot == 0 || level == 0)
            return from;
        way[level] = slot;
        slot = mfs_radix_node(slot)->slots[mfs_radix_node_slot(pool, level, from)];
        level--;
    }
    for (level++; level <= tree.height; level++) {
        uint64_t start = from & ~(mfs_radix_node_span(pool, level) - 1);
        size_t i = next_slot(pool, way[level], level, mfs_radix_node_slot(pool, level, from) + 1,
                             has_page);
        if (i < mfs_radix_node_fan(pool))
            return first_below(pool, mfs_radix_node(way[level])->slots[i], level - 1,
                               start + i * mfs_radix_node_span(pool, level - 1), has_page);
    }
    return MFS_NO_INDEX;
}

uint64_t mfs_radix_next_page(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    uint64_t found = next_of_kind(pool, tree, from, true);
    MFS_CHECK(found >= from);
    return found;
}

uint64_t mfs_radix_next_hole(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    uint64_t found = next_of_kind(pool, tree, from, false);
    if (found == MFS_NO_INDEX) /* then what lies behind the tree is a hole */
        found = mfs_num_max_u64(from, mfs_radix_node_span(pool, tree.height));
    MFS_CHECK(found >= from);
    return found;
}

uint64_t mfs_radix_count(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t end)
{
    uint64_t count = 0, left = end;
    uintptr_t slot = tree.root;
    unsigned level = tree.height;
    for (; slot != 0 && left > 0 && left < mfs_radix_node_span(pool, level); level--) {
        const struct mfs_radix_node *node = mfs_radix_node(slot);
        size_t last = mfs_radix_node_slot(pool, level, left);
        for (size_t i = 0; i < last; i++)
            count += mfs_radix_node_pages(node->slots[i], level - 1);
        slot = node->slots[last];
        left -= last * mfs_radix_node_span(pool, level - 1);
    }
    if (left > 0)
        count += mfs_radix_node_pages(slot, level);
    MFS_CHECK(count <= end && count <= mfs_radix_node_pages(tree.root, tree.height));
    return count;
}

static bool enter_counted(void *context, struct mfs_radix_node *node, unsigned level)
{
    uint64_t *count = context;
    (void)node;
    (void)level;
    ++*count;
    return true;
}

uint64_t mfs_radix_count_nodes(const struct mfs_pool *pool, struct mfs_radix tree)
{
    uint64_t count = 0;
    const struct mfs_radix_visitor visitor = {enter_counted, NULL, &count};
    mfs_radix_visit(pool, tree.root, tree.height, &visitor);
    return count;
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
