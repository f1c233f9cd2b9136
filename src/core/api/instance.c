/* Creating, destroying, limiting and reporting. */
#include "base/check.h"
#include "base/num.h"
#include "instance/fs.h"
#include "instance/snapshot.h"
#include "sync/port.h"
#include "tree/subtree.h"

#include <string.h>

/* ---------------------------------------------------------------- creating */

static bool all_or_none(const memfs_lock_hooks *hooks, bool *any)
{
    int given = (hooks->mutex_create != NULL) + (hooks->mutex_destroy != NULL) +
                (hooks->mutex_lock != NULL) + (hooks->mutex_unlock != NULL) +
                (hooks->condition_create != NULL) + (hooks->condition_destroy != NULL) +
                (hooks->condition_wait != NULL) + (hooks->condition_broadcast != NULL);
    *any = given != 0;
    return given == 0 || given == 8;
}

static int check_config(const memfs_config *config)
{
    bool any_lock_hook;
    if (config->struct_size != sizeof *config ||
        (config->flags & ~(MEMFS_CREATE_SINGLE_THREADED | MEMFS_CREATE_UNPOOLED)) != 0)
        return MEMFS_EINVAL;
    if (config->page_size != 0 &&
        (!mfs_num_is_power_of_two(config->page_size) || config->page_size < MEMFS_PAGE_SIZE_MIN ||
         config->page_size > MEMFS_PAGE_SIZE_MAX))
        return MEMFS_EINVAL;
    const memfs_allocator *allocator = &config->allocator;
    if ((allocator->take == NULL) != (allocator->give == NULL) ||
        (allocator->take == NULL && allocator->cost != NULL))
        return MEMFS_EINVAL;
    if (config->arena != NULL && allocator->take != NULL)
        return MEMFS_EINVAL;
    if ((config->arena == NULL) != (config->arena_bytes == 0))
        return MEMFS_EINVAL;
    if (config->arena != NULL && config->quota_bytes > config->arena_bytes &&
        config->quota_bytes != MEMFS_QUOTA_DEFAULT)
        return MEMFS_EINVAL;
    if (config->atime_policy > MEMFS_ATIME_STRICT || (config->root_mode & ~07777u) != 0 ||
        config->uid == MEMFS_ID_KEEP || config->gid == MEMFS_ID_KEEP ||
        !all_or_none(&config->locks, &any_lock_hook))
        return MEMFS_EINVAL;
#ifdef MEMFS_ARENA_ONLY
    if (config->arena == NULL && allocator->take == NULL)
        return MEMFS_EOPNOTSUPP;
#endif
    return 0;
}

/*
 * Where the instance itself lies, and what that costs.  Its block is larger than struct memfs:
 * the rest is the starter, in which the root directory lies.
 */
struct foundation {
    struct mfs_allocator allocator;
    memfs *fs;
    uint64_t cost_bytes;
    uint64_t arena_limit;
};

enum { INSTANCE_BYTES = 2048 - 8 }; /* with malloc's header, 2 KiB */

static size_t instance_block_bytes(void)
{
    return mfs_num_max_size(INSTANCE_BYTES, sizeof(memfs));
}

static size_t starter_offset(void)
{
    return mfs_num_round_up(sizeof(memfs), MFS_PIECE_UNIT);
}

static size_t starter_bytes(void)
{
    return (size_t)mfs_num_sub_saturating(instance_block_bytes(), starter_offset());
}

static int lay_foundation(const memfs_config *config, struct mfs_lot *nobody_else,
                          struct foundation *out)
{
    *out = (struct foundation){.allocator = {.lot = nobody_else, .hooks = config->allocator},
                               .arena_limit = MFS_UNLIMITED};
    if (config->arena != NULL) {
        struct mfs_arena *arena = mfs_arena_create(config->arena, config->arena_bytes);
        if (arena == NULL)
            return MEMFS_EDQUOT;
        out->allocator.arena = arena;
        out->cost_bytes = arena->overhead_bytes;
        out->arena_limit = arena->overhead_bytes + arena->bytes;
    }
    out->cost_bytes += mfs_allocator_cost(&out->allocator, instance_block_bytes());
    uint64_t quota = config->quota_bytes == 0 ? out->arena_limit : config->quota_bytes;
    if (out->cost_bytes > mfs_num_min_u64(quota, out->arena_limit))
        return MEMFS_EDQUOT;
    out->fs = mfs_allocator_take_bare(&out->allocator, instance_block_bytes());
    return out->fs != NULL ? 0 : MEMFS_ENOMEM;
}

