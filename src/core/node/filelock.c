/*
 *     whole_file_lock    -1             0        n > 0
 *                        one handle     free     n handles
 *                        has it alone            share it
 *
 * 1. whole_file_lock, upgrade_waits and each handle's `held` change only inside the node's gate.
 * 2. A handle that upgrades keeps its shared lock until it is the only one.  Two handles that do so
 *    would wait for each other, so the second one is refused (EDEADLK); `upgrade_waits` says that
 *    one is waiting.
 * 3. While an upgrade waits, handles without a lock get none, so that it is not starved.
 *
 * Cost: two mutex operations of the gate.  A waiter sleeps at the gate; each release wakes it.
 *
 * Left undone: waiters are not queued; which of them gets the lock is up to the scheduler.
 */
#include "node/filelock.h"

#include "base/check.h"
#include "sync/port.h"

/* What a handle holds agrees with the state of the node. */
static bool is_held_validly(const struct mfs_node *node, enum mfs_held held)
{
    int32_t state = mfs_filelock_state(node);
    if (state < -1 || (node->upgrade_waits && state < 1))
        return false;
    if (held == MFS_HELD_SHARED)
        return state > 0;
    return held == MFS_HELD_NOTHING || state == -1;
}

/* Takes `wanted` in place of `*has` if it can be had now; inside the gate. */
static bool try_change(struct mfs_node *node, uint8_t *has, enum mfs_held wanted)
{
    enum mfs_held held = (enum mfs_held) * has;
    MFS_CHECK(held <= MFS_HELD_EXCLUSIVE && wanted <= MFS_HELD_EXCLUSIVE);
    MFS_CHECK(is_held_validly(node, held));
    int32_t others = mfs_filelock_state(node);
    if (held == wanted)
        return true;
    if (held == MFS_HELD_SHARED)
        others--;
    else if (held == MFS_HELD_EXCLUSIVE)
        others = 0;
    if (others < 0 || (wanted == MFS_HELD_EXCLUSIVE && others != 0))
        return false;
    bool is_newcomer = wanted == MFS_HELD_SHARED && held == MFS_HELD_NOTHING;
    if (is_newcomer && (node->upgrade_waits || others == INT32_MAX))
        return false;
    mfs_filelock_set_state(node, wanted == MFS_HELD_EXCLUSIVE ? -1
                                 : wanted == MFS_HELD_SHARED  ? others + 1
                                                              : others);
    *has = (uint8_t)wanted;
    MFS_CHECK(wanted != MFS_HELD_SHARED || mfs_filelock_state(node) > 0);
    return true;
}

static int wait_and_change(struct mfs_gate *gate, struct mfs_node *node, uint8_t *held,
                           enum mfs_held wanted, int64_t timeout_ms) MFS_REQUIRES(gate)
{
    int64_t deadline = timeout_ms > 0 ? mfs_port_monotonic_ms() : 0;
    if (timeout_ms > 0 && __builtin_add_overflow(deadline, timeout_ms, &deadline))
        deadline = INT64_MAX;
    while (!try_change(node, held, wanted)) {
        if (timeout_ms == 0)
            return MEMFS_EAGAIN;
        int64_t left = -1;
        if (timeout_ms > 0) {
            left = deadline - mfs_port_monotonic_ms();
            if (left <= 0)
                return MEMFS_ETIMEDOUT;
        }
        mfs_port_gate_wait(gate, left);
    }
    return 0;
}

int mfs_filelock_change(struct mfs_lot *lot, struct mfs_node *node, uint8_t *held,
                        enum mfs_held wanted, int64_t timeout_ms)
{
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, node);
    int error;
    /* No other handle could release its lock while the only thread waits. */
    if (!lot->threaded)
        return try_change(node, held, wanted) ? 0
               : timeout_ms == 0              ? MEMFS_EAGAIN
                                              : MEMFS_ETIMEDOUT;
    mfs_port_gate_enter(gate);
    bool upgrades = *held == MFS_HELD_SHARED && wanted == MFS_HELD_EXCLUSIVE;
    bool lets_go = *held != MFS_HELD_NOTHING;
    if (upgrades && node->upgrade_waits) {
        error = MEMFS_EDEADLK;
    } else {
        if (upgrades)
            node->upgrade_waits = true;
        error = wait_and_change(gate, node, held, wanted, timeout_ms);
        if (upgrades)
            node->upgrade_waits = false;
    }
    if (lets_go)
        mfs_port_gate_wake(gate);
    mfs_port_gate_leave(gate);
    return error;
}

void mfs_filelock_release(struct mfs_lot *lot, struct mfs_node *node, uint8_t *held)
{
    int error = mfs_filelock_change(lot, node, held, MFS_HELD_NOTHING, 0);
    MFS_CHECK(error == 0);
}

bool mfs_filelock_is_locked(struct mfs_lot *lot, struct mfs_node *node, enum mfs_held held)
{
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, node);
    mfs_port_gate_enter(gate);
    int32_t state = mfs_filelock_state(node);
    mfs_port_gate_leave(gate);
    if (held == MFS_HELD_SHARED)
        return state != 1;
    return held == MFS_HELD_NOTHING && state != 0;
}
