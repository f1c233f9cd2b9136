/*
 * Contents that share their storage have it at the same offset, so two contents differ at most
 * where their pages are not the same pages.  A short stands for page 0.
 *
 * A stale content, and an uncertain tail, have other bytes in storage than the file shows, but only
 * behind the size; and what lies behind the smaller size is taken for different anyway.
 *
 * Cost: that of radix_compare for each page of the range, however much the contents share.
 */
#include "content/content_compare.h"

#include "base/check.h"
#include "base/num.h"
#include "pagetable/radix_compare.h"

/* Whether page 0 is the same; a short is compared as a whole. */
static bool has_same_short(const struct mfs_content *one, const struct mfs_content *other)
{
    return one->is_short == other->is_short && (!one->is_short || one->root == other->root);
}

/* The first page at or after `index` that is not the same page. */
static uint64_t next_page(const struct mfs_pool *pool, const struct mfs_content *one,
                          const struct mfs_content *other, uint64_t index)
{
    if (index == 0 && !has_same_short(one, other))
        return 0;
    return mfs_radix_compare_next(pool, mfs_content_tree(one), mfs_content_tree(other), index);
}

bool mfs_content_compare_next(const struct mfs_pool *pool, struct mfs_content_sized one,
                              struct mfs_content_sized other, uint64_t from,
                              struct mfs_content_range *out)
{
    uint64_t common = mfs_num_min_u64(one.size, other.size);
    uint64_t all = mfs_num_max_u64(one.size, other.size);
    uint64_t first = mfs_content_first_behind(pool, common);
    if (from < common)
        first = next_page(pool, one.content, other.content, from >> pool->page_shift);
    if (first >= mfs_content_first_behind(pool, common)) {
        out->start = mfs_num_max_u64(from, common);
        out->end = all;
        return out->start < all;
    }
    uint64_t last = first;
    while (last + 1 < mfs_content_first_behind(pool, common) &&
           next_page(pool, one.content, other.content, last + 1) == last + 1)
        last++;
    out->start = mfs_num_max_u64(from, first << pool->page_shift);
    out->end = (last + 1) << pool->page_shift;
    if (out->end >= common)
        out->end = all;
    MFS_CHECK(out->start < out->end);
    return true;
}
