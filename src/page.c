/*
 * 1. A slab with a free page is on the list `partial` or is `spare`; a full one
 *    is on no list.  The spare has no used page, and neither may a slab in
 *    `partial` that was made for a large request and then not needed.
 * 2. A bit in `free_bits` is set exactly while the page's count is zero.
 * 3. pages_free is the number of those bits over all slabs.
 * 4. A count is references plus pins << 32.  It moves without the lock; only
 *    who brings it to zero takes the lock and frees the page, once.
 *
 * Taking n pages takes the lock once; releasing takes it once a page.
 */
#include "page.h"

#include "check.h"
#include "num.h"

#include <string.h>

enum { SLAB_PAGES_MAX = 64, DATA_ALIGNMENT = 64, SLAB_PAGES_FIRST = 4 };
#define SLAB_BYTES_MAX ((size_t)1 << 20)
#define ONE_PIN ((uint64_t)1 << 32)
#define MARK ((uint64_t)1 << 63)

struct mfs_slab {
    struct mfs_slab *previous, *next; /* in `partial` */
    struct mfs_slab *previous_of_all, *next_of_all;
    void *block; /* what the allocator gave */
    size_t block_bytes;
    uint64_t free_bits;
    uint32_t pages;
};

/* Keeps the pages that follow at their alignment. */
#define SLAB_HEADER_BYTES \
    ((sizeof(struct mfs_slab) + DATA_ALIGNMENT - 1) & ~(size_t)(DATA_ALIGNMENT - 1))

static unsigned page_index(mfs_page page)
{
    return (unsigned)(page & 63);
}

static struct mfs_slab *slab_of(const struct mfs_pool *pool, mfs_page page)
{
    unsigned char *first = mfs_page_bytes(page) - ((size_t)page_index(page) << pool->page_shift);
    return (void *)(first - SLAB_HEADER_BYTES);
}

static _Atomic uint64_t *count_at(struct mfs_slab *slab, unsigned index)
{
    return (_Atomic uint64_t *)(void *)slab - 1 - index;
}

static _Atomic uint64_t *count_of(const struct mfs_pool *pool, mfs_page page)
{
    return count_at(slab_of(pool, page), page_index(page));
}

static uint64_t all_bits(uint32_t pages)
{
    return pages == 64 ? UINT64_MAX : ((uint64_t)1 << pages) - 1;
}

void mfs_pool_init(struct mfs_pool *pool, struct mfs_memory *memory, uint32_t page_size)
{
    MFS_CHECK(mfs_is_power_of_two(page_size));
    *pool = (struct mfs_pool){0};
    pool->memory = memory;
    pool->page_size = page_size;
    pool->page_shift = (uint8_t)mfs_log2(page_size);
    /* A page table's node takes an eighth of a page, 64 slots at most, 8 at least. */
    pool->fan_shift = (uint8_t)mfs_min_size(6, mfs_max_size(3, pool->page_shift - 6u));
}

/* ------------------------------------------------------------------- slabs */

static size_t slab_block_bytes(const struct mfs_pool *pool, uint32_t pages)
{
    return pages * sizeof(uint64_t) + SLAB_HEADER_BYTES + ((size_t)pages << pool->page_shift) +
           DATA_ALIGNMENT;
}

static void unlink_partial(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        pool->partial = slab->next;
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    slab->previous = slab->next = NULL;
}

static void link_partial(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
    slab->previous = NULL;
    slab->next = pool->partial;
    if (slab->next != NULL)
        slab->next->previous = slab;
    pool->partial = slab;
}

/* Makes a slab of free pages and puts it in front of the list. */
static int add_slab(struct mfs_pool *pool, uint32_t pages) MFS_REQUIRES(pool->lock)
{
    size_t bytes = slab_block_bytes(pool, pages);
    void *block;
    int error = mfs_memory_take_raw(pool->memory, bytes, &block);
    if (error != 0)
        return error;
    uintptr_t after_counts = (uintptr_t)block + pages * sizeof(uint64_t);
    uintptr_t padding = -after_counts & (DATA_ALIGNMENT - 1);
    struct mfs_slab *slab = (void *)((unsigned char *)block + pages * sizeof(uint64_t) + padding);
    *slab = (struct mfs_slab){0};
    slab->block = block;
    slab->block_bytes = bytes;
    slab->pages = pages;
    slab->free_bits = all_bits(pages);
    for (unsigned i = 0; i < pages; i++)
        atomic_init(count_at(slab, i), 0);
    link_partial(pool, slab);
    slab->next_of_all = pool->all;
    if (slab->next_of_all != NULL)
        slab->next_of_all->previous_of_all = slab;
    pool->all = slab;
    pool->slabs++;
    pool->pages_total += pages;
    pool->pages_free += pages;
    pool->slab_bytes += mfs_memory_cost(pool->memory, bytes);
    return 0;
}

