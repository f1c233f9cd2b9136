/*
 * 1. The count of a node, or of a page, is the number of slots and trees that refer to it, twins'
 *    common slots counted once.
 * 2. Only a holder adds holders: what has one reference can be shared by the holder of that one
 *    alone.
 *
 * Cost: retaining takes one atomic addition.  The last release walks what nobody else shares, a
 * node at a time, and gives the pages of each leaf back under one lock.
 */
#include "pagetable/radix_ref.h"

#include "base/check.h"
#include "base/pause.h"
#include "pagetable/radix_node.h"
#include "pagetable/radix_visit.h"
#include "pagetable/twins.h"

static void retain_slot(struct mfs_pool *pool, uintptr_t slot, unsigned level)
{
    if (slot == 0)
        return;
    if (level == 0) {
        mfs_page_retain(pool, slot);
        return;
    }
    uint32_t before = atomic_fetch_add_explicit(&mfs_radix_node(slot)->u.held.references, 1,
                                                memory_order_relaxed);
    MFS_CHECK(before != 0 && before != UINT32_MAX);
}

/*
 * True if that was the last reference.  A count of one is not even lowered: by invariant 2 only the
 * caller could add to it, which is giving the node up, so the node is the caller's to free.  That
 * saves an atomic subtraction for every node of a tree that nobody shares.
 */
static bool drop_node_reference(struct mfs_radix_node *node)
{
    if (mfs_radix_node_is_exclusive(node))
        return true;
    MFS_PAUSE("node: shared");
    uint32_t before = atomic_fetch_sub_explicit(&node->u.held.references, 1, memory_order_acq_rel);
    MFS_CHECK(before != 0);
    return before == 1;
}

/* Whether the node, and with it what is below, goes with this reference. */
static bool enter_released(void *context, struct mfs_radix_node *node, unsigned level)
{
    (void)context;
    (void)level;
    return drop_node_reference(node);
}

static void free_released(void *context, struct mfs_radix_node *node, unsigned level)
{
    struct mfs_pool *pool = context;
    if (level == 1) {
        mfs_twins_part(pool, node);
        if (node->u.held.filled != 0)
            mfs_page_release_many(pool, node->slots, node->u.held.filled);
    }
    mfs_radix_node_free(pool, node);
}

void mfs_radix_ref_retain(struct mfs_pool *pool, struct mfs_radix tree)
{
    MFS_CHECK(tree.root != 0 || tree.height == 0);
    retain_slot(pool, tree.root, tree.height);
}

void mfs_radix_ref_release(struct mfs_pool *pool, struct mfs_radix tree)
{
    const struct mfs_radix_visitor visitor = {enter_released, free_released, pool};
    if (tree.root != 0 && tree.height == 0)
        mfs_page_release(pool, tree.root);
    else
        mfs_radix_visit(pool, tree.root, tree.height, &visitor);
}

void mfs_radix_ref_copy(struct mfs_pool *pool, struct mfs_radix_node *node,
                        struct mfs_radix_node *copy, unsigned level)
{
    MFS_CHECK(level > 0 && level <= MFS_RADIX_NODE_LEVELS_MAX && node != copy);
    mfs_radix_node_set_pages(copy, level, mfs_radix_node_pages((uintptr_t)node, level));
    if (level == 1 && mfs_twins_copy(pool, node, copy))
        return;
    for (size_t i = 0; i < mfs_radix_node_fan(pool); i++) {
        retain_slot(pool, node->slots[i], level - 1);
        copy->slots[i] = node->slots[i];
    }
}
