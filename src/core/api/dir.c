/* Directory streams. */
#include "api/retry.h"
#include "api/structsize.h"
#include "base/check.h"

#include <string.h>

int memfs_opendir(memfs *fs, const char *path, memfs_dir **out)
{
    return memfs_opendirat(fs, NULL, path, out);
}

struct stream_request {
    memfs *fs;
    memfs_dir *at;
    const char *path;
    memfs_dir **out;
};

static int64_t open_stream_once(const void *operation)
{
    const struct stream_request *r = operation;
    memfs *fs = r->fs;
    struct mfs_dir_node *start;
    struct mfs_node *node;
    void *memory;
    if (!mfs_fs_is_valid(fs) || r->path == NULL || r->out == NULL)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, r->at, &start);
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, start, r->path, true, &node);
    if (error != 0)
        return error;
    error = mfs_node_as_dir(node) != NULL
                ? mfs_memory_take(fs->memory, sizeof(memfs_dir), MEMFS_CLASS_HANDLES, &memory)
                : MEMFS_ENOTDIR;
    if (error != 0) {
        mfs_node_release(&fs->nodes, node);
        return error;
    }
    memfs_dir *dir = memory;
    *dir = (memfs_dir){
        .magic = mfs_sync_mark(fs->lot, MFS_DIR_MAGIC), .fs = fs, .node = mfs_node_as_dir(node)};
    mfs_handle_add_dir(&fs->handles, fs->lot, dir);
    *r->out = dir;
    return 0;
}

int memfs_opendirat(memfs *fs, memfs_dir *at, const char *path, memfs_dir **out)
{
    struct stream_request request = {fs, at, path, out};
    return (int)mfs_retry_run(fs, open_stream_once, &request);
}

static bool is_open_dir(const memfs_dir *dir)
{
    return dir != NULL && mfs_sync_is_marked(dir->magic, MFS_DIR_MAGIC);
}

static void describe(const struct mfs_dirent *entry, memfs_dirent *out)
{
    out->number = entry->node->number;
    out->cookie = (int64_t)(entry->sequence + 1);
    out->kind = entry->node->kind;
    out->name_length = entry->length;
    MFS_CHECK(entry->length <= MEMFS_NAME_MAX && entry->name[entry->length] == '\0');
    memcpy(out->name, entry->name, entry->length + (size_t)1);
}

int memfs_readdir(memfs_dir *dir, memfs_dirent *out)
{
    if (!is_open_dir(dir))
        return MEMFS_EBADF;
    int error = mfs_structsize_check_out(out, MFS_STRUCTSIZE_UP_TO(memfs_dirent, name));
    if (error != 0)
        return error;
    memfs *fs = dir->fs;
    mfs_sync_lock_shared(fs->lot, &fs->tree.lock);
    mfs_sync_lock_exclusive(fs->lot, &dir->lock);
    const struct mfs_dirent *entry = mfs_handle_next_entry(dir,
                                                           mfs_walk_newest_sequence(&fs->tree));
    if (entry != NULL)
        describe(entry, out);
    mfs_sync_unlock_exclusive(fs->lot, &dir->lock);
    mfs_sync_unlock_shared(fs->lot, &fs->tree.lock);
    if (entry == NULL) {
        mfs_node_accessed(&fs->nodes, &dir->node->node);
        return 0;
    }
    mfs_structsize_clear_rest(out, sizeof *out);
    return 1;
}

int64_t memfs_telldir(memfs_dir *dir)
{
    if (!is_open_dir(dir))
        return MEMFS_EBADF;
    mfs_sync_lock_exclusive(dir->fs->lot, &dir->lock);
    uint64_t position = dir->position;
    mfs_sync_unlock_exclusive(dir->fs->lot, &dir->lock);
    return (int64_t)position;
}

int memfs_seekdir(memfs_dir *dir, int64_t cookie)
{
    if (!is_open_dir(dir))
        return MEMFS_EBADF;
    if (cookie < 0)
        return MEMFS_EINVAL;
    mfs_sync_lock_exclusive(dir->fs->lot, &dir->lock);
    dir->position = (uint64_t)cookie;
    mfs_sync_unlock_exclusive(dir->fs->lot, &dir->lock);
    return 0;
}

int memfs_rewinddir(memfs_dir *dir)
{
    return memfs_seekdir(dir, 0);
}
