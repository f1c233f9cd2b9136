/* A file's extent: truncating, allocating, punching; locks and mappings of it. */
#include "base/num.h"
#include "content/content_extent.h"
#include "content/content_io.h"
#include "instance/fs.h"

/* -------------------------------------------------------------- truncating */

static int grow(memfs *fs, const memfs_file *handle, struct mfs_file_node *file, uint64_t size)
    MFS_REQUIRES(file->node.lock)
{
    struct mfs_content_edit edit = {&fs->pool, &file->content, mfs_node_size(file),
                                    MFS_CHARGE_ORDINARY};
    if (handle != NULL)
        edit.charge_from = mfs_handle_charge_from(handle, edit.size, size);
    return mfs_content_extent_grow(&edit);
}

/* `handle` is null for a call by path, which is refused while a handle holds the file locked. */
static int set_length(memfs *fs, const memfs_file *handle, struct mfs_file_node *file,
                      uint64_t size)
{
    int error = 0;
    int64_t now = mfs_node_now(&fs->nodes);
    mfs_sync_lock_exclusive(&fs->lot, &file->node.lock);
    if (handle == NULL && mfs_filelock_is_locked(&fs->lot, &file->node, MFS_HELD_NOTHING))
        error = MEMFS_EBUSY;
    else if (size <= mfs_node_size(file))
        mfs_node_cut(&fs->nodes, file, size);
    else
        error = grow(fs, handle, file, size);
    mfs_node_settle_write(file);
    if (error == 0) {
        mfs_node_set_size(&fs->nodes, file, size);
        mfs_node_written(file, now);
    }
    mfs_sync_unlock_exclusive(&fs->lot, &file->node.lock);
    return error;
}

static int ftruncate_once(memfs_file *file, int64_t size)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MEMFS_O_WRITE, &node);
    if (error == 0 && size < 0)
        error = MEMFS_EINVAL;
    return error == 0 ? set_length(file->fs, file, node, (uint64_t)size) : error;
}

int memfs_ftruncate(memfs_file *file, int64_t size)
{
    int result;
    do
        result = ftruncate_once(file, size);
    while (mfs_fs_ask_and_retry_file(file, result));
    return result;
}

static int truncate_once(memfs *fs, const char *path, int64_t size)
{
    struct mfs_node *node;
    if (!mfs_fs_is_valid(fs) || size < 0)
        return MEMFS_EINVAL;
    int error = mfs_walk_to_node(&fs->tree, NULL, path, true, &node);
    if (error != 0)
        return error;
    struct mfs_file_node *file = mfs_node_as_file(node);
    error = file != NULL ? set_length(fs, NULL, file, (uint64_t)size) : MEMFS_EISDIR;
    mfs_node_release(&fs->nodes, node);
    return error;
}

int memfs_truncate(memfs *fs, const char *path, int64_t size)
{
    int result;
    do
        result = truncate_once(fs, path, size);
    while (mfs_fs_ask_and_retry(fs, result));
    return result;
}

/* -------------------------------------------------------------- allocating */

/* Inside the node's lock.  `*end` is where the file ends if that moves. */
static int change_range(memfs *fs, struct mfs_file_node *file, uint64_t offset, uint64_t length,
                        unsigned flags, enum mfs_charge_from charge_from)
    MFS_REQUIRES(file->node.lock)
{
    uint64_t size = mfs_node_size(file);
    if ((flags & MEMFS_FALLOCATE_PUNCH_HOLE) != 0)
        return mfs_node_punch(&fs->nodes, file, charge_from, offset, length);
    struct mfs_content_edit edit = {&fs->pool, &file->content, size, charge_from};
    int error = (flags & MEMFS_FALLOCATE_ZERO_RANGE) != 0
                    ? mfs_content_io_zero(&edit, offset, length)
                    : mfs_content_extent_allocate(&edit, offset, length);
    mfs_node_settle_write(file);
    if (error == 0 && (flags & MEMFS_FALLOCATE_KEEP_SIZE) == 0 && offset + length > size)
        mfs_node_set_size(&fs->nodes, file, offset + length);
    return error;
}

