/* Creating and destroying. */
#include "api/closing.h"
#include "api/limits.h"
#include "api/structsize.h"
#include "base/check.h"
#include "base/num.h"
#include "instance/snapshot.h"
#include "sync/port.h"
#include "tree/subtree.h"

#include <string.h>

/* ----------------------------------------------------------- configuration */

int memfs_config_init(memfs_config *config, size_t struct_size)
{
    const memfs_config defaults = memfs_config_default();
    int error = mfs_structsize_check(struct_size, MFS_STRUCTSIZE_UP_TO(memfs_config, quota_bytes));
    if (config == NULL)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    memcpy(config, &struct_size, sizeof struct_size);
    mfs_structsize_copy_out(config, &defaults, sizeof defaults);
    return 0;
}

/* A configuration with all that it refers to; `config` points to the hooks beside it, if at all. */
struct settings {
    memfs_config config;
    memfs_allocator allocator;
    memfs_lock_hooks locks;
};

/* Copies the caller's configuration and hooks.  Null: the default configuration. */
static int copy_config(struct settings *out, const memfs_config *config)
{
    const memfs_config defaults = memfs_config_default();
    memfs_config *own = &out->config;
    int error = mfs_structsize_copy_in(own, sizeof *own, config != NULL ? config : &defaults,
                                       MFS_STRUCTSIZE_UP_TO(memfs_config, quota_bytes));
    if (error == 0 && own->allocator != NULL) {
        error = mfs_structsize_copy_in(&out->allocator, sizeof out->allocator, own->allocator,
                                       MFS_STRUCTSIZE_UP_TO(memfs_allocator, give));
        own->allocator = &out->allocator;
    }
    if (error == 0 && own->locks != NULL) {
        error = mfs_structsize_copy_in(&out->locks, sizeof out->locks, own->locks,
                                       MFS_STRUCTSIZE_UP_TO(memfs_lock_hooks, condition_broadcast));
        own->locks = &out->locks;
    }
    return error;
}

static bool are_whole(const memfs_lock_hooks *hooks)
{
    return hooks->mutex_create != NULL && hooks->mutex_destroy != NULL &&
           hooks->mutex_lock != NULL && hooks->mutex_unlock != NULL &&
           hooks->condition_create != NULL && hooks->condition_destroy != NULL &&
           hooks->condition_wait != NULL && hooks->condition_broadcast != NULL;
}

static int check_config(const memfs_config *config)
{
    if ((config->flags & ~(MEMFS_CREATE_SINGLE_THREADED | MEMFS_CREATE_UNPOOLED)) != 0)
        return MEMFS_EINVAL;
    if (config->page_size != 0 &&
        (!mfs_num_is_power_of_two(config->page_size) || config->page_size < MEMFS_PAGE_SIZE_MIN ||
         config->page_size > MEMFS_PAGE_SIZE_MAX))
        return MEMFS_EINVAL;
    const memfs_allocator *allocator = config->allocator;
    if (allocator != NULL && (allocator->take == NULL || allocator->give == NULL))
        return MEMFS_EINVAL;
    if (config->arena != NULL && allocator != NULL)
        return MEMFS_EINVAL;
    if ((config->arena == NULL) != (config->arena_bytes == 0))
        return MEMFS_EINVAL;
    if (config->atime_policy > MEMFS_ATIME_STRICT || (config->root_mode & ~07777u) != 0 ||
        config->uid == MEMFS_ID_KEEP || config->gid == MEMFS_ID_KEEP ||
        (config->locks != NULL && !are_whole(config->locks)))
        return MEMFS_EINVAL;
#ifdef MEMFS_ARENA_ONLY
    if (config->arena == NULL && allocator == NULL)
        return MEMFS_EOPNOTSUPP;
#endif
    return 0;
}

