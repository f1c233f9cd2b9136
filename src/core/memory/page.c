/*
 * 1. A slab is in `partial` if it has both free and used pages, in `empty` if it
 *    has no used page, and in neither if it is full.
 * 2. A bit in `free_bits` is set exactly while the page's count is zero;
 *    `free_pages` is the number of those bits, and pages_free the sum over slabs.
 * 3. A count is references plus pins << 32.  It moves without the lock; only
 *    who brings it to zero takes the lock and frees the page, once.
 *
 * Taking n pages takes the lock once; releasing takes it once a page.
 */
#include "memory/page.h"

#include "base/check.h"
#include "base/num.h"

enum { LOOK_FOR_SMALL = 32 };
enum { SLAB_PAGES_MAX = 256, SLAB_PAGES_FIRST = 4 };
enum { ALIGNMENT_MIN = 64, ALIGNMENT_MAX = 256 };
#define SLAB_BYTES_MAX ((size_t)1 << 20)
#define FREE_BYTES_KEPT ((uint64_t)1 << 20) /* however little is in use */
#define ONE_PIN ((uint64_t)1 << 32)
#define MARK ((uint64_t)1 << 63)

struct mfs_slab {
    struct mfs_slab *previous, *next; /* in `partial` or `empty` */
    struct mfs_slab *previous_of_all, *next_of_all;
    void *block; /* what the allocator gave */
    size_t block_bytes;
    uint32_t pages, free_pages;
    uint64_t free_bits[SLAB_PAGES_MAX / 64];
};

static _Atomic uint64_t *count_at(struct mfs_slab *slab, unsigned index)
{
    return (_Atomic uint64_t *)(void *)slab - 1 - index;
}

void mfs_page_pool_init(struct mfs_pool *pool, struct mfs_memory *memory, uint32_t page_size)
{
    MFS_CHECK(mfs_num_is_power_of_two(page_size));
    *pool = (struct mfs_pool){0};
    pool->memory = memory;
    pool->page_size = page_size;
    pool->page_shift = (uint8_t)mfs_num_log2(page_size);
    /* A page table's node takes an eighth of a page, 64 slots at most, 8 at least. */
    pool->fan_shift = (uint8_t)mfs_num_min_size(6, mfs_num_max_size(3, pool->page_shift - 6u));
    pool->alignment = (uint16_t)mfs_num_min_size(ALIGNMENT_MAX,
                                                 mfs_num_max_size(ALIGNMENT_MIN, page_size / 16));
    pool->header_bytes = (uint16_t)mfs_num_round_up(sizeof(struct mfs_slab), pool->alignment);
}

/* ------------------------------------------------------------------- slabs */

static size_t slab_block_bytes(const struct mfs_pool *pool, uint32_t pages)
{
    return pages * sizeof(uint64_t) + pool->header_bytes + ((size_t)pages << pool->page_shift) +
           pool->alignment;
}

static void list_add(struct mfs_slab **list, struct mfs_slab *slab)
{
    slab->previous = NULL;
    slab->next = *list;
    if (slab->next != NULL)
        slab->next->previous = slab;
    *list = slab;
}

static void list_remove(struct mfs_slab **list, struct mfs_slab *slab)
{
    if (slab->previous != NULL)
        slab->previous->next = slab->next;
    else
        *list = slab->next;
    if (slab->next != NULL)
        slab->next->previous = slab->previous;
    slab->previous = slab->next = NULL;
}

static void add_empty(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
    MFS_CHECK(slab->free_pages == slab->pages);
    list_add(&pool->empty, slab);
    pool->empty_bytes += mfs_memory_cost(pool->memory, slab->block_bytes);
}

static void remove_empty(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
    list_remove(&pool->empty, slab);
    pool->empty_bytes -= mfs_memory_cost(pool->memory, slab->block_bytes);
}

static void set_up_slab(const struct mfs_pool *pool, struct mfs_slab *slab, uint32_t pages)
{
    *slab = (struct mfs_slab){.pages = pages, .free_pages = pages};
    for (unsigned i = 0; i < pages; i++) {
        slab->free_bits[i / 64] |= (uint64_t)1 << (i % 64);
        atomic_init(count_at(slab, i), 0);
    }
    MFS_CHECK(pages <= pool->alignment);
}

