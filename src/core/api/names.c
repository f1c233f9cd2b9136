/* Making, moving and linking names. */
#include "api/call.h"
#include "base/check.h"
#include "tree/publish.h"
#include "tree/rename.h"

#include <string.h>

/* One edit of names, as the caller asked for it; which fields count depends on it. */
struct name_edit {
    memfs *fs;
    memfs_file *file;
    memfs_dir *at;
    const char *path;
    memfs_dir *to_at;
    const char *to;
    const char *target;
    uint32_t mode;
    unsigned flags;
};

/* The directory where a path of the edit starts, checked. */
static int find_start(memfs *fs, const memfs_dir *at, const char *path, struct mfs_dir_node **start)
{
    if (!mfs_fs_is_valid(fs) || path == NULL)
        return MEMFS_EINVAL;
    return mfs_fs_start(fs, at, start);
}

/* Where a new name is to be. */
struct target {
    memfs *fs;
    struct mfs_dir_node *start;
    const char *path;
    enum mfs_charge_from charge_from; /* for the name, its node and missing parents */
    int walk_flags;
    uint32_t parents_mode;
};

/* The target of an edit, whose path starts at the stream `at`, without flags. */
static int find_target(memfs *fs, const memfs_dir *at, const char *path, struct target *out)
{
    struct mfs_dir_node *start;
    int error = find_start(fs, at, path, &start);
    if (error != 0)
        return error;
    *out = (struct target){.fs = fs,
                           .start = start,
                           .path = path,
                           .charge_from = mfs_fs_charge_of(at),
                           .parents_mode = MFS_PARENTS_MODE};
    return 0;
}

/*
 * Gives a private node, one that the caller has a reference to, a name that no entry has yet.
 * Consumes the reference.
 */
static int add_name(const struct target *to, struct mfs_node *node)
{
    memfs *fs = to->fs;
    struct mfs_place place;
    MFS_CHECK(atomic_load(&node->references) != 0);
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, to->start, to->path, to->walk_flags, &place);
    if (error == 0 && place.node != NULL)
        error = MEMFS_EEXIST;
    if (error == 0 && place.needs_dir && mfs_node_as_dir(node) == NULL)
        error = MEMFS_ENOENT;
    if (error == 0) {
        mfs_publish_draw_on(&fs->tree, to->charge_from);
        error = mfs_publish(&fs->tree, &place, node, to->parents_mode, mfs_node_now(&fs->nodes));
        mfs_publish_draw_on(&fs->tree, MFS_CHARGE_ORDINARY);
    }
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    mfs_node_release(&fs->nodes, node);
    return error;
}

/* A node was refused.  An error in the path, if there is one, takes precedence over the refusal. */
static int prefer_path_error(const struct target *to, int refusal)
{
    memfs *fs = to->fs;
    struct mfs_place place;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, to->start, to->path, to->walk_flags, &place);
    if (error == 0)
        error = place.node != NULL ? MEMFS_EEXIST : refusal;
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return error;
}

/* ------------------------------------------------------------------- making */

static int make_dir(const struct target *to, uint32_t mode)
{
    struct mfs_dir_node *dir;
    if ((mode & ~07777u) != 0)
        return MEMFS_EINVAL;
    int error = mfs_node_create_dir(&to->fs->nodes, to->charge_from, mode, &dir);
    return error == 0 ? add_name(to, &dir->node) : prefer_path_error(to, error);
}

static int64_t make_dir_once(const void *operation)
{
    const struct name_edit *e = operation;
    struct target to;
    int error = find_target(e->fs, e->at, e->path, &to);
    return error == 0 ? make_dir(&to, e->mode) : error;
}

int memfs_mkdirat(memfs *fs, memfs_dir *at, const char *path, uint32_t mode)
{
    struct name_edit edit = {.fs = fs, .at = at, .path = path, .mode = mode};
    return (int)MFS_CALL_GROWING(fs, make_dir_once, &edit, .what = MEMFS_OP_MAKE, .at = at,
                                 .path = path);
}

int memfs_mkdir(memfs *fs, const char *path, uint32_t mode)
{
    return memfs_mkdirat(fs, NULL, path, mode);
}

/* Succeeds if the path leads to a directory.  Errors: as mfs_walk_to_node(), ENOTDIR. */
static int find_dir(memfs *fs, const char *path)
{
    struct mfs_node *node;
    int error = mfs_walk_to_node(&fs->tree, NULL, path, true, &node);
    if (error != 0)
        return error;
    error = mfs_node_as_dir(node) != NULL ? 0 : MEMFS_ENOTDIR;
    mfs_node_release(&fs->nodes, node);
    return error;
}

