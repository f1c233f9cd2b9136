/* The files of snapshots, read where they are. */
#include "api/open.h"
#include "api/retry.h"
#include "api/structsize.h"
#include "instance/snapshot.h"

struct kept_request {
    memfs *fs;
    const char *name, *path;
    int walk_flags;
    uint32_t open_flags;
    memfs_file **out;
};

/* The node at the path in the snapshot, with a reference for the caller. */
static int find_kept(const struct kept_request *r, struct mfs_node **out)
{
    memfs *fs = r->fs;
    struct mfs_component c;
    struct mfs_place place;
    if (!mfs_fs_is_valid(fs) || r->name == NULL || r->path == NULL)
        return MEMFS_EINVAL;
    int error = mfs_snapshot_check_name(r->name, &c);
    if (error != 0)
        return error;
    mfs_sync_lock_shared(fs->lot, &fs->snapshots.lock);
    error = mfs_snapshot_look_up(fs, &c, r->path, r->walk_flags, &place);
    if (error == 0) {
        mfs_node_retain(place.node);
        *out = place.node;
    }
    mfs_sync_unlock_shared(fs->lot, &fs->snapshots.lock);
    return error;
}

static int64_t open_kept_once(const void *operation)
{
    const struct kept_request *r = operation;
    struct mfs_node *node = NULL;
    int error = r->out != NULL ? find_kept(r, &node) : MEMFS_EINVAL;
    if (error != 0)
        return error;
    error = mfs_open_kept(r->fs, node, r->open_flags, r->out);
    mfs_node_release(&r->fs->snapshot_nodes, node);
    return error;
}

int memfs_snapshot_open(memfs *fs, const char *name, const char *path, uint32_t flags,
                        memfs_file **out)
{
    bool follows = (flags & MEMFS_O_NOFOLLOW) == 0;
    const struct kept_request request = {
        fs, name, path, MFS_WALK_FOLLOW_SLASH | (follows ? MFS_WALK_FOLLOW : 0), flags, out};
    return (int)mfs_retry_run(fs, open_kept_once, &request);
}

int memfs_snapshot_stat_path(memfs *fs, const char *name, const char *path, memfs_stat_info *info,
                             unsigned flags)
{
    bool follows = (flags & MEMFS_AT_NOFOLLOW) == 0;
    const struct kept_request request = {.fs = fs,
                                         .name = name,
                                         .path = path,
                                         .walk_flags = MFS_WALK_FOLLOW_SLASH |
                                                       (follows ? MFS_WALK_FOLLOW : 0)};
    struct mfs_node *node = NULL;
    int error = mfs_structsize_check_out(info, MFS_STRUCTSIZE_UP_TO(memfs_stat_info, size_bytes));
    if (error == 0 && (flags & ~MEMFS_AT_NOFOLLOW) != 0)
        error = MEMFS_EINVAL;
    if (error == 0)
        error = find_kept(&request, &node);
    if (error != 0)
        return error;
    memfs_stat_info own = {.struct_size = sizeof own};
    mfs_node_stat(&fs->snapshot_nodes, node, &own);
    mfs_node_release(&fs->snapshot_nodes, node);
    mfs_structsize_copy_out(info, &own, sizeof own);
    return 0;
}