/* Makes a slab of free pages. */
static int add_slab(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint32_t pages)
    MFS_REQUIRES(pool->lock)
{
    size_t bytes = slab_block_bytes(pool, pages);
    void *block;
    int error = mfs_memory_take_raw(pool->memory, charge_from, bytes, &block);
    if (error != 0)
        return error;
    uintptr_t after_counts = (uintptr_t)block + pages * sizeof(uint64_t);
    uintptr_t padding = -after_counts & (pool->alignment - 1u);
    struct mfs_slab *slab = (void *)((unsigned char *)block + pages * sizeof(uint64_t) + padding);
    set_up_slab(pool, slab, pages);
    slab->block = block;
    slab->block_bytes = bytes;
    add_empty(pool, slab);
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

/* Gives a slab that is in no list but `all` to the allocator. */
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
    pool->pages_free -= slab->free_pages;
    pool->slab_bytes -= mfs_memory_cost(pool->memory, slab->block_bytes);
    mfs_memory_give_raw(pool->memory, slab->block, slab->block_bytes);
}

static void drop_empty(struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab = pool->empty;
    remove_empty(pool, slab);
    drop_slab(pool, slab);
}

/* The smallest of the first few: a large slab took more room to get than may be there again, and
 * costs less for each page. */
static void drop_small_empty(struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab = pool->empty, *other = slab->next;
    for (unsigned i = 0; i < LOOK_FOR_SMALL && other != NULL; i++, other = other->next)
        if (other->pages < slab->pages)
            slab = other;
    remove_empty(pool, slab);
    drop_slab(pool, slab);
}

void mfs_page_pool_trim(struct mfs_pool *pool)
{
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->lock);
    while (pool->empty != NULL)
        drop_empty(pool);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->lock);
}

bool mfs_page_pool_reclaim(struct mfs_pool *pool, enum mfs_charge_from charge_from,
                           uint64_t wanted_bytes)
{
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->lock);
    uint64_t room = mfs_ledger_available(&pool->memory->ledger, charge_from, pool->empty_bytes);
    bool helps = pool->empty != NULL && room >= wanted_bytes;
    if (helps)
        drop_small_empty(pool);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->lock);
    return helps;
}

void mfs_page_pool_fini(struct mfs_pool *pool, bool forced)
{
    mfs_page_pool_trim(pool);
    MFS_CHECK(forced || pool->all == NULL);
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->lock);
    while (pool->all != NULL)
        drop_slab(pool, pool->all);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->lock);
}

/* The most pages that a slab has. */
static uint64_t slab_pages_most(const struct mfs_pool *pool)
{
    return mfs_num_min_u64(pool->alignment, mfs_num_max_u64(1, SLAB_BYTES_MAX >> pool->page_shift));
}

/* What it costs to have `count` pages free that are not: more than is left if they are refused. */
static uint64_t missing_cost(const struct mfs_pool *pool, uint64_t count) MFS_REQUIRES(pool->lock)
{
    uint64_t missing = mfs_num_sub_saturating(count, pool->pages_free);
    uint64_t most = slab_pages_most(pool);
    uint64_t whole_cost = mfs_memory_cost(pool->memory, slab_block_bytes(pool, (uint32_t)most));
    uint64_t cost = mfs_num_mul_saturating(missing / most, whole_cost);
    uint32_t rest = (uint32_t)(missing % most);
    if (rest == 0)
        return cost;
    return mfs_num_add_saturating(cost,
                                  mfs_memory_cost(pool->memory, slab_block_bytes(pool, rest)));
}

/* How large the next slab should be when `needed` pages are missing. */
static uint32_t slab_pages_wanted(const struct mfs_pool *pool, enum mfs_charge_from charge_from,
                                  uint64_t needed) MFS_REQUIRES(pool->lock)
{
    uint64_t most = slab_pages_most(pool);
    uint64_t needed_now = mfs_num_min_u64(needed, most);
    uint64_t usual = mfs_num_max_u64(SLAB_PAGES_FIRST, pool->pages_total / 4);
    /* As the quota gets near, do not bind in free pages what names and nodes may want. */
    uint64_t near = mfs_ledger_available(&pool->memory->ledger, charge_from, 0) / 16 >>
                    pool->page_shift;
    uint64_t wanted = mfs_num_max_u64(needed_now, mfs_num_min_u64(usual, near));
    return (uint32_t)mfs_num_min_u64(most, wanted);
}