/* Gives a slab that is not in `partial` to the allocator. */
static void drop_slab(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
    if (slab->previous_of_all != NULL)
        slab->previous_of_all->next_of_all = slab->next_of_all;
    else
        pool->all = slab->next_of_all;
    if (slab->next_of_all != NULL)
        slab->next_of_all->previous_of_all = slab->previous_of_all;
    pool->slabs--;
    pool->pages_total -= slab->pages;
    pool->pages_free -= (uint64_t)__builtin_popcountll(slab->free_bits);
    pool->slab_bytes -= mfs_memory_cost(pool->memory, slab->block_bytes);
    mfs_memory_give_raw(pool->memory, slab->block, slab->block_bytes);
}

static void drop_spare(struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *spare = pool->spare;
    pool->spare = NULL;
    if (spare != NULL)
        drop_slab(pool, spare);
}

void mfs_pool_trim(struct mfs_pool *pool)
{
    mfs_lock_exclusive(pool->memory->lot, &pool->lock);
    drop_spare(pool);
    for (struct mfs_slab *slab = pool->partial, *next; slab != NULL; slab = next) {
        next = slab->next;
        if (slab->free_bits == all_bits(slab->pages)) {
            unlink_partial(pool, slab);
            drop_slab(pool, slab);
        }
    }
    mfs_unlock_exclusive(pool->memory->lot, &pool->lock);
}

void mfs_pool_fini(struct mfs_pool *pool, bool forced)
{
    mfs_pool_trim(pool);
    MFS_CHECK(forced || pool->all == NULL);
    mfs_lock_exclusive(pool->memory->lot, &pool->lock);
    while (pool->all != NULL)
        drop_slab(pool, pool->all);
    mfs_unlock_exclusive(pool->memory->lot, &pool->lock);
}

/* How large the next slab should be when `needed` pages are missing. */
static uint32_t slab_pages_wanted(const struct mfs_pool *pool, uint64_t needed)
    MFS_REQUIRES(pool->lock)
{
    uint64_t most = mfs_min_u64(SLAB_PAGES_MAX, mfs_max_u64(1, SLAB_BYTES_MAX >> pool->page_shift));
    uint64_t needed_now = mfs_min_u64(needed, most);
    uint64_t usual = mfs_max_u64(SLAB_PAGES_FIRST, pool->pages_total / 4);
    /* As the quota gets near, do not bind in free pages what names and nodes may want. */
    uint64_t near = mfs_ledger_available(&pool->memory->ledger) / 16 >> pool->page_shift;
    uint64_t wanted = mfs_max_u64(needed_now, mfs_min_u64(usual, near));
    return (uint32_t)mfs_min_u64(most, wanted);
}

/* Makes slabs until `needed` pages are free.  Nothing is recorded. */
static int grow(struct mfs_pool *pool, uint64_t needed) MFS_REQUIRES(pool->lock)
{
    while (pool->pages_free < needed) {
        uint32_t pages = slab_pages_wanted(pool, needed - pool->pages_free);
        int error;
        while ((error = add_slab(pool, pages)) != 0 && pages > 1)
            pages /= 2;
        if (error != 0)
            return error;
    }
    return 0;
}

/* ------------------------------------------------------------------- pages */

static mfs_page *link_in(mfs_page page)
{
    return (mfs_page *)(void *)mfs_page_bytes(page);
}

/* Takes one free page, of which there is one. */
static mfs_page take_one(struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab = pool->partial;
    if (slab == NULL) {
        slab = pool->spare;
        pool->spare = NULL;
        link_partial(pool, slab);
    }
    unsigned index = (unsigned)__builtin_ctzll(slab->free_bits);
    slab->free_bits &= slab->free_bits - 1;
    if (slab->free_bits == 0)
        unlink_partial(pool, slab);
    pool->pages_free--;
    MFS_CHECK(atomic_load_explicit(count_at(slab, index), memory_order_relaxed) == 0);
    atomic_store_explicit(count_at(slab, index), 1, memory_order_relaxed);
    unsigned char *first = (unsigned char *)slab + SLAB_HEADER_BYTES;
    return (uintptr_t)(first + ((size_t)index << pool->page_shift)) | index;
}

/* Puts a page whose count is zero back. */
static void put_one(struct mfs_pool *pool, mfs_page page) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab = slab_of(pool, page);
    uint64_t bit = (uint64_t)1 << page_index(page);
    MFS_CHECK((slab->free_bits & bit) == 0);
    if (slab->free_bits == 0)
        link_partial(pool, slab);
    slab->free_bits |= bit;
    pool->pages_free++;
    if (slab->free_bits != all_bits(slab->pages))
        return;
    unlink_partial(pool, slab);
    /* Keep the larger of two empty slabs: it took longer to get. */
    if (pool->spare != NULL && pool->spare->pages > slab->pages) {
        drop_slab(pool, slab);
        return;
    }
    drop_spare(pool);
    pool->spare = slab;
}

