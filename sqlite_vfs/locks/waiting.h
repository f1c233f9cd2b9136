/*
 * Waiting for a lock that was refused.
 *
 * SQLite does not wait inside a lock.  It gets SQLITE_BUSY, sleeps in its busy handler (xSleep),
 * and tries again until its timeout is used up.  Here that sleep ends as soon as the lock can be
 * had, and the lock is then kept for the waiter (handoff.h), so that its next try succeeds.
 */
#ifndef MFS_WAITING_H
#define MFS_WAITING_H

#include "locks/member.h"

#include <stdbool.h>

/*
 * mfs_ladder_lock() and mfs_shm_lock() with waiting.  Refused, they wait up to the connection's
 * `lock_timeout_ms`; if the lock is still refused then, the thread's next mfs_waiting_sleep() waits
 * for this lock.
 */
enum mfs_lock_answer mfs_waiting_lock(struct mfs_member *member, struct mfs_registry *registry,
                                      enum mfs_lock_level wanted);
bool mfs_waiting_lock_wal(struct mfs_member *member, struct mfs_registry *registry, unsigned first,
                          unsigned count, bool exclusive);

/* After a lock was given back: wakes the waiters that can have theirs now.  One load if no thread
 * waits. */
void mfs_waiting_wake(struct mfs_member *member, struct mfs_registry *registry);

/*
 * Waits for the lock that this thread was refused last, until it can be had, but no longer than
 * `microseconds`.  False: the thread was refused nothing, or this build cannot wait; it has not
 * slept.
 */
bool mfs_waiting_sleep(struct mfs_registry *registry, int microseconds);

/* Before a connection leaves: gives back its lock in the ladder, and wakes the threads that wait
 * for it or on its behalf. */
void mfs_waiting_end(struct mfs_member *member, struct mfs_registry *registry);

#endif
