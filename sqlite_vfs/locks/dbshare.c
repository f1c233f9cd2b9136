/*
 * Shares, their members, and the open journals.
 *
 * A share in its host, with three members, before and after the host H leaves:
 *
 *     bucket -> [H: room]  <- H.share            bucket -> [A: room] <- A.share
 *                  ^  ^--- A.share        =>                  ^------- B.share
 *                  '------ B.share
 *
 * The move happens under the registry's mutex (nobody can be looking the share
 * up) and the database's (nobody can be using it).  A member reads its `share`
 * pointer only after taking `mutex`, which does not move.
 *
 * Joining and leaving take the registry's mutex; locking and unlocking take the
 * database's alone.
 */
#include "locks/dbshare.h"

#include "file/file.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static unsigned bucket_of(uint64_t number)
{
    return (unsigned)(number % MFS_REGISTRY_BUCKETS);
}

bool mfs_registry_init(struct mfs_registry *registry)
{
    atomic_init(&registry->open_files, 0u);
    return mfs_mutex_create(&registry->mutex);
}

void mfs_registry_fini(struct mfs_registry *registry)
{
    assert(atomic_load(&registry->open_files) == 0);
    for (unsigned bucket = 0; bucket < MFS_REGISTRY_BUCKETS; bucket++) {
        assert(atomic_load(&registry->sleepers[bucket]) == 0);
        assert(atomic_load(&registry->promises[bucket]) == 0);
        assert(registry->shares[bucket] == NULL && registry->journals[bucket] == NULL);
    }
    while (registry->unmapped != NULL) {
        struct mfs_shm *shm = registry->unmapped;
        registry->unmapped = shm->next;
        mfs_shm_destroy(shm);
    }
    mfs_mutex_destroy(registry->mutex);
    registry->mutex = NULL;
}

/* ------------------------------------------------------------------- members */

/* Where the bucket's chain points to the share of `number`, or its null end. */
static struct mfs_share **find_share(struct mfs_registry *registry, uint64_t number)
{
    struct mfs_share **link = &registry->shares[bucket_of(number)];
    while (*link != NULL && (*link)->number != number)
        link = &(*link)->next;
    return link;
}

static void link_member(struct mfs_member *member, struct mfs_share *share)
{
    member->share = share;
    member->previous = NULL;
    member->next = share->members;
    if (share->members != NULL)
        share->members->previous = member;
    share->members = member;
}

static void unlink_member(struct mfs_member *member, struct mfs_share *share)
{
    if (member->previous != NULL)
        member->previous->next = member->next;
    else
        share->members = member->next;
    if (member->next != NULL)
        member->next->previous = member->previous;
}

/* Under the mutexes of both. */
static enum mfs_join join_share(struct mfs_member *member, struct mfs_share *share,
                                enum mfs_isolation_wish wish)
{
    if (wish != MFS_ISOLATION_AS_IT_IS && (wish == MFS_ISOLATION_ON) != share->locks.isolated)
        return MFS_JOIN_DISAGREES;
    link_member(member, share);
    return MFS_JOINED;
}

static enum mfs_join join(struct mfs_member *member, struct mfs_share **link, uint64_t number,
                          enum mfs_isolation_wish wish)
{
    if (*link != NULL) {
        member->mutex = (*link)->members->mutex;
        mfs_mutex_lock(member->mutex);
        enum mfs_join answer = join_share(member, *link, wish);
        mfs_mutex_unlock(member->mutex);
        return answer;
    }
    if (!mfs_mutex_create(&member->mutex))
        return MFS_JOIN_NO_MEMORY;
    member->room.number = number;
    member->room.size_limit = MFS_SIZE_UNLIMITED;
    member->room.locks.isolated = wish == MFS_ISOLATION_ON;
    member->room.may_be_hot = true;
    link_member(member, &member->room);
    *link = &member->room;
    return MFS_JOINED;
}

enum mfs_join mfs_member_join(struct mfs_member *member, struct mfs_registry *registry,
                              uint64_t number, enum mfs_isolation_wish wish, memfs_file *file,
                              struct mfs_view *view)
{
    memset(member, 0, sizeof *member);
    member->number = number;
    member->fetch.ceiling = MFS_FETCH_UNLIMITED;
    member->isolation.view = view;
    mfs_mutex_lock(registry->mutex);
    struct mfs_share **link = find_share(registry, number);
    enum mfs_join answer = join(member, link, number, wish);
    if (answer == MFS_JOINED && (*link)->locks.isolated)
        member->isolation.file = file;
    mfs_mutex_unlock(registry->mutex);
    return answer;
}

