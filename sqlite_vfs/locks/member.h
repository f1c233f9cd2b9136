/*
 * One connection's part in the share of its database: joining, leaving, and the limits that all
 * members have in common.
 */
#ifndef MFS_MEMBER_H
#define MFS_MEMBER_H

#include "base/list.h"
#include "base/mutex.h"
#include "file/fetch.h"
#include "file/shm.h"
#include "locks/isolation.h"
#include "locks/lockstate.h"
#include "locks/registry.h"
#include "locks/share.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * `mutex` is the database's: the same for all members, and fixed from joining to leaving.  A member
 * reads `share` only with the mutex held, since a leaving holder moves the share.
 */
struct mfs_member {
    uint64_t number;  /* of the database's node; fixed */
    memfs_file *file; /* the connection's handle, open from joining to leaving; fixed */
    mfs_mutex *mutex;
    struct mfs_share *share;
    struct mfs_link link; /* in the share's list of members */
    struct mfs_shm *shm;  /* the share's, if this connection maps it; written by the owner only */
    struct mfs_shm_hold hold;
    struct mfs_fetch fetch;
    int lock_timeout_ms;             /* SQLITE_FCNTL_LOCK_TIMEOUT */
    sqlite3 **connection;            /* SQLITE_FCNTL_PDB; null: not told */
    bool is_leaving;                 /* no thread may begin to wait for this connection any more */
    _Atomic uint32_t handoff_ticket; /* handoff.h; 0: none */
    bool refuses_control;            /* as the registry's; fixed */
    bool is_image, can_write;        /* guarded by the mutex from mfs_member_admit() on */
    enum mfs_lock_level level;       /* written by the owner only, with the mutex held */
    struct mfs_isolation isolation;
    struct mfs_share own_share; /* the share, if this connection is its holder */
};

enum mfs_join {
    MFS_JOINED,
    MFS_JOIN_NO_MEMORY, /* on SQLite's heap */
    MFS_JOIN_DISAGREES  /* the others are isolated and this connection must not be, or vice versa */
};

/* Enters a connection to the database `number`, which uses `file` and `view`. */
enum mfs_join mfs_member_join(struct mfs_member *member, struct mfs_registry *registry,
                              uint64_t number, enum mfs_isolation_wish wish, memfs_file *file,
                              struct mfs_view *view);

static inline bool mfs_member_is_isolated(const struct mfs_member *member)
{
    return member->isolation.file != NULL;
}

/*
 * Right after joining: whether the connection may stay.  A connection that opens the database as an
 * image, which does not change, and one that can write exclude each other.
 */
bool mfs_member_admit(struct mfs_member *member, bool is_image, bool can_write);

/*
 * Before the file of a database is replaced: makes sure that no connection is its writer, nor
 * becomes one until mfs_member_admit_writers(), which gets the same `*held`.  False, and nothing
 * is held, if there is a writer.
 */
bool mfs_member_bar_writers(struct mfs_registry *registry, uint64_t number, mfs_mutex **held);
void mfs_member_admit_writers(struct mfs_registry *registry, mfs_mutex *held);

/* Gives back the connection's locks and takes it out of the share. */
void mfs_member_leave(struct mfs_member *member, struct mfs_registry *registry);

int64_t mfs_member_size_limit(struct mfs_member *member);
void mfs_member_set_size_limit(struct mfs_member *member, int64_t limit);

int64_t mfs_member_wal_preallocated_end(struct mfs_member *member);
void mfs_member_set_wal_preallocated_end(struct mfs_member *member, int64_t end);

/*
 * After a change of the database: makes the other connections unmap pages that are no longer the
 * file's.  A connection in a transaction does so when the transaction ends.
 */
void mfs_member_reclaim_pages(struct mfs_member *member, memfs_file *file);

/* For assertions, with the mutex held: whether the share's members agree with its ladder. */
bool mfs_member_share_is_valid(const struct mfs_share *share);

#endif
