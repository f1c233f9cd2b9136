/*
 * The queue of those who sleep for a lock of one database, and the promise.
 *
 * 1. A sleeper is in the queue of the database's share, guarded by the database's mutex,
 *    and is taken out by whoever wakes it or by itself.  It looks whether it can have the lock
 *    under the mutex before it sleeps; who gives a lock back looks at the queue afterwards.
 *    `registry->sleepers` counts before that look, so that one load tells that nobody sleeps.
 * 2. Who is woken is promised the lock: until it has come back, or PROMISE_NS have passed, no
 *    other connection gets RESERVED, nor the WAL's write lock.  Without that the thread that
 *    has just committed would take it again before the other is awake, each time, and the
 *    other's busy handler would run out of tries within milliseconds.
 * 3. For the same reason one writer is woken at a time, the one who has slept longest.
 *    Readers are woken all at once.  EXCLUSIVE needs no promise: PENDING is one.
 * 4. A thread remembers the refusal by the connection's address, and looks whether the
 *    database still has such a connection before it uses it.  It may have been closed, in
 *    another thread too; nobody sleeps on a connection that is closed (mfs_waiting_end()).
 *
 * Lock order: the registry's mutex, the database's, a sleeper's.
 */
#include "locks/waiting.h"

#include "base/sleeper.h"

#include <assert.h>
#include <stddef.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)
#define PROMISE_NS (20 * NS_PER_MS)
#define PROMISES 0x7ffffffeu /* their numbers, times two, fit into a member's word */

enum { WAL_WRITE_SLOT = 0 };

struct mfs_waiter {
    struct mfs_waiter *next;
    struct mfs_member *member;
    struct mfs_lock_request request;
    bool is_queued;
    struct mfs_sleeper sleeper;
};

/* What the thread was refused last. */
struct refusal {
    struct mfs_registry *registry; /* null: nothing */
    struct mfs_member *member;
    uint64_t number;
    struct mfs_lock_request request;
};

#if MFS_SLEEPER_IS_AVAILABLE
static _Thread_local struct refusal last_refusal;
#else
static struct refusal last_refusal; /* never read */
#endif

static unsigned bucket_of(uint64_t number)
{
    return (unsigned)(number % MFS_REGISTRY_BUCKETS);
}

/* -------------------------------------------- with the database's mutex held */

static bool is_for_writing(const struct mfs_lock_request *request)
{
    if (request->is_of_wal)
        return request->is_exclusive && request->first == WAL_WRITE_SLOT;
    return request->level == MFS_LOCK_RESERVED;
}

static void end_promise(struct mfs_share *share, struct mfs_registry *registry)
{
    if (share->promised == 0)
        return;
    share->promised = 0;
    (void)atomic_fetch_sub(&registry->promises[bucket_of(share->number)], 1u);
}

static bool is_promised(const struct mfs_share *share, struct mfs_member *member)
{
    return share->promised > 0 && atomic_load(&member->promise) / 2 == share->promise;
}

static void promise(struct mfs_share *share, struct mfs_registry *registry,
                    const struct mfs_waiter *waiter, int64_t now)
{
    struct mfs_member *member = waiter->member;
    if (is_promised(share, member))
        return;
    if (share->promised == 0) {
        share->promise = share->promise % PROMISES + 1;
        share->promise_end = now + PROMISE_NS;
        (void)atomic_fetch_add(&registry->promises[bucket_of(share->number)], 1u);
    }
    share->promised++;
    atomic_store(&member->promise, share->promise * 2 + is_for_writing(&waiter->request));
}

/* The member has come, or will not. */
static void forget_promise(struct mfs_share *share, struct mfs_registry *registry,
                           struct mfs_member *member)
{
    if (is_promised(share, member) && share->promised == 1)
        end_promise(share, registry);
    else if (is_promised(share, member))
        share->promised--;
    atomic_store(&member->promise, 0);
}

static bool is_promised_to_others(struct mfs_share *share, struct mfs_registry *registry,
                                  struct mfs_member *member, int64_t now)
{
    if (share->promised > 0 && now >= share->promise_end)
        end_promise(share, registry);
    return share->promised > 0 && !is_promised(share, member);
}

static bool can_have(struct mfs_share *share, struct mfs_registry *registry,
                     struct mfs_member *member, const struct mfs_lock_request *request, int64_t now)
{
    if (member->isolation.is_outdated && request->level == MFS_LOCK_RESERVED)
        return true; /* to hear that it cannot become the writer any more */
    if (is_for_writing(request) && is_promised_to_others(share, registry, member, now))
        return false;
    if (!request->is_of_wal)
        return mfs_lockstate_is_free(&share->locks, member->level, request->level);
    return member->shm == NULL ||
           mfs_shm_is_free(member->shm, request->first, request->count, request->is_exclusive);
}

