/*
 * One pass over the subtree.  Nodes with several names are remembered, so that each counts once.
 *
 * Cost: 32 bytes of charged memory for each node with several names, while it runs.
 */
#include "instance/census.h"

#include "base/check.h"
#include "base/num.h"
#include "tree/subtree.h"
#include "wholetree/linkmap.h"

struct count {
    memfs *fs;
    enum mfs_census_depth depth;
    struct mfs_linkmap seen;
    struct mfs_census census;
};

static void census_file(struct count *count, struct mfs_file_node *file)
{
    memfs *fs = count->fs;
    memfs_tree_info *info = &count->census.info;
    mfs_sync_lock_shared(&fs->lot, &file->node.lock);
    uint64_t size = mfs_node_size(file);
    info->size_bytes = mfs_num_add_saturating(info->size_bytes, size);
    info->allocated_bytes += mfs_content_allocated(&fs->pool, &file->content, size);
    info->usage_bytes += mfs_content_usage(&fs->pool, &file->content, size);
    if (count->depth == MFS_CENSUS_PAGES)
        count->census.own_bytes += mfs_content_own(&fs->pool, &file->content, size);
    mfs_sync_unlock_shared(&fs->lot, &file->node.lock);
    info->files++;
}

static int census_node(struct count *count, struct mfs_node *node)
{
    memfs *fs = count->fs;
    MFS_CHECK(mfs_node_links(node) != 0);
    struct mfs_dir_node *dir = mfs_node_as_dir(node);
    if (dir == NULL && mfs_node_links(node) > 1) {
        if (mfs_linkmap_find(&count->seen, node) != NULL)
            return 0;
        int error = mfs_linkmap_add(&count->seen, &fs->memory, node, node);
        if (error != 0)
            return error;
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
    return 0;
}

int mfs_census_take(memfs *fs, struct mfs_tree *tree, struct mfs_node *node,
                    enum mfs_census_depth depth, struct mfs_census *out)
{
    struct count count = {
        .fs = fs, .depth = depth, .census = {.info = {.struct_size = sizeof(memfs_tree_info)}}};
    struct mfs_subtree_cursor at;
    int error = 0;
    (void)tree; /* only for the annotation */
    mfs_subtree_begin(&at, node);
    while (error == 0 && (node = mfs_subtree_next(&at)) != NULL)
        error = census_node(&count, node);
    mfs_linkmap_fini(&count.seen, &fs->memory);
    count.census.info.usage_bytes += count.census.bare_bytes;
    MFS_CHECK(count.census.own_bytes <= count.census.info.allocated_bytes);
    if (error == 0)
        *out = count.census;
    return error;
}
