/*
 * 1. A slab is in `partial` if it has both free and used pages, in `empty` if it has no used
 *    page, and in neither if it is full.
 * 2. pages_total, pages_free, pages_empty, slab_bytes and empty_bytes are sums over the slabs
 *    that they name.
 * 3. The count of a free page is zero.  Pages of pieces and runs have a count of one that
 *    nobody moves; those of data are counted in page.c, without the lock.
 *
 * Taking and putting take the lock once, however many pages there are.  While it is held the
 * allocator may be asked for a slab or given one.
 */
#include "memory/pool.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/refusal.h"

enum { LOOK_FOR_SMALL = 32 };
enum { SLAB_PAGES_FIRST = 4, SLAB_BYTES_FIRST = 4096, SLAB_SHARE = 16, REGION_SHARE = 8 };
#define EMPTY_BYTES_KEPT ((uint64_t)2 << 20) /* however little is in use */

void mfs_pool_init(struct mfs_pool *pool, struct mfs_allocator *allocator, uint32_t page_size)
{
    *pool = (struct mfs_pool){0};
    mfs_slab_shape_init(&pool->shape, allocator, page_size);
    pool->page_size = page_size;
    pool->page_shift = pool->shape.page_shift;
    /* A page table's node takes an eighth of a page, 64 slots at most, 8 at least. */
    pool->fan_shift = (uint8_t)mfs_num_min_size(6, mfs_num_max_size(3, pool->page_shift - 6u));
}

static struct mfs_lot *lot_of(const struct mfs_pool *pool)
{
    return pool->shape.allocator->lot;
}

static const struct mfs_ledger *ledger_of(const struct mfs_pool *pool)
{
    return pool->shape.allocator->ledger;
}

/* ------------------------------------------------------------------- slabs */

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

static uint64_t cost_of_slab(const struct mfs_pool *pool, const struct mfs_slab *slab)
{
    return mfs_allocator_cost(pool->shape.allocator, slab->block_bytes);
}

static void add_empty(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
    MFS_CHECK(slab->free_pages == slab->pages);
    list_add(&pool->empty, slab);
    pool->pages_empty += slab->pages;
    pool->empty_bytes += cost_of_slab(pool, slab);
}

static void remove_empty(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
    list_remove(&pool->empty, slab);
    pool->pages_empty -= slab->pages;
    pool->empty_bytes -= cost_of_slab(pool, slab);
}

/* Makes a slab of free pages. */
static int add_slab(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint32_t pages)
    MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab;
    int error = mfs_slab_create(&pool->shape, charge_from, pages, &slab);
    if (error != 0)
        return error;
    add_empty(pool, slab);
    slab->next_of_all = pool->all;
    if (slab->next_of_all != NULL)
        slab->next_of_all->previous_of_all = slab;
    pool->all = slab;
    pool->slabs++;
    pool->pages_total += pages;
    pool->pages_free += pages;
    pool->slab_bytes += cost_of_slab(pool, slab);
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
    pool->slab_bytes -= cost_of_slab(pool, slab);
    mfs_slab_destroy(&pool->shape, slab);
}

static void drop_empty(struct mfs_pool *pool, struct mfs_slab *slab) MFS_REQUIRES(pool->lock)
{
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
    drop_empty(pool, slab);
}

void mfs_pool_trim(struct mfs_pool *pool)
{
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    while (pool->empty != NULL)
        drop_empty(pool, pool->empty);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
}

/* Gives one empty slab back, if all of them together would make room for the charge. */
static bool reclaim(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t wanted_bytes)
    MFS_REQUIRES(pool->lock)
{
    uint64_t room = mfs_ledger_available(ledger_of(pool), charge_from, pool->empty_bytes);
    if (pool->empty == NULL || room < wanted_bytes)
        return false;
    drop_small_empty(pool);
    return true;
}

void mfs_pool_fini(struct mfs_pool *pool, bool forced)
{
    mfs_pool_trim(pool);
    MFS_CHECK(forced || pool->all == NULL);
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    while (pool->all != NULL)
        drop_slab(pool, pool->all);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
}

/* ------------------------------------------------------------------ growing */

