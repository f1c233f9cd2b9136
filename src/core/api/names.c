/* Making, removing, moving and reading names. */
#include "base/num.h"
#include "instance/fs.h"
#include "tree/publish.h"
#include "tree/rename.h"

#include <string.h>

/* Where a call that edits names begins: its directory, checked. */
static int begin(memfs *fs, const memfs_dir *at, const char *path, struct mfs_dir_node **start)
{
    if (!mfs_fs_is_valid(fs) || path == NULL)
        return MEMFS_EINVAL;
    return mfs_fs_start(fs, at, start);
}

/*
 * Gives a private node, one that the caller has a reference to, a name that
 * nothing has yet.  Consumes the reference.
 */
static int add_name(memfs *fs, struct mfs_dir_node *start, const char *path, struct mfs_node *node,
                    int flags, uint32_t parents_mode)
{
    struct mfs_place place;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, start, path, flags, &place);
    if (error == 0 && place.node != NULL)
        error = MEMFS_EEXIST;
    if (error == 0 && place.needs_dir && mfs_node_as_dir(node) == NULL)
        error = MEMFS_ENOENT;
    if (error == 0)
        error = mfs_publish(&fs->tree, &place, node, parents_mode, mfs_node_now(&fs->nodes));
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_node_release(&fs->nodes, node);
    return error;
}

/* There was no room for a node: the mistake in the path, where there is one, comes first. */
static int find_mistake(memfs *fs, struct mfs_dir_node *start, const char *path, int flags,
                        int refusal)
{
    struct mfs_place place;
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    int error = mfs_walk(&fs->tree, start, path, flags, &place);
    if (error == 0)
        error = place.node != NULL ? MEMFS_EEXIST : refusal;
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
    return error;
}

/* ------------------------------------------------------------------- making */

int memfs_mkdir(memfs *fs, const char *path, uint32_t mode)
{
    return memfs_mkdirat(fs, NULL, path, mode);
}

static int make_dir(memfs *fs, struct mfs_dir_node *start, const char *path, uint32_t mode,
                    int flags)
{
    struct mfs_dir_node *dir;
    if ((mode & ~07777u) != 0)
        return MEMFS_EINVAL;
    int error = mfs_node_create_dir(&fs->nodes, mode, &dir);
    return error == 0 ? add_name(fs, start, path, &dir->node, flags, mode)
                      : find_mistake(fs, start, path, flags, error);
}

static int mkdirat_once(memfs *fs, memfs_dir *at, const char *path, uint32_t mode)
{
    struct mfs_dir_node *start;
    int error = begin(fs, at, path, &start);
    return error == 0 ? make_dir(fs, start, path, mode, 0) : error;
}

