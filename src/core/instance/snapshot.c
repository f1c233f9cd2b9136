/*
 * Taking a snapshot makes a copy of the tree (treecopy.h), which then gets its name.  Restoring one
 * makes a copy of the snapshot, which then takes the place of all that is in the root.  The root
 * itself stays: its handles and directory streams stay valid, and its number is the same.
 *
 * Cost: a node and a name for each entry, charged to snapshots; no data is copied.
 */
#include "instance/snapshot.h"

#include "base/check.h"
#include "tree/subtree.h"
#include "wholetree/treecopy.h"

#include <string.h>

int mfs_snapshot_check_name(const char *name, struct mfs_component *out)
{
    size_t length = strlen(name);
    *out = (struct mfs_component){.name = name, .length = length};
    if (length == 0 || memchr(name, '/', length) != NULL || mfs_path_is_dot(out) ||
        mfs_path_is_dotdot(out))
        return MEMFS_EINVAL;
    return length <= MEMFS_NAME_MAX ? 0 : MEMFS_ENAMETOOLONG;
}

struct mfs_dirent *mfs_snapshot_find(memfs *fs, const struct mfs_component *name)
{
    const struct mfs_dir_node *root = fs->snapshots.root;
    struct mfs_dir_key key = mfs_dir_key_of(name);
    return root != NULL ? mfs_dir_find(&fs->snapshot_nodes.names, &root->names, &key) : NULL;
}

int mfs_snapshot_look_up(memfs *fs, const struct mfs_component *name, const char *path, int flags,
                         struct mfs_place *out)
{
    struct mfs_dirent *entry = mfs_snapshot_find(fs, name);
    if (entry == NULL)
        return MEMFS_ENOENT;
    int error = mfs_walk_within(&fs->snapshots, mfs_node_as_dir(entry->node), path, flags, out);
    if (error != 0)
        return error;
    if (out->node == NULL)
        return MEMFS_ENOENT;
    return out->needs_dir && mfs_node_as_dir(out->node) == NULL ? MEMFS_ENOTDIR : 0;
}

/* Now, or as little later as makes it later than all captures before. */
static int64_t time_of_capture(memfs *fs)
{
    int64_t now = mfs_node_now(&fs->nodes);
    int64_t last = atomic_load_explicit(&fs->last_capture_ns, memory_order_relaxed);
    int64_t next;
    do
        next = now > last ? now : last + (last < INT64_MAX);
    while (!atomic_compare_exchange_weak_explicit(&fs->last_capture_ns, &last, next,
                                                  memory_order_relaxed, memory_order_relaxed));
    return next;
}

int mfs_snapshot_capture(memfs *fs, struct mfs_node **out)
{
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    int error = mfs_treecopy(&fs->tree, &fs->tree.root->node, MFS_COPY_KEPT, &fs->snapshots, out);
    if (error == 0)
        mfs_node_set_time(*out, MFS_BIRTH, time_of_capture(fs));
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return error;
}

/* ----------------------------------------------------------------- keeping */

static int make_snapshots_root(memfs *fs) MFS_REQUIRES(fs->snapshots.lock)
{
    struct mfs_dir_node *root;
    if (fs->snapshots.root != NULL)
        return 0;
    int error = mfs_node_create_dir(&fs->snapshot_nodes, MFS_CHARGE_ORDINARY, 0, &root);
    if (error != 0)
        return error;
    mfs_node_set_links(&root->node, 2);
    root->parent = root;
    fs->snapshots.root = root;
    return 0;
}

static void drop_empty_root(memfs *fs) MFS_REQUIRES(fs->snapshots.lock)
{
    struct mfs_dir_node *root = fs->snapshots.root;
    if (root == NULL || root->names.live != 0)
        return;
    MFS_CHECK(mfs_node_links(&root->node) == 2);
    fs->snapshots.root = NULL;
    mfs_node_release(&fs->snapshot_nodes, &root->node);
}

int mfs_snapshot_keep(memfs *fs, const struct mfs_component *name, struct mfs_node *snapshot)
{
    struct mfs_addition addition;
    struct mfs_dir_key key = mfs_dir_key_of(name);
    MFS_CHECK(mfs_node_as_dir(snapshot) != NULL && mfs_node_as_dir(snapshot)->parent == NULL);
    mfs_sync_lock_exclusive(fs->lot, &fs->snapshots.lock);
    int error = mfs_snapshot_find(fs, name) != NULL ? MEMFS_EEXIST : make_snapshots_root(fs);
    if (error == 0)
        error = mfs_namespace_prepare(&fs->snapshots, fs->snapshots.root, &key, snapshot,
                                      &addition);
    if (error == 0)
        mfs_namespace_commit(&fs->snapshots, &addition, snapshot,
                             mfs_node_time(snapshot, MFS_CHANGE));
    drop_empty_root(fs);
    mfs_sync_unlock_exclusive(fs->lot, &fs->snapshots.lock);
    return error;
}

