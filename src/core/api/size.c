/*
 * A file's size and storage: truncating, allocating, punching, preallocating.
 *
 * After each change, a failed one too, mfs_node_settle_write() counts what makes mappings old:
 * making room for a change may have dropped pages behind the size (content_clean.h).
 */
#include "api/call.h"
#include "base/check.h"
#include "base/num.h"
#include "content/content_extent.h"
#include "content/content_io.h"

#include <memfs/storage.h>

/* What a call by handle wants changed. */
struct size_request {
    memfs_file *file;
    int64_t offset;
    int64_t length; /* or the new size, or the end */
    unsigned flags;
};

/* A change of the file that goes up to `end`, charged as the handle (null: none) may have it. */
static struct mfs_content_edit edit_file(memfs *fs, const memfs_file *handle,
                                         struct mfs_file_node *file, uint64_t end)
    MFS_REQUIRES(file->node.lock)
{
    uint64_t size = mfs_node_size(file);
    return (struct mfs_content_edit){fs->pool, &file->content, size,
                                     handle != NULL ? mfs_handle_charge_from(handle, size, end)
                                                    : MFS_CHARGE_ORDINARY};
}

/* -------------------------------------------------------------- truncating */

/* `handle` is null for a call by path, which is refused while a handle holds the file locked. */
static int set_length(memfs *fs, const memfs_file *handle, struct mfs_file_node *file,
                      uint64_t size)
{
    int error = 0;
    int64_t now = mfs_node_now(&fs->nodes);
    mfs_sync_lock_exclusive(fs->lot, &file->node.lock);
    const struct mfs_content_edit edit = edit_file(fs, handle, file, size);
    if (handle == NULL && mfs_filelock_is_locked(fs->lot, &file->node, MFS_HELD_NOTHING))
        error = MEMFS_EBUSY;
    else if (size <= edit.size)
        mfs_node_cut(&fs->nodes, file, size);
    else
        error = mfs_content_extent_grow(&edit);
    mfs_node_settle_write(file);
    if (error == 0) {
        mfs_node_set_size(&fs->nodes, file, size);
        mfs_node_written(file, now);
        mfs_observer_written(fs->nodes.observer, file, size, 0);
        MFS_CHECK(mfs_node_size(file) == size);
    }
    mfs_sync_unlock_exclusive(fs->lot, &file->node.lock);
    return error;
}

static int64_t truncate_open_file_once(const void *operation)
{
    const struct size_request *r = operation;
    struct mfs_file_node *node;
    int error = mfs_handle_file(r->file, MEMFS_O_WRITE, &node);
    if (error == 0 && r->length < 0)
        error = MEMFS_EINVAL;
    return error == 0 ? set_length(r->file->fs, r->file, node, (uint64_t)r->length) : error;
}

int memfs_ftruncate(memfs_file *file, int64_t size)
{
    struct size_request request = {.file = file, .length = size};
    return (int)MFS_CALL_GROWING(mfs_retry_fs_of(file), truncate_open_file_once, &request,
                                 .what = MEMFS_OP_RESIZE, .node = file->node,
                                 .offset = (uint64_t)size);
}

struct truncation {
    memfs *fs;
    memfs_dir *at;
    const char *path;
    int64_t size;
};

static int64_t truncate_path_once(const void *operation)
{
    const struct truncation *t = operation;
    memfs *fs = t->fs;
    struct mfs_dir_node *start;
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || t->size < 0)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, t->at, &start);
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, start, t->path, true, &node);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(node);
    error = file != NULL ? set_length(fs, NULL, file, (uint64_t)t->size) : MEMFS_EISDIR;
    mfs_node_release(&fs->nodes, node);
    return error;
}

int memfs_truncateat(memfs *fs, memfs_dir *at, const char *path, int64_t size)
{
    struct truncation truncation = {fs, at, path, size};
    return (int)MFS_CALL_GROWING(fs, truncate_path_once, &truncation, .what = MEMFS_OP_RESIZE,
                                 .at = at, .path = path, .offset = (uint64_t)size);
}

int memfs_truncate(memfs *fs, const char *path, int64_t size)
{
    return memfs_truncateat(fs, NULL, path, size);
}

/* -------------------------------------------------------------- allocating */

