/*
 * What a change of a page table will need from a stash, exactly, as long as the caller keeps the
 * tree locked.  Planning changes nothing.
 */
#ifndef MFS_RADIX_PLAN_H
#define MFS_RADIX_PLAN_H

#include "pagetable/radix.h"
#include "pagetable/stash.h"

/* Adds to `need` what mfs_radix_edit_own() on each index of first .. last will take. */
void mfs_radix_plan_own(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first, uint64_t last,
                        struct mfs_need *need);

/* Adds to `need` a new table with the pages 0 and first .. last, page 0 included. */
void mfs_radix_plan_new(const struct mfs_pool *pool, uint64_t first, uint64_t last,
                        struct mfs_need *need);

/* Adds to `need` what mfs_radix_edit_drop() will take: nothing unless nodes are shared. */
void mfs_radix_plan_drop(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                         uint64_t last, struct mfs_need *need);

#endif