static void enqueue(struct mfs_share *share, struct mfs_waiter *waiter)
{
    struct mfs_waiter **end = &share->waiters;
    while (*end != NULL)
        end = &(*end)->next;
    waiter->next = NULL;
    *end = waiter;
    waiter->is_queued = true;
}

static void dequeue(struct mfs_share *share, struct mfs_waiter *waiter)
{
    struct mfs_waiter **link = &share->waiters;
    while (*link != NULL && *link != waiter)
        link = &(*link)->next;
    assert(*link == waiter);
    *link = waiter->next;
    waiter->is_queued = false;
}

static void wake_all_that_can(struct mfs_share *share, struct mfs_registry *registry)
{
    int64_t now = mfs_sleeper_now();
    struct mfs_waiter *next;
    for (struct mfs_waiter *waiter = share->waiters; waiter != NULL; waiter = next) {
        next = waiter->next;
        if (!can_have(share, registry, waiter->member, &waiter->request, now))
            continue;
        dequeue(share, waiter);
        promise(share, registry, waiter, now);
        mfs_sleeper_wake(&waiter->sleeper); /* the last touch: it lies on that thread's stack */
    }
}

/* --------------------------------------------------------------------- sleeping */

/* The connection that the thread was refused for, with its database's mutex held; or null. */
static struct mfs_member *hold_member(const struct refusal *refusal)
{
    struct mfs_registry *registry = refusal->registry;
    mfs_mutex_lock(registry->mutex);
    struct mfs_share *share = registry->shares[bucket_of(refusal->number)];
    while (share != NULL && share->number != refusal->number)
        share = share->next;
    struct mfs_member *member = share != NULL ? share->members : NULL;
    while (member != NULL && member != refusal->member)
        member = member->next;
    if (member != NULL)
        mfs_mutex_lock(member->mutex);
    mfs_mutex_unlock(registry->mutex);
    if (member == NULL || !member->is_leaving)
        return member;
    mfs_mutex_unlock(member->mutex);
    return NULL;
}

/* Until when to sleep; 0: not at all.  The waiter is queued if it is to sleep. */
static int64_t prepare_sleep(struct mfs_registry *registry, struct mfs_waiter *waiter, int64_t end)
{
    struct mfs_member *member = waiter->member;
    struct mfs_share *share = member->share;
    int64_t now = mfs_sleeper_now();
    if (waiter->is_queued)
        dequeue(share, waiter);
    if (can_have(share, registry, member, &waiter->request, now)) {
        promise(share, registry, waiter, now);
        return 0;
    }
    if (now >= end)
        return 0;
    mfs_sleeper_rearm(&waiter->sleeper); /* woken after its time was over, and too late */
    enqueue(share, waiter);
    /* A promise, be it made later, can end without anybody who would wake those that it holds up. */
    int64_t promise_end = share->promised > 0 ? share->promise_end : now + PROMISE_NS;
    return is_for_writing(&waiter->request) && promise_end < end ? promise_end : end;
}

/* False: the connection was closed before. */
static bool sleep_until(const struct refusal *refusal, struct mfs_waiter *waiter, int64_t end)
{
    for (bool is_first = true;; is_first = false) {
        struct mfs_member *member = hold_member(refusal);
        if (member == NULL) /* what closed it has taken the waiter out of the queue */
            return !is_first;
        if (is_first)
            forget_promise(member->share, refusal->registry, member);
        int64_t until = prepare_sleep(refusal->registry, waiter, end);
        mfs_mutex_unlock(member->mutex);
        if (until == 0 || mfs_sleeper_sleep(&waiter->sleeper, until))
            return true;
    }
}

static bool sleep_for(const struct refusal *refusal, int64_t duration)
{
    struct mfs_waiter waiter = {.member = refusal->member, .request = refusal->request};
    atomic_uint *sleepers = &refusal->registry->sleepers[bucket_of(refusal->number)];
    if (!mfs_sleeper_init(&waiter.sleeper))
        return false;
    (void)atomic_fetch_add(sleepers, 1u);
    bool has_slept = sleep_until(refusal, &waiter, mfs_sleeper_now() + duration);
    (void)atomic_fetch_sub(sleepers, 1u);
    mfs_sleeper_fini(&waiter.sleeper);
    return has_slept;
}

bool mfs_waiting_sleep(struct mfs_registry *registry, int microseconds)
{
    struct refusal refusal = last_refusal;
    if (!MFS_SLEEPER_IS_AVAILABLE || refusal.registry != registry || microseconds <= 0)
        return false;
    last_refusal.registry = NULL;
    return sleep_for(&refusal, microseconds * NS_PER_US);
}

/* ---------------------------------------------------------------------- locking */

