/* A thread that sleeps until another one wakes it, or until a time. */
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

/* On the sleeping thread's stack. */
struct mfs_sleeper {
#if MFS_SLEEPER_IS_AVAILABLE
    pthread_mutex_t mutex;
    pthread_cond_t condition;
#endif
    bool is_woken; /* guarded by the mutex */
};

/* False: this build, or this moment, has none. */
bool mfs_sleeper_init(struct mfs_sleeper *sleeper);
void mfs_sleeper_fini(struct mfs_sleeper *sleeper);

/* Nanoseconds, from some moment on. */
int64_t mfs_sleeper_now(void);

/* Sleeps until then, or until woken, which it answers.  Woken before: at once. */
bool mfs_sleeper_sleep(struct mfs_sleeper *sleeper, int64_t until);
void mfs_sleeper_wake(struct mfs_sleeper *sleeper);

/* Forgets that it was woken; while nobody can wake it. */
void mfs_sleeper_rearm(struct mfs_sleeper *sleeper);

#endif
