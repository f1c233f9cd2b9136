/*
 * Locking and unlocking.
 *
 * 1. Under the database's mutex the ladder and the members' levels agree before and after.
 * 2. An isolated connection has a view from SHARED to NONE, but for the time in which it plays back
 *    a hot journal; that works on the file itself.
 * 3. A connection gets RESERVED only with the current version: two connections cannot both write on
 *    top of one version.
 *
 * Cost: the database's mutex, once for each step.  Unlocking takes it twice if the view of an
 * isolated connection is outdated.
 *
 * Left out on purpose: waiting for a lock (waiting.c).
 */
#include "locks/ladder.h"

#include "base/assertion.h"
#include "locks/publishing.h"

/* After an isolated connection at level `before` was granted a lock, with the mutex held.  Only
 * recovery reaches a level above RESERVED without RESERVED. */
static void note_granted(struct mfs_member *member, enum mfs_lock_level before)
{
    struct mfs_isolation *isolation = &member->isolation;
    struct mfs_share *share = member->share;
    MFS_ASSERT(mfs_mutex_is_held(member->mutex));
    if (before == member->level)
        return;
    if (before == MFS_LOCK_NONE)
        mfs_isolation_enter(isolation, share->published);
    else if (member->level == MFS_LOCK_RESERVED)
        share->no_hot_journal = true; /* SQLite has played it back before it asked for RESERVED */
    else if (before != MFS_LOCK_RESERVED)
        mfs_view_drop(isolation->view);
    isolation->no_hot_journal = share->no_hot_journal;
}

enum mfs_lock_answer mfs_ladder_lock(struct mfs_member *member, enum mfs_lock_level wanted)
{
    enum mfs_lock_answer answer = MFS_LOCK_OUTDATED;
    bool is_isolated = mfs_member_is_isolated(member);
    mfs_mutex_lock(member->mutex);
    enum mfs_lock_level before = member->level;
    if (wanted != MFS_LOCK_RESERVED || !member->isolation.is_outdated)
        answer = mfs_lockstate_lock(&member->share->locks, &member->level, wanted);
    if (is_isolated && answer == MFS_LOCK_GRANTED)
        note_granted(member, before);
    MFS_ASSERT(member->level >= before);
    MFS_ASSERT_DEEP(mfs_member_share_is_valid(member->share));
    mfs_mutex_unlock(member->mutex);
    return answer;
}

/* Drops the view of an ended transaction, which may take long, without the mutex. */
static void drop_outdated_view(struct mfs_member *member)
{
    mfs_view_drop(member->isolation.view);
    mfs_mutex_lock(member->mutex);
    mfs_isolation_note_drop(&member->isolation);
    mfs_publishing_free_cut_pages(member->share);
    mfs_mutex_unlock(member->mutex);
}

enum mfs_lock_answer mfs_ladder_unlock(struct mfs_member *member, enum mfs_lock_level wanted)
{
    mfs_mutex_lock(member->mutex);
    enum mfs_lock_level before = member->level;
    enum mfs_lock_answer answer = mfs_lockstate_unlock(&member->share->locks, &member->level,
                                                       wanted);
    bool ends = mfs_member_is_isolated(member) && before != MFS_LOCK_NONE &&
                member->level == MFS_LOCK_NONE;
    bool drops = ends && mfs_isolation_leave(&member->isolation);
    if (ends)
        mfs_publishing_free_cut_pages(member->share);
    MFS_ASSERT(member->level <= before);
    MFS_ASSERT_DEEP(mfs_member_share_is_valid(member->share));
    mfs_mutex_unlock(member->mutex);
    if (drops)
        drop_outdated_view(member);
    return answer;
}

bool mfs_ladder_sees_reserved(struct mfs_member *member)
{
    mfs_mutex_lock(member->mutex);
    bool is_reserved = mfs_lockstate_is_reserved(&member->share->locks);
    mfs_mutex_unlock(member->mutex);
    return is_reserved;
}
