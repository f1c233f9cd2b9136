/*
 * 1. The list has each byte that is not taken, once, in order of addresses.
 * 2. No free block ends where the next begins: they would have been joined.
 * 3. `taken` and the sizes in the list add up to `bytes`; all are multiples of a granule,
 *    so every free block has room for its link.
 *
 * Taking and giving look at each free block in the worst case.  Between two free blocks lies
 * a slab or a block larger than a slab, so there are fewer of them than slabs, and both are
 * rare: hundreds of pages are served between one slab and the next.
 */
#include "memory/arena.h"

#include "base/check.h"
#include "base/num.h"

_Static_assert(sizeof(struct mfs_arena_free) <= MFS_ARENA_GRANULE,
               "the smallest free block holds its link");

struct mfs_arena *mfs_arena_create(void *memory, size_t bytes)
{
    size_t skip = (size_t)(-(uintptr_t)memory & (MFS_ARENA_GRANULE - 1));
    size_t overhead = skip + mfs_num_round_up(sizeof(struct mfs_arena), MFS_ARENA_GRANULE);
    if (memory == NULL || bytes < overhead + MFS_ARENA_GRANULE)
        return NULL;
    struct mfs_arena *arena = (void *)((unsigned char *)memory + skip);
    *arena = (struct mfs_arena){.overhead_bytes = overhead};
    arena->blocks = (unsigned char *)memory + overhead;
    arena->bytes = (bytes - overhead) & ~((size_t)MFS_ARENA_GRANULE - 1);
    arena->first = (void *)arena->blocks;
    *arena->first = (struct mfs_arena_free){.bytes = arena->bytes};
    return arena;
}

static unsigned char *end_of(struct mfs_arena_free *block)
{
    return (unsigned char *)block + block->bytes;
}

/* Cuts `bytes` off the beginning of the free block in `*link`. */
static void *cut_off(struct mfs_arena_free **link, size_t bytes)
{
    struct mfs_arena_free *block = *link, *next = block->next;
    size_t left = block->bytes - bytes;
    if (left != 0) {
        struct mfs_arena_free *rest = (void *)((unsigned char *)block + bytes);
        *rest = (struct mfs_arena_free){left, next};
        next = rest;
    }
    *link = next;
    return block;
}

void *mfs_arena_take(struct mfs_arena *arena, struct mfs_lot *lot, size_t bytes)
{
    MFS_CHECK(bytes != 0);
    size_t cost = mfs_arena_cost(bytes);
    void *taken = NULL;
    mfs_sync_lock_exclusive(lot, &arena->lock);
    struct mfs_arena_free **link = &arena->first;
    while (*link != NULL && (*link)->bytes < cost)
        link = &(*link)->next;
    if (*link != NULL) {
        taken = cut_off(link, cost);
        arena->taken += cost;
    }
    MFS_CHECK_DEEP(mfs_arena_is_valid(arena));
    mfs_sync_unlock_exclusive(lot, &arena->lock);
    return taken;
}

/* Joins the block with the one behind it, if they touch. */
static void join_next(struct mfs_arena_free *block)
{
    struct mfs_arena_free *next = block->next;
    if (next != NULL && end_of(block) == (unsigned char *)next) {
        block->bytes += next->bytes;
        block->next = next->next;
    }
}

void mfs_arena_give(struct mfs_arena *arena, struct mfs_lot *lot, void *block, size_t bytes)
{
    size_t cost = mfs_arena_cost(bytes);
    struct mfs_arena_free *given = block;
    mfs_sync_lock_exclusive(lot, &arena->lock);
    MFS_CHECK((unsigned char *)block >= arena->blocks && arena->taken >= cost);
    MFS_CHECK((size_t)((unsigned char *)block - arena->blocks) <= arena->bytes - cost);
    struct mfs_arena_free *before = NULL, *after = arena->first;
    for (; after != NULL && after < given; after = after->next)
        before = after;
    MFS_CHECK(before == NULL || end_of(before) <= (unsigned char *)block);
    MFS_CHECK(after == NULL || (unsigned char *)block + cost <= (unsigned char *)after);
    *given = (struct mfs_arena_free){cost, after};
    join_next(given);
    if (before != NULL) {
        before->next = given;
        join_next(before);
    } else {
        arena->first = given;
    }
    arena->taken -= cost;
    MFS_CHECK_DEEP(mfs_arena_is_valid(arena));
    mfs_sync_unlock_exclusive(lot, &arena->lock);
}

bool mfs_arena_is_valid(const struct mfs_arena *arena)
{
    size_t free_bytes = 0;
    const unsigned char *after = NULL; /* the first address that the next may have */
    for (struct mfs_arena_free *block = arena->first; block != NULL; block = block->next) {
        if ((after != NULL && (unsigned char *)block <= after) ||
            block->bytes % MFS_ARENA_GRANULE != 0)
            return false;
        after = end_of(block);
        free_bytes += block->bytes;
    }
    return after <= arena->blocks + arena->bytes && free_bytes + arena->taken == arena->bytes;
}
