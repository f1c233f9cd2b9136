/*
 * The queue of threads that wait for a lock of one database.
 *
 * 1. A waiter is in the queue of its database's share, guarded by the database's mutex.  The thread
 *    that wakes it takes it out, or its own thread does.
 * 2. No wake-up is lost.  A waiter checks under the mutex whether it can have the lock before it
 *    sleeps, and a connection that gives a lock back looks at the queue afterwards.
 *    `registry->sleepers` is counted up before that check, so one load tells that no thread waits.
 * 3. A woken waiter is handed its lock (handoff.h).  So writers are woken one at a time, the one
 *    that has waited longest first; readers are woken all at once.
 * 4. A thread remembers its last refusal by the connection's address, and uses the address only
 *    after finding it among the database's members.  The connection may have been closed, also by
 *    another thread; mfs_waiting_end() wakes the threads that wait on its behalf.
 *
 * Lock order: the registry's mutex, the database's, a sleeper's.
 *
 * Cost: locking loads one word to see that nothing is handed off, unlocking one to see that no
 * thread waits.  Waking tries each waiter in the queue.
 *
 * Left out on purpose: recognising every deadlock.  A wait that turns out to be in vain lasts its
 * time.
 */
#include "locks/waiting.h"

#include "base/assertion.h"
#include "base/pausepoint.h"
#include "base/sleeper.h"
#include "locks/handoff.h"
#include "locks/ladder.h"

#include <stddef.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_US INT64_C(1000)

/* What a connection asked for. */
struct lock_request {
    bool is_of_wal;            /* slots of the WAL index; otherwise a level of the ladder */
    enum mfs_lock_level level; /* of the ladder */
    uint8_t first, count;      /* slots of the WAL index */
    bool is_exclusive;         /* the slots */
};

/* On the waiting thread's stack. */
struct waiter {
    struct mfs_link link; /* in the share's queue, if `is_queued` */
    bool is_queued;
    struct mfs_member *member;
    struct lock_request request;
    struct mfs_sleeper sleeper;
};

/* What the thread was refused last. */
struct lock_refusal {
    struct mfs_registry *registry; /* null: nothing */
    struct mfs_member *member;     /* an address only; see 4 */
    uint64_t number;
    struct lock_request request;
};

#if MFS_SLEEPER_IS_AVAILABLE
static _Thread_local struct lock_refusal last_refusal;
#else
static struct lock_refusal last_refusal; /* never read */
#endif

/* -------------------------------------------- with the database's mutex held */

/* Whether the request is for RESERVED or the WAL's write lock, which are the locks handed off. */
static bool is_for_writing(const struct lock_request *request)
{
    if (request->is_of_wal)
        return request->is_exclusive && request->first == MFS_SHM_WRITER_SLOT;
    return request->level == MFS_LOCK_RESERVED;
}

/* Whether the connection would get an answer other than BUSY now. */
static bool can_have(struct mfs_member *member, struct mfs_registry *registry,
                     const struct lock_request *request, int64_t now)
{
    MFS_ASSERT(mfs_mutex_is_held(member->mutex));
    if (member->isolation.is_outdated && request->level == MFS_LOCK_RESERVED)
        return true; /* it will be told that it cannot become the writer any more */
    if (is_for_writing(request) && mfs_handoff_excludes(member, registry, now))
        return false;
    if (!request->is_of_wal)
        return mfs_lockstate_is_free(&member->share->locks, member->level, request->level);
    return member->shm == NULL ||
           mfs_shm_is_free(member->shm, request->first, request->count, request->is_exclusive);
}

static void enqueue(struct mfs_share *share, struct waiter *waiter)
{
    MFS_ASSERT(!waiter->is_queued);
    mfs_list_append(&share->waiters, &waiter->link);
    waiter->is_queued = true;
}

static void dequeue(struct mfs_share *share, struct waiter *waiter)
{
    MFS_ASSERT(waiter->is_queued);
    mfs_list_remove(&share->waiters, &waiter->link);
    waiter->is_queued = false;
}

static void hand_over(struct waiter *waiter, struct mfs_registry *registry, int64_t now)
{
    mfs_handoff_offer(waiter->member, registry, is_for_writing(&waiter->request), now);
}

/* Wakes every waiter that can have its lock, in order, so that one hand-off excludes those
 * behind. */
static void wake_all_that_can(struct mfs_share *share, struct mfs_registry *registry)
{
    int64_t now = mfs_sleeper_now();
    struct mfs_link *next;
    for (struct mfs_link *at = share->waiters.first; at != NULL; at = next) {
        struct waiter *waiter = MFS_LIST_ENTRY(at, struct waiter, link);
        next = at->next;
        if (!can_have(waiter->member, registry, &waiter->request, now))
            continue;
        dequeue(share, waiter);
        hand_over(waiter, registry, now);
        mfs_sleeper_wake(&waiter->sleeper); /* from here on the waiter may be gone */
    }
}

