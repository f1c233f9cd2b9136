/*
 *     a piece            | bytes |
 *     adjacent pages     | name of the first page, padded to 16 | bytes | rest of the last page |
 *     from the allocator    | bytes |
 *     aside              | what it is charged to, padded to 8 | header of no piece | bytes |
 *
 * What a class is charged is the piece with its header, the pages, or the cost of the allocator's
 * block.
 *
 * A block aside is given back with its size alone, as any other.  What is in front of it, read as
 * what is in front of a piece or of a run, tells it from those: no piece has such a header, and no
 * page such a name.  Without a pool all of the class of handles lies aside, so that it can be told
 * which of two limits it was charged to.
 */
#include "memory/memory.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/refusal.h"

enum { RUN_HEADER_BYTES = 16 };

struct run {
    mfs_page first; /* or, of a block aside, enum mfs_charge_from: less than any page */
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

enum origin { FROM_PIECE, FROM_RUN, FROM_ALLOCATOR, ASIDE };

/* The adjacent pages that hold so many bytes. */
static size_t run_pages(const struct mfs_memory *memory, size_t bytes)
{
    return (bytes - 1 + RUN_HEADER_BYTES) / memory->pool->page_size + 1;
}

/* Where a block comes from in the first place. */
static enum origin origin_of(const struct mfs_memory *memory, size_t bytes, enum memfs_class class)
{
    if (memory->is_unpooled)
        return class == MEMFS_CLASS_HANDLES ? ASIDE : FROM_ALLOCATOR;
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
    case ASIDE:
        return mfs_allocator_cost(&memory->allocator, bytes + RUN_HEADER_BYTES);
    default:
        return mfs_allocator_cost(&memory->allocator, bytes);
    }
}

size_t mfs_memory_cost(const struct mfs_memory *memory, size_t bytes)
{
    return cost_from(memory, origin_of(memory, bytes, MEMFS_CLASS_NODES), bytes);
}

static const struct run *run_of(const void *block)
{
    return (const void *)((const unsigned char *)block - RUN_HEADER_BYTES);
}

/* Where a block that was taken came from. */
static enum origin origin_of_taken(const struct mfs_memory *memory, const void *block, size_t bytes,
                                   enum memfs_class class)
{
    enum origin origin = origin_of(memory, bytes, class);
    if (class != MEMFS_CLASS_HANDLES)
        return origin;
    bool is_aside = (origin == FROM_PIECE && mfs_piece_is_none(block)) ||
                    (origin == FROM_RUN && run_of(block)->first <= MFS_CHARGE_LOOKING);
    return is_aside ? ASIDE : origin;
}

size_t mfs_memory_cost_of(const struct mfs_memory *memory, const void *block, size_t bytes,
                          enum memfs_class class)
{
    return cost_from(memory, origin_of_taken(memory, block, bytes, class), bytes);
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
    mfs_pool_run_give(memory->pool, run_of(block)->first, (uint32_t)run_pages(memory, bytes));
}

static int take_aside(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                      void **out)
{
    void *taken;
    size_t with_header;
    if (!mfs_num_add_size(bytes, RUN_HEADER_BYTES, &with_header))
        with_header = SIZE_MAX; /* which is refused */
    int error = mfs_pool_block_take(memory->pool, charge_from, with_header, &taken);
    if (error != 0)
        return error;
    ((struct run *)taken)->first = (mfs_page)charge_from;
    *out = (unsigned char *)taken + RUN_HEADER_BYTES;
    mfs_piece_mark_none(*out);
    return 0;
}

static void give_aside(struct mfs_memory *memory, void *block, size_t bytes)
{
    enum mfs_charge_from charge_from = (enum mfs_charge_from)run_of(block)->first;
    mfs_pool_block_give(memory->pool, charge_from, (unsigned char *)block - RUN_HEADER_BYTES,
                        bytes + RUN_HEADER_BYTES);
}

static int take_from_origin(struct mfs_memory *memory, enum mfs_charge_from charge_from,
                            enum origin origin, size_t bytes, void **out)
{
    switch (origin) {
    case FROM_PIECE:
        return mfs_piece_take(&memory->pieces, memory->pool, charge_from, bytes, out);
    case FROM_RUN:
        return take_run(memory, charge_from, bytes, out);
    case ASIDE:
        return take_aside(memory, charge_from, bytes, out);
    default:
        return mfs_pool_block_take(memory->pool, charge_from, bytes, out);
    }
}

/* Whether the looking reserve may help.  An arena can be short of room for a slab before the quota
 * is reached. */
static bool can_go_aside(const struct mfs_memory *memory, enum origin origin, int error)
{
    return origin != FROM_ALLOCATOR &&
           (error == MEMFS_EDQUOT || (error == MEMFS_ENOMEM && memory->allocator.arena != NULL));
}

/* Takes the memory as ordinary data, or else aside; `*origin` then says so. */
static int take_for_looking(struct mfs_memory *memory, enum origin *origin, size_t bytes,
                            void **out)
{
    int error = take_from_origin(memory, MFS_CHARGE_ORDINARY, *origin, bytes, out);
    if (error == 0 || !can_go_aside(memory, *origin, error))
        return error;
    *origin = ASIDE;
    return take_aside(memory, MFS_CHARGE_LOOKING, bytes, out);
}

int mfs_memory_take_as(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                       enum memfs_class class, void **out)
{
    MFS_CHECK(bytes != 0);
    MFS_CHECK(charge_from != MFS_CHARGE_LOOKING || class == MEMFS_CLASS_HANDLES);
    enum origin origin = origin_of(memory, bytes, class);
    int error = 0;
    if (memory->starter_is_free && cost_from(memory, origin, bytes) <= memory->starter_bytes) {
        MFS_CHECK(class != MEMFS_CLASS_HANDLES);
        memory->starter_is_free = false;
        *out = memory->starter;
    } else if (charge_from == MFS_CHARGE_LOOKING) {
        error = take_for_looking(memory, &origin, bytes, out);
    } else {
        error = take_from_origin(memory, charge_from, origin, bytes, out);
    }
    if (error != 0)
        return error;
    size_t cost = cost_from(memory, origin, bytes);
    mfs_ledger_use(&memory->ledger, class, cost);
    mfs_refusal_take(cost);
    return 0;
}

int mfs_memory_take(struct mfs_memory *memory, size_t bytes, enum memfs_class class, void **out)
{
    return mfs_memory_take_as(memory, MFS_CHARGE_ORDINARY, bytes, class, out);
}

void mfs_memory_give(struct mfs_memory *memory, void *block, size_t bytes, enum memfs_class class)
{
    MFS_CHECK(block != NULL);
    enum origin origin = origin_of_taken(memory, block, bytes, class);
    size_t cost = cost_from(memory, origin, bytes);
    mfs_ledger_unuse(&memory->ledger, class, cost);
    mfs_refusal_give(cost);
    if (block == memory->starter)
        return;
    switch (origin) {
    case FROM_PIECE:
        mfs_piece_give(&memory->pieces, memory->pool, block);
        break;
    case FROM_RUN:
        give_run(memory, block, bytes);
        break;
    case ASIDE:
        give_aside(memory, block, bytes);
        break;
    default:
        mfs_pool_block_give(memory->pool, MFS_CHARGE_ORDINARY, block, bytes);
    }
}

bool mfs_memory_is_valid(struct mfs_memory *memory)
{
    return mfs_piece_are_valid(&memory->pieces, memory->pool) && mfs_pool_is_valid(memory->pool);
}
