/*
 * An allocator inside memory that the caller gave: for devices without a heap.
 *
 * It serves slabs of pages, blocks that are larger than a slab, and the instance: few
 * requests, most of them large.  Free blocks are linked in order of their addresses through
 * their own first bytes, and neighbours are joined.  Blocks that are taken have no header:
 * every `give` knows the size.
 *
 *     base                                                              base + bytes
 *     | struct mfs_arena | taken | free: size, next | taken | free: size, 0        |
 *                                        '----------------->
 *
 * The cost in memory is the struct; what was never taken is never touched, but for the first
 * bytes of a free block.  A block is taken from the lowest free block that is large enough,
 * so that what was never used stays in one piece at the end.
 */
#ifndef MFS_ARENA_H
#define MFS_ARENA_H

#include "sync/sync.h"

#include <stddef.h>
#include <stdint.h>

enum { MFS_ARENA_GRANULE = 16 };

struct mfs_arena_free {
    size_t bytes;
    struct mfs_arena_free *next; /* at a higher address, with something taken in between */
};

struct mfs_arena {
    struct mfs_lock lock; /* a leaf: guards all below */
    struct mfs_arena_free *first;
    unsigned char *blocks; /* behind this struct */
    size_t bytes;          /* from `blocks` on, a multiple of the granule */
    size_t taken;          /* bytes */
    size_t overhead_bytes; /* before `blocks` */
};

/* Makes an arena in `memory`.  Null if it is too small to hold anything. */
struct mfs_arena *mfs_arena_create(void *memory, size_t bytes);

/* Memory aligned to a granule, or null.  Errors: none beyond that. */
void *mfs_arena_take(struct mfs_arena *arena, struct mfs_lot *lot, size_t bytes);
void mfs_arena_give(struct mfs_arena *arena, struct mfs_lot *lot, void *block, size_t bytes);

/* Whether the list of free blocks is in order, without overlaps, and adds up.  Walks it. */
bool mfs_arena_is_valid(const struct mfs_arena *arena);

static inline size_t mfs_arena_cost(size_t bytes)
{
    size_t granule = MFS_ARENA_GRANULE;
    return bytes > SIZE_MAX - granule ? SIZE_MAX : (bytes + granule - 1) & ~(granule - 1);
}

#endif