/* Makes slabs until `needed` pages are free.  Nothing is recorded. */
static int grow(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t needed)
    MFS_REQUIRES(pool->lock)
{
    while (pool->pages_free < needed) {
        uint64_t missing = needed - pool->pages_free;
        uint32_t pages = slab_pages_wanted(pool, charge_from, missing);
        int error;
        /* What is just enough may fit where more does not, and pieces where one block does not. */
        while ((error = add_slab(pool, charge_from, pages)) != 0 && pages > 1)
            pages = pages > missing ? (uint32_t)missing : pages / 2;
        if (error != 0)
            return error;
    }
    return 0;
}

/* ------------------------------------------------------------------- pages */

static mfs_page *link_in(const struct mfs_pool *pool, mfs_page page)
{
    return (mfs_page *)(void *)mfs_page_bytes(pool, page);
}

/* The lowest free page of a slab that has one. */
static unsigned first_free(const struct mfs_slab *slab)
{
    unsigned word = 0;
    while (slab->free_bits[word] == 0)
        word++;
    return word * 64 + (unsigned)__builtin_ctzll(slab->free_bits[word]);
}

/* Takes one free page, of which there is one. */
static mfs_page take_one(struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab = pool->partial;
    if (slab == NULL) {
        slab = pool->empty;
        remove_empty(pool, slab);
        list_add(&pool->partial, slab);
    }
    unsigned index = first_free(slab);
    slab->free_bits[index / 64] &= ~((uint64_t)1 << (index % 64));
    slab->free_pages--;
    pool->pages_free--;
    if (slab->free_pages == 0)
        list_remove(&pool->partial, slab);
    MFS_CHECK(atomic_load_explicit(count_at(slab, index), memory_order_relaxed) == 0);
    atomic_store_explicit(count_at(slab, index), 1, memory_order_relaxed);
    unsigned char *first = (unsigned char *)slab + pool->header_bytes;
    return (uintptr_t)(first + ((size_t)index << pool->page_shift)) | index;
}

/* True if there are more free pages than are worth keeping. */
static bool keeps_too_many(const struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    uint64_t used = pool->pages_total - pool->pages_free;
    return pool->pages_free > mfs_num_max_u64(3 * used, FREE_BYTES_KEPT >> pool->page_shift);
}

/* Puts a page whose count is zero back. */
static void put_one(struct mfs_pool *pool, mfs_page page) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab = mfs_page_slab(pool, page);
    unsigned index = mfs_page_index(pool, page);
    uint64_t bit = (uint64_t)1 << (index % 64);
    MFS_CHECK((slab->free_bits[index / 64] & bit) == 0);
    if (slab->free_pages == 0)
        list_add(&pool->partial, slab);
    slab->free_bits[index / 64] |= bit;
    slab->free_pages++;
    pool->pages_free++;
    if (slab->free_pages == slab->pages) {
        list_remove(&pool->partial, slab);
        add_empty(pool, slab);
    }
    while (pool->empty != NULL && keeps_too_many(pool))
        drop_small_empty(pool);
}

/* Gives back the slabs that a refused mfs_page_pool_take() has made: they are the first in `empty`. */
static void ungrow(struct mfs_pool *pool, uint64_t slabs_before) MFS_REQUIRES(pool->lock)
{
    while (pool->slabs > slabs_before)
        drop_empty(pool);
}

/* What this charge_from may fill, if free pages count as free. */
static uint64_t room_for(const struct mfs_pool *pool, enum mfs_charge_from charge_from)
    MFS_REQUIRES(pool->lock)
{
    return mfs_ledger_available(&pool->memory->ledger, charge_from,
                                pool->pages_free << pool->page_shift);
}

static int take_locked(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                       struct mfs_page_list *out) MFS_REQUIRES(pool->lock)
{
    uint64_t slabs_before = pool->slabs;
    /* What cannot fit is refused before anything is taken. */
    if (mfs_num_mul_saturating(count, pool->page_size) > room_for(pool, charge_from))
        return MEMFS_EDQUOT;
    int error = grow(pool, charge_from, count);
    if (error != 0) {
        ungrow(pool, slabs_before);
        return error;
    }
    for (uint64_t i = 0; i < count; i++) {
        mfs_page page = take_one(pool);
        *link_in(pool, page) = out->first;
        out->first = page;
        out->count++;
    }
    return 0;
}