/* Gives the entry the name; `*replaced`, if it is set, is to be forgotten once the lock was given
 * back.  Errors: EDQUOT, ENOMEM. */
static int rename_kept_entry(memfs *fs, struct mfs_dirent *entry, const struct mfs_component *to,
                             struct mfs_dirent **replaced) MFS_REQUIRES(fs->snapshots.lock)
{
    const struct mfs_names *names = &fs->snapshot_nodes.names;
    struct mfs_dir *dir = &fs->snapshots.root->names;
    struct mfs_dir_key key = mfs_dir_key_of(to);
    struct mfs_dirent *longer;
    if (mfs_dir_fits(entry, to->length)) {
        mfs_dir_rename(names, dir, entry, &key);
        return 0;
    }
    int error = mfs_dir_prepare_renamed(names, &key, &longer);
    if (error != 0)
        return error;
    mfs_dir_replace(dir, entry, longer);
    mfs_node_retain(longer->node);
    mfs_node_as_dir(longer->node)->entry = longer;
    *replaced = entry;
    return 0;
}

int mfs_snapshot_rename(memfs *fs, const struct mfs_component *from, const struct mfs_component *to)
{
    struct mfs_dirent *replaced = NULL;
    int error = 0;
    mfs_sync_lock_exclusive(fs->lot, &fs->snapshots.lock);
    struct mfs_dirent *entry = mfs_snapshot_find(fs, from);
    const struct mfs_dirent *other = mfs_snapshot_find(fs, to);
    if (entry == NULL)
        error = MEMFS_ENOENT;
    else if (other == NULL)
        error = rename_kept_entry(fs, entry, to, &replaced);
    else if (other != entry)
        error = MEMFS_EEXIST;
    mfs_sync_unlock_exclusive(fs->lot, &fs->snapshots.lock);
    mfs_namespace_forget(&fs->snapshots, replaced);
    return error;
}

int mfs_snapshot_remove(memfs *fs, const struct mfs_component *name)
{
    struct mfs_dirent *removed = NULL;
    mfs_sync_lock_exclusive(fs->lot, &fs->snapshots.lock);
    struct mfs_dirent *entry = mfs_snapshot_find(fs, name);
    if (entry != NULL)
        mfs_subtree_remove(&fs->snapshots, fs->snapshots.root, entry, 0, &removed);
    drop_empty_root(fs);
    mfs_sync_unlock_exclusive(fs->lot, &fs->snapshots.lock);
    mfs_subtree_forget(&fs->snapshots, removed);
    return entry != NULL ? 0 : MEMFS_ENOENT;
}

void mfs_snapshot_remove_all(memfs *fs)
{
    struct mfs_dirent *removed = NULL;
    mfs_sync_lock_exclusive(fs->lot, &fs->snapshots.lock);
    if (fs->snapshots.root != NULL)
        mfs_subtree_dismantle(&fs->snapshots, fs->snapshots.root, 0, &removed);
    drop_empty_root(fs);
    mfs_sync_unlock_exclusive(fs->lot, &fs->snapshots.lock);
    mfs_subtree_forget(&fs->snapshots, removed);
}

/* --------------------------------------------------------------- restoring */

/* The root is the same node, so its generation is counted on instead of taken from the snapshot. */
static void restore_root_attributes(memfs *fs, const struct mfs_node *from)
    MFS_REQUIRES(fs->tree.lock)
{
    struct mfs_node *root = &fs->tree.root->node;
    mfs_sync_lock_exclusive(fs->lot, &root->lock);
    mfs_treecopy_attributes(root, from, MFS_COPY_ATTRIBUTES);
    mfs_node_changed(root, mfs_node_time(from, MFS_CHANGE));
    mfs_sync_unlock_exclusive(fs->lot, &root->lock);
}

int mfs_snapshot_install(memfs *fs, struct mfs_dir_node *restored)
{
    struct mfs_dirent *removed = NULL;
    int64_t now = mfs_node_now(&fs->nodes);
    MFS_CHECK(restored->parent == NULL && restored != fs->tree.root);
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    if (mfs_subtree_has_locked(&fs->tree, &fs->tree.root->node)) {
        mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
        return MEMFS_EBUSY;
    }
    mfs_subtree_dismantle(&fs->tree, fs->tree.root, now, &removed);
    mfs_subtree_move(&fs->tree, restored, fs->tree.root);
    restore_root_attributes(fs, &restored->node);
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    mfs_subtree_forget(&fs->tree, removed);
    return 0;
}
