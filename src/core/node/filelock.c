/*
 *     whole_file_lock    -1             0        n > 0
 *                        one handle     free     n handles
 *                        has it alone            share it
 *
 * 1. whole_file_lock, upgrade_waits, has_line and each handle's `held` change only inside the
 *    node's gate.
 * 2. A handle that upgrades keeps its shared lock until it is the only one.  Two handles that do so
 *    would wait for each other, so the second one is refused (EDEADLK); `upgrade_waits` says that
 *    one is waiting.
 * 3. While an upgrade waits, handles without a lock get none, so that it is not starved.
 * 4. A ticket is in the line of its node's gate, or was granted: then it is in no list that another
 *    thread sees, `*held` is what it wanted, and `granted` is called once.
 * 5. Tickets of one node are granted in the order of the line.  An upgrade goes to its front: all
 *    others have to wait for the lock that the upgrading handle keeps.
 * 6. No ticket waits that could be granted: each change that lets others in looks at the line.
 *
 * Cost: two mutex operations of the gate.  A thread that waits sleeps at the gate; each release
 * wakes it.  A ticket costs no thread; a release that finds has_line set looks at the tickets of
 * the gate, an eighth of all.
 *
 * Left undone: threads that wait are not queued; which of them gets the lock is up to the
 * scheduler, and tickets go before them.
 */
#include "node/filelock.h"

#include "base/check.h"
#include "sync/port.h"

/* What a handle holds agrees with the state of the node. */
static bool is_held_validly(const struct mfs_node *node, enum mfs_held held)
{
    int32_t state = mfs_filelock_state(node);
    if (state < -1)
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

/* ---------------------------------------------------------------- the line */

static bool is_upgrade(uint8_t held, enum mfs_held wanted)
{
    return held == MFS_HELD_SHARED && wanted == MFS_HELD_EXCLUSIVE;
}

static void unlink_ticket(struct mfs_sync_line *line, struct mfs_filelock_ticket *before,
                          struct mfs_filelock_ticket *ticket)
{
    if (before != NULL)
        before->next = ticket->next;
    else
        line->first = ticket->next;
    if (line->last == ticket)
        line->last = before;
    ticket->next = NULL;
}

static void link_ticket(struct mfs_sync_line *line, struct mfs_filelock_ticket *ticket,
                        bool to_front)
{
    struct mfs_filelock_ticket *last = line->last;
    ticket->next = to_front ? line->first : NULL;
    if (last != NULL && !to_front)
        last->next = ticket;
    if (last == NULL || to_front)
        line->first = ticket;
    if (last == NULL || !to_front)
        line->last = ticket;
}

/*
 * Grants what can be granted of the node's tickets, takes them out of the line, and returns them
 * as a list in order; inside the gate.
 */
static struct mfs_filelock_ticket *grant_tickets(struct mfs_sync_line *line, struct mfs_node *node)
{
    struct mfs_filelock_ticket *granted = NULL, **end = &granted, *before = NULL;
    if (!node->has_line)
        return NULL;
    node->has_line = false;
    struct mfs_filelock_ticket *next, *ticket = line->first;
    for (; ticket != NULL && !node->has_line; ticket = next) {
        next = ticket->next;
        if (ticket->node != node) {
            before = ticket;
        } else if (try_change(node, ticket->held, (enum mfs_held)ticket->wanted)) {
            unlink_ticket(line, before, ticket);
            node->upgrade_waits &= !ticket->upgrades;
            *end = ticket;
            end = &ticket->next;
        } else {
            node->has_line = true; /* it waits, and so do those behind it */
        }
    }
    return granted;
}

/* A ticket's memory is no more ours once its function has been called. */
static void tell_granted(struct mfs_filelock_ticket *granted)
{
    while (granted != NULL) {
        struct mfs_filelock_ticket *ticket = granted;
        granted = ticket->next;
        ticket->next = NULL;
        ticket->granted(ticket);
    }
}

static bool is_in_line(const struct mfs_sync_line *line, const struct mfs_node *node,
                       const uint8_t *held)
{
    const struct mfs_filelock_ticket *ticket = node->has_line ? line->first : NULL;
    while (ticket != NULL && ticket->held != held)
        ticket = ticket->next;
    return ticket != NULL;
}

int mfs_filelock_queue(struct mfs_lot *lot, struct mfs_node *node, uint8_t *held,
                       enum mfs_held wanted, struct mfs_filelock_ticket *ticket)
{
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, node);
    struct mfs_sync_line *line = mfs_sync_lot_line(lot, gate);
    struct mfs_filelock_ticket *granted = NULL;
    int result = 0;
    mfs_port_gate_enter(gate);
    bool upgrades = is_upgrade(*held, wanted);
    bool lets_go = *held != MFS_HELD_NOTHING && !upgrades;
    bool may_overtake = *held != MFS_HELD_NOTHING || !node->has_line;
    if (is_in_line(line, node, held)) {
        result = MEMFS_EBUSY;
    } else if (upgrades && node->upgrade_waits) {
        result = MEMFS_EDEADLK;
    } else if (!may_overtake || !try_change(node, held, wanted)) {
        ticket->node = node;
        ticket->held = held;
        ticket->wanted = (uint8_t)wanted;
        ticket->upgrades = upgrades;
        link_ticket(line, ticket, upgrades);
        node->has_line = true;
        node->upgrade_waits |= upgrades;
        result = 1;
    } else if (lets_go) {
        granted = grant_tickets(line, node);
        mfs_port_gate_wake(gate);
    }
    mfs_port_gate_leave(gate);
    tell_granted(granted);
    return result;
}

