/*
 * Hand-offs: a lock that a woken connection was given is kept for it until it has taken the lock.
 *
 * Without them the thread that has just committed would take the lock again before the thread that
 * it woke is running, each time, and the other thread's busy handler would run out of tries within
 * milliseconds.
 */
#ifndef MFS_HANDOFF_H
#define MFS_HANDOFF_H

#include "locks/member.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A member's `handoff_ticket` is the share's ticket, shifted by one, with this bit if the
 * connection waited for a lock to write.  0: it was handed nothing.
 */
#define MFS_HANDOFF_FOR_WRITER 1u

/* What the connection was handed.  Read without the mutex by the connection itself, for which a
 * value that is about to change means the same as the new one. */
static inline uint32_t mfs_handoff_ticket(struct mfs_member *member)
{
    return atomic_load_explicit(&member->handoff_ticket, memory_order_relaxed);
}

/* Whether a hand-off may be pending for the database `number`.  One load, without the mutex. */
static inline bool mfs_handoff_may_exist(struct mfs_registry *registry, uint64_t number)
{
    return atomic_load(&registry->handoffs[mfs_registry_bucket(number)]) != 0;
}

/* The rest with the database's mutex held.  `now` is mfs_sleeper_now(). */

/* Keeps writers' locks for the connection, which is woken or about to try again. */
void mfs_handoff_offer(struct mfs_member *member, struct mfs_registry *registry, bool for_writer,
                       int64_t now);

/* The connection has taken its lock, or will not. */
void mfs_handoff_settle(struct mfs_member *member, struct mfs_registry *registry);

/* Whether a hand-off to other connections keeps this one from writers' locks. */
bool mfs_handoff_excludes(struct mfs_member *member, struct mfs_registry *registry, int64_t now);

/* When the current hand-off expires; without one, the earliest time at which a later one can. */
int64_t mfs_handoff_deadline(const struct mfs_share *share, int64_t now);

#endif