int memfs_mkdirat(memfs *fs, memfs_dir *at, const char *path, uint32_t mode)
{
    int result;
    do
        result = mkdirat_once(fs, at, path, mode);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
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

static int mkdir_parents_once(memfs *fs, const char *path, uint32_t mode)
{
    struct mfs_dir_node *start;
    int error = begin(fs, NULL, path, &start);
    if (error == 0 && (mode & ~07777u) != 0)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    error = find_dir(fs, path);
    if (error != MEMFS_ENOENT && error != MEMFS_ENOTDIR && error != MEMFS_ELOOP)
        return error;
    error = make_dir(fs, start, path, mode, MFS_WALK_MAKE_PARENTS);
    /* Another thread may have made it meanwhile. */
    return error == MEMFS_EEXIST && find_dir(fs, path) == 0 ? 0 : error;
}

int memfs_mkdir_parents(memfs *fs, const char *path, uint32_t mode)
{
    int result;
    do
        result = mkdir_parents_once(fs, path, mode);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

int memfs_symlink(memfs *fs, const char *target, const char *path)
{
    return memfs_symlinkat(fs, target, NULL, path);
}

static int symlinkat_once(memfs *fs, const char *target, memfs_dir *at, const char *path)
{
    struct mfs_dir_node *start;
    struct mfs_symlink_node *link;
    int error = begin(fs, at, path, &start);
    if (error == 0)
        error = mfs_path_check(target);
    if (error != 0)
        return error;
    error = mfs_node_create_symlink(&fs->nodes, target, strlen(target), &link);
    return error == 0 ? add_name(fs, start, path, &link->node, 0, 0)
                      : find_mistake(fs, start, path, 0, error);
}

int memfs_symlinkat(memfs *fs, const char *target, memfs_dir *at, const char *path)
{
    int result;
    do
        result = symlinkat_once(fs, target, at, path);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

/* ----------------------------------------------------------------- removing */

static int check_removal(memfs *fs, const struct mfs_place *place, bool is_rmdir)
    MFS_REQUIRES(fs->tree.lock)
{
    if (place->last != MFS_LAST_NAME) {
        if (!is_rmdir)
            return MEMFS_EISDIR;
        return place->last == MFS_LAST_ROOT  ? MEMFS_EBUSY
               : place->last == MFS_LAST_DOT ? MEMFS_EINVAL
                                             : MEMFS_ENOTEMPTY;
    }
    if (place->node == NULL)
        return MEMFS_ENOENT;
    struct mfs_dir_node *dir = mfs_node_as_dir(place->node);
    if (is_rmdir) {
        if (dir == NULL)
            return MEMFS_ENOTDIR;
        return dir->names.live == 0 ? 0 : MEMFS_ENOTEMPTY;
    }
    if (dir != NULL)
        return MEMFS_EISDIR;
    if (place->needs_dir)
        return MEMFS_ENOTDIR;
    return mfs_filelock_is_locked(&fs->lot, place->node, MFS_HELD_NOTHING) ? MEMFS_EBUSY : 0;
}

int memfs_unlinkat(memfs *fs, memfs_dir *at, const char *path, unsigned flags)
{
    struct mfs_dir_node *start;
    struct mfs_place place;
    struct mfs_dirent *removed = NULL;
    int error = begin(fs, at, path, &start);
    if (error == 0 && (flags & ~MEMFS_AT_REMOVEDIR) != 0)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    error = mfs_walk(&fs->tree, start, path, 0, &place);
    if (error == 0)
        error = check_removal(fs, &place, (flags & MEMFS_AT_REMOVEDIR) != 0);
    if (error == 0) {
        removed = place.entry;
        mfs_namespace_remove(&fs->tree, place.dir, removed, mfs_node_now(&fs->nodes));
    }
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_namespace_forget(&fs->tree, removed);
    return error;
}

int memfs_unlink(memfs *fs, const char *path)
{
    return memfs_unlinkat(fs, NULL, path, 0);
}

int memfs_rmdir(memfs *fs, const char *path)
{
    return memfs_unlinkat(fs, NULL, path, MEMFS_AT_REMOVEDIR);
}

/* ------------------------------------------------------------------- moving */

int memfs_rename(memfs *fs, const char *from, const char *to, unsigned flags)
{
    return memfs_renameat(fs, NULL, from, NULL, to, flags);
}

static int rename_locked(memfs *fs, struct mfs_dir_node *from_start, const char *from,
                         struct mfs_dir_node *to_start, const char *to, unsigned flags,
                         struct mfs_dirent **removed) MFS_REQUIRES(fs->tree.lock)
{
    struct mfs_place source, target;
    bool same;
    bool makes_parents = (flags & MEMFS_RENAME_MAKE_PARENTS) != 0;
    int error = mfs_walk(&fs->tree, from_start, from, 0, &source);
    if (error == 0)
        error = mfs_walk(&fs->tree, to_start, to, makes_parents ? MFS_WALK_MAKE_PARENTS : 0,
                         &target);
    if (error == 0)
        error = mfs_rename_check(&fs->tree, &source, &target, flags, &same);
    if (error != 0 || same)
        return error;
    return mfs_publish_rename(&fs->tree, &source, &target, flags, removed);
}

static int renameat_once(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                         const char *to, unsigned flags)
{
    struct mfs_dir_node *from_start, *to_start;
    const unsigned known = MEMFS_RENAME_NOREPLACE | MEMFS_RENAME_EXCHANGE |
                           MEMFS_RENAME_MAKE_PARENTS;
    const unsigned contrary = MEMFS_RENAME_NOREPLACE | MEMFS_RENAME_EXCHANGE;
    int error = begin(fs, from_at, from, &from_start);
    if (error == 0)
        error = begin(fs, to_at, to, &to_start);
    if (error == 0 && ((flags & ~known) != 0 || (flags & contrary) == contrary))
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    struct mfs_dirent *removed = NULL;
    mfs_sync_lock_exclusive(&fs->lot, &fs->tree.lock);
    error = rename_locked(fs, from_start, from, to_start, to, flags, &removed);
    mfs_sync_unlock_exclusive(&fs->lot, &fs->tree.lock);
    mfs_namespace_forget(&fs->tree, removed);
    return error;
}

int memfs_renameat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                   const char *to, unsigned flags)
{
    int result;
    do
        result = renameat_once(fs, from_at, from, to_at, to, flags);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

/* ------------------------------------------------------------------ linking */

int memfs_link(memfs *fs, const char *from, const char *to)
{
    return memfs_linkat(fs, NULL, from, NULL, to, 0);
}

/* Consumes the reference to `node`. */
static int link_node(memfs *fs, struct mfs_node *node, struct mfs_dir_node *start, const char *to)
{
    if (mfs_node_as_dir(node) != NULL) {
        mfs_node_release(&fs->nodes, node);
        return MEMFS_EPERM;
    }
    return add_name(fs, start, to, node, 0, 0);
}

static int linkat_once(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at,
                       const char *to, unsigned flags)
{
    struct mfs_dir_node *from_start, *to_start;
    struct mfs_node *node;
    int error = begin(fs, from_at, from, &from_start);
    if (error == 0)
        error = begin(fs, to_at, to, &to_start);
    if (error == 0 && (flags & ~MEMFS_AT_FOLLOW) != 0)
        error = MEMFS_EINVAL;
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, from_start, from, (flags & MEMFS_AT_FOLLOW) != 0,
                                 &node);
    return error == 0 ? link_node(fs, node, to_start, to) : error;
}

int memfs_linkat(memfs *fs, memfs_dir *from_at, const char *from, memfs_dir *to_at, const char *to,
                 unsigned flags)
{
    int result;
    do
        result = linkat_once(fs, from_at, from, to_at, to, flags);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

static int link_file_once(memfs_file *file, memfs_dir *to_at, const char *to)
{
    struct mfs_dir_node *start;
    if (file == NULL || file->magic != MFS_FILE_MAGIC)
        return MEMFS_EBADF;
    int error = begin(file->fs, to_at, to, &start);
    if (error != 0)
        return error;
    /* Once its last name is gone, only what was opened without one can be named again. */
    const uint32_t unnamed = file->flags & (MEMFS_O_TMPFILE | MEMFS_O_EXCLUSIVE);
    if (mfs_node_links(file->node) == 0 && unnamed != MEMFS_O_TMPFILE)
        return MEMFS_ENOENT;
    mfs_node_retain(file->node);
    return link_node(file->fs, file->node, start, to);
}

int memfs_link_file(memfs_file *file, memfs_dir *to_at, const char *to)
{
    int result;
    do
        result = link_file_once(file, to_at, to);
    while (mfs_fs_ask_and_retry_file(file, result));
    return result;
}

/* ------------------------------------------------------------------ reading */

int64_t memfs_readlink(memfs *fs, const char *path, char *buffer, size_t size)
{
    return memfs_readlinkat(fs, NULL, path, buffer, size);
}

int64_t memfs_readlinkat(memfs *fs, memfs_dir *at, const char *path, char *buffer, size_t size)
{
    struct mfs_dir_node *start;
    struct mfs_node *node;
    if (buffer == NULL || size == 0)
        return MEMFS_EINVAL;
    int error = begin(fs, at, path, &start);
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, start, path, false, &node);
    if (error != 0)
        return error;
    int64_t result = mfs_node_read_target(node, buffer, size);
    if (result >= 0)
        mfs_node_accessed(&fs->nodes, node);
    mfs_node_release(&fs->nodes, node);
    return result;
}

/* Writes the path of a place, if it fits. */
static int64_t write_path(const memfs *fs, const struct mfs_place *place, char *buffer, size_t size)
    MFS_REQUIRES_SHARED(fs->tree.lock)
{
    size_t length = mfs_walk_path_length(&fs->tree, place);
    if (size <= length)
        return MEMFS_ERANGE;
    mfs_walk_write_path(&fs->tree, place, buffer, length);
    return (int64_t)length;
}

int64_t memfs_realpath(memfs *fs, const char *path, char *buffer, size_t size)
{
    struct mfs_place place;
    if (!mfs_fs_is_valid(fs) || path == NULL || (buffer == NULL && size != 0))
        return MEMFS_EINVAL;
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    int64_t result = mfs_walk(&fs->tree, NULL, path, MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH,
                              &place);
    if (result == 0 && place.needs_dir && place.node != NULL && mfs_node_as_dir(place.node) == NULL)
        result = MEMFS_ENOTDIR;
    if (result == 0)
        result = write_path(fs, &place, buffer, size);
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
    return result;
}

uint64_t memfs_name_generation(memfs *fs)
{
    return mfs_fs_is_valid(fs) ? atomic_load(&fs->tree.name_changes) : 0;
}