bool mfs_member_admit(struct mfs_member *member, bool is_image, bool can_write)
{
    bool is_admitted = true;
    mfs_mutex_lock(member->mutex);
    for (struct mfs_member *other = member->share->members; other != NULL; other = other->next)
        if ((is_image && other->can_write) || (can_write && other->is_image))
            is_admitted = false;
    member->is_image = is_admitted && is_image;
    member->can_write = is_admitted && can_write;
    mfs_mutex_unlock(member->mutex);
    return is_admitted;
}

/* Moves the share out of a host that is no member any more. */
static void move_share(struct mfs_member *host, struct mfs_share **link)
{
    struct mfs_member *heir = host->room.members;
    heir->room = host->room;
    *link = &heir->room;
    for (struct mfs_member *member = heir; member != NULL; member = member->next)
        member->share = &heir->room;
}

void mfs_member_leave(struct mfs_member *member, struct mfs_registry *registry)
{
    mfs_mutex_lock(registry->mutex);
    mfs_mutex_lock(member->mutex);
    struct mfs_share *share = member->share;
    (void)mfs_lockstate_unlock(&share->locks, &member->level, MFS_LOCK_NONE);
    assert(atomic_load(&member->promise) == 0);
    unlink_member(member, share);
    mfs_view_drop(member->isolation.view); /* nobody else frees what it shares any more */
    bool is_last = share->members == NULL;
    struct mfs_share **link = find_share(registry, share->number);
    assert(*link == share);
    if (is_last) {
        assert(share == &member->room && share->locks.sharers == 0);
        *link = share->next;
    } else if (share == &member->room) {
        move_share(member, link);
    }
    mfs_mutex_unlock(member->mutex);
    if (is_last)
        mfs_mutex_destroy(member->mutex);
    member->share = NULL;
    mfs_mutex_unlock(registry->mutex);
    mfs_fetch_fini(&member->fetch);
}

/* ------------------------------------------------------------------- locks */

/* After a lock was granted to an isolated connection.  Recovery works on the file itself: it comes
 * to EXCLUSIVE without RESERVED, and alone. */
static void note_lock(struct mfs_member *member, enum mfs_lock_level before)
{
    struct mfs_isolation *isolation = &member->isolation;
    struct mfs_share *share = member->share;
    if (before == member->level)
        return;
    if (before == MFS_LOCK_NONE)
        mfs_isolation_enter(isolation, share->published);
    else if (member->level == MFS_LOCK_RESERVED)
        share->may_be_hot = false; /* SQLite has looked before it asked for this */
    else if (before != MFS_LOCK_RESERVED)
        mfs_view_drop(isolation->view);
    isolation->skips_journal = !share->may_be_hot;
}

enum mfs_lock_answer mfs_member_lock(struct mfs_member *member, enum mfs_lock_level wanted)
{
    enum mfs_lock_answer answer = MFS_LOCK_OUTDATED;
    bool is_isolated = mfs_member_is_isolated(member);
    mfs_mutex_lock(member->mutex);
    enum mfs_lock_level before = member->level;
    if (wanted != MFS_LOCK_RESERVED || !member->isolation.is_outdated)
        answer = mfs_lockstate_lock(&member->share->locks, &member->level, wanted);
    if (is_isolated && answer == MFS_LOCK_GRANTED)
        note_lock(member, before);
    mfs_mutex_unlock(member->mutex);
    return answer;
}

/*
 * Frees the pages that a commit has cut off.
 *
 * Cutting a content whose page tables are shared cannot free all of them: that takes no memory,
 * and owning a part of a shared table would.  So it is done when no transaction has a version of
 * the database any more.  Idle views, which have the current version, are dropped for that moment
 * and taken again.  Under the mutex, so that no transaction begins and nothing is published.
 */
static void free_cut_pages(struct mfs_share *share)
{
    memfs_file *file = NULL;
    if (!share->keeps_cut_pages)
        return;
    for (struct mfs_member *member = share->members; member != NULL; member = member->next) {
        if (member->isolation.may_be_held)
            return;
        if (member->can_write)
            file = member->isolation.file;
    }
    if (file == NULL)
        return;
    for (struct mfs_member *member = share->members; member != NULL; member = member->next)
        mfs_view_drop(member->isolation.view);
    (void)memfs_ftruncate(file, memfs_file_size(file));
    for (struct mfs_member *member = share->members; member != NULL; member = member->next)
        if (member->isolation.view->is_idle)
            (void)mfs_view_take(member->isolation.view, file);
    share->keeps_cut_pages = false;
}

/* The transaction that had an outdated version has ended. */
static void drop_outdated(struct mfs_member *member)
{
    mfs_view_drop(member->isolation.view);
    mfs_mutex_lock(member->mutex);
    mfs_isolation_note_drop(&member->isolation);
    free_cut_pages(member->share);
    mfs_mutex_unlock(member->mutex);
}

