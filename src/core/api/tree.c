/* Whole trees: removing, copying, adding up. */
#include "api/structsize.h"
#include "base/check.h"
#include "instance/census.h"
#include "instance/fs.h"
#include "tree/publish.h"
#include "tree/subtree.h"
#include "wholetree/treecopy.h"

#include <string.h>

/* ----------------------------------------------------------------- removing */

static int check_removal(memfs *fs, const struct mfs_place *place) MFS_REQUIRES(fs->tree.lock)
{
    if (place->last != MFS_LAST_NAME)
        return place->last == MFS_LAST_ROOT ? MEMFS_EBUSY : MEMFS_EINVAL;
    if (place->node == NULL)
        return MEMFS_ENOENT;
    if (mfs_node_as_dir(place->node) == NULL && place->needs_dir)
        return MEMFS_ENOTDIR;
    return mfs_subtree_has_locked(&fs->tree, place->node) ? MEMFS_EBUSY : 0;
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
        error = check_removal(fs, &place);
    if (error == 0)
        mfs_subtree_remove(&fs->tree, place.dir, place.entry, mfs_node_now(&fs->nodes), &removed);
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_subtree_forget(&fs->tree, removed);
    return error;
}

/* ------------------------------------------------------------------ copying */

/* Builds the copy, private, while the names stand still. */
static int copy_source(memfs *fs, const char *from, const char *to, enum mfs_copy_kind kind,
                       struct mfs_node **copy)
{
    struct mfs_place source, target;
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, from, MFS_WALK_FOLLOW_SLASH, &source);
    if (error == 0 && source.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && source.needs_dir && mfs_node_as_dir(source.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0)
        error = mfs_walk(&fs->tree, NULL, to, 0, &target);
    if (error == 0 && target.node != NULL)
        error = MEMFS_EEXIST;
    if (error == 0 && mfs_node_as_dir(source.node) != NULL &&
        mfs_namespace_is_within(target.dir, mfs_node_as_dir(source.node)))
        error = MEMFS_EINVAL;
    if (error == 0)
        error = mfs_treecopy(&fs->tree, source.node, kind, &fs->tree, copy);
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
    return error;
}

static int copy_tree_once(memfs *fs, const char *from, const char *to, unsigned flags)
{
    struct mfs_node *copy;
    if (!mfs_fs_is_valid(fs) || from == NULL || to == NULL ||
        (flags & ~(MEMFS_COPY_NOREPLACE | MEMFS_COPY_ATTRIBUTES)) != 0)
        return MEMFS_EINVAL;
    enum mfs_copy_kind kind = (flags & MEMFS_COPY_ATTRIBUTES) != 0 ? MFS_COPY_ATTRIBUTES
                                                                   : MFS_COPY_FRESH;
    int error = copy_source(fs, from, to, kind, &copy);
    return error == 0 ? mfs_publish_private(&fs->tree, to, copy) : error;
}

int memfs_copy_tree(memfs *fs, const char *from, const char *to, unsigned flags)
{
    int result;
    do
        result = copy_tree_once(fs, from, to, flags);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

/* ---------------------------------------------------------------- adding up */

static int tree_usage_once(memfs *fs, const char *path, memfs_tree_info *info)
{
    struct mfs_place place;
    struct mfs_census census;
    int error = mfs_structsize_check_out(info, MFS_STRUCTSIZE_UP_TO(memfs_tree_info, usage_bytes));
    if (!mfs_fs_is_valid(fs) || path == NULL)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    error = mfs_walk(&fs->tree, NULL, path, MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH, &place);
    if (error == 0 && place.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && place.needs_dir && mfs_node_as_dir(place.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0)
        error = mfs_census_take(fs, &fs->tree, place.node, &census);
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
    if (error == 0)
        mfs_structsize_copy_out(info, &census.info, sizeof census.info);
    return error;
}

int memfs_tree_usage(memfs *fs, const char *path, memfs_tree_info *info)
{
    int result;
    do
        result = tree_usage_once(fs, path, info);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}
