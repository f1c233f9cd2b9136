/*
 * 1. A failed preparation leaves the content as it was, the pages included.  There is one
 *    exception: what a cut had to leave behind the size is dropped, where the growth is sure to
 *    fit with that, and the room that it makes may be taken by another thread.
 * 2. A successful one changes how bytes are stored, not what is read.
 *
 * Cost: a short that grows is copied, a handful of times before it is a page.
 */
#include "content/content_prepare.h"

#include "base/check.h"
#include "base/num.h"

#include <string.h>

int mfs_content_prepare_new_short(const struct mfs_content_edit *edit, uint64_t bytes)
{
    struct mfs_content *content = edit->content;
    struct mfs_short *old = content->is_short ? mfs_content_short(content) : NULL;
    if (old != NULL)
        bytes = mfs_num_max_u64(bytes, old->capacity);
    struct mfs_short *block;
    int error = mfs_short_create(edit->pool, edit->charge_from, bytes, &block);
    if (error != 0)
        return error;
    if (old != NULL) {
        memcpy(block->bytes, old->bytes, old->capacity);
        mfs_short_release(edit->pool, old);
    }
    content->root = (uintptr_t)block;
    content->height = 0;
    content->is_short = true;
    MFS_CHECK(block->capacity >= bytes && mfs_short_is_exclusive(block));
    return 0;
}

/* Turns a short into a page from the stash, whose bytes `from` .. `to` will be overwritten. */
static void turn_into_page(const struct mfs_content_edit *edit, size_t from, size_t to,
                           struct mfs_prepared *prepared)
{
    struct mfs_short *old = mfs_content_short(edit->content);
    mfs_page page = mfs_page_list_pop(edit->pool, &prepared->stash.pages);
    unsigned char *bytes = mfs_pool_page_bytes(edit->pool, page);
    size_t filled = old->capacity;
    if (prepared->cleans)
        filled = (size_t)mfs_num_min_u64(filled, edit->size);
    memcpy(bytes, old->bytes, filled);
    memset(bytes + filled, 0, mfs_num_max_size(from, filled) - filled);
    filled = mfs_num_max_size(filled, to);
    memset(bytes + filled, 0, edit->pool->page_size - filled);
    mfs_short_release(edit->pool, old);
    prepared->tree = (struct mfs_radix){page, 0};
    if (prepared->cleans)
        edit->content->is_stale = false;
    prepared->cleans = false;
    MFS_CHECK(!edit->content->has_uncertain_tail);
    mfs_content_set_tree(edit->content, prepared->tree, &prepared->stash);
}

static void plan_pages(const struct mfs_content_edit *edit, const struct mfs_prepared *prepared,
                       struct mfs_need *need)
{
    const struct mfs_cleaning *range = &prepared->cleaning;
    *need = (struct mfs_need){.charge_from = edit->charge_from};
    if (edit->content->is_short)
        mfs_radix_plan_new(edit->pool, range->first, range->last, need);
    else if (prepared->cleans)
        mfs_content_clean_plan(edit, range, need);
    else
        mfs_radix_plan_own(edit->pool, prepared->tree, range->first, range->last, need);
}

/* Fills the stash, and does the part of the cleaning that comes before the range is owned. */
static int fill_stash(const struct mfs_content_edit *edit, struct mfs_prepared *prepared)
{
    struct mfs_need need;
    prepared->tree = mfs_content_tree(edit->content);
    plan_pages(edit, prepared, &need);
    int error = mfs_stash_fill(edit->pool, &need, &prepared->stash);
    if (error == MEMFS_EDQUOT && prepared->cleans && !edit->content->is_short &&
        mfs_content_clean_makes_room(edit, &prepared->cleaning, &need)) {
        prepared->tree = mfs_content_tree(edit->content);
        plan_pages(edit, prepared, &need);
        error = mfs_stash_fill(edit->pool, &need, &prepared->stash);
    }
    if (error == 0 && prepared->cleans && !edit->content->is_short)
        mfs_content_clean_zero(edit, &prepared->cleaning, &prepared->tree, &prepared->stash);
    return error;
}

int mfs_content_prepare_pages(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                              uint64_t covered, struct mfs_prepared *out)
{
    struct mfs_pool *pool = edit->pool;
    MFS_CHECK(length > 0 && offset <= covered);
    uint64_t first = offset >> pool->page_shift;
    uint64_t last = (offset + length - 1) >> pool->page_shift;
    out->cleans = mfs_content_clean_is_needed(edit, offset, offset + length, covered);
    out->cleaning = mfs_content_clean_begin(edit, first, last);
    int error = fill_stash(edit, out);
    if (error == 0 && edit->content->is_short)
        turn_into_page(edit, (size_t)mfs_num_min_u64(offset, pool->page_size),
                       (size_t)mfs_num_min_u64(covered, pool->page_size), out);
    MFS_CHECK(error != 0 || !edit->content->is_short);
    return error;
}

int mfs_content_prepare_growth(const struct mfs_content_edit *edit, struct mfs_prepared *out)
{
    MFS_CHECK(!edit->content->is_short);
    out->cleans = true;
    out->cleaning = mfs_content_clean_begin(edit, 1, 0);
    return fill_stash(edit, out);
}

void mfs_content_prepare_finish(const struct mfs_content_edit *edit, struct mfs_prepared *prepared)
{
    if (prepared->cleans) {
        mfs_content_clean_drop(edit, &prepared->cleaning, &prepared->tree, &prepared->stash);
        edit->content->is_stale = false;
        edit->content->has_uncertain_tail = false;
    }
    mfs_content_set_tree(edit->content, prepared->tree, &prepared->stash);
    mfs_stash_release(edit->pool, &prepared->stash);
}
