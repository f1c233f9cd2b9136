/* Snapshots of the whole tree. */
#include "instance/snapshot.h"

#include "api/retry.h"
#include "api/structsize.h"
#include "base/check.h"
#include "instance/census.h"
#include "tree/publish.h"
#include "wholetree/treecopy.h"

/* What a call is about; which fields count depends on it. */
struct snapshot_request {
    memfs *fs;
    const char *name;
    const char *from, *to;
    unsigned flags;
};

static int check_snapshot_name(const memfs *fs, const char *name, struct mfs_component *out)
{
    if (!mfs_fs_is_valid(fs) || name == NULL)
        return MEMFS_EINVAL;
    return mfs_snapshot_check_name(name, out);
}

static bool is_kept(memfs *fs, const struct mfs_component *name)
{
    mfs_sync_lock_shared(fs->lot, &fs->snapshots.lock);
    bool found = mfs_snapshot_find(fs, name) != NULL;
    mfs_sync_unlock_shared(fs->lot, &fs->snapshots.lock);
    return found;
}

static int64_t take_snapshot_once(const void *operation)
{
    const struct snapshot_request *r = operation;
    memfs *fs = r->fs;
    struct mfs_component c;
    struct mfs_node *snapshot;
    int error = check_snapshot_name(fs, r->name, &c);
    if (error == 0 && is_kept(fs, &c))
        error = MEMFS_EEXIST;
    if (error == 0)
        error = mfs_snapshot_capture(fs, &snapshot);
    if (error != 0)
        return error;
    error = mfs_snapshot_keep(fs, &c, snapshot);
    if (error != 0)
        mfs_subtree_discard(&fs->snapshots, snapshot);
    else
        mfs_node_release(&fs->snapshot_nodes, snapshot);
    return error;
}

int memfs_snapshot_take(memfs *fs, const char *name)
{
    struct snapshot_request request = {.fs = fs, .name = name};
    return (int)mfs_retry_run(fs, take_snapshot_once, &request);
}

int memfs_snapshot_remove(memfs *fs, const char *name)
{
    struct mfs_component c;
    int error = check_snapshot_name(fs, name, &c);
    return error == 0 ? mfs_snapshot_remove(fs, &c) : error;
}

int memfs_snapshot_exists(memfs *fs, const char *name)
{
    struct mfs_component c;
    return check_snapshot_name(fs, name, &c) == 0 && is_kept(fs, &c) ? 1 : 0;
}

static int64_t rename_snapshot_once(const void *operation)
{
    const struct snapshot_request *r = operation;
    memfs *fs = r->fs;
    struct mfs_component from, to;
    int error = check_snapshot_name(fs, r->name, &from);
    if (error == 0)
        error = check_snapshot_name(fs, r->to, &to);
    return error == 0 ? mfs_snapshot_rename(fs, &from, &to) : error;
}

int memfs_snapshot_rename(memfs *fs, const char *name, const char *new_name)
{
    struct snapshot_request request = {.fs = fs, .name = name, .to = new_name};
    return (int)mfs_retry_run(fs, rename_snapshot_once, &request);
}

/* ------------------------------------------------------------ getting back */

/* A private copy, of nodes of the live tree, of what is at `path` in the snapshot. */
static int copy_out(memfs *fs, const struct mfs_component *name, const char *path,
                    struct mfs_node **out)
{
    struct mfs_place place = {0};
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock); /* for the names of the copy */
    mfs_sync_lock_shared(fs->lot, &fs->snapshots.lock);
    int error = mfs_snapshot_look_up(fs, name, path, MFS_WALK_FOLLOW_SLASH, &place);
    if (error == 0)
        error = mfs_treecopy(&fs->snapshots, place.node, MFS_COPY_EXACT, &fs->tree, out);
    mfs_sync_unlock_shared(fs->lot, &fs->snapshots.lock);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return error;
}

static int64_t restore_snapshot_once(const void *operation)
{
    const struct snapshot_request *r = operation;
    memfs *fs = r->fs;
    struct mfs_component c;
    struct mfs_node *restored;
    int error = check_snapshot_name(fs, r->name, &c);
    if (error == 0)
        error = copy_out(fs, &c, "/", &restored);
    if (error != 0)
        return error;
    MFS_CHECK(mfs_node_as_dir(restored) != NULL);
    error = mfs_snapshot_install(fs, mfs_node_as_dir(restored));
    mfs_subtree_discard(&fs->tree, restored);
    return error;
}

int memfs_snapshot_restore(memfs *fs, const char *name)
{
    struct snapshot_request request = {.fs = fs, .name = name};
    return (int)mfs_retry_run(fs, restore_snapshot_once, &request);
}

static int64_t extract_snapshot_once(const void *operation)
{
    const struct snapshot_request *r = operation;
    memfs *fs = r->fs;
    struct mfs_component c;
    struct mfs_node *copy;
    int error = check_snapshot_name(fs, r->name, &c);
    if (error == 0 &&
        (r->from == NULL || r->to == NULL || (r->flags & ~MEMFS_EXTRACT_MAKE_PARENTS) != 0))
        error = MEMFS_EINVAL;
    int walk_flags = r->flags != 0 ? MFS_WALK_MAKE_PARENTS : 0;
    if (error == 0)
        error = copy_out(fs, &c, r->from, &copy);
    return error == 0 ? mfs_publish_private(&fs->tree, r->to, walk_flags, copy) : error;
}

int memfs_snapshot_extract(memfs *fs, const char *name, const char *from, const char *to,
                           unsigned flags)
{
    struct snapshot_request request = {
        .fs = fs, .name = name, .from = from, .to = to, .flags = flags};
    return (int)mfs_retry_run(fs, extract_snapshot_once, &request);
}

/* --------------------------------------------------------------- reporting */

int memfs_snapshot_stat(memfs *fs, const char *name, memfs_snapshot_info *info)
{
    struct mfs_component c;
    struct mfs_census census;
    int error = check_snapshot_name(fs, name, &c);
    if (error == 0)
        error = mfs_structsize_check_out(info,
                                         MFS_STRUCTSIZE_UP_TO(memfs_snapshot_info, usage_bytes));
    if (error != 0)
        return error;
    mfs_sync_lock_shared(fs->lot, &fs->snapshots.lock);
    const struct mfs_dirent *entry = mfs_snapshot_find(fs, &c);
    if (entry != NULL) {
        mfs_census_take(fs, &fs->snapshots, entry->node, MFS_CENSUS_FIGURES, &census);
        const memfs_tree_info *tree = &census.info;
        memfs_snapshot_info own = {
            .taken_ns = mfs_node_time(entry->node, MFS_BIRTH),
            .own_bytes = census.bare_bytes + mfs_dir_entry_cost(&fs->snapshot_nodes.names, entry),
            .files = tree->files,
            .directories = tree->directories,
            .symlinks = tree->symlinks,
            .size_bytes = tree->size_bytes,
            .allocated_bytes = tree->allocated_bytes,
            .usage_bytes = tree->usage_bytes};
        mfs_structsize_copy_out(info, &own, sizeof own);
    }
    mfs_sync_unlock_shared(fs->lot, &fs->snapshots.lock);
    return entry != NULL ? 0 : MEMFS_ENOENT;
}