/* ---------------------------------------------------------------- creating */

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
    *out = (struct foundation){.allocator = {.lot = nobody_else}, .arena_limit = MFS_UNLIMITED};
    if (config->allocator != NULL)
        out->allocator.hooks = *config->allocator;
    if (config->arena != NULL) {
        struct mfs_arena *arena = mfs_arena_create(config->arena, config->arena_bytes);
        if (arena == NULL)
            return MEMFS_EDQUOT;
        out->allocator.arena = arena;
        out->cost_bytes = arena->overhead_bytes;
        out->arena_limit = arena->overhead_bytes + arena->bytes;
    }
    out->cost_bytes += mfs_allocator_cost(&out->allocator, instance_block_bytes());
    if (out->cost_bytes > mfs_limits_in_force(config->quota_bytes, out->arena_limit))
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
    struct mfs_memory_base base = {
        .lot = &fs->lot,
        .hooks = foundation->allocator.hooks,
        .arena = foundation->allocator.arena,
        .limit = mfs_limits_in_force(config->quota_bytes, foundation->arena_limit),
        .page_size = config->page_size != 0 ? config->page_size : MEMFS_PAGE_SIZE_DEFAULT,
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
    nodes->names.source.memory = &fs->memory;
    nodes->names.source.class = MEMFS_CLASS_NAMES;
    mfs_port_random(nodes->names.hash_key, sizeof nodes->names.hash_key);
    nodes->clock = config->clock != NULL ? config->clock : mfs_port_wall_clock_ns;
    nodes->clock_context = config->clock_context;
    atomic_init(&nodes->atime_policy, config->atime_policy);
    nodes->uid = config->uid;
    nodes->gid = config->gid;
    atomic_init(&nodes->next_number, 1);
    fs->snapshot_nodes = *nodes;
    fs->snapshot_nodes.class = fs->snapshot_nodes.names.source.class = MEMFS_CLASS_SNAPSHOTS;
    atomic_init(&fs->snapshot_nodes.limit, MFS_UNLIMITED);
    atomic_init(&nodes->limit, config->node_limit != 0 ? config->node_limit : MFS_UNLIMITED);
    fs->tree.nodes = nodes;
    fs->snapshots.nodes = &fs->snapshot_nodes;
    fs->log.callback = config->log;
    fs->log.context = config->log_context;
    fs->refused.callback = config->refused;
    fs->refused.context = config->refused_context;
}

static int make_live_root(memfs *fs, uint32_t mode)
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
    struct settings settings;
    struct foundation foundation;
    if (out == NULL)
        return MEMFS_EINVAL;
    int error = copy_config(&settings, config);
    config = &settings.config;
    if (error == 0)
        error = check_config(config);
    if (error == 0)
        error = mfs_port_watch_forks();
    struct mfs_lot nobody_else = {.threaded = false};
    if (error == 0)
        error = lay_foundation(config, &nobody_else, &foundation);
    if (error != 0)
        return error;

    memfs *fs = foundation.fs;
    memset(fs, 0, sizeof *fs);
    bool threaded = (config->flags & MEMFS_CREATE_SINGLE_THREADED) == 0;
    error = mfs_sync_lot_init(&fs->lot, config->locks, threaded);
    if (error != 0)
        goto fail_lot;
    init_parts(fs, config, &foundation);
    error = make_live_root(fs, config->root_mode);
    if (error != 0)
        goto fail_root;
    fs->magic = mfs_sync_mark(&fs->lot, MFS_FS_MAGIC);
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
    return fs->handles.files.count != 0 || fs->handles.dirs.count != 0 ||
           fs->versions.held.count != 0 || fs->blocks.held.count != 0 ||
           fs->walkers.open.count != 0 || atomic_load(&fs->mappings) != 0;
}

static void close_everything(memfs *fs)
{
    mfs_sync_lot_clear_lines(&fs->lot); /* no handle gets a lock that another one loses here */
    while (fs->handles.files.first != NULL)
        mfs_closing_file(mfs_handle_of_link(fs->handles.files.first));
    while (fs->handles.dirs.first != NULL)
        mfs_closing_dir(mfs_handle_dir_of_link(fs->handles.dirs.first));
    while (fs->walkers.open.first != NULL)
        (void)memfs_walk_close(mfs_walker_of_link(fs->walkers.open.first));
    while (fs->versions.held.first != NULL) {
        struct mfs_version *version = MFS_LIST_ENTRY(fs->versions.held.first, struct mfs_version,
                                                     link);
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
