/*
 * 1. A count is references plus pins << 32, for the audit also a mark.  It moves without a lock;
 *    the one call that brings it to zero puts the page back, since no other can reach the page
 *    any more.
 * 2. The pages of a list have one reference, the list's.
 */
#include "memory/page.h"

#include "base/check.h"
#include "base/pause.h"
#include "memory/refusal.h"

#define ONE_PIN ((uint64_t)1 << 32)
#define PAGE_MARK ((uint64_t)1 << 63)

int mfs_page_pool_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                       struct mfs_page_list *out)
{
    *out = (struct mfs_page_list){0};
    if (count == 0)
        return 0;
    int error = mfs_pool_take(pool, charge_from, count, &out->first);
    if (error == 0) {
        out->count = count;
        mfs_refusal_take(count << pool->page_shift);
    } else {
        out->first = 0;
    }
    return error;
}

mfs_page mfs_page_list_pop(const struct mfs_pool *pool, struct mfs_page_list *list)
{
    MFS_CHECK(list->count != 0 && list->first != 0);
    mfs_page page = list->first;
    list->first = *mfs_pool_page_link(pool, page);
    list->count--;
    return page;
}

void mfs_page_list_release(struct mfs_pool *pool, struct mfs_page_list *list)
{
    for (mfs_page page = list->first; page != 0; page = *mfs_pool_page_link(pool, page)) {
        MFS_CHECK(atomic_load_explicit(mfs_pool_page_count(pool, page), memory_order_relaxed) == 1);
        atomic_store_explicit(mfs_pool_page_count(pool, page), 0, memory_order_relaxed);
    }
    if (list->first != 0)
        mfs_pool_put(pool, list->first);
    mfs_refusal_give(list->count << pool->page_shift);
    *list = (struct mfs_page_list){0};
}

void mfs_page_retain(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_add_explicit(mfs_pool_page_count(pool, page), 1,
                                                memory_order_relaxed);
    MFS_CHECK((uint32_t)before != 0 && (uint32_t)before != UINT32_MAX);
}

static void free_page(struct mfs_pool *pool, mfs_page page)
{
    *mfs_pool_page_link(pool, page) = 0;
    mfs_pool_put(pool, page);
}

/* True if that was the last reference and no pin is left: no other thread can reach the page. */
static bool drop_reference(const struct mfs_pool *pool, mfs_page page)
{
    _Atomic uint64_t *count = mfs_pool_page_count(pool, page);
    if (atomic_load_explicit(count, memory_order_acquire) == 1) {
        atomic_store_explicit(count, 0, memory_order_relaxed);
        return true;
    }
    MFS_PAUSE("page: shared");
    uint64_t before = atomic_fetch_sub_explicit(count, 1, memory_order_acq_rel);
    MFS_CHECK((uint32_t)before != 0);
    return before == 1;
}

void mfs_page_release(struct mfs_pool *pool, mfs_page page)
{
    if (drop_reference(pool, page))
        free_page(pool, page);
}

void mfs_page_release_many(struct mfs_pool *pool, const mfs_page *pages, uint64_t count)
{
    mfs_page freed = 0;
    for (; count > 0; pages++) {
        if (*pages == 0)
            continue;
        if (drop_reference(pool, *pages)) {
            *mfs_pool_page_link(pool, *pages) = freed;
            freed = *pages;
        }
        count--;
    }
    if (freed != 0)
        mfs_pool_put(pool, freed);
}

void mfs_page_pin(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_add_explicit(mfs_pool_page_count(pool, page), ONE_PIN,
                                                memory_order_relaxed);
    MFS_CHECK((uint32_t)before != 0 && before + ONE_PIN < PAGE_MARK);
}

void mfs_page_unpin(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_sub_explicit(mfs_pool_page_count(pool, page), ONE_PIN,
                                                memory_order_acq_rel);
    MFS_CHECK(before >= ONE_PIN);
    if (before == ONE_PIN)
        free_page(pool, page);
}

bool mfs_page_mark(const struct mfs_pool *pool, mfs_page page)
{
    return (atomic_fetch_or(mfs_pool_page_count(pool, page), PAGE_MARK) & PAGE_MARK) == 0;
}

void mfs_page_unmark(const struct mfs_pool *pool, mfs_page page)
{
    (void)atomic_fetch_and(mfs_pool_page_count(pool, page), ~PAGE_MARK);
}

uint32_t mfs_page_references(const struct mfs_pool *pool, mfs_page page)
{
    return (uint32_t)atomic_load(mfs_pool_page_count(pool, page));
}
