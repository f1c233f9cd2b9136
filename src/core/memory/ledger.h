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
 * Two parts of the limit are closed to ordinary charges:
 *
 *     | ordinary | the emergency reserve, if there is one | the looking reserve |
 *                                                                            limit
 *
 * On the emergency reserve only privileged charges may draw: what must still go on when ordinary
 * data has filled the rest.  On the looking reserve, only what is needed to look around in a full
 * file system may draw, so that a program can find out what to remove; what it holds is counted
 * apart, and takes nothing away from the other two.
 */
#ifndef MFS_LEDGER_H
#define MFS_LEDGER_H

#include "sync/sync.h"

#include <memfs/memfs.h>

#include <stdatomic.h>
#include <stdint.h>

#define MFS_UNLIMITED UINT64_MAX

enum mfs_charge_from {
    MFS_CHARGE_ORDINARY = 0,
    MFS_CHARGE_RESERVE = 1, /* ordinary room, and the emergency reserve */
    MFS_CHARGE_LOOKING = 2  /* the looking reserve alone */
};

struct mfs_ledger {
    _Atomic uint64_t limit;          /* MFS_UNLIMITED: none */
    _Atomic uint64_t ordinary_limit; /* without the reserves; MFS_UNLIMITED if the limit is */
    _Atomic uint64_t reserve;        /* as it was set: may be more than the limit */
    _Atomic uint64_t looking_reserve;
    _Atomic uint64_t looking; /* of what is committed, what was charged to that */
    _Atomic uint64_t committed;
    _Atomic uint64_t peak;
    _Atomic uint64_t used[MEMFS_CLASS_COUNT];
    _Atomic uint64_t quota_refusals, node_refusals, allocator_refusals;
    struct mfs_lock lock;     /* a leaf: one setter of a limit at a time */
    bool has_looking_reserve; /* guarded by `lock` */
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

/* Before the refund of what was charged to the looking reserve. */
void mfs_ledger_stop_looking(struct mfs_ledger *ledger, uint64_t bytes);

void mfs_ledger_use(struct mfs_ledger *ledger, enum memfs_class class, uint64_t bytes);
void mfs_ledger_unuse(struct mfs_ledger *ledger, enum memfs_class class, uint64_t bytes);

/* What could still be charged if `unused` bytes of what is committed were given back;
 * UINT64_MAX if unlimited. */
uint64_t mfs_ledger_available(const struct mfs_ledger *ledger, enum mfs_charge_from charge_from,
                              uint64_t unused);

/* The other way round: by how much what is in use already passes what such charges may fill, since
 * the limit was lowered or a reserve raised. */
uint64_t mfs_ledger_excess(const struct mfs_ledger *ledger, enum mfs_charge_from charge_from,
                           uint64_t unused);

/* The sum over all classes. */
uint64_t mfs_ledger_used(const struct mfs_ledger *ledger);

/* False, and nothing has changed, if more than that is committed. */
bool mfs_ledger_set_limit(struct mfs_ledger *ledger, struct mfs_lot *lot, uint64_t limit);

/* Any size: what is in use stays, and ordinary charges are refused until there is room again. */
void mfs_ledger_set_reserve(struct mfs_ledger *ledger, struct mfs_lot *lot, uint64_t bytes);

/* From now on a part of the limit, whatever it is, is for looking: a 32nd of it, but at least
 * MFS_LOOKING_LEAST bytes (an eighth of a limit that is too small for that) and at most
 * MFS_LOOKING_MOST.  Without a limit there is none. */
enum { MFS_LOOKING_SHARE = 32, MFS_LOOKING_LEAST = 2048, MFS_LOOKING_MOST = 64 * 1024 };
void mfs_ledger_keep_looking_reserve(struct mfs_ledger *ledger, struct mfs_lot *lot);

/* Counts a call that was refused with this error. */
void mfs_ledger_count_refusal(struct mfs_ledger *ledger, int error);

#endif
