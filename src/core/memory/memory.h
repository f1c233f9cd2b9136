/*
 * Memory for everything that is no page of data, charged by class.
 *
 * Where a block comes from follows from its size alone, so that giving it back needs no more
 * than the size:
 *
 *     up to mfs_memory_piece_most()   a piece of a page        piece.h
 *     up to the largest slab          adjacent pages           pool.h
 *     larger                          straight from the allocator
 *
 * A piece is sure to be had as long as a page is.  The others need adjacent room, which may be
 * missing though there are pages enough; so what must not fail for that is built of pieces.
 *
 * The first block, if it is small, lies in the starter: the rest of the instance's own block.
 * That is the root directory, and a file system without files thus has no slab.
 */
#ifndef MFS_MEMORY_H
#define MFS_MEMORY_H

#include "memory/allocator.h"
#include "memory/piece.h"
#include "memory/pool.h"
#include "sync/sync.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stddef.h>

struct mfs_memory {
    struct mfs_ledger ledger;
    struct mfs_lot *lot;
    struct mfs_allocator allocator;
    struct mfs_pool *pool;
    struct mfs_pieces pieces;
    unsigned char *starter; /* null: none */
    size_t starter_bytes;
    bool starter_is_free; /* at first: it serves once */
    bool is_unpooled;     /* all but pages comes straight from the allocator */
};

/* What memory is made on. */
struct mfs_memory_base {
    struct mfs_lot *lot;
    memfs_allocator hooks;   /* all null: malloc, or the arena */
    struct mfs_arena *arena; /* null: none */
    struct mfs_guard *guard; /* null: none */
    uint64_t limit;
    uint32_t page_size;
    bool is_unpooled; /* for programs that watch the allocator: see MEMFS_CREATE_UNPOOLED */
};

/* Both must stay where they are. */
void mfs_memory_init(struct mfs_memory *memory, struct mfs_pool *pool,
                     const struct mfs_memory_base *base);

/* Gives the slabs back.  All blocks must have been given back, unless `forced`. */
void mfs_memory_fini(struct mfs_memory *memory, bool forced);

/*
 * Takes `bytes` (not zeroed, aligned to 8) and charges what they cost to `class`; as ordinary
 * data, if no source is given.  Errors: EDQUOT, ENOMEM; then the refusal has been recorded.
 * Threads: any.
 */
int mfs_memory_take(struct mfs_memory *memory, size_t bytes, enum memfs_class class, void **out);
int mfs_memory_take_as(struct mfs_memory *memory, enum mfs_charge_from charge_from, size_t bytes,
                       enum memfs_class class, void **out);
void mfs_memory_give(struct mfs_memory *memory, void *block, size_t bytes, enum memfs_class class);

/* What `bytes` take of a page, of adjacent pages or of the allocator; SIZE_MAX on overflow. */
size_t mfs_memory_cost(const struct mfs_memory *memory, size_t bytes);

/* The largest block that is a piece of one page. */
static inline size_t mfs_memory_piece_most(const struct mfs_memory *memory)
{
    return mfs_piece_most(memory->pool);
}

/* Whether pieces, pages and slabs add up.  For the audit: nothing else may run meanwhile. */
bool mfs_memory_is_valid(struct mfs_memory *memory);

#endif
