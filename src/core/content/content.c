/*
 * 1. Bytes behind the size, in pages and shorts, are zeros, unless `is_stale`; and
 *    in the page in which the size lies, unless `has_uncertain_tail`.
 * 2. A short is at most half a page and stands for page 0; there is then no
 *    page table.  A content that has become paged stays so until it is empty.
 * 3. A stale content is cleaned before its size grows; an uncertain tail before
 *    it grows by more than what is appended right behind the size.
 *
 * Every change plans what it needs, fills a stash with it, and then changes;
 * only the filling can fail.  A write into pages that are private takes the
 * short way: the plan is empty.
 */
#include "content/content.h"

#include "base/check.h"
#include "base/num.h"
#include "pagetable/radix_edit.h"
#include "pagetable/radix_plan.h"
#include "pagetable/radix_ref.h"

#include <string.h>

/* `stash`: what the change took from. */
static void set_tree(struct mfs_content *content, struct mfs_radix tree,
                     const struct mfs_stash *stash)
{
    content->root = tree.root;
    content->height = tree.height;
    content->is_short = false;
    content->has_replaced = content->has_replaced || stash->has_replaced;
}

/* ----------------------------------------------------------------- reading */

static void read_short(const struct mfs_content *content, uint64_t offset, uint64_t length,
                       struct mfs_sink *sink)
{
    const struct mfs_short *block = mfs_content_short(content);
    if (offset < block->capacity) {
        size_t n = (size_t)mfs_num_min_u64(length, block->capacity - offset);
        mfs_iov_push(sink, block->bytes + offset, n);
        length -= n;
    }
    mfs_iov_push(sink, NULL, (size_t)length);
}

void mfs_content_read(const struct mfs_pool *pool, const struct mfs_content *content,
                      uint64_t offset, uint64_t length, struct mfs_sink *sink)
{
    if (content->is_short) {
        read_short(content, offset, length, sink);
        return;
    }
    struct mfs_radix tree = mfs_content_tree(content);
    const unsigned char *run = NULL; /* pages that lie one behind the other are copied at one go */
    size_t run_bytes = 0;
    while (length > 0) {
        size_t at = (size_t)(offset & (pool->page_size - 1));
        size_t n = (size_t)mfs_num_min_u64(length, pool->page_size - at);
        mfs_page page = mfs_radix_find(pool, tree, offset >> pool->page_shift);
        const unsigned char *from = page != 0 ? mfs_page_bytes(pool, page) + at : NULL;
        if (from != (run != NULL ? run + run_bytes : NULL)) {
            mfs_iov_push(sink, run, run_bytes);
            run = from;
            run_bytes = 0;
        }
        run_bytes += n;
        offset += n;
        length -= n;
    }
    mfs_iov_push(sink, run, run_bytes);
}

/* ------------------------------------------------------------------ shorts */

static void replace_short(struct mfs_pool *pool, struct mfs_content *content,
                          struct mfs_short *block)
{
    if (content->is_short)
        mfs_short_release(pool, mfs_content_short(content));
    content->root = (uintptr_t)block;
    content->height = 0;
    content->is_short = true;
}

/* Makes the content a short that may be written, with room for `bytes`; it is short or nothing. */
static int own_short(struct mfs_pool *pool, struct mfs_content *content, uint64_t bytes)
{
    struct mfs_short *old = content->is_short ? mfs_content_short(content) : NULL;
    if (old != NULL && old->capacity >= bytes && mfs_short_is_exclusive(old))
        return 0;
    struct mfs_short *block;
    int error = mfs_short_create(pool, content->charge_from,
                                 old != NULL ? mfs_num_max_u64(bytes, old->capacity) : bytes,
                                 &block);
    if (error != 0)
        return error;
    if (old != NULL)
        memcpy(block->bytes, old->bytes, old->capacity);
    replace_short(pool, content, block);
    return 0;
}

static bool fits_short(const struct mfs_pool *pool, const struct mfs_content *content, uint64_t end)
{
    return (content->is_short || content->root == 0) && end <= mfs_short_max(pool);
}

/* Turns a short into a page from the stash, where that was planned.  The bytes `from` .. `to` are
 * about to be overwritten. */
