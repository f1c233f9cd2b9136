/*
 * 1. After a cleaning all that is there behind the size is private and zeros, but for what the
 *    growth is about to overwrite.
 * 2. Pages are dropped last: a table that became lower, or lost nodes, before the range is owned
 *    would need again what was not planned.
 *
 * Cost: in proportion to the pages behind the size that are there.
 */
#include "content/content_clean.h"

#include "base/check.h"
#include "base/num.h"
#include "memory/memory.h"
#include "pagetable/radix_edit.h"

#include <string.h>

enum { PARTS_MAX = 5 };

bool mfs_content_clean_tail(struct mfs_pool *pool, const struct mfs_content *content, uint64_t size)
{
    MFS_CHECK(!content->is_short);
    size_t at = (size_t)(size & (pool->page_size - 1));
    uint64_t index = size >> pool->page_shift;
    struct mfs_radix tree = mfs_content_tree(content);
    if (at == 0 || mfs_radix_find(pool, tree, index) == 0)
        return true;
    mfs_page page = mfs_radix_find_exclusive(pool, tree, index);
    if (page == 0)
        return false;
    memset(mfs_pool_page_bytes(pool, page) + at, 0, pool->page_size - at);
    return true;
}

void mfs_content_clean_short(struct mfs_content *content, uint64_t size)
{
    struct mfs_short *block = mfs_content_short(content);
    MFS_CHECK(mfs_short_is_exclusive(block));
    if (size < block->capacity)
        memset(block->bytes + size, 0, block->capacity - (size_t)size);
    content->is_stale = false;
    content->has_uncertain_tail = false;
}

struct mfs_cleaning mfs_content_clean_begin(const struct mfs_content_edit *edit, uint64_t first,
                                            uint64_t last)
{
    const struct mfs_pool *pool = edit->pool;
    struct mfs_cleaning cleaning = {.keep_first = edit->size >> pool->page_shift,
                                    .keep_after = mfs_content_first_behind(pool, edit->size),
                                    .drop_first = MFS_NO_INDEX,
                                    .first = first,
                                    .last = last};
    if (edit->content->is_stale) {
        cleaning.keep_after = mfs_content_clean_droppable(pool, edit->content, edit->size);
        cleaning.drop_first = cleaning.keep_after;
    }
    MFS_CHECK(cleaning.keep_first <= cleaning.keep_after);
    return cleaning;
}

/* ---------------------------------------------------------------- planning */

static void add_part(struct mfs_radix_part *parts, size_t *count, enum mfs_radix_fate fate,
                     uint64_t first, uint64_t after)
{
    MFS_CHECK(*count < PARTS_MAX);
    if (first < after)
        parts[(*count)++] = (struct mfs_radix_part){fate, first, after - 1};
}

void mfs_content_clean_plan(const struct mfs_content_edit *edit,
                            const struct mfs_cleaning *cleaning, struct mfs_need *need)
{
    struct mfs_radix_part parts[PARTS_MAX];
    size_t count = 0;
    bool has_range = cleaning->first <= cleaning->last;
    uint64_t first = has_range ? cleaning->first : MFS_NO_INDEX;
    uint64_t after = has_range ? cleaning->last + 1 : MFS_NO_INDEX;
    add_part(parts, &count, MFS_RADIX_OWNED_IF_THERE, cleaning->keep_first,
             mfs_num_min_u64(cleaning->keep_after, first));
    add_part(parts, &count, MFS_RADIX_DROPPED, cleaning->drop_first, first);
    add_part(parts, &count, MFS_RADIX_OWNED, first, after);
    add_part(parts, &count, MFS_RADIX_OWNED_IF_THERE, mfs_num_max_u64(cleaning->keep_first, after),
             cleaning->keep_after);
    add_part(parts, &count, MFS_RADIX_DROPPED, mfs_num_max_u64(cleaning->drop_first, after),
             MFS_NO_INDEX);
    mfs_radix_plan_parts(edit->pool, mfs_content_tree(edit->content), parts, count, need);
}

