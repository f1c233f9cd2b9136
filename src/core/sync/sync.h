/*
 * Reader-writer locks of four bytes, and the parking lot where threads wait for them.
 *
 * A file system has one lock for each node, so a lock must be small; and it may have to stand on
 * the caller's own mutexes, of which there can only be a few.  So a lock is one atomic word, and a
 * thread that cannot have it waits at one of the few gates of the file system's parking lot,
 * chosen by the lock's address.  Taking a free lock is one compare-and-swap.
 *
 * A lock at which readers meet becomes *biased*: its readers enter themselves in a table instead of
 * counting themselves in the word (readers.h), until the next writer comes.
 *
 * Fairness: while a writer waits, new readers wait too (WANTED), so readers cannot starve writers.
 * Therefore a thread must never take a lock shared that it holds shared already: if a writer came
 * to wait in between, the thread would wait for the writer, and the writer for it.
 *
 * The order in which locks may be taken is written down in instance/fs.h.
 */
#ifndef MFS_SYNC_H
#define MFS_SYNC_H

#include "base/annot.h"
#include "base/check.h"
#include "sync/port.h"
#include "sync/readers.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MFS_LOT_GATES = 4 }; /* more do not fit an instance of 2 KiB */

/* A line of those that wait without a thread; node/filelock.h says what they are. */
struct mfs_sync_line {
    void *first, *last; /* null: empty */
};

struct mfs_lot {
    bool threaded; /* false: the caller has promised that no two calls overlap */
    struct mfs_gate gates[MFS_LOT_GATES];
    struct mfs_sync_line lines[MFS_LOT_GATES]; /* each guarded by the gate of its index */
};

/* Null `hooks`: POSIX threads; others must outlive the lot.  Errors: ENOMEM, EOPNOTSUPP (hooks in
 * a build without threads). */
int mfs_sync_lot_init(struct mfs_lot *lot, const memfs_lock_hooks *hooks, bool threaded);
void mfs_sync_lot_fini(struct mfs_lot *lot);

/* Whether the caller's mutexes and condition variables are used. */
bool mfs_sync_lot_is_hooked(const struct mfs_lot *lot);

/* The gate for waiting for something at `address`; other addresses may share it. */
struct mfs_gate *mfs_sync_lot_gate(struct mfs_lot *lot, const volatile void *address);

/* The line beside a gate of the lot. */
static inline struct mfs_sync_line *mfs_sync_lot_line(struct mfs_lot *lot,
                                                      const struct mfs_gate *gate)
{
    return &lot->lines[gate - lot->gates];
}

static inline bool mfs_sync_lot_is_threaded(const struct mfs_lot *lot)
{
#ifdef MEMFS_NO_THREADS
    (void)lot;
    return false;
#else
    return lot->threaded;
#endif
}

/*
 * Marks: what an instance and all that belongs to it begin with, made from the magic number of its
 * kind.  The child of a fork() has copies of them all, but not the other threads, whose calls stay
 * half done there and whose locks stay locked.  So a mark of a threaded instance is good only in
 * the process that made it.  Where no two calls overlap no call is half done, and it stays good.
 */
static inline uint32_t mfs_sync_mark(const struct mfs_lot *lot, uint32_t magic)
{
    return mfs_sync_lot_is_threaded(lot) ? magic + mfs_port_forks() : ~magic;
}

static inline bool mfs_sync_is_marked(uint32_t mark, uint32_t magic)
{
    return mark == magic + mfs_port_forks() || mark == ~magic;
}

/* A number for this thread, and whether it has ever found a lock in use by another. */
static inline unsigned mfs_sync_thread_number(void)
{
#ifdef MEMFS_NO_THREADS
    return 0;
#else
    return mfs_readers_thread_number();
#endif
}

static inline bool mfs_sync_has_met_threads(void)
{
#ifdef MEMFS_NO_THREADS
    return false;
#else
    return mfs_readers_own.has_met_threads;
#endif
}

struct MFS_CAPABILITY("lock") mfs_lock {
    _Atomic uint32_t word; /* 0: free */
};

