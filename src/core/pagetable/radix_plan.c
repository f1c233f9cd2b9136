/*
 * 1. A node is copied if it, or a node above it, is shared: below a shared node nothing is
 *    exclusive once that has been copied, since the copy adds references.
 * 2. Between plan and change the other holders of shared parts may let go, so a change may need
 *    less than was planned.  It never needs more: only the holder of this tree, which is locked,
 *    could share what is exclusive to it.
 *
 * Cost: a walk over the nodes that the range meets; where pages are absent, a step a level.
 *
 * Recursion: one call a level, so at most MFS_RADIX_NODE_LEVELS_MAX deep.
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

/* Which change is planned, and what it has come to so far. */
struct plan {
    struct mfs_pool *pool;
    bool drops; /* false: it makes pages private */
    struct mfs_need *need;
};

/* Whether there is nothing to do for a slot but what this adds to the plan. */
static bool ends_at_slot(const struct plan *plan, uintptr_t slot, unsigned level,
                         struct mfs_radix_range range, bool is_shared)
{
    if (plan->drops)
        return slot == 0 || level == 0 || mfs_radix_node_is_covered(plan->pool, level, range);
    if (slot == 0) {
        plan_absent(plan->pool, level, range, plan->need);
        return true;
    }
    if (level == 0 && (is_shared || !mfs_page_is_exclusive(plan->pool, slot)))
        plan->need->pages++;
    return level == 0;
}

/* A shared node that has none of the pages to drop stays as it is, and is not copied. */
static bool must_be_copied(const struct plan *plan, uintptr_t slot, unsigned level,
                           struct mfs_radix_range range)
{
    struct mfs_radix part = {slot, (uint8_t)level};
    return !plan->drops || mfs_radix_next_page(plan->pool, part, range.first) <= range.last;
}

static void plan_slot(const struct plan *plan, uintptr_t slot, unsigned level,
                      struct mfs_radix_range range, bool is_shared)
{
    MFS_CHECK(range.first <= range.last && range.last < mfs_radix_node_span(plan->pool, level));
    if (ends_at_slot(plan, slot, level, range, is_shared))
        return;
    struct mfs_radix_node *node = mfs_radix_node(slot);
    if (is_shared || !mfs_radix_node_is_exclusive(node)) {
        if (!must_be_copied(plan, slot, level, range))
            return;
        is_shared = true;
        plan->need->nodes++;
    }
    size_t end = mfs_radix_node_slot(plan->pool, level, range.last);
    for (size_t i = mfs_radix_node_slot(plan->pool, level, range.first); i <= end; i++) {
        bool has_twins_page = !plan->drops && level == 1 && mfs_twins_share(plan->pool, node, i);
        plan_slot(plan, node->slots[i], level - 1, mfs_radix_node_clip(plan->pool, level, i, range),
                  is_shared || has_twins_page);
    }
}

void mfs_radix_plan_own(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first, uint64_t last,
                        struct mfs_need *need)
{
    MFS_CHECK(first <= last);
    MFS_CHECK(tree.root != 0 || tree.height == 0);
    unsigned height = mfs_radix_node_height(pool, last);
    if (tree.root == 0) {
        plan_absent(pool, height, (struct mfs_radix_range){first, last}, need);
        return;
    }
    /* Where the tree must grow, new roots stand above the old one, which is slot 0 of the last. */
    for (; height > tree.height; height--) {
        uint64_t covered = mfs_radix_node_span(pool, height - 1);
        need->nodes++;
        if (last < covered)
            continue;
        struct mfs_radix_range behind = {mfs_num_max_u64(first, covered), last};
        plan_absent(pool, height - 1, behind, need);
        if (first >= covered) {
            need->nodes += height - 1 - tree.height;
            return;
        }
        last = covered - 1;
    }
    struct plan plan = {pool, false, need};
    plan_slot(&plan, tree.root, tree.height, (struct mfs_radix_range){first, last}, false);
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

void mfs_radix_plan_drop(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                         uint64_t last, struct mfs_need *need)
{
    uint64_t most = mfs_radix_node_span(pool, tree.height) - 1;
    struct plan plan = {pool, true, need};
    MFS_CHECK(first <= last);
    if (first <= most)
        plan_slot(&plan, tree.root, tree.height,
                  (struct mfs_radix_range){first, mfs_num_min_u64(last, most)}, false);
}
