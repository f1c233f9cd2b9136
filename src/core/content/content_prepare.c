/*
 * 1. A failed preparation leaves the content as it was.
 * 2. A successful one changes how bytes are stored, not what is read.
 *
 * Cost: a short that grows is copied, a handful of times before it is a page.
 */
#include "content/content_prepare.h"

#include "base/check.h"
#include "base/num.h"
#include "pagetable/radix_plan.h"

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
                           struct mfs_stash *stash)
{
    struct mfs_short *old = mfs_content_short(edit->content);
    mfs_page page = mfs_page_list_pop(edit->pool, &stash->pages);
    unsigned char *bytes = mfs_pool_page_bytes(edit->pool, page);
    size_t filled = old->capacity;
    memcpy(bytes, old->bytes, filled);
    memset(bytes + filled, 0, mfs_num_sub_saturating(from, filled));
    filled = mfs_num_max_size(filled, to);
    memset(bytes + filled, 0, edit->pool->page_size - filled);
    mfs_short_release(edit->pool, old);
    mfs_content_set_tree(edit->content, (struct mfs_radix){page, 0}, stash);
}

int mfs_content_prepare_pages(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                              uint64_t covered, struct mfs_stash *stash)
{
    struct mfs_pool *pool = edit->pool;
    struct mfs_need need = {.charge_from = edit->charge_from};
    MFS_CHECK(length > 0 && offset <= covered);
    bool was_short = edit->content->is_short;
    uint64_t first = offset >> pool->page_shift;
    uint64_t last = (offset + length - 1) >> pool->page_shift;
    if (was_short)
        mfs_radix_plan_new(pool, first, last, &need);
    else
        mfs_radix_plan_own(pool, mfs_content_tree(edit->content), first, last, &need);
    int error = mfs_stash_fill(pool, &need, stash);
    if (error == 0 && was_short)
        turn_into_page(edit, (size_t)mfs_num_min_u64(offset, pool->page_size),
                       (size_t)mfs_num_min_u64(covered, pool->page_size), stash);
    MFS_CHECK(error != 0 || !edit->content->is_short);
    return error;
}
