/* Reading, writing, seeking. */
#include "api/call.h"
#include "base/check.h"
#include "base/num.h"
#include "content/content_io.h"

/* What a call wants of an open file; checked once. */
struct transfer {
    memfs_file *file;
    struct mfs_file_node *node;
    const memfs_iovec *parts;
    uint64_t length;
    uint64_t offset; /* of the forms that have one */
};

static int check_transfer(memfs_file *file, uint32_t access, const memfs_iovec *parts, size_t count,
                          struct transfer *out)
{
    int error = mfs_handle_file(file, access, &out->node);
    if (error != 0)
        return error;
    if (count > MEMFS_IOV_MAX || (count != 0 && parts == NULL))
        return MEMFS_EINVAL;
    out->file = file;
    out->parts = parts;
    out->length = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].data == NULL && parts[i].length != 0)
            return MEMFS_EINVAL;
        if (!mfs_num_add_u64(out->length, parts[i].length, &out->length) ||
            out->length > (uint64_t)INT64_MAX)
            return MEMFS_EINVAL;
    }
    return 0;
}

/* Reads at `offset`; returns the count. */
static int64_t read_at(const struct transfer *t, uint64_t offset)
{
    memfs *fs = t->file->fs;
    struct mfs_node *node = &t->node->node;
    struct mfs_sink sink = {.parts = t->parts};
    MFS_CHECK(t->file->node == node);
    mfs_sync_lock_shared(fs->lot, &node->lock);
    uint64_t length = mfs_num_min_u64(t->length,
                                      mfs_num_sub_saturating(mfs_node_size(t->node), offset));
    if (length > 0)
        mfs_content_io_read(fs->pool, &t->node->content, offset, length, &sink);
    mfs_sync_unlock_shared(fs->lot, &node->lock);
    if (length > 0 && (t->file->flags & MEMFS_O_NOATIME) == 0)
        mfs_node_accessed(&fs->nodes, node);
    return (int64_t)length;
}

/* Writes at `*offset`, or at the end in append mode; `*offset` is then where. */
static int64_t write_at(const struct transfer *t, uint64_t *offset)
{
    memfs *fs = t->file->fs;
    struct mfs_source source = {.parts = t->parts};
    MFS_CHECK(t->file->node == &t->node->node && (t->file->flags & MEMFS_O_WRITE) != 0);
    if (t->length == 0)
        return 0;
    int64_t now = mfs_node_now(&fs->nodes);
    int error = MEMFS_EFBIG;
    mfs_sync_lock_exclusive(fs->lot, &t->node->node.lock);
    uint64_t size = mfs_node_size(t->node);
    uint64_t at = (t->file->flags & MEMFS_O_APPEND) != 0 ? size : *offset;
    uint64_t end;
    if (mfs_num_add_u64(at, t->length, &end) && end <= (uint64_t)MEMFS_FILE_SIZE_MAX) {
        struct mfs_content_edit edit = {fs->pool, &t->node->content, size,
                                        mfs_handle_charge_from(t->file, size, end)};
        error = mfs_content_io_write(&edit, at, t->length, &source);
    }
    mfs_node_settle_write(t->node);
    if (error == 0) {
        if (end > size)
            mfs_node_set_size(&fs->nodes, t->node, end);
        mfs_node_written(t->node, now);
        mfs_observer_written(fs->nodes.observer, t->node, at, t->length);
        MFS_CHECK(mfs_node_size(t->node) >= end);
    }
    mfs_sync_unlock_exclusive(fs->lot, &t->node->node.lock);
    if (error != 0)
        return error;
    *offset = at;
    return (int64_t)t->length;
}

static int64_t read_at_offset_once(const void *operation)
{
    const struct transfer *t = operation;
    return read_at(t, t->offset);
}

int64_t memfs_preadv(memfs_file *file, const memfs_iovec *parts, size_t count, int64_t offset)
{
    struct transfer t;
    int error = check_transfer(file, MEMFS_O_READ, parts, count, &t);
    if (error == 0 && offset < 0)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    t.offset = (uint64_t)offset;
    return MFS_CALL(file->fs, read_at_offset_once, &t, .what = MEMFS_OP_READ, .node = file->node,
                    .offset = t.offset, .length = t.length);
}

