/*
 * The content of a small file: one block with a reference count, half a page
 * at most.
 */
#ifndef MFS_SHORT_H
#define MFS_SHORT_H

#include "memory/page.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mfs_short {
    _Atomic uint64_t references; /* above one: not written */
    uint32_t capacity;           /* bytes; those behind the file's size are zeros, unless stale */
    unsigned char bytes[];
};

/* The largest content that can be short. */
static inline uint64_t mfs_short_max(const struct mfs_pool *pool)
{
    return pool->page_size / 2;
}

/* Makes one with room for `bytes`, zeroed.  Errors: EDQUOT, ENOMEM. */
int mfs_short_create(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t bytes,
                     struct mfs_short **out);
void mfs_short_retain(struct mfs_short *content);
void mfs_short_release(struct mfs_pool *pool, struct mfs_short *content);

/* Whether only the caller's content refers to it, so that it may be written. */
static inline bool mfs_short_is_exclusive(const struct mfs_short *content)
{
    return atomic_load_explicit(&content->references, memory_order_acquire) == 1;
}

/* For the audit: marks it and says whether it was not marked before. */
bool mfs_short_mark(struct mfs_short *content);
void mfs_short_unmark(struct mfs_short *content);

/* What it takes from the allocator. */
uint64_t mfs_short_cost(const struct mfs_pool *pool, const struct mfs_short *content);

#endif
