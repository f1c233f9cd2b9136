/*
 * An allocator inside memory that the caller gave: for devices without a heap.
 *
 * The memory is cut into granules of 16 bytes and a bitmap says which are
 * taken.  Blocks have no headers (who frees knows the size), neighbours join by
 * themselves, and what a block costs is its size rounded up to granules.
 *
 *     base                                                        base + bytes
 *     | struct mfs_arena | bitmap | granule | granule | ...              |
 *
 * Small blocks are taken from the low end and large ones (slabs of pages) from
 * the high end, so that they do not cut up each other's room.
 */
#ifndef MFS_ARENA_H
#define MFS_ARENA_H

#include "sync/sync.h"

#include <stddef.h>
#include <stdint.h>

enum { MFS_ARENA_GRANULE = 16 };

struct mfs_arena {
    struct mfs_lock lock; /* a leaf: guards all below */
    size_t granules;
    size_t words;           /* of the bitmap; bits past `granules` are set */
    size_t first_free_word; /* no word below has a free bit */
    size_t taken;           /* granules */
    size_t overhead_bytes;  /* what this struct and the bitmap take */
    unsigned char *blocks;  /* granule 0 */
    uint64_t bitmap[];      /* 1: taken */
};

/* Makes an arena in `memory`.  Null if it is too small to hold anything. */
struct mfs_arena *mfs_arena_create(void *memory, size_t bytes);

/* Memory aligned to a granule, or null.  Errors: none beyond that. */
void *mfs_arena_take(struct mfs_arena *arena, struct mfs_lot *lot, size_t bytes);
void mfs_arena_give(struct mfs_arena *arena, struct mfs_lot *lot, void *block, size_t bytes);

static inline size_t mfs_arena_cost(size_t bytes)
{
    size_t granule = MFS_ARENA_GRANULE;
    return bytes > SIZE_MAX - granule ? SIZE_MAX : (bytes + granule - 1) & ~(granule - 1);
}

#endif
