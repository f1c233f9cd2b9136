/* Attributes: by path, by path from a directory, and by handle. */
#include "api/call.h"
#include "api/structsize.h"
#include "base/check.h"
#include "instance/fs.h"

/* Finds the node that a call is about, and takes a reference to it. */
static int find_node(memfs *fs, const memfs_dir *at, const char *path, unsigned flags,
                     struct mfs_node **out)
{
    struct mfs_dir_node *start;
    if (!mfs_fs_is_valid(fs) || (flags & ~MEMFS_AT_NOFOLLOW) != 0)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, at, &start);
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, start, path, (flags & MEMFS_AT_NOFOLLOW) == 0, out);
    return error;
}

static bool is_open_file(const memfs_file *file)
{
    return file != NULL && mfs_sync_is_marked(file->magic, MFS_FILE_MAGIC);
}

/* -------------------------------------------------------------------- stat */

static int check_stat_info(const memfs_stat_info *info)
{
    return mfs_structsize_check_out(info, MFS_STRUCTSIZE_UP_TO(memfs_stat_info, size_bytes));
}

/* Fills the caller's struct, in place if it has all the fields. */
static void stat_node(const memfs *fs, struct mfs_node *node, memfs_stat_info *info)
{
    memfs_stat_info own;
    MFS_CHECK(check_stat_info(info) == 0);
    if (info->struct_size >= sizeof own) {
        mfs_node_stat(&fs->nodes, node, info);
        mfs_structsize_clear_rest(info, sizeof own);
    } else {
        mfs_node_stat(&fs->nodes, node, &own);
        mfs_structsize_copy_out(info, &own, sizeof own);
    }
}

int memfs_stat(memfs *fs, const char *path, memfs_stat_info *info)
{
    return memfs_statat(fs, NULL, path, info, 0);
}

int memfs_lstat(memfs *fs, const char *path, memfs_stat_info *info)
{
    return memfs_statat(fs, NULL, path, info, MEMFS_AT_NOFOLLOW);
}

struct describing {
    memfs *fs;
    memfs_dir *at;
    const char *path;
    struct mfs_node *node; /* instead of a path */
    memfs_stat_info *info;
    unsigned flags;
};

static int64_t describe_path_once(const void *operation)
{
    const struct describing *d = operation;
    struct mfs_node *node;
    int error = find_node(d->fs, d->at, d->path, d->flags, &node);
    if (error != 0)
        return error;
    stat_node(d->fs, node, d->info);
    mfs_node_release(&d->fs->nodes, node);
    return 0;
}

static int64_t describe_node_once(const void *operation)
{
    const struct describing *d = operation;
    stat_node(d->fs, d->node, d->info);
    return 0;
}

int memfs_statat(memfs *fs, memfs_dir *at, const char *path, memfs_stat_info *info, unsigned flags)
{
    const struct describing d = {.fs = fs, .at = at, .path = path, .info = info, .flags = flags};
    int error = check_stat_info(info);
    if (error != 0)
        return error;
    return (int)MFS_CALL(fs, describe_path_once, &d, .what = MEMFS_OP_STAT, .at = at, .path = path);
}

int memfs_fstat(memfs_file *file, memfs_stat_info *info)
{
    if (!is_open_file(file))
        return MEMFS_EBADF;
    const struct describing d = {.fs = file->fs, .node = file->node, .info = info};
    int error = check_stat_info(info);
    if (error != 0)
        return error;
    return (int)MFS_CALL(file->fs, describe_node_once, &d, .what = MEMFS_OP_STAT,
                         .node = file->node);
}

int memfs_statdir(memfs_dir *dir, memfs_stat_info *info)
{
    if (dir == NULL || !mfs_sync_is_marked(dir->magic, MFS_DIR_MAGIC))
        return MEMFS_EBADF;
    int error = check_stat_info(info);
    if (error == 0)
        stat_node(dir->fs, &dir->node->node, info);
    return error;
}

memfs *memfs_file_instance(memfs_file *file)
{
    return is_open_file(file) ? file->fs : NULL;
}

memfs *memfs_dir_instance(memfs_dir *dir)
{
    return dir != NULL && mfs_sync_is_marked(dir->magic, MFS_DIR_MAGIC) ? dir->fs : NULL;
}

/* 1 if the path leads to a node, of this kind (0: of any); else 0. */
static int is_kind(memfs *fs, const char *path, unsigned flags, uint32_t kind)
{
    struct mfs_node *node;
    if (path == NULL || find_node(fs, NULL, path, flags, &node) != 0)
        return 0;
    int answer = kind == 0 || node->kind == kind ? 1 : 0;
    mfs_node_release(&fs->nodes, node);
    return answer;
}

int memfs_exists(memfs *fs, const char *path)
{
    return is_kind(fs, path, 0, 0);
}

int memfs_is_file(memfs *fs, const char *path)
{
    return is_kind(fs, path, 0, MEMFS_KIND_FILE);
}

int memfs_is_dir(memfs *fs, const char *path)
{
    return is_kind(fs, path, 0, MEMFS_KIND_DIRECTORY);
}

int memfs_is_symlink(memfs *fs, const char *path)
{
    return is_kind(fs, path, MEMFS_AT_NOFOLLOW, MEMFS_KIND_SYMLINK);
}

/* ---------------------------------------------------------------- changing */

struct change {
    uint32_t mode;
    uint32_t uid, gid;
    int64_t access_ns, modify_ns;
};

typedef int (*change_node)(const memfs *fs, struct mfs_node *node, const struct change *change);