/* How many pages the next slab has where nothing is near its limit and `total` pages exist. */
static uint32_t usual_pages(const struct mfs_pool *pool, uint64_t total)
{
    if (pool->shape.region_pages != 0 && total / REGION_SHARE >= pool->shape.region_pages)
        return pool->shape.region_pages;
    uint64_t first = mfs_num_max_u64(SLAB_PAGES_FIRST, SLAB_BYTES_FIRST >> pool->page_shift);
    return (uint32_t)mfs_num_min_u64(pool->shape.most, mfs_num_max_u64(first, total / SLAB_SHARE));
}

/* How many pages the next slab has when `total` pages exist, `needed` of it are wanted at once and
 * `room` is left; 0 if not one fits. */
static uint32_t next_pages(const struct mfs_pool *pool, uint64_t total, uint64_t needed,
                           uint64_t room)
{
    const struct mfs_slab_shape *shape = &pool->shape;
    uint32_t wanted = (uint32_t)mfs_num_max_u64(mfs_num_min_u64(needed, shape->most),
                                                usual_pages(pool, total));
    if (mfs_slab_cost(shape, wanted) <= room / 2)
        return wanted;
    /* The last slab takes all that is left. */
    return mfs_slab_pages_within(shape, room);
}

/* Makes slabs until `needed` pages are free.  Nothing is recorded. */
static int grow_pool(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t needed)
    MFS_REQUIRES(pool->lock)
{
    while (pool->pages_free < needed) {
        uint64_t missing = needed - pool->pages_free;
        uint64_t room = mfs_ledger_available(ledger_of(pool), charge_from, 0);
        uint32_t pages = next_pages(pool, pool->pages_total, missing, room);
        if (pages == 0)
            return MEMFS_EDQUOT;
        int error;
        /* If the usual slab does not fit, try one of just the missing pages, then halves of it. */
        while ((error = add_slab(pool, charge_from, pages)) != 0 && pages > 1)
            pages = pages > missing ? (uint32_t)missing : pages / 2;
        if (error != 0)
            return error;
    }
    return 0;
}

/* Gives back the slabs that a refused taking has made: they are the first in `empty`. */
static void ungrow_pool(struct mfs_pool *pool, uint64_t slabs_before) MFS_REQUIRES(pool->lock)
{
    while (pool->slabs > slabs_before)
        drop_empty(pool, pool->empty);
}

/* What a charge from this source may fill, if free pages count as free. */
static uint64_t room_for(const struct mfs_pool *pool, enum mfs_charge_from charge_from)
    MFS_REQUIRES(pool->lock)
{
    return mfs_ledger_available(ledger_of(pool), charge_from, pool->pages_free << pool->page_shift);
}

/* The bytes to allocate for `count` more pages. */
static uint64_t missing_cost(const struct mfs_pool *pool, uint64_t count)
{
    uint32_t most = pool->shape.most, rest = (uint32_t)(count % most);
    uint64_t cost = mfs_num_mul_saturating(count / most, mfs_slab_cost(&pool->shape, most));
    return rest == 0 ? cost : mfs_num_add_saturating(cost, mfs_slab_cost(&pool->shape, rest));
}

/* What a refusal says. */
struct shortage {
    uint64_t wanted, available;
};

/* Raising the limit by what is wanted and not available is to help; so what is in use beyond it
 * already is wanted, too. */
static struct shortage shortage_of(const struct mfs_pool *pool, enum mfs_charge_from charge_from,
                                   uint64_t wanted, uint64_t unused) MFS_REQUIRES(pool->lock)
{
    uint64_t excess = mfs_ledger_excess(ledger_of(pool), charge_from, unused);
    return (struct shortage){mfs_num_add_saturating(wanted, excess),
                             mfs_ledger_available(ledger_of(pool), charge_from, unused)};
}

/* Why `count` pages cannot be had: they are missing, or free but in the reserve. */
static struct shortage explain_pages(const struct mfs_pool *pool, enum mfs_charge_from charge_from,
                                     uint64_t count) MFS_REQUIRES(pool->lock)
{
    uint64_t there = mfs_num_min_u64(count, pool->pages_free) << pool->page_shift;
    uint64_t missing = mfs_num_sub_saturating(count, pool->pages_free);
    return shortage_of(pool, charge_from,
                       mfs_num_add_saturating(there, missing_cost(pool, missing)),
                       pool->pages_free << pool->page_shift);
}

