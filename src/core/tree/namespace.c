/*
 * 1. A directory's `parent` and `entry` say where its only name is.  Of the root they are itself
 *    and null; of a removed directory both are null.
 * 2. `links` of a directory is 2 and the number of directories in it, and 0 once it is removed;
 *    `links` of any other node is the number of its names.
 * 3. A removed directory is empty and gets no names.
 *
 * Cost: an addition takes what the directory takes; a removal takes nothing.
 */
#include "tree/namespace.h"

#include "base/check.h"

int mfs_namespace_check_links(const struct mfs_node *node)
{
    return mfs_node_links(node) < MEMFS_LINK_MAX ? 0 : MEMFS_EMLINK;
}

int mfs_namespace_prepare(struct mfs_tree *tree, struct mfs_dir_node *dir,
                          const struct mfs_dir_key *name, const struct mfs_node *node,
                          struct mfs_addition *out)
{
    if (mfs_node_links(&dir->node) == 0)
        return MEMFS_ENOENT;
    if (name->length > MEMFS_NAME_MAX)
        return MEMFS_ENAMETOOLONG;
    bool is_dir = node->kind == MEMFS_KIND_DIRECTORY;
    int error = mfs_namespace_check_links(is_dir ? &dir->node : node);
    if (error != 0)
        return error;
    out->dir = dir;
    return mfs_dir_prepare(&tree->nodes->names, &dir->names, name, &out->entry);
}

void mfs_namespace_set_parent(struct mfs_dir_node *dir, struct mfs_dir_node *parent,
                              struct mfs_dirent *entry)
{
    MFS_CHECK((parent == NULL) == (entry == NULL));
    if (dir->parent != NULL)
        mfs_node_set_links(&dir->parent->node, mfs_node_links(&dir->parent->node) - 1);
    if (parent != NULL)
        mfs_node_set_links(&parent->node, mfs_node_links(&parent->node) + 1);
    dir->parent = parent;
    dir->entry = entry;
}

void mfs_namespace_commit(struct mfs_tree *tree, struct mfs_addition *addition,
                          struct mfs_node *node, int64_t now)
{
    struct mfs_dir_node *moved = mfs_node_as_dir(node);
    MFS_CHECK(mfs_node_links(&addition->dir->node) != 0);
    mfs_dir_commit(&tree->nodes->names, &addition->dir->names, addition->entry, node,
                   mfs_walk_count_name_change(tree));
    mfs_node_retain(node);
    if (moved != NULL) {
        MFS_CHECK(moved->parent == NULL);
        mfs_node_set_links(node, mfs_node_links(node) == 0 ? 2 : mfs_node_links(node));
        mfs_namespace_set_parent(moved, addition->dir, addition->entry);
    } else {
        mfs_node_set_links(node, mfs_node_links(node) + 1);
    }
    mfs_node_changed(node, now);
    mfs_node_modified(&addition->dir->node, now);
    mfs_observer_named(tree->nodes->observer, addition->dir, addition->entry->name,
                       addition->entry->length, node);
}

void mfs_namespace_remove(struct mfs_tree *tree, struct mfs_dir_node *dir, struct mfs_dirent *entry,
                          int64_t now)
{
    struct mfs_node *node = entry->node;
    MFS_CHECK(mfs_node_links(&dir->node) != 0 && node != &dir->node);
    struct mfs_dir_node *removed = mfs_node_as_dir(node);
    (void)mfs_walk_count_name_change(tree);
    MFS_CHECK(mfs_node_links(node) != 0);
    mfs_dir_detach(&tree->nodes->names, &dir->names, entry);
    if (removed != NULL) {
        MFS_CHECK(removed->names.live == 0);
        mfs_namespace_set_parent(removed, NULL, NULL);
        mfs_node_set_links(node, 0);
    } else {
        mfs_node_set_links(node, mfs_node_links(node) - 1);
    }
    mfs_node_changed(node, now);
    mfs_node_modified(&dir->node, now);
    mfs_observer_named(tree->nodes->observer, dir, entry->name, entry->length, NULL);
}

void mfs_namespace_forget(struct mfs_tree *tree, struct mfs_dirent *removed)
{
    if (removed == NULL)
        return;
    mfs_node_release(tree->nodes, removed->node);
    mfs_dir_entry_free(&tree->nodes->names, removed);
}

bool mfs_namespace_is_within(const struct mfs_dir_node *dir, const struct mfs_dir_node *ancestor)
{
    for (;;) {
        if (dir == ancestor)
            return true;
        if (dir->parent == NULL || dir->parent == dir)
            return false;
        dir = dir->parent;
    }
}
