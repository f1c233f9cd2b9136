/*
 * The word of a lock:
 *
 *     HELD    a writer has the lock; the count is 0
 *     WANTED  a writer is parked: new readers park too; PARKED is set
 *     PARKED  a thread is parked: the thread that frees the lock wakes the gate
 *     BIASED  readers that find no writer enter themselves in the table of readers
 *     count   the number of readers that have the lock and are not in the table
 *
 * 1. WANTED and PARKED are set only inside the gate, by a thread that then waits there and does not
 *    leave the gate in between.
 * 2. The thread that frees a lock with PARKED set clears both bits, then enters the gate and wakes
 *    it.  It can enter only once the thread of 1 waits, so no wake-up is lost.  The woken threads
 *    try again, and set the bits again if they have to wait again.
 * 3. The thread that frees a lock may touch its word until it has woken the gate, and not later.
 *    Up to then it must hold a reference to what the lock lies in.
 * 4. BIASED is set by a reader that has the lock, after it has met others so often that the time
 *    they lost pays for a writer's look through the table.  It is cleared by a writer only, after
 *    that has set HELD; so a lock that a thread has by the table is BIASED or HELD.
 * 5. A reader enters itself in the table, then looks at the word: it has the lock if that is BIASED
 *    and no writer has or wants it.  A writer sets HELD, then looks at the table, and waits until
 *    the lock is in it no more.  These four steps are sequentially consistent, so that at least one
 *    of the two sees the other.
 * 6. A reader that takes itself out of the table wakes the gate if it then sees HELD and PARKED; a
 *    writer that waits by 5 sets PARKED inside the gate, and then looks at the table again.
 *
 * tests/model/readers.pml is a model of 4 to 6, which CI checks in all interleavings.
 *
 * Cost: taking a free lock and freeing it are one atomic operation each; of a biased lock, three on
 * lines that are the thread's own for most of the time.  A writer of a biased lock reads the table
 * once.  A thread that waits
 * spins for a moment, then parks.  Locks whose addresses share a gate wake each other's waiters
 * for nothing, now and then.
 *
 * Left undone on purpose: locks are not handed over.  A woken writer competes with threads that
 * come just then; passing a lock on would leave it idle until its new holder runs.
 */
#include "sync/sync.h"

#include "base/check.h"

/* Most critical sections end within so many tries; for those that do not, the thread parks. */
enum { SPINS = 60 };

bool mfs_sync_lot_is_hooked(const struct mfs_lot *lot)
{
    return mfs_port_gate_is_hooked(&lot->gates[0]);
}