void mfs_pool_explain(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                      uint64_t *wanted, uint64_t *available)
{
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    const struct shortage shortage = explain_pages(pool, charge_from, count);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
    *wanted = shortage.wanted;
    *available = shortage.available;
}

static int record(const struct mfs_pool *pool, int error, const struct shortage *shortage)
{
    return mfs_refusal_record(error, shortage->wanted, shortage->available,
                              atomic_load(&ledger_of(pool)->limit));
}

/* ------------------------------------------------------------------ taking */

/* Takes pages that were found free in a slab. */
static mfs_page take_from(struct mfs_pool *pool, struct mfs_slab *slab, uint32_t first,
                          uint32_t count) MFS_REQUIRES(pool->lock)
{
    if (slab->free_pages == slab->pages) {
        remove_empty(pool, slab);
        list_add(&pool->partial, slab);
    }
    mfs_slab_take(&pool->shape, slab, first, count);
    pool->pages_free -= count;
    if (slab->free_pages == 0)
        list_remove(&pool->partial, slab);
    return mfs_slab_page(&pool->shape, slab, first);
}

/* Takes one free page, of which there is one. */
static mfs_page take_one(struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *slab = pool->partial != NULL ? pool->partial : pool->empty;
    return take_from(pool, slab, mfs_slab_find(slab, 1), 1);
}

/* True if there are more empty slabs than are worth keeping. */
static bool keeps_too_many(const struct mfs_pool *pool) MFS_REQUIRES(pool->lock)
{
    uint64_t used = pool->pages_total - pool->pages_free;
    return pool->pages_empty > mfs_num_max_u64(used, EMPTY_BYTES_KEPT >> pool->page_shift);
}

/* Puts pages whose counts are zero back. */
static void put_pages(struct mfs_pool *pool, struct mfs_slab *slab, uint32_t first, uint32_t count)
    MFS_REQUIRES(pool->lock)
{
    if (slab->free_pages == 0)
        list_add(&pool->partial, slab);
    mfs_slab_put(&pool->shape, slab, first, count);
    pool->pages_free += count;
    if (slab->free_pages == slab->pages) {
        list_remove(&pool->partial, slab);
        add_empty(pool, slab);
        while (pool->empty != NULL && keeps_too_many(pool))
            drop_small_empty(pool);
    }
}

static int take_locked(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                       mfs_page *first) MFS_REQUIRES(pool->lock)
{
    uint64_t slabs_before = pool->slabs;
    /* What cannot fit is refused before anything is taken. */
    if (mfs_num_mul_saturating(count, pool->page_size) > room_for(pool, charge_from))
        return MEMFS_EDQUOT;
    int error = grow_pool(pool, charge_from, count);
    if (error != 0) {
        ungrow_pool(pool, slabs_before);
        return error;
    }
    mfs_page *link = first;
    for (uint64_t i = 0; i < count; i++) {
        *link = take_one(pool);
        link = mfs_pool_page_link(pool, *link);
    }
    *link = 0;
    return 0;
}

int mfs_pool_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint64_t count,
                  mfs_page *first)
{
    struct shortage shortage = {0};
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    int error = take_locked(pool, charge_from, count, first);
    if (error != 0)
        shortage = explain_pages(pool, charge_from, count);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
    return error != 0 ? record(pool, error, &shortage) : 0;
}

void mfs_pool_put(struct mfs_pool *pool, mfs_page first)
{
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    while (first != 0) {
        mfs_page next = *mfs_pool_page_link(pool, first);
        put_pages(pool, mfs_pool_page_slab(pool, first), mfs_pool_page_index(pool, first), 1);
        first = next;
    }
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
}

/* -------------------------------------------------------------------- runs */

/* A slab with that many adjacent free pages, or null. */
static struct mfs_slab *find_run(const struct mfs_pool *pool, uint32_t count, uint32_t *first)
    MFS_REQUIRES(pool->lock)
{
    struct mfs_slab *const lists[] = {pool->partial, pool->empty};
    for (int i = 0; i < 2; i++) {
        for (struct mfs_slab *slab = lists[i]; slab != NULL; slab = slab->next) {
            *first = mfs_slab_find(slab, count);
            if (*first != MFS_SLAB_NO_INDEX)
                return slab;
        }
    }
    return NULL;
}

