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
#include "content/content_clean.h"
#include "content/content_prepare.h"
#include "pagetable/radix_edit.h"
#include "pagetable/radix_plan.h"

#include <string.h>

/* ----------------------------------------------------- pages behind the size */

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
        mfs_content_clean_short(content, size);
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
    uint64_t droppable = mfs_content_clean_droppable(pool, content, size);
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
    content->is_stale = !mfs_content_clean_tail(pool, content, size) ||
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

int mfs_content_extent_grow(const struct mfs_content_edit *edit)
{
    struct mfs_content *content = edit->content;
    struct mfs_prepared prepared;
    int error = 0;
    if (content->is_short && content->is_stale) {
        error = mfs_content_prepare_short(edit, 0);
        if (error == 0)
            mfs_content_clean_short(content, edit->size);
    } else if (content->is_stale || content->has_uncertain_tail) {
        error = mfs_content_prepare_growth(edit, &prepared);
        if (error == 0)
            mfs_content_prepare_finish(edit, &prepared);
    }
    MFS_CHECK(error != 0 || (!content->is_stale && !content->has_uncertain_tail));
    MFS_CHECK_DEEP(mfs_content_is_valid(edit->pool, content, edit->size));
    return error;
}

/* ------------------------------------------------------------- allocating */

/* Makes the pages of a range private, which was prepared; the bytes stay. */
static void own_pages(const struct mfs_content_edit *edit, struct mfs_prepared *prepared)
{
    MFS_CHECK(!edit->content->is_short && prepared->cleaning.first <= prepared->cleaning.last);
    for (uint64_t index = prepared->cleaning.first; index <= prepared->cleaning.last; index++)
        (void)mfs_radix_edit_own(edit->pool, &prepared->tree, index, 0, 0, &prepared->stash);
    mfs_content_prepare_finish(edit, prepared);
}

static int allocate_short(const struct mfs_content_edit *edit, uint64_t end)
{
    bool cleans = mfs_content_clean_is_needed(edit, end, end, end);
    int error = mfs_content_prepare_short(edit, end);
    if (error == 0 && cleans)
        mfs_content_clean_short(edit->content, edit->size);
    return error;
}

int mfs_content_extent_allocate(const struct mfs_content_edit *edit, uint64_t offset,
                                uint64_t length)
{
    MFS_CHECK(length > 0 && offset + length <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    struct mfs_prepared prepared;
    int error;
    if (mfs_content_prepare_fits_short(edit, offset + length)) {
        error = allocate_short(edit, offset + length);
    } else {
        error = mfs_content_prepare_pages(edit, offset, length, offset, &prepared);
        if (error == 0)
            own_pages(edit, &prepared);
    }
    MFS_CHECK_DEEP(mfs_content_is_valid(edit->pool, edit->content, edit->size));
    return error;
}

int mfs_content_extent_pin(const struct mfs_content_edit *edit, uint64_t offset, mfs_page *out)
{
    struct mfs_pool *pool = edit->pool;
    uint64_t start = offset >> pool->page_shift << pool->page_shift;
    struct mfs_prepared prepared;
    if (mfs_content_pin_existing(pool, edit->content, offset, out))
        return 0;
    MFS_CHECK(offset < edit->size);
    int error = mfs_content_prepare_pages(edit, start, 1, start, &prepared);
    if (error != 0)
        return error;
    own_pages(edit, &prepared);
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
    struct mfs_radix_part parts[3];
    size_t count;
};

static void add_punch_part(const struct mfs_content_edit *edit, enum mfs_radix_fate fate,
                           uint64_t offset, uint64_t end, struct punch_plan *plan)
{
    unsigned shift = edit->pool->page_shift;
    if (offset < end)
        plan->parts[plan->count++] = (struct mfs_radix_part){fate, offset >> shift,
                                                             (end - 1) >> shift};
}

/* Makes the pages of the edges private and drops the whole ones, as one step that fails before it
 * changes anything. */
static int own_and_drop(const struct mfs_content_edit *edit, const struct punch_plan *plan)
{
    struct mfs_pool *pool = edit->pool;
    struct mfs_radix tree = mfs_content_tree(edit->content);
    struct mfs_need need = {.charge_from = edit->charge_from};
    struct mfs_stash stash;
    mfs_radix_plan_parts(pool, tree, plan->parts, plan->count, &need);
    int error = mfs_stash_fill(pool, &need, &stash);
    if (error != 0)
        return error;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->parts[i].fate == MFS_RADIX_OWNED_IF_THERE &&
            mfs_radix_find(pool, tree, plan->parts[i].first) != 0)
            (void)mfs_radix_edit_own(pool, &tree, plan->parts[i].first, 0, 0, &stash);
    for (size_t i = 0; i < plan->count; i++)
        if (plan->parts[i].fate == MFS_RADIX_DROPPED)
            mfs_radix_edit_drop(pool, &tree, plan->parts[i].first, plan->parts[i].last, &stash);
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
    struct punch_plan plan = {.count = 0};
    add_punch_part(edit, MFS_RADIX_OWNED_IF_THERE, offset, whole_start, &plan);
    add_punch_part(edit, MFS_RADIX_DROPPED, whole_start, whole_end, &plan);
    add_punch_part(edit, MFS_RADIX_OWNED_IF_THERE, whole_end, end, &plan);
    int error = own_and_drop(edit, &plan);
    if (error != 0)
        return error;
    zero_part(pool, edit->content, offset, whole_start);
    zero_part(pool, edit->content, whole_end, end);
    return 0;
}

/* Ends the preallocation at a hole, and gives back what is behind both that and the size. */
static void end_preallocation(const struct mfs_content_edit *edit, uint64_t hole)
{
    MFS_CHECK(hole < edit->content->preallocated_end);
    edit->content->preallocated_end = edit->content->root != 0 ? hole : 0;
    mfs_content_extent_cut(edit->pool, edit->content, edit->size);
}

int mfs_content_extent_punch(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length)
{
    MFS_CHECK(length > 0 && offset + length <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    uint64_t end = offset + length;
    int error = 0;
    if (edit->content->is_short)
        error = punch_short(edit, offset, end);
    else if (edit->content->root != 0)
        error = punch_pages(edit, offset, end);
    if (error == 0 && edit->content->preallocated_end > offset)
        end_preallocation(edit, offset);
    MFS_CHECK_DEEP(mfs_content_is_valid(edit->pool, edit->content, edit->size));
    return error;
}