static void promote(struct mfs_pool *pool, struct mfs_content *content, size_t from, size_t to,
                    struct mfs_stash *stash)
{
    if (!content->is_short)
        return;
    struct mfs_short *old = mfs_content_short(content);
    mfs_page page = mfs_page_list_pop(pool, &stash->pages);
    unsigned char *bytes = mfs_page_bytes(pool, page);
    size_t filled = old->capacity;
    memcpy(bytes, old->bytes, filled);
    memset(bytes + filled, 0, mfs_num_sub_saturating(from, filled));
    filled = mfs_num_max_size(filled, to);
    memset(bytes + filled, 0, pool->page_size - filled);
    mfs_short_release(pool, old);
    set_tree(content, (struct mfs_radix){page, 0}, stash);
}

/* ---------------------------------------------------------- cutting, growing */

static void cut_short(struct mfs_content *content, uint64_t size)
{
    struct mfs_short *block = mfs_content_short(content);
    if (size >= block->capacity)
        return;
    if (mfs_short_is_exclusive(block))
        memset(block->bytes + size, 0, block->capacity - (size_t)size);
    else
        content->is_stale = true;
}

/* Zeroes the rest of the page in which `size` lies, if that page may be written. */
static bool zero_tail(struct mfs_pool *pool, const struct mfs_content *content, uint64_t size)
{
    size_t at = (size_t)(size & (pool->page_size - 1));
    uint64_t index = size >> pool->page_shift;
    struct mfs_radix tree = mfs_content_tree(content);
    if (at == 0 || mfs_radix_find(pool, tree, index) == 0)
        return true;
    mfs_page page = mfs_radix_find_exclusive(pool, tree, index);
    if (page == 0)
        return false;
    memset(mfs_page_bytes(pool, page) + at, 0, pool->page_size - at);
    return true;
}

/* Zeroes the whole pages first .. after - 1, as far as they are there; they are private. */
static void zero_pages(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first, uint64_t after)
{
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < after; index = mfs_radix_next_page(pool, tree, index + 1))
        memset(mfs_page_bytes(pool, mfs_radix_find(pool, tree, index)), 0, pool->page_size);
}

/* True if none of those pages is shared, nor the way to it. */
static bool all_private(struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                        uint64_t after)
{
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < after; index = mfs_radix_next_page(pool, tree, index + 1))
        if (mfs_radix_find_exclusive(pool, tree, index) == 0)
            return false;
    return true;
}

/* The first page that neither the size nor the kept room reaches. */
static uint64_t first_page_unkept(const struct mfs_pool *pool, const struct mfs_content *content,
                                  uint64_t size)
{
    return mfs_content_first_behind(pool, mfs_num_max_u64(size, content->kept_end));
}

/* Room is kept as far as there are pages without a gap. */
static void end_room_at_hole(const struct mfs_pool *pool, struct mfs_content *content,
                             uint64_t size)
{
    if (content->kept_end <= size)
        return;
    uint64_t hole = mfs_radix_next_hole(pool, mfs_content_tree(content), size >> pool->page_shift);
    uint64_t end = mfs_num_mul_saturating(hole, pool->page_size);
    if (end < content->kept_end)
        content->kept_end = end > size ? end : 0;
}

static void cut_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    struct mfs_need need = {0};
    struct mfs_radix tree = mfs_content_tree(content);
    end_room_at_hole(pool, content, size);
    uint64_t unkept = first_page_unkept(pool, content, size);
    uint64_t behind = mfs_content_first_behind(pool, size);
    mfs_radix_plan_drop(pool, tree, unkept, MFS_NO_INDEX, &need);
    if (need.nodes != 0) {
        content->is_stale = true;
        return;
    }
    struct mfs_stash nothing = {0};
    mfs_radix_edit_drop(pool, &tree, unkept, MFS_NO_INDEX, &nothing);
    set_tree(content, tree, &nothing);
    content->has_uncertain_tail = false;
    content->is_stale = !zero_tail(pool, content, size) || !all_private(pool, tree, behind, unkept);
    if (!content->is_stale)
        zero_pages(pool, tree, behind, unkept);
}

