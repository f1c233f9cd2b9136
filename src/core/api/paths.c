/* From names to paths: targets of symlinks, absolute paths, and when they are out of date. */
#include "base/check.h"
#include "instance/fs.h"

#include <memfs/storage.h>

int64_t memfs_readlinkat(memfs *fs, memfs_dir *at, const char *path, char *buffer, size_t size)
{
    struct mfs_dir_node *start;
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || path == NULL || buffer == NULL || size == 0)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, at, &start);
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

int64_t memfs_readlink(memfs *fs, const char *path, char *buffer, size_t size)
{
    return memfs_readlinkat(fs, NULL, path, buffer, size);
}

/* Writes the path of a place, if it fits. */
static int64_t write_path(const memfs *fs, const struct mfs_place *place, char *buffer, size_t size)
    MFS_REQUIRES_SHARED(fs->tree.lock)
{
    const struct mfs_dir_node *dir = place->node != NULL ? mfs_node_as_dir(place->node) : NULL;
    if (dir == NULL)
        dir = place->dir;
    if (dir->parent == NULL)
        return MEMFS_ENOENT; /* it was removed, and only a directory stream still leads there */
    size_t length = mfs_walk_path_length(&fs->tree, place);
    if (size <= length)
        return MEMFS_ERANGE;
    mfs_walk_write_path(&fs->tree, place, buffer, length);
    MFS_CHECK(buffer[0] == '/' && buffer[length] == '\0');
    return (int64_t)length;
}

int64_t memfs_realpathat(memfs *fs, memfs_dir *at, const char *path, char *buffer, size_t size)
{
    struct mfs_dir_node *start;
    struct mfs_place place;
    if (!mfs_fs_is_valid(fs) || path == NULL || (buffer == NULL && size != 0))
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, at, &start);
    if (error != 0)
        return error;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    int64_t result = mfs_walk(&fs->tree, start, path, MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH,
                              &place);
    if (result == 0 && place.needs_dir && place.node != NULL && mfs_node_as_dir(place.node) == NULL)
        result = MEMFS_ENOTDIR;
    if (result == 0)
        result = write_path(fs, &place, buffer, size);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    return result;
}

int64_t memfs_realpath(memfs *fs, const char *path, char *buffer, size_t size)
{
    return memfs_realpathat(fs, NULL, path, buffer, size);
}

uint64_t memfs_name_generation(memfs *fs)
{
    return mfs_fs_is_valid(fs) ? atomic_load(&fs->tree.name_changes) : 0;
}
