/*
 * A short: the content of a small file, one block of at most half a page, with a reference count.
 */
#ifndef MFS_SHORT_H
#define MFS_SHORT_H

#include "memory/page.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mfs_short {
    _Atomic uint64_t references; /* while above one, the bytes are not written */
    uint32_t capacity;           /* the number of bytes, of which the file's size may be less */
    unsigned char bytes[];
};

/* The largest capacity. */
static inline uint64_t mfs_short_max(const struct mfs_pool *pool)
{
    return pool->page_size / 2;
}

/* Makes a short with a capacity of `bytes` or more, all zeros.  Errors: EDQUOT, ENOMEM. */
int mfs_short_create(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t bytes,
                     struct mfs_short **out);
void mfs_short_retain(struct mfs_short *content);
void mfs_short_release(struct mfs_pool *pool, struct mfs_short *content);

/* Whether only the caller's content refers to it, so that it may be written. */
static inline bool mfs_short_is_exclusive(const struct mfs_short *content)
{
    return atomic_load_explicit(&content->references, memory_order_acquire) == 1;
}

/* For the audit: marks a short; true if it was not marked before. */
bool mfs_short_mark(struct mfs_short *content);
void mfs_short_unmark(struct mfs_short *content);

/* The bytes that a short takes from the allocator. */
uint64_t mfs_short_cost(const struct mfs_pool *pool, const struct mfs_short *content);

#endif