void mfs_content_cut(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    if (size == 0 && content->kept_end == 0)
        mfs_content_release(pool, content);
    else if (content->is_short)
        cut_short(content, size);
    else
        cut_pages(pool, content, size);
}

/* Whole pages to drop and pages to make private, as one step that fails before it begins. */
struct surgery {
    uint64_t drop_first, drop_last; /* nothing to drop if first > last */
    uint64_t own[2];                /* MFS_NO_INDEX: none; holes are left alone */
};

static int operate(struct mfs_pool *pool, struct mfs_content *content, const struct surgery *plan)
{
    struct mfs_radix tree = mfs_content_tree(content);
    struct mfs_need need = {.charge_from = content->charge_from};
    struct mfs_stash stash;
    bool owns[2];
    for (int i = 0; i < 2; i++) {
        owns[i] = plan->own[i] != MFS_NO_INDEX && mfs_radix_find(pool, tree, plan->own[i]) != 0;
        if (owns[i])
            mfs_radix_plan_own(pool, tree, plan->own[i], plan->own[i], &need);
    }
    bool drops = plan->drop_first <= plan->drop_last;
    if (drops)
        mfs_radix_plan_drop(pool, tree, plan->drop_first, plan->drop_last, &need);
    int error = mfs_stash_fill(pool, &need, &stash);
    if (error != 0)
        return error;
    for (int i = 0; i < 2; i++)
        if (owns[i])
            (void)mfs_radix_edit_own(pool, &tree, plan->own[i], 0, 0, &stash);
    if (drops)
        mfs_radix_edit_drop(pool, &tree, plan->drop_first, plan->drop_last, &stash);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    return 0;
}

/*
 * Drops what neither the size nor the kept room reaches, and zeroes what is left
 * behind the size, in pages that are made private for that.
 */
static int clean_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    struct mfs_radix tree = mfs_content_tree(content);
    struct mfs_need need = {.charge_from = content->charge_from};
    struct mfs_stash stash;
    uint64_t first = size >> pool->page_shift;
    uint64_t unkept = mfs_num_max_u64(first_page_unkept(pool, content, size), first);
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < unkept; index = mfs_radix_next_page(pool, tree, index + 1))
        mfs_radix_plan_own(pool, tree, index, index, &need);
    mfs_radix_plan_drop(pool, tree, unkept, MFS_NO_INDEX, &need);
    int error = mfs_stash_fill(pool, &need, &stash);
    if (error != 0)
        return error;
    index = mfs_radix_next_page(pool, tree, first);
    for (; index < unkept; index = mfs_radix_next_page(pool, tree, index + 1))
        (void)mfs_radix_edit_own(pool, &tree, index, 0, 0, &stash);
    mfs_radix_edit_drop(pool, &tree, unkept, MFS_NO_INDEX, &stash);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    bool zeroed = zero_tail(pool, content, size);
    MFS_CHECK(zeroed);
    zero_pages(pool, tree, mfs_content_first_behind(pool, size), unkept);
    return 0;
}

/* Zeroes an uncertain tail, in a page that is made private for that. */
static int clear_tail(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    struct mfs_radix tree = mfs_content_tree(content);
    uint64_t index = size >> pool->page_shift;
    size_t at = (size_t)(size & (pool->page_size - 1));
    if (at != 0 && mfs_radix_find(pool, tree, index) != 0) {
        mfs_page page;
        struct mfs_stash stash = {0};
        int error = mfs_radix_edit_own_one(pool, content->charge_from, &tree, index, at,
                                           pool->page_size, &stash, &page);
        if (error != 0)
            return error;
        set_tree(content, tree, &stash);
        memset(mfs_page_bytes(pool, page) + at, 0, pool->page_size - at);
    }
    content->has_uncertain_tail = false;
    return 0;
}

int mfs_content_grow(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    int error = content->has_uncertain_tail ? clear_tail(pool, content, size) : 0;
    if (error != 0 || !content->is_stale)
        return error;
    if (content->is_short) {
        error = own_short(pool, content, 0);
        if (error == 0)
            cut_short(content, size);
    } else {
        error = clean_pages(pool, content, size);
    }
    if (error == 0)
        content->is_stale = false;
    return error;
}

/* ----------------------------------------------------------------- writing */

