/* Directory streams. */
#include "api/call.h"
#include "api/structsize.h"
#include "base/check.h"

#include <string.h>

int memfs_opendir(memfs *fs, const char *path, memfs_dir **out)
{
    return memfs_opendirat(fs, NULL, path, out);
}

_Static_assert(sizeof(memfs_dir) <= sizeof(memfs_dir_storage), "a stream must fit");

struct stream_request {
    memfs *fs;
    memfs_dir *at;
    const char *path;
    unsigned flags;
    memfs_dir_storage *storage;
    memfs_dir **out;
};

/* Memory for the stream: what is lent, or its own. */
static int get_stream(const struct stream_request *r, memfs_dir **out)
{
    struct mfs_memory *memory = r->fs->memory;
    bool may_draw = (r->flags & MEMFS_O_EMERGENCY) != 0;
    void *bytes = r->storage;
    int error = 0;
    if (bytes == NULL)
        error = mfs_memory_take_as(memory, MFS_CHARGE_LOOKING, sizeof **out, MEMFS_CLASS_HANDLES,
                                   &bytes);
    if (error == MEMFS_EDQUOT && may_draw)
        error = mfs_memory_take_as(memory, MFS_CHARGE_RESERVE, sizeof **out, MEMFS_CLASS_HANDLES,
                                   &bytes);
    if (error == 0)
        *out = bytes;
    return error;
}

static int64_t open_stream_once(const void *operation)
{
    const struct stream_request *r = operation;
    memfs *fs = r->fs;
    struct mfs_dir_node *start;
    struct mfs_node *node;
    memfs_dir *dir;
    if (!mfs_fs_is_valid(fs) || r->path == NULL || r->out == NULL ||
        (r->flags & ~MEMFS_O_EMERGENCY) != 0)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, r->at, &start);
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, start, r->path, true, &node);
    if (error != 0)
        return error;
    error = mfs_node_as_dir(node) != NULL ? get_stream(r, &dir) : MEMFS_ENOTDIR;
    if (error != 0) {
        mfs_node_release(&fs->nodes, node);
        return error;
    }
    *dir = (memfs_dir){.magic = mfs_sync_mark(fs->lot, MFS_DIR_MAGIC),
                       .fs = fs,
                       .node = mfs_node_as_dir(node),
                       .is_lent = r->storage != NULL,
                       .is_privileged = (r->flags & MEMFS_O_EMERGENCY) != 0};
    mfs_handle_add_dir(&fs->handles, fs->lot, dir);
    *r->out = dir;
    return 0;
}

int memfs_opendirat_in(memfs *fs, memfs_dir *at, const char *path, unsigned flags,
                       memfs_dir_storage *storage, memfs_dir **out)
{
    struct stream_request request = {fs, at, path, flags, storage, out};
    return (int)MFS_CALL_GROWING(fs, open_stream_once, &request, .what = MEMFS_OP_LIST, .at = at,
                                 .path = path);
}

int memfs_opendirat(memfs *fs, memfs_dir *at, const char *path, memfs_dir **out)
{
    return memfs_opendirat_in(fs, at, path, 0, NULL, out);
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
