/*
 * 1. Cutting takes no memory.  Where it would have to write what is shared, it leaves the content
 *    stale instead.
 * 2. All else plans what it needs, fills a stash with it, and then changes; only the filling can
 *    fail.
 * 3. After a change nothing is preallocated behind a hole.
 *
 * Cost: in proportion to the pages behind the size that are there (cutting, growing), or to the
 * range (allocating, punching); holes cost a step a level of the page table.
 */
#include "content/content_extent.h"

#include "base/check.h"
#include "base/num.h"
#include "content/content_prepare.h"
#include "pagetable/radix_edit.h"
#include "pagetable/radix_plan.h"

#include <string.h>

/* ----------------------------------------------------- pages behind the size */

/* Zeroes the rest of the page in which `size` lies, if that page may be written. */
static bool zero_tail(struct mfs_pool *pool, const struct mfs_content *content, uint64_t size)
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

/* Zeroes the whole pages first .. after - 1, as far as they are there; they are private. */
static void zero_pages(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first, uint64_t after)
{
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < after; index = mfs_radix_next_page(pool, tree, index + 1)) {
        mfs_page page = mfs_radix_find(pool, tree, index);
        MFS_CHECK(mfs_page_is_exclusive(pool, page));
        memset(mfs_pool_page_bytes(pool, page), 0, pool->page_size);
    }
}

/* True if none of those pages is shared, nor the way to it. */
static bool are_private(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                        uint64_t after)
{
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < after; index = mfs_radix_next_page(pool, tree, index + 1))
        if (mfs_radix_find_exclusive(pool, tree, index) == 0)
            return false;
    return true;
}

/* The first page that lies wholly behind both the size and the preallocation. */
static uint64_t first_droppable(const struct mfs_pool *pool, const struct mfs_content *content,
                                uint64_t size)
{
    return mfs_content_first_behind(pool, mfs_num_max_u64(size, content->preallocated_end));
}

/* ------------------------------------------------------------------ cutting */

static void cut_short(struct mfs_content *content, uint64_t size)
{
    struct mfs_short *block = mfs_content_short(content);
    /* Where the preallocation ended below the size, a hole was there; it may still be one. */
    if (content->preallocated_end > size && content->preallocated_end > block->capacity)
        content->preallocated_end = block->capacity > size ? block->capacity : 0;
    if (size >= block->capacity)
        return;
    if (mfs_short_is_exclusive(block))
        memset(block->bytes + size, 0, block->capacity - (size_t)size);
    else
        content->is_stale = true;
}

/* Ends the preallocation at the first hole behind the size. */
static void end_preallocation_at_hole(const struct mfs_pool *pool, struct mfs_content *content,
                                      uint64_t size)
{
    if (content->preallocated_end <= size)
        return;
    uint64_t hole = mfs_radix_next_hole(pool, mfs_content_tree(content), size >> pool->page_shift);
    uint64_t end = mfs_num_mul_saturating(hole, pool->page_size);
    if (end < content->preallocated_end)
        content->preallocated_end = end > size ? end : 0;
    MFS_CHECK(content->preallocated_end == 0 || content->preallocated_end > size);
}

static void cut_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    struct mfs_need need = {0};
    struct mfs_radix tree = mfs_content_tree(content);
    end_preallocation_at_hole(pool, content, size);
    uint64_t droppable = first_droppable(pool, content, size);
    uint64_t behind = mfs_content_first_behind(pool, size);
    mfs_radix_plan_drop(pool, tree, droppable, MFS_NO_INDEX, &need);
    if (need.nodes != 0) {
        content->is_stale = true;
        return;
    }
    struct mfs_stash nothing = {0};
    MFS_CHECK(need.pages == 0 && behind <= droppable);
    mfs_radix_edit_drop(pool, &tree, droppable, MFS_NO_INDEX, &nothing);
    mfs_content_set_tree(content, tree, &nothing);
    content->has_uncertain_tail = false;
    content->is_stale = !zero_tail(pool, content, size) ||
                        !are_private(pool, tree, behind, droppable);
    if (!content->is_stale)
        zero_pages(pool, tree, behind, droppable);
}

