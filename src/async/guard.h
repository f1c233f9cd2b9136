/*
 * The mutex of a front: one of POSIX threads, or none in a build without threads.  It is held for
 * a few instructions at a time, never while a call, a callback or an executor runs.
 */
#ifndef MFS_GUARD_H
#define MFS_GUARD_H

#ifdef MEMFS_NO_THREADS

struct mfs_guard {
    char unused;
};

static inline int mfs_guard_init(struct mfs_guard *guard)
{
    guard->unused = 0;
    return 0;
}

static inline void mfs_guard_fini(struct mfs_guard *guard)
{
    (void)guard;
}

static inline void mfs_guard_enter(struct mfs_guard *guard)
{
    (void)guard;
}

static inline void mfs_guard_leave(struct mfs_guard *guard)
{
    (void)guard;
}

#else

#include <memfs/memfs.h>
#include <pthread.h>

struct mfs_guard {
    pthread_mutex_t mutex;
};

/* Errors: ENOMEM. */
static inline int mfs_guard_init(struct mfs_guard *guard)
{
    return pthread_mutex_init(&guard->mutex, NULL) == 0 ? 0 : MEMFS_ENOMEM;
}

static inline void mfs_guard_fini(struct mfs_guard *guard)
{
    (void)pthread_mutex_destroy(&guard->mutex);
}

static inline void mfs_guard_enter(struct mfs_guard *guard)
{
    (void)pthread_mutex_lock(&guard->mutex);
}

static inline void mfs_guard_leave(struct mfs_guard *guard)
{
    (void)pthread_mutex_unlock(&guard->mutex);
}

#endif

#endif
