/*
 * A slab: a block from the allocator, cut into pages, with a count for each.
 *
 *     block                                         page 0         page 1
 *     | padding | count n-1 ... count 0 | mfs_slab | page bytes   | page bytes   | ...
 *
 * A page is named by one word (mfs_page): the address of its bytes, which is a multiple of the
 * shape's alignment, with its index in the slab in the low bits that this leaves free.  From
 * that the slab, and in it the page's count, are found without any lookup.
 *
 * Slabs have any number of pages up to `most`.  In a small one the pages are aligned just so
 * far that the index fits; in one of at least MFS_SLAB_ALIGNED_PAGES they are aligned to their
 * own size, so that a page of 4096 bytes is one page of the host.  The largest slab fills a
 * region, where the allocator has regions.
 */
#ifndef MFS_SLAB_H
#define MFS_SLAB_H

#include "memory/allocator.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t mfs_page; /* 0: none */

enum { MFS_SLAB_PAGES_MAX = 512, MFS_SLAB_ALIGNED_PAGES = 64 };
#define MFS_SLAB_NO_INDEX UINT32_MAX

/* What all slabs of one pool have in common. */
struct mfs_slab_shape {
    struct mfs_allocator *allocator;
    uint8_t page_shift;    /* logarithm of a page's bytes */
    uint16_t alignment;    /* of pages, in bytes; more than any index */
    uint16_t most;         /* pages of a slab */
    uint16_t region_pages; /* pages of a slab that is a region; 0: there are no regions */
};

struct mfs_slab {
    struct mfs_slab *previous, *next; /* in one of the pool's lists */
    struct mfs_slab *previous_of_all, *next_of_all;
    void *block; /* what the allocator gave */
    size_t block_bytes;
    uint32_t pages, free_pages;
    uint64_t free_bits[MFS_SLAB_PAGES_MAX / 64];
};

void mfs_slab_shape_init(struct mfs_slab_shape *shape, struct mfs_allocator *allocator,
                         uint32_t page_size);

/* What a slab of so many pages costs.  Grows with the number. */
uint64_t mfs_slab_cost(const struct mfs_slab_shape *shape, uint32_t pages);

/* The number of pages of the largest slab that costs no more than `room`; 0 if none does. */
uint32_t mfs_slab_pages_within(const struct mfs_slab_shape *shape, uint64_t room);

/* A slab of free pages, in no list.  Nothing is recorded.  Errors: EDQUOT, ENOMEM. */
int mfs_slab_create(const struct mfs_slab_shape *shape, enum mfs_charge_from charge_from,
                    uint32_t pages, struct mfs_slab **out);
void mfs_slab_destroy(const struct mfs_slab_shape *shape, struct mfs_slab *slab);

/* The first of the lowest `count` adjacent free pages, or MFS_SLAB_NO_INDEX. */
uint32_t mfs_slab_find(const struct mfs_slab *slab, uint32_t count);

/* Take pages that are free, each with a count of one; put back pages whose counts are zero. */
void mfs_slab_take(const struct mfs_slab_shape *shape, struct mfs_slab *slab, uint32_t first,
                   uint32_t count);
void mfs_slab_put(const struct mfs_slab_shape *shape, struct mfs_slab *slab, uint32_t first,
                  uint32_t count);

static inline unsigned char *mfs_slab_bytes(const struct mfs_slab_shape *shape,
                                            struct mfs_slab *slab, uint32_t index)
{
    return (unsigned char *)(slab + 1) + ((size_t)index << shape->page_shift);
}

static inline mfs_page mfs_slab_page(const struct mfs_slab_shape *shape, struct mfs_slab *slab,
                                     uint32_t index)
{
    return (uintptr_t)mfs_slab_bytes(shape, slab, index) | index;
}

/* References, and pins << 32. */
static inline _Atomic uint64_t *mfs_slab_count(struct mfs_slab *slab, uint32_t index)
{
    return (_Atomic uint64_t *)(void *)slab - 1 - index;
}

/* Whether the bits say what the counts say.  Walks all pages. */
bool mfs_slab_is_valid(struct mfs_slab *slab);

#endif
