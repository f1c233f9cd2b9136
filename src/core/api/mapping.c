/*
 * Mappings of pages.
 *
 * A mapping pins its page, which then stays where it is until it is unmapped.  A page that is
 * there is pinned under the node's lock held shared; only making one needs the lock exclusive.
 */
#include "api/retry.h"
#include "base/check.h"
#include "content/content_extent.h"

#include <memfs/storage.h>

struct map_request {
    memfs_file *file;
    int64_t offset;
    size_t length;
    bool makes_page; /* where there is none */
    memfs_mapping *out;
};

/* Pins the page if it is there; `*out` is 0 where it is not.  ENXIO: the range leaves the file. */
static int pin_present(memfs *fs, struct mfs_file_node *node, uint64_t offset, size_t length,
                       mfs_page *out)
{
    mfs_sync_lock_shared(fs->lot, &node->node.lock);
    bool is_inside = offset + length <= mfs_node_size(node);
    if (!is_inside || !mfs_content_pin_existing(fs->pool, &node->content, offset, out))
        *out = 0;
    mfs_sync_unlock_shared(fs->lot, &node->node.lock);
    return is_inside ? 0 : MEMFS_ENXIO;
}

/* Pins the page, which is made if there is none. */
static int pin_or_make(memfs *fs, struct mfs_file_node *node, uint64_t offset, size_t length,
                       mfs_page *out)
{
    int error = pin_present(fs, node, offset, length, out);
    if (error != 0 || *out != 0)
        return error;
    mfs_sync_lock_exclusive(fs->lot, &node->node.lock);
    const struct mfs_content_edit edit = {fs->pool, &node->content, mfs_node_size(node),
                                          MFS_CHARGE_ORDINARY};
    if (offset + length > edit.size)
        error = MEMFS_ENXIO;
    else
        error = mfs_content_extent_pin(&edit, offset, out);
    mfs_sync_unlock_exclusive(fs->lot, &node->node.lock);
    return error;
}

static int64_t map_once(const void *operation)
{
    const struct map_request *r = operation;
    struct mfs_file_node *node;
    int error = mfs_handle_file(r->file, MEMFS_O_READ, &node);
    if (error != 0)
        return error;
    memfs *fs = r->file->fs;
    uint64_t page_size = fs->pool->page_size;
    if (r->out == NULL || r->offset < 0 || r->length == 0 || r->length > page_size)
        return MEMFS_EINVAL;
    uint64_t offset = (uint64_t)r->offset;
    uint64_t at = offset & (page_size - 1);
    if (at + r->length > page_size)
        return MEMFS_EINVAL;
    mfs_page page;
    error = r->makes_page ? pin_or_make(fs, node, offset, r->length, &page)
                          : pin_present(fs, node, offset, r->length, &page);
    if (error == 0 && page == 0)
        error = MEMFS_ENXIO;
    if (error != 0)
        return error;
    MFS_CHECK(at + r->length <= page_size);
    mfs_fs_fill_mapping(fs, page, (size_t)at, r->length, r->out);
    return 0;
}

int memfs_map(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out)
{
    struct map_request request = {file, offset, length, true, out};
    return (int)mfs_retry_run(mfs_retry_fs_of(file), map_once, &request);
}

int memfs_map_present(memfs_file *file, int64_t offset, size_t length, memfs_mapping *out)
{
    struct map_request request = {file, offset, length, false, out};
    return (int)map_once(&request);
}

uint64_t memfs_mapping_generation(memfs_file *file)
{
    struct mfs_file_node *node;
    if (mfs_handle_file(file, MFS_ANY_ACCESS, &node) != 0)
        return 0;
    return atomic_load_explicit(&node->page_changes, memory_order_acquire);
}

int memfs_unmap(memfs_mapping *mapping)
{
    if (mapping == NULL)
        return MEMFS_EINVAL;
    memfs *fs = mapping->opaque[0];
    if (!mfs_fs_is_valid(fs))
        return MEMFS_EBADF;
    mfs_page_unpin(fs->pool, (mfs_page)mapping->opaque[1]);
    uint64_t before = atomic_fetch_sub(&fs->mappings, 1);
    MFS_CHECK(before != 0);
    *mapping = (memfs_mapping){0};
    return 0;
}
