/*
 * 1. A node is copied if it, or a node above it, is shared: below a shared node nothing is
 *    exclusive once that has been copied, since the copy adds references.
 * 2. A node is counted once, however many pages and parts make it be copied.
 * 3. Between plan and change the other holders of shared parts may let go, so a change may need
 *    less than was planned.  It never needs more: only the holder of this tree, which is locked,
 *    could share what is exclusive to it.
 *
 * Cost: a step a level for each leaf that the parts meet, and for each subtree that is absent or
 * dropped as a whole.
 */
#include "pagetable/radix_plan.h"

#include "base/check.h"
#include "base/num.h"
#include "pagetable/radix_node.h"
#include "pagetable/twins.h"

/* Adds the pages of the range, all absent, and the nodes above them up to this height. */
static void plan_absent(const struct mfs_pool *pool, unsigned height, struct mfs_radix_range range,
                        struct mfs_need *need)
{
    MFS_CHECK(range.first <= range.last);
    need->pages += range.last - range.first + 1;
    for (unsigned level = 1; level <= height; level++) {
        unsigned shift = pool->fan_shift * level;
        need->nodes += (range.last >> shift) - (range.first >> shift) + 1;
    }
}

/*
 * Adds what owning pages takes that lie behind all that the tree can hold: new roots, of which the
 * old one is slot 0 of the last, and what their other slots lead to.
 */
static void plan_behind(const struct mfs_pool *pool, struct mfs_radix tree,
                        struct mfs_radix_range range, struct mfs_need *need)
{
    for (unsigned height = mfs_radix_node_height(pool, range.last); height > tree.height;
         height--) {
        uint64_t covered = mfs_radix_node_span(pool, height - 1);
        need->nodes++;
        if (range.last < covered || range.first > range.last)
            continue;
        plan_absent(pool, height - 1,
                    (struct mfs_radix_range){mfs_num_max_u64(range.first, covered), range.last},
                    need);
        range.last = covered - 1;
    }
}

/* A walk along the parts in the order of their pages. */
struct plan {
    struct mfs_pool *pool;
    struct mfs_radix tree;
    struct mfs_need *need;
    uint64_t counted_index; /* the nodes on the way to this page, ... */
    unsigned counted_level; /* ... from the root down to this level, have been counted */
};

/* The last page below the slot of this level that has the page `index` below it. */
static uint64_t last_in_slot(const struct plan *plan, unsigned level, uint64_t index)
{
    return index | (mfs_radix_node_span(plan->pool, level) - 1);
}

static bool is_counted(const struct plan *plan, unsigned level, uint64_t index)
{
    unsigned shift = plan->pool->fan_shift * level;
    return level >= plan->counted_level && plan->counted_index >> shift == index >> shift;
}

/* Whether a node has one of the pages of a part, from `index` on. */
static bool has_page(const struct plan *plan, uintptr_t slot, unsigned level, uint64_t index,
                     uint64_t last)
{
    uint64_t first_in_slot = index & ~(mfs_radix_node_span(plan->pool, level) - 1);
    struct mfs_radix below = {slot, (uint8_t)level};
    uint64_t found = mfs_radix_next_page(plan->pool, below, index - first_in_slot);
    return found <= last - first_in_slot;
}

/* Adds the pages of one leaf that are owned. */
static void plan_leaf(const struct plan *plan, const struct mfs_radix_node *leaf, bool is_shared,
                      const struct mfs_radix_part *part, uint64_t index)
{
    uint64_t last = mfs_num_min_u64(part->last, last_in_slot(plan, 1, index));
    if (part->fate == MFS_RADIX_DROPPED)
        return;
    for (; index <= last; index++) {
        size_t i = mfs_radix_node_slot(plan->pool, 1, index);
        if (leaf->slots[i] == 0)
            plan->need->pages += part->fate == MFS_RADIX_OWNED ? 1 : 0;
        else if (is_shared || mfs_twins_share(plan->pool, leaf, i) ||
                 !mfs_page_is_exclusive(plan->pool, leaf->slots[i]))
            plan->need->pages++;
    }
}

