/*
 * What malloc really takes: glibc rounds a request and its header of one word up
 * to 16 bytes, 32 at least; from 128 KiB on the block may be a mapping of its own,
 * with a header of two words, in whole pages.  Other C libraries are near that.
 */
#include "memory/memory.h"

#include "base/check.h"
#include "base/num.h"

#include <stdlib.h>

#ifndef MEMFS_ARENA_ONLY

enum { HEADER_BYTES = 8, LEAST_BYTES = 32, UNIT_BYTES = 16 };
enum { MAPPED_FROM_BYTES = 128 * 1024, MAPPED_HEADER_BYTES = 16, MAPPED_UNIT_BYTES = 4096 };

static size_t host_cost(size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return SIZE_MAX;
    if (bytes >= MAPPED_FROM_BYTES - HEADER_BYTES)
        return mfs_num_round_up(bytes + MAPPED_HEADER_BYTES, MAPPED_UNIT_BYTES);
    return mfs_num_max_size(LEAST_BYTES, mfs_num_round_up(bytes + HEADER_BYTES, UNIT_BYTES));
}

static void *host_take(size_t bytes)
{
    return malloc(bytes);
}

static void host_give(void *block)
{
    free(block);
}

#else

/* No heap in this build: memfs_create() insists on an arena or hooks. */
static size_t host_cost(size_t bytes)
{
    return bytes;
}

static void *host_take(size_t bytes)
{
    (void)bytes;
    return NULL;
}

static void host_give(void *block)
{
    (void)block;
}

#endif

static size_t hooked_cost(const memfs_allocator *hooks, size_t bytes)
{
    if (hooks->cost == NULL)
        return bytes;
    size_t cost = hooks->cost(hooks->context, bytes);
    return mfs_num_max_size(cost, bytes);
}

size_t mfs_memory_cost(const struct mfs_memory *memory, size_t bytes)
{
    if (memory->arena != NULL)
        return mfs_arena_cost(bytes);
    if (memory->hooks.take != NULL)
        return hooked_cost(&memory->hooks, bytes);
    return host_cost(bytes);
}

void *mfs_memory_bootstrap(const memfs_allocator *hooks, size_t bytes)
{
    return hooks->take != NULL ? hooks->take(hooks->context, bytes) : host_take(bytes);
}

void mfs_memory_unbootstrap(const memfs_allocator *hooks, void *block, size_t bytes)
{
    if (hooks->take != NULL)
        hooks->give(hooks->context, block, bytes);
    else
        host_give(block);
}

int mfs_memory_take_raw(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                        void **out)
{
    size_t cost = mfs_memory_cost(memory, bytes);
    if (!mfs_ledger_charge(&memory->ledger, charge_from, cost))
        return MEMFS_EDQUOT;
    void *block = memory->arena != NULL ? mfs_arena_take(memory->arena, memory->lot, bytes)
                                        : mfs_memory_bootstrap(&memory->hooks, bytes);
    if (block == NULL) {
        mfs_ledger_refund(&memory->ledger, cost);
        return MEMFS_ENOMEM;
    }
    mfs_ledger_note_peak(&memory->ledger);
    *out = block;
    return 0;
}

void mfs_memory_give_raw(struct mfs_memory *memory, void *block, size_t bytes)
{
    MFS_CHECK(block != NULL);
    if (memory->arena != NULL)
        mfs_arena_give(memory->arena, memory->lot, block, bytes);
    else
        mfs_memory_unbootstrap(&memory->hooks, block, bytes);
    mfs_ledger_refund(&memory->ledger, mfs_memory_cost(memory, bytes));
}

int mfs_memory_take_as(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                       enum memfs_class class, void **out)
{
    size_t cost = mfs_memory_cost(memory, bytes);
    int error = mfs_memory_take_raw(memory, charge_from, bytes, out);
    while (error != 0 && memory->reclaim != NULL &&
           memory->reclaim(memory->reclaim_context, charge_from, cost))
        error = mfs_memory_take_raw(memory, charge_from, bytes, out);
    if (error != 0)
        return mfs_ledger_refused(&memory->ledger, memory->lot, error, cost,
                                  mfs_ledger_available(&memory->ledger, charge_from, 0));
    mfs_ledger_use(&memory->ledger, class, cost);
    return 0;
}

int mfs_memory_take(struct mfs_memory *memory, size_t bytes, enum memfs_class class, void **out)
{
    return mfs_memory_take_as(memory, MFS_CHARGE_ORDINARY, bytes, class, out);
}

void mfs_memory_give(struct mfs_memory *memory, void *block, size_t bytes, enum memfs_class class)
{
    mfs_ledger_unuse(&memory->ledger, class, mfs_memory_cost(memory, bytes));
    mfs_memory_give_raw(memory, block, bytes);
}
