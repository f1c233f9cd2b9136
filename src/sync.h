/*
 * Reader-writer locks of four bytes, and the lot where their waiters park.
 *
 * A file system has one lock for each node, so a lock must be small; and it may
 * have to live on the caller's own mutexes, of which there can only be a few.
 * So a lock is one atomic word, and who cannot have it waits at one of the few
 * gates of the file system's parking lot, chosen by the lock's address.  Taking
 * a free lock is one compare-and-swap.
 *
 * Fairness: a writer that waits keeps new readers out (WANTED), so readers
 * cannot starve it.  A lock must therefore never be taken shared twice by one
 * thread.
 *
 * The order in which locks may be taken is written down in fs.h.
 */
#ifndef MFS_SYNC_H
#define MFS_SYNC_H

#include "annot.h"
#include "port.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { MFS_LOT_GATES = 8 };

struct mfs_lot {
    bool threaded;          /* false: the caller promised that no two calls overlap */
    memfs_lock_hooks hooks; /* all null: POSIX threads */
    struct mfs_gate gates[MFS_LOT_GATES];
};

/* Null `hooks`: POSIX threads.  Errors: ENOMEM, EOPNOTSUPP (hooks in a build without threads). */
int mfs_lot_init(struct mfs_lot *lot, const memfs_lock_hooks *hooks, bool threaded);
void mfs_lot_fini(struct mfs_lot *lot);

/* The gate at which those wait that wait for something at `address`. */
struct mfs_gate *mfs_lot_gate(struct mfs_lot *lot, const volatile void *address);

struct MFS_CAPABILITY("lock") mfs_lock {
    _Atomic uint32_t word; /* 0: free */
};

void mfs_lock_shared(struct mfs_lot *lot, struct mfs_lock *lock) MFS_ACQUIRE_SHARED(lock);
void mfs_unlock_shared(struct mfs_lot *lot, struct mfs_lock *lock) MFS_RELEASE_SHARED(lock);
void mfs_lock_exclusive(struct mfs_lot *lot, struct mfs_lock *lock) MFS_ACQUIRE(lock);
void mfs_unlock_exclusive(struct mfs_lot *lot, struct mfs_lock *lock) MFS_RELEASE(lock);

#endif
