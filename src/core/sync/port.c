/*
 * The port to POSIX.  Another system replaces this file, or keeps it, builds without threads and
 * sets a clock hook.
 *
 * Only making a gate can fail.  Entering, leaving, waiting and waking cannot, with mutexes of the
 * plain kind that are entered and left in turn; assertions hold that.
 */
#include "sync/port.h"

#include "sync/readers.h"

#include "base/check.h"

#include <stdint.h>
#include <time.h>

#if defined(__linux__)
#include <sys/random.h>
#endif

static int64_t timespec_ns(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

int64_t mfs_port_wall_clock_ns(void *unused)
{
    (void)unused;
    struct timespec now = {0, 0};
#if defined(CLOCK_REALTIME_COARSE)
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
#else
    (void)clock_gettime(CLOCK_REALTIME, &now);
#endif
    return timespec_ns(&now);
}

int64_t mfs_port_monotonic_ms(void)
{
    struct timespec now = {0, 0};
#if defined(CLOCK_MONOTONIC)
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
#else
    (void)clock_gettime(CLOCK_REALTIME, &now);
#endif
    return timespec_ns(&now) / 1000000;
}

void mfs_port_random(void *bytes, size_t length)
{
#if defined(__linux__)
    if (getrandom(bytes, length, 0) == (ssize_t)length)
        return;
#endif
    /* Predictable, but at least not constant: the time and an address, mixed. */
    uint64_t state = (uint64_t)mfs_port_wall_clock_ns(NULL) ^ (uint64_t)(uintptr_t)bytes;
    for (size_t i = 0; i < length; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        ((unsigned char *)bytes)[i] = (unsigned char)(state >> 56);
    }
}

#ifdef MEMFS_NO_THREADS

int mfs_port_watch_forks(void)
{
    return 0;
}

int mfs_port_gate_init(struct mfs_gate *gate, const memfs_lock_hooks *hooks)
{
    (void)hooks;
    gate->unused = 0;
    return 0;
}

bool mfs_port_gate_is_hooked(const struct mfs_gate *gate)
{
    (void)gate;
    return false;
}

void mfs_port_gate_fini(struct mfs_gate *gate)
{
    (void)gate;
}

void mfs_port_gate_enter(struct mfs_gate *gate) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    (void)gate;
}

void mfs_port_gate_leave(struct mfs_gate *gate) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    (void)gate;
}

void mfs_port_gate_wait(struct mfs_gate *gate, int64_t timeout_ms)
{
    (void)gate;
    (void)timeout_ms;
}

void mfs_port_gate_wake(struct mfs_gate *gate)
{
    (void)gate;
}

#else

uint32_t mfs_port_fork_count;

static pthread_once_t watch_once = PTHREAD_ONCE_INIT;
static int watch_error;

static void count_fork(void)
{
    mfs_port_fork_count++;
    mfs_readers_forget_others();
}

static void watch_forks(void)
{
    watch_error = pthread_atfork(NULL, NULL, count_fork);
}

int mfs_port_watch_forks(void)
{
    (void)pthread_once(&watch_once, watch_forks);
    return watch_error == 0 ? 0 : MEMFS_ENOMEM;
}

/* For calls that fail only where a gate is used wrongly. */
static void must_succeed(int error)
{
    MFS_CHECK(error == 0);
    (void)error;
}

