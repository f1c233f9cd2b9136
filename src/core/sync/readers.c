/*
 * 1. A row is null, or has one lock that one thread has entered and will take out.
 * 2. A thread is in the table with at most MFS_READERS_OWN locks, and knows them; what does not fit
 *    is counted in the lock's word, as ever.
 * 3. Entering, and a writer's look, are sequentially consistent: either the writer sees the row, or
 *    the reader sees what the writer has written to the lock's word before it looked.
 *
 * Cost: entering and leaving write a line that other threads seldom touch; a look reads all lines.
 */
#include "sync/readers.h"

#include "base/check.h"

#include <stdatomic.h>
#include <stddef.h>

#ifndef MEMFS_NO_THREADS

static struct row {
    _Alignas(MFS_READERS_LINE_BYTES) _Atomic(const struct mfs_lock *) lock;
} table[MFS_READERS_ROWS];

_Thread_local struct mfs_readers_own mfs_readers_own;

static atomic_uint threads_numbered;

unsigned mfs_readers_thread_number(void)
{
    if (mfs_readers_own.number == 0)
        mfs_readers_own.number = atomic_fetch_add_explicit(&threads_numbered, 1,
                                                           memory_order_relaxed) +
                                 1;
    return mfs_readers_own.number;
}

bool mfs_readers_enter(const struct mfs_lock *lock)
{
    enum { TRIES = 4 };
    struct mfs_readers_own *own = &mfs_readers_own;
    unsigned first = mfs_readers_thread_number() % MFS_READERS_ROWS;
    if (own->count == MFS_READERS_OWN)
        return false;
    for (unsigned i = 0; i < TRIES; i++) {
        unsigned row = (first + i) % MFS_READERS_ROWS;
        const struct mfs_lock *empty = NULL;
        if (atomic_load_explicit(&table[row].lock, memory_order_relaxed) != NULL ||
            !atomic_compare_exchange_strong(&table[row].lock, &empty, lock))
            continue;
        own->locks[own->count] = lock;
        own->rows[own->count++] = row;
        return true;
    }
    return false;
}

bool mfs_readers_leave(const struct mfs_lock *lock)
{
    struct mfs_readers_own *own = &mfs_readers_own;
    for (unsigned i = 0; i < own->count; i++) {
        if (own->locks[i] != lock)
            continue;
        unsigned row = own->rows[i];
        own->count--;
        own->locks[i] = own->locks[own->count];
        own->rows[i] = own->rows[own->count];
        MFS_CHECK(atomic_load_explicit(&table[row].lock, memory_order_relaxed) == lock);
        atomic_store(&table[row].lock, NULL);
        return true;
    }
    return false;
}

bool mfs_readers_have(const struct mfs_lock *lock)
{
    for (unsigned row = 0; row < MFS_READERS_ROWS; row++)
        if (atomic_load(&table[row].lock) == lock)
            return true;
    return false;
}

void mfs_readers_forget_others(void)
{
    const struct mfs_readers_own *own = &mfs_readers_own;
    for (unsigned row = 0; row < MFS_READERS_ROWS; row++) {
        bool is_own = false;
        for (unsigned i = 0; i < own->count; i++)
            is_own = is_own || own->rows[i] == row;
        if (!is_own)
            atomic_store(&table[row].lock, NULL);
    }
}

#endif
