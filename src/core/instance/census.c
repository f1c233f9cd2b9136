/*
 * One pass over the subtree adds up; nodes with several names are marked as they are met, so that
 * each counts once.  If there were any, a second pass removes the marks.
 *
 * The marks are why one census of a tree runs at a time: it holds the lock that makes copies of a
 * tree wait for one another.  It takes no memory, since it is one of the calls that must not fail
 * in a full file system.
 */
#include "instance/census.h"

#include "base/check.h"
#include "base/num.h"
#include "tree/subtree.h"

struct count {
    memfs *fs;
    enum mfs_census_depth depth;
    bool has_marked; /* nodes with several names */
    struct mfs_census census;
};

/* A node with several names may be met again. */
static bool can_come_again(const struct mfs_node *node)
{
    return node->kind != MEMFS_KIND_DIRECTORY && mfs_node_links(node) > 1;
}

static void census_file(struct count *count, struct mfs_file_node *file)
{
    memfs *fs = count->fs;
    memfs_tree_info *info = &count->census.info;
    mfs_sync_lock_shared(fs->lot, &file->node.lock);
    uint64_t size = mfs_node_size(file);
    info->size_bytes = mfs_num_add_saturating(info->size_bytes, size);
    info->allocated_bytes += mfs_content_allocated(fs->pool, &file->content, size);
    info->usage_bytes += mfs_content_usage(fs->pool, &file->content, size);
    if (count->depth == MFS_CENSUS_PAGES)
        count->census.own_bytes += mfs_content_own(fs->pool, &file->content, size);
    mfs_sync_unlock_shared(fs->lot, &file->node.lock);
    info->files++;
}

static void census_node(struct count *count, struct mfs_node *node)
{
    memfs *fs = count->fs;
    MFS_CHECK(mfs_node_links(node) != 0);
    struct mfs_dir_node *dir = mfs_node_as_dir(node);
    if (can_come_again(node)) {
        if (node->is_in_census)
            return;
        node->is_in_census = count->has_marked = true;
    }
    count->census.bare_bytes += mfs_node_cost(&fs->nodes, node);
    if (mfs_node_as_file(node) != NULL) {
        census_file(count, mfs_node_as_file(node));
    } else if (dir != NULL) {
        count->census.info.directories++;
        count->census.bare_bytes += mfs_dir_cost(&fs->nodes.names, &dir->names);
    } else {
        count->census.info.symlinks++;
    }
}

void mfs_census_take(memfs *fs, struct mfs_tree *tree, struct mfs_node *top,
                     enum mfs_census_depth depth, struct mfs_census *out)
{
    struct count count = {
        .fs = fs, .depth = depth, .census = {.info = {.struct_size = sizeof(memfs_tree_info)}}};
    struct mfs_subtree_cursor at;
    struct mfs_node *node;
    mfs_sync_lock_exclusive(fs->lot, &tree->capture);
    mfs_subtree_begin(&at, top);
    while ((node = mfs_subtree_next(&at)) != NULL)
        census_node(&count, node);
    mfs_subtree_begin(&at, top);
    while (count.has_marked && (node = mfs_subtree_next(&at)) != NULL)
        node->is_in_census = false;
    mfs_sync_unlock_exclusive(fs->lot, &tree->capture);
    count.census.info.usage_bytes += count.census.bare_bytes;
    MFS_CHECK(count.census.own_bytes <= count.census.info.allocated_bytes);
    *out = count.census;
}