/* --------------------------------------------------------------------- sleeping */

/* Whether `wanted`, which may be the address of a closed connection, is a member of the share. */
static bool is_member(const struct mfs_share *share, const struct mfs_member *wanted)
{
    for (struct mfs_link *at = share->members.first; at != NULL; at = at->next)
        if (MFS_LIST_ENTRY(at, struct mfs_member, link) == wanted)
            return true;
    return false;
}

/* The connection that the thread was refused for, with its database's mutex held; or null if it is
 * closed or about to be. */
static struct mfs_member *lock_member(const struct lock_refusal *refusal)
{
    struct mfs_registry *registry = refusal->registry;
    mfs_mutex_lock(&registry->mutex);
    const struct mfs_share *share = mfs_share_find(registry, refusal->number);
    struct mfs_member *member = NULL;
    if (share != NULL && is_member(share, refusal->member)) {
        member = refusal->member;
        mfs_mutex_lock(member->mutex);
    }
    mfs_mutex_unlock(&registry->mutex);
    if (member == NULL || !member->is_leaving)
        return member;
    mfs_mutex_unlock(member->mutex);
    return NULL;
}

/* Queues the waiter unless it can have the lock or its time is over.  Returns until when to sleep,
 * or 0 for not at all. */
static int64_t prepare_sleep(struct mfs_registry *registry, struct waiter *waiter, int64_t end)
{
    struct mfs_member *member = waiter->member;
    struct mfs_share *share = member->share;
    MFS_ASSERT(mfs_mutex_is_held(member->mutex));
    int64_t now = mfs_sleeper_now();
    if (waiter->is_queued)
        dequeue(share, waiter);
    if (can_have(member, registry, &waiter->request, now)) {
        hand_over(waiter, registry, now);
        return 0;
    }
    if (now >= end)
        return 0;
    mfs_sleeper_rearm(&waiter->sleeper); /* it may have been woken just after its time was over */
    enqueue(share, waiter);
    /* An expiring hand-off wakes no thread, so wake up at its deadline and look again. */
    int64_t deadline = mfs_handoff_deadline(share, now);
    return is_for_writing(&waiter->request) && deadline < end ? deadline : end;
}

/* False: the connection was closed before the thread could sleep. */
static bool sleep_until(const struct lock_refusal *refusal, struct waiter *waiter, int64_t end)
{
    for (bool is_first = true;; is_first = false) {
        struct mfs_member *member = lock_member(refusal);
        MFS_ASSERT(member == NULL || mfs_mutex_is_held(member->mutex));
        if (member == NULL) /* mfs_waiting_end() has taken the waiter out of the queue */
            return !is_first;
        if (is_first)
            mfs_handoff_settle(member, refusal->registry); /* it was refused what it was handed */
        int64_t until = prepare_sleep(refusal->registry, waiter, end);
        mfs_mutex_unlock(member->mutex);
        if (until == 0 || mfs_sleeper_sleep(&waiter->sleeper, until))
            return true;
    }
}

static bool sleep_for(const struct lock_refusal *refusal, int64_t duration)
{
    struct waiter waiter = {.member = refusal->member, .request = refusal->request};
    atomic_uint *sleepers = &refusal->registry->sleepers[mfs_registry_bucket(refusal->number)];
    if (!mfs_sleeper_init(&waiter.sleeper))
        return false;
    (void)atomic_fetch_add(sleepers, 1u);
    bool has_slept = sleep_until(refusal, &waiter, mfs_sleeper_now() + duration);
    MFS_ASSERT(!waiter.is_queued);
    (void)atomic_fetch_sub(sleepers, 1u);
    mfs_sleeper_fini(&waiter.sleeper);
    return has_slept;
}

bool mfs_waiting_sleep(struct mfs_registry *registry, int microseconds)
{
    struct lock_refusal refusal = last_refusal;
    if (!MFS_SLEEPER_IS_AVAILABLE || refusal.registry != registry || microseconds <= 0)
        return false;
    last_refusal.registry = NULL;
    return sleep_for(&refusal, microseconds * NS_PER_US);
}

/* ---------------------------------------------------------------------- locking */

/* Whether a writer's lock is kept for another connection.  One load while nothing is handed off. */
static bool must_yield(struct mfs_member *member, struct mfs_registry *registry)
{
    if (!mfs_handoff_may_exist(registry, member->number))
        return false;
    mfs_mutex_lock(member->mutex);
    bool yields = mfs_handoff_excludes(member, registry, mfs_sleeper_now());
    mfs_mutex_unlock(member->mutex);
    return yields;
}

