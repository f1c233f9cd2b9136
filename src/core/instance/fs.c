/* What the exported functions share. */
#include "instance/fs.h"

#include "base/num.h"

void mfs_fs_log(memfs *fs, enum memfs_log_level level, const char *message)
{
    mfs_sync_lock_exclusive(&fs->lot, &fs->log.lock);
    memfs_log_callback callback = fs->log.callback;
    void *context = fs->log.context;
    mfs_sync_unlock_exclusive(&fs->lot, &fs->log.lock);
    if (callback != NULL)
        callback(context, (int)level, message);
}

int mfs_fs_start(const memfs *fs, const memfs_dir *at, struct mfs_dir_node **out)
{
    *out = NULL;
    if (at == NULL)
        return 0;
    if (at->magic != MFS_DIR_MAGIC)
        return MEMFS_EBADF;
    if (at->fs != fs)
        return MEMFS_EXDEV;
    *out = at->node;
    return 0;
}

/* What is left under the limits. */
struct room {
    uint64_t ordinary, privileged, nodes;
};

static struct room look_for_room(memfs *fs)
{
    struct room room;
    mfs_sync_lock_exclusive(&fs->lot, &fs->pool.lock);
    uint64_t free_bytes = fs->pool.pages_free << fs->pool.page_shift;
    room.ordinary = mfs_ledger_available(&fs->memory.ledger, MFS_CHARGE_ORDINARY, free_bytes);
    room.privileged = mfs_ledger_available(&fs->memory.ledger, MFS_CHARGE_RESERVE, free_bytes);
    mfs_sync_unlock_exclusive(&fs->lot, &fs->pool.lock);
    room.nodes = mfs_num_sub_saturating(atomic_load(&fs->nodes.limit),
                                        atomic_load(&fs->nodes.total));
    return room;
}

static bool has_grown(const struct room *before, const struct room *after, int error)
{
    if (error == MEMFS_ENOSPC)
        return after->nodes > before->nodes;
    return after->ordinary > before->ordinary || after->privileged > before->privileged;
}

enum { ASKING_MOST = 32 };

bool mfs_fs_ask_refused(memfs *fs, int error)
{
    mfs_sync_lock_exclusive(&fs->lot, &fs->refused.lock);
    memfs_refused_callback callback = fs->refused.callback;
    void *context = fs->refused.context;
    mfs_sync_unlock_exclusive(&fs->lot, &fs->refused.lock);
    if (callback == NULL)
        return false;
    bool tries_again = false;
    /* A callback may be refused too, and asked from within itself; that has an end. */
    if (atomic_fetch_add(&fs->refused.asking, 1) < ASKING_MOST) {
        memfs_refusal refusal;
        mfs_ledger_last_of(&fs->memory.ledger, &fs->lot, error, &refusal);
        struct room before = look_for_room(fs);
        if (callback(context, fs, &refusal) == MEMFS_REFUSED_RETRY) {
            struct room after = look_for_room(fs);
            tries_again = has_grown(&before, &after, error);
        }
    }
    (void)atomic_fetch_sub(&fs->refused.asking, 1);
    return tries_again;
}

void mfs_fs_wait_for_earlier_lookups(memfs *fs, struct mfs_node *node)
{
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
    mfs_sync_lock_shared(&fs->lot, &node->lock);
    mfs_sync_unlock_shared(&fs->lot, &node->lock);
}

void mfs_fs_fill_mapping(memfs *fs, mfs_page page, size_t at, size_t length, memfs_mapping *out)
{
    (void)atomic_fetch_add(&fs->mappings, 1);
    out->data = mfs_page_bytes(&fs->pool, page) + at;
    out->length = length;
    out->opaque[0] = fs;
    out->opaque[1] = (void *)page; /* NOLINT(performance-no-int-to-ptr) */
}
