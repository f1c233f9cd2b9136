/*
 * Capacities are chosen so that block and header together are a power of two,
 * from 32 bytes to half a page and a bit: a file that grows byte by byte moves
 * a handful of times before it gets its page.
 */
#include "content/short.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/memory.h"

#include <string.h>

static size_t block_bytes(uint32_t capacity)
{
    return offsetof(struct mfs_short, bytes) + capacity;
}

static uint32_t capacity_for(const struct mfs_pool *pool, uint64_t bytes)
{
    size_t block = 32;
    while (block < block_bytes((uint32_t)bytes))
        block *= 2;
    size_t capacity = block - offsetof(struct mfs_short, bytes);
    return (uint32_t)mfs_num_min_size(capacity, (size_t)mfs_short_max(pool));
}

int mfs_short_create(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t bytes,
                     struct mfs_short **out)
{
    MFS_CHECK(bytes <= mfs_short_max(pool));
    uint32_t capacity = capacity_for(pool, bytes);
    void *block;
    int error = mfs_memory_take_as(pool->memory, charge_from, block_bytes(capacity),
                                   MEMFS_CLASS_DATA, &block);
    if (error != 0)
        return error;
    struct mfs_short *made = block;
    atomic_init(&made->references, 1);
    made->capacity = capacity;
    memset(made->bytes, 0, capacity);
    *out = made;
    return 0;
}

void mfs_short_retain(struct mfs_short *content)
{
    uint64_t before = atomic_fetch_add_explicit(&content->references, 1, memory_order_relaxed);
    MFS_CHECK(before != 0);
}

void mfs_short_release(struct mfs_pool *pool, struct mfs_short *content)
{
    uint64_t before = 1;
    if (!mfs_short_is_exclusive(content))
        before = atomic_fetch_sub_explicit(&content->references, 1, memory_order_acq_rel);
    MFS_CHECK(before != 0);
    if (before == 1)
        mfs_memory_give(pool->memory, content, block_bytes(content->capacity), MEMFS_CLASS_DATA);
}

bool mfs_short_is_exclusive(const struct mfs_short *content)
{
    return atomic_load_explicit(&content->references, memory_order_acquire) == 1;
}

uint64_t mfs_short_cost(const struct mfs_pool *pool, const struct mfs_short *content)
{
    return mfs_memory_cost(pool->memory, block_bytes(content->capacity));
}

#define MARK ((uint64_t)1 << 63)

bool mfs_short_mark(struct mfs_short *content)
{
    return (atomic_fetch_or(&content->references, MARK) & MARK) == 0;
}

void mfs_short_unmark(struct mfs_short *content)
{
    (void)atomic_fetch_and(&content->references, ~MARK);
}
