/*
 * A thread that sleeps until another thread wakes it or a deadline passes.
 *
 * One thread sleeps; any thread may wake it, once, while it is armed.
 */
#ifndef MFS_SLEEPER_H
#define MFS_SLEEPER_H

#include <stdbool.h>
#include <stdint.h>

#if !defined(MEMFS_NO_THREADS) && !defined(_WIN32) && \
    !(defined(SQLITE_THREADSAFE) && SQLITE_THREADSAFE == 0)
#define MFS_SLEEPER_IS_AVAILABLE 1
#include <pthread.h>
#else
#define MFS_SLEEPER_IS_AVAILABLE 0
#endif

/* Lies on the sleeping thread's stack. */
struct mfs_sleeper {
#if MFS_SLEEPER_IS_AVAILABLE
    pthread_mutex_t mutex;
    pthread_cond_t condition;
#endif
    bool is_woken; /* guarded by the mutex */
};

/* False if this build has no sleepers, or the system has no resources for one. */
bool mfs_sleeper_init(struct mfs_sleeper *sleeper);
void mfs_sleeper_fini(struct mfs_sleeper *sleeper);

/* The time in nanoseconds on the clock of the deadlines; 0 in builds without sleepers. */
int64_t mfs_sleeper_now(void);

/* Sleeps until the sleeper is woken (true) or until the deadline `until` (false).  Returns true at
 * once if it was woken before. */
bool mfs_sleeper_sleep(struct mfs_sleeper *sleeper, int64_t until);
void mfs_sleeper_wake(struct mfs_sleeper *sleeper);

/* Makes the sleeper ready for another sleep.  No other thread can wake it meanwhile. */
void mfs_sleeper_rearm(struct mfs_sleeper *sleeper);

#endif