/* One page that is private already: the way that most overwrites go. */
static bool write_in_place(struct mfs_pool *pool, const struct mfs_content *content,
                           uint64_t offset, uint64_t length, struct mfs_source *source)
{
    size_t at = (size_t)(offset & (pool->page_size - 1));
    if (content->is_short || length > pool->page_size - at)
        return false;
    mfs_page page = mfs_radix_find_exclusive(pool, mfs_content_tree(content),
                                             offset >> pool->page_shift);
    if (page == 0)
        return false;
    mfs_iov_pull(source, mfs_page_bytes(pool, page) + at, (size_t)length);
    return true;
}

static int write_short(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                       uint64_t length, struct mfs_source *source)
{
    int error = own_short(pool, content, offset + length);
    if (error == 0)
        mfs_iov_pull(source, mfs_content_short(content)->bytes + offset, (size_t)length);
    return error;
}

/* Plans and fills for the pages of the range, and turns a short into a page; what is written to
 * page 0, from `offset` to `covered`, need not be zeroed. */
static int prepare_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                         uint64_t length, uint64_t covered, struct mfs_stash *stash)
{
    struct mfs_need need = {.charge_from = content->charge_from};
    uint64_t first = offset >> pool->page_shift, last = (offset + length - 1) >> pool->page_shift;
    if (content->is_short)
        mfs_radix_plan_new(pool, first, last, &need);
    else
        mfs_radix_plan_own(pool, mfs_content_tree(content), first, last, &need);
    int error = mfs_stash_fill(pool, &need, stash);
    if (error == 0)
        promote(pool, content, (size_t)mfs_num_min_u64(offset, pool->page_size),
                (size_t)mfs_num_min_u64(covered, pool->page_size), stash);
    return error;
}

/* Where the bytes end that need not be zeroed: those of an append reach to the end of the page. */
static uint64_t covered_by_append(const struct mfs_pool *pool, uint64_t end)
{
    return mfs_num_round_up_u64(end, pool->page_size);
}

static int write_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                       uint64_t length, uint64_t covered, struct mfs_source *source)
{
    struct mfs_stash stash;
    uint64_t end = offset + length;
    int error = prepare_pages(pool, content, offset, length, covered, &stash);
    if (error != 0)
        return error;
    struct mfs_radix tree = mfs_content_tree(content);
    unsigned char *run = NULL; /* as in reading */
    size_t run_bytes = 0;
    while (offset < end) {
        size_t at = (size_t)(offset & (pool->page_size - 1));
        size_t to = (size_t)mfs_num_min_u64(covered - (offset - at), pool->page_size);
        size_t n = (size_t)mfs_num_min_u64(end - offset, pool->page_size - at);
        mfs_page page = mfs_radix_edit_own(pool, &tree, offset >> pool->page_shift, at, to, &stash);
        unsigned char *bytes = mfs_page_bytes(pool, page) + at;
        if (run == NULL || bytes != run + run_bytes) {
            mfs_iov_pull(source, run, run_bytes);
            run = bytes;
            run_bytes = 0;
        }
        run_bytes += n;
        offset += n;
    }
    mfs_iov_pull(source, run, run_bytes);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    if (covered > end)
        content->has_uncertain_tail = true;
    return 0;
}

/*
 * At most two pages, of which only the last may have to be made private: the way that the
 * small writes of a journal go.  False if it is another case.
 */
static bool write_across(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                         uint64_t length, uint64_t covered, struct mfs_source *source, int *error)
{
    size_t at = (size_t)(offset & (pool->page_size - 1));
    size_t in_first = (size_t)mfs_num_min_u64(length, pool->page_size - at);
    size_t in_last = (size_t)(length - in_first);
    unsigned char *first = NULL;
    mfs_page page;
    if (content->is_short || in_last > pool->page_size)
        return false;
    struct mfs_radix tree = mfs_content_tree(content);
    uint64_t index = offset >> pool->page_shift;
    if (in_last > 0) {
        page = mfs_radix_find_exclusive(pool, tree, index);
        if (page == 0)
            return false;
        first = mfs_page_bytes(pool, page) + at;
        index++;
        at = 0;
    }
    uint64_t end = offset + length;
    size_t to = (size_t)(covered - (index << pool->page_shift));
    struct mfs_stash stash = {0};
    *error = mfs_radix_edit_own_one(pool, content->charge_from, &tree, index, at, to, &stash,
                                    &page);
    if (*error != 0)
        return true;
    set_tree(content, tree, &stash);
    if (first != NULL)
        mfs_iov_pull(source, first, in_first);
    mfs_iov_pull(source, mfs_page_bytes(pool, page) + at, in_last > 0 ? in_last : in_first);
    if (covered > end)
        content->has_uncertain_tail = true;
    return true;
}

