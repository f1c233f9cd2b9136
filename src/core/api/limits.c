/* What can be changed in an instance: limits, policies, callbacks. */
#include "api/limits.h"

#include "base/check.h"
#include "base/num.h"

uint64_t mfs_limits_in_force(uint64_t quota_bytes, uint64_t arena_limit)
{
    uint64_t quota = quota_bytes != MEMFS_UNLIMITED ? quota_bytes : MFS_UNLIMITED;
    MFS_CHECK(arena_limit != 0);
    return mfs_num_min_u64(quota, arena_limit);
}

int memfs_set_quota(memfs *fs, uint64_t quota_bytes)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    quota_bytes = mfs_limits_in_force(quota_bytes, fs->family->arena_limit);
    if (mfs_ledger_set_limit(&fs->memory->ledger, fs->lot, quota_bytes))
        return 0;
    mfs_pool_trim(fs->pool);
    return mfs_ledger_set_limit(&fs->memory->ledger, fs->lot, quota_bytes) ? 0 : MEMFS_EBUSY;
}

int memfs_set_emergency_reserve(memfs *fs, uint64_t emergency_reserve_bytes)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    mfs_ledger_set_reserve(&fs->memory->ledger, fs->lot, emergency_reserve_bytes);
    return 0;
}

int memfs_set_node_limit(memfs *fs, uint64_t node_limit)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    return mfs_node_set_limit(&fs->nodes, node_limit != 0 ? node_limit : MFS_UNLIMITED)
               ? 0
               : MEMFS_EBUSY;
}

int memfs_set_refused(memfs *fs, memfs_refused_callback callback, void *context)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    mfs_sync_lock_exclusive(fs->lot, &fs->refused.lock);
    fs->refused.callback = callback;
    fs->refused.context = context;
    mfs_sync_unlock_exclusive(fs->lot, &fs->refused.lock);
    return 0;
}

int memfs_set_log(memfs *fs, memfs_log_callback callback, void *context)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    mfs_sync_lock_exclusive(fs->lot, &fs->log.lock);
    fs->log.callback = callback;
    fs->log.context = context;
    mfs_sync_unlock_exclusive(fs->lot, &fs->log.lock);
    return 0;
}

int memfs_set_atime_policy(memfs *fs, uint32_t policy)
{
    if (!mfs_fs_is_valid(fs) || policy > MEMFS_ATIME_STRICT)
        return MEMFS_EINVAL;
    atomic_store_explicit(&fs->nodes.atime_policy, policy, memory_order_relaxed);
    return 0;
}
