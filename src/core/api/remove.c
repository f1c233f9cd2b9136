/* Removing names: one, or a whole tree. */
#include "api/call.h"
#include "base/check.h"
#include "tree/subtree.h"

/* ----------------------------------------------------------------- one name */

enum removal { REMOVES_FILE = 1, REMOVES_DIR = 2, REMOVES_EITHER = 3 };

/* Whether the name at `place` may be removed.  What is no directory must not be locked. */
static int check_removal(memfs *fs, const struct mfs_place *place, enum removal removal)
    MFS_REQUIRES(fs->tree.lock)
{
    if (place->last != MFS_LAST_NAME) {
        if (removal == REMOVES_FILE)
            return MEMFS_EISDIR;
        return place->last == MFS_LAST_ROOT  ? MEMFS_EBUSY
               : place->last == MFS_LAST_DOT ? MEMFS_EINVAL
                                             : MEMFS_ENOTEMPTY;
    }
    if (place->node == NULL)
        return MEMFS_ENOENT;
    struct mfs_dir_node *dir = mfs_node_as_dir(place->node);
    if (dir != NULL) {
        if (removal == REMOVES_FILE)
            return MEMFS_EISDIR;
        return dir->names.live == 0 ? 0 : MEMFS_ENOTEMPTY;
    }
    if (removal == REMOVES_DIR || place->needs_dir)
        return MEMFS_ENOTDIR;
    return mfs_filelock_is_locked(fs->lot, place->node, MFS_HELD_NOTHING) ? MEMFS_EBUSY : 0;
}

struct removing {
    memfs *fs;
    memfs_dir *at;
    const char *path;
    enum removal removal;
};

static int64_t remove_name_once(const void *operation)
{
    const struct removing *r = operation;
    memfs *fs = r->fs;
    struct mfs_dir_node *start;
    struct mfs_place place;
    struct mfs_dirent *removed = NULL;
    if (!mfs_fs_is_valid(fs) || r->path == NULL)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, r->at, &start);
    if (error != 0)
        return error;
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    error = mfs_walk(&fs->tree, start, r->path, 0, &place);
    if (error == 0)
        error = check_removal(fs, &place, r->removal);
    if (error == 0) {
        removed = place.entry;
        MFS_CHECK(removed != NULL && removed->node == place.node);
        mfs_namespace_remove(&fs->tree, place.dir, removed, mfs_node_now(&fs->nodes));
    }
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    mfs_namespace_forget(&fs->tree, removed);
    return error;
}

static int remove_name(memfs *fs, memfs_dir *at, const char *path, enum removal removal)
{
    const struct removing r = {fs, at, path, removal};
    return (int)MFS_CALL(fs, remove_name_once, &r, .what = MEMFS_OP_REMOVE, .at = at, .path = path);
}

int memfs_unlinkat(memfs *fs, memfs_dir *at, const char *path, unsigned flags)
{
    if ((flags & ~MEMFS_AT_REMOVEDIR) != 0)
        return MEMFS_EINVAL;
    return remove_name(fs, at, path, flags != 0 ? REMOVES_DIR : REMOVES_FILE);
}

int memfs_unlink(memfs *fs, const char *path)
{
    return remove_name(fs, NULL, path, REMOVES_FILE);
}

int memfs_rmdir(memfs *fs, const char *path)
{
    return remove_name(fs, NULL, path, REMOVES_DIR);
}

int memfs_remove(memfs *fs, const char *path)
{
    return remove_name(fs, NULL, path, REMOVES_EITHER);
}

/* --------------------------------------------------------------- whole trees */

static int check_tree_removal(memfs *fs, const struct mfs_place *place) MFS_REQUIRES(fs->tree.lock)
{
    if (place->last != MFS_LAST_NAME)
        return place->last == MFS_LAST_ROOT ? MEMFS_EBUSY : MEMFS_EINVAL;
    if (place->node == NULL)
        return MEMFS_ENOENT;
    if (mfs_node_as_dir(place->node) == NULL && place->needs_dir)
        return MEMFS_ENOTDIR;
    return mfs_subtree_has_locked(&fs->tree, place->node) ? MEMFS_EBUSY : 0;
}

static int64_t remove_tree_once(const void *operation)
{
    const struct removing *r = operation;
    memfs *fs = r->fs;
    struct mfs_dir_node *start;
    struct mfs_place place;
    struct mfs_dirent *removed = NULL;
    if (!mfs_fs_is_valid(fs) || r->path == NULL)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, r->at, &start);
    if (error != 0)
        return error;
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    error = mfs_walk(&fs->tree, start, r->path, 0, &place);
    if (error == 0)
        error = check_tree_removal(fs, &place);
    if (error == 0)
        mfs_subtree_remove(&fs->tree, place.dir, place.entry, mfs_node_now(&fs->nodes), &removed);
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    mfs_subtree_forget(&fs->tree, removed);
    return error;
}

int memfs_remove_treeat(memfs *fs, memfs_dir *at, const char *path)
{
    const struct removing r = {.fs = fs, .at = at, .path = path};
    return (int)MFS_CALL(fs, remove_tree_once, &r, .what = MEMFS_OP_REMOVE, .at = at, .path = path);
}

int memfs_remove_tree(memfs *fs, const char *path)
{
    return memfs_remove_treeat(fs, NULL, path);
}
