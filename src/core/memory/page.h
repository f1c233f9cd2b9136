/*
 * Pages of data: the unit of storage and of sharing, with a reference count each.
 *
 * References are held by page tables, pins by mappings.  A page is free when it has neither.
 * A page with one reference may be written by its holder, pinned or not.
 *
 * Pages come from the pool and go back to it with the last reference or pin.
 */
#ifndef MFS_PAGE_H
#define MFS_PAGE_H

#include "memory/pool.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Pages that belong to nobody yet. */
struct mfs_page_list {
    mfs_page first; /* linked as mfs_pool_take() does it */
    uint64_t count;
};

/*
 * Takes `count` pages, with uncertain content and one reference each, or none.
 * Errors: EDQUOT, ENOMEM (recorded).
 */
int mfs_page_pool_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                       struct mfs_page_list *out);
mfs_page mfs_page_list_pop(const struct mfs_pool *pool, struct mfs_page_list *list);
void mfs_page_list_release(struct mfs_pool *pool, struct mfs_page_list *list);

void mfs_page_retain(struct mfs_pool *pool, mfs_page page);
void mfs_page_release(struct mfs_pool *pool, mfs_page page);

/* The same for `count` pages that are in an array with gaps (0); the pool is locked once. */
void mfs_page_release_many(struct mfs_pool *pool, const mfs_page *pages, uint64_t count);
void mfs_page_pin(struct mfs_pool *pool, mfs_page page);
void mfs_page_unpin(struct mfs_pool *pool, mfs_page page);

static inline bool mfs_page_is_exclusive(const struct mfs_pool *pool, mfs_page page)
{
    return (uint32_t)atomic_load_explicit(mfs_pool_page_count(pool, page), memory_order_acquire) ==
           1;
}

/* For the audit: marks a page and says whether it was not marked before; the references it has. */
bool mfs_page_mark(const struct mfs_pool *pool, mfs_page page);
void mfs_page_unmark(const struct mfs_pool *pool, mfs_page page);
uint32_t mfs_page_references(const struct mfs_pool *pool, mfs_page page);

#endif