void mfs_content_extent_cut(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    if (size == 0 && content->preallocated_end == 0)
        mfs_content_release(pool, content);
    else if (content->is_short)
        cut_short(content, size);
    else
        cut_pages(pool, content, size);
    MFS_CHECK_DEEP(mfs_content_is_valid(pool, content, size));
    MFS_CHECK_DEEP(mfs_content_has_preallocated(pool, content, size));
}

/* ------------------------------------------------------------------ growing */

/*
 * Cleans a stale content: drops what neither the size nor the preallocation reaches, and zeroes
 * what is left behind the size, in pages that are made private for that.
 */
static int clean_pages(const struct mfs_content_edit *edit)
{
    struct mfs_pool *pool = edit->pool;
    struct mfs_radix tree = mfs_content_tree(edit->content);
    struct mfs_need need = {.charge_from = edit->charge_from};
    struct mfs_stash stash;
    uint64_t first = edit->size >> pool->page_shift;
    uint64_t droppable = first_droppable(pool, edit->content, edit->size);
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < droppable; index = mfs_radix_next_page(pool, tree, index + 1))
        mfs_radix_plan_own(pool, tree, index, index, &need);
    mfs_radix_plan_drop(pool, tree, droppable, MFS_NO_INDEX, &need);
    int error = mfs_stash_fill(pool, &need, &stash);
    if (error != 0)
        return error;
    index = mfs_radix_next_page(pool, tree, first);
    for (; index < droppable; index = mfs_radix_next_page(pool, tree, index + 1))
        (void)mfs_radix_edit_own(pool, &tree, index, 0, 0, &stash);
    mfs_radix_edit_drop(pool, &tree, droppable, MFS_NO_INDEX, &stash);
    mfs_content_set_tree(edit->content, tree, &stash);
    mfs_stash_release(pool, &stash);
    bool is_zeroed = zero_tail(pool, edit->content, edit->size);
    MFS_CHECK(is_zeroed);
    zero_pages(pool, tree, mfs_content_first_behind(pool, edit->size), droppable);
    return 0;
}

static int clean_short(const struct mfs_content_edit *edit)
{
    int error = mfs_content_prepare_short(edit, 0);
    if (error == 0) {
        MFS_CHECK(mfs_short_is_exclusive(mfs_content_short(edit->content)));
        cut_short(edit->content, edit->size);
    }
    return error;
}

/* Zeroes an uncertain tail, in a page that is made private for that. */
static int clear_tail(const struct mfs_content_edit *edit)
{
    struct mfs_pool *pool = edit->pool;
    struct mfs_radix tree = mfs_content_tree(edit->content);
    uint64_t index = edit->size >> pool->page_shift;
    size_t at = (size_t)(edit->size & (pool->page_size - 1));
    if (at != 0 && mfs_radix_find(pool, tree, index) != 0) {
        mfs_page page;
        struct mfs_stash stash = {0};
        int error = mfs_radix_edit_own_one(pool, edit->charge_from, &tree, index, at,
                                           pool->page_size, &stash, &page);
        if (error != 0)
            return error;
        mfs_content_set_tree(edit->content, tree, &stash);
        memset(mfs_pool_page_bytes(pool, page) + at, 0, pool->page_size - at);
    }
    edit->content->has_uncertain_tail = false;
    return 0;
}

int mfs_content_extent_grow(const struct mfs_content_edit *edit)
{
    struct mfs_content *content = edit->content;
    int error = content->has_uncertain_tail ? clear_tail(edit) : 0;
    if (error == 0 && content->is_stale) {
        error = content->is_short ? clean_short(edit) : clean_pages(edit);
        content->is_stale = error != 0;
    }
    MFS_CHECK(error != 0 || (!content->is_stale && !content->has_uncertain_tail));
    MFS_CHECK_DEEP(mfs_content_is_valid(edit->pool, content, edit->size));
    return error;
}

