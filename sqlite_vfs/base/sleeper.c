/*
 * A flag, and a condition variable to wait for it.
 *
 * SQLite has mutexes, but nothing to wait with for an event or a deadline, so this uses POSIX
 * threads where they exist.
 *
 * 1. `is_woken` changes only under the sleeper's mutex, so a wake-up between the check and the
 *    sleep is not lost.
 * 2. Deadlines are on the monotonic clock, so that setting the time of day does not change them;
 *    macOS has condition variables on the real-time clock only.
 *
 * Left out on purpose: Windows, where mfs_sleeper_init() says that there is no sleeper.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#include "base/sleeper.h"

#if MFS_SLEEPER_IS_AVAILABLE

#include <time.h>

enum { NS_PER_SECOND = 1000000000 };

#ifdef __APPLE__
#define CLOCK_OF_CONDITIONS CLOCK_REALTIME
#else
#define CLOCK_OF_CONDITIONS CLOCK_MONOTONIC
#endif

static bool init_condition(pthread_cond_t *condition)
{
#ifdef __APPLE__
    return pthread_cond_init(condition, NULL) == 0;
#else
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_OF_CONDITIONS) == 0 &&
                pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return made;
#endif
}

bool mfs_sleeper_init(struct mfs_sleeper *sleeper)
{
    sleeper->is_woken = false;
    if (pthread_mutex_init(&sleeper->mutex, NULL) != 0)
        return false;
    if (init_condition(&sleeper->condition))
        return true;
    (void)pthread_mutex_destroy(&sleeper->mutex);
    return false;
}

void mfs_sleeper_fini(struct mfs_sleeper *sleeper)
{
    (void)pthread_cond_destroy(&sleeper->condition);
    (void)pthread_mutex_destroy(&sleeper->mutex);
}

int64_t mfs_sleeper_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_OF_CONDITIONS, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

bool mfs_sleeper_sleep(struct mfs_sleeper *sleeper, int64_t until)
{
    struct timespec time = {.tv_sec = (time_t)(until / NS_PER_SECOND),
                            .tv_nsec = (long)(until % NS_PER_SECOND)};
    int error = 0, cancel_state = 0;
    /* A cancelled thread would leave SQLite's mutexes locked, which its caller holds. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    (void)pthread_mutex_lock(&sleeper->mutex);
    while (!sleeper->is_woken && error == 0)
        error = pthread_cond_timedwait(&sleeper->condition, &sleeper->mutex, &time);
    bool is_woken = sleeper->is_woken;
    (void)pthread_mutex_unlock(&sleeper->mutex);
    (void)pthread_setcancelstate(cancel_state, NULL);
    return is_woken;
}

void mfs_sleeper_wake(struct mfs_sleeper *sleeper)
{
    (void)pthread_mutex_lock(&sleeper->mutex);
    sleeper->is_woken = true;
    (void)pthread_cond_signal(&sleeper->condition);
    (void)pthread_mutex_unlock(&sleeper->mutex);
}

void mfs_sleeper_rearm(struct mfs_sleeper *sleeper)
{
    (void)pthread_mutex_lock(&sleeper->mutex);
    sleeper->is_woken = false;
    (void)pthread_mutex_unlock(&sleeper->mutex);
}

#else

bool mfs_sleeper_init(struct mfs_sleeper *sleeper)
{
    (void)sleeper;
    return false;
}

void mfs_sleeper_fini(struct mfs_sleeper *sleeper)
{
    (void)sleeper;
}

int64_t mfs_sleeper_now(void)
{
    return 0;
}

bool mfs_sleeper_sleep(struct mfs_sleeper *sleeper, int64_t until)
{
    (void)until;
    return sleeper->is_woken;
}

void mfs_sleeper_wake(struct mfs_sleeper *sleeper)
{
    sleeper->is_woken = true;
}

void mfs_sleeper_rearm(struct mfs_sleeper *sleeper)
{
    sleeper->is_woken = false;
}

#endif
