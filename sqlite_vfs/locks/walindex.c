/*
 * Mapping WAL indexes.
 *
 * 1. `shm->mappers` counts the members whose `shm` it is.  The share has the index while there are
 *    any.
 * 2. An index without mappers whose WAL has content is parked in the registry, so that recovery at
 *    a full quota finds its memory.  Its regions are zeroed, which makes the next connection
 *    recover.
 * 3. Parked indexes whose WAL has become empty or was deleted are destroyed when another index is
 *    looked for.
 *
 * Cost: mapping and unmapping take the registry's mutex and the database's.  Looking for a parked
 * index looks at the WAL of each.
 */
#include "locks/walindex.h"

#include "base/assertion.h"
#include "file/file.h"

_Static_assert(MFS_SHM_PATH_BYTES >= MFS_FILE_NAME_BYTES, "a WAL's path fits its index");

/* Takes the parked index of the database, or null; destroys those whose WAL is not live. */
static struct mfs_shm *find_parked_index(struct mfs_registry *registry, uint64_t number)
{
    struct mfs_shm *found = NULL;
    struct mfs_link *next;
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex));
    for (struct mfs_link *at = registry->parked_indexes.first; at != NULL; at = next) {
        struct mfs_shm *shm = MFS_LIST_ENTRY(at, struct mfs_shm, link);
        bool is_wanted = shm->number == number;
        next = at->next;
        if (!is_wanted && mfs_shm_wal_is_live(shm))
            continue;
        mfs_list_remove(&registry->parked_indexes, at);
        if (is_wanted)
            found = shm;
        else
            mfs_shm_destroy(shm);
    }
    return found;
}

/* Makes sure that the share has an index, with both mutexes held. */
static int find_or_create_index(struct mfs_share *share, struct mfs_registry *registry, memfs *fs,
                                const char *wal_path)
{
    if (share->shm != NULL)
        return 0;
    share->shm = find_parked_index(registry, share->number);
    if (share->shm == NULL)
        return mfs_shm_create(fs, share->number, wal_path, &share->shm);
    mfs_shm_set_wal_path(share->shm, wal_path);
    return 0;
}

int mfs_walindex_map(struct mfs_member *member, struct mfs_registry *registry, memfs *fs,
                     const char *wal_path)
{
    if (member->shm != NULL)
        return 0;
    mfs_mutex_lock(&registry->mutex);
    mfs_mutex_lock(member->mutex);
    int error = find_or_create_index(member->share, registry, fs, wal_path);
    if (error == 0) {
        member->shm = member->share->shm;
        member->shm->mappers++;
    }
    mfs_mutex_unlock(member->mutex);
    mfs_mutex_unlock(&registry->mutex);
    return error;
}

int mfs_walindex_region(struct mfs_member *member, uint32_t index, bool extends, void **out)
{
    MFS_ASSERT(member->shm != NULL);
    mfs_mutex_lock(member->mutex);
    int error = mfs_shm_map(member->shm, index, extends, out);
    mfs_mutex_unlock(member->mutex);
    return error;
}

int mfs_walindex_prepare(struct mfs_member *member, uint64_t frames)
{
    mfs_mutex_lock(member->mutex);
    struct mfs_shm *shm = member->share->shm;
    int error = shm != NULL ? mfs_shm_prepare(shm, frames) : 0;
    mfs_mutex_unlock(member->mutex);
    return error;
}

/* The last connection has unmapped the index, with both mutexes held. */
static void park_or_destroy(struct mfs_shm *shm, struct mfs_registry *registry, bool deletes)
{
    MFS_ASSERT(mfs_mutex_is_held(&registry->mutex) && shm->mappers == 0);
    if (deletes || !mfs_shm_wal_is_live(shm)) {
        mfs_shm_destroy(shm);
    } else {
        mfs_shm_reset(shm);
        mfs_list_prepend(&registry->parked_indexes, &shm->link);
    }
}

void mfs_walindex_unmap(struct mfs_member *member, struct mfs_registry *registry, bool deletes)
{
    struct mfs_shm *shm = member->shm;
    if (shm == NULL)
        return;
    mfs_shm_unlock_all(shm, &member->hold);
    mfs_mutex_lock(&registry->mutex);
    mfs_mutex_lock(member->mutex);
    MFS_ASSERT(member->share->shm == shm && shm->mappers > 0);
    member->shm = NULL;
    if (--shm->mappers == 0) {
        member->share->shm = NULL;
        park_or_destroy(shm, registry, deletes);
    }
    mfs_mutex_unlock(member->mutex);
    mfs_mutex_unlock(&registry->mutex);
}
