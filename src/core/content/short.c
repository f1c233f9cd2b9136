/*
 * 1. Header and capacity together are a power of two, at least 32 bytes, unless the capacity would
 *    be more than half a page; then it is half a page.
 * 2. Bytes that were never written are zeros.
 *
 * Cost: a file that grows byte by byte is copied once for each power of two, a handful of times
 * before it has its page.
 */
#include "content/short.h"

#include "base/check.h"
#include "base/num.h"
#include "base/pause.h"
#include "memory/memory.h"

#include <string.h>

#define SHORT_MARK ((uint64_t)1 << 63) /* in `references`, while an audit runs */

static size_t short_block_bytes(uint32_t capacity)
{
    return offsetof(struct mfs_short, bytes) + capacity;
}

static uint32_t capacity_for(const struct mfs_pool *pool, uint64_t bytes)
{
    size_t block = 32;
    while (block < short_block_bytes((uint32_t)bytes))
        block *= 2;
    size_t capacity = block - offsetof(struct mfs_short, bytes);
    return (uint32_t)mfs_num_min_size(capacity, (size_t)mfs_short_max(pool));
}

int mfs_short_create(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t bytes,
                     struct mfs_short **out)
{
    MFS_CHECK(bytes <= mfs_short_max(pool));
    uint32_t capacity = capacity_for(pool, bytes);
    MFS_CHECK(capacity >= bytes && capacity <= mfs_short_max(pool));
    void *block;
    int error = mfs_memory_take_as(pool->memory, charge_from, short_block_bytes(capacity),
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
    MFS_CHECK(before != 0 && before < SHORT_MARK - 1);
}

void mfs_short_release(struct mfs_pool *pool, struct mfs_short *content)
{
    uint64_t before = 1;
    if (!mfs_short_is_exclusive(content)) {
        MFS_PAUSE("short: shared");
        before = atomic_fetch_sub_explicit(&content->references, 1, memory_order_acq_rel);
    }
    MFS_CHECK(before != 0);
    if (before == 1)
        mfs_memory_give(pool->memory, content, short_block_bytes(content->capacity),
                        MEMFS_CLASS_DATA);
}

uint64_t mfs_short_cost(const struct mfs_pool *pool, const struct mfs_short *content)
{
    return mfs_memory_cost(pool->memory, short_block_bytes(content->capacity));
}

bool mfs_short_mark(struct mfs_short *content)
{
    MFS_CHECK(atomic_load(&content->references) != 0);
    return (atomic_fetch_or(&content->references, SHORT_MARK) & SHORT_MARK) == 0;
}

void mfs_short_unmark(struct mfs_short *content)
{
    (void)atomic_fetch_and(&content->references, ~SHORT_MARK);
}
