/* Removing names: one, or a whole tree. */
#include "base/check.h"
#include "instance/fs.h"
#include "tree/subtree.h"

/* ----------------------------------------------------------------- one name */

/* Whether the name at `place` may be removed by rmdir, or else by unlink. */
static int check_unlink(memfs *fs, const struct mfs_place *place, bool is_rmdir)
    MFS_REQUIRES(fs->tree.lock)
{
    if (place->last != MFS_LAST_NAME) {
        if (!is_rmdir)
            return MEMFS_EISDIR;
        return place->last == MFS_LAST_ROOT  ? MEMFS_EBUSY
               : place->last == MFS_LAST_DOT ? MEMFS_EINVAL
                                             : MEMFS_ENOTEMPTY;
    }
    if (place->node == NULL)
        return MEMFS_ENOENT;
    struct mfs_dir_node *dir = mfs_node_as_dir(place->node);
    if (is_rmdir) {
        if (dir == NULL)
            return MEMFS_ENOTDIR;
        return dir->names.live == 0 ? 0 : MEMFS_ENOTEMPTY;
    }
    if (dir != NULL)
        return MEMFS_EISDIR;
    if (place->needs_dir)
        return MEMFS_ENOTDIR;
    return mfs_filelock_is_locked(&fs->lot, place->node, MFS_HELD_NOTHING) ? MEMFS_EBUSY : 0;
}

int memfs_unlinkat(memfs *fs, memfs_dir *at, const char *path, unsigned flags)
{
    struct mfs_dir_node *start;
    struct mfs_place place;
    struct mfs_dirent *removed = NULL;
    if (!mfs_fs_is_valid(fs) || path == NULL)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, at, &start);
    if (error == 0 && (flags & ~MEMFS_AT_REMOVEDIR) != 0)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    error = mfs_walk(&fs->tree, start, path, 0, &place);
    if (error == 0)
        error = check_unlink(fs, &place, (flags & MEMFS_AT_REMOVEDIR) != 0);
    if (error == 0) {
        removed = place.entry;
        mfs_namespace_remove(&fs->tree, place.dir, removed, mfs_node_now(&fs->nodes));
    }
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_namespace_forget(&fs->tree, removed);
    return error;
}

int memfs_unlink(memfs *fs, const char *path)
{
    return memfs_unlinkat(fs, NULL, path, 0);
}

int memfs_rmdir(memfs *fs, const char *path)
{
    return memfs_unlinkat(fs, NULL, path, MEMFS_AT_REMOVEDIR);
}

/* --------------------------------------------------------------- whole trees */

static int check_tree_removal(memfs *fs, const struct mfs_place *place) MFS_REQUIRES(fs->tree.lock)
{
    if (place->last != MFS_LAST_NAME)
        return place->last == MFS_LAST_ROOT ? MEMFS_EBUSY : MEMFS_EINVAL;
    if (place->node == NULL)
        return MEMFS_ENOENT;
    struct mfs_dir_node *dir = mfs_node_as_dir(place->node);
    if (dir == NULL && place->needs_dir)
        return MEMFS_ENOTDIR;
    bool locked = dir != NULL ? mfs_subtree_has_locked(&fs->tree, dir)
                              : mfs_filelock_is_locked(&fs->lot, place->node, MFS_HELD_NOTHING);
    return locked ? MEMFS_EBUSY : 0;
}

int memfs_remove_tree(memfs *fs, const char *path)
{
    struct mfs_place place;
    struct mfs_dirent *removed = NULL;
    if (!mfs_fs_is_valid(fs) || path == NULL)
        return MEMFS_EINVAL;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, path, 0, &place);
    if (error == 0)
        error = check_tree_removal(fs, &place);
    if (error == 0) {
        int64_t now = mfs_node_now(&fs->nodes);
        if (mfs_node_as_dir(place.node) != NULL)
            mfs_subtree_dismantle(&fs->tree, mfs_node_as_dir(place.node), now, &removed);
        mfs_namespace_remove(&fs->tree, place.dir, place.entry, now);
        place.entry->u.next_removed = removed;
        removed = place.entry;
    }
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_subtree_forget(&fs->tree, removed);
    return error;
}
