/*
 * 1. The link is mutual: the twin of a leaf's twin is the leaf.
 * 2. Slots with the same page in both twins stand for one reference; any other slot with a page
 *    stands for one of its own.
 * 3. A leaf that is freed has no twin any more.
 *
 * Cost: changing one slot takes the lock once; copying and parting look at every slot under it.
 * There is one lock for the whole pool, since a lock for each pair would have to lie in one of the
 * two leaves, and either can be freed first.
 *
 * Left undone on purpose: more than two leaves that share references.  Finding out whether another
 * one shares a slot would then take a walk.
 */
#include "pagetable/twins.h"

#include "base/check.h"

#include <string.h>

/* Under the lock. */
static struct mfs_radix_node *twin_of(const struct mfs_radix_node *leaf)
{
    return atomic_load_explicit(&leaf->of.twin, memory_order_relaxed);
}

static void set_twin(struct mfs_radix_node *leaf, struct mfs_radix_node *twin)
{
    atomic_store_explicit(&leaf->of.twin, twin, memory_order_release);
}

static bool shares_slot(const struct mfs_radix_node *leaf, size_t i)
{
    const struct mfs_radix_node *twin = twin_of(leaf);
    MFS_CHECK(twin == NULL || (twin != leaf && twin_of(twin) == leaf));
    return twin != NULL && twin->slots[i] == leaf->slots[i];
}

bool mfs_twins_compare(struct mfs_pool *pool, const struct mfs_radix_node *leaf, size_t i)
{
    MFS_CHECK(i < mfs_radix_node_fan(pool));
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
    bool is_shared = shares_slot(leaf, i);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    return is_shared;
}

bool mfs_twins_copy(struct mfs_pool *pool, struct mfs_radix_node *leaf, struct mfs_radix_node *copy)
{
    MFS_CHECK(mfs_radix_node_is_exclusive(copy) && !mfs_twins_is_one(copy));
    if (mfs_twins_is_one(leaf))
        return false;
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
    bool is_single = !mfs_twins_is_one(leaf); /* another holder may have copied it just now */
    if (is_single) {
        memcpy(copy->slots, leaf->slots, mfs_radix_node_fan(pool) * sizeof *leaf->slots);
        set_twin(copy, leaf);
        set_twin(leaf, copy);
    }
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    return is_single;
}

void mfs_twins_replace(struct mfs_pool *pool, struct mfs_radix_node *leaf, size_t i, mfs_page page)
{
    MFS_CHECK(mfs_radix_node_is_exclusive(leaf) && i < mfs_radix_node_fan(pool));
    mfs_page old = leaf->slots[i];
    bool twin_keeps_it = false;
    if (mfs_twins_is_one(leaf)) {
        mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
        twin_keeps_it = shares_slot(leaf, i);
        leaf->slots[i] = page;
        mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    } else {
        leaf->slots[i] = page;
    }
    if (old != 0 && !twin_keeps_it)
        mfs_page_release(pool, old);
}

static void part_locked(struct mfs_pool *pool, struct mfs_radix_node *leaf)
    MFS_REQUIRES(pool->twins)
{
    struct mfs_radix_node *twin = twin_of(leaf);
    if (twin == NULL)
        return;
    uint32_t own = 0;
    for (size_t i = 0; i < mfs_radix_node_fan(pool); i++) {
        mfs_page page = leaf->slots[i];
        if (page == 0 || page == twin->slots[i])
            continue;
        leaf->slots[own] = page;
        own++;
    }
    MFS_CHECK(own <= leaf->u.held.filled);
    leaf->u.held.filled = own;
    set_twin(leaf, NULL);
    set_twin(twin, NULL);
}

void mfs_twins_part(struct mfs_pool *pool, struct mfs_radix_node *leaf)
{
    if (!mfs_twins_is_one(leaf))
        return;
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
    part_locked(pool, leaf);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
}

mfs_page mfs_twins_take_only_page(struct mfs_pool *pool, struct mfs_radix_node *leaf)
{
    MFS_CHECK(leaf->u.held.filled == 1 && leaf->slots[0] != 0);
    mfs_page page = leaf->slots[0];
    if (mfs_twins_is_one(leaf)) {
        mfs_sync_lock_exclusive(pool->memory->lot, &pool->twins);
        if (shares_slot(leaf, 0))
            mfs_page_retain(pool, page);
        /* In the same step: a twin that is released between the two would leave its reference to
         * this leaf, which has taken one already. */
        part_locked(pool, leaf);
        mfs_sync_unlock_exclusive(pool->memory->lot, &pool->twins);
    }
    return page;
}
