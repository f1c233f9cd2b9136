/* What a content takes, where its holes are, and its part of the audit.  Nothing changes here. */
#include "content/content.h"

#include "base/num.h"

uint64_t mfs_content_allocated(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size)
{
    if (content->is_short)
        return mfs_content_short(content)->capacity;
    uint64_t end = content->is_stale ? mfs_content_first_behind(pool, size) : UINT64_MAX;
    return mfs_radix_count(pool, mfs_content_tree(content), end) << pool->page_shift;
}

uint64_t mfs_content_usage(const struct mfs_pool *pool, const struct mfs_content *content,
                           uint64_t size)
{
    if (content->is_short)
        return mfs_short_cost(pool, mfs_content_short(content));
    return mfs_content_allocated(pool, content, size) +
           mfs_radix_count_nodes(pool, mfs_content_tree(content)) * mfs_radix_node_cost(pool);
}

bool mfs_content_has_room(const struct mfs_pool *pool, const struct mfs_content *content,
                          uint64_t size)
{
    if (content->kept_end <= size)
        return true;
    if (content->is_short)
        return content->kept_end <= mfs_content_short(content)->capacity;
    uint64_t hole = mfs_radix_next_hole(pool, mfs_content_tree(content),
                                        mfs_content_first_behind(pool, size));
    return hole >= mfs_content_first_behind(pool, content->kept_end);
}

void mfs_content_tally(const struct mfs_pool *pool, const struct mfs_content *content,
                       struct mfs_tally *tally, uint64_t *short_bytes)
{
    if (!content->is_short)
        mfs_radix_tally(pool, mfs_content_tree(content), tally);
    else if (mfs_short_mark(mfs_content_short(content)))
        *short_bytes += mfs_short_cost(pool, mfs_content_short(content));
}

void mfs_content_unmark(const struct mfs_pool *pool, const struct mfs_content *content)
{
    if (content->is_short)
        mfs_short_unmark(mfs_content_short(content));
    else
        mfs_radix_tally_unmark(pool, mfs_content_tree(content));
}

uint64_t mfs_content_next_data(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset)
{
    uint64_t index = offset >> pool->page_shift;
    uint64_t found = content->is_short
                         ? (index == 0 ? 0 : MFS_NO_INDEX)
                         : mfs_radix_next_page(pool, mfs_content_tree(content), index);
    if (found == MFS_NO_INDEX)
        return MFS_NO_INDEX;
    uint64_t at = mfs_num_max_u64(offset, found << pool->page_shift);
    return at < size ? at : MFS_NO_INDEX;
}

uint64_t mfs_content_next_hole(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset)
{
    uint64_t index = offset >> pool->page_shift;
    uint64_t found = content->is_short
                         ? mfs_num_max_u64(index, 1)
                         : mfs_radix_next_hole(pool, mfs_content_tree(content), index);
    return mfs_num_min_u64(size,
                           mfs_num_max_u64(offset, mfs_num_mul_saturating(found, pool->page_size)));
}