/* Whether the connection must let another go first.  One load while nothing is promised. */
static bool must_yield(struct mfs_member *member, struct mfs_registry *registry, uint64_t number)
{
    if (atomic_load(&registry->promises[bucket_of(number)]) == 0)
        return false;
    mfs_mutex_lock(member->mutex);
    bool yields = is_promised_to_others(member->share, registry, member, mfs_sleeper_now());
    mfs_mutex_unlock(member->mutex);
    return yields;
}

/* After an answer that is no refusal.  What a writer was promised comes after a reader's lock. */
static void keep_promise(struct mfs_member *member, struct mfs_registry *registry,
                         const struct mfs_lock_request *request, enum mfs_lock_answer answer)
{
    uint32_t promise = atomic_load_explicit(&member->promise, memory_order_relaxed);
    if (promise == 0 ||
        (answer == MFS_LOCK_GRANTED && promise % 2 == 1 && !is_for_writing(request)))
        return;
    mfs_mutex_lock(member->mutex);
    forget_promise(member->share, registry, member);
    wake_all_that_can(member->share, registry);
    mfs_mutex_unlock(member->mutex);
}

static bool try(struct mfs_member *member, struct mfs_registry *registry,
                const struct mfs_lock_request *request, enum mfs_lock_answer *answer)
{
    *answer = MFS_LOCK_BUSY;
    if (is_for_writing(request) && must_yield(member, registry, member->number))
        return false;
    if (!request->is_of_wal)
        *answer = mfs_member_lock(member, request->level);
    else if (mfs_shm_lock(member->shm, &member->hold, request->first, request->count,
                          request->is_exclusive))
        *answer = MFS_LOCK_GRANTED;
    return *answer != MFS_LOCK_BUSY;
}

/* Whoever waits for a writer while it keeps that writer waiting waits in vain. */
static bool is_deadlock(struct mfs_member *member, const struct mfs_lock_request *request)
{
    if (request->is_of_wal || member->level != MFS_LOCK_SHARED)
        return false;
    mfs_mutex_lock(member->mutex);
    bool is_pending = member->share->locks.pending;
    mfs_mutex_unlock(member->mutex);
    return is_pending;
}

static enum mfs_lock_answer lock(struct mfs_member *member, struct mfs_registry *registry,
                                 const struct mfs_lock_request *request)
{
    enum mfs_lock_answer answer;
    bool is_answered = try(member, registry, request, &answer);
    if (!is_answered) {
        struct refusal refusal = {registry, member, member->number, *request};
        int64_t end = mfs_sleeper_now() + member->lock_timeout_ms * NS_PER_MS;
        while (!is_answered && mfs_sleeper_now() < end && !is_deadlock(member, request) &&
               sleep_for(&refusal, end - mfs_sleeper_now()))
            is_answered = try(member, registry, request, &answer);
        if (!is_answered)
            last_refusal = refusal;
    }
    if (answer != MFS_LOCK_BUSY)
        keep_promise(member, registry, request, answer);
    return answer;
}

enum mfs_lock_answer mfs_waiting_lock(struct mfs_member *member, struct mfs_registry *registry,
                                      enum mfs_lock_level wanted)
{
    struct mfs_lock_request request = {.level = wanted};
    return lock(member, registry, &request);
}

bool mfs_waiting_lock_wal(struct mfs_member *member, struct mfs_registry *registry, unsigned first,
                          unsigned count, bool exclusive)
{
    struct mfs_lock_request request = {.is_of_wal = true,
                                       .first = (uint8_t)first,
                                       .count = (uint8_t)count,
                                       .is_exclusive = exclusive};
    return lock(member, registry, &request) == MFS_LOCK_GRANTED;
}

void mfs_waiting_wake(struct mfs_member *member, struct mfs_registry *registry)
{
    if (atomic_load(&registry->sleepers[bucket_of(member->number)]) == 0)
        return;
    mfs_mutex_lock(member->mutex);
    wake_all_that_can(member->share, registry);
    mfs_mutex_unlock(member->mutex);
}

void mfs_waiting_end(struct mfs_member *member, struct mfs_registry *registry)
{
    (void)mfs_member_unlock(member, MFS_LOCK_NONE);
    mfs_mutex_lock(member->mutex);
    member->is_leaving = true;
    struct mfs_share *share = member->share;
    struct mfs_waiter *next;
    for (struct mfs_waiter *waiter = share->waiters; waiter != NULL; waiter = next) {
        next = waiter->next;
        if (waiter->member != member)
            continue;
        dequeue(share, waiter);
        mfs_sleeper_wake(&waiter->sleeper);
    }
    forget_promise(share, registry, member);
    wake_all_that_can(share, registry);
    mfs_mutex_unlock(member->mutex);
}
