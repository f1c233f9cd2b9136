/*
 * Held contents: contents that callers hold by reference, and change apart from their file.
 *
 * A held content belongs to the caller that holds it, as a file's content belongs to the holder of
 * the node's lock.  So the functions below lock nothing but, where there is one, the file.
 */
#include "api/retry.h"
#include "base/check.h"
#include "base/num.h"
#include "content/content_compare.h"
#include "content/content_extent.h"
#include "content/content_io.h"

#include <memfs/storage.h>

static struct mfs_version *version_of(memfs_content_ref *ref)
{
    return (struct mfs_version *)(void *)ref;
}

static const struct mfs_version *const_version_of(const memfs_content_ref *ref)
{
    return (const struct mfs_version *)(const void *)ref;
}

static bool is_held(const struct mfs_version *version)
{
    return version != NULL && mfs_sync_is_marked(version->magic, MFS_VERSION_MAGIC) &&
           version->fs != NULL;
}

/* -------------------------------------------------- taking and giving back */

int memfs_content_take(memfs_file *file, memfs_content_ref *out)
{
    struct mfs_file_node *node;
    int error = mfs_handle_file(file, MFS_ANY_ACCESS, &node);
    if (error != 0)
        return error;
    if (out == NULL)
        return MEMFS_EINVAL;
    struct mfs_version *version = version_of(out);
    memfs *fs = file->fs;
    mfs_sync_lock_shared(fs->lot, &node->node.lock);
    *version = (struct mfs_version){
        .size = mfs_node_size(node), .fs = fs, .magic = mfs_sync_mark(fs->lot, MFS_VERSION_MAGIC)};
    version->reserve_use = atomic_load_explicit(&file->reserve_use, memory_order_relaxed);
    version->content = mfs_content_clone(fs->pool, &node->content);
    mfs_sync_unlock_shared(fs->lot, &node->node.lock);
    mfs_version_list_add(&fs->versions, fs->lot, version);
    return 0;
}

/* Takes the content out of a version, which is not held any more. */
static struct mfs_content release_hold(struct mfs_version *version)
{
    MFS_CHECK(is_held(version));
    mfs_version_list_remove(&version->fs->versions, version->fs->lot, version);
    struct mfs_content content = version->content;
    version->fs = NULL;
    version->magic = 0;
    return content;
}

/* The file that a held content is to be put into.  Errors: EBADF, EISDIR, EINVAL, EXDEV. */
static int check_target(const memfs_file *file, const struct mfs_version *version,
                        struct mfs_file_node **node)
{
    int error = mfs_handle_file(file, MEMFS_O_WRITE, node);
    if (error != 0)
        return error;
    if (!is_held(version))
        return MEMFS_EINVAL;
    return version->fs == file->fs ? 0 : MEMFS_EXDEV;
}

