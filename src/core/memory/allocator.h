/*
 * Where memory comes from: the only place that calls an allocator.
 *
 * It charges the ledger with what a block will really cost, and only then asks for the block;
 * it gives back, and only then refunds.  Every `give` knows the size.  Behind it is the
 * host's malloc, with regions of the operating system for the largest slabs; or the caller's
 * hooks; or the caller's arena.
 *
 * Callers are few: the pool, which takes slabs; memory.c, for blocks that no slab holds.
 */
#ifndef MFS_ALLOCATOR_H
#define MFS_ALLOCATOR_H

#include "memory/arena.h"
#include "memory/guard.h"
#include "memory/ledger.h"
#include "memory/region.h"
#include "sync/sync.h"

#include <memfs/memfs.h>

#include <stddef.h>

struct mfs_allocator {
    struct mfs_ledger *ledger;
    struct mfs_lot *lot;
    memfs_allocator hooks;   /* all null: malloc, or the arena */
    struct mfs_arena *arena; /* null: none */
    struct mfs_guard *guard; /* null: none */
};

/* Takes `bytes`, aligned for any type and of uncertain content.  Exactly the size of a region
 * comes as a region, where this allocator has any.  Nothing is recorded.  Errors: EDQUOT,
 * ENOMEM. */
int mfs_allocator_take(struct mfs_allocator *allocator, enum mfs_charge_from charge_from,
                       size_t bytes, void **out);
void mfs_allocator_give(struct mfs_allocator *allocator, void *block, size_t bytes);

/* What `bytes` really take from the allocator; SIZE_MAX if that overflows. */
size_t mfs_allocator_cost(const struct mfs_allocator *allocator, size_t bytes);

/* MFS_REGION_BYTES, or 0 if the allocator has no regions. */
size_t mfs_allocator_region_bytes(const struct mfs_allocator *allocator);

/* Without the ledger, for the instance itself: it is taken before there is a ledger and given
 * back after the ledger has gone.  The creator of the instance charges its cost. */
void *mfs_allocator_take_bare(const struct mfs_allocator *allocator, size_t bytes);
void mfs_allocator_give_bare(const struct mfs_allocator *allocator, void *block, size_t bytes);

#endif