static int64_t make_dir_and_parents_once(const void *operation)
{
    const struct name_edit *e = operation;
    memfs *fs = e->fs;
    struct target to;
    int error = find_target(fs, NULL, e->path, &to);
    if (error == 0 && (e->mode & ~07777u) != 0)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    error = find_dir(fs, e->path);
    if (error != MEMFS_ENOENT && error != MEMFS_ENOTDIR && error != MEMFS_ELOOP)
        return error;
    to.walk_flags = MFS_WALK_MAKE_PARENTS;
    to.parents_mode = e->mode;
    error = make_dir(&to, e->mode);
    /* Another thread may have made it meanwhile. */
    return error == MEMFS_EEXIST && find_dir(fs, e->path) == 0 ? 0 : error;
}

int memfs_mkdir_parents(memfs *fs, const char *path, uint32_t mode)
{
    struct name_edit edit = {.fs = fs, .path = path, .mode = mode};
    return (int)MFS_CALL_GROWING(fs, make_dir_and_parents_once, &edit, .what = MEMFS_OP_MAKE,
                                 .path = path);
}

static int64_t make_symlink_once(const void *operation)
{
    const struct name_edit *e = operation;
    struct target to;
    struct mfs_symlink_node *link;
    int error = find_target(e->fs, e->at, e->path, &to);
    if (error == 0 && (e->flags & ~MEMFS_SYMLINK_MAKE_PARENTS) != 0)
        error = MEMFS_EINVAL;
    if (error == 0)
        error = mfs_path_check(e->target);
    if (error != 0)
        return error;
    to.walk_flags = (e->flags & MEMFS_SYMLINK_MAKE_PARENTS) != 0 ? MFS_WALK_MAKE_PARENTS : 0;
    error = mfs_node_create_symlink(&e->fs->nodes, to.charge_from, e->target, strlen(e->target),
                                    &link);
    return error == 0 ? add_name(&to, &link->node) : prefer_path_error(&to, error);
}

int memfs_symlinkat(memfs *fs, const char *target, memfs_dir *at, const char *path, unsigned flags)
{
    struct name_edit edit = {.fs = fs, .at = at, .path = path, .target = target, .flags = flags};
    return (int)MFS_CALL_GROWING(fs, make_symlink_once, &edit, .what = MEMFS_OP_MAKE, .at = at,
                                 .path = path);
}

int memfs_symlink(memfs *fs, const char *target, const char *path, unsigned flags)
{
    return memfs_symlinkat(fs, target, NULL, path, flags);
}

/* ------------------------------------------------------------------- moving */

/* What an edit has taken out of the tree, to be freed without the lock. */
struct removed_names {
    struct mfs_dirent *one;
    struct mfs_dirent *tree;
};

/* The two names swap what they lead to, which needs no memory; what the old one then leads to goes,
 * with all that is in it. */
static int replace_tree(memfs *fs, const struct mfs_place *source, const struct mfs_place *target,
                        struct removed_names *removed) MFS_REQUIRES(fs->tree.lock)
{
    if (mfs_subtree_has_locked(&fs->tree, target->node))
        return MEMFS_EBUSY;
    int error = mfs_publish_rename(&fs->tree, source, target, MEMFS_RENAME_EXCHANGE, &removed->one);
    if (error == 0)
        mfs_subtree_remove(&fs->tree, source->dir, source->entry, mfs_node_now(&fs->nodes),
                           &removed->tree);
    return error;
}

static int rename_locked(memfs *fs, struct mfs_dir_node *from_start, const char *from,
                         const struct target *to, unsigned flags, struct removed_names *removed)
    MFS_REQUIRES(fs->tree.lock)
{
    struct mfs_place source, target;
    bool same;
    int error = mfs_walk(&fs->tree, from_start, from, 0, &source);
    if (error == 0)
        error = mfs_walk(&fs->tree, to->start, to->path, to->walk_flags, &target);
    bool replaces_tree = error == 0 && (flags & MEMFS_RENAME_REPLACE_TREE) != 0 &&
                         target.node != NULL;
    if (replaces_tree)
        flags |= MEMFS_RENAME_EXCHANGE;
    if (error == 0)
        error = mfs_rename_check(&fs->tree, &source, &target, flags, &same);
    if (error != 0 || same)
        return error;
    if (replaces_tree)
        return replace_tree(fs, &source, &target, removed);
    mfs_publish_draw_on(&fs->tree, to->charge_from);
    error = mfs_publish_rename(&fs->tree, &source, &target, flags, &removed->one);
    mfs_publish_draw_on(&fs->tree, MFS_CHARGE_ORDINARY);
    return error;
}