/* After an answer other than BUSY: ends what the connection was handed.  A connection that was
 * handed a writer's lock takes a reader's lock on its way to it, which does not end it. */
static void settle_handoff(struct mfs_member *member, struct mfs_registry *registry,
                           const struct lock_request *request, enum mfs_lock_answer answer)
{
    uint32_t ticket = mfs_handoff_ticket(member);
    bool handoff_is_for_writer = (ticket & MFS_HANDOFF_FOR_WRITER) != 0;
    if (ticket == 0 ||
        (answer == MFS_LOCK_GRANTED && handoff_is_for_writer && !is_for_writing(request)))
        return;
    mfs_mutex_lock(member->mutex);
    mfs_handoff_settle(member, registry);
    wake_all_that_can(member->share, registry);
    mfs_mutex_unlock(member->mutex);
}

/* Whether the answer is other than BUSY. */
static bool try_lock(struct mfs_member *member, struct mfs_registry *registry,
                     const struct lock_request *request, enum mfs_lock_answer *answer)
{
    *answer = MFS_LOCK_BUSY;
    if (is_for_writing(request) && must_yield(member, registry))
        return false;
    if (!request->is_of_wal)
        *answer = mfs_ladder_lock(member, request->level);
    else if (mfs_shm_lock(member->shm, &member->hold, request->first, request->count,
                          request->is_exclusive))
        *answer = MFS_LOCK_GRANTED;
    return *answer != MFS_LOCK_BUSY;
}

/* A reader that waits for a pending writer would deadlock: the writer is waiting for that
 * reader. */
static bool is_deadlock(struct mfs_member *member, const struct lock_request *request)
{
    if (request->is_of_wal || member->level != MFS_LOCK_SHARED)
        return false;
    mfs_mutex_lock(member->mutex);
    bool is_pending = member->share->locks.pending;
    mfs_mutex_unlock(member->mutex);
    return is_pending;
}

static enum mfs_lock_answer lock_or_wait(struct mfs_member *member, struct mfs_registry *registry,
                                         const struct lock_request *request)
{
    enum mfs_lock_answer answer;
    bool is_answered = try_lock(member, registry, request, &answer);
    if (!is_answered) {
        struct lock_refusal refusal = {registry, member, member->number, *request};
        int64_t end = mfs_sleeper_now() + member->lock_timeout_ms * NS_PER_MS;
        while (!is_answered && mfs_sleeper_now() < end && !is_deadlock(member, request) &&
               sleep_for(&refusal, end - mfs_sleeper_now()))
            is_answered = try_lock(member, registry, request, &answer);
        if (!is_answered)
            last_refusal = refusal;
    }
    if (answer != MFS_LOCK_BUSY)
        settle_handoff(member, registry, request, answer);
    return answer;
}

enum mfs_lock_answer mfs_waiting_lock(struct mfs_member *member, struct mfs_registry *registry,
                                      enum mfs_lock_level wanted)
{
    struct lock_request request = {.level = wanted};
    return lock_or_wait(member, registry, &request);
}

bool mfs_waiting_lock_wal(struct mfs_member *member, struct mfs_registry *registry, unsigned first,
                          unsigned count, bool exclusive)
{
    struct lock_request request = {.is_of_wal = true,
                                   .first = (uint8_t)first,
                                   .count = (uint8_t)count,
                                   .is_exclusive = exclusive};
    return lock_or_wait(member, registry, &request) == MFS_LOCK_GRANTED;
}

void mfs_waiting_wake(struct mfs_member *member, struct mfs_registry *registry)
{
    if (atomic_load(&registry->sleepers[mfs_registry_bucket(member->number)]) == 0)
        return;
    mfs_mutex_lock(member->mutex);
    wake_all_that_can(member->share, registry);
    mfs_mutex_unlock(member->mutex);
}

void mfs_waiting_end(struct mfs_member *member, struct mfs_registry *registry)
{
    (void)mfs_ladder_unlock(member, MFS_LOCK_NONE);
    mfs_mutex_lock(member->mutex);
    member->is_leaving = true;
    struct mfs_share *share = member->share;
    struct mfs_link *next;
    for (struct mfs_link *at = share->waiters.first; at != NULL; at = next) {
        struct waiter *waiter = MFS_LIST_ENTRY(at, struct waiter, link);
        next = at->next;
        if (waiter->member != member)
            continue;
        dequeue(share, waiter);
        mfs_sleeper_wake(&waiter->sleeper);
    }
    mfs_handoff_settle(member, registry);
    wake_all_that_can(share, registry);
    mfs_mutex_unlock(member->mutex);
    MFS_PAUSEPOINT("waiting: ended");
}
