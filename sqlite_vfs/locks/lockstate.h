/*
 * The lock ladder of one database, as a pure state machine: who may have which
 * of SQLite's five locks.  No mutex, no memory, no time; the caller holds the
 * mutex that guards the state.  See sqlite_vfs/README.md for the reasons.
 */
#ifndef MFS_LOCKSTATE_H
#define MFS_LOCKSTATE_H

#include <stdbool.h>
#include <stdint.h>

/* What one connection holds.  The numbers are SQLITE_LOCK_NONE ... _EXCLUSIVE. */
enum mfs_lock_level {
    MFS_LOCK_NONE = 0,
    MFS_LOCK_SHARED = 1,
    MFS_LOCK_RESERVED = 2,
    MFS_LOCK_PENDING = 3,
    MFS_LOCK_EXCLUSIVE = 4
};

enum mfs_lock_answer {
    MFS_LOCK_GRANTED = 0,
    MFS_LOCK_BUSY = 1,
    MFS_LOCK_MISUSE = 2,  /* not a step of the ladder; nothing has changed */
    MFS_LOCK_OUTDATED = 3 /* not from the ladder: what was read is not current any more */
};

/*
 * What all connections hold together.
 *
 * Invariants: at most one connection is above SHARED, and it is counted in
 * `sharers`; any bit set means that there is one; `exclusive` means that it is
 * the only sharer.
 */
struct mfs_lockstate {
    uint32_t sharers; /* connections at SHARED or above */
    bool reserved;    /* one came by RESERVED: it writes */
    bool pending;     /* one waits for the readers to leave; no new ones */
    bool exclusive;
    bool isolated; /* each reader has a version of its own: a writer need not wait for them */
};

/* The state of a database that nobody uses is all zeros, but for `isolated`. */

/*
 * Takes a connection at `*held` up to `wanted`: SHARED, RESERVED or EXCLUSIVE.
 * Wanting what is held already is granted.  EXCLUSIVE refused because of
 * readers leaves the connection at PENDING; any other refusal changes nothing.
 * Isolated, a connection at RESERVED is granted EXCLUSIVE at once, and others go on.
 */
enum mfs_lock_answer mfs_lockstate_lock(struct mfs_lockstate *state, enum mfs_lock_level *held,
                                        enum mfs_lock_level wanted);

/* Takes it down to SHARED or NONE.  Holding no more than that is fine. */
enum mfs_lock_answer mfs_lockstate_unlock(struct mfs_lockstate *state, enum mfs_lock_level *held,
                                          enum mfs_lock_level wanted);

/* Whether a connection at `held` would get `wanted` now, by way of SHARED if it holds nothing. */
bool mfs_lockstate_is_free(const struct mfs_lockstate *state, enum mfs_lock_level held,
                           enum mfs_lock_level wanted);

/*
 * Whether somebody is a writer: at RESERVED or above, but a connection that
 * waits for EXCLUSIVE without having been RESERVED (it wants to play back a hot
 * journal) does not count until it gets it.
 */
bool mfs_lockstate_is_reserved(const struct mfs_lockstate *state);

/* Whether the invariants hold.  For assertions. */
bool mfs_lockstate_is_valid(const struct mfs_lockstate *state);

#endif