/* The parts of the word; sync.c says which go together. */
#define MFS_LOCK_HELD 0x80000000u   /* a writer has the lock */
#define MFS_LOCK_WANTED 0x40000000u /* a writer waits: new readers wait too */
#define MFS_LOCK_PARKED 0x20000000u /* a thread waits: the one that frees the lock wakes the gate */
#define MFS_LOCK_BIASED 0x10000000u /* readers enter themselves in the table */
#define MFS_LOCK_COUNT 0x0fffffffu  /* the number of readers that have the lock and are not there */

/* The slow paths: taking a lock that is not free, and waking its gate. */
void mfs_sync_lock_shared_contended(struct mfs_lot *lot, struct mfs_lock *lock);
void mfs_sync_lock_exclusive_contended(struct mfs_lot *lot, struct mfs_lock *lock);
void mfs_sync_lock_wake(struct mfs_lot *lot, struct mfs_lock *lock);

/* Takes this thread's entry out of the table, and wakes the writer that waits for that; false: it
 * has none. */
bool mfs_sync_leave_table(struct mfs_lot *lot, struct mfs_lock *lock);

/* Frees the lock if the thread has it by the table.  An entry keeps the lock BIASED or HELD. */
static inline bool mfs_sync_unlock_by_table(struct mfs_lot *lot, struct mfs_lock *lock)
{
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    return (word & (MFS_LOCK_BIASED | MFS_LOCK_HELD)) != 0 && mfs_sync_leave_table(lot, lock);
}

static inline void mfs_sync_lock_shared(struct mfs_lot *lot, struct mfs_lock *lock)
    MFS_ACQUIRE_SHARED(lock) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    if (!mfs_sync_lot_is_threaded(lot))
        return;
    uint32_t word = atomic_load_explicit(&lock->word, memory_order_relaxed);
    if ((word & ~MFS_LOCK_COUNT) != 0 || word == MFS_LOCK_COUNT ||
        !atomic_compare_exchange_strong_explicit(&lock->word, &word, word + 1, memory_order_acquire,
                                                 memory_order_relaxed))
        mfs_sync_lock_shared_contended(lot, lock);
}

static inline void mfs_sync_unlock_shared(struct mfs_lot *lot, struct mfs_lock *lock)
    MFS_RELEASE_SHARED(lock) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    if (!mfs_sync_lot_is_threaded(lot) || mfs_sync_unlock_by_table(lot, lock))
        return;
    uint32_t before = atomic_fetch_sub_explicit(&lock->word, 1, memory_order_release);
    MFS_CHECK((before & MFS_LOCK_COUNT) != 0 && (before & MFS_LOCK_HELD) == 0);
    if ((before & MFS_LOCK_COUNT) == 1 && (before & MFS_LOCK_PARKED) != 0) {
        (void)atomic_fetch_and_explicit(&lock->word, ~(MFS_LOCK_WANTED | MFS_LOCK_PARKED),
                                        memory_order_relaxed);
        mfs_sync_lock_wake(lot, lock);
    }
}

static inline void mfs_sync_lock_exclusive(struct mfs_lot *lot, struct mfs_lock *lock)
    MFS_ACQUIRE(lock) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    uint32_t free_word = 0;
    if (mfs_sync_lot_is_threaded(lot) &&
        !atomic_compare_exchange_strong_explicit(&lock->word, &free_word, MFS_LOCK_HELD,
                                                 memory_order_acquire, memory_order_relaxed))
        mfs_sync_lock_exclusive_contended(lot, lock);
}

static inline void mfs_sync_unlock_exclusive(struct mfs_lot *lot, struct mfs_lock *lock)
    MFS_RELEASE(lock) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    if (!mfs_sync_lot_is_threaded(lot))
        return;
    uint32_t before = atomic_exchange_explicit(&lock->word, 0, memory_order_release);
    MFS_CHECK((before & MFS_LOCK_HELD) != 0 && (before & MFS_LOCK_COUNT) == 0);
    if ((before & MFS_LOCK_PARKED) != 0)
        mfs_sync_lock_wake(lot, lock);
}

#endif
