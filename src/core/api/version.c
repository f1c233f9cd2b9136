/*
 * Versions: contents that are held by reference, and changed apart from their file.
 *
 * A version's content belongs to whoever holds the version, as a file's belongs to the
 * holder of the node's lock; so the calls below lock nothing but for the file.
 */
#include "base/num.h"
#include "content/content_extent.h"
#include "content/content_io.h"
#include "instance/fs.h"

static struct mfs_version *as_version(memfs_content_ref *ref)
{
    return (struct mfs_version *)(void *)ref;
}

static bool tries_again(const memfs_content_ref *ref, int64_t result)
{
    const struct mfs_version *version = (const struct mfs_version *)(const void *)ref;
    return mfs_fs_is_by_limit(result) && mfs_fs_ask_refused(version->fs, (int)result);
}

static bool is_held(const struct mfs_version *version)
{
    return version != NULL && version->magic == MFS_VERSION_MAGIC && version->fs != NULL;
}

/* A change of the version that brings it to `end`. */
static struct mfs_content_edit edit_of(struct mfs_version *version, uint64_t end)
{
    return (struct mfs_content_edit){
        &version->fs->pool, &version->content, version->size,
        mfs_handle_charge_of_write(version->reserve_use, version->size, end)};
}

int memfs_content_take(memfs_file *file, memfs_content_ref *out)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, UINT32_MAX, &node);
    if (error != 0)
        return error;
    if (out == NULL)
        return MEMFS_EINVAL;
    struct mfs_version *version = as_version(out);
    memfs *fs = file->fs;
    mfs_sync_lock_shared(&fs->lot, &node->node.lock);
    *version = (struct mfs_version){
        .size = mfs_node_size(node), .fs = fs, .magic = MFS_VERSION_MAGIC};
    version->reserve_use = atomic_load_explicit(&file->reserve_use, memory_order_relaxed);
    version->content = mfs_content_clone(&fs->pool, &node->content);
    mfs_sync_unlock_shared(&fs->lot, &node->node.lock);
    mfs_version_list_add(&fs->versions, &fs->lot, version);
    return 0;
}

/* Takes the content out of a version, which is not held any more. */
static struct mfs_content let_go(struct mfs_version *version)
{
    mfs_version_list_remove(&version->fs->versions, &version->fs->lot, version);
    struct mfs_content content = version->content;
    version->fs = NULL;
    version->magic = 0;
    return content;
}

int memfs_content_restore(memfs_file *file, memfs_content_ref *ref)
{
    struct mfs_file_node *node;
    struct mfs_version *version = as_version(ref);
    int error = mfs_handle_file(file, MEMFS_O_WRITE, &node);
    if (error != 0)
        return error;
    if (!is_held(version))
        return MEMFS_EINVAL;
    memfs *fs = file->fs;
    if (version->fs != fs)
        return MEMFS_EXDEV;
    int64_t now = mfs_node_now(&fs->nodes);
    struct mfs_content content = let_go(version);
    mfs_sync_lock_exclusive(&fs->lot, &node->node.lock);
    mfs_node_swap_content(&fs->nodes, node, &content, version->size);
    mfs_node_modified(&node->node, now);
    mfs_sync_unlock_exclusive(&fs->lot, &node->node.lock);
    mfs_content_release(&fs->pool, &content);
    return 0;
}

int memfs_content_exchange(memfs_file *file, memfs_content_ref *ref)
{
    struct mfs_file_node *node;
    struct mfs_version *version = as_version(ref);
    int error = mfs_handle_file(file, MEMFS_O_WRITE, &node);
    if (error != 0)
        return error;
    if (!is_held(version))
        return MEMFS_EINVAL;
    memfs *fs = file->fs;
    if (version->fs != fs)
        return MEMFS_EXDEV;
    int64_t now = mfs_node_now(&fs->nodes);
    mfs_sync_lock_exclusive(&fs->lot, &node->node.lock);
    uint64_t size = mfs_node_size(node);
    mfs_node_swap_content(&fs->nodes, node, &version->content, version->size);
    mfs_node_modified(&node->node, now);
    mfs_sync_unlock_exclusive(&fs->lot, &node->node.lock);
    version->size = size;
    mfs_content_end_preallocation(&version->content);
    return 0;
}

int memfs_content_drop(memfs_content_ref *ref)
{
    struct mfs_version *version = as_version(ref);
    if (!is_held(version))
        return MEMFS_EINVAL;
    memfs *fs = version->fs;
    struct mfs_content content = let_go(version);
    mfs_content_release(&fs->pool, &content);
    return 0;
}

