/* What is in use, and what was refused. */
#include "api/structsize.h"
#include "base/num.h"
#include "instance/audit.h"
#include "instance/fs.h"
#include "memory/hostmemory.h"
#include "memory/refusal.h"

_Static_assert((int)MEMFS_CLASS_COUNT <= MEMFS_CLASS_SLOTS, "each class has a slot");

static void report_memory(memfs *fs, memfs_statfs_info *info)
{
    struct mfs_ledger *ledger = &fs->memory->ledger;
    uint64_t limit = atomic_load(&ledger->limit);
    info->quota_bytes = limit == MFS_UNLIMITED ? 0 : limit;
    info->committed_bytes = atomic_load(&ledger->committed);
    info->peak_bytes = atomic_load(&ledger->peak);
    struct mfs_pool_figures figures;
    mfs_pool_figures(fs->pool, &figures);
    info->pages_free = figures.free_pages;
    info->pages_used = figures.data_pages;
    for (int i = 0; i < MEMFS_CLASS_COUNT; i++) {
        info->class_bytes[i] = atomic_load(&ledger->used[i]);
        if (i == MEMFS_CLASS_DATA)
            info->class_bytes[i] += info->pages_used << fs->pool->page_shift;
        info->used_bytes += info->class_bytes[i];
    }
    info->available_bytes = figures.ordinary_bytes;
    info->looking_reserve_bytes = atomic_load(&ledger->looking_reserve);
    info->emergency_reserve_bytes = atomic_load(&ledger->reserve);
    info->emergency_reserve_left_bytes = mfs_num_min_u64(info->emergency_reserve_bytes,
                                                         figures.privileged_room);
    info->preallocated_bytes = atomic_load(&fs->nodes.preallocated_bytes);
    info->quota_refusals = atomic_load(&ledger->quota_refusals);
    info->node_refusals = atomic_load(&ledger->node_refusals);
    info->allocator_refusals = atomic_load(&ledger->allocator_refusals);
}

uint64_t memfs_uncommitted_bytes(memfs *fs)
{
    return mfs_fs_is_valid(fs) ? mfs_ledger_available(&fs->memory->ledger, MFS_CHARGE_ORDINARY, 0)
                               : 0;
}

int memfs_statfs(memfs *fs, memfs_statfs_info *info)
{
    int error = mfs_structsize_check_out(info,
                                         MFS_STRUCTSIZE_UP_TO(memfs_statfs_info, available_bytes));
    if (!mfs_fs_is_valid(fs))
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    memfs_statfs_info filled = {.class_count = MEMFS_CLASS_COUNT};
    (void)mfs_fs_give_spares(fs);
    report_memory(fs, &filled);
    mfs_handle_count_orphans(&fs->handles, &fs->nodes, &filled.orphans, &filled.orphan_bytes);
    filled.files = atomic_load(&fs->nodes.by_kind[MEMFS_KIND_FILE]);
    filled.directories = atomic_load(&fs->nodes.by_kind[MEMFS_KIND_DIRECTORY]);
    filled.symlinks = atomic_load(&fs->nodes.by_kind[MEMFS_KIND_SYMLINK]);
    uint64_t node_limit = atomic_load(&fs->nodes.limit);
    filled.node_limit = node_limit == MFS_UNLIMITED ? 0 : node_limit;
    mfs_handle_count(&fs->handles, fs->lot, &filled.open_files, &filled.open_directories);
    filled.page_size = fs->pool->page_size;
    filled.name_max = MEMFS_NAME_MAX;
    filled.path_max = MEMFS_PATH_MAX;
    mfs_structsize_copy_out(info, &filled, sizeof filled);
    return 0;
}

int memfs_system_memory(uint64_t *available_bytes)
{
    if (available_bytes == NULL)
        return MEMFS_EINVAL;
    return mfs_hostmemory_available("", available_bytes) ? 0 : MEMFS_EOPNOTSUPP;
}

int memfs_last_refusal(memfs *fs, memfs_refusal *out)
{
    int error = mfs_structsize_check_out(out, MFS_STRUCTSIZE_UP_TO(memfs_refusal, available));
    if (!mfs_fs_is_valid(fs))
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    memfs_refusal last;
    const struct mfs_refusal kept = mfs_refusal_last(fs->owner);
    mfs_fs_describe_refusal(&kept, &last);
    mfs_structsize_copy_out(out, &last, sizeof last);
    return 0;
}

int memfs_audit(memfs *fs)
{
    return mfs_fs_is_valid(fs) ? mfs_audit_run(fs) : MEMFS_EINVAL;
}
