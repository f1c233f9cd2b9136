/* From names to paths: targets of symlinks, absolute paths, and when they are out of date. */
#include "base/check.h"
#include "base/num.h"
#include "instance/fs.h"

#include <memfs/storage.h>

#include <string.h>

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
    int64_t result = MEMFS_EINVAL;
    const struct mfs_symlink_node *link = mfs_node_as_symlink(node);
    if (link != NULL) {
        size_t n = mfs_num_min_size(size, link->length);
        memcpy(buffer, link->target, n);
        mfs_node_accessed(&fs->nodes, node);
        result = (int64_t)n;
    }
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
    struct mfs_dir_node *found = place->node != NULL ? mfs_node_as_dir(place->node) : NULL;
    struct mfs_dir_node *dir = found != NULL ? found : place->dir;
    if (dir->parent == NULL)
        return MEMFS_ENOENT; /* it was removed, and only a directory stream still leads there */
    bool in_root = dir == fs->tree.root;
    size_t name_length = found != NULL ? 0 : place->name.length;
    size_t length = name_length + (in_root || found == NULL ? 1u : 0u);
    for (const struct mfs_dir_node *up = dir; up != fs->tree.root; up = up->parent)
        length += up->entry->length + (size_t)1;
    if (size <= length)
        return MEMFS_ERANGE;
    char *at = buffer + length;
    *at = '\0';
    if (found == NULL) {
        at -= name_length;
        memcpy(at, place->name.name, name_length);
        if (!in_root)
            *--at = '/';
    }
    at = mfs_walk_up(&fs->tree, dir, buffer, at);
    MFS_CHECK(at == buffer);
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
    mfs_sync_lock_shared(&fs->lot, &fs->tree.lock);
    int64_t result = mfs_walk(&fs->tree, start, path, MFS_WALK_FOLLOW | MFS_WALK_FOLLOW_SLASH,
                              &place);
    if (result == 0 && place.needs_dir && place.node != NULL && mfs_node_as_dir(place.node) == NULL)
        result = MEMFS_ENOTDIR;
    if (result == 0)
        result = write_path(fs, &place, buffer, size);
    mfs_sync_unlock_shared(&fs->lot, &fs->tree.lock);
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
