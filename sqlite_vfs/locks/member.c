/*
 * Members of a share.
 *
 * A share with three members, before and after its holder H leaves:
 *
 *     bucket -> [H: own_share] <- H.share         bucket -> [A: own_share] <- A.share
 *                  ^   ^--- A.share        =>                    ^--- B.share
 *                  '------- B.share
 *
 * 1. The share moves with both mutexes held: the registry's, so that no thread is looking the share
 *    up, and the database's, so that no thread is using it.
 * 2. A member reads its `share` pointer only with the database's mutex held; the mutex does not
 *    move.
 * 3. A share has a member.  The first to join creates the mutex, the last to leave destroys it.
 *
 * Cost: joining and leaving take the registry's mutex and then the database's, and moving a share
 * takes a step for each member; everything else takes the database's alone.
 */
#include "locks/member.h"

#include "base/assertion.h"

#include <stddef.h>
#include <string.h>

bool mfs_member_share_is_valid(const struct mfs_share *share)
{
    uint32_t sharers = 0;
    uint32_t writers = 0;
    uint32_t holders = 0;
    for (struct mfs_link *at = share->members.first; at != NULL; at = at->next) {
        const struct mfs_member *member = MFS_LIST_ENTRY(at, struct mfs_member, link);
        if (member->share != share || member->number != share->number)
            return false;
        sharers += member->level >= MFS_LOCK_SHARED;
        writers += member->level > MFS_LOCK_SHARED;
        holders += &member->own_share == share;
    }
    const struct mfs_lockstate *locks = &share->locks;
    bool writer_exists = locks->reserved || locks->pending || locks->exclusive;
    return mfs_lockstate_is_valid(locks) && sharers == locks->sharers && holders == 1 &&
           writers == (writer_exists ? 1u : 0u);
}

static void link_member(struct mfs_member *member, struct mfs_share *share)
{
    member->share = share;
    mfs_list_prepend(&share->members, &member->link);
    MFS_ASSERT_DEEP(mfs_member_share_is_valid(share));
}

/* With the registry's mutex held. */
static enum mfs_join join_share(struct mfs_member *member, struct mfs_share *share,
                                enum mfs_isolation_wish wish)
{
    enum mfs_join answer = MFS_JOIN_DISAGREES;
    member->mutex = MFS_LIST_ENTRY(share->members.first, struct mfs_member, link)->mutex;
    mfs_mutex_lock(member->mutex);
    if (wish == MFS_ISOLATION_AS_IT_IS || (wish == MFS_ISOLATION_ON) == share->locks.isolated) {
        link_member(member, share);
        answer = MFS_JOINED;
    }
    mfs_mutex_unlock(member->mutex);
    return answer;
}

/* The first connection to the database, with the registry's mutex held. */
static enum mfs_join found_share(struct mfs_member *member, struct mfs_registry *registry,
                                 enum mfs_isolation_wish wish)
{
    member->mutex = mfs_mutex_create();
    if (member->mutex == NULL)
        return MFS_JOIN_NO_MEMORY;
    struct mfs_share *share = &member->own_share;
    share->number = member->number;
    share->size_limit = MFS_SIZE_UNLIMITED;
    share->locks.isolated = wish == MFS_ISOLATION_ON;
    link_member(member, share);
    mfs_list_prepend(&registry->shares[mfs_registry_bucket(share->number)], &share->link);
    return MFS_JOINED;
}

enum mfs_join mfs_member_join(struct mfs_member *member, struct mfs_registry *registry,
                              uint64_t number, enum mfs_isolation_wish wish, memfs_file *file,
                              struct mfs_view *view)
{
    memset(member, 0, sizeof *member);
    member->number = number;
    member->file = file;
    member->refuses_control = registry->refuses_control;
    member->fetch.ceiling = MFS_FETCH_UNLIMITED;
    member->isolation.view = view;
    mfs_mutex_lock(&registry->mutex);
    struct mfs_share *share = mfs_share_find(registry, number);
    enum mfs_join answer = share != NULL ? join_share(member, share, wish)
                                         : found_share(member, registry, wish);
    if (answer == MFS_JOINED && member->share->locks.isolated)
        member->isolation.file = file;
    mfs_mutex_unlock(&registry->mutex);
    return answer;
}

bool mfs_member_admit(struct mfs_member *member, bool is_image, bool can_write)
{
    MFS_ASSERT(!(is_image && can_write));
    bool is_admitted = true;
    mfs_mutex_lock(member->mutex);
    for (struct mfs_link *at = member->share->members.first; at != NULL; at = at->next) {
        const struct mfs_member *other = MFS_LIST_ENTRY(at, struct mfs_member, link);
        if ((is_image && other->can_write) || (can_write && other->is_image))
            is_admitted = false;
    }
    member->is_image = is_admitted && is_image;
    member->can_write = is_admitted && can_write;
    mfs_mutex_unlock(member->mutex);
    return is_admitted;
}