static int64_t write_at_offset_once(const void *operation)
{
    const struct transfer *t = operation;
    uint64_t at = t->offset;
    return write_at(t, &at);
}

int64_t memfs_pwritev(memfs_file *file, const memfs_iovec *parts, size_t count, int64_t offset)
{
    struct transfer t;
    int error = check_transfer(file, MEMFS_O_WRITE, parts, count, &t);
    if (error == 0 && offset < 0)
        error = MEMFS_EINVAL;
    if (error != 0)
        return error;
    t.offset = (uint64_t)offset;
    return MFS_CALL_GROWING(file->fs, write_at_offset_once, &t, .what = MEMFS_OP_WRITE,
                            .node = file->node, .offset = t.offset, .length = t.length);
}

/* Reads at the handle's offset, which moves behind what was read. */
static int64_t read_and_advance_once(const void *operation)
{
    const struct transfer *t = operation;
    memfs_file *file = t->file;
    mfs_sync_lock_exclusive(file->fs->lot, &file->lock);
    int64_t n = read_at(t, file->offset);
    file->offset += (uint64_t)n;
    mfs_sync_unlock_exclusive(file->fs->lot, &file->lock);
    return n;
}

int64_t memfs_readv(memfs_file *file, const memfs_iovec *parts, size_t count)
{
    struct transfer t;
    int error = check_transfer(file, MEMFS_O_READ, parts, count, &t);
    if (error != 0)
        return error;
    return MFS_CALL(file->fs, read_and_advance_once, &t, .what = MEMFS_OP_READ, .node = file->node,
                    .offset = file->offset, .length = t.length);
}

/* Writes at the handle's offset, which moves behind what was written. */
static int64_t write_and_advance_once(const void *operation)
{
    const struct transfer *t = operation;
    memfs_file *file = t->file;
    mfs_sync_lock_exclusive(file->fs->lot, &file->lock);
    uint64_t at = file->offset;
    int64_t n = write_at(t, &at);
    if (n > 0)
        file->offset = at + (uint64_t)n;
    mfs_sync_unlock_exclusive(file->fs->lot, &file->lock);
    return n;
}

int64_t memfs_writev(memfs_file *file, const memfs_iovec *parts, size_t count)
{
    struct transfer t;
    int error = check_transfer(file, MEMFS_O_WRITE, parts, count, &t);
    if (error != 0)
        return error;
    return MFS_CALL_GROWING(file->fs, write_and_advance_once, &t, .what = MEMFS_OP_WRITE,
                            .node = file->node, .offset = file->offset, .length = t.length);
}

/* The writing forms never write through it. */
static memfs_iovec part_of(const void *buffer, size_t length)
{
    union {
        const void *in;
        void *out;
    } data = {buffer};
    return (memfs_iovec){data.out, length};
}

int64_t memfs_read(memfs_file *file, void *buffer, size_t length)
{
    memfs_iovec part = part_of(buffer, length);
    return memfs_readv(file, &part, 1);
}

int64_t memfs_write(memfs_file *file, const void *buffer, size_t length)
{
    memfs_iovec part = part_of(buffer, length);
    return memfs_writev(file, &part, 1);
}

int64_t memfs_pread(memfs_file *file, void *buffer, size_t length, int64_t offset)
{
    memfs_iovec part = part_of(buffer, length);
    return memfs_preadv(file, &part, 1, offset);
}

int64_t memfs_pwrite(memfs_file *file, const void *buffer, size_t length, int64_t offset)
{
    memfs_iovec part = part_of(buffer, length);
    return memfs_pwritev(file, &part, 1, offset);
}

/* ------------------------------------------------------------------ syncing */

/* What is to be synced, and the file system whose it is. */
struct syncing {
    memfs *fs;
    struct mfs_node *node;
};

static int64_t sync_once(const void *operation)
{
    const struct syncing *s = operation;
    struct mfs_observer *observer = s->fs->nodes.observer;
    if (MFS_OBSERVER_IS(observer))
        observer->synced(observer, s->node);
    return 0;
}