static int64_t rename_once(const void *operation)
{
    const struct name_edit *e = operation;
    memfs *fs = e->fs;
    struct mfs_dir_node *from_start;
    struct target to;
    const unsigned exclusive = e->flags & (MEMFS_RENAME_NOREPLACE | MEMFS_RENAME_EXCHANGE |
                                           MEMFS_RENAME_REPLACE_TREE);
    bool is_contrary = (exclusive & (exclusive - 1)) != 0; /* more than one of them */
    bool is_unknown = (e->flags & ~(exclusive | MEMFS_RENAME_MAKE_PARENTS)) != 0;
    int error = find_start(fs, e->at, e->path, &from_start);
    if (error == 0)
        error = find_target(fs, e->to_at, e->to, &to);
    if (error == 0 && (is_unknown || is_contrary))
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    to.walk_flags = (e->flags & MEMFS_RENAME_MAKE_PARENTS) != 0 ? MFS_WALK_MAKE_PARENTS : 0;
    struct removed_names removed = {0};
    mfs_sync_lock_exclusive(fs->lot, &fs->tree.lock);
    error = rename_locked(fs, from_start, e->path, &to, e->flags, &removed);
    mfs_sync_unlock_exclusive(fs->lot, &fs->tree.lock);
    mfs_namespace_forget(&fs->tree, removed.one);
    mfs_subtree_forget(&fs->tree, removed.tree);
    return error;
}

int memfs_renameat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                   const char *to, unsigned flags)
{
    struct name_edit edit = {
        .fs = fs, .at = from_at, .path = from, .to_at = to_at, .to = to, .flags = flags};
    return (int)MFS_CALL_GROWING(fs, rename_once, &edit, .what = MEMFS_OP_RENAME, .at = from_at,
                                 .path = from, .to_at = to_at, .to = to);
}

int memfs_rename(memfs *fs, const char *from, const char *to, unsigned flags)
{
    return memfs_renameat(fs, NULL, from, NULL, to, flags);
}

/* ------------------------------------------------------------------ linking */

/* Consumes the reference to `node`. */
static int link_node(const struct target *to, struct mfs_node *node)
{
    if (mfs_node_as_dir(node) != NULL) {
        mfs_node_release(&to->fs->nodes, node);
        return MEMFS_EPERM;
    }
    return add_name(to, node);
}

static int64_t link_path_once(const void *operation)
{
    const struct name_edit *e = operation;
    memfs *fs = e->fs;
    struct mfs_dir_node *from_start;
    struct target to;
    struct mfs_node *node;
    int error = find_start(fs, e->at, e->path, &from_start);
    if (error == 0)
        error = find_target(fs, e->to_at, e->to, &to);
    if (error == 0 && (e->flags & ~MEMFS_AT_FOLLOW) != 0)
        error = MEMFS_EINVAL;
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, from_start, e->path, (e->flags & MEMFS_AT_FOLLOW) != 0,
                                 &node);
    return error == 0 ? link_node(&to, node) : error;
}

int memfs_linkat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at, const char *to,
                 unsigned flags)
{
    struct name_edit edit = {
        .fs = fs, .at = from_at, .path = from, .to_at = to_at, .to = to, .flags = flags};
    return (int)MFS_CALL_GROWING(fs, link_path_once, &edit, .what = MEMFS_OP_LINK, .at = from_at,
                                 .path = from, .to_at = to_at, .to = to);
}

int memfs_link(memfs *fs, const char *from, const char *to)
{
    return memfs_linkat(fs, NULL, from, NULL, to, 0);
}

static int64_t link_file_once(const void *operation)
{
    const struct name_edit *e = operation;
    memfs_file *file = e->file;
    struct target to;
    if (e->fs == NULL)
        return MEMFS_EBADF;
    MFS_CHECK(e->fs == file->fs);
    int error = find_target(file->fs, e->to_at, e->to, &to);
    if (error != 0)
        return error;
    /* Once its last name is gone, only what was opened without one can be named again. */
    const uint32_t unnamed = file->flags & (MEMFS_O_TMPFILE | MEMFS_O_EXCLUSIVE);
    if (mfs_node_links(file->node) == 0 && unnamed != MEMFS_O_TMPFILE)
        return MEMFS_ENOENT;
    mfs_node_retain(file->node);
    return link_node(&to, file->node);
}

int memfs_link_file(memfs_file *file, memfs_dir *to_at, const char *to)
{
    struct name_edit edit = {.fs = mfs_retry_fs_of(file), .file = file, .to_at = to_at, .to = to};
    return (int)MFS_CALL_GROWING(edit.fs, link_file_once, &edit, .what = MEMFS_OP_LINK,
                                 .node = file->node, .to_at = to_at, .to = to);
}
