/* How many pages a tree has, where, and its part of the audit.  Nothing changes here. */
#include "content/radix.h"

#include "base/num.h"

#include <stdatomic.h>

static uint64_t count_below(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                            uint64_t end)
{
    if (slot == 0 || end == 0)
        return 0;
    if (end >= mfs_radix_span(pool, level))
        return mfs_radix_pages(slot, level);
    uint64_t child_span = mfs_radix_span(pool, level - 1);
    uint64_t count = 0;
    for (size_t i = 0; i < mfs_radix_fan(pool) && i * child_span < end; i++)
        count += count_below(pool, mfs_radix_node(slot)->slots[i], level - 1, end - i * child_span);
    return count;
}

uint64_t mfs_radix_count(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t end)
{
    return count_below(pool, tree.root, tree.height, end);
}

static uint64_t count_nodes(const struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0 || level == 0)
        return 0;
    uint64_t count = 1;
    for (size_t i = 0; level > 1 && i < mfs_radix_fan(pool); i++)
        count += count_nodes(pool, mfs_radix_node(slot)->slots[i], level - 1);
    return count;
}

uint64_t mfs_radix_count_nodes(const struct mfs_pool *pool, struct mfs_radix tree)
{
    return count_nodes(pool, tree.root, tree.height);
}

static uint64_t next_page(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                          uint64_t from)
{
    if (slot == 0 || from >= mfs_radix_span(pool, level))
        return MFS_NO_INDEX;
    if (level == 0)
        return 0;
    uint64_t child_span = mfs_radix_span(pool, level - 1);
    for (size_t i = mfs_radix_slot(pool, level, from); i < mfs_radix_fan(pool); i++) {
        uint64_t start = i * child_span;
        uint64_t found = next_page(pool, mfs_radix_node(slot)->slots[i], level - 1,
                                   mfs_num_sub_saturating(from, start));
        if (found != MFS_NO_INDEX)
            return start + found;
    }
    return MFS_NO_INDEX;
}

uint64_t mfs_radix_next_page(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    return next_page(pool, tree.root, tree.height, from);
}

/* Within the span of the slot; MFS_NO_INDEX if all of it from `from` on has pages. */
static uint64_t next_hole(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                          uint64_t from)
{
    if (from >= mfs_radix_span(pool, level) ||
        mfs_radix_pages(slot, level) == mfs_radix_span(pool, level))
        return MFS_NO_INDEX;
    if (slot == 0)
        return from;
    uint64_t child_span = mfs_radix_span(pool, level - 1);
    for (size_t i = mfs_radix_slot(pool, level, from); i < mfs_radix_fan(pool); i++) {
        uint64_t start = i * child_span;
        uint64_t found = next_hole(pool, mfs_radix_node(slot)->slots[i], level - 1,
                                   mfs_num_sub_saturating(from, start));
        if (found != MFS_NO_INDEX)
            return start + found;
    }
    return MFS_NO_INDEX;
}

uint64_t mfs_radix_next_hole(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t from)
{
    uint64_t found = next_hole(pool, tree.root, tree.height, from);
    return found != MFS_NO_INDEX ? found : mfs_num_max_u64(from, mfs_radix_span(pool, tree.height));
}

/* ------------------------------------------------------------------- audit */

/* In a node's number of pages, while an audit runs. */
static uint64_t mark_of(unsigned level)
{
    return (uint64_t)1 << (level == 1 ? 31 : 63);
}

static uint64_t unmarked_pages(uintptr_t slot, unsigned level)
{
    return mfs_radix_pages(slot, level) & ~mark_of(level);
}

static bool is_marked(uintptr_t slot, unsigned level)
{
    return (mfs_radix_pages(slot, level) & mark_of(level)) != 0;
}

static void tally_slot(const struct mfs_pool *pool, uintptr_t slot, unsigned level,
                       struct mfs_tally *tally)
{
    if (slot == 0)
        return;
    if (level == 0) {
        tally->page_visits++;
        if (mfs_page_mark(pool, slot)) {
            tally->pages++;
            tally->page_references += mfs_page_references(pool, slot);
        }
        return;
    }
    struct mfs_radix_node *node = mfs_radix_node(slot);
    tally->node_visits++;
    if (is_marked(slot, level))
        return;
    uint64_t pages = 0;
    for (size_t i = 0; i < mfs_radix_fan(pool); i++) {
        pages += level == 1 ? node->slots[i] != 0 : unmarked_pages(node->slots[i], level - 1);
        /* Twins have one reference together, so one of them counts as a visit. */
        const struct mfs_radix_node *twin = level == 1 ? atomic_load(&node->of.twin) : NULL;
        if (twin == NULL || twin->slots[i] != node->slots[i] || node < twin)
            tally_slot(pool, node->slots[i], level - 1, tally);
    }
    if (pages != unmarked_pages(slot, level) || pages == 0)
        tally->is_valid = false;
    tally->nodes++;
    tally->node_references += atomic_load(&node->u.held.references);
    mfs_radix_set_pages(node, level, pages | mark_of(level));
}

void mfs_radix_tally(const struct mfs_pool *pool, struct mfs_radix tree, struct mfs_tally *tally)
{
    if (tree.root == 0 && tree.height != 0)
        tally->is_valid = false;
    tally_slot(pool, tree.root, tree.height, tally);
}

static void unmark_slot(const struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return;
    if (level == 0) {
        mfs_page_unmark(pool, slot);
        return;
    }
    struct mfs_radix_node *node = mfs_radix_node(slot);
    if (!is_marked(slot, level))
        return;
    mfs_radix_set_pages(node, level, unmarked_pages(slot, level));
    for (size_t i = 0; i < mfs_radix_fan(pool); i++)
        unmark_slot(pool, node->slots[i], level - 1);
}

void mfs_radix_unmark(const struct mfs_pool *pool, struct mfs_radix tree)
{
    unmark_slot(pool, tree.root, tree.height);
}
