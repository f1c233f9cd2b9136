/*
 * The table of readers: where threads say that they have a lock shared, without writing a word that
 * other readers of it write.
 *
 * The lock's own count of readers is one word, and two threads that take and free the lock in turn
 * hand its cache line to and fro; that takes longer than most of what they do in between.  So the
 * readers of a lock at which that happened (sync.h: BIASED) enter themselves here, each in a row of
 * its own, and a writer looks through the rows.
 *
 * The table is the process's, as the processors' caches are: it serves the locks of all instances,
 * belongs to none, and remembers nothing but who reads now.
 */
#ifndef MFS_READERS_H
#define MFS_READERS_H

#include <stdbool.h>

struct mfs_lock;

enum { MFS_READERS_LINE_BYTES = 64 }; /* what processors hand to and fro */

#ifndef MEMFS_NO_THREADS

enum { MFS_READERS_ROWS = 32, MFS_READERS_OWN = 2 };

/* What this thread has in the table, and how often it has met other readers lately. */
struct mfs_readers_own {
    const struct mfs_lock *locks[MFS_READERS_OWN];
    unsigned rows[MFS_READERS_OWN];
    unsigned count;
    unsigned meetings;
    unsigned number;      /* 0: none yet */
    bool has_met_threads; /* ever, at any lock */
};

extern _Thread_local struct mfs_readers_own mfs_readers_own;

/* Enters the lock for this thread; false: no row is free.  What the thread reads afterwards, it
 * reads later than a writer that has looked before sees the table. */
bool mfs_readers_enter(const struct mfs_lock *lock);

/* Takes this thread's entry of the lock out; false: there is none. */
bool mfs_readers_leave(const struct mfs_lock *lock);

/* Whether any thread has the lock in the table. */
bool mfs_readers_have(const struct mfs_lock *lock);

/* A number for this thread: threads that come one after the other have numbers that do so too. */
unsigned mfs_readers_thread_number(void);

/* In the child of a fork(): the entries of the threads that are not there any more. */
void mfs_readers_forget_others(void);

#endif

#endif