bool mfs_member_bar_writers(struct mfs_registry *registry, uint64_t number, mfs_mutex **held)
{
    *held = NULL;
    mfs_mutex_lock(&registry->mutex);
    const struct mfs_share *share = mfs_share_find(registry, number);
    if (share == NULL)
        return true;
    *held = MFS_LIST_ENTRY(share->members.first, struct mfs_member, link)->mutex;
    mfs_mutex_lock(*held);
    const struct mfs_lockstate *locks = &share->locks;
    if (!locks->reserved && !locks->pending && !locks->exclusive)
        return true;
    mfs_member_admit_writers(registry, *held);
    return false;
}

void mfs_member_admit_writers(struct mfs_registry *registry, mfs_mutex *held)
{
    if (held != NULL)
        mfs_mutex_unlock(held);
    mfs_mutex_unlock(&registry->mutex);
}

/* Moves the share out of its holder, which is no member any more, with both mutexes held. */
static void move_share(struct mfs_member *holder, struct mfs_registry *registry)
{
    struct mfs_list *bucket = &registry->shares[mfs_registry_bucket(holder->number)];
    struct mfs_member *heir = MFS_LIST_ENTRY(holder->own_share.members.first, struct mfs_member,
                                             link);
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex) && mfs_mutex_is_held(heir->mutex));
    mfs_list_remove(bucket, &holder->own_share.link);
    heir->own_share = holder->own_share;
    mfs_list_prepend(bucket, &heir->own_share.link);
    for (struct mfs_link *at = &heir->link; at != NULL; at = at->next)
        MFS_LIST_ENTRY(at, struct mfs_member, link)->share = &heir->own_share;
    MFS_ASSERT_DEEP(mfs_member_share_is_valid(&heir->own_share));
}

void mfs_member_leave(struct mfs_member *member, struct mfs_registry *registry)
{
    mfs_mutex_lock(&registry->mutex);
    mfs_mutex_lock(member->mutex);
    struct mfs_share *share = member->share;
    MFS_ASSERT(member->shm == NULL && atomic_load(&member->handoff_ticket) == 0);
    MFS_ASSERT(mfs_share_find(registry, member->number) == share);
    (void)mfs_lockstate_unlock(&share->locks, &member->level, MFS_LOCK_NONE);
    mfs_list_remove(&share->members, &member->link);
    mfs_view_drop(member->isolation.view); /* afterwards no member would free what it shares */
    bool is_last = mfs_list_is_empty(&share->members);
    if (is_last) {
        MFS_ASSERT(share == &member->own_share && share->locks.sharers == 0);
        MFS_ASSERT(mfs_list_is_empty(&share->waiters) && share->handoff.pending == 0);
        mfs_list_remove(&registry->shares[mfs_registry_bucket(member->number)], &share->link);
    } else if (share == &member->own_share) {
        move_share(member, registry);
    }
    mfs_mutex_unlock(member->mutex);
    if (is_last)
        mfs_mutex_destroy(member->mutex);
    member->share = NULL;
    mfs_mutex_unlock(&registry->mutex);
    mfs_fetch_fini(&member->fetch);
}

int64_t mfs_member_size_limit(struct mfs_member *member)
{
    mfs_mutex_lock(member->mutex);
    int64_t limit = member->share->size_limit;
    mfs_mutex_unlock(member->mutex);
    return limit;
}

void mfs_member_set_size_limit(struct mfs_member *member, int64_t limit)
{
    MFS_ASSERT(limit >= 0 || limit == MFS_SIZE_UNLIMITED);
    mfs_mutex_lock(member->mutex);
    member->share->size_limit = limit;
    mfs_mutex_unlock(member->mutex);
}

int64_t mfs_member_wal_preallocated_end(struct mfs_member *member)
{
    mfs_mutex_lock(member->mutex);
    int64_t end = member->share->wal_preallocated_end;
    mfs_mutex_unlock(member->mutex);
    return end;
}

void mfs_member_set_wal_preallocated_end(struct mfs_member *member, int64_t end)
{
    MFS_ASSERT(end >= 0);
    mfs_mutex_lock(member->mutex);
    member->share->wal_preallocated_end = end;
    mfs_mutex_unlock(member->mutex);
}

void mfs_member_reclaim_pages(struct mfs_member *member, memfs_file *file)
{
    uint64_t generation = memfs_mapping_generation(file);
    mfs_mutex_lock(member->mutex);
    struct mfs_share *share = member->share;
    if (share->pages_reclaimed != generation) {
        share->pages_reclaimed = generation;
        for (struct mfs_link *at = share->members.first; at != NULL; at = at->next)
            if (at != &member->link)
                mfs_fetch_reclaim(&MFS_LIST_ENTRY(at, struct mfs_member, link)->fetch, file);
    }
    mfs_mutex_unlock(member->mutex);
}