/* Whether that many pages and nodes are sure to be had once `freed` pages are free. */
static bool is_enough(struct mfs_pool *pool, const struct mfs_need *need, uint64_t freed)
{
    struct mfs_pool_figures figures;
    mfs_pool_figures(pool, &figures);
    uint64_t nodes_a_page = mfs_num_max_u64(pool->page_size / mfs_radix_node_cost(pool), 2) - 1;
    uint64_t pages = mfs_num_add_saturating(need->pages, need->nodes / nodes_a_page + 1);
    return pages <= mfs_num_add_saturating(figures.ordinary_bytes >> pool->page_shift, freed);
}

bool mfs_content_clean_makes_room(const struct mfs_content_edit *edit,
                                  const struct mfs_cleaning *cleaning, const struct mfs_need *need)
{
    struct mfs_pool *pool = edit->pool;
    struct mfs_radix tree = mfs_content_tree(edit->content);
    struct mfs_need to_drop = {0}, most = {0};
    struct mfs_stash nothing = {0};
    uint64_t freed = 0;
    if (cleaning->drop_first == MFS_NO_INDEX)
        return false;
    mfs_radix_plan_drop(pool, tree, cleaning->drop_first, MFS_NO_INDEX, &to_drop);
    if (to_drop.nodes != 0)
        return false;
    /* With a lower table the range may need all its nodes, and what it would have used of the pages
     * that are dropped. */
    if (cleaning->first <= cleaning->last)
        mfs_radix_plan_new(pool, cleaning->first, cleaning->last, &most);
    most.nodes += need->nodes;
    most.pages = need->pages;
    uint64_t index = mfs_radix_next_page(pool, tree, cleaning->drop_first);
    for (; index != MFS_NO_INDEX; index = mfs_radix_next_page(pool, tree, index + 1)) {
        if (mfs_radix_find_exclusive(pool, tree, index) == 0)
            continue;
        freed++;
        most.pages += index >= cleaning->first && index <= cleaning->last ? 1 : 0;
    }
    if (freed == 0 || !is_enough(pool, &most, freed))
        return false;
    mfs_radix_edit_drop(pool, &tree, cleaning->drop_first, MFS_NO_INDEX, &nothing);
    mfs_content_set_tree(edit->content, tree, &nothing);
    return true;
}

/* ---------------------------------------------------------------- changing */

/* Makes private and zeroes what is there of first .. after - 1, behind the size. */
static void own_zeroed(const struct mfs_content_edit *edit, uint64_t first, uint64_t after,
                       struct mfs_radix *tree, struct mfs_stash *stash)
{
    struct mfs_pool *pool = edit->pool;
    uint64_t at_size = edit->size >> pool->page_shift;
    uint64_t index = mfs_radix_next_page(pool, *tree, first);
    MFS_CHECK(first >= at_size);
    for (; index < after; index = mfs_radix_next_page(pool, *tree, index + 1)) {
        size_t at = index == at_size ? (size_t)(edit->size & (pool->page_size - 1)) : 0;
        mfs_page page = mfs_radix_edit_own(pool, tree, index, at, pool->page_size, stash);
        memset(mfs_pool_page_bytes(pool, page) + at, 0, pool->page_size - at);
    }
}

void mfs_content_clean_zero(const struct mfs_content_edit *edit,
                            const struct mfs_cleaning *cleaning, struct mfs_radix *tree,
                            struct mfs_stash *stash)
{
    own_zeroed(edit, cleaning->keep_first, cleaning->keep_after, tree, stash);
    if (cleaning->first <= cleaning->last && cleaning->drop_first != MFS_NO_INDEX)
        own_zeroed(edit, mfs_num_max_u64(cleaning->first, cleaning->drop_first), cleaning->last + 1,
                   tree, stash);
}

void mfs_content_clean_drop(const struct mfs_content_edit *edit,
                            const struct mfs_cleaning *cleaning, struct mfs_radix *tree,
                            struct mfs_stash *stash)
{
    bool has_range = cleaning->first <= cleaning->last;
    uint64_t drop_first = cleaning->drop_first;
    if (drop_first == MFS_NO_INDEX)
        return;
    if (has_range && drop_first < cleaning->first)
        mfs_radix_edit_drop(edit->pool, tree, drop_first, cleaning->first - 1, stash);
    if (has_range)
        drop_first = mfs_num_max_u64(drop_first, cleaning->last + 1);
    mfs_radix_edit_drop(edit->pool, tree, drop_first, MFS_NO_INDEX, stash);
}
