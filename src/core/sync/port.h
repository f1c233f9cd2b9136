/*
 * What memfs asks of the operating system: a place to wait, the time, and some random bytes.
 *
 * A *gate* is a mutex with one condition variable.  All waiting in memfs happens at gates (see
 * sync.h), so this is all there is to port.  A gate stands either on POSIX threads or on the hooks
 * of the caller; in a build without threads it is empty, and its functions do nothing.
 */
#ifndef MFS_PORT_H
#define MFS_PORT_H

#include "base/annot.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

#ifndef MEMFS_NO_THREADS
#include <pthread.h>
#endif

struct MFS_CAPABILITY("gate") mfs_gate {
#ifndef MEMFS_NO_THREADS
    const memfs_lock_hooks *hooks; /* null: POSIX threads */
    union {
        struct {
            pthread_mutex_t mutex;
            pthread_cond_t condition;
        } posix;
        struct {
            void *mutex;
            void *condition;
        } hooked;
    } u;
#else
    char unused;
#endif
};

/* `hooks` must outlive the gate; null means POSIX threads.  Errors: ENOMEM. */
int mfs_port_gate_init(struct mfs_gate *gate, const memfs_lock_hooks *hooks);
bool mfs_port_gate_is_hooked(const struct mfs_gate *gate);
void mfs_port_gate_fini(struct mfs_gate *gate);

void mfs_port_gate_enter(struct mfs_gate *gate) MFS_ACQUIRE(gate);
void mfs_port_gate_leave(struct mfs_gate *gate) MFS_RELEASE(gate);

/* Leaves the gate, waits at most `timeout_ms` (negative: for ever) until the gate is woken, and
 * enters it again.  May return early.  No cancellation point, unless the hook is one. */
void mfs_port_gate_wait(struct mfs_gate *gate, int64_t timeout_ms) MFS_REQUIRES(gate);

/* Wakes all threads that wait at the gate. */
void mfs_port_gate_wake(struct mfs_gate *gate) MFS_REQUIRES(gate);

/* Wall-clock time in nanoseconds, cheap rather than exact: it may stand still for some
 * milliseconds.  The parameter makes it fit the clock hook. */
int64_t mfs_port_wall_clock_ns(void *unused);

/* Milliseconds since some point in the past; never goes back, if the system has such a clock. */
int64_t mfs_port_monotonic_ms(void);

/* Fills `bytes` with random bytes: unpredictable ones where the system has them. */
void mfs_port_random(void *bytes, size_t length);

/*
 * How many fork()s lie between this process and the one in which mfs_port_watch_forks() was called
 * first.  It changes in the only thread of a child.
 */
#ifndef MEMFS_NO_THREADS
extern uint32_t mfs_port_fork_count;
#endif

static inline uint32_t mfs_port_forks(void)
{
#ifndef MEMFS_NO_THREADS
    return mfs_port_fork_count;
#else
    return 0;
#endif
}

/* Begins to count them; later calls do nothing.  Errors: ENOMEM. */
int mfs_port_watch_forks(void);

/* Tells the processor that the caller is spinning on a lock. */
static inline void mfs_port_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#endif
