/*
 * The lock ladder of one database as a pure state machine: which of SQLite's five locks each
 * connection may have.  It uses no mutex, no memory and no clock; the caller holds the mutex that
 * guards the state.  sqlite_vfs/README.md gives the reasons.
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
    MFS_LOCK_OUTDATED = 3 /* only from ladder.h */
};

/*
 * What all connections hold together.  All zeros, but for `isolated`, if no connection holds a
 * lock.
 *
 * Invariants: at most one connection is above SHARED, the writer, and it is counted in `sharers`;
 * each of the three bits means that there is a writer; `exclusive` means that it is the only
 * sharer.
 */
struct mfs_lockstate {
    uint32_t sharers; /* connections at SHARED or above */
    bool reserved;    /* the writer came by RESERVED: it changes the database */
    bool pending;     /* the writer waits for the readers to leave; no reader may enter */
    bool exclusive;
    bool isolated; /* each reader has a version of its own, so the writer need not wait for them */
};

/*
 * Takes a connection at `*held` up to `wanted`: SHARED, RESERVED or EXCLUSIVE.  A level that the
 * connection holds already is granted.  If EXCLUSIVE is refused because of readers, the connection
 * is at PENDING afterwards; any other refusal changes nothing.  Isolated, a connection at RESERVED
 * is granted EXCLUSIVE at once, and readers continue.
 */
enum mfs_lock_answer mfs_lockstate_lock(struct mfs_lockstate *state, enum mfs_lock_level *held,
                                        enum mfs_lock_level wanted);

/* Takes a connection at `*held` down to SHARED or NONE.  A level that is not above `wanted`
 * stays. */
enum mfs_lock_answer mfs_lockstate_unlock(struct mfs_lockstate *state, enum mfs_lock_level *held,
                                          enum mfs_lock_level wanted);

/* Whether a connection at `held` would get `wanted` now, taking SHARED first if it holds
 * nothing. */
bool mfs_lockstate_is_free(const struct mfs_lockstate *state, enum mfs_lock_level held,
                           enum mfs_lock_level wanted);

/*
 * Whether there is a writer at RESERVED or above.  A connection that waits for EXCLUSIVE without
 * having had RESERVED, to play back a hot journal, does not count before it has EXCLUSIVE.
 */
bool mfs_lockstate_is_reserved(const struct mfs_lockstate *state);

/* Whether the invariants hold; for assertions. */
bool mfs_lockstate_is_valid(const struct mfs_lockstate *state);

#endif