bool mfs_filelock_withdraw(struct mfs_lot *lot, struct mfs_node *node,
                           struct mfs_filelock_ticket *ticket)
{
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, node);
    struct mfs_sync_line *line = mfs_sync_lot_line(lot, gate);
    struct mfs_filelock_ticket *granted = NULL, *before = NULL;
    mfs_port_gate_enter(gate);
    struct mfs_filelock_ticket *at = line->first;
    while (at != NULL && at != ticket) {
        before = at;
        at = at->next;
    }
    if (at != NULL) {
        unlink_ticket(line, before, ticket);
        node->upgrade_waits &= !ticket->upgrades;
        granted = grant_tickets(line, node);
        mfs_port_gate_wake(gate);
    }
    mfs_port_gate_leave(gate);
    tell_granted(granted);
    return at != NULL;
}

void mfs_filelock_forget_line(struct mfs_lot *lot, struct mfs_node *node)
{
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, node);
    struct mfs_sync_line *line = mfs_sync_lot_line(lot, gate);
    struct mfs_filelock_ticket *before = NULL, *next;
    mfs_port_gate_enter(gate);
    struct mfs_filelock_ticket *ticket = node->has_line ? line->first : NULL;
    for (; ticket != NULL; ticket = next) {
        next = ticket->next;
        if (ticket->node != node) {
            before = ticket;
            continue;
        }
        unlink_ticket(line, before, ticket);
        node->upgrade_waits &= !ticket->upgrades;
    }
    node->has_line = false;
    mfs_port_gate_leave(gate);
}

/* ----------------------------------------------------------------- changes */

/* Changes what is held, inside the gate, which it may leave to wait. */
static int change(struct mfs_gate *gate, struct mfs_node *node, uint8_t *held, enum mfs_held wanted,
                  int64_t timeout_ms) MFS_REQUIRES(gate)
{
    bool upgrades = is_upgrade(*held, wanted);
    if (upgrades && node->upgrade_waits)
        return MEMFS_EDEADLK;
    if (upgrades)
        node->upgrade_waits = true;
    int error = wait_and_change(gate, node, held, wanted, timeout_ms);
    if (upgrades)
        node->upgrade_waits = false;
    return error;
}

int mfs_filelock_change(struct mfs_lot *lot, struct mfs_node *node, uint8_t *held,
                        enum mfs_held wanted, int64_t timeout_ms)
{
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, node);
    struct mfs_filelock_ticket *granted = NULL;
    mfs_port_gate_enter(gate);
    bool lets_go = *held != MFS_HELD_NOTHING;
    /* No other handle could release its lock while the only thread waits. */
    int error = change(gate, node, held, wanted, lot->threaded ? timeout_ms : 0);
    if (error == MEMFS_EAGAIN && timeout_ms != 0)
        error = MEMFS_ETIMEDOUT;
    if (lets_go) {
        granted = grant_tickets(mfs_sync_lot_line(lot, gate), node);
        mfs_port_gate_wake(gate);
    }
    mfs_port_gate_leave(gate);
    tell_granted(granted);
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
