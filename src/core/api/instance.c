/* Creating and destroying. */
#include "api/closing.h"
#include "api/limits.h"
#include "api/structsize.h"
#include "base/check.h"
#include "base/num.h"
#include "instance/snapshot.h"
#include "memory/hostmemory.h"
#include "memory/refusal.h"
#include "sync/port.h"
#include "tree/subtree.h"
#include "wholetree/walker.h"

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
    memfs_guard guard;
};

/* Copies the caller's configuration and hooks.  Null: the default configuration. */
static int copy_config(struct settings *out, const memfs_config *config)
{
    memfs_config *own = &out->config;
    if (config == NULL)
        return memfs_config_init(own, sizeof *own);
    int error = mfs_structsize_copy_in(own, sizeof *own, config,
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
    if (error == 0 && own->guard != NULL) {
        error = mfs_structsize_copy_in(&out->guard, sizeof out->guard, own->guard,
                                       MFS_STRUCTSIZE_UP_TO(memfs_guard, action));
        own->guard = &out->guard;
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

static int check_guard(const memfs_guard *guard, const void *arena)
{
    const uint32_t known = MEMFS_GUARD_AT_CREATION | MEMFS_GUARD_BEFORE_GROWTH;
    if ((guard->when & ~known) != 0 || guard->action > MEMFS_GUARD_WARN || guard->interval_ms < 0 ||
        arena != NULL)
        return MEMFS_EINVAL;
    return guard->probe != NULL || mfs_hostmemory_is_known() ? 0 : MEMFS_EOPNOTSUPP;
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
    int error = config->guard != NULL ? check_guard(config->guard, config->arena) : 0;
#ifdef MEMFS_ARENA_ONLY
    if (error == 0 && config->arena == NULL && allocator == NULL)
        error = MEMFS_EOPNOTSUPP;
#endif
    return error;
}

static void warn_creator(void *context, const char *message)
{
    const memfs_config *config = context;
    if (config->log != NULL)
        config->log(config->log_context, MEMFS_LOG_WARNING, message);
}

/* Before anything is taken. */
static int ask_guard(memfs_config *config)
{
    struct mfs_guard guard;
    if (config->guard == NULL)
        return 0;
    mfs_guard_init(&guard, config->guard);
    guard.warn = warn_creator;
    guard.warn_context = config;
    uint64_t limit = mfs_limits_in_force(config->quota_bytes, MFS_UNLIMITED);
    return mfs_guard_allows_limit(&guard, limit) ? 0 : MEMFS_ENOMEM;
}

/* ---------------------------------------------------------------- creating */

/* The first instance of a family, with what all of them have in common. */
struct first {
    memfs fs;
    struct mfs_family family;
};

/*
 * Where the first instance lies, and what that costs.  The block goes on behind it:
 *
 *     struct first | starter, in which the root directory lies | guard | lock hooks
 *
 * The last two are there if they were configured.
 */
struct foundation {
    struct mfs_allocator allocator;
    struct first *first;
    size_t block_bytes;
    size_t guard_offset, locks_offset;
    uint64_t cost_bytes;
    uint64_t arena_limit;
};

enum { INSTANCE_BYTES = 2048 - 8 }; /* with malloc's header, 2 KiB */

static size_t starter_offset(void)
{
    return mfs_num_round_up(sizeof(struct first), MFS_PIECE_UNIT);
}

/* Where the starter ends, and what follows it begins. */
static size_t starter_end(void)
{
    return mfs_num_max_size(INSTANCE_BYTES, starter_offset());
}

static void place_extras(struct foundation *foundation, bool has_guard, bool has_locks)
{
    foundation->guard_offset = starter_end();
    foundation->locks_offset = foundation->guard_offset +
                               (has_guard ? sizeof(struct mfs_guard) : 0);
    foundation->block_bytes = foundation->locks_offset + (has_locks ? sizeof(memfs_lock_hooks) : 0);
}

static void *at_offset(const struct foundation *foundation, size_t offset)
{
    return (unsigned char *)foundation->first + offset;
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
    place_extras(out, config->guard != NULL, config->locks != NULL);
    out->cost_bytes += mfs_allocator_cost(&out->allocator, out->block_bytes);
    if (out->cost_bytes > mfs_limits_in_force(config->quota_bytes, out->arena_limit))
        return MEMFS_EDQUOT;
    out->first = mfs_allocator_take_bare(&out->allocator, out->block_bytes);
    return out->first != NULL ? 0 : MEMFS_ENOMEM;
}

static void remove_foundation(const struct foundation *foundation)
{
    foundation->first->fs.magic = 0;
    if (foundation->allocator.arena == NULL)
        mfs_allocator_give_bare(&foundation->allocator, foundation->first, foundation->block_bytes);
}

static void log_warning(void *context, const char *message)
{
    mfs_fs_log(context, MEMFS_LOG_WARNING, message);
}

/* Null if there is none. */
static struct mfs_guard *init_guard(const struct foundation *foundation, const memfs_config *config)
{
    const struct mfs_nodes *nodes = &foundation->first->fs.nodes;
    if (config->guard == NULL)
        return NULL;
    struct mfs_guard *guard = at_offset(foundation, foundation->guard_offset);
    mfs_guard_init(guard, config->guard);
    guard->clock = nodes->clock;
    guard->clock_context = nodes->clock_context;
    guard->warn = log_warning;
    guard->warn_context = &foundation->first->fs;
    return guard;
}

static int init_lot(const struct foundation *foundation, const memfs_config *config)
{
    memfs_lock_hooks *locks = NULL;
    if (config->locks != NULL) {
        locks = at_offset(foundation, foundation->locks_offset);
        *locks = *config->locks;
    }
    return mfs_sync_lot_init(&foundation->first->family.lot, locks,
                             (config->flags & MEMFS_CREATE_SINGLE_THREADED) == 0);
}

static void init_memory(const struct foundation *foundation, const memfs_config *config)
{
    struct mfs_family *family = &foundation->first->family;
    struct mfs_memory_base base = {
        .lot = &family->lot,
        .hooks = foundation->allocator.hooks,
        .arena = foundation->allocator.arena,
        .guard = init_guard(foundation, config),
        .limit = mfs_limits_in_force(config->quota_bytes, foundation->arena_limit),
        .page_size = config->page_size != 0 ? config->page_size : MEMFS_PAGE_SIZE_DEFAULT,
        .is_unpooled = (config->flags & MEMFS_CREATE_UNPOOLED) != 0};
    struct mfs_memory *memory = &family->memory;
    mfs_memory_init(memory, &family->pool, &base);
    family->arena_limit = foundation->arena_limit;
    uint64_t committed;
    bool charged = mfs_ledger_charge(&memory->ledger, MFS_CHARGE_ORDINARY, foundation->cost_bytes,
                                     &committed);
    MFS_CHECK(charged);
    mfs_ledger_note_peak(&memory->ledger, committed);
    /* The instance may lie in the reserves, which only now come into force. */
    mfs_ledger_set_reserve(&memory->ledger, &family->lot, config->emergency_reserve_bytes);
    mfs_ledger_keep_looking_reserve(&memory->ledger, &family->lot);
    memory->starter = at_offset(foundation, starter_offset());
    memory->starter_bytes = starter_end() - starter_offset();
    memory->starter_is_free = memory->starter_bytes != 0;
    family->instance_bytes = (size_t)foundation->cost_bytes - memory->starter_bytes;
    mfs_ledger_use(&memory->ledger, MEMFS_CLASS_NODES, family->instance_bytes);
}

/* What the configuration says about nodes. */
static void configure_nodes(struct mfs_nodes *nodes, const memfs_config *config)
{
    mfs_port_random(nodes->names.hash_key, sizeof nodes->names.hash_key);
    nodes->clock = config->clock != NULL ? config->clock : mfs_port_wall_clock_ns;
    nodes->clock_context = config->clock_context;
    atomic_init(&nodes->atime_policy, config->atime_policy);
    nodes->uid = config->uid;
    nodes->gid = config->gid;
    atomic_init(&nodes->next_number, 1);
    atomic_init(&nodes->limit, config->node_limit != 0 ? config->node_limit : MFS_UNLIMITED);
}

static void init_parts(const struct foundation *foundation, const memfs_config *config)
{
    memfs *fs = &foundation->first->fs;
    configure_nodes(&fs->nodes, config);
    init_memory(foundation, config);
    mfs_fs_join(fs, &foundation->first->family, &fs->nodes);
    fs->log.callback = config->log;
    fs->log.context = config->log_context;
    fs->refused.callback = config->refused;
    fs->refused.context = config->refused_context;
}

static int make_live_root(memfs *fs, uint32_t mode)
{
    struct mfs_dir_node *root;
    int error = mfs_node_create_dir(&fs->nodes, MFS_CHARGE_ORDINARY, mode != 0 ? mode : 0755,
                                    &root);
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
        error = ask_guard(&settings.config);
    if (error == 0)
        error = mfs_port_watch_forks();
    struct mfs_lot nobody_else = {.threaded = false};
    if (error == 0)
        error = lay_foundation(config, &nobody_else, &foundation);
    if (error != 0)
        return error;

    memfs *fs = &foundation.first->fs;
    memset(foundation.first, 0, sizeof *foundation.first);
    error = init_lot(&foundation, config);
    if (error != 0)
        goto fail_lot;
    init_parts(&foundation, config);
    error = make_live_root(fs, config->root_mode);
    if (error != 0)
        goto fail_root;
    fs->magic = mfs_sync_mark(fs->lot, MFS_FS_MAGIC);
    *out = fs;
    return 0;

fail_root:
    mfs_sync_lot_fini(fs->lot);
fail_lot:
    remove_foundation(&foundation);
    return error;
}

/* -------------------------------------------------------------- destroying */

/* The one that was created, and not cloned. */
static bool is_first(const memfs *fs)
{
    const struct first *first = (const struct first *)(const void *)fs;
    return fs->family == &first->family;
}

static bool is_in_use(memfs *fs)
{
    uint64_t files, dirs;
    mfs_handle_count(&fs->handles, fs->lot, &files, &dirs);
    return files != 0 || dirs != 0 || fs->versions.held.count != 0 || fs->blocks.held.count != 0 ||
           fs->opened.all.count != 0 || atomic_load(&fs->mappings) != 0;
}

static void close_opened(struct mfs_opened *opened)
{
    void *memory = opened;
    if (mfs_opened_is(opened, MFS_WALKER_MAGIC))
        (void)memfs_walk_close(memory);
    else
        (void)memfs_compare_close(memory);
}

/* No handle is to get a lock that another one loses here.  The locks of clones are not ours. */
static void forget_lines(memfs *fs)
{
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++)
        for (struct mfs_link *at = mfs_handle_list(&fs->handles, i)->files.first; at != NULL;
             at = at->next)
            mfs_filelock_forget_line(fs->lot, mfs_handle_of_link(at)->node);
}

static void close_handles(struct mfs_handle_list *list)
{
    while (list->files.first != NULL)
        mfs_closing_file(mfs_handle_of_link(list->files.first));
    while (list->dirs.first != NULL)
        mfs_closing_dir(mfs_handle_dir_of_link(list->dirs.first));
}

static void close_everything(memfs *fs)
{
    forget_lines(fs);
    for (unsigned i = 0; i < MFS_HANDLE_LISTS; i++)
        close_handles(mfs_handle_list(&fs->handles, i));
    (void)mfs_fs_give_spares(fs);
    while (fs->opened.all.first != NULL)
        close_opened(mfs_opened_of_link(fs->opened.all.first));
    while (fs->versions.held.first != NULL) {
        struct mfs_version *version = MFS_LIST_ENTRY(fs->versions.held.first, struct mfs_version,
                                                     link);
        mfs_version_list_remove(&fs->versions, fs->lot, version);
        mfs_content_release(fs->pool, &version->content);
        version->magic = 0;
    }
    mfs_block_give_all(&fs->blocks, fs->memory);
}

static void remove_everything(memfs *fs)
{
    struct mfs_dirent *removed = NULL;
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    mfs_subtree_dismantle(&fs->tree, fs->tree.root, 0, &removed);
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    mfs_subtree_forget(&fs->tree, removed);
    mfs_node_release(&fs->nodes, &fs->tree.root->node);
    mfs_snapshot_remove_all(fs);
}

/* A clone gives its own struct back, the first instance all memory. */
static void end_member(memfs *fs, bool forced)
{
    struct mfs_family *family = fs->family;
    if (is_in_use(fs))
        mfs_fs_log(fs, MEMFS_LOG_WARNING,
                   "destroyed by force: handles or memory were still in use");
    if (MFS_OBSERVER_IS(fs->nodes.observer))
        fs->nodes.observer->end(fs->nodes.observer);
    close_everything(fs);
    remove_everything(fs);
    mfs_fs_leave(fs);
    fs->magic = 0;
    if (!is_first(fs)) {
        mfs_memory_give(&family->memory, fs, sizeof *fs, MEMFS_CLASS_NODES);
        return;
    }
    struct foundation foundation = {.allocator = family->memory.allocator,
                                    .first = (struct first *)(void *)fs};
    place_extras(&foundation, foundation.allocator.guard != NULL,
                 mfs_sync_lot_is_hooked(&family->lot));
    mfs_memory_fini(&family->memory, forced);
    mfs_sync_lot_fini(&family->lot);
    remove_foundation(&foundation);
}

int memfs_destroy(memfs *fs, unsigned flags)
{
    if (fs == NULL)
        return 0;
    if (!mfs_fs_is_valid(fs) || (flags & ~MEMFS_DESTROY_FORCE) != 0)
        return MEMFS_EINVAL;
    struct mfs_list *members = &fs->family->members;
    bool forced = (flags & MEMFS_DESTROY_FORCE) != 0;
    bool has_clones = is_first(fs) && members->count > 1;
    if ((is_in_use(fs) || has_clones) && !forced)
        return MEMFS_EBUSY;
    while (has_clones && members->count > 1)
        end_member(mfs_fs_of_link(members->first), true);
    end_member(fs, forced);
    return 0;
}
