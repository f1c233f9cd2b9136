/*
 * What the exported functions share: the log, where a relative path starts, and what to do after a
 * limit has refused a call.
 *
 * The callback for refusals runs last: no lock is held and nothing is half done, so it may call
 * anything in the file system, and is told to try again only if there is more headroom than before.
 */
#include "instance/fs.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/refusal.h"

static void init_nodes(struct mfs_nodes *nodes, const memfs *fs, enum memfs_class class,
                       enum memfs_class names_class, const struct mfs_nodes *like)
{
    nodes->memory = fs->memory;
    nodes->class = class;
    nodes->pool = fs->pool;
    nodes->lot = fs->lot;
    nodes->names = like->names;
    nodes->names.source.memory = fs->memory;
    nodes->names.source.class = names_class;
    nodes->clock = like->clock;
    nodes->clock_context = like->clock_context;
    atomic_init(&nodes->atime_policy, atomic_load(&like->atime_policy));
    nodes->uid = like->uid;
    nodes->gid = like->gid;
    atomic_init(&nodes->next_number, atomic_load(&like->next_number));
    atomic_init(&nodes->limit, atomic_load(&like->limit));
}

void mfs_fs_join(memfs *fs, struct mfs_family *family, const struct mfs_nodes *like)
{
    fs->family = family;
    fs->lot = &family->lot;
    fs->memory = &family->memory;
    fs->pool = &family->pool;
    fs->owner = mfs_refusal_new_owner();
    init_nodes(&fs->nodes, fs, MEMFS_CLASS_NODES, MEMFS_CLASS_NAMES, like);
    init_nodes(&fs->snapshot_nodes, fs, MEMFS_CLASS_SNAPSHOTS, MEMFS_CLASS_SNAPSHOTS, like);
    atomic_init(&fs->snapshot_nodes.limit, MFS_UNLIMITED);
    fs->tree.nodes = &fs->nodes;
    fs->snapshots.nodes = &fs->snapshot_nodes;
    atomic_init(&fs->last_capture_ns, INT64_MIN);
    mfs_sync_lock_exclusive(fs->lot, &family->lock);
    mfs_list_add(&family->members, &fs->link);
    mfs_sync_unlock_exclusive(fs->lot, &family->lock);
}

void mfs_fs_leave(memfs *fs)
{
    mfs_sync_lock_exclusive(fs->lot, &fs->family->lock);
    mfs_list_remove(&fs->family->members, &fs->link);
    mfs_sync_unlock_exclusive(fs->lot, &fs->family->lock);
}

bool mfs_fs_give_spares(memfs *fs)
{
    struct mfs_family *family = fs->family;
    struct mfs_list spares = {0};
    mfs_sync_lock_exclusive(fs->lot, &family->lock);
    for (struct mfs_link *at = family->members.first; at != NULL; at = at->next)
        mfs_handle_take_spares(&mfs_fs_of_link(at)->handles, &spares);
    mfs_sync_unlock_exclusive(fs->lot, &family->lock);
    return mfs_handle_give_spares(&spares, fs->memory);
}

void mfs_fs_log(memfs *fs, enum memfs_log_level level, const char *message)
{
    MFS_CHECK(message != NULL);
    mfs_sync_lock_exclusive(fs->lot, &fs->log.lock);
    memfs_log_callback callback = fs->log.callback;
    void *context = fs->log.context;
    mfs_sync_unlock_exclusive(fs->lot, &fs->log.lock);
    if (callback != NULL)
        callback(context, (int)level, message);
}

int mfs_fs_start(const memfs *fs, const memfs_dir *at, struct mfs_dir_node **out)
{
    *out = NULL;
    if (at == NULL)
        return 0;
    if (!mfs_sync_is_marked(at->magic, MFS_DIR_MAGIC))
        return MEMFS_EBADF;
    if (at->fs != fs)
        return MEMFS_EXDEV;
    *out = at->node;
    return 0;
}

/* What is left under the limits. */
struct headroom {
    uint64_t ordinary, privileged, looking, nodes;
};

