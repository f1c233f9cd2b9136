/*
 * The ledger: what a file system holds, against the most it may hold.
 *
 * `committed` is the sum of the real costs of all blocks that are held from the
 * allocator: slabs, blocks larger than a slab, and the instance.  It is raised
 * before the allocator is asked and lowered after the block went back, by a
 * compare-and-swap that refuses, so that at no instant more is held than
 * `limit`.  `used`, by class, is for reporting: it is what live objects take,
 * except for pages of data, which the pool counts.
 *
 * The last part of the limit may be a reserve, on which only privileged charges
 * may draw: what must still go on when ordinary data has filled the rest.
 */
#ifndef MFS_LEDGER_H
#define MFS_LEDGER_H

#include "sync/sync.h"

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdint.h>

#define MFS_UNLIMITED UINT64_MAX

enum mfs_charge_from { MFS_CHARGE_ORDINARY = 0, MFS_CHARGE_RESERVE = 1 };

/* What the last refusal of one kind wanted and what was left: bytes, or nodes. */
struct mfs_refused_amounts {
    uint64_t wanted, available;
};

struct mfs_ledger {
    _Atomic uint64_t limit;          /* MFS_UNLIMITED: none */
    _Atomic uint64_t ordinary_limit; /* without the reserve; MFS_UNLIMITED if the limit is */
    _Atomic uint64_t reserve;        /* as it was set: may be more than the limit */
    _Atomic uint64_t committed;
    _Atomic uint64_t peak;
    _Atomic uint64_t used[MEMFS_CLASS_COUNT];
    _Atomic uint64_t quota_refusals, node_refusals, allocator_refusals;
    struct mfs_lock lock; /* a leaf: guards the refusals, and one setter of a limit at a time */
    int last_error;       /* which of these was the last; 0: none yet */
    struct mfs_refused_amounts by_quota, by_node_limit, by_allocator;
};

void mfs_ledger_init(struct mfs_ledger *ledger, uint64_t limit);

/* Lock-free.  False, and nothing has changed, if the charge would pass its limit; else `*committed`
 * is what is committed with this charge. */
bool mfs_ledger_charge(struct mfs_ledger *ledger, enum mfs_charge_from charge_from, uint64_t bytes,
                       uint64_t *committed);

/* Raises the peak to what a charge has reached.  To be called once the allocator has granted the
 * block, since what was refused was never held. */
void mfs_ledger_note_peak(struct mfs_ledger *ledger, uint64_t committed);
void mfs_ledger_refund(struct mfs_ledger *ledger, uint64_t bytes);

void mfs_ledger_use(struct mfs_ledger *ledger, enum memfs_class class, uint64_t bytes);
void mfs_ledger_unuse(struct mfs_ledger *ledger, enum memfs_class class, uint64_t bytes);

/* What could still be charged if `unused` bytes of what is committed were given back;
 * UINT64_MAX if unlimited. */
uint64_t mfs_ledger_available(const struct mfs_ledger *ledger, enum mfs_charge_from charge_from,
                              uint64_t unused);

/* The sum over all classes. */
uint64_t mfs_ledger_used(const struct mfs_ledger *ledger);

/* False, and nothing has changed, if more than that is committed. */
bool mfs_ledger_set_limit(struct mfs_ledger *ledger, struct mfs_lot *lot, uint64_t limit);

/* Any size: what is in use stays, and ordinary charges are refused until there is room again. */
void mfs_ledger_set_reserve(struct mfs_ledger *ledger, struct mfs_lot *lot, uint64_t bytes);

/* Remembers a refusal, for memfs_last_refusal() and the refusal callback; returns `error`. */
int mfs_ledger_refused(struct mfs_ledger *ledger, struct mfs_lot *lot, int error, uint64_t wanted,
                       uint64_t available);
void mfs_ledger_last_refusal(struct mfs_ledger *ledger, struct mfs_lot *lot, memfs_refusal *out);

/* The last refusal by this limit: EDQUOT or ENOSPC. */
void mfs_ledger_last_of(struct mfs_ledger *ledger, struct mfs_lot *lot, int error,
                        memfs_refusal *out);

#endif
