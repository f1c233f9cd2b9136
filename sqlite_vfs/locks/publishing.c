/*
 * Publishing versions.
 *
 * 1. A version is published with the database's mutex held: the view and the file's content are
 *    exchanged, and every other member learns of it.  So a connection that begins a transaction
 *    sees the version before or after it, and knows which.
 * 2. It needs no memory.  All growth happened while the view was written.
 * 3. After publishing the writer's view is the published content again.  Taking it cannot fail, and
 *    cannot miss a version: the writer still holds RESERVED.
 * 4. Truncating a content whose page tables are shared cannot free all pages behind the end: it
 *    must need no memory, and owning a part of a shared table would.  `share->keeps_cut_pages`
 *    remembers that, until no transaction has a version of the database.
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

/*
 * Idle views have the current version, and share the tables too.  They are dropped for the moment
 * and taken again; with the mutex, so no transaction begins and no version is published meanwhile.
 */
void mfs_publishing_free_cut_pages(struct mfs_share *share)
{
    memfs_file *file = NULL;
    if (!share->keeps_cut_pages)
        return;
    for (struct mfs_link *at = share->members.first; at != NULL; at = at->next) {
        const struct mfs_member *member = MFS_LIST_ENTRY(at, struct mfs_member, link);
        MFS_ASSERT(mfs_mutex_is_held(member->mutex));
        if (member->isolation.may_be_held)
            return;
        if (member->can_write)
            file = member->isolation.file;
    }
    if (file == NULL)
        return;
    for (struct mfs_link *at = share->members.first; at != NULL; at = at->next)
        mfs_view_drop(MFS_LIST_ENTRY(at, struct mfs_member, link)->isolation.view);
    (void)memfs_ftruncate(file, memfs_file_size(file));
    for (struct mfs_link *at = share->members.first; at != NULL; at = at->next) {
        const struct mfs_isolation *isolation = &MFS_LIST_ENTRY(at, struct mfs_member, link)
                                                     ->isolation;
        if (isolation->view->is_idle)
            take_published(isolation);
    }
    share->keeps_cut_pages = false;
}

/* The writer's view is the former content now; drops it, which may take long, without the mutex. */
static void drop_former(struct mfs_member *member)
{
    mfs_view_drop(member->isolation.view);
    mfs_mutex_lock(member->mutex);
    member->isolation.may_be_held = false;
    mfs_publishing_free_cut_pages(member->share);
    member->isolation.may_be_held = true;
    mfs_mutex_unlock(member->mutex);
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
    member->share->keeps_cut_pages |= isolation->view->bytes.was_cut;
    mfs_mutex_unlock(member->mutex);
    drop_former(member);
    take_published(isolation);
}

void mfs_publishing_abandon(struct mfs_member *member)
{
    struct mfs_isolation *isolation = &member->isolation;
    MFS_ASSERT(mfs_member_is_isolated(member));
    /* Between transactions the view belongs to the holder of the mutex, and has no changes. */
    if (member->level == MFS_LOCK_NONE || !has_changes(isolation))
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