static void remove_foundation(const struct foundation *foundation)
{
    foundation->fs->magic = 0;
    if (foundation->allocator.arena == NULL)
        mfs_allocator_give_bare(&foundation->allocator, foundation->fs, instance_block_bytes());
}

static void init_memory(memfs *fs, const memfs_config *config, const struct foundation *foundation)
{
    uint64_t quota = config->quota_bytes == 0 ? MFS_UNLIMITED : config->quota_bytes;
    struct mfs_memory_base base = {.lot = &fs->lot,
                                   .hooks = config->allocator,
                                   .arena = foundation->allocator.arena,
                                   .limit = mfs_num_min_u64(quota, foundation->arena_limit),
                                   .page_size = config->page_size != 0 ? config->page_size
                                                                       : MEMFS_PAGE_SIZE_DEFAULT,
                                   .is_unpooled = (config->flags & MEMFS_CREATE_UNPOOLED) != 0};
    mfs_memory_init(&fs->memory, &fs->pool, &base);
    fs->arena_limit = foundation->arena_limit;
    struct mfs_ledger *ledger = &fs->memory.ledger;
    mfs_ledger_set_reserve(ledger, &fs->lot, config->emergency_reserve_bytes);
    uint64_t committed;
    bool charged = mfs_ledger_charge(ledger, MFS_CHARGE_RESERVE, foundation->cost_bytes,
                                     &committed);
    MFS_CHECK(charged);
    mfs_ledger_note_peak(ledger, committed);
    fs->memory.starter = (unsigned char *)fs + starter_offset();
    fs->memory.starter_bytes = starter_bytes();
    fs->memory.starter_is_free = fs->memory.starter_bytes != 0;
    fs->instance_bytes = (size_t)foundation->cost_bytes - fs->memory.starter_bytes;
    mfs_ledger_use(ledger, MEMFS_CLASS_NODES, fs->instance_bytes);
}

static void init_parts(memfs *fs, const memfs_config *config, const struct foundation *foundation)
{
    init_memory(fs, config, foundation);
    struct mfs_nodes *nodes = &fs->nodes;
    nodes->memory = &fs->memory;
    nodes->class = MEMFS_CLASS_NODES;
    nodes->pool = &fs->pool;
    nodes->lot = &fs->lot;
    nodes->names.memory = &fs->memory;
    nodes->names.class = MEMFS_CLASS_NAMES;
    mfs_port_random(nodes->names.hash_key, sizeof nodes->names.hash_key);
    nodes->clock = config->clock != NULL ? config->clock : mfs_port_wall_clock_ns;
    nodes->clock_context = config->clock_context;
    nodes->atime_policy = config->atime_policy;
    nodes->uid = config->uid;
    nodes->gid = config->gid;
    atomic_init(&nodes->next_number, 1);
    fs->snapshot_nodes = *nodes;
    fs->snapshot_nodes.class = fs->snapshot_nodes.names.class = MEMFS_CLASS_SNAPSHOTS;
    atomic_init(&fs->snapshot_nodes.limit, MFS_UNLIMITED);
    atomic_init(&nodes->limit, config->node_limit != 0 ? config->node_limit : MFS_UNLIMITED);
    fs->tree.nodes = nodes;
    fs->snapshots.nodes = &fs->snapshot_nodes;
    fs->log = config->log;
    fs->log_context = config->log_context;
    fs->refused.callback = config->refused;
    fs->refused.context = config->refused_context;
}

static int make_root(memfs *fs, uint32_t mode)
{
    struct mfs_dir_node *root;
    int error = mfs_node_create_dir(&fs->nodes, mode != 0 ? mode : 0755, &root);
    if (error != 0)
        return error;
    mfs_node_set_links(&root->node, 2);
    root->parent = root;
    fs->tree.root = root;
    return 0;
}

