/*
 * The word of a lock:
 *
 *     HELD    one writer has it; the count is 0
 *     WANTED  a writer is parked: new readers must park too
 *     PARKED  somebody is parked: whoever frees the lock must wake
 *     count   readers that have it
 *
 * 1. WANTED and PARKED are set only inside the gate, by who then waits in it
 *    without leaving the gate in between.
 * 2. Who frees the lock with PARKED set clears both and then wakes the gate.
 *    Entering the gate for that cannot overtake the setting of 1, so no wake is
 *    lost; those woken try again and set the bits again where they must.
 * 3. A lock is not touched after it was freed and the gate was woken; who frees
 *    it must still hold a reference to what the lock lies in.
 */
#include "sync/sync.h"

#include "base/check.h"

/* Two threads that hand over a short critical section meet within this; longer is for the gate. */
enum { SPINS = 60 };

int mfs_sync_lot_init(struct mfs_lot *lot, const memfs_lock_hooks *hooks, bool threaded)
{
    static const memfs_lock_hooks none = {0};
#ifdef MEMFS_NO_THREADS
    if (hooks != NULL)
        return MEMFS_EOPNOTSUPP;
    threaded = false;
#endif
    lot->threaded = threaded;
    lot->hooks = hooks != NULL ? *hooks : none;
    for (int i = 0; i < MFS_LOT_GATES; i++) {
        int error = mfs_port_gate_init(&lot->gates[i], hooks != NULL ? &lot->hooks : NULL);
        if (error != 0) {
            while (i-- > 0)
                mfs_port_gate_fini(&lot->gates[i]);
            return error;
        }
    }
    return 0;
}

void mfs_sync_lot_fini(struct mfs_lot *lot)
{
    for (int i = 0; i < MFS_LOT_GATES; i++)
        mfs_port_gate_fini(&lot->gates[i]);
}

struct mfs_gate *mfs_sync_lot_gate(struct mfs_lot *lot, const volatile void *address)
{
    uint64_t mixed = (uint64_t)(uintptr_t)address * 0x9e3779b97f4a7c15u;
    return &lot->gates[(mixed >> 32) % MFS_LOT_GATES];
}

/* Takes the lock if it is free for readers. */
static bool try_shared(struct mfs_lock *lock)
{
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    while ((word & (MFS_LOCK_HELD | MFS_LOCK_WANTED)) == 0) {
        MFS_CHECK((word & MFS_LOCK_COUNT) < MFS_LOCK_COUNT);
        if (atomic_compare_exchange_weak_explicit(&lock->word, &word, word + 1,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    }
    return false;
}

/* Takes the lock if it is free for a writer; the bits of those who wait stay. */
static bool try_exclusive(struct mfs_lock *lock)
{
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    while ((word & (MFS_LOCK_HELD | MFS_LOCK_COUNT)) == 0) {
        if (atomic_compare_exchange_weak_explicit(&lock->word, &word, word | MFS_LOCK_HELD,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    }
    return false;
}

/* Spins a little, then parks until `try` succeeds; `bits` are set while parked. */
static void wait_for(struct mfs_lot *lot, struct mfs_lock *lock, bool (*try)(struct mfs_lock *),
                     uint32_t bits)
{
    for (int i = 0; i < SPINS; i++) {
        if (try(lock))
            return;
        mfs_port_relax();
    }
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, lock);
    mfs_port_gate_enter(gate);
    while (!try(lock)) {
        uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
        if ((word & (MFS_LOCK_HELD | MFS_LOCK_WANTED | MFS_LOCK_COUNT)) == 0)
            continue;
        if ((word & bits) != bits &&
            !atomic_compare_exchange_strong_explicit(&lock->word, &word, word | bits,
                                                     memory_order_relaxed, memory_order_relaxed))
            continue;
        mfs_port_gate_wait(gate, -1);
    }
    mfs_port_gate_leave(gate);
}

void mfs_sync_lock_wake(struct mfs_lot *lot, struct mfs_lock *lock)
{
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, lock);
    mfs_port_gate_enter(gate);
    mfs_port_gate_wake(gate);
    mfs_port_gate_leave(gate);
}

void mfs_sync_lock_shared_contended(struct mfs_lot *lot, struct mfs_lock *lock)
{
    wait_for(lot, lock, try_shared, MFS_LOCK_PARKED);
}

void mfs_sync_lock_exclusive_contended(struct mfs_lot *lot, struct mfs_lock *lock)
{
    wait_for(lot, lock, try_exclusive, MFS_LOCK_PARKED | MFS_LOCK_WANTED);
}
