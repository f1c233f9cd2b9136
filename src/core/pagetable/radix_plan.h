/*
 * What a change of a page table will need from a stash, exactly, as long as the caller keeps the
 * tree locked.  Planning changes nothing.
 *
 * A change may consist of several parts, which share the nodes that both must copy; so they are
 * planned together.  It is then made in this order: first all pages are owned, then the others
 * are dropped.
 */
#ifndef MFS_RADIX_PLAN_H
#define MFS_RADIX_PLAN_H

#include "pagetable/radix.h"
#include "pagetable/stash.h"

/* What is to become of the pages of a range. */
enum mfs_radix_fate {
    MFS_RADIX_OWNED,          /* they are private; where there was a hole, too */
    MFS_RADIX_OWNED_IF_THERE, /* those that are there are private; holes stay */
    MFS_RADIX_DROPPED         /* they are holes */
};

struct mfs_radix_part {
    enum mfs_radix_fate fate;
    uint64_t first, last;
};

/*
 * Adds to `need` what a change takes that consists of `count` parts: mfs_radix_edit_own() on each
 * page that is to be owned, then mfs_radix_edit_drop() on what is to be dropped.  The parts are
 * disjoint and in ascending order, and at most one of them is MFS_RADIX_OWNED.
 */
void mfs_radix_plan_parts(struct mfs_pool *pool, struct mfs_radix tree,
                          const struct mfs_radix_part *parts, size_t count, struct mfs_need *need);

/* Adds to `need` what mfs_radix_edit_own() on each index of first .. last will take. */
static inline void mfs_radix_plan_own(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                                      uint64_t last, struct mfs_need *need)
{
    const struct mfs_radix_part part = {MFS_RADIX_OWNED, first, last};
    mfs_radix_plan_parts(pool, tree, &part, 1, need);
}

/* Adds to `need` what mfs_radix_edit_drop() will take: nothing unless nodes are shared. */
static inline void mfs_radix_plan_drop(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                                       uint64_t last, struct mfs_need *need)
{
    const struct mfs_radix_part part = {MFS_RADIX_DROPPED, first, last};
    mfs_radix_plan_parts(pool, tree, &part, 1, need);
}

/* Adds to `need` a new table with the pages 0 and first .. last, page 0 included. */
void mfs_radix_plan_new(const struct mfs_pool *pool, uint64_t first, uint64_t last,
                        struct mfs_need *need);

#endif
