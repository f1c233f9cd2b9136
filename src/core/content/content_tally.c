/* A content is its short or its page table; both have marks of their own. */
#include "content/content_tally.h"

void mfs_content_tally(const struct mfs_pool *pool, const struct mfs_content *content,
                       struct mfs_tally *tally, uint64_t *short_bytes)
{
    if (!content->is_short)
        mfs_radix_tally(pool, mfs_content_tree(content), tally);
    else if (mfs_short_mark(mfs_content_short(content)))
        *short_bytes += mfs_short_cost(pool, mfs_content_short(content));
}

void mfs_content_tally_unmark(const struct mfs_pool *pool, const struct mfs_content *content)
{
    if (content->is_short)
        mfs_short_unmark(mfs_content_short(content));
    else
        mfs_radix_tally_unmark(pool, mfs_content_tree(content));
}
