/*
 *     whole_file_lock    -1         0        n > 0
 *                      one has     free    n share it
 *                      it alone
 *
 * Upgrading keeps the shared lock until the handle is alone.  Two that do that
 * would wait for each other, so the second is refused: `upgrade_waits`.  Who
 * comes new waits meanwhile, so that the upgrade is not starved.
 */
#include "node/filelock.h"

#include "base/check.h"
#include "sync/port.h"

/* Takes `wanted` in place of `*held` if it can be had now; inside the gate. */
static bool try_change(struct mfs_node *node, uint8_t *has, enum mfs_held wanted)
{
    enum mfs_held held = (enum mfs_held) * has;
    int32_t others = node->whole_file_lock;
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
    node->whole_file_lock = wanted == MFS_HELD_EXCLUSIVE ? -1
                            : wanted == MFS_HELD_SHARED  ? others + 1
                                                         : others;
    *has = (uint8_t)wanted;
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
    /* Nobody could let go while the only thread waits. */
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
    int32_t state = node->whole_file_lock;
    mfs_port_gate_leave(gate);
    if (held == MFS_HELD_SHARED)
        return state != 1;
    return held == MFS_HELD_NOTHING && state != 0;
}