int memfs_create(const memfs_config *config, memfs **out)
{
    memfs_config defaults = memfs_config_default();
    if (config == NULL)
        config = &defaults;
    if (out == NULL)
        return MEMFS_EINVAL;
    int error = check_config(config);
    struct mfs_lot nobody_else = {.threaded = false};
    struct foundation foundation;
    if (error == 0)
        error = lay_foundation(config, &nobody_else, &foundation);
    if (error != 0)
        return error;

    memfs *fs = foundation.fs;
    memset(fs, 0, sizeof *fs);
    bool hooked = config->locks.mutex_create != NULL;
    bool threaded = (config->flags & MEMFS_CREATE_SINGLE_THREADED) == 0;
    error = mfs_sync_lot_init(&fs->lot, hooked ? &config->locks : NULL, threaded);
    if (error != 0)
        goto fail_lot;
    init_parts(fs, config, &foundation);
    error = make_root(fs, config->root_mode);
    if (error != 0)
        goto fail_root;
    fs->magic = MFS_FS_MAGIC;
    *out = fs;
    return 0;

fail_root:
    mfs_sync_lot_fini(&fs->lot);
fail_lot:
    remove_foundation(&foundation);
    return error;
}

/* -------------------------------------------------------------- destroying */

static bool is_in_use(memfs *fs)
{
    return fs->handles.open_files != 0 || fs->handles.open_dirs != 0 || fs->versions.count != 0 ||
           fs->blocks.count != 0 || atomic_load(&fs->mappings) != 0;
}

static void close_everything(memfs *fs)
{
    while (fs->handles.files != NULL)
        (void)memfs_close(fs->handles.files);
    while (fs->handles.dirs != NULL)
        (void)memfs_closedir(fs->handles.dirs);
    while (fs->versions.first != NULL) {
        struct mfs_version *version = fs->versions.first;
        mfs_version_list_remove(&fs->versions, &fs->lot, version);
        mfs_content_release(&fs->pool, &version->content);
        version->magic = 0;
    }
    mfs_block_give_all(&fs->blocks, &fs->memory);
}

static void remove_everything(memfs *fs)
{
    struct mfs_dirent *removed = NULL;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_subtree_dismantle(&fs->tree, fs->tree.root, 0, &removed);
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_subtree_forget(&fs->tree, removed);
    mfs_node_release(&fs->nodes, &fs->tree.root->node);
    mfs_snapshot_remove_all(fs);
}

int memfs_destroy(memfs *fs, unsigned flags)
{
    if (fs == NULL)
        return 0;
    if (!mfs_fs_is_valid(fs) || (flags & ~MEMFS_DESTROY_FORCE) != 0)
        return MEMFS_EINVAL;
    bool forced = (flags & MEMFS_DESTROY_FORCE) != 0;
    if (is_in_use(fs)) {
        if (!forced)
            return MEMFS_EBUSY;
        mfs_fs_log(fs, MEMFS_LOG_WARNING,
                   "destroyed by force: handles or memory were still in use");
    }
    close_everything(fs);
    remove_everything(fs);
    mfs_memory_fini(&fs->memory, forced);
    mfs_sync_lot_fini(&fs->lot);
    struct foundation foundation = {.allocator = fs->memory.allocator, .fs = fs};
    remove_foundation(&foundation);
    return 0;
}

/* ------------------------------------------------------------------ limits */

int memfs_set_quota(memfs *fs, uint64_t quota_bytes)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    if (quota_bytes == 0)
        quota_bytes = fs->arena_limit;
    else if (quota_bytes > fs->arena_limit)
        return MEMFS_EINVAL;
    if (mfs_ledger_set_limit(&fs->memory.ledger, &fs->lot, quota_bytes))
        return 0;
    mfs_pool_trim(&fs->pool);
    return mfs_ledger_set_limit(&fs->memory.ledger, &fs->lot, quota_bytes) ? 0 : MEMFS_EBUSY;
}

int memfs_set_emergency_reserve(memfs *fs, uint64_t emergency_reserve_bytes)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    mfs_ledger_set_reserve(&fs->memory.ledger, &fs->lot, emergency_reserve_bytes);
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

/* --------------------------------------------------------------- reporting */

