/*
 * The only place that allocates: charge the ledger, then take from the
 * allocator; give back, then refund.  Every free knows its size.
 *
 * Behind it is the host's malloc, the caller's hooks or the caller's arena.
 */
#ifndef MFS_MEMORY_H
#define MFS_MEMORY_H

#include "memory/arena.h"
#include "memory/ledger.h"
#include "sync/sync.h"

#include <memfs/memfs.h>

#include <stddef.h>

struct mfs_memory {
    struct mfs_ledger ledger;
    struct mfs_lot *lot;
    memfs_allocator hooks;   /* all null: malloc, or the arena */
    struct mfs_arena *arena; /* null: none */
    /* Gives back something that is held but not used; false if there is nothing.  Asked before a
     * refusal, with the charge that is wanted.  May be null. */
    bool (*reclaim)(void *context, enum mfs_charge_from charge_from, uint64_t wanted_bytes);
    void *reclaim_context;
};

/*
 * Takes `bytes` (not zeroed, aligned for any type) and charges what they cost
 * to `class`; as ordinary data, if no charge_from is given.  Errors: EDQUOT, ENOMEM; then
 * the refusal has been recorded.
 * Threads: any.
 */
int mfs_memory_take(struct mfs_memory *memory, size_t bytes, enum memfs_class class, void **out);
int mfs_memory_take_as(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                       enum memfs_class class, void **out);
void mfs_memory_give(struct mfs_memory *memory, void *block, size_t bytes, enum memfs_class class);

/*
 * The same for blocks that are carved into objects elsewhere: committed, but not
 * used by any class; nothing is reclaimed, and a refusal is not recorded.
 */
int mfs_memory_take_raw(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                        void **out);
void mfs_memory_give_raw(struct mfs_memory *memory, void *block, size_t bytes);

/* What `bytes` really take from the allocator; SIZE_MAX if that overflows. */
size_t mfs_memory_cost(const struct mfs_memory *memory, size_t bytes);

/*
 * Without a ledger, for the instance itself, before there is one and after it
 * has gone; its cost is charged by who creates it.
 */
void *mfs_memory_bootstrap(const memfs_allocator *hooks, size_t bytes);
void mfs_memory_unbootstrap(const memfs_allocator *hooks, void *block, size_t bytes);

#endif
