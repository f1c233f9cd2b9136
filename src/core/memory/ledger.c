/*
 * 1. committed <= limit, always: mfs_ledger_charge() refuses rather than adds
 *    and checks, and the limit is not set below what is committed.
 * 2. The sum of `used` <= committed, while no call is under way.
 * 3. ordinary_limit = limit - reserve, 0 at least.  No ordinary charge takes
 *    committed above it; privileged ones and the setting of limits may.
 *
 * 4. peak >= what was ever held at once: it follows the total that each granted
 *    charge has reached, not what is committed when it is noted.
 *
 * Lowering the limit and charging race for the same two words.  Both are
 * sequentially consistent and the one that comes second looks at the other's:
 * a charge that finds the limit lowered under it takes itself back.
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

static const _Atomic uint64_t *limit_of(const struct mfs_ledger *ledger,
                                        enum mfs_charge_from charge_from)
{
    return charge_from == MFS_CHARGE_RESERVE ? &ledger->limit : &ledger->ordinary_limit;
}

void mfs_ledger_note_peak(struct mfs_ledger *ledger, uint64_t committed)
{
    uint64_t peak = atomic_load_explicit(&ledger->peak, memory_order_relaxed);
    while (peak < committed &&
           !atomic_compare_exchange_weak_explicit(&ledger->peak, &peak, committed,
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

bool mfs_ledger_charge(struct mfs_ledger *ledger, enum mfs_charge_from charge_from, uint64_t bytes,
                       uint64_t *committed)
{
    const _Atomic uint64_t *limit = limit_of(ledger, charge_from);
    uint64_t before = atomic_load(&ledger->committed);
    uint64_t after;
    do {
        if (!mfs_num_add_u64(before, bytes, &after) || after > atomic_load(limit))
            return false;
        MFS_PAUSE("charge: fits");
    } while (!atomic_compare_exchange_weak(&ledger->committed, &before, after));
    if (after > atomic_load(limit)) {
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
    uint64_t limit = atomic_load(limit_of(ledger, charge_from));
    if (limit == MFS_UNLIMITED)
        return UINT64_MAX;
    return mfs_num_sub_saturating(limit,
                                  mfs_num_sub_saturating(atomic_load(&ledger->committed), unused));
}

uint64_t mfs_ledger_used(const struct mfs_ledger *ledger)
{
    uint64_t sum = 0;
    for (int i = 0; i < MEMFS_CLASS_COUNT; i++)
        sum += atomic_load_explicit(&ledger->used[i], memory_order_relaxed);
    return sum;
}

static void store_limit(struct mfs_ledger *ledger, uint64_t limit)
{
    uint64_t reserve = limit != MFS_UNLIMITED ? atomic_load(&ledger->reserve) : 0;
    atomic_store(&ledger->ordinary_limit, mfs_num_sub_saturating(limit, reserve));
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

static struct mfs_refused_amounts *amounts_of(struct mfs_ledger *ledger, int error)
{
    if (error == MEMFS_EDQUOT)
        return &ledger->by_quota;
    return error == MEMFS_ENOSPC ? &ledger->by_node_limit : &ledger->by_allocator;
}

static void copy_refusal(struct mfs_ledger *ledger, int error, memfs_refusal *out)
{
    const struct mfs_refused_amounts *amounts = amounts_of(ledger, error);
    *out = (memfs_refusal){.struct_size = sizeof *out,
                           .error = error,
                           .wanted = amounts->wanted,
                           .available = amounts->available};
}

int mfs_ledger_refused(struct mfs_ledger *ledger, struct mfs_lot *lot, int error, uint64_t wanted,
                       uint64_t available)
{
    _Atomic uint64_t *counter = error == MEMFS_EDQUOT   ? &ledger->quota_refusals
                                : error == MEMFS_ENOSPC ? &ledger->node_refusals
                                                        : &ledger->allocator_refusals;
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
    mfs_sync_lock_exclusive(lot, &ledger->lock);
    ledger->last_error = error;
    *amounts_of(ledger, error) = (struct mfs_refused_amounts){wanted, available};
    mfs_sync_unlock_exclusive(lot, &ledger->lock);
    return error;
}

void mfs_ledger_last_refusal(struct mfs_ledger *ledger, struct mfs_lot *lot, memfs_refusal *out)
{
    mfs_sync_lock_exclusive(lot, &ledger->lock);
    copy_refusal(ledger, ledger->last_error, out);
    mfs_sync_unlock_exclusive(lot, &ledger->lock);
}

void mfs_ledger_last_of(struct mfs_ledger *ledger, struct mfs_lot *lot, int error,
                        memfs_refusal *out)
{
    mfs_sync_lock_exclusive(lot, &ledger->lock);
    copy_refusal(ledger, error, out);
    mfs_sync_unlock_exclusive(lot, &ledger->lock);
}