/* Under the node's lock, so that a copy of the tree has changes of attributes in their order. */
static int change_locked(memfs *fs, struct mfs_node *node, change_node apply,
                         const struct change *change)
{
    MFS_CHECK(atomic_load(&node->references) != 0);
    mfs_sync_lock_exclusive(fs->lot, &node->lock);
    int error = apply(fs, node, change);
    mfs_sync_unlock_exclusive(fs->lot, &node->lock);
    return error;
}

struct changing {
    memfs *fs;
    memfs_dir *at;
    const char *path;
    struct mfs_node *node; /* instead of a path */
    change_node apply;
    const struct change *change;
    unsigned flags;
};

static int64_t change_path_once(const void *operation)
{
    const struct changing *c = operation;
    struct mfs_node *node;
    int error = find_node(c->fs, c->at, c->path, c->flags, &node);
    if (error != 0)
        return error;
    error = change_locked(c->fs, node, c->apply, c->change);
    mfs_node_release(&c->fs->nodes, node);
    return error;
}

static int change_at(memfs *fs, memfs_dir *at, const char *path, unsigned flags, change_node apply,
                     const struct change *change)
{
    const struct changing c = {fs, at, path, NULL, apply, change, flags};
    return (int)MFS_CALL(fs, change_path_once, &c, .what = MEMFS_OP_ATTRIBUTES, .at = at,
                         .path = path);
}

static int64_t change_open_once(const void *operation)
{
    const struct changing *c = operation;
    return change_locked(c->fs, c->node, c->apply, c->change);
}

static int change_open(memfs_file *file, change_node apply, const struct change *change)
{
    if (!is_open_file(file))
        return MEMFS_EBADF;
    const struct changing c = {
        .fs = file->fs, .node = file->node, .apply = apply, .change = change};
    return (int)MFS_CALL(file->fs, change_open_once, &c, .what = MEMFS_OP_ATTRIBUTES,
                         .node = file->node);
}

static int set_mode(const memfs *fs, struct mfs_node *node, const struct change *change)
{
    if ((change->mode & ~07777u) != 0)
        return MEMFS_EINVAL;
    if (mfs_node_as_symlink(node) != NULL)
        return MEMFS_EOPNOTSUPP;
    atomic_store_explicit(&node->mode, change->mode, memory_order_relaxed);
    mfs_node_changed(node, mfs_node_now(&fs->nodes));
    return 0;
}

int memfs_chmod(memfs *fs, const char *path, uint32_t mode)
{
    return memfs_chmodat(fs, NULL, path, mode, 0);
}

int memfs_chmodat(memfs *fs, memfs_dir *at, const char *path, uint32_t mode, unsigned flags)
{
    struct change change = {.mode = mode};
    return change_at(fs, at, path, flags, set_mode, &change);
}

int memfs_fchmod(memfs_file *file, uint32_t mode)
{
    struct change change = {.mode = mode};
    return change_open(file, set_mode, &change);
}

static int set_owner(const memfs *fs, struct mfs_node *node, const struct change *change)
{
    if (change->uid != MEMFS_ID_KEEP)
        atomic_store_explicit(&node->uid, change->uid, memory_order_relaxed);
    if (change->gid != MEMFS_ID_KEEP)
        atomic_store_explicit(&node->gid, change->gid, memory_order_relaxed);
    mfs_node_changed(node, mfs_node_now(&fs->nodes));
    return 0;
}

int memfs_chown(memfs *fs, const char *path, uint32_t uid, uint32_t gid)
{
    return memfs_chownat(fs, NULL, path, uid, gid, 0);
}

int memfs_chownat(memfs *fs, memfs_dir *at, const char *path, uint32_t uid, uint32_t gid,
                  unsigned flags)
{
    struct change change = {.uid = uid, .gid = gid};
    return change_at(fs, at, path, flags, set_owner, &change);
}

int memfs_fchown(memfs_file *file, uint32_t uid, uint32_t gid)
{
    struct change change = {.uid = uid, .gid = gid};
    return change_open(file, set_owner, &change);
}

static void set_time(struct mfs_node *node, enum mfs_time which, int64_t ns, int64_t now)
{
    if (ns != MEMFS_TIME_OMIT)
        mfs_node_set_time(node, which, ns == MEMFS_TIME_NOW ? now : ns);
}

static int set_times(const memfs *fs, struct mfs_node *node, const struct change *change)
{
    if (change->access_ns == MEMFS_TIME_OMIT && change->modify_ns == MEMFS_TIME_OMIT)
        return 0;
    int64_t now = mfs_node_now(&fs->nodes);
    set_time(node, MFS_ACCESS, change->access_ns, now);
    set_time(node, MFS_MODIFY, change->modify_ns, now);
    mfs_node_changed(node, now);
    return 0;
}

int memfs_utimens(memfs *fs, const char *path, int64_t access_ns, int64_t modify_ns)
{
    return memfs_utimensat(fs, NULL, path, access_ns, modify_ns, 0);
}

int memfs_utimensat(memfs *fs, memfs_dir *at, const char *path, int64_t access_ns,
                    int64_t modify_ns, unsigned flags)
{
    struct change change = {.access_ns = access_ns, .modify_ns = modify_ns};
    return change_at(fs, at, path, flags, set_times, &change);
}

int memfs_futimens(memfs_file *file, int64_t access_ns, int64_t modify_ns)
{
    struct change change = {.access_ns = access_ns, .modify_ns = modify_ns};
    return change_open(file, set_times, &change);
}