/* Makes a slab with at least `count` pages, in the place of empty ones if there is no room. */
static int add_slab_for_run(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint32_t count)
    MFS_REQUIRES(pool->lock)
{
    uint64_t cost = mfs_slab_cost(&pool->shape, count);
    int error;
    do {
        uint64_t room = mfs_ledger_available(ledger_of(pool), charge_from, 0);
        uint32_t pages = next_pages(pool, pool->pages_total, count, room);
        error = pages >= count ? add_slab(pool, charge_from, pages) : MEMFS_EDQUOT;
        if (error == MEMFS_ENOMEM && pages > count)
            error = add_slab(pool, charge_from, count);
    } while (error != 0 && reclaim(pool, charge_from, cost));
    return error;
}

static int take_run_locked(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint32_t count,
                           mfs_page *first) MFS_REQUIRES(pool->lock)
{
    if ((uint64_t)count << pool->page_shift > room_for(pool, charge_from))
        return MEMFS_EDQUOT;
    uint32_t index;
    struct mfs_slab *slab = find_run(pool, count, &index);
    if (slab == NULL) {
        int error = add_slab_for_run(pool, charge_from, count);
        if (error != 0)
            return error;
        slab = pool->empty;
        index = mfs_slab_find(slab, count);
    }
    *first = take_from(pool, slab, index, count);
    pool->pages_cut += count;
    return 0;
}

/* Why `count` adjacent pages cannot be had: no slab of that size fits, or they are in the
 * reserve. */
static struct shortage explain_run(const struct mfs_pool *pool, enum mfs_charge_from charge_from,
                                   uint32_t count) MFS_REQUIRES(pool->lock)
{
    uint64_t bytes = (uint64_t)count << pool->page_shift;
    uint64_t unused = pool->pages_free << pool->page_shift;
    if (bytes > room_for(pool, charge_from) && pool->pages_free != 0)
        return shortage_of(pool, charge_from, bytes, unused);
    return shortage_of(pool, charge_from, mfs_slab_cost(&pool->shape, count), 0);
}

int mfs_pool_run_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, uint32_t count,
                      mfs_page *first)
{
    MFS_CHECK(count != 0 && count <= pool->shape.most);
    struct shortage shortage = {0};
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    int error = take_run_locked(pool, charge_from, count, first);
    if (error != 0)
        shortage = explain_run(pool, charge_from, count);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
    return error != 0 ? record(pool, error, &shortage) : 0;
}

void mfs_pool_run_give(struct mfs_pool *pool, mfs_page first, uint32_t count)
{
    struct mfs_slab *slab = mfs_pool_page_slab(pool, first);
    unsigned index = mfs_pool_page_index(pool, first);
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    for (uint32_t i = index; i < index + count; i++) {
        MFS_CHECK(atomic_load_explicit(mfs_slab_count(slab, i), memory_order_relaxed) == 1);
        atomic_store_explicit(mfs_slab_count(slab, i), 0, memory_order_relaxed);
    }
    MFS_CHECK(pool->pages_cut >= count);
    pool->pages_cut -= count;
    put_pages(pool, slab, index, count);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
}

/* ------------------------------------------------------------------ blocks */

int mfs_pool_block_take(struct mfs_pool *pool, enum mfs_charge_from charge_from, size_t bytes,
                        void **out)
{
    struct mfs_allocator *allocator = pool->shape.allocator;
    struct shortage shortage = {0};
    uint64_t cost = mfs_allocator_cost(allocator, bytes);
    int error;
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    do
        error = mfs_allocator_take(allocator, charge_from, bytes, out);
    while (error != 0 && reclaim(pool, charge_from, cost));
    if (error == 0)
        pool->block_bytes += cost;
    else
        shortage = shortage_of(pool, charge_from, cost, 0);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
    return error != 0 ? record(pool, error, &shortage) : 0;
}

