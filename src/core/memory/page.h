/*
 * Pages: the unit of storage and of sharing, with a reference count each.
 *
 * Pages come from slabs of up to 256, because asking an allocator for one page
 * at a time can cost twice its size.  A reference to a page is one word: the
 * address of its bytes, which is a multiple of 64 (256 for larger pages), with
 * its index in the slab in the low bits that this leaves.  From that the slab,
 * and in it the page's count, are found without any lookup:
 *
 *     block                                       page 0         page 1
 *     | padding | count n-1 ... count 0 | struct | 4096 bytes | 4096 bytes | ...
 *                                        mfs_slab
 *
 * The slab's size follows the number of pages there are, so that a small file
 * system stays small, and shrinks as the quota gets near, so that a small quota
 * can be used to its last page.  Free pages of any slab are used before a new
 * one is made.  Slabs that are all free stay for the next use as long as they are
 * few beside what is in use, and go back to the allocator otherwise, or as soon
 * as memory is short: so what fitted once fits again.
 */
#ifndef MFS_PAGE_H
#define MFS_PAGE_H

#include "memory/memory.h"
#include "sync/sync.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t mfs_page; /* 0: none */

struct mfs_slab;

struct mfs_pool {
    struct mfs_memory *memory;
    uint32_t page_size;       /* bytes */
    uint8_t page_shift;       /* its logarithm */
    uint8_t fan_shift;        /* logarithm of the slots in a node of a page table */
    uint16_t alignment;       /* of pages, in bytes; one more than the largest index in a slab */
    uint16_t header_bytes;    /* of a slab, so that the pages behind it keep their alignment */
    struct mfs_lock twins;    /* before `lock`: see pagetable/twins.h */
    struct mfs_lock lock;     /* a leaf: guards all below, and the slabs' lists and bits */
    struct mfs_slab *partial; /* slabs with both free and used pages */
    struct mfs_slab *empty;   /* slabs without used pages */
    struct mfs_slab *all;     /* every slab, by a link of its own */
    uint64_t slabs;
    uint64_t pages_total; /* in all slabs */
    uint64_t pages_free;
    uint64_t slab_bytes;  /* what the slabs cost */
    uint64_t empty_bytes; /* what the empty ones of them cost */
};

void mfs_page_pool_init(struct mfs_pool *pool, struct mfs_memory *memory, uint32_t page_size);

/* Gives all slabs back.  All pages must have been released, unless `forced`. */
void mfs_page_pool_fini(struct mfs_pool *pool, bool forced);

/* Gives back all slabs without a used page. */
void mfs_page_pool_trim(struct mfs_pool *pool);

/* Gives one of them back, if all of them together would make room for the charge. */
bool mfs_page_pool_reclaim(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                           uint64_t wanted_bytes);

/* Pages that belong to nobody yet, linked through their own bytes. */
struct mfs_page_list {
    mfs_page first;
    uint64_t count;
};

/*
 * Takes `count` pages, with uncertain content and one reference each, or none.
 * Free pages that lie in the reserve are there for privileged takers only.
 * Errors: EDQUOT, ENOMEM (recorded).
 */
int mfs_page_pool_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                       struct mfs_page_list *out);
mfs_page mfs_page_list_pop(const struct mfs_pool *pool, struct mfs_page_list *list);
void mfs_page_list_release(struct mfs_pool *pool, struct mfs_page_list *list);

/* How many pages could be had at most. */
uint64_t mfs_page_pool_available(struct mfs_pool *pool, enum mfs_charge_from charge_from);

static inline unsigned char *mfs_page_bytes(const struct mfs_pool *pool, mfs_page page)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    return (unsigned char *)(page & ~(uintptr_t)(pool->alignment - 1u));
}

static inline unsigned mfs_page_index(const struct mfs_pool *pool, mfs_page page)
{
    return (unsigned)(page & (pool->alignment - 1u));
}

static inline struct mfs_slab *mfs_page_slab(const struct mfs_pool *pool, mfs_page page)
{
    size_t before = (size_t)mfs_page_index(pool, page) << pool->page_shift;
    return (struct mfs_slab *)(void *)(mfs_page_bytes(pool, page) - before - pool->header_bytes);
}

/* References, and pins << 32. */
static inline _Atomic uint64_t *mfs_page_count(const struct mfs_pool *pool, mfs_page page)
{
    return (_Atomic uint64_t *)(void *)mfs_page_slab(pool, page) - 1 - mfs_page_index(pool, page);
}

/*
 * References are held by page tables, pins by mappings.  A page is free when it
 * has neither.  A page with one reference may be written by its holder, pinned
 * or not.
 */
void mfs_page_retain(struct mfs_pool *pool, mfs_page page);
void mfs_page_release(struct mfs_pool *pool, mfs_page page);

/* The same for `count` pages that are in an array with gaps (0); the lock is taken once. */
void mfs_page_release_many(struct mfs_pool *pool, const mfs_page *pages, uint64_t count);
void mfs_page_pin(struct mfs_pool *pool, mfs_page page);
void mfs_page_unpin(struct mfs_pool *pool, mfs_page page);

static inline bool mfs_page_is_exclusive(const struct mfs_pool *pool, mfs_page page)
{
    return (uint32_t)atomic_load_explicit(mfs_page_count(pool, page), memory_order_acquire) == 1;
}

/* For the audit: marks a page and says whether it was not marked before; the references it has. */
bool mfs_page_mark(const struct mfs_pool *pool, mfs_page page);
void mfs_page_unmark(const struct mfs_pool *pool, mfs_page page);
uint32_t mfs_page_references(const struct mfs_pool *pool, mfs_page page);

#endif
