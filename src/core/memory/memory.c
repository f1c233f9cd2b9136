/*
 *     a piece            | bytes |
 *     adjacent pages     | name of the first page, padded to 16 | bytes | rest of the last page |
 *     from the allocator    | bytes |
 *
 * What a class is charged is the piece with its header, the pages, or the cost of the allocator's
 * block.
 */
#include "memory/memory.h"

#include "base/check.h"
#include "base/num.h"

enum { RUN_HEADER_BYTES = 16 };

struct run {
    mfs_page first;
};

_Static_assert(sizeof(struct run) <= RUN_HEADER_BYTES, "the header holds the name");

void mfs_memory_init(struct mfs_memory *memory, struct mfs_pool *pool,
                     const struct mfs_memory_base *base)
{
    *memory = (struct mfs_memory){.lot = base->lot, .pool = pool, .is_unpooled = base->is_unpooled};
    mfs_ledger_init(&memory->ledger, base->limit);
    memory->allocator = (struct mfs_allocator){.ledger = &memory->ledger,
                                               .lot = base->lot,
                                               .hooks = base->hooks,
                                               .arena = base->arena,
                                               .guard = base->guard};
    mfs_pool_init(pool, &memory->allocator, base->page_size);
    pool->memory = memory;
}

void mfs_memory_fini(struct mfs_memory *memory, bool forced)
{
    mfs_piece_fini(&memory->pieces, memory->pool);
    mfs_pool_fini(memory->pool, forced);
    MFS_CHECK(forced || mfs_pool_held_bytes(memory->pool) == 0);
}

enum origin { FROM_PIECE, FROM_RUN, FROM_ALLOCATOR };

/* The adjacent pages that hold so many bytes. */
static size_t run_pages(const struct mfs_memory *memory, size_t bytes)
{
    return (bytes - 1 + RUN_HEADER_BYTES) / memory->pool->page_size + 1;
}

static enum origin origin_of(const struct mfs_memory *memory, size_t bytes)
{
    if (memory->is_unpooled)
        return FROM_ALLOCATOR;
    if (bytes <= mfs_memory_piece_most(memory))
        return FROM_PIECE;
    bool fits_a_slab = bytes <= SIZE_MAX - RUN_HEADER_BYTES &&
                       run_pages(memory, bytes) <= memory->pool->shape.most;
    return fits_a_slab ? FROM_RUN : FROM_ALLOCATOR;
}

static size_t cost_from(const struct mfs_memory *memory, enum origin origin, size_t bytes)
{
    switch (origin) {
    case FROM_PIECE:
        return mfs_piece_cost(bytes);
    case FROM_RUN:
        return run_pages(memory, bytes) * memory->pool->page_size;
    default:
        return mfs_allocator_cost(&memory->allocator, bytes);
    }
}

size_t mfs_memory_cost(const struct mfs_memory *memory, size_t bytes)
{
    return cost_from(memory, origin_of(memory, bytes), bytes);
}

static int take_run(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                    void **out)
{
    mfs_page first;
    uint32_t pages = (uint32_t)run_pages(memory, bytes);
    int error = mfs_pool_run_take(memory->pool, charge_from, pages, &first);
    if (error != 0)
        return error;
    unsigned char *start = mfs_pool_page_bytes(memory->pool, first);
    ((struct run *)(void *)start)->first = first;
    *out = start + RUN_HEADER_BYTES;
    return 0;
}

static void give_run(struct mfs_memory *memory, void *block, size_t bytes)
{
    const struct run *run = (void *)((unsigned char *)block - RUN_HEADER_BYTES);
    mfs_pool_run_give(memory->pool, run->first, (uint32_t)run_pages(memory, bytes));
}

static int take_from_origin(struct mfs_memory *memory, enum mfs_charge_from charge_from,
                            enum origin origin, size_t bytes, void **out)
{
    switch (origin) {
    case FROM_PIECE:
        return mfs_piece_take(&memory->pieces, memory->pool, charge_from, bytes, out);
    case FROM_RUN:
        return take_run(memory, charge_from, bytes, out);
    default:
        return mfs_pool_block_take(memory->pool, charge_from, bytes, out);
    }
}

int mfs_memory_take_as(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                       enum memfs_class class, void **out)
{
    MFS_CHECK(bytes != 0);
    enum origin origin = origin_of(memory, bytes);
    size_t cost = cost_from(memory, origin, bytes);
    int error = 0;
    if (memory->starter_is_free && cost <= memory->starter_bytes) {
        memory->starter_is_free = false;
        *out = memory->starter;
    } else {
        error = take_from_origin(memory, charge_from, origin, bytes, out);
    }
    if (error == 0)
        mfs_ledger_use(&memory->ledger, class, cost);
    return error;
}

int mfs_memory_take(struct mfs_memory *memory, size_t bytes, enum memfs_class class, void **out)
{
    return mfs_memory_take_as(memory, MFS_CHARGE_ORDINARY, bytes, class, out);
}

void mfs_memory_give(struct mfs_memory *memory, void *block, size_t bytes, enum memfs_class class)
{
    MFS_CHECK(block != NULL);
    enum origin origin = origin_of(memory, bytes);
    mfs_ledger_unuse(&memory->ledger, class, cost_from(memory, origin, bytes));
    if (block == memory->starter)
        return;
    switch (origin) {
    case FROM_PIECE:
        mfs_piece_give(&memory->pieces, memory->pool, block);
        break;
    case FROM_RUN:
        give_run(memory, block, bytes);
        break;
    default:
        mfs_pool_block_give(memory->pool, block, bytes);
    }
}

bool mfs_memory_is_valid(struct mfs_memory *memory)
{
    return mfs_piece_are_valid(&memory->pieces, memory->pool) && mfs_pool_is_valid(memory->pool);
}