static int init_posix(struct mfs_gate *gate)
{
    pthread_condattr_t attributes;
    if (pthread_mutex_init(&gate->u.posix.mutex, NULL) != 0)
        return MEMFS_ENOMEM;
    if (pthread_condattr_init(&attributes) != 0)
        goto fail_mutex;
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    int error = pthread_cond_init(&gate->u.posix.condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    if (error != 0)
        goto fail_mutex;
    return 0;
fail_mutex:
    (void)pthread_mutex_destroy(&gate->u.posix.mutex);
    return MEMFS_ENOMEM;
}

static int init_hooked(struct mfs_gate *gate, const memfs_lock_hooks *hooks)
{
    void *mutex = hooks->mutex_create(hooks->context);
    if (mutex == NULL)
        return MEMFS_ENOMEM;
    void *condition = hooks->condition_create(hooks->context);
    if (condition == NULL) {
        hooks->mutex_destroy(hooks->context, mutex);
        return MEMFS_ENOMEM;
    }
    MFS_CHECK(hooks->mutex_destroy != NULL && hooks->condition_destroy != NULL);
    gate->u.hooked.mutex = mutex;
    gate->u.hooked.condition = condition;
    return 0;
}

int mfs_port_gate_init(struct mfs_gate *gate, const memfs_lock_hooks *hooks)
{
    gate->hooks = hooks;
    return hooks != NULL ? init_hooked(gate, hooks) : init_posix(gate);
}

bool mfs_port_gate_is_hooked(const struct mfs_gate *gate)
{
    return gate->hooks != NULL;
}

void mfs_port_gate_fini(struct mfs_gate *gate)
{
    const memfs_lock_hooks *hooks = gate->hooks;
    if (hooks != NULL) {
        hooks->condition_destroy(hooks->context, gate->u.hooked.condition);
        hooks->mutex_destroy(hooks->context, gate->u.hooked.mutex);
        return;
    }
    must_succeed(pthread_cond_destroy(&gate->u.posix.condition));
    must_succeed(pthread_mutex_destroy(&gate->u.posix.mutex));
}

void mfs_port_gate_enter(struct mfs_gate *gate) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    if (gate->hooks != NULL)
        gate->hooks->mutex_lock(gate->hooks->context, gate->u.hooked.mutex);
    else
        must_succeed(pthread_mutex_lock(&gate->u.posix.mutex));
}

void mfs_port_gate_leave(struct mfs_gate *gate) MFS_NO_THREAD_SAFETY_ANALYSIS
{
    if (gate->hooks != NULL)
        gate->hooks->mutex_unlock(gate->hooks->context, gate->u.hooked.mutex);
    else
        must_succeed(pthread_mutex_unlock(&gate->u.posix.mutex));
}

/* Thirty days, so that no sum overflows.  A longer wait returns early, as any wait may. */
#define LONGEST_WAIT_MS ((int64_t)30 * 24 * 3600 * 1000)

static void wait_until_woken(struct mfs_gate *gate, int64_t timeout_ms)
{
    if (timeout_ms < 0) {
        must_succeed(pthread_cond_wait(&gate->u.posix.condition, &gate->u.posix.mutex));
        return;
    }
    if (timeout_ms > LONGEST_WAIT_MS)
        timeout_ms = LONGEST_WAIT_MS;
    struct timespec until = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    MFS_CHECK(until.tv_nsec >= 0 && until.tv_nsec < 1000000000);
    /* Timing out is no error here: the caller looks at its condition and at the clock again. */
    (void)pthread_cond_timedwait(&gate->u.posix.condition, &gate->u.posix.mutex, &until);
}

/* A thread that is cancelled in the wait would take the mutex with it, so it is no cancellation
 * point.  (Android has no cancellation.) */
static void wait_posix(struct mfs_gate *gate, int64_t timeout_ms)
{
#if defined(__ANDROID__)
    wait_until_woken(gate, timeout_ms);
#else
    int state;
    must_succeed(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state));
    wait_until_woken(gate, timeout_ms);
    must_succeed(pthread_setcancelstate(state, NULL));
#endif
}

void mfs_port_gate_wait(struct mfs_gate *gate, int64_t timeout_ms)
{
    const memfs_lock_hooks *hooks = gate->hooks;
    if (hooks != NULL)
        hooks->condition_wait(hooks->context, gate->u.hooked.condition, gate->u.hooked.mutex,
                              timeout_ms);
    else
        wait_posix(gate, timeout_ms);
}

void mfs_port_gate_wake(struct mfs_gate *gate)
{
    if (gate->hooks != NULL)
        gate->hooks->condition_broadcast(gate->hooks->context, gate->u.hooked.condition);
    else
        must_succeed(pthread_cond_broadcast(&gate->u.posix.condition));
}

#endif