static int sync_node(memfs *fs, struct mfs_node *node)
{
    const struct syncing s = {fs, node};
    bool is_dir = mfs_node_as_dir(node) != NULL;
    return (int)MFS_CALL(fs, sync_once, &s, .what = is_dir ? MEMFS_OP_SYNC_DIR : MEMFS_OP_SYNC,
                         .node = node);
}

int memfs_fsync(memfs_file *file)
{
    bool is_open = file != NULL && mfs_sync_is_marked(file->magic, MFS_FILE_MAGIC);
    return is_open ? sync_node(file->fs, file->node) : MEMFS_EBADF;
}

int memfs_fdatasync(memfs_file *file)
{
    return memfs_fsync(file);
}

int memfs_syncat(memfs *fs, memfs_dir *at, const char *path)
{
    struct mfs_dir_node *start;
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || path == NULL)
        return MEMFS_EINVAL;
    int error = mfs_fs_start(fs, at, &start);
    if (error == 0)
        error = mfs_walk_to_node(&fs->tree, start, path, true, &node);
    if (error != 0)
        return error;
    error = sync_node(fs, node);
    mfs_node_release(&fs->nodes, node);
    return error;
}

int memfs_sync(memfs *fs, const char *path)
{
    return memfs_syncat(fs, NULL, path);
}

int64_t memfs_file_size(memfs_file *file)
{
    struct transfer t;
    int error = check_transfer(file, MFS_ANY_ACCESS, NULL, 0, &t);
    return error == 0 ? (int64_t)mfs_node_size(t.node) : error;
}

/* ----------------------------------------------------------------- seeking */

/* DATA and HOLE, from `offset`. */
static int64_t seek_content(const struct transfer *t, int64_t offset, int whence)
{
    memfs *fs = t->file->fs;
    if (offset < 0)
        return MEMFS_ENXIO;
    int64_t found = MEMFS_ENXIO;
    mfs_sync_lock_shared(fs->lot, &t->node->node.lock);
    uint64_t size = mfs_node_size(t->node);
    if ((uint64_t)offset < size) {
        uint64_t at = whence == MEMFS_SEEK_DATA ? mfs_content_next_data(fs->pool, &t->node->content,
                                                                        size, (uint64_t)offset)
                                                : mfs_content_next_hole(fs->pool, &t->node->content,
                                                                        size, (uint64_t)offset);
        if (at != MFS_NO_INDEX)
            found = (int64_t)at;
    }
    mfs_sync_unlock_shared(fs->lot, &t->node->node.lock);
    return found;
}

static int64_t seek_to(const struct transfer *t, int64_t offset, int whence)
{
    int64_t base = 0;
    switch (whence) {
    case MEMFS_SEEK_SET:
        break;
    case MEMFS_SEEK_CUR:
        base = (int64_t)t->file->offset;
        break;
    case MEMFS_SEEK_END:
        base = (int64_t)mfs_node_size(t->node);
        break;
    case MEMFS_SEEK_DATA:
    case MEMFS_SEEK_HOLE:
        return seek_content(t, offset, whence);
    default:
        return MEMFS_EINVAL;
    }
    int64_t target;
    if (__builtin_add_overflow(base, offset, &target))
        return MEMFS_EOVERFLOW;
    return target >= 0 ? target : MEMFS_EINVAL;
}

int64_t memfs_seek(memfs_file *file, int64_t offset, int whence)
{
    struct transfer t;
    int error = check_transfer(file, MFS_ANY_ACCESS, NULL, 0, &t);
    if (error != 0)
        return error;
    mfs_sync_lock_exclusive(file->fs->lot, &file->lock);
    int64_t target = seek_to(&t, offset, whence);
    if (target >= 0)
        file->offset = (uint64_t)target;
    mfs_sync_unlock_exclusive(file->fs->lot, &file->lock);
    return target;
}

int64_t memfs_tell(memfs_file *file)
{
    return memfs_seek(file, 0, MEMFS_SEEK_CUR);
}