static void report_memory(memfs *fs, memfs_statfs_info *info)
{
    struct mfs_ledger *ledger = &fs->memory.ledger;
    uint64_t limit = atomic_load(&ledger->limit);
    info->quota_bytes = limit == MFS_UNLIMITED ? 0 : limit;
    info->committed_bytes = atomic_load(&ledger->committed);
    info->peak_bytes = atomic_load(&ledger->peak);
    struct mfs_pool_figures figures;
    mfs_pool_figures(&fs->pool, &figures);
    info->pages_free = figures.free_pages;
    info->pages_used = figures.data_pages;
    for (int i = 0; i < MEMFS_CLASS_COUNT; i++) {
        info->class_bytes[i] = atomic_load(&ledger->used[i]);
        if (i == MEMFS_CLASS_DATA)
            info->class_bytes[i] += info->pages_used << fs->pool.page_shift;
        info->used_bytes += info->class_bytes[i];
    }
    info->available_bytes = figures.ordinary_bytes;
    info->emergency_reserve_bytes = atomic_load(&ledger->reserve);
    info->emergency_reserve_left_bytes = mfs_num_min_u64(info->emergency_reserve_bytes,
                                                         figures.privileged_room);
    info->preallocated_bytes = atomic_load(&fs->nodes.preallocated_bytes);
    info->quota_refusals = atomic_load(&ledger->quota_refusals);
    info->node_refusals = atomic_load(&ledger->node_refusals);
    info->allocator_refusals = atomic_load(&ledger->allocator_refusals);
}

int memfs_statfs(memfs *fs, memfs_statfs_info *info)
{
    if (!mfs_fs_is_valid(fs) || info == NULL || info->struct_size != sizeof *info)
        return MEMFS_EINVAL;
    memfs_statfs_info filled = {.struct_size = sizeof filled};
    report_memory(fs, &filled);
    mfs_handle_count_orphans(&fs->handles, &fs->nodes, &filled.orphans, &filled.orphan_bytes);
    filled.files = atomic_load(&fs->nodes.by_kind[MEMFS_KIND_FILE]);
    filled.directories = atomic_load(&fs->nodes.by_kind[MEMFS_KIND_DIRECTORY]);
    filled.symlinks = atomic_load(&fs->nodes.by_kind[MEMFS_KIND_SYMLINK]);
    uint64_t node_limit = atomic_load(&fs->nodes.limit);
    filled.node_limit = node_limit == MFS_UNLIMITED ? 0 : node_limit;
    mfs_sync_lock_shared(&fs->lot, &fs->handles.lock);
    filled.open_files = fs->handles.open_files;
    filled.open_directories = fs->handles.open_dirs;
    mfs_sync_unlock_shared(&fs->lot, &fs->handles.lock);
    filled.page_size = fs->pool.page_size;
    filled.name_max = MEMFS_NAME_MAX;
    filled.path_max = MEMFS_PATH_MAX;
    *info = filled;
    return 0;
}

int memfs_set_refused(memfs *fs, memfs_refused_callback callback, void *context)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    mfs_sync_lock_exclusive(&fs->lot, &fs->refused.lock);
    fs->refused.callback = callback;
    fs->refused.context = context;
    mfs_sync_unlock_exclusive(&fs->lot, &fs->refused.lock);
    return 0;
}

int memfs_last_refusal(memfs *fs, memfs_refusal *out)
{
    if (!mfs_fs_is_valid(fs) || out == NULL)
        return MEMFS_EINVAL;
    mfs_ledger_last_refusal(&fs->memory.ledger, &fs->lot, out);
    return 0;
}

int memfs_audit(memfs *fs)
{
    return mfs_fs_is_valid(fs) ? mfs_fs_audit(fs) : MEMFS_EINVAL;
}

/* ---------------------------------------------------------- charged memory */

static int alloc_as(memfs *fs, enum mfs_charge_from charge_from, size_t size, void **out)
{
    if (!mfs_fs_is_valid(fs) || out == NULL)
        return MEMFS_EINVAL;
    int result;
    do
        result = mfs_block_take(&fs->blocks, &fs->memory, charge_from, MEMFS_CLASS_CHARGED, size,
                                out);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

int memfs_charged_alloc(memfs *fs, size_t size, void **out)
{
    return alloc_as(fs, MFS_CHARGE_ORDINARY, size, out);
}

int memfs_charged_alloc_emergency(memfs *fs, size_t size, void **out)
{
    return alloc_as(fs, MFS_CHARGE_RESERVE, size, out);
}

int memfs_free(memfs *fs, void *memory)
{
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EINVAL;
    return memory != NULL ? mfs_block_give(&fs->blocks, &fs->memory, memory) : 0;
}
