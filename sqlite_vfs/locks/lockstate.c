/*
 * The lock ladder.  It implements this table; the columns are what the other connections hold, the
 * rows what is wanted:
 *
 *                nothing   readers   RESERVED  PENDING   EXCLUSIVE
 *     SHARED     yes       yes       yes       busy      busy
 *     RESERVED   yes       yes       busy      busy      busy
 *     EXCLUSIVE  yes       PENDING   busy      busy      busy
 *
 * "PENDING": refused, but the connection is at PENDING from now on, so that no reader enters and
 * those inside leave one by one.
 *
 * 1. A hot journal is played back by going from SHARED to EXCLUSIVE directly.  Meanwhile another
 *    connection may ask whether there is a writer, to find out whether the journal that it sees is
 *    hot; a yes would make it read the database before the repair.  So this way up sets `pending`
 *    alone, and only `reserved` and `exclusive` are reported.
 * 2. Isolated, granting EXCLUSIVE to the connection at RESERVED changes no bit: for the others it
 *    is still a writer whose changes they do not see.  Playback of a hot journal changes the file
 *    itself, so it waits for readers as otherwise.
 *
 * Cost: a few comparisons; nothing depends on the number of connections.
 */
#include "locks/lockstate.h"

#include "base/assertion.h"

static bool writer_exists(const struct mfs_lockstate *state)
{
    return state->reserved || state->pending || state->exclusive;
}

bool mfs_lockstate_is_valid(const struct mfs_lockstate *state)
{
    if (writer_exists(state) && state->sharers == 0)
        return false;
    return !state->exclusive || state->sharers == 1;
}

bool mfs_lockstate_is_reserved(const struct mfs_lockstate *state)
{
    return state->reserved || state->exclusive;
}

static enum mfs_lock_answer lock_shared(struct mfs_lockstate *state, enum mfs_lock_level *held)
{
    if (state->pending || state->exclusive)
        return MFS_LOCK_BUSY;
    state->sharers++;
    *held = MFS_LOCK_SHARED;
    return MFS_LOCK_GRANTED;
}

static enum mfs_lock_answer lock_reserved(struct mfs_lockstate *state, enum mfs_lock_level *held)
{
    if (writer_exists(state))
        return MFS_LOCK_BUSY;
    state->reserved = true;
    *held = MFS_LOCK_RESERVED;
    return MFS_LOCK_GRANTED;
}

static enum mfs_lock_answer lock_exclusive(struct mfs_lockstate *state, enum mfs_lock_level *held)
{
    if (*held == MFS_LOCK_SHARED && writer_exists(state))
        return MFS_LOCK_BUSY;
    if (state->isolated && *held == MFS_LOCK_RESERVED) {
        *held = MFS_LOCK_EXCLUSIVE;
        return MFS_LOCK_GRANTED;
    }
    state->pending = true;
    *held = MFS_LOCK_PENDING;
    if (state->sharers > 1)
        return MFS_LOCK_BUSY;
    state->exclusive = true;
    *held = MFS_LOCK_EXCLUSIVE;
    return MFS_LOCK_GRANTED;
}

enum mfs_lock_answer mfs_lockstate_lock(struct mfs_lockstate *state, enum mfs_lock_level *held,
                                        enum mfs_lock_level wanted)
{
    MFS_ASSERT_DEEP(mfs_lockstate_is_valid(state));
    if (wanted != MFS_LOCK_SHARED && wanted != MFS_LOCK_RESERVED && wanted != MFS_LOCK_EXCLUSIVE)
        return MFS_LOCK_MISUSE;
    if (wanted <= *held)
        return MFS_LOCK_GRANTED;
    if (wanted == MFS_LOCK_SHARED)
        return lock_shared(state, held);
    if (*held == MFS_LOCK_NONE)
        return MFS_LOCK_MISUSE;
    return wanted == MFS_LOCK_RESERVED ? lock_reserved(state, held) : lock_exclusive(state, held);
}

bool mfs_lockstate_is_free(const struct mfs_lockstate *state, enum mfs_lock_level held,
                           enum mfs_lock_level wanted)
{
    if (wanted <= held || (state->isolated && held == MFS_LOCK_RESERVED))
        return true;
    if (wanted == MFS_LOCK_SHARED)
        return !state->pending && !state->exclusive;
    if (held <= MFS_LOCK_SHARED && writer_exists(state))
        return false;
    return wanted != MFS_LOCK_EXCLUSIVE || state->sharers <= (held == MFS_LOCK_NONE ? 0u : 1u);
}

enum mfs_lock_answer mfs_lockstate_unlock(struct mfs_lockstate *state, enum mfs_lock_level *held,
                                          enum mfs_lock_level wanted)
{
    MFS_ASSERT_DEEP(mfs_lockstate_is_valid(state));
    if (wanted != MFS_LOCK_SHARED && wanted != MFS_LOCK_NONE)
        return MFS_LOCK_MISUSE;
    if (*held <= wanted)
        return MFS_LOCK_GRANTED;
    if (*held > MFS_LOCK_SHARED) {
        state->reserved = false;
        state->pending = false;
        state->exclusive = false;
    }
    if (wanted == MFS_LOCK_NONE) {
        MFS_ASSERT(state->sharers > 0);
        state->sharers--;
    }
    *held = wanted;
    MFS_ASSERT_DEEP(mfs_lockstate_is_valid(state));
    return MFS_LOCK_GRANTED;
}