enum mfs_lock_answer mfs_member_unlock(struct mfs_member *member, enum mfs_lock_level wanted)
{
    mfs_mutex_lock(member->mutex);
    enum mfs_lock_level before = member->level;
    enum mfs_lock_answer answer = mfs_lockstate_unlock(&member->share->locks, &member->level,
                                                       wanted);
    bool ends = mfs_member_is_isolated(member) && before != MFS_LOCK_NONE &&
                member->level == MFS_LOCK_NONE;
    bool drops = ends && mfs_isolation_leave(&member->isolation);
    if (ends)
        free_cut_pages(member->share);
    mfs_mutex_unlock(member->mutex);
    if (drops)
        drop_outdated(member);
    return answer;
}

bool mfs_member_sees_reserved(struct mfs_member *member)
{
    mfs_mutex_lock(member->mutex);
    bool is_reserved = mfs_lockstate_is_reserved(&member->share->locks);
    mfs_mutex_unlock(member->mutex);
    return is_reserved;
}

/* -------------------------------------------------------------- publishing */

static void outdate_others(struct mfs_member *member)
{
    struct mfs_share *share = member->share;
    share->published++;
    for (struct mfs_member *other = share->members; other != NULL; other = other->next)
        if (other != member)
            mfs_isolation_outdate(&other->isolation);
    member->isolation.number = share->published;
}

struct mfs_readers mfs_member_count_readers(struct mfs_member *member)
{
    struct mfs_readers readers = {0};
    mfs_mutex_lock(member->mutex);
    const struct mfs_share *share = member->share;
    for (const struct mfs_member *other = share->members; other != NULL; other = other->next) {
        if (other->level == MFS_LOCK_NONE)
            continue;
        readers.total++;
        if (!other->isolation.is_outdated)
            continue;
        uint64_t behind = share->published - other->isolation.number;
        readers.outdated++;
        readers.behind = behind > readers.behind ? behind : readers.behind;
    }
    mfs_mutex_unlock(member->mutex);
    return readers;
}

void mfs_member_publish(struct mfs_member *member)
{
    struct mfs_view *view = member->isolation.view;
    memfs_file *file = member->isolation.file;
    if (!mfs_view_is_used(view) || !view->is_changed)
        return;
    mfs_mutex_lock(member->mutex);
    mfs_view_exchange(view, file);
    outdate_others(member);
    member->share->keeps_cut_pages |= view->was_cut;
    mfs_mutex_unlock(member->mutex);
    mfs_view_drop(view);
    mfs_mutex_lock(member->mutex);
    member->isolation.may_be_held = false;
    free_cut_pages(member->share);
    member->isolation.may_be_held = true;
    mfs_mutex_unlock(member->mutex);
    (void)mfs_view_take(view, file); /* nobody else can have published another one yet */
}

bool mfs_member_abandon(struct mfs_member *member)
{
    struct mfs_view *view = member->isolation.view;
    if (!mfs_view_is_used(view) || !view->is_changed)
        return false;
    mfs_view_drop(view);
    (void)mfs_view_take(view, member->isolation.file);
    return true;
}

void mfs_member_end_recovery(struct mfs_member *member)
{
    struct mfs_view *view = member->isolation.view;
    if (member->level != MFS_LOCK_EXCLUSIVE || view->is_held)
        return;
    mfs_mutex_lock(member->mutex);
    outdate_others(member);
    mfs_mutex_unlock(member->mutex);
    (void)mfs_view_take(view, member->isolation.file);
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
    mfs_mutex_lock(member->mutex);
    member->share->size_limit = limit;
    mfs_mutex_unlock(member->mutex);
}

int64_t mfs_member_wal_reserved_end(struct mfs_member *member)
{
    mfs_mutex_lock(member->mutex);
    int64_t end = member->share->wal_reserved_end;
    mfs_mutex_unlock(member->mutex);
    return end;
}

void mfs_member_set_wal_reserved_end(struct mfs_member *member, int64_t end)
{
    mfs_mutex_lock(member->mutex);
    member->share->wal_reserved_end = end;
    mfs_mutex_unlock(member->mutex);
}

void mfs_member_reclaim_pages(struct mfs_member *member, memfs_file *file)
{
    uint64_t generation = memfs_mapping_generation(file);
    mfs_mutex_lock(member->mutex);
    struct mfs_share *share = member->share;
    if (share->pages_reclaimed != generation) {
        share->pages_reclaimed = generation;
        for (struct mfs_member *other = share->members; other != NULL; other = other->next)
            if (other != member)
                mfs_fetch_reclaim(&other->fetch, file);
    }
    mfs_mutex_unlock(member->mutex);
}

/* ------------------------------------------------------------------ WAL index */

