/*
 * What malloc really takes: glibc rounds a request and its header of one word up
 * to 16 bytes, 32 at least; from 128 KiB on the block may be a mapping of its own,
 * with a header of two words, in whole pages.  Other C libraries are near that.
 */
#include "memory/allocator.h"

#include "base/check.h"
#include "base/num.h"

#include <stdlib.h>

#ifndef MEMFS_ARENA_ONLY

enum { HEAP_HEADER_BYTES = 8, HEAP_LEAST_BYTES = 32, HEAP_UNIT_BYTES = 16 };
enum { MAPPED_FROM_BYTES = 128 * 1024, MAPPED_HEADER_BYTES = 16, MAPPED_UNIT_BYTES = 4096 };

static size_t heap_cost(size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return SIZE_MAX;
    if (bytes >= MAPPED_FROM_BYTES - HEAP_HEADER_BYTES)
        return mfs_num_round_up(bytes + MAPPED_HEADER_BYTES, MAPPED_UNIT_BYTES);
    return mfs_num_max_size(HEAP_LEAST_BYTES,
                            mfs_num_round_up(bytes + HEAP_HEADER_BYTES, HEAP_UNIT_BYTES));
}

static void *heap_take(size_t bytes)
{
    return malloc(bytes);
}

static void heap_give(void *block)
{
    free(block);
}

#else

/* No heap in this build: memfs_create() insists on an arena or hooks. */
static size_t heap_cost(size_t bytes)
{
    return bytes;
}

static void *heap_take(size_t bytes)
{
    (void)bytes;
    return NULL;
}

static void heap_give(void *block)
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

static bool is_heap(const struct mfs_allocator *allocator)
{
    return allocator->arena == NULL && allocator->hooks.take == NULL;
}

size_t mfs_allocator_region_bytes(const struct mfs_allocator *allocator)
{
    return is_heap(allocator) ? mfs_region_bytes() : 0;
}

static bool is_region(const struct mfs_allocator *allocator, size_t bytes)
{
    return bytes == MFS_REGION_BYTES && mfs_allocator_region_bytes(allocator) != 0;
}

size_t mfs_allocator_cost(const struct mfs_allocator *allocator, size_t bytes)
{
    if (allocator->arena != NULL)
        return mfs_arena_cost(bytes);
    if (allocator->hooks.take != NULL)
        return hooked_cost(&allocator->hooks, bytes);
    return is_region(allocator, bytes) ? bytes : heap_cost(bytes);
}

void *mfs_allocator_take_bare(const struct mfs_allocator *allocator, size_t bytes)
{
    if (allocator->arena != NULL)
        return mfs_arena_take(allocator->arena, allocator->lot, bytes);
    if (allocator->hooks.take != NULL)
        return allocator->hooks.take(allocator->hooks.context, bytes);
    return is_region(allocator, bytes) ? mfs_region_take() : heap_take(bytes);
}

void mfs_allocator_give_bare(const struct mfs_allocator *allocator, void *block, size_t bytes)
{
    if (allocator->arena != NULL)
        mfs_arena_give(allocator->arena, allocator->lot, block, bytes);
    else if (allocator->hooks.take != NULL)
        allocator->hooks.give(allocator->hooks.context, block, bytes);
    else if (is_region(allocator, bytes))
        mfs_region_give(block);
    else
        heap_give(block);
}

/* Takes a block that was charged, if the guard lets it. */
static void *take_guarded(const struct mfs_allocator *allocator, size_t bytes, size_t cost)
{
    if (allocator->guard == NULL)
        return mfs_allocator_take_bare(allocator, bytes);
    if (!mfs_guard_take(allocator->guard, cost))
        return NULL;
    void *block = mfs_allocator_take_bare(allocator, bytes);
    if (block == NULL)
        mfs_guard_give(allocator->guard, cost);
    return block;
}

int mfs_allocator_take(struct mfs_allocator *allocator, enum mfs_charge_from charge_from,
                       size_t bytes, void **out)
{
    MFS_CHECK(bytes != 0);
    size_t cost = mfs_allocator_cost(allocator, bytes);
    uint64_t committed;
    if (!mfs_ledger_charge(allocator->ledger, charge_from, cost, &committed))
        return MEMFS_EDQUOT;
    void *block = take_guarded(allocator, bytes, cost);
    if (block == NULL) {
        mfs_ledger_refund(allocator->ledger, cost);
        return MEMFS_ENOMEM;
    }
    MFS_CHECK((uintptr_t)block % _Alignof(max_align_t) == 0);
    mfs_ledger_note_peak(allocator->ledger, committed);
    *out = block;
    return 0;
}

void mfs_allocator_give(struct mfs_allocator *allocator, void *block, size_t bytes)
{
    MFS_CHECK(block != NULL);
    size_t cost = mfs_allocator_cost(allocator, bytes);
    mfs_allocator_give_bare(allocator, block, bytes);
    mfs_ledger_refund(allocator->ledger, cost);
    if (allocator->guard != NULL)
        mfs_guard_give(allocator->guard, cost);
}
