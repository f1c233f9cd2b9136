/*
 * What all connections to one database share.
 *
 * A share lies inside one of its connections, the holder, so that opening a database allocates
 * nothing from the file system.  When the holder closes, the share moves into another connection
 * (member.c).
 */
#ifndef MFS_SHARE_H
#define MFS_SHARE_H

#include "base/list.h"
#include "file/shm.h"
#include "locks/lockstate.h"
#include "locks/registry.h"

#include <stdbool.h>
#include <stdint.h>

/* A lock that is kept for connections that were woken to take it (handoff.c). */
struct mfs_handoff {
    uint32_t ticket;  /* of the current hand-off */
    uint32_t pending; /* connections that have this ticket and have not taken the lock yet */
    int64_t end_ns;   /* when the hand-off expires */
};

/*
 * Guarded by the database's mutex, which all members point to and which outlives every move of the
 * share.  `link` and `number` alone are guarded by the registry's mutex.
 */
struct mfs_share {
    uint64_t number;      /* of the database's node */
    struct mfs_link link; /* in the registry's bucket */
    struct mfs_list members;
    struct mfs_lockstate locks;
    struct mfs_shm *shm; /* the WAL index while a member maps it; else null */
    /* Up to where growth of the database is preallocated for the WAL's frames; 0: not known. */
    int64_t wal_preallocated_end;
    int64_t size_limit;       /* bytes, SQLITE_FCNTL_SIZE_LIMIT; or MFS_SIZE_UNLIMITED */
    uint64_t pages_reclaimed; /* memfs_mapping_generation() when members last unmapped old pages */
    /*
     * These three only if the database is isolated.  `no_hot_journal`: a file with the journal's
     * name cannot be a hot journal, since a connection has had RESERVED since the first joined.
     */
    uint64_t published;   /* versions, since the first connection joined */
    bool keeps_cut_pages; /* the file has pages behind its end (publishing.c) */
    bool no_hot_journal;
    struct mfs_list waiters; /* connections that wait for a lock, in order of arrival (waiting.c) */
    struct mfs_handoff handoff;
};

#define MFS_SIZE_UNLIMITED INT64_C(-1)

/* The share of the database `number`, or null.  With the registry's mutex held. */
struct mfs_share *mfs_share_find(const struct mfs_registry *registry, uint64_t number);

#endif
