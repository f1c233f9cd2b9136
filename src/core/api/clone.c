/*
 * A clone has a tree, snapshots, handles and callbacks of its own, and the memory of its family.
 *
 * Its tree is a copy (treecopy.h), made before anything can reach it.  All that can fail comes
 * first; a failure gives the struct back.
 */
#include "api/retry.h"
#include "base/check.h"
#include "instance/fs.h"
#include "wholetree/treecopy.h"

#include <string.h>

/* The callbacks go on being the original's. */
static void copy_callbacks(memfs *from, memfs *to)
{
    mfs_sync_lock_exclusive(from->lot, &from->log.lock);
    to->log.callback = from->log.callback;
    to->log.context = from->log.context;
    mfs_sync_unlock_exclusive(from->lot, &from->log.lock);
    mfs_sync_lock_exclusive(from->lot, &from->refused.lock);
    to->refused.callback = from->refused.callback;
    to->refused.context = from->refused.context;
    mfs_sync_unlock_exclusive(from->lot, &from->refused.lock);
}

static int copy_tree(memfs *from, memfs *to)
{
    struct mfs_node *root;
    mfs_sync_lock_shared(from->lot, &from->tree.lock);
    int error = mfs_treecopy(&from->tree, &from->tree.root->node, MFS_COPY_EXACT, &to->tree, &root);
    mfs_sync_unlock_shared(from->lot, &from->tree.lock);
    if (error != 0)
        return error;
    to->tree.root = mfs_node_as_dir(root);
    MFS_CHECK(to->tree.root != NULL && mfs_node_links(root) >= 2);
    to->tree.root->parent = to->tree.root;
    return 0;
}

struct cloning {
    memfs *fs;
    memfs **out;
};

static int64_t clone_once(const void *operation)
{
    const struct cloning *c = operation;
    memfs *fs = c->fs;
    void *memory;
    if (!mfs_fs_is_valid(fs) || c->out == NULL)
        return MEMFS_EINVAL;
    int error = mfs_memory_take(fs->memory, sizeof(memfs), MEMFS_CLASS_NODES, &memory);
    if (error != 0)
        return error;
    memfs *clone = memory;
    memset(clone, 0, sizeof *clone);
    mfs_fs_join(clone, fs->family, &fs->nodes);
    error = copy_tree(fs, clone);
    if (error != 0) {
        mfs_fs_leave(clone);
        mfs_memory_give(fs->memory, clone, sizeof *clone, MEMFS_CLASS_NODES);
        return error;
    }
    copy_callbacks(fs, clone);
    clone->magic = mfs_sync_mark(fs->lot, MFS_FS_MAGIC);
    *c->out = clone;
    return 0;
}

int memfs_clone_instance(memfs *fs, memfs **out)
{
    struct cloning cloning = {fs, out};
    return (int)mfs_retry_run(fs, clone_once, &cloning);
}
