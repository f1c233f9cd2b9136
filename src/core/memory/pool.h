/*
 * The pool of pages: what everything in a file system is made of.
 *
 * A page of data is one page of the pool, with a reference count, and shared by contents.
 * Everything else up to a page (nodes, names, page tables, handles ...) is a piece that is cut
 * from a page (piece.h), and a larger block is a run of adjacent pages.  So any free page
 * serves anything, and whatever is freed can become anything else.
 *
 *     allocator (malloc, hooks, arena)
 *       `- slabs of pages                 slab.h, charged whole
 *            |- pages of data             counted: references and pins
 *            |- pages cut to pieces       piece.h
 *            `- runs of adjacent pages    blocks larger than a piece
 *
 * Slabs grow with the pool, so that a small file system stays small and a large one has few
 * slabs.  When the room under the limit is less than two more of them, the next slab takes all
 * of it: a quota is usable to its last page.  Free pages are used before a new slab is made.
 *
 * A slab without a used page stays for the next use as long as such slabs are few beside what
 * is in use, and goes back to the allocator otherwise, or as soon as the room is needed.
 */
#ifndef MFS_POOL_H
#define MFS_POOL_H

#include "memory/slab.h"
#include "sync/sync.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mfs_memory;

struct mfs_pool {
    struct mfs_memory *memory; /* for the pool's users: where pieces come from; not used here */
    struct mfs_slab_shape shape;
    uint32_t page_size;       /* bytes */
    uint8_t page_shift;       /* its logarithm */
    uint8_t fan_shift;        /* logarithm of the slots in a node of a page table */
    struct mfs_lock twins;    /* before `lock`: see pagetable/twins.h */
    struct mfs_lock lock;     /* guards all below, and the slabs' lists and bits */
    struct mfs_slab *partial; /* slabs with both free and used pages */
    struct mfs_slab *empty;   /* slabs without used pages */
    struct mfs_slab *all;     /* every slab, by a link of its own */
    uint64_t slabs;
    uint64_t pages_total; /* in all slabs */
    uint64_t pages_free;
    uint64_t pages_cut;   /* of the used ones: pieces and runs, not data */
    uint64_t pages_empty; /* of the free ones: in empty slabs */
    uint64_t slab_bytes;  /* what the slabs cost */
    uint64_t empty_bytes; /* what the empty ones of them cost */
    uint64_t block_bytes; /* what blocks straight from the allocator cost */
};

void mfs_pool_init(struct mfs_pool *pool, struct mfs_allocator *allocator, uint32_t page_size);

/* Gives all slabs back.  All pages must have been released, unless `forced`. */
void mfs_pool_fini(struct mfs_pool *pool, bool forced);

/* Gives back all slabs without a used page. */
void mfs_pool_trim(struct mfs_pool *pool);

/*
 * Takes `count` pages of data with uncertain content, each with a count of one, or none.  They are
 * linked through their own bytes in the order in which they lie, the last one with 0.  Free pages
 * that lie in the reserve are there for privileged takers only.
 * Errors: EDQUOT, ENOMEM (recorded).
 */
int mfs_pool_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                  mfs_page *first);

/* Puts back pages that are linked in the same way and whose counts are zero. */
void mfs_pool_put(struct mfs_pool *pool, mfs_page first);

/*
 * Takes `count` adjacent pages, at most the pages of the largest slab, for something else than
 * data; gives them back.  One page is found in constant time; for more, each slab may have to
 * be looked at.  Errors: EDQUOT, ENOMEM (recorded).
 */
int mfs_pool_run_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint32_t count,
                      mfs_page *first);
void mfs_pool_run_give(struct mfs_pool *pool, mfs_page first, uint32_t count);

/*
 * A block straight from the allocator, for what no slab holds; empty slabs go back first where the
 * limit leaves no room.  Errors: EDQUOT, ENOMEM (recorded).
 */
int mfs_pool_block_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, size_t bytes,
                        void **out);
void mfs_pool_block_give(struct mfs_pool *pool, enum mfs_charge_from charge_from, void *block,
                         size_t bytes);

/* No more pages than this can be had; it may be less, since new slabs have headers.  Cheap. */
uint64_t mfs_pool_available(struct mfs_pool *pool, enum mfs_charge_from charge_from);

/* What a refusal of `count` pages says: what they would take, free ones included, and what there is
 * of that. */
void mfs_pool_explain(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                      uint64_t *wanted, uint64_t *available);

/* All that is held from the allocator, at its cost: slabs and blocks. */
uint64_t mfs_pool_held_bytes(struct mfs_pool *pool);

/* The state of the pool at one moment. */
struct mfs_pool_figures {
    uint64_t data_pages, cut_pages, free_pages;
    uint64_t ordinary_bytes; /* of pages that are sure to be had; UINT64_MAX: unlimited */
    uint64_t
        privileged_room; /* bytes under the whole limit if free pages and empty slabs are free */
};

void mfs_pool_figures(struct mfs_pool *pool, struct mfs_pool_figures *out);

/* Recounts the pool from its slabs.  For the audit: nothing else may run meanwhile. */
bool mfs_pool_is_valid(struct mfs_pool *pool);

/* ------------------------------------------------------------- naming pages */

static inline unsigned char *mfs_pool_page_bytes(const struct mfs_pool *pool, mfs_page page)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (unsigned char *)(page & ~(uintptr_t)(pool->shape.alignment - 1u));
}

static inline unsigned mfs_pool_page_index(const struct mfs_pool *pool, mfs_page page)
{
    return (unsigned)(page & (pool->shape.alignment - 1u));
}

static inline struct mfs_slab *mfs_pool_page_slab(const struct mfs_pool *pool, mfs_page page)
{
    size_t before = (size_t)mfs_pool_page_index(pool, page) << pool->page_shift;
    return (struct mfs_slab *)(void *)(mfs_pool_page_bytes(pool, page) - before) - 1;
}

/* References, and pins << 32. */
static inline _Atomic uint64_t *mfs_pool_page_count(const struct mfs_pool *pool, mfs_page page)
{
    return mfs_slab_count(mfs_pool_page_slab(pool, page), mfs_pool_page_index(pool, page));
}

/* Where a page that nobody uses has its link. */
static inline mfs_page *mfs_pool_page_link(const struct mfs_pool *pool, mfs_page page)
{
    return (mfs_page *)(void *)mfs_pool_page_bytes(pool, page);
}

#endif
