/*
 * Places and claims.
 *
 * 1. A claim is made in the step that opens the file, under the index's mutex, and only for a file
 *    that is the database's own.  So no file is claimed for two databases.
 * 2. Numbers of nodes are never used again, so a claim that has outlived its file harms nothing.
 *
 * Cost: a known place is one atomic load; otherwise a walk along the path.  Asking for the owner
 * of a file takes the index's mutex and a step for each connection, and is needed only where the
 * file exists.
 */
#include "names/place.h"

#include "base/assertion.h"

bool mfs_place_look(struct mfs_name_cache *cache, memfs *fs)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (cache->path == NULL || cache->is_kept)
        return false;
    mfs_name_cache_refresh(cache, fs);
    if (memfs_stat(fs, cache->path, &info) != 0 || info.number != cache->number)
        return true;
    mfs_name_cache_learn(cache, MFS_FACT_IN_PLACE);
    return false;
}

/* A connection, other than `except`, that has claimed the file; null: none. */
static const struct mfs_name_cache *find_claimant(const struct mfs_name_index *index,
                                                  uint64_t number,
                                                  const struct mfs_name_cache *except)
{
    MFS_ASSERT(mfs_mutex_is_held(index->mutex) && number != 0);
    for (struct mfs_link *at = index->all.first; at != NULL; at = at->next) {
        const struct mfs_name_cache *cache = MFS_LIST_ENTRY(at, struct mfs_name_cache, link);
        if (cache != except && (cache->journal.claimed == number || cache->wal.claimed == number))
            return cache;
    }
    return NULL;
}

bool mfs_place_owns_locked(struct mfs_name_cache *cache, memfs *fs, uint64_t number)
{
    const struct mfs_name_cache *claimant = find_claimant(cache->index, number, NULL);
    return claimant != NULL ? claimant->number == cache->number : !mfs_place_is_lost(cache, fs);
}

bool mfs_place_owns(struct mfs_name_cache *cache, memfs *fs, uint64_t number)
{
    mfs_mutex_lock(cache->index->mutex);
    bool owns = mfs_place_owns_locked(cache, fs, number);
    mfs_mutex_unlock(cache->index->mutex);
    return owns;
}

/* With the index's mutex held. */
static void clear_one(struct mfs_name_cache *cache, memfs *fs, const char *name, uint64_t claimed)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (claimed == 0 || memfs_stat(fs, name, &info) != 0 || info.number != claimed)
        return;
    if (find_claimant(cache->index, claimed, cache) == NULL)
        (void)memfs_unlink(fs, name);
}

void mfs_place_clear(struct mfs_name_cache *cache, memfs *fs, const char *journal, const char *wal)
{
    mfs_mutex_lock(cache->index->mutex);
    if (mfs_place_is_lost(cache, fs) && memfs_exists(fs, cache->path) == 1) {
        clear_one(cache, fs, journal, cache->journal.claimed);
        clear_one(cache, fs, wal, cache->wal.claimed);
    }
    mfs_mutex_unlock(cache->index->mutex);
}