/* Swaps the file's content and size with these, in one step. */
static void swap_with_file(memfs *fs, struct mfs_file_node *node, struct mfs_content *content,
                           uint64_t *size)
{
    int64_t now = mfs_node_now(&fs->nodes);
    mfs_sync_lock_exclusive(fs->lot, &node->node.lock);
    MFS_CHECK(*size <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    uint64_t before = mfs_node_size(node);
    mfs_node_swap_content(&fs->nodes, node, content, *size);
    mfs_node_modified(&node->node, now);
    mfs_sync_unlock_exclusive(fs->lot, &node->node.lock);
    *size = before;
}

int memfs_content_restore(memfs_file *file, memfs_content_ref *ref)
{
    struct mfs_file_node *node;
    struct mfs_version *version = version_of(ref);
    int error = check_target(file, version, &node);
    if (error != 0)
        return error;
    uint64_t size = version->size;
    struct mfs_content content = release_hold(version);
    swap_with_file(file->fs, node, &content, &size);
    mfs_content_release(file->fs->pool, &content);
    return 0;
}

int memfs_content_exchange(memfs_file *file, memfs_content_ref *ref)
{
    struct mfs_file_node *node;
    struct mfs_version *version = version_of(ref);
    int error = check_target(file, version, &node);
    if (error != 0)
        return error;
    swap_with_file(file->fs, node, &version->content, &version->size);
    mfs_content_end_preallocation(&version->content);
    return 0;
}

int memfs_content_drop(memfs_content_ref *ref)
{
    struct mfs_version *version = version_of(ref);
    if (!is_held(version))
        return MEMFS_EINVAL;
    memfs *fs = version->fs;
    struct mfs_content content = release_hold(version);
    mfs_content_release(fs->pool, &content);
    return 0;
}

/* ---------------------------------------------------------------- changing */

/* One change; which fields count depends on it. */
struct content_change {
    struct mfs_version *version;
    const void *buffer;
    size_t length;
    int64_t offset;
    int64_t size; /* the new size, or the length of the range */
};

static int64_t run_change(mfs_retry_attempt attempt, const struct content_change *change)
{
    memfs *fs = is_held(change->version) ? change->version->fs : NULL;
    return mfs_retry_run(fs, attempt, change);
}

/* A change up to `end`, charged as the handle through which the content was taken was allowed. */
static struct mfs_content_edit edit_version(struct mfs_version *version, uint64_t end)
{
    return (struct mfs_content_edit){
        version->fs->pool, &version->content, version->size,
        mfs_handle_charge_of_write(version->reserve_use, version->size, end)};
}

static int64_t write_content_once(const void *operation)
{
    const struct content_change *c = operation;
    struct mfs_version *version = c->version;
    union {
        const void *in;
        void *out;
    } data = {c->buffer};
    memfs_iovec part = {data.out, c->length}; /* never written through */
    struct mfs_source source = {.parts = &part};
    uint64_t length = c->length, end;
    if (!is_held(version) || c->offset < 0 || (c->buffer == NULL && length != 0) ||
        length > (uint64_t)INT64_MAX)
        return MEMFS_EINVAL;
    if (c->length == 0)
        return 0;
    if (!mfs_num_add_u64((uint64_t)c->offset, c->length, &end) ||
        end > (uint64_t)MEMFS_FILE_SIZE_MAX)
        return MEMFS_EFBIG;
    const struct mfs_content_edit edit = edit_version(version, end);
    int error = mfs_content_io_write(&edit, (uint64_t)c->offset, c->length, &source);
    if (error != 0)
        return error;
    version->size = mfs_num_max_u64(version->size, end);
    return (int64_t)c->length;
}

int64_t memfs_content_write(memfs_content_ref *ref, const void *buffer, size_t length,
                            int64_t offset)
{
    struct content_change change = {
        .version = version_of(ref), .buffer = buffer, .length = length, .offset = offset};
    return run_change(write_content_once, &change);
}

static int64_t truncate_content_once(const void *operation)
{
    const struct content_change *c = operation;
    struct mfs_version *version = c->version;
    if (!is_held(version) || c->size < 0)
        return MEMFS_EINVAL;
    uint64_t size = (uint64_t)c->size;
    const struct mfs_content_edit edit = edit_version(version, size);
    int error = 0;
    if (size <= version->size)
        mfs_content_extent_cut(edit.pool, &version->content, size);
    else
        error = mfs_content_extent_grow(&edit);
    if (error == 0)
        version->size = size;
    return error;
}

int memfs_content_truncate(memfs_content_ref *ref, int64_t size)
{
    struct content_change change = {.version = version_of(ref), .size = size};
    return (int)run_change(truncate_content_once, &change);
}

/* Runs what works on a range of a content, as allocating and punching do. */
static int64_t change_extent(const struct content_change *c,
                             int (*operate)(const struct mfs_content_edit *edit, uint64_t offset,
                                            uint64_t length))
{
    if (!is_held(c->version) || c->offset < 0 || c->size <= 0)
        return MEMFS_EINVAL;
    if (c->size > MEMFS_FILE_SIZE_MAX - c->offset)
        return MEMFS_EFBIG;
    uint64_t offset = (uint64_t)c->offset, length = (uint64_t)c->size;
    const struct mfs_content_edit edit = edit_version(c->version, offset + length);
    return operate(&edit, offset, length);
}

static int64_t allocate_content_once(const void *operation)
{
    return change_extent(operation, mfs_content_extent_allocate);
}

int memfs_content_allocate(memfs_content_ref *ref, int64_t offset, int64_t length)
{
    struct content_change change = {.version = version_of(ref), .offset = offset, .size = length};
    return (int)run_change(allocate_content_once, &change);
}

static int64_t punch_content_once(const void *operation)
{
    return change_extent(operation, mfs_content_extent_punch);
}

int memfs_content_punch(memfs_content_ref *ref, int64_t offset, int64_t length)
{
    struct content_change change = {.version = version_of(ref), .offset = offset, .size = length};
    return (int)run_change(punch_content_once, &change);
}

/* ----------------------------------------------------------------- reading */

int64_t memfs_content_seek(const memfs_content_ref *ref, int64_t offset, int whence)
{
    const struct mfs_version *version = const_version_of(ref);
    if (!is_held(version) || (whence != MEMFS_SEEK_DATA && whence != MEMFS_SEEK_HOLE))
        return MEMFS_EINVAL;
    if (offset < 0 || (uint64_t)offset >= version->size)
        return MEMFS_ENXIO;
    const struct mfs_pool *pool = version->fs->pool;
    uint64_t found = whence == MEMFS_SEEK_DATA
                         ? mfs_content_next_data(pool, &version->content, version->size,
                                                 (uint64_t)offset)
                         : mfs_content_next_hole(pool, &version->content, version->size,
                                                 (uint64_t)offset);
    return found != MFS_NO_INDEX ? (int64_t)found : MEMFS_ENXIO;
}

int64_t memfs_content_read(const memfs_content_ref *ref, void *buffer, size_t length,
                           int64_t offset)
{
    const struct mfs_version *version = const_version_of(ref);
    uint64_t wanted = length;
    if (!is_held(version) || offset < 0 || (buffer == NULL && length != 0) ||
        wanted > (uint64_t)INT64_MAX)
        return MEMFS_EINVAL;
    uint64_t n = mfs_num_min_u64(wanted, mfs_num_sub_saturating(version->size, (uint64_t)offset));
    memfs_iovec part = {buffer, length};
    struct mfs_sink sink = {.parts = &part};
    if (n > 0)
        mfs_content_io_read(version->fs->pool, &version->content, (uint64_t)offset, n, &sink);
    return (int64_t)n;
}

int memfs_content_map(const memfs_content_ref *ref, int64_t offset, size_t length,
                      memfs_mapping *out)
{
    const struct mfs_version *version = const_version_of(ref);
    if (out == NULL || !is_held(version) || offset < 0 || length == 0)
        return MEMFS_EINVAL;
    memfs *fs = version->fs;
    uint64_t at = (uint64_t)offset & (fs->pool->page_size - 1u);
    mfs_page page;
    if (length > fs->pool->page_size || at + length > fs->pool->page_size)
        return MEMFS_EINVAL;
    if ((uint64_t)offset + length > version->size ||
        !mfs_content_pin_existing(fs->pool, &version->content, (uint64_t)offset, &page))
        return MEMFS_ENXIO;
    mfs_fs_fill_mapping(fs, page, (size_t)at, length, out);
    return 0;
}

/* ---------------------------------------------------------------- comparing */

int memfs_content_compare(const memfs_content_ref *one, const memfs_content_ref *other,
                          int64_t offset, int64_t *start, int64_t *end)
{
    const struct mfs_version *first = const_version_of(one), *second = const_version_of(other);
    struct mfs_content_range range;
    if (!is_held(first) || !is_held(second) || offset < 0 || start == NULL || end == NULL)
        return MEMFS_EINVAL;
    const struct mfs_pool *pool = first->fs->pool;
    if (second->fs->pool != pool)
        return MEMFS_EXDEV;
    if (!mfs_content_compare_next(pool, (struct mfs_content_sized){&first->content, first->size},
                                  (struct mfs_content_sized){&second->content, second->size},
                                  (uint64_t)offset, &range))
        return 0;
    *start = (int64_t)range.start;
    *end = (int64_t)range.end;
    return 1;
}
