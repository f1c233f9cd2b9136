/*
 * 1. committed <= limit, always: mfs_ledger_charge() refuses rather than adds
 *    and checks, and the limit is not set below what is committed.
 * 2. The sum of `used` <= committed, while no call is under way.
 * 3. ordinary_limit = limit - looking_reserve - reserve, 0 at least.  No ordinary charge takes
 *    committed - looking above it; privileged ones and the setting of limits may.
 * 4. looking <= looking_reserve when it is charged, and committed - looking <= limit -
 *    looking_reserve when anything else is.  So the looking reserve is there to its last byte,
 *    unless the limit is set to less than that above what is committed.
 *
 * 5. peak >= what was ever held at once: it follows the total that each granted
 *    charge has reached, not what is committed when it is noted.
 *
 * Lowering the limit and charging race for the same two words.  Both are
 * sequentially consistent and the one that comes second looks at the other's:
 * a charge that finds the limit lowered under it takes itself back.
 *
 * The order of the two counters keeps the rules where charges race: what is charged for looking is
 * first in `committed` and then in `looking`, and goes in the reverse order, so that other charges
 * may see less room for a moment, never more.
 */
#include "memory/ledger.h"

#include "base/check.h"
#include "base/num.h"
#include "base/pause.h"

void mfs_ledger_init(struct mfs_ledger *ledger, uint64_t limit)
{
    *ledger = (struct mfs_ledger){0};
    atomic_store(&ledger->limit, limit);
    atomic_store(&ledger->ordinary_limit, limit);
}

/* How far a charge from this source may take `committed`. */
static uint64_t ceiling_of(const struct mfs_ledger *ledger, enum mfs_charge_from charge_from)
{
    uint64_t limit = atomic_load(&ledger->limit);
    if (charge_from == MFS_CHARGE_LOOKING)
        return limit;
    uint64_t own = charge_from == MFS_CHARGE_ORDINARY
                       ? atomic_load(&ledger->ordinary_limit)
                       : mfs_num_sub_saturating(limit, atomic_load(&ledger->looking_reserve));
    return mfs_num_min_u64(limit, mfs_num_add_saturating(own, atomic_load(&ledger->looking)));
}

