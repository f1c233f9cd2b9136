/*
 * Waiting for a lock that was refused.
 *
 * SQLite does not wait inside a lock: it is told SQLITE_BUSY, sleeps (xSleep, out of its busy
 * handler), and tries again, so often and no longer.  Here the sleep ends when the lock can
 * be had, and then the lock is kept for the one who slept, so that its next try succeeds.
 */
#ifndef MFS_WAITING_H
#define MFS_WAITING_H

#include "locks/dbshare.h"

/* What a connection asked for. */
struct mfs_lock_request {
    bool is_of_wal;            /* of the WAL index; else of the ladder */
    enum mfs_lock_level level; /* of the ladder */
    uint8_t first, count;      /* slots of the WAL index */
    bool is_exclusive;
};

/*
 * The locks of dbshare.h and shm.h, with waiting: refused, they wait up to the connection's
 * `lock_timeout_ms`; refused for good, the thread's next sleep is for this lock.
 */
enum mfs_lock_answer mfs_waiting_lock(struct mfs_member *member, struct mfs_registry *registry,
                                      enum mfs_lock_level wanted);
bool mfs_waiting_lock_wal(struct mfs_member *member, struct mfs_registry *registry, unsigned first,
                          unsigned count, bool exclusive);

/* After a lock was given back: wakes whoever can have it now.  One load if nobody waits. */
void mfs_waiting_wake(struct mfs_member *member, struct mfs_registry *registry);

/*
 * Sleeps for the lock that this thread was refused last: until it can be had, but no longer than
 * so many microseconds.  False: none was, or this build cannot; nothing was slept.
 */
bool mfs_waiting_sleep(struct mfs_registry *registry, int microseconds);

/* Before a connection leaves: its locks are given back, and whoever slept for it wakes. */
void mfs_waiting_end(struct mfs_member *member, struct mfs_registry *registry);

#endif