/* Why `count` pages cannot be had: they are missing, or free but in the reserve. */
static void explain_refusal(const struct mfs_pool *pool, enum mfs_charge_from charge_from,
                            uint64_t count, uint64_t *wanted, uint64_t *available)
    MFS_REQUIRES(pool->lock)
{
    bool are_missing = count > pool->pages_free;
    *wanted = are_missing ? missing_cost(pool, count) : count << pool->page_shift;
    *available = are_missing ? mfs_ledger_available(&pool->memory->ledger, charge_from, 0)
                             : room_for(pool, charge_from);
}

/* Reverses the list, so that a file's pages lie in the order of a slab. */
static void reverse(const struct mfs_pool *pool, struct mfs_page_list *list)
{
    mfs_page reversed = 0;
    while (list->first != 0) {
        mfs_page page = list->first;
        list->first = *link_in(pool, page);
        *link_in(pool, page) = reversed;
        reversed = page;
    }
    list->first = reversed;
}

int mfs_page_pool_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                       struct mfs_page_list *out)
{
    struct mfs_memory *memory = pool->memory;
    *out = (struct mfs_page_list){0};
    if (count == 0)
        return 0;
    mfs_sync_lock_exclusive(memory->lot, &pool->lock);
    int error = take_locked(pool, charge_from, count, out);
    uint64_t wanted = 0, available = 0;
    if (error != 0)
        explain_refusal(pool, charge_from, count, &wanted, &available);
    mfs_sync_unlock_exclusive(memory->lot, &pool->lock);
    if (error != 0)
        return mfs_ledger_refused(&memory->ledger, memory->lot, error, wanted, available);
    if (count > 1)
        reverse(pool, out);
    return 0;
}

mfs_page mfs_page_list_pop(const struct mfs_pool *pool, struct mfs_page_list *list)
{
    MFS_CHECK(list->count != 0 && list->first != 0);
    mfs_page page = list->first;
    list->first = *link_in(pool, page);
    list->count--;
    return page;
}

void mfs_page_list_release(struct mfs_pool *pool, struct mfs_page_list *list)
{
    while (list->count != 0)
        mfs_page_release(pool, mfs_page_list_pop(pool, list));
}

uint64_t mfs_page_pool_available(struct mfs_pool *pool, enum mfs_charge_from charge_from)
{
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->lock);
    uint64_t room = room_for(pool, charge_from);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->lock);
    return room >> pool->page_shift;
}

void mfs_page_retain(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_add_explicit(mfs_page_count(pool, page), 1,
                                                memory_order_relaxed);
    MFS_CHECK((uint32_t)before != 0 && (uint32_t)before != UINT32_MAX);
}

static void free_page(struct mfs_pool *pool, mfs_page page)
{
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->lock);
    put_one(pool, page);
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->lock);
}

/* True if that was the last, and no pin is left: then nobody else can come to the page any more. */
static bool drop_reference(const struct mfs_pool *pool, mfs_page page)
{
    _Atomic uint64_t *count = mfs_page_count(pool, page);
    if (atomic_load_explicit(count, memory_order_acquire) == 1) {
        atomic_store_explicit(count, 0, memory_order_relaxed);
        return true;
    }
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
    mfs_sync_lock_exclusive(pool->memory->lot, &pool->lock);
    for (; count > 0; pages++) {
        if (*pages == 0)
            continue;
        if (drop_reference(pool, *pages))
            put_one(pool, *pages);
        count--;
    }
    mfs_sync_unlock_exclusive(pool->memory->lot, &pool->lock);
}

void mfs_page_pin(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_add_explicit(mfs_page_count(pool, page), ONE_PIN,
                                                memory_order_relaxed);
    MFS_CHECK((uint32_t)before != 0 && before + ONE_PIN < MARK);
}

void mfs_page_unpin(struct mfs_pool *pool, mfs_page page)
{
    uint64_t before = atomic_fetch_sub_explicit(mfs_page_count(pool, page), ONE_PIN,
                                                memory_order_acq_rel);
    MFS_CHECK(before >= ONE_PIN);
    if (before == ONE_PIN)
        free_page(pool, page);
}

bool mfs_page_mark(const struct mfs_pool *pool, mfs_page page)
{
    return (atomic_fetch_or(mfs_page_count(pool, page), MARK) & MARK) == 0;
}

void mfs_page_unmark(const struct mfs_pool *pool, mfs_page page)
{
    (void)atomic_fetch_and(mfs_page_count(pool, page), ~MARK);
}

uint32_t mfs_page_references(const struct mfs_pool *pool, mfs_page page)
{
    return (uint32_t)atomic_load(mfs_page_count(pool, page));
}