static int change(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                  uint64_t offset, uint64_t length, uint64_t covered, struct mfs_source *source)
{
    MFS_CHECK(length > 0 && offset + length <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    uint64_t end = offset + length;
    if (end > size && (content->is_stale || offset > size)) {
        int error = mfs_content_grow(pool, content, size);
        if (error != 0)
            return error;
    }
    if (write_in_place(pool, content, offset, length, source))
        return 0;
    if (fits_short(pool, content, end))
        return write_short(pool, content, offset, length, source);
    int error;
    if (write_across(pool, content, offset, length, covered, source, &error))
        return error;
    return write_pages(pool, content, offset, length, covered, source);
}

int mfs_content_write(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                      uint64_t offset, uint64_t length, struct mfs_source *source)
{
    uint64_t end = offset + length;
    uint64_t covered = end > size ? covered_by_append(pool, end) : end;
    return change(pool, content, size, offset, length, covered, source);
}

int mfs_content_zero(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                     uint64_t offset, uint64_t length)
{
    struct mfs_source zeros = {0};
    return change(pool, content, size, offset, length, offset + length, &zeros);
}

int mfs_content_allocate(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                         uint64_t offset, uint64_t length)
{
    MFS_CHECK(length > 0);
    uint64_t end = offset + length;
    struct mfs_stash stash;
    int error = end > size ? mfs_content_grow(pool, content, size) : 0;
    if (error != 0)
        return error;
    if (fits_short(pool, content, end))
        return own_short(pool, content, end);
    error = prepare_pages(pool, content, offset, length, offset, &stash);
    if (error != 0)
        return error;
    struct mfs_radix tree = mfs_content_tree(content);
    uint64_t last = (end - 1) >> pool->page_shift;
    for (uint64_t index = offset >> pool->page_shift; index <= last; index++)
        (void)mfs_radix_edit_own(pool, &tree, index, 0, 0, &stash);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    return 0;
}

/* ---------------------------------------------------------------- punching */

static int punch_short(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                       uint64_t end)
{
    uint32_t capacity = mfs_content_short(content)->capacity;
    if (offset >= capacity)
        return 0;
    if (offset == 0 && end >= capacity) {
        mfs_content_release(pool, content);
        return 0;
    }
    int error = own_short(pool, content, 0);
    if (error == 0)
        memset(mfs_content_short(content)->bytes + offset, 0,
               (size_t)(mfs_num_min_u64(end, capacity) - offset));
    return error;
}

/* Zeroes part of one page, if that is there and private. */
static void zero_part(struct mfs_pool *pool, const struct mfs_content *content, uint64_t offset,
                      uint64_t end)
{
    if (offset >= end)
        return;
    mfs_page page = mfs_radix_find(pool, mfs_content_tree(content), offset >> pool->page_shift);
    if (page == 0)
        return;
    MFS_CHECK(mfs_page_is_exclusive(pool, page));
    memset(mfs_page_bytes(pool, page) + (offset & (pool->page_size - 1)), 0,
           (size_t)(end - offset));
}

static int punch_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                       uint64_t end)
{
    /*   offset   whole_start          whole_end   end
     *     | edge |  whole pages           | edge |          the edges may be empty */
    uint64_t first = mfs_content_first_behind(pool, offset);
    uint64_t after = end >> pool->page_shift;
    uint64_t whole_start = mfs_num_min_u64(first << pool->page_shift, end);
    uint64_t whole_end = mfs_num_max_u64(after << pool->page_shift, whole_start);
    struct surgery plan = {
        .drop_first = first < after ? first : 1,
        .drop_last = first < after ? after - 1 : 0,
        .own = {offset < whole_start ? offset >> pool->page_shift : MFS_NO_INDEX,
                whole_end < end ? whole_end >> pool->page_shift : MFS_NO_INDEX},
    };
    int error = operate(pool, content, &plan);
    if (error != 0)
        return error;
    zero_part(pool, content, offset, whole_start);
    zero_part(pool, content, whole_end, end);
    return 0;
}