static int allocate_once(memfs_file *file, int64_t offset, int64_t length, unsigned flags)
{
    struct mfs_file_node *node;
    const unsigned both = MEMFS_FALLOCATE_PUNCH_HOLE | MEMFS_FALLOCATE_ZERO_RANGE;
    int error = mfs_handle_file(file, MEMFS_O_WRITE, &node);
    if (error != 0)
        return error;
    if (offset < 0 || length <= 0 || (flags & ~(MEMFS_FALLOCATE_KEEP_SIZE | both)) != 0 ||
        (flags & both) == both)
        return MEMFS_EINVAL;
    if (length > MEMFS_FILE_SIZE_MAX - offset)
        return MEMFS_EFBIG;
    memfs *fs = file->fs;
    int64_t now = mfs_node_now(&fs->nodes);
    mfs_sync_lock_exclusive(&fs->lot, &node->node.lock);
    error = change_range(
        fs, node, (uint64_t)offset, (uint64_t)length, flags,
        mfs_handle_charge_from(file, mfs_node_size(node), (uint64_t)offset + (uint64_t)length));
    if (error == 0)
        mfs_node_written(node, now);
    mfs_sync_unlock_exclusive(&fs->lot, &node->node.lock);
    return error;
}

int memfs_fallocate(memfs_file *file, int64_t offset, int64_t length, unsigned flags)
{
    int result;
    do
        result = allocate_once(file, offset, length, flags);
    while (mfs_fs_ask_and_retry_file(file, result));
    return result;
}

/* Moves the end of the reservation, inside the node's lock. */
static int move_reservation(memfs *fs, struct mfs_file_node *file, uint64_t end,
                            enum mfs_charge_from charge_from) MFS_REQUIRES(file->node.lock)
{
    struct mfs_content_edit edit = {&fs->pool, &file->content, mfs_node_size(file), charge_from};
    uint64_t from = mfs_num_max_u64(edit.size, file->content.preallocated_end);
    if (end > from) {
        int error = mfs_content_extent_allocate(&edit, from, end - from);
        mfs_node_settle_write(file);
        if (error != 0)
            return error;
    }
    bool shrinks = end < file->content.preallocated_end;
    mfs_node_set_preallocated_end(&fs->nodes, file, end);
    if (shrinks)
        mfs_node_cut(&fs->nodes, file, mfs_node_size(file));
    return 0;
}

static int reserve_once(memfs_file *file, int64_t end)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MEMFS_O_WRITE, &node);
    if (error != 0)
        return error;
    if (end < 0)
        return MEMFS_EINVAL;
    memfs *fs = file->fs;
    mfs_sync_lock_exclusive(&fs->lot, &node->node.lock);
    error = move_reservation(fs, node, (uint64_t)end,
                             mfs_handle_charge_from(file, mfs_node_size(node), (uint64_t)end));
    mfs_sync_unlock_exclusive(&fs->lot, &node->node.lock);
    return error;
}

int memfs_preallocate(memfs_file *file, int64_t end)
{
    int result;
    do
        result = reserve_once(file, end);
    while (mfs_fs_ask_and_retry_file(file, result));
    return result;
}

int memfs_hold_private(memfs_file *file, int on)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, UINT32_MAX, &node);
    if (error != 0)
        return error;
    bool wanted = on != 0;
    struct mfs_lot *lot = &file->fs->lot;
    mfs_sync_lock_exclusive(lot, &file->lock);
    /* Under the node's lock, so that no copy is half way between asking and sharing. */
    mfs_sync_lock_exclusive(lot, &node->node.lock);
    if (wanted && !file->holds_private)
        (void)atomic_fetch_add_explicit(&node->private_holders, 1, memory_order_relaxed);
    else if (!wanted && file->holds_private)
        (void)atomic_fetch_sub_explicit(&node->private_holders, 1, memory_order_relaxed);
    file->holds_private = wanted;
    mfs_sync_unlock_exclusive(lot, &node->node.lock);
    mfs_sync_unlock_exclusive(lot, &file->lock);
    return 0;
}

int memfs_use_emergency_reserve(memfs_file *file, int use)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, UINT32_MAX, &node);
    if (error != 0)
        return error;
    if (use < MEMFS_EMERGENCY_UNUSED || use > MEMFS_EMERGENCY_WRITING)
        return MEMFS_EINVAL;
    atomic_store_explicit(&file->reserve_use, (uint8_t)use, memory_order_relaxed);
    return 0;
}

