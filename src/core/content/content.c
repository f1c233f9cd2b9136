/*
 * 1. Bytes behind the size, in pages and shorts, are zeros, unless `is_stale`; and those in the
 *    page in which the size lies, unless `has_uncertain_tail`.
 * 2. A short is at most half a page and stands for page 0; there is then no page table.  A content
 *    that has become paged stays so until it is empty.
 * 3. A stale content is cleaned before its size grows; an uncertain tail before the size grows by
 *    more than what is appended right behind it.
 *
 * Cost: cloning and asking for counts take constant time, or a step a level of the page table; only
 * mfs_content_usage() walks it all.
 *
 * Left undone on purpose: a paged content that is cut to a few bytes does not become short again,
 * since cutting must not need memory.
 */
#include "content/content.h"

#include "base/check.h"
#include "base/num.h"
#include "pagetable/radix_ref.h"

#include <string.h>

struct mfs_content mfs_content_clone(struct mfs_pool *pool, const struct mfs_content *content)
{
    if (content->is_short)
        mfs_short_retain(mfs_content_short(content));
    else
        mfs_radix_ref_retain(pool, mfs_content_tree(content));
    struct mfs_content clone = *content;
    mfs_content_end_preallocation(&clone);
    MFS_CHECK(clone.root == content->root && clone.preallocated_end == 0);
    return clone;
}

void mfs_content_release(struct mfs_pool *pool, struct mfs_content *content)
{
    MFS_CHECK(!content->is_short || (content->root != 0 && content->height == 0));
    if (content->is_short)
        mfs_short_release(pool, mfs_content_short(content));
    else
        mfs_radix_ref_release(pool, mfs_content_tree(content));
    *content = (struct mfs_content){0};
}

void mfs_content_end_preallocation(struct mfs_content *content)
{
    content->is_stale = content->is_stale || content->preallocated_end != 0;
    content->preallocated_end = 0;
}

bool mfs_content_pin_existing(struct mfs_pool *pool, const struct mfs_content *content,
                              uint64_t offset, mfs_page *out)
{
    mfs_page page = mfs_radix_find(pool, mfs_content_tree(content), offset >> pool->page_shift);
    if (page == 0)
        return false;
    MFS_CHECK(!content->is_short);
    mfs_page_pin(pool, page);
    *out = page;
    return true;
}

/* ----------------------------------------------------------------- figures */

/* The first page that storage of a file of `size` bytes does not count: old pages may follow. */
static uint64_t end_of_storage(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size)
{
    return content->is_stale ? mfs_content_first_behind(pool, size) : UINT64_MAX;
}

uint64_t mfs_content_allocated(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size)
{
    if (content->is_short)
        return mfs_content_short(content)->capacity;
    return mfs_radix_count(pool, mfs_content_tree(content), end_of_storage(pool, content, size))
           << pool->page_shift;
}

uint64_t mfs_content_own(struct mfs_pool *pool, const struct mfs_content *content, uint64_t size)
{
    if (!content->is_short)
        return mfs_radix_count_own(pool, mfs_content_tree(content),
                                   end_of_storage(pool, content, size))
               << pool->page_shift;
    const struct mfs_short *block = mfs_content_short(content);
    return mfs_short_is_exclusive(block) ? block->capacity : 0;
}

uint64_t mfs_content_usage(const struct mfs_pool *pool, const struct mfs_content *content,
                           uint64_t size)
{
    if (content->is_short)
        return mfs_short_cost(pool, mfs_content_short(content));
    return mfs_content_allocated(pool, content, size) +
           mfs_radix_count_nodes(pool, mfs_content_tree(content)) * mfs_radix_node_cost(pool);
}

uint64_t mfs_content_next_data(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset)
{
    uint64_t index = offset >> pool->page_shift;
    if (!content->is_short)
        index = mfs_radix_next_page(pool, mfs_content_tree(content), index);
    else if (index > 0)
        return MFS_NO_INDEX;
    if (index == MFS_NO_INDEX)
        return MFS_NO_INDEX;
    uint64_t at = mfs_num_max_u64(offset, index << pool->page_shift);
    MFS_CHECK(index >= offset >> pool->page_shift);
    return at < size ? at : MFS_NO_INDEX;
}

uint64_t mfs_content_next_hole(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset)
{
    uint64_t index = offset >> pool->page_shift;
    if (content->is_short)
        index = mfs_num_max_u64(index, 1);
    else
        index = mfs_radix_next_hole(pool, mfs_content_tree(content), index);
    uint64_t start = mfs_num_mul_saturating(index, pool->page_size);
    MFS_CHECK(index >= offset >> pool->page_shift);
    return mfs_num_min_u64(size, mfs_num_max_u64(offset, start));
}

/* ------------------------------------------------------------------ checks */

bool mfs_content_has_preallocated(const struct mfs_pool *pool, const struct mfs_content *content,
                                  uint64_t size)
{
    if (content->preallocated_end <= size)
        return true;
    if (content->is_short)
        return content->preallocated_end <= mfs_content_short(content)->capacity;
    uint64_t hole = mfs_radix_next_hole(pool, mfs_content_tree(content),
                                        mfs_content_first_behind(pool, size));
    return hole >= mfs_content_first_behind(pool, content->preallocated_end);
}

/* Compares the bytes with their neighbours, which memcmp() does faster than a loop. */
static bool are_zeros(const unsigned char *bytes, size_t from, size_t to)
{
    MFS_CHECK(from < to);
    return bytes[from] == 0 && memcmp(bytes + from, bytes + from + 1, to - from - 1) == 0;
}

bool mfs_content_is_valid(const struct mfs_pool *pool, const struct mfs_content *content,
                          uint64_t size)
{
    uint64_t index = size >> pool->page_shift;
    size_t at = (size_t)(size & (pool->page_size - 1));
    bool is_clean = !content->is_stale && !content->has_uncertain_tail;
    if (content->is_short) {
        const struct mfs_short *block = mfs_content_short(content);
        return content->root != 0 && content->height == 0 &&
               block->capacity <= mfs_short_max(pool) &&
               (!is_clean || size >= block->capacity ||
                are_zeros(block->bytes, (size_t)size, block->capacity));
    }
    struct mfs_radix tree = mfs_content_tree(content);
    if (!mfs_radix_is_valid(pool, tree, index))
        return false;
    mfs_page page = mfs_radix_find(pool, tree, index);
    return page == 0 || !is_clean ||
           are_zeros(mfs_pool_page_bytes(pool, page), at, pool->page_size);
}