void mfs_ledger_note_peak(struct mfs_ledger *ledger, uint64_t committed)
{
    uint64_t peak = atomic_load_explicit(&ledger->peak, memory_order_relaxed);
    while (peak < committed &&
           !atomic_compare_exchange_weak_explicit(&ledger->peak, &peak, committed,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

/* Counts what is committed already as the looking reserve's, if that has the room. */
static bool start_looking(struct mfs_ledger *ledger, uint64_t bytes)
{
    uint64_t before = atomic_load(&ledger->looking);
    do {
        if (bytes > mfs_num_sub_saturating(atomic_load(&ledger->looking_reserve), before))
            return false;
    } while (!atomic_compare_exchange_weak(&ledger->looking, &before, before + bytes));
    return true;
}

void mfs_ledger_stop_looking(struct mfs_ledger *ledger, uint64_t bytes)
{
    uint64_t before = atomic_fetch_sub(&ledger->looking, bytes);
    MFS_CHECK(before >= bytes);
}

bool mfs_ledger_charge(struct mfs_ledger *ledger, enum mfs_charge_from charge_from, uint64_t bytes,
                       uint64_t *committed)
{
    uint64_t before = atomic_load(&ledger->committed);
    uint64_t after;
    do {
        if (!mfs_num_add_u64(before, bytes, &after) || after > ceiling_of(ledger, charge_from))
            return false;
        MFS_PAUSE("charge: fits");
    } while (!atomic_compare_exchange_weak(&ledger->committed, &before, after));
    if (after > ceiling_of(ledger, charge_from) ||
        (charge_from == MFS_CHARGE_LOOKING && !start_looking(ledger, bytes))) {
        mfs_ledger_refund(ledger, bytes);
        return false;
    }
    *committed = after;
    return true;
}

void mfs_ledger_refund(struct mfs_ledger *ledger, uint64_t bytes)
{
    uint64_t before = atomic_fetch_sub(&ledger->committed, bytes);
    MFS_CHECK(before >= bytes);
}

void mfs_ledger_use(struct mfs_ledger *ledger, enum memfs_class class, uint64_t bytes)
{
    (void)atomic_fetch_add_explicit(&ledger->used[class], bytes, memory_order_relaxed);
}

void mfs_ledger_unuse(struct mfs_ledger *ledger, enum memfs_class class, uint64_t bytes)
{
    uint64_t before = atomic_fetch_sub_explicit(&ledger->used[class], bytes, memory_order_relaxed);
    MFS_CHECK(before >= bytes);
}

uint64_t mfs_ledger_available(const struct mfs_ledger *ledger, enum mfs_charge_from charge_from,
                              uint64_t unused)
{
    uint64_t ceiling = ceiling_of(ledger, charge_from);
    if (ceiling == MFS_UNLIMITED)
        return UINT64_MAX;
    uint64_t in_use = mfs_num_sub_saturating(atomic_load(&ledger->committed), unused);
    uint64_t room = mfs_num_sub_saturating(ceiling, in_use);
    if (charge_from != MFS_CHARGE_LOOKING)
        return room;
    return mfs_num_min_u64(room, mfs_num_sub_saturating(atomic_load(&ledger->looking_reserve),
                                                        atomic_load(&ledger->looking)));
}

uint64_t mfs_ledger_excess(const struct mfs_ledger *ledger, enum mfs_charge_from charge_from,
                           uint64_t unused)
{
    uint64_t in_use = mfs_num_sub_saturating(atomic_load(&ledger->committed), unused);
    return mfs_num_sub_saturating(in_use, ceiling_of(ledger, charge_from));
}

uint64_t mfs_ledger_used(const struct mfs_ledger *ledger)
{
    uint64_t sum = 0;
    for (int i = 0; i < MEMFS_CLASS_COUNT; i++)
        sum += atomic_load_explicit(&ledger->used[i], memory_order_relaxed);
    return sum;
}

static uint64_t looking_reserve_of(uint64_t limit)
{
    uint64_t least = mfs_num_min_u64(limit / 8, MFS_LOOKING_LEAST);
    uint64_t share = mfs_num_max_u64(limit / MFS_LOOKING_SHARE, least);
    return limit != MFS_UNLIMITED ? mfs_num_min_u64(share, MFS_LOOKING_MOST) : 0;
}

static void store_limit(struct mfs_ledger *ledger, uint64_t limit) MFS_REQUIRES(ledger->lock)
{
    uint64_t reserve = limit != MFS_UNLIMITED ? atomic_load(&ledger->reserve) : 0;
    uint64_t looking = ledger->has_looking_reserve ? looking_reserve_of(limit) : 0;
    atomic_store(&ledger->looking_reserve, looking);
    atomic_store(&ledger->ordinary_limit,
                 mfs_num_sub_saturating(mfs_num_sub_saturating(limit, looking), reserve));
    atomic_store(&ledger->limit, limit);
}

bool mfs_ledger_set_limit(struct mfs_ledger *ledger, struct mfs_lot *lot, uint64_t limit)
{
    mfs_sync_lock_exclusive(lot, &ledger->lock);
    uint64_t before = atomic_load(&ledger->limit);
    bool fits = atomic_load(&ledger->committed) <= limit;
    MFS_PAUSE("limit: looked at what is committed");
    if (fits) {
        store_limit(ledger, limit);
        /* A charge between the look and the store has seen the old limit. */
        fits = atomic_load(&ledger->committed) <= limit;
        if (!fits)
            store_limit(ledger, before);
    }
    mfs_sync_unlock_exclusive(lot, &ledger->lock);
    return fits;
}

void mfs_ledger_set_reserve(struct mfs_ledger *ledger, struct mfs_lot *lot, uint64_t bytes)
{
    mfs_sync_lock_exclusive(lot, &ledger->lock);
    atomic_store(&ledger->reserve, bytes);
    store_limit(ledger, atomic_load(&ledger->limit));
    mfs_sync_unlock_exclusive(lot, &ledger->lock);
}

void mfs_ledger_keep_looking_reserve(struct mfs_ledger *ledger, struct mfs_lot *lot)
{
    mfs_sync_lock_exclusive(lot, &ledger->lock);
    ledger->has_looking_reserve = true;
    store_limit(ledger, atomic_load(&ledger->limit));
    mfs_sync_unlock_exclusive(lot, &ledger->lock);
}

void mfs_ledger_count_refusal(struct mfs_ledger *ledger, int error)
{
    _Atomic uint64_t *counter = error == MEMFS_EDQUOT   ? &ledger->quota_refusals
                                : error == MEMFS_ENOSPC ? &ledger->node_refusals
                                                        : &ledger->allocator_refusals;
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}
