/* Whole trees: copying, adding up. */
#include "api/call.h"
#include "api/structsize.h"
#include "instance/census.h"
#include "tree/publish.h"
#include "wholetree/treecopy.h"

/* ------------------------------------------------------------------ copying */

/* Builds the copy, private, while the names stand still. */
static int copy_source(memfs *fs, const char *from, const char *to, int walk_flags,
                       enum mfs_copy_kind kind, struct mfs_node **copy)
{
    struct mfs_place source, target;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, from, MFS_WALK_FOLLOW_SLASH, &source);
    if (error == 0 && source.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && source.needs_dir && mfs_node_as_dir(source.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0)
        error = mfs_walk(&fs->tree, NULL, to, walk_flags, &target);
    if (error == 0 && target.node != NULL)
        error = MEMFS_EEXIST;
    if (error == 0 && mfs_node_as_dir(source.node) != NULL &&
        mfs_namespace_is_within(target.dir, mfs_node_as_dir(source.node)))
        error = MEMFS_EINVAL;
    if (error == 0)
        error = mfs_treecopy(&fs->tree, source.node, kind, &fs->tree, copy);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return error;
}

struct tree_copying {
    memfs *fs;
    const char *from, *to;
    unsigned flags;
};

static int64_t copy_tree_once(const void *operation)
{
    const struct tree_copying *c = operation;
    memfs *fs = c->fs;
    const char *from = c->from, *to = c->to;
    unsigned flags = c->flags;
    struct mfs_node *copy;
    if (!mfs_fs_is_valid(fs) || from == NULL || to == NULL ||
        (flags & ~(MEMFS_COPY_NOREPLACE | MEMFS_COPY_ATTRIBUTES | MEMFS_COPY_MAKE_PARENTS)) != 0)
        return MEMFS_EINVAL;
    enum mfs_copy_kind kind = (flags & MEMFS_COPY_ATTRIBUTES) != 0 ? MFS_COPY_ATTRIBUTES
                                                                   : MFS_COPY_FRESH;
    int walk_flags = (flags & MEMFS_COPY_MAKE_PARENTS) != 0 ? MFS_WALK_MAKE_PARENTS : 0;
    int error = copy_source(fs, from, to, walk_flags, kind, &copy);
    return error == 0 ? mfs_publish_private(&fs->tree, to, walk_flags, copy) : error;
}

int memfs_copy_tree(memfs *fs, const char *from, const char *to, unsigned flags)
{
    struct tree_copying copying = {fs, from, to, flags};
    return (int)MFS_CALL_GROWING(fs, copy_tree_once, &copying, .what = MEMFS_OP_WHOLE, .path = from,
                                 .to = to);
}

/* ---------------------------------------------------------------- adding up */

static int take_census(memfs *fs, const char *path, enum mfs_census_depth depth,
                       struct mfs_census *census)
{
    struct mfs_place place;
    if (!mfs_fs_is_valid(fs) || path == NULL)
        return MEMFS_EINVAL;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, NULL, path, MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH, &place);
    if (error == 0 && place.node == NULL)
        error = MEMFS_ENOENT;
    if (error == 0 && place.needs_dir && mfs_node_as_dir(place.node) == NULL)
        error = MEMFS_ENOTDIR;
    if (error == 0)
        mfs_census_take(fs, &fs->tree, place.node, depth, census);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return error;
}

int memfs_tree_usage(memfs *fs, const char *path, memfs_tree_info *info)
{
    struct mfs_census census;
    int error = mfs_structsize_check_out(info, MFS_STRUCTSIZE_UP_TO(memfs_tree_info, usage_bytes));
    if (error == 0)
        error = take_census(fs, path, MFS_CENSUS_FIGURES, &census);
    if (error == 0)
        mfs_structsize_copy_out(info, &census.info, sizeof census.info);
    return error;
}

int memfs_tree_sharing(memfs *fs, const char *path, memfs_sharing_info *info)
{
    struct mfs_census census;
    int error = mfs_structsize_check_out(info,
                                         MFS_STRUCTSIZE_UP_TO(memfs_sharing_info, shared_bytes));
    if (error == 0)
        error = take_census(fs, path, MFS_CENSUS_PAGES, &census);
    if (error != 0)
        return error;
    memfs_sharing_info filled = {.own_bytes = census.own_bytes};
    filled.shared_bytes = census.info.allocated_bytes - census.own_bytes;
    mfs_structsize_copy_out(info, &filled, sizeof filled);
    return 0;
}
