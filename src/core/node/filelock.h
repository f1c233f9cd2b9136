/*
 * Whole-file locks: between open files, shared or exclusive, with a timeout or in line.
 *
 * The state is in the node (whole_file_lock, upgrade_waits, has_line) and is guarded by the gate
 * for the node's address, at which handles wait for the lock: a thread sleeps there, a ticket
 * stands in the gate's line.  The gate is a leaf in the lock order.  A caller that may wait, or
 * lets a lock go, must hold no other lock: the `granted` functions of tickets are called from
 * there.
 */
#ifndef MFS_FILELOCK_H
#define MFS_FILELOCK_H

#include "node/node.h"
#include "sync/sync.h"

#include <stdint.h>

/* Read inside the gate it is steady; elsewhere, for reports, it is a number that was true. */
static inline int32_t mfs_filelock_state(const struct mfs_node *node)
{
    return atomic_load_explicit(&node->whole_file_lock, memory_order_relaxed);
}

static inline void mfs_filelock_set_state(struct mfs_node *node, int32_t state)
{
    atomic_store_explicit(&node->whole_file_lock, state, memory_order_relaxed);
}

enum mfs_held { MFS_HELD_NOTHING = 0, MFS_HELD_SHARED = 1, MFS_HELD_EXCLUSIVE = 2 };

/*
 * Changes what a handle holds, `*held`, to `wanted`; waits at most `timeout_ms` (0: not at all,
 * negative: for ever).  `*held` is guarded by the gate, too, so that threads may share a handle.
 * Errors: EAGAIN (timeout_ms is 0), ETIMEDOUT, EDEADLK; then nothing has changed.
 */
int mfs_filelock_change(struct mfs_lot *lot, struct mfs_node *node, uint8_t *held,
                        enum mfs_held wanted, int64_t timeout_ms);

/* A handle's place in line.  The memory is the caller's, and stays while the ticket waits. */
struct mfs_filelock_ticket {
    struct mfs_filelock_ticket *next; /* in the line, or of those that were granted together */
    struct mfs_node *node;
    uint8_t *held;
    uint8_t wanted;                                      /* enum mfs_held */
    bool upgrades;                                       /* it is the node's upgrade_waits */
    void (*granted)(struct mfs_filelock_ticket *ticket); /* set by the caller */
};

/*
 * Changes `*held` to `wanted` as mfs_filelock_change() without waiting does; where that cannot be,
 * puts the ticket in line.  The call that lets the lock go then changes `*held` and calls
 * `granted`, once, outside of the gate.
 * Returns 0 (it is changed), 1 (the ticket waits), EDEADLK, EBUSY (the handle is in line).
 */
int mfs_filelock_queue(struct mfs_lot *lot, struct mfs_node *node, uint8_t *held,
                       enum mfs_held wanted, struct mfs_filelock_ticket *ticket);

/* Takes the ticket out of line; false if it is not there: granted, or never queued. */
bool mfs_filelock_withdraw(struct mfs_lot *lot, struct mfs_node *node,
                           struct mfs_filelock_ticket *ticket);

/* Takes all tickets for the node out of line, and calls nobody. */
void mfs_filelock_forget_line(struct mfs_lot *lot, struct mfs_node *node);

/* Releases what is held, if anything.  Cannot fail. */
void mfs_filelock_release(struct mfs_lot *lot, struct mfs_node *node, uint8_t *held);

/* True if the file is locked by a handle other than one that holds `held`. */
bool mfs_filelock_is_locked(struct mfs_lot *lot, struct mfs_node *node, enum mfs_held held);

#endif