/* ------------------------------------------------------- whole-file locking */

int memfs_lock(memfs_file *file, int kind, int64_t timeout_ms)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, UINT32_MAX, &node);
    if (error != 0)
        return error;
    if (kind != MEMFS_LOCK_SHARED && kind != MEMFS_LOCK_EXCLUSIVE)
        return MEMFS_EINVAL;
    enum mfs_held wanted = kind == MEMFS_LOCK_SHARED ? MFS_HELD_SHARED : MFS_HELD_EXCLUSIVE;
    error = mfs_filelock_change(&file->fs->lot, file->node, &file->held, wanted, timeout_ms);
    if (error == 0)
        mfs_fs_wait_for_earlier_lookups(file->fs, file->node);
    return error;
}

int memfs_unlock(memfs_file *file)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, UINT32_MAX, &node);
    if (error == 0)
        mfs_filelock_release(&file->fs->lot, file->node, &file->held);
    return error;
}

/* ---------------------------------------------------------------- mappings */

/* Pins the page if it is there.  ENXIO: the range leaves the file; `*out` is 0 where there is none. */
static int pin_present(memfs *fs, struct mfs_file_node *node, uint64_t offset, size_t length,
                       mfs_page *out)
{
    mfs_sync_lock_shared(&fs->lot, &node->node.lock);
    bool is_inside = offset + length <= mfs_node_size(node);
    if (!is_inside || !mfs_content_pin_existing(&fs->pool, &node->content, offset, out))
        *out = 0;
    mfs_sync_unlock_shared(&fs->lot, &node->node.lock);
    return is_inside ? 0 : MEMFS_ENXIO;
}

/* Pins the page, made if there is none; that alone needs the lock exclusive. */
static int pin(memfs *fs, struct mfs_file_node *node, uint64_t offset, size_t length, mfs_page *out)
{
    int error = pin_present(fs, node, offset, length, out);
    if (error != 0 || *out != 0)
        return error;
    mfs_sync_lock_exclusive(&fs->lot, &node->node.lock);
    struct mfs_content_edit edit = {&fs->pool, &node->content, mfs_node_size(node),
                                    MFS_CHARGE_ORDINARY};
    if (offset + length > edit.size)
        error = MEMFS_ENXIO;
    else
        error = mfs_content_extent_pin(&edit, offset, out);
    mfs_sync_unlock_exclusive(&fs->lot, &node->node.lock);
    return error;
}

static int map(memfs_file *file, int64_t offset, size_t length, bool makes_page, memfs_mapping *out)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MEMFS_O_READ, &node);
    if (error != 0)
        return error;
    memfs *fs = file->fs;
    uint64_t page_size = fs->pool.page_size;
    if (out == NULL || offset < 0 || length == 0 || length > page_size ||
        ((uint64_t)offset & (page_size - 1)) + length > page_size)
        return MEMFS_EINVAL;
    mfs_page page;
    error = makes_page ? pin(fs, node, (uint64_t)offset, length, &page)
                       : pin_present(fs, node, (uint64_t)offset, length, &page);
    if (error == 0 && page == 0)
        error = MEMFS_ENXIO;
    if (error != 0)
        return error;
    mfs_fs_fill_mapping(fs, page, (size_t)((uint64_t)offset & (page_size - 1)), length, out);
    return 0;
}

int memfs_map(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out)
{
    int result;
    do
        result = map(file, offset, length, true, out);
    while (mfs_fs_ask_and_retry_file(file, result));
    return result;
}

int memfs_map_present(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out)
{
    return map(file, offset, length, false, out);
}

uint64_t memfs_mapping_generation(memfs_file *file)
{
    struct mfs_file_node *node;
    if (mfs_handle_file(file, UINT32_MAX, &node) != 0)
        return 0;
    return atomic_load_explicit(&node->page_changes, memory_order_acquire);
}

int memfs_unmap(memfs_mapping *mapping)
{
    if (mapping == NULL)
        return MEMFS_EINVAL;
    memfs *fs = mapping->opaque[0];
    if (fs == NULL)
        return MEMFS_EBADF;
    mfs_page_unpin(&fs->pool, (mfs_page)mapping->opaque[1]);
    (void)atomic_fetch_sub(&fs->mappings, 1);
    *mapping = (memfs_mapping){0};
    return 0;
}