int mfs_sync_lot_init(struct mfs_lot *lot, const memfs_lock_hooks *hooks, bool threaded)
{
#ifdef MEMFS_NO_THREADS
    if (hooks != NULL)
        return MEMFS_EOPNOTSUPP;
    threaded = false;
#endif
    MFS_CHECK(hooks == NULL || (hooks->mutex_create != NULL && hooks->condition_create != NULL));
    lot->threaded = threaded;
    for (int i = 0; i < MFS_LOT_GATES; i++) {
        lot->lines[i] = (struct mfs_sync_line){NULL, NULL};
        int error = mfs_port_gate_init(&lot->gates[i], hooks);
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

/* ------------------------------------------------------------- the table of readers */

#ifndef MEMFS_NO_THREADS

bool mfs_sync_leave_table(struct mfs_lot *lot, struct mfs_lock *lock)
{
    if (!mfs_readers_leave(lock))
        return false;
    uint32_t word = atomic_load(&lock->word);
    if ((word & MFS_LOCK_HELD) != 0 && (word & MFS_LOCK_PARKED) != 0)
        mfs_sync_lock_wake(lot, lock);
    return true;
}

/* So often a thread must have met other readers: what that cost pays for a look at the table. */
enum { MEETINGS = 16 };

/* Takes a biased lock, unless a writer has or wants it, or the table has no row. */
static bool try_table(struct mfs_lot *lot, struct mfs_lock *lock)
{
    if (!mfs_readers_enter(lock))
        return false;
    uint32_t word = atomic_load(&lock->word);
    if ((word & (MFS_LOCK_BIASED | MFS_LOCK_HELD | MFS_LOCK_WANTED)) == MFS_LOCK_BIASED)
        return true;
    (void)mfs_sync_leave_table(lot, lock);
    return false;
}

/* The thread has met another reader; called with the lock held shared. */
static void note_meeting(struct mfs_lock *lock)
{
    if (++mfs_readers_own.meetings < MEETINGS)
        return;
    mfs_readers_own.meetings = 0;
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if ((word & ~MFS_LOCK_COUNT) == 0)
        (void)atomic_compare_exchange_strong_explicit(&lock->word, &word, word | MFS_LOCK_BIASED,
                                                      memory_order_relaxed, memory_order_relaxed);
}

/* A writer has the lock, which was biased: waits until the readers in the table have gone. */
static void wait_for_table(struct mfs_lot *lot, struct mfs_lock *lock)
{
    for (int i = 0; i < SPINS; i++) {
        if (!mfs_readers_have(lock))
            return;
        mfs_port_relax();
    }
    struct mfs_gate *gate = mfs_sync_lot_gate(lot, lock);
    mfs_port_gate_enter(gate);
    for (;;) {
        (void)atomic_fetch_or(&lock->word, MFS_LOCK_PARKED);
        if (!mfs_readers_have(lock))
            break;
        mfs_port_gate_wait(gate, -1);
    }
    mfs_port_gate_leave(gate);
}

#else

bool mfs_sync_leave_table(struct mfs_lot *lot, struct mfs_lock *lock)
{
    (void)lot;
    (void)lock;
    return false;
}

static bool try_table(struct mfs_lot *lot, struct mfs_lock *lock)
{
    (void)lot;
    (void)lock;
    return false;
}

static void note_meeting(struct mfs_lock *lock)
{
    (void)lock;
}

static void wait_for_table(struct mfs_lot *lot, struct mfs_lock *lock)
{
    (void)lot;
    (void)lock;
}

#endif

/* --------------------------------------------------------------------- waiting */

/* Takes the lock if readers may have it, by counting. */
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

/* Takes the lock if a writer may have it; the bits of the threads that wait stay. */
static bool try_exclusive(struct mfs_lock *lock)
{
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    while ((word & (MFS_LOCK_HELD | MFS_LOCK_COUNT)) == 0)
        if (atomic_compare_exchange_weak(&lock->word, &word, word | MFS_LOCK_HELD))
            return true;
    return false;
}

static void note_other_threads(void)
{
#ifndef MEMFS_NO_THREADS
    mfs_readers_own.has_met_threads = true;
#endif
}

/* Spins a little, then parks until `try` succeeds; `bits` are set while the thread is parked. */
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
        MFS_CHECK((word & MFS_LOCK_HELD) == 0 || (word & MFS_LOCK_COUNT) == 0);
        /* The lock is free: no thread would clear the bits, so try again. */
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
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    bool has_met_readers = (word & ~MFS_LOCK_COUNT) == 0;
    note_other_threads();
    if ((word & (MFS_LOCK_BIASED | MFS_LOCK_HELD | MFS_LOCK_WANTED)) == MFS_LOCK_BIASED &&
        try_table(lot, lock))
        return;
    wait_for(lot, lock, try_shared, MFS_LOCK_PARKED);
    if (has_met_readers)
        note_meeting(lock);
}

/*
 * Once HELD is set no reader gets the lock any more; BIASED stays set until then, since a writer
 * that only waits leaves the lock to the readers that have it.
 */
void mfs_sync_lock_exclusive_contended(struct mfs_lot *lot, struct mfs_lock *lock)
{
    note_other_threads();
    wait_for(lot, lock, try_exclusive, MFS_LOCK_PARKED | MFS_LOCK_WANTED);
    if ((atomic_load_explicit(&lock->word, memory_order_relaxed) & MFS_LOCK_BIASED) == 0)
        return;
    (void)atomic_fetch_and_explicit(&lock->word, ~MFS_LOCK_BIASED, memory_order_relaxed);
    wait_for_table(lot, lock);
}
