/*
 * A write goes the first of these ways that fits; one that grows the file and must clean the
 * content (content_clean.h) does so on the second or the last:
 *
 *     way       fits when                                 takes                    may be refused
 *     in place  it lies in one page, and the content      nothing                  no
 *               owns that alone
 *     short     the content is short, or nothing, and     a larger block, or a     yes
 *               the end fits into a short                 block of its own
 *     across    it lies in at most two pages, and the     one page, and the nodes  yes
 *               content owns all but the last alone       on the way to it
 *     planned   always                                    what the plan says       yes
 *
 * The order is that of cost; each way writes what a later one would have written, too.  The first
 * is how most overwrites of a database page go, the third how records are appended to a journal.
 *
 * 1. A refused write has changed no byte that can be read.
 * 2. A write into pages that the content owns alone is never refused.
 *
 * Cost: a step a level for each page, and one copy for each run of pages that lie side by side in
 * memory.
 */
#include "content/content_io.h"

#include "base/check.h"
#include "base/num.h"
#include "content/content_clean.h"
#include "content/content_prepare.h"
#include "pagetable/radix_edit.h"

#include <string.h>

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

void mfs_content_io_read(const struct mfs_pool *pool, const struct mfs_content *content,
                         uint64_t offset, uint64_t length, struct mfs_sink *sink)
{
    MFS_CHECK(offset <= UINT64_MAX - length);
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
        const unsigned char *from = page != 0 ? mfs_pool_page_bytes(pool, page) + at : NULL;
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

/* ----------------------------------------------------------------- writing */

static bool write_in_place(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                           struct mfs_source *source)
{
    struct mfs_pool *pool = edit->pool;
    size_t at = (size_t)(offset & (pool->page_size - 1));
    if (edit->content->is_short || length > pool->page_size - at)
        return false;
    mfs_page page = mfs_radix_find_exclusive(pool, mfs_content_tree(edit->content),
                                             offset >> pool->page_shift);
    if (page == 0)
        return false;
    mfs_iov_pull(source, mfs_pool_page_bytes(pool, page) + at, (size_t)length);
    return true;
}

static int write_short(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                       bool cleans, struct mfs_source *source)
{
    int error = mfs_content_prepare_short(edit, offset + length);
    if (error != 0)
        return error;
    if (cleans)
        mfs_content_clean_short(edit->content, edit->size);
    MFS_CHECK(offset + length <= mfs_content_short(edit->content)->capacity);
    mfs_iov_pull(source, mfs_content_short(edit->content)->bytes + offset, (size_t)length);
    return 0;
}

/*
 * What the two ways below do with `covered`: of a page that is new, the bytes from the first that
 * is written up to `covered` are not zeroed.  `covered` is the end of what is written; but for an
 * append it is the end of the page, so that the rest of the page is an uncertain tail.
 */
static uint64_t covered_by_append(const struct mfs_pool *pool, uint64_t end)
{
    return mfs_num_round_up_u64(end, pool->page_size);
}

/* False if the write does not lie in two pages, or the first of them is not private. */
static bool write_across(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                         uint64_t covered, struct mfs_source *source, int *error)
{
    struct mfs_pool *pool = edit->pool;
    size_t at = (size_t)(offset & (pool->page_size - 1));
    size_t in_first = (size_t)mfs_num_min_u64(length, pool->page_size - at);
    size_t in_last = (size_t)(length - in_first);
    unsigned char *first = NULL;
    mfs_page page;
    if (edit->content->is_short || in_last > pool->page_size)
        return false;
    struct mfs_radix tree = mfs_content_tree(edit->content);
    uint64_t index = offset >> pool->page_shift;
    if (in_last > 0) {
        page = mfs_radix_find_exclusive(pool, tree, index);
        if (page == 0)
            return false;
        first = mfs_pool_page_bytes(pool, page) + at;
        index++;
        at = 0;
    }
    size_t to = (size_t)(covered - (index << pool->page_shift));
    MFS_CHECK(at < to && to <= pool->page_size);
    struct mfs_stash stash = {0};
    *error = mfs_radix_edit_own_one(pool, edit->charge_from, &tree, index, at, to, &stash, &page);
    if (*error != 0)
        return true;
    mfs_content_set_tree(edit->content, tree, &stash);
    if (first != NULL)
        mfs_iov_pull(source, first, in_first);
    mfs_iov_pull(source, mfs_pool_page_bytes(pool, page) + at, in_last > 0 ? in_last : in_first);
    if (covered > offset + length)
        edit->content->has_uncertain_tail = true;
    return true;
}

static int write_planned(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                         uint64_t covered, struct mfs_source *source)
{
    struct mfs_pool *pool = edit->pool;
    struct mfs_prepared prepared;
    uint64_t end = offset + length;
    int error = mfs_content_prepare_pages(edit, offset, length, covered, &prepared);
    if (error != 0)
        return error;
    unsigned char *run = NULL; /* as in reading */
    size_t run_bytes = 0;
    MFS_CHECK(!edit->content->is_short);
    while (offset < end) {
        size_t at = (size_t)(offset & (pool->page_size - 1));
        size_t to = (size_t)mfs_num_min_u64(covered - (offset - at), pool->page_size);
        size_t n = (size_t)mfs_num_min_u64(end - offset, pool->page_size - at);
        mfs_page page = mfs_radix_edit_own(pool, &prepared.tree, offset >> pool->page_shift, at, to,
                                           &prepared.stash);
        unsigned char *bytes = mfs_pool_page_bytes(pool, page) + at;
        if (run == NULL || bytes != run + run_bytes) {
            mfs_iov_pull(source, run, run_bytes);
            run = bytes;
            run_bytes = 0;
        }
        run_bytes += n;
        offset += n;
    }
    mfs_iov_pull(source, run, run_bytes);
    mfs_content_prepare_finish(edit, &prepared);
    if (covered > end)
        edit->content->has_uncertain_tail = true;
    return 0;
}

/* Whether the write must clean; a tail in a page of the content's own is zeroed here and now. */
static bool must_clean(const struct mfs_content_edit *edit, uint64_t offset, uint64_t end,
                       uint64_t covered)
{
    struct mfs_content *content = edit->content;
    if (!mfs_content_clean_is_needed(edit, offset, end, covered))
        return false;
    if (content->is_stale || !mfs_content_clean_tail(edit->pool, content, edit->size))
        return true;
    content->has_uncertain_tail = false;
    return false;
}

static int write_range(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                       uint64_t covered, struct mfs_source *source)
{
    uint64_t end = offset + length;
    MFS_CHECK(length > 0 && end > offset && end <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    MFS_CHECK(covered >= end);
    bool cleans = must_clean(edit, offset, end, covered);
    if (!cleans && write_in_place(edit, offset, length, source))
        return 0;
    if (mfs_content_prepare_fits_short(edit, end))
        return write_short(edit, offset, length, cleans, source);
    int error;
    if (!cleans && write_across(edit, offset, length, covered, source, &error))
        return error;
    return write_planned(edit, offset, length, covered, source);
}

int mfs_content_io_write(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length,
                         struct mfs_source *source)
{
    uint64_t end = offset + length;
    uint64_t covered = end > edit->size ? covered_by_append(edit->pool, end) : end;
    int error = write_range(edit, offset, length, covered, source);
    MFS_CHECK_DEEP(mfs_content_is_valid(
        edit->pool, edit->content, error == 0 ? mfs_num_max_u64(edit->size, end) : edit->size));
    return error;
}

int mfs_content_io_zero(const struct mfs_content_edit *edit, uint64_t offset, uint64_t length)
{
    struct mfs_source zeros = {0};
    return write_range(edit, offset, length, offset + length, &zeros);
}

/* ------------------------------------------------------------- duplicating */

/* Copies the pages that begin before `size`. */
static int duplicate_pages(struct mfs_radix from, uint64_t size, const struct mfs_content_edit *to)
{
    const struct mfs_pool *pool = to->pool;
    uint64_t index = mfs_radix_next_page(pool, from, 0);
    for (; index < mfs_content_first_behind(pool, size);
         index = mfs_radix_next_page(pool, from, index + 1)) {
        uint64_t offset = index << pool->page_shift;
        memfs_iovec part = {mfs_pool_page_bytes(pool, mfs_radix_find(pool, from, index)),
                            (size_t)mfs_num_min_u64(pool->page_size, size - offset)};
        struct mfs_source source = {.parts = &part};
        uint64_t covered = covered_by_append(pool, offset + part.length);
        int error = write_planned(to, offset, part.length, covered, &source);
        if (error != 0)
            return error;
    }
    return 0;
}

static int duplicate_short(const struct mfs_short *from, uint64_t size,
                           const struct mfs_content_edit *to)
{
    int error = mfs_content_prepare_short(to, from->capacity);
    if (error == 0)
        memcpy(mfs_content_short(to->content)->bytes, from->bytes,
               (size_t)mfs_num_min_u64(size, from->capacity));
    return error;
}

int mfs_content_io_duplicate(struct mfs_pool *pool, const struct mfs_content *content,
                             uint64_t size, struct mfs_content *out)
{
    struct mfs_content made = {0};
    struct mfs_content_edit edit = {.pool = pool, .content = &made};
    int error = content->is_short ? duplicate_short(mfs_content_short(content), size, &edit)
                                  : duplicate_pages(mfs_content_tree(content), size, &edit);
    if (error != 0)
        mfs_content_release(pool, &made);
    else
        *out = made;
    MFS_CHECK_DEEP(error != 0 || mfs_content_is_valid(pool, out, size));
    return error;
}