/* Allocates, zeroes or punches, and grows the file as asked. */
static int change_range(memfs *fs, struct mfs_file_node *file, const struct size_request *r)
    MFS_REQUIRES(file->node.lock)
{
    uint64_t offset = (uint64_t)r->offset, length = (uint64_t)r->length;
    uint64_t end = offset + length;
    const struct mfs_content_edit edit = edit_file(fs, r->file, file, end);
    MFS_CHECK(length > 0 && end > offset && end <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    if ((r->flags & MEMFS_FALLOCATE_PUNCH_HOLE) != 0)
        return mfs_node_punch(&fs->nodes, file, edit.charge_from, offset, length);
    int error = (r->flags & MEMFS_FALLOCATE_ZERO_RANGE) != 0
                    ? mfs_content_io_zero(&edit, offset, length)
                    : mfs_content_extent_allocate(&edit, offset, length);
    mfs_node_settle_write(file);
    if (error == 0 && (r->flags & MEMFS_FALLOCATE_KEEP_SIZE) == 0 && end > edit.size)
        mfs_node_set_size(&fs->nodes, file, end);
    return error;
}

static int64_t fallocate_once(const void *operation)
{
    const struct size_request *r = operation;
    struct mfs_file_node *node;
    const unsigned both = MEMFS_FALLOCATE_PUNCH_HOLE | MEMFS_FALLOCATE_ZERO_RANGE;
    int error = mfs_handle_file(r->file, MEMFS_O_WRITE, &node);
    if (error != 0)
        return error;
    if (r->offset < 0 || r->length <= 0 || (r->flags & ~(MEMFS_FALLOCATE_KEEP_SIZE | both)) != 0 ||
        (r->flags & both) == both)
        return MEMFS_EINVAL;
    if (r->length > MEMFS_FILE_SIZE_MAX - r->offset)
        return MEMFS_EFBIG;
    memfs *fs = r->file->fs;
    int64_t now = mfs_node_now(&fs->nodes);
    mfs_sync_lock_exclusive(fs->lot, &node->node.lock);
    error = change_range(fs, node, r);
    if (error == 0) {
        mfs_node_written(node, now);
        mfs_observer_written(fs->nodes.observer, node, (uint64_t)r->offset, (uint64_t)r->length);
    }
    mfs_sync_unlock_exclusive(fs->lot, &node->node.lock);
    return error;
}

int memfs_fallocate(memfs_file *file, int64_t offset, int64_t length, unsigned flags)
{
    struct size_request request = {file, offset, length, flags};
    return (int)MFS_CALL_GROWING(mfs_retry_fs_of(file), fallocate_once, &request,
                                 .what = MEMFS_OP_RESIZE, .node = file->node,
                                 .offset = (uint64_t)offset, .length = (uint64_t)length);
}

/* ----------------------------------------------------------- preallocating */

/* Moves the end of the preallocation. */
static int move_preallocation(const memfs_file *handle, struct mfs_file_node *file, uint64_t end)
    MFS_REQUIRES(file->node.lock)
{
    memfs *fs = handle->fs;
    const struct mfs_content_edit edit = edit_file(fs, handle, file, end);
    uint64_t from = mfs_num_max_u64(edit.size, file->content.preallocated_end);
    if (end > from) {
        int error = mfs_content_extent_allocate(&edit, from, end - from);
        mfs_node_settle_write(file);
        if (error != 0)
            return error;
    }
    bool shrinks = end < file->content.preallocated_end;
    mfs_node_set_preallocated_end(&fs->nodes, file, end);
    MFS_CHECK(file->content.preallocated_end <= end);
    if (shrinks)
        mfs_node_cut(&fs->nodes, file, edit.size);
    return 0;
}

static int64_t preallocate_once(const void *operation)
{
    const struct size_request *r = operation;
    struct mfs_file_node *node;
    int error = mfs_handle_file(r->file, MEMFS_O_WRITE, &node);
    if (error != 0)
        return error;
    if (r->length < 0)
        return MEMFS_EINVAL;
    memfs *fs = r->file->fs;
    mfs_sync_lock_exclusive(fs->lot, &node->node.lock);
    error = move_preallocation(r->file, node, (uint64_t)r->length);
    mfs_sync_unlock_exclusive(fs->lot, &node->node.lock);
    return error;
}

int memfs_preallocate(memfs_file *file, int64_t end)
{
    struct size_request request = {.file = file, .length = end};
    return (int)mfs_retry_run(mfs_retry_fs_of(file), preallocate_once, &request);
}