/* ------------------------------------------------------------- allocating */

/* Makes the pages of a range private, which was prepared; the bytes stay. */
static void own_pages(const struct mfs_content_edit *edit, uint64_t first, uint64_t last,
                      struct mfs_stash *stash)
{
    MFS_CHECK(!edit->content->is_short && first <= last);
    struct mfs_radix tree = mfs_content_tree(edit->content);
    for (uint64_t index = first; index <= last; index++)
        (void)mfs_radix_edit_own(edit->pool, &tree, index, 0, 0, stash);
    mfs_content_set_tree(edit->content, tree, stash);
    mfs_stash_release(edit->pool, stash);
}

int mfs_content_extent_allocate(const struct mfs_content_edit *edit, uint64_t offset,
                                uint64_t length)
{
    MFS_CHECK(length > 0 && offset + length <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    uint64_t end = offset + length;
    struct mfs_stash stash;
    int error = end > edit->size ? mfs_content_extent_grow(edit) : 0;
    if (error != 0)
        return error;
    if (mfs_content_prepare_fits_short(edit, end))
        return mfs_content_prepare_short(edit, end);
    error = mfs_content_prepare_pages(edit, offset, length, offset, &stash);
    if (error != 0)
        return error;
    own_pages(edit, offset >> edit->pool->page_shift, (end - 1) >> edit->pool->page_shift, &stash);
    MFS_CHECK_DEEP(mfs_content_is_valid(edit->pool, edit->content, edit->size));
    return 0;
}

int mfs_content_extent_pin(const struct mfs_content_edit *edit, uint64_t offset, mfs_page *out)
{
    struct mfs_pool *pool = edit->pool;
    uint64_t index = offset >> pool->page_shift;
    uint64_t start = index << pool->page_shift;
    struct mfs_stash stash;
    if (mfs_content_pin_existing(pool, edit->content, offset, out))
        return 0;
    int error = mfs_content_prepare_pages(edit, start, 1, start, &stash);
    if (error != 0)
        return error;
    own_pages(edit, index, index, &stash);
    bool is_there = mfs_content_pin_existing(pool, edit->content, offset, out);
    MFS_CHECK(is_there);
    return 0;
}

/* ---------------------------------------------------------------- punching */

static int punch_short(const struct mfs_content_edit *edit, uint64_t offset, uint64_t end)
{
    uint32_t capacity = mfs_content_short(edit->content)->capacity;
    if (offset >= capacity)
        return 0;
    if (offset == 0 && end >= capacity) {
        mfs_content_release(edit->pool, edit->content);
        return 0;
    }
    int error = mfs_content_prepare_short(edit, 0);
    if (error == 0)
        memset(mfs_content_short(edit->content)->bytes + offset, 0,
               (size_t)(mfs_num_min_u64(end, capacity) - offset));
    return error;
}

/* Zeroes part of one page, if that is there and private. */
static void zero_part(struct mfs_pool *pool, const struct mfs_content *content, uint64_t offset,
                      uint64_t end)
{
    if (offset >= end)
        return;
    MFS_CHECK(offset >> pool->page_shift == (end - 1) >> pool->page_shift);
    mfs_page page = mfs_radix_find(pool, mfs_content_tree(content), offset >> pool->page_shift);
    if (page == 0)
        return;
    MFS_CHECK(mfs_page_is_exclusive(pool, page));
    memset(mfs_pool_page_bytes(pool, page) + (offset & (pool->page_size - 1)), 0,
           (size_t)(end - offset));
}

/*
 * How a range is punched out of a page table:
 *
 *     offset   whole_start          whole_end   end
 *       | edge |  whole pages           | edge |          the edges may be empty
 *
 * Whole pages are dropped.  The edges lie in pages that keep other bytes, so those pages are made
 * private, to be zeroed in part; where they are holes nothing is done.
 */
struct punch_plan {
    uint64_t drop_first, drop_after; /* nothing to drop if they are equal */
    uint64_t own[2];                 /* MFS_NO_INDEX: none */
};

static struct punch_plan plan_punch(const struct mfs_content_edit *edit, uint64_t offset,
                                    uint64_t whole_start, uint64_t whole_end, uint64_t end)
{
    const struct mfs_pool *pool = edit->pool;
    struct mfs_radix tree = mfs_content_tree(edit->content);
    struct punch_plan plan = {.own = {MFS_NO_INDEX, MFS_NO_INDEX}};
    if (whole_start < whole_end) {
        plan.drop_first = whole_start >> pool->page_shift;
        plan.drop_after = whole_end >> pool->page_shift;
    }
    if (offset < whole_start && mfs_radix_find(pool, tree, offset >> pool->page_shift) != 0)
        plan.own[0] = offset >> pool->page_shift;
    if (whole_end < end && mfs_radix_find(pool, tree, whole_end >> pool->page_shift) != 0)
        plan.own[1] = whole_end >> pool->page_shift;
    return plan;
}

/* Makes the pages of the edges private and drops the whole ones, as one step that fails before it
 * changes anything. */
static int own_and_drop(const struct mfs_content_edit *edit, const struct punch_plan *plan)
{
    struct mfs_pool *pool = edit->pool;
    struct mfs_radix tree = mfs_content_tree(edit->content);
    struct mfs_need need = {.charge_from = edit->charge_from};
    struct mfs_stash stash;
    for (int i = 0; i < 2; i++)
        if (plan->own[i] != MFS_NO_INDEX)
            mfs_radix_plan_own(pool, tree, plan->own[i], plan->own[i], &need);
    bool drops = plan->drop_first < plan->drop_after;
    if (drops)
        mfs_radix_plan_drop(pool, tree, plan->drop_first, plan->drop_after - 1, &need);
    int error = mfs_stash_fill(pool, &need, &stash);
    if (error != 0)
        return error;
    for (int i = 0; i < 2; i++)
        if (plan->own[i] != MFS_NO_INDEX)
            (void)mfs_radix_edit_own(pool, &tree, plan->own[i], 0, 0, &stash);
    if (drops)
        mfs_radix_edit_drop(pool, &tree, plan->drop_first, plan->drop_after - 1, &stash);
    mfs_content_set_tree(edit->content, tree, &stash);
    mfs_stash_release(pool, &stash);
    return 0;
}

static int punch_pages(const struct mfs_content_edit *edit, uint64_t offset, uint64_t end)
{
    struct mfs_pool *pool = edit->pool;
    uint64_t first = mfs_content_first_behind(pool, offset);
    uint64_t after = end >> pool->page_shift;
    uint64_t whole_start = mfs_num_min_u64(first << pool->page_shift, end);
    uint64_t whole_end = mfs_num_max_u64(after << pool->page_shift, whole_start);
    MFS_CHECK(offset <= whole_start && whole_start <= whole_end && whole_end <= end);
    struct punch_plan plan = plan_punch(edit, offset, whole_start, whole_end, end);
    int error = own_and_drop(edit, &plan);
    if (error != 0)
        return error;
    zero_part(pool, edit->content, offset, whole_start);
    zero_part(pool, edit->content, whole_end, end);
    return 0;
}

int mfs_content_extent_punch(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length)
{
    MFS_CHECK(length > 0 && offset + length <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    uint64_t end = offset + length;
    uint64_t preallocated_end = mfs_num_min_u64(edit->content->preallocated_end, offset);
    int error = 0;
    if (edit->content->is_short)
        error = punch_short(edit, offset, end);
    else if (edit->content->root != 0)
        error = punch_pages(edit, offset, end);
    if (error == 0)
        edit->content->preallocated_end = preallocated_end;
    MFS_CHECK_DEEP(mfs_content_is_valid(edit->pool, edit->content, edit->size));
    return error;
}