void mfs_pool_block_give(struct mfs_pool *pool, enum mfs_charge_from charge_from, void *block,
                         size_t bytes)
{
    uint64_t cost = mfs_allocator_cost(pool->shape.allocator, bytes);
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    if (charge_from == MFS_CHARGE_LOOKING)
        mfs_ledger_stop_looking(pool->shape.allocator->ledger, cost);
    mfs_allocator_give(pool->shape.allocator, block, bytes);
    MFS_CHECK(pool->block_bytes >= cost);
    pool->block_bytes -= cost;
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
}

/* ----------------------------------------------------------------- figures */

uint64_t mfs_pool_held_bytes(struct mfs_pool *pool)
{
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    uint64_t held = pool->slab_bytes + pool->block_bytes;
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
    return held;
}

uint64_t mfs_pool_available(struct mfs_pool *pool, enum mfs_charge_from charge_from)
{
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    uint64_t room = room_for(pool, charge_from);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
    return room >> pool->page_shift;
}

/* The pages of the slabs that grow_pool() would make in that room, one after another. */
static uint64_t pages_of_new_slabs(const struct mfs_pool *pool, uint64_t room)
{
    uint64_t total = pool->pages_total;
    for (;;) {
        uint32_t pages = next_pages(pool, total, 1, room);
        if (pages == 0)
            return total - pool->pages_total;
        uint64_t cost = mfs_slab_cost(&pool->shape, pages), slabs = 1;
        /* The largest follow one another until two more would be too many. */
        if (pages == pool->shape.most && room / cost > 2)
            slabs = room / cost - 2;
        total += slabs * pages;
        room -= slabs * cost;
    }
}

/* The bytes of pages that are sure to be had: free ones, and those of slabs for which there is
 * room; whole pages.  Pages that are free but lie in the reserve do not count for ordinary data. */
static uint64_t sure_bytes(const struct mfs_pool *pool, enum mfs_charge_from charge_from)
    MFS_REQUIRES(pool->lock)
{
    uint64_t room = mfs_ledger_available(ledger_of(pool), charge_from, 0);
    if (room == UINT64_MAX)
        return UINT64_MAX;
    uint64_t free_pages = mfs_num_min_u64(pool->pages_free,
                                          room_for(pool, charge_from) >> pool->page_shift);
    return (free_pages + pages_of_new_slabs(pool, room)) << pool->page_shift;
}

void mfs_pool_figures(struct mfs_pool *pool, struct mfs_pool_figures *out)
{
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    out->free_pages = pool->pages_free;
    out->cut_pages = pool->pages_cut;
    out->data_pages = pool->pages_total - pool->pages_free - pool->pages_cut;
    out->ordinary_bytes = sure_bytes(pool, MFS_CHARGE_ORDINARY);
    uint64_t unused = ((pool->pages_free - pool->pages_empty) << pool->page_shift) +
                      pool->empty_bytes;
    out->privileged_room = mfs_ledger_available(ledger_of(pool), MFS_CHARGE_RESERVE, unused);
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
}

bool mfs_pool_is_valid(struct mfs_pool *pool)
{
    uint64_t slabs = 0, total = 0, free_pages = 0, empty = 0, bytes = 0, empty_bytes = 0;
    bool is_valid = true;
    mfs_sync_lock_exclusive(lot_of(pool), &pool->lock);
    for (struct mfs_slab *slab = pool->all; slab != NULL; slab = slab->next_of_all) {
        bool is_empty = slab->free_pages == slab->pages;
        is_valid = is_valid && mfs_slab_is_valid(slab);
        slabs++;
        total += slab->pages;
        free_pages += slab->free_pages;
        bytes += cost_of_slab(pool, slab);
        empty += is_empty ? slab->pages : 0;
        empty_bytes += is_empty ? cost_of_slab(pool, slab) : 0;
    }
    is_valid = is_valid && slabs == pool->slabs && total == pool->pages_total &&
               free_pages == pool->pages_free && empty == pool->pages_empty &&
               bytes == pool->slab_bytes && empty_bytes == pool->empty_bytes &&
               pool->pages_cut <= total - free_pages;
    mfs_sync_unlock_exclusive(lot_of(pool), &pool->lock);
    return is_valid;
}
