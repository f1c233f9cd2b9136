/*
 * The registry of one VFS.
 *
 * 1. It allocates nothing from the file system: what it lists lies in the open files themselves, so
 *    opening a database works at a full quota.  WAL indexes are the exception; they are allocated
 *    when their WAL is written.
 * 2. A WAL index without a connection is parked here, so that recovery at a full quota finds its
 *    memory.  It is destroyed when its WAL is found empty, or with the registry.
 *
 * Cost: opening and closing a database or journal take the registry's mutex; using one does not.
 */
#include "locks/registry.h"

#include "base/assertion.h"
#include "file/shm.h"

bool mfs_registry_init(struct mfs_registry *registry)
{
    atomic_init(&registry->open_files, 0u);
    if (!mfs_mutex_init(&registry->mutex))
        return false;
    registry->names.mutex = &registry->mutex;
    return true;
}

void mfs_registry_fini(struct mfs_registry *registry)
{
    MFS_ASSERT(atomic_load(&registry->open_files) == 0);
    MFS_ASSERT(registry->open_journals == 0 && mfs_list_is_empty(&registry->names.all));
    for (unsigned bucket = 0; bucket < MFS_REGISTRY_BUCKETS; bucket++) {
        MFS_ASSERT(atomic_load(&registry->sleepers[bucket]) == 0);
        MFS_ASSERT(atomic_load(&registry->handoffs[bucket]) == 0);
        MFS_ASSERT(mfs_list_is_empty(&registry->shares[bucket]));
        MFS_ASSERT(mfs_list_is_empty(&registry->journals[bucket]));
    }
    while (!mfs_list_is_empty(&registry->parked_indexes)) {
        struct mfs_link *first = registry->parked_indexes.first;
        mfs_list_remove(&registry->parked_indexes, first);
        mfs_shm_destroy(MFS_LIST_ENTRY(first, struct mfs_shm, link));
    }
    mfs_mutex_fini(&registry->mutex);
}

void mfs_registry_enter_names(struct mfs_registry *registry, struct mfs_name_cache *cache,
                              const char *own_path)
{
    mfs_mutex_lock(&registry->mutex);
    mfs_name_cache_enter(cache, &registry->names, own_path);
    mfs_mutex_unlock(&registry->mutex);
}

void mfs_registry_leave_names(struct mfs_registry *registry, struct mfs_name_cache *cache)
{
    mfs_mutex_lock(&registry->mutex);
    mfs_name_cache_leave(cache, &registry->names);
    mfs_mutex_unlock(&registry->mutex);
}

struct mfs_name_cache *mfs_registry_find_names(struct mfs_registry *registry, const char *name)
{
    mfs_mutex_lock(&registry->mutex);
    struct mfs_name_cache *found = mfs_name_cache_find_any(&registry->names, name);
    mfs_mutex_unlock(&registry->mutex);
    return found;
}