int64_t memfs_content_read(const memfs_content_ref *ref, void *buffer, size_t length,
                           int64_t offset)
{
    const struct mfs_version *version = (const struct mfs_version *)(const void *)ref;
    uint64_t wanted = length;
    if (!is_held(version) || offset < 0 || (buffer == NULL && length != 0) ||
        wanted > (uint64_t)INT64_MAX)
        return MEMFS_EINVAL;
    uint64_t n = mfs_num_min_u64(wanted, mfs_num_sub_saturating(version->size, (uint64_t)offset));
    memfs_iovec part = {buffer, length};
    struct mfs_sink sink = {.parts = &part};
    if (n > 0)
        mfs_content_io_read(&version->fs->pool, &version->content, (uint64_t)offset, n, &sink);
    return (int64_t)n;
}

static int64_t write_once(memfs_content_ref *ref, const void *buffer, size_t length, int64_t offset)
{
    struct mfs_version *version = as_version(ref);
    union {
        const void *in;
        void *out;
    } data = {buffer};
    memfs_iovec part = {data.out, length}; /* never written through */
    struct mfs_source source = {.parts = &part};
    uint64_t end;
    if (!is_held(version) || offset < 0 || (buffer == NULL && length != 0) ||
        (uint64_t)length > (uint64_t)INT64_MAX)
        return MEMFS_EINVAL;
    if (length == 0)
        return 0;
    if (!mfs_num_add_u64((uint64_t)offset, length, &end) || end > (uint64_t)MEMFS_FILE_SIZE_MAX)
        return MEMFS_EFBIG;
    struct mfs_content_edit edit = edit_of(version, end);
    int error = mfs_content_io_write(&edit, (uint64_t)offset, length, &source);
    if (error != 0)
        return error;
    version->size = mfs_num_max_u64(version->size, end);
    return (int64_t)length;
}

int64_t memfs_content_write(memfs_content_ref *ref, const void *buffer, size_t length,
                            int64_t offset)
{
    int64_t n;
    do
        n = write_once(ref, buffer, length, offset);
    while (tries_again(ref, n));
    return n;
}

static int truncate_once(memfs_content_ref *ref, int64_t size)
{
    struct mfs_version *version = as_version(ref);
    if (!is_held(version) || size < 0)
        return MEMFS_EINVAL;
    int error = 0;
    struct mfs_content_edit edit = edit_of(version, (uint64_t)size);
    if ((uint64_t)size <= version->size)
        mfs_content_extent_cut(edit.pool, &version->content, (uint64_t)size);
    else
        error = mfs_content_extent_grow(&edit);
    if (error == 0)
        version->size = (uint64_t)size;
    return error;
}

int memfs_content_truncate(memfs_content_ref *ref, int64_t size)
{
    int result;
    do
        result = truncate_once(ref, size);
    while (tries_again(ref, result));
    return result;
}

static int allocate_once(memfs_content_ref *ref, int64_t offset, int64_t length)
{
    struct mfs_version *version = as_version(ref);
    if (!is_held(version) || offset < 0 || length <= 0)
        return MEMFS_EINVAL;
    if (length > MEMFS_FILE_SIZE_MAX - offset)
        return MEMFS_EFBIG;
    uint64_t end = (uint64_t)offset + (uint64_t)length;
    struct mfs_content_edit edit = edit_of(version, end);
    return mfs_content_extent_allocate(&edit, (uint64_t)offset, (uint64_t)length);
}

int memfs_content_allocate(memfs_content_ref *ref, int64_t offset, int64_t length)
{
    int result;
    do
        result = allocate_once(ref, offset, length);
    while (tries_again(ref, result));
    return result;
}

int memfs_content_map(const memfs_content_ref *ref, int64_t offset, size_t length,
                      memfs_mapping *out)
{
    const struct mfs_version *version = (const struct mfs_version *)(const void *)ref;
    if (out == NULL || !is_held(version) || offset < 0 || length == 0)
        return MEMFS_EINVAL;
    memfs *fs = version->fs;
    uint64_t at = (uint64_t)offset & (fs->pool.page_size - 1u);
    mfs_page page;
    if (length > fs->pool.page_size || at + length > fs->pool.page_size)
        return MEMFS_EINVAL;
    if ((uint64_t)offset + length > version->size ||
        !mfs_content_pin_existing(&fs->pool, &version->content, (uint64_t)offset, &page))
        return MEMFS_ENXIO;
    mfs_fs_fill_mapping(fs, page, (size_t)at, length, out);
    return 0;
}