/* Adds what is absent below a slot of this level, from `index` on, and is to be owned. */
static void plan_hole(const struct plan *plan, unsigned level, const struct mfs_radix_part *part,
                      uint64_t index)
{
    uint64_t last = mfs_num_min_u64(part->last, last_in_slot(plan, level, index));
    uint64_t first_in_slot = index & ~(mfs_radix_node_span(plan->pool, level) - 1);
    if (part->fate == MFS_RADIX_OWNED)
        plan_absent(plan->pool, level,
                    (struct mfs_radix_range){index - first_in_slot, last - first_in_slot},
                    plan->need);
}

/*
 * Plans the pages of the part from `index` on, as far as one leaf reaches, or one subtree that is
 * absent, is dropped whole, or has none of the pages.  Returns the page behind that.
 */
static uint64_t plan_step(struct plan *plan, const struct mfs_radix_part *part, uint64_t index)
{
    uintptr_t slot = plan->tree.root;
    unsigned level = plan->tree.height;
    bool is_shared = false;
    for (; level > 0 && slot != 0; level--) {
        const struct mfs_radix_node *node = mfs_radix_node(slot);
        uint64_t after = last_in_slot(plan, level, index) + 1;
        bool is_first = (index & (mfs_radix_node_span(plan->pool, level) - 1)) == 0;
        if (part->fate == MFS_RADIX_DROPPED && is_first && part->last >= after - 1)
            break;
        is_shared = is_shared || !mfs_radix_node_is_exclusive(node);
        if (is_shared && !is_counted(plan, level, index)) {
            /* Where there is nothing to do, a shared node stays as it is. */
            if (part->fate != MFS_RADIX_OWNED && !has_page(plan, slot, level, index, part->last))
                break;
            plan->need->nodes++;
        }
        if (level == 1) {
            plan_leaf(plan, node, is_shared, part, index);
            plan->counted_index = index;
            plan->counted_level = 1;
            return after;
        }
        slot = node->slots[mfs_radix_node_slot(plan->pool, level, index)];
    }
    if (slot == 0)
        plan_hole(plan, level, part, index);
    else if (level == 0 && part->fate != MFS_RADIX_DROPPED &&
             !mfs_page_is_exclusive(plan->pool, slot))
        plan->need->pages++;
    plan->counted_index = index;
    plan->counted_level = level + 1;
    return last_in_slot(plan, level, index) + 1;
}

void mfs_radix_plan_parts(struct mfs_pool *pool, struct mfs_radix tree,
                          const struct mfs_radix_part *parts, size_t count, struct mfs_need *need)
{
    MFS_CHECK(tree.root != 0 || tree.height == 0);
    struct plan plan = {pool, tree, need, 0, MFS_RADIX_NODE_LEVELS_MAX + 1};
    uint64_t most = mfs_radix_node_span(pool, tree.height) - 1;
    for (size_t i = 0; i < count; i++) {
        struct mfs_radix_part part = parts[i];
        MFS_CHECK(part.first <= part.last && (i == 0 || part.first > parts[i - 1].last));
        if (tree.root == 0) {
            if (part.fate == MFS_RADIX_OWNED)
                plan_absent(pool, mfs_radix_node_height(pool, part.last),
                            (struct mfs_radix_range){part.first, part.last}, need);
            continue;
        }
        if (part.fate == MFS_RADIX_OWNED && part.last > most)
            plan_behind(pool, tree, (struct mfs_radix_range){part.first, part.last}, need);
        part.last = mfs_num_min_u64(part.last, most);
        for (uint64_t index = part.first; index <= part.last;)
            index = plan_step(&plan, &part, index);
    }
}

void mfs_radix_plan_new(const struct mfs_pool *pool, uint64_t first, uint64_t last,
                        struct mfs_need *need)
{
    MFS_CHECK(first <= last);
    unsigned height = mfs_radix_node_height(pool, last);
    plan_absent(pool, height, (struct mfs_radix_range){first, last}, need);
    /* Page 0, and at each level the first node, where the range has not counted them. */
    if (first > 0)
        need->pages++;
    for (unsigned level = 1; level <= height; level++)
        if (first >= mfs_radix_node_span(pool, level))
            need->nodes++;
}