int mfs_content_punch(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                      uint64_t length)
{
    uint64_t end = offset + length;
    uint64_t kept_end = mfs_num_min_u64(content->kept_end, offset);
    int error = 0;
    if (content->is_short)
        error = punch_short(pool, content, offset, end);
    else if (content->root != 0)
        error = punch_pages(pool, content, offset, end);
    if (error == 0)
        content->kept_end = kept_end;
    return error;
}

/* ------------------------------------------------------------------- clones */

struct mfs_content mfs_content_clone(struct mfs_pool *pool, const struct mfs_content *content)
{
    if (content->is_short)
        mfs_short_retain(mfs_content_short(content));
    else
        mfs_radix_ref_retain(pool, mfs_content_tree(content));
    struct mfs_content clone = *content;
    mfs_content_end_room(&clone);
    return clone;
}

void mfs_content_end_room(struct mfs_content *content)
{
    content->is_stale = content->is_stale || content->kept_end != 0;
    content->kept_end = 0;
}

void mfs_content_release(struct mfs_pool *pool, struct mfs_content *content)
{
    if (content->is_short)
        mfs_short_release(pool, mfs_content_short(content));
    else
        mfs_radix_ref_release(pool, mfs_content_tree(content));
    *content = (struct mfs_content){0};
}

/* Copies the pages that begin before `size`. */
static int duplicate_pages(struct mfs_pool *pool, struct mfs_radix from, uint64_t size,
                           struct mfs_content *to)
{
    uint64_t index = mfs_radix_next_page(pool, from, 0);
    for (; index < mfs_content_first_behind(pool, size);
         index = mfs_radix_next_page(pool, from, index + 1)) {
        uint64_t offset = index << pool->page_shift;
        memfs_iovec part = {mfs_page_bytes(pool, mfs_radix_find(pool, from, index)),
                            (size_t)mfs_num_min_u64(pool->page_size, size - offset)};
        struct mfs_source source = {.parts = &part};
        int error = write_pages(pool, to, offset, part.length,
                                covered_by_append(pool, offset + part.length), &source);
        if (error != 0)
            return error;
    }
    return 0;
}

int mfs_content_duplicate(struct mfs_pool *pool, const struct mfs_content *content, uint64_t size,
                          struct mfs_content *out)
{
    struct mfs_content made = {0};
    int error = 0;
    if (content->is_short) {
        struct mfs_short *from = mfs_content_short(content);
        size_t length = (size_t)mfs_num_min_u64(size, from->capacity);
        error = own_short(pool, &made, from->capacity);
        if (error == 0)
            memcpy(mfs_content_short(&made)->bytes, from->bytes, length);
    } else {
        error = duplicate_pages(pool, mfs_content_tree(content), size, &made);
    }
    if (error != 0)
        mfs_content_release(pool, &made);
    else
        *out = made;
    return error;
}

/* --------------------------------------------------------------------- pins */

bool mfs_content_pin_existing(struct mfs_pool *pool, const struct mfs_content *content,
                              uint64_t offset, mfs_page *out)
{
    mfs_page page = mfs_radix_find(pool, mfs_content_tree(content), offset >> pool->page_shift);
    if (page == 0)
        return false;
    mfs_page_pin(pool, page);
    *out = page;
    return true;
}

int mfs_content_pin(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                    mfs_page *out)
{
    uint64_t page_offset = offset & ~((uint64_t)pool->page_size - 1);
    struct mfs_stash stash;
    if (mfs_content_pin_existing(pool, content, offset, out))
        return 0;
    int error = prepare_pages(pool, content, page_offset, 1, page_offset, &stash);
    if (error != 0)
        return error;
    struct mfs_radix tree = mfs_content_tree(content);
    *out = mfs_radix_edit_own(pool, &tree, offset >> pool->page_shift, 0, 0, &stash);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    mfs_page_pin(pool, *out);
    return 0;
}