static struct headroom measure_headroom(memfs *fs)
{
    struct headroom headroom;
    mfs_sync_lock_exclusive(fs->lot, &fs->pool->lock);
    uint64_t free_bytes = fs->pool->pages_free << fs->pool->page_shift;
    headroom.ordinary = mfs_ledger_available(&fs->memory->ledger, MFS_CHARGE_ORDINARY, free_bytes);
    headroom.privileged = mfs_ledger_available(&fs->memory->ledger, MFS_CHARGE_RESERVE, free_bytes);
    headroom.looking = mfs_ledger_available(&fs->memory->ledger, MFS_CHARGE_LOOKING, free_bytes);
    mfs_sync_unlock_exclusive(fs->lot, &fs->pool->lock);
    headroom.nodes = mfs_num_sub_saturating(atomic_load(&fs->nodes.limit),
                                            atomic_load(&fs->nodes.total));
    return headroom;
}

static bool has_grown(const struct headroom *before, const struct headroom *after, int error)
{
    if (error == MEMFS_ENOSPC)
        return after->nodes > before->nodes;
    return after->ordinary > before->ordinary || after->privileged > before->privileged ||
           after->looking > before->looking;
}

/* A callback may itself be refused, which calls it again, at most this many deep.
 * Threads that are refused at the same time count together. */
enum { ASKING_MOST = 32 };

void mfs_fs_describe_refusal(const struct mfs_refusal *refusal, memfs_refusal *out)
{
    *out = (memfs_refusal){.struct_size = sizeof *out,
                           .error = refusal->error,
                           .wanted = refusal->wanted,
                           .available = refusal->available,
                           .limit = refusal->limit != MFS_UNLIMITED ? refusal->limit : 0};
}

/* True if the callback says that the call is to be made again, and has made room for it. */
static bool ask_callback(memfs *fs, const struct mfs_refusal *refused)
{
    mfs_sync_lock_exclusive(fs->lot, &fs->refused.lock);
    memfs_refused_callback callback = fs->refused.callback;
    void *context = fs->refused.context;
    mfs_sync_unlock_exclusive(fs->lot, &fs->refused.lock);
    if (callback == NULL)
        return false;
    bool tries_again = false;
    if (atomic_fetch_add(&fs->refused.asking, 1) < ASKING_MOST) {
        memfs_refusal refusal;
        mfs_fs_describe_refusal(refused, &refusal);
        struct headroom before = measure_headroom(fs);
        if (callback(context, fs, &refusal) == MEMFS_REFUSED_RETRY) {
            struct headroom after = measure_headroom(fs);
            tries_again = has_grown(&before, &after, refused->error);
        }
    }
    (void)atomic_fetch_sub(&fs->refused.asking, 1);
    return tries_again;
}

bool mfs_fs_settle_refusal(memfs *fs, int error)
{
    struct mfs_refusal refused = mfs_refusal_account.refused;
    /* A refusal for another reason than memory and nodes: a directory with too many entries. */
    if (refused.error != error)
        refused = (struct mfs_refusal){.error = error};
    mfs_ledger_count_refusal(&fs->memory->ledger, error);
    mfs_refusal_keep(fs->owner, &refused);
    if (error == MEMFS_ENOMEM)
        return false;
    bool tries_again = ask_callback(fs, &refused);
    /* The callback's own calls may have been refused in between. */
    if (!tries_again)
        mfs_refusal_keep(fs->owner, &refused);
    return tries_again;
}

void mfs_fs_wait_for_earlier_lookups(memfs *fs, struct mfs_node *node)
{
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    mfs_sync_lock_shared(fs->lot, &node->lock);
    mfs_sync_unlock_shared(fs->lot, &node->lock);
}

void mfs_fs_fill_mapping(memfs *fs, mfs_page page, size_t at, size_t length, memfs_mapping *out)
{
    (void)atomic_fetch_add(&fs->mappings, 1);
    out->data = mfs_pool_page_bytes(fs->pool, page) + at;
    out->length = length;
    out->opaque[0] = fs;
    out->opaque[1] = (void *)page; /* NOLINT(performance-no-int-to-ptr) */
}
