/*
 * Publishing versions.
 *
 * 1. A version is published with the database's mutex held: the view and the file's content are
 *    exchanged, and every other member learns of it.  So a connection that begins a transaction
 *    sees the version before or after it, and knows which.
 * 2. It needs no memory.  All growth happened while the view was written.
 * 3. After publishing the writer's view is the published content again.  Taking it cannot fail, and
 *    cannot miss a version: the writer still holds RESERVED.
 *
 * Cost: a step for each connection to the database.
 */
#include "locks/publishing.h"

#include "base/assertion.h"

/* Counts a new version, which `member` has, with the mutex held. */
static void outdate_others(struct mfs_member *member)
{
    struct mfs_share *share = member->share;
    MFS_ASSERT(mfs_mutex_is_held(member->mutex));
    share->published++;
    for (struct mfs_link *at = share->members.first; at != NULL; at = at->next)
        if (at != &member->link)
            mfs_isolation_outdate(&MFS_LIST_ENTRY(at, struct mfs_member, link)->isolation);
    member->isolation.version = share->published;
}

static void take_published(const struct mfs_isolation *isolation)
{
    int rc = mfs_view_take(isolation->view, isolation->file);
    MFS_ASSERT(rc == SQLITE_OK);
}

static bool has_changes(const struct mfs_isolation *isolation)
{
    return mfs_view_is_used(isolation->view) && isolation->view->bytes.is_changed;
}

void mfs_publishing_commit(struct mfs_member *member)
{
    struct mfs_isolation *isolation = &member->isolation;
    MFS_ASSERT(mfs_member_is_isolated(member));
    if (!has_changes(isolation))
        return;
    MFS_ASSERT(member->level > MFS_LOCK_SHARED && !isolation->is_outdated);
    mfs_mutex_lock(member->mutex);
    mfs_view_exchange(isolation->view, isolation->file);
    outdate_others(member);
    mfs_mutex_unlock(member->mutex);
    mfs_view_drop_former(isolation->view, isolation->file);
    take_published(isolation);
}

void mfs_publishing_abandon(struct mfs_member *member)
{
    struct mfs_isolation *isolation = &member->isolation;
    MFS_ASSERT(mfs_member_is_isolated(member));
    if (!has_changes(isolation))
        return;
    mfs_view_drop(isolation->view);
    take_published(isolation);
}

void mfs_publishing_end_recovery(struct mfs_member *member)
{
    struct mfs_isolation *isolation = &member->isolation;
    MFS_ASSERT(mfs_member_is_isolated(member));
    if (member->level != MFS_LOCK_EXCLUSIVE || isolation->view->is_held)
        return;
    mfs_mutex_lock(member->mutex);
    outdate_others(member);
    mfs_mutex_unlock(member->mutex);
    take_published(isolation);
}

struct mfs_readers mfs_publishing_count_readers(struct mfs_member *member)
{
    struct mfs_readers readers = {0};
    mfs_mutex_lock(member->mutex);
    const struct mfs_share *share = member->share;
    for (struct mfs_link *at = share->members.first; at != NULL; at = at->next) {
        const struct mfs_member *other = MFS_LIST_ENTRY(at, struct mfs_member, link);
        if (other->level == MFS_LOCK_NONE)
            continue;
        readers.total++;
        if (!other->isolation.is_outdated)
            continue;
        uint64_t behind = share->published - other->isolation.version;
        readers.outdated++;
        readers.behind = behind > readers.behind ? behind : readers.behind;
    }
    mfs_mutex_unlock(member->mutex);
    return readers;
}