/* Takes the index that waits for the database, if there is one; frees those whose WAL has gone. */
static struct mfs_shm *take_unmapped(struct mfs_registry *registry, uint64_t number)
{
    struct mfs_shm *found = NULL;
    struct mfs_shm **link = &registry->unmapped;
    while (*link != NULL) {
        struct mfs_shm *shm = *link;
        bool is_wanted = shm->number == number;
        if (!is_wanted && mfs_shm_wal_is_live(shm)) {
            link = &shm->next;
            continue;
        }
        *link = shm->next;
        if (is_wanted)
            found = shm;
        else
            mfs_shm_destroy(shm);
    }
    return found;
}

_Static_assert(MFS_SHM_PATH_BYTES >= MFS_FILE_NAME_BYTES, "a WAL's path fits its index");

int mfs_member_map_shm(struct mfs_member *member, struct mfs_registry *registry, memfs *fs,
                       const char *wal_path)
{
    if (member->shm != NULL)
        return 0;
    int error = 0;
    mfs_mutex_lock(registry->mutex);
    mfs_mutex_lock(member->mutex);
    struct mfs_share *share = member->share;
    if (share->shm == NULL) {
        share->shm = take_unmapped(registry, share->number);
        if (share->shm != NULL)
            mfs_shm_set_wal_path(share->shm, wal_path);
    }
    if (share->shm == NULL)
        error = mfs_shm_create(fs, share->number, wal_path, &share->shm);
    if (error == 0) {
        share->shm->mappers++;
        member->shm = share->shm;
    }
    mfs_mutex_unlock(member->mutex);
    mfs_mutex_unlock(registry->mutex);
    return error;
}

int mfs_member_shm_region(struct mfs_member *member, uint32_t index, bool extends, void **out)
{
    mfs_mutex_lock(member->mutex);
    int error = mfs_shm_map(member->shm, index, extends, out);
    mfs_mutex_unlock(member->mutex);
    return error;
}

int mfs_member_prepare_shm(struct mfs_member *member, uint64_t frames)
{
    if (member->shm == NULL)
        return 0;
    mfs_mutex_lock(member->mutex);
    int error = mfs_shm_prepare(member->shm, frames);
    mfs_mutex_unlock(member->mutex);
    return error;
}

void mfs_member_unmap_shm(struct mfs_member *member, struct mfs_registry *registry, bool deletes)
{
    struct mfs_shm *shm = member->shm;
    if (shm == NULL)
        return;
    mfs_shm_unlock_all(shm, &member->hold);
    mfs_mutex_lock(registry->mutex);
    mfs_mutex_lock(member->mutex);
    member->shm = NULL;
    bool is_last = --shm->mappers == 0;
    if (is_last) {
        member->share->shm = NULL;
        if (deletes || !mfs_shm_wal_is_live(shm)) {
            mfs_shm_destroy(shm);
        } else {
            mfs_shm_reset(shm);
            shm->next = registry->unmapped;
            registry->unmapped = shm;
        }
    }
    mfs_mutex_unlock(member->mutex);
    mfs_mutex_unlock(registry->mutex);
}

/* ------------------------------------------------------------------ journals */

void mfs_registry_add_nearby(struct mfs_registry *registry, struct mfs_nearby *nearby,
                             const char *path)
{
    mfs_mutex_lock(registry->mutex);
    mfs_name_cache_enter(nearby, &registry->names, path);
    mfs_mutex_unlock(registry->mutex);
}

void mfs_registry_remove_nearby(struct mfs_registry *registry, struct mfs_nearby *nearby)
{
    mfs_mutex_lock(registry->mutex);
    mfs_name_cache_leave(nearby, &registry->names);
    mfs_mutex_unlock(registry->mutex);
}

struct mfs_nearby *mfs_registry_find_wal(struct mfs_registry *registry, const char *name)
{
    mfs_mutex_lock(registry->mutex);
    struct mfs_nearby *found = mfs_name_cache_find_wal(&registry->names, name);
    mfs_mutex_unlock(registry->mutex);
    return found;
}

void mfs_journal_enter(struct mfs_journal *journal, struct mfs_registry *registry, uint64_t number)
{
    struct mfs_journal **bucket = &registry->journals[bucket_of(number)];
    journal->number = number;
    journal->previous = NULL;
    journal->next = *bucket;
    if (*bucket != NULL)
        (*bucket)->previous = journal;
    *bucket = journal;
    registry->open_journals++;
}

void mfs_journal_leave(struct mfs_journal *journal, struct mfs_registry *registry)
{
    if (journal->previous != NULL)
        journal->previous->next = journal->next;
    else
        registry->journals[bucket_of(journal->number)] = journal->next;
    if (journal->next != NULL)
        journal->next->previous = journal->previous;
    registry->open_journals--;
}

bool mfs_journal_is_open(const struct mfs_registry *registry, uint64_t number)
{
    const struct mfs_journal *journal = registry->journals[bucket_of(number)];
    while (journal != NULL && journal->number != number)
        journal = journal->next;
    return journal != NULL;
}