/* Gives back the slabs that a refused mfs_pool_take() has made: they are in front, unused. */
static void ungrow(struct mfs_pool *pool, uint64_t slabs_before) MFS_REQUIRES(pool->lock)
{
    while (pool->slabs > slabs_before) {
        struct mfs_slab *slab = pool->partial;
        unlink_partial(pool, slab);
        drop_slab(pool, slab);
    }
}

static int take_locked(struct mfs_pool *pool, uint64_t count, struct mfs_page_list *out)
    MFS_REQUIRES(pool->lock)
{
    uint64_t slabs_before = pool->slabs;
    /* What cannot fit is refused before anything is taken. */
    uint64_t missing = mfs_sub_saturating(count, pool->pages_free);
    if (mfs_mul_saturating(missing, pool->page_size) > mfs_ledger_available(&pool->memory->ledger))
        return MEMFS_EDQUOT;
    int error = grow(pool, count);
    if (error != 0) {
        ungrow(pool, slabs_before);
        return error;
    }
    for (uint64_t i = 0; i < count; i++) {
        mfs_page page = take_one(pool);
        *link_in(page) = out->first;
        out->first = page;
        out->count++;
    }
    return 0;
}

/* Reverses the list, so that a file's pages lie in the order of a slab. */
static void reverse(struct mfs_page_list *list)
{
    mfs_page reversed = 0;
    while (list->first != 0) {
        mfs_page page = list->first;
        list->first = *link_in(page);
        *link_in(page) = reversed;
        reversed = page;
    }
    list->first = reversed;
}

int mfs_pool_take(struct mfs_pool *pool, uint64_t count, struct mfs_page_list *out)
{
    struct mfs_memory *memory = pool->memory;
    *out = (struct mfs_page_list){0};
    if (count == 0)
        return 0;
    mfs_lock_exclusive(memory->lot, &pool->lock);
    int error = take_locked(pool, count, out);
    mfs_unlock_exclusive(memory->lot, &pool->lock);
    if (error != 0)
        return mfs_ledger_refused(&memory->ledger, memory->lot, error,
                                  mfs_mul_saturating(count, pool->page_size),
                                  mfs_ledger_available(&memory->ledger));
    mfs_ledger_use(&memory->ledger, MEMFS_CLASS_DATA, count << pool->page_shift);
    reverse(out);
    return 0;
}

mfs_page mfs_page_list_pop(struct mfs_page_list *list)
{
    MFS_CHECK(list->count != 0 && list->first != 0);
    mfs_page page = list->first;
    list->first = *link_in(page);
    list->count--;
    return page;
}

void mfs_page_list_release(struct mfs_pool *pool, struct mfs_page_list *list)
{
    while (list->count != 0)
        mfs_page_release(pool, mfs_page_list_pop(list));
}

uint64_t mfs_pool_available(struct mfs_pool *pool)
{
    mfs_lock_exclusive(pool->memory->lot, &pool->lock);
    uint64_t pages = pool->pages_free;
    mfs_unlock_exclusive(pool->memory->lot, &pool->lock);
    return mfs_add_saturating(pages,
                              mfs_ledger_available(&pool->memory->ledger) >> pool->page_shift);
}

void mfs_page_retain(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_add_explicit(count_of(pool, page), 1, memory_order_relaxed);
    MFS_CHECK((uint32_t)before != 0 && (uint32_t)before != UINT32_MAX);
}

static void free_page(struct mfs_pool *pool, mfs_page page)
{
    mfs_lock_exclusive(pool->memory->lot, &pool->lock);
    put_one(pool, page);
    mfs_unlock_exclusive(pool->memory->lot, &pool->lock);
    mfs_ledger_unuse(&pool->memory->ledger, MEMFS_CLASS_DATA, pool->page_size);
}

void mfs_page_release(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_sub_explicit(count_of(pool, page), 1, memory_order_acq_rel);
    MFS_CHECK((uint32_t)before != 0);
    if (before == 1)
        free_page(pool, page);
}

void mfs_page_pin(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_add_explicit(count_of(pool, page), ONE_PIN,
                                                memory_order_relaxed);
    MFS_CHECK((uint32_t)before != 0 && before + ONE_PIN < MARK);
}

void mfs_page_unpin(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_sub_explicit(count_of(pool, page), ONE_PIN,
                                                memory_order_acq_rel);
    MFS_CHECK(before >= ONE_PIN);
    if (before == ONE_PIN)
        free_page(pool, page);
}

bool mfs_page_is_exclusive(const struct mfs_pool *pool, mfs_page page)
{
    return (uint32_t)atomic_load_explicit(count_of(pool, page), memory_order_acquire) == 1;
}

bool mfs_page_mark(const struct mfs_pool *pool, mfs_page page)
{
    return (atomic_fetch_or(count_of(pool, page), MARK) & MARK) == 0;
}

void mfs_page_unmark(const struct mfs_pool *pool, mfs_page page)
{
    (void)atomic_fetch_and(count_of(pool, page), ~MARK);
}

uint32_t mfs_page_references(const struct mfs_pool *pool, mfs_page page)
{
    return (uint32_t)atomic_load(count_of(pool, page));
}
