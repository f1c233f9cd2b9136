/*
 * 1. Bytes behind the size, in pages and shorts, are zeros, unless `is_stale`.
 * 2. A short is at most half a page and stands for page 0; there is then no
 *    page table.  A content that has become paged stays so until it is empty.
 * 3. A stale content is cleaned before its size grows.
 *
 * Every change plans what it needs, fills a stash with it, and then changes;
 * only the filling can fail.  A write into pages that are private takes the
 * short way: the plan is empty.
 */
#include "content.h"

#include "check.h"
#include "num.h"
#include "short.h"

#include <string.h>

static struct mfs_short *as_short(const struct mfs_content *content)
{
    return (struct mfs_short *)content->root; /* NOLINT(performance-no-int-to-ptr) */
}

/* `stash`: what the change took from. */
static void set_tree(struct mfs_content *content, struct mfs_radix tree,
                     const struct mfs_stash *stash)
{
    content->root = tree.root;
    content->height = tree.height;
    content->is_short = false;
    content->has_replaced = content->has_replaced || stash->has_replaced;
}

/* ---------------------------------------------------- sources, sinks, reads */

static void pull(struct mfs_source *source, unsigned char *to, size_t length)
{
    if (source->parts == NULL && length > 0)
        memset(to, 0, length);
    while (source->parts != NULL && length > 0) {
        const memfs_iovec *part = &source->parts[source->part];
        size_t n = mfs_min_size(length, part->length - source->offset);
        if (n > 0)
            memmove(to, (const unsigned char *)part->data + source->offset, n);
        to += n;
        length -= n;
        source->offset += n;
        if (source->offset == part->length) {
            source->part++;
            source->offset = 0;
        }
    }
}

/* Null `from` stands for zeros. */
static void push(struct mfs_sink *sink, const unsigned char *from, size_t length)
{
    while (length > 0) {
        const memfs_iovec *part = &sink->parts[sink->part];
        size_t n = mfs_min_size(length, part->length - sink->offset);
        unsigned char *to = (unsigned char *)part->data + sink->offset;
        if (n > 0 && from != NULL) {
            memmove(to, from, n);
            from += n;
        } else if (n > 0) {
            memset(to, 0, n);
        }
        length -= n;
        sink->offset += n;
        if (sink->offset == part->length) {
            sink->part++;
            sink->offset = 0;
        }
    }
}

static void read_short(const struct mfs_content *content, uint64_t offset, uint64_t length,
                       struct mfs_sink *sink)
{
    const struct mfs_short *block = as_short(content);
    if (offset < block->capacity) {
        size_t n = (size_t)mfs_min_u64(length, block->capacity - offset);
        push(sink, block->bytes + offset, n);
        length -= n;
    }
    push(sink, NULL, (size_t)length);
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
        size_t n = (size_t)mfs_min_u64(length, pool->page_size - at);
        mfs_page page = mfs_radix_find(pool, tree, offset >> pool->page_shift);
        const unsigned char *from = page != 0 ? mfs_page_bytes(pool, page) + at : NULL;
        if (from != (run != NULL ? run + run_bytes : NULL)) {
            push(sink, run, run_bytes);
            run = from;
            run_bytes = 0;
        }
        run_bytes += n;
        offset += n;
        length -= n;
    }
    push(sink, run, run_bytes);
}

/* ------------------------------------------------------------------ shorts */

static void replace_short(struct mfs_pool *pool, struct mfs_content *content,
                          struct mfs_short *block)
{
    if (content->is_short)
        mfs_short_release(pool, as_short(content));
    content->root = (uintptr_t)block;
    content->height = 0;
    content->is_short = true;
}

/* Makes the content a short that may be written, with room for `bytes`; it is short or nothing. */
static int own_short(struct mfs_pool *pool, struct mfs_content *content, uint64_t bytes)
{
    struct mfs_short *old = content->is_short ? as_short(content) : NULL;
    if (old != NULL && old->capacity >= bytes && mfs_short_is_exclusive(old))
        return 0;
    struct mfs_short *block;
    int error = mfs_short_create(pool, content->rank,
                                 old != NULL ? mfs_max_u64(bytes, old->capacity) : bytes, &block);
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

/* The page table as it will be once a short has become a page. */
static struct mfs_radix promised_tree(const struct mfs_content *content, struct mfs_need *need)
{
    if (!content->is_short)
        return mfs_content_tree(content);
    need->pages++;
    return (struct mfs_radix){MFS_PAGE_PROMISED, 0};
}

/* Turns a short into a page from the stash, where promised_tree() has planned for it. */
static void promote(struct mfs_pool *pool, struct mfs_content *content, struct mfs_stash *stash)
{
    if (!content->is_short)
        return;
    struct mfs_short *old = as_short(content);
    mfs_page page = mfs_page_list_pop(pool, &stash->pages);
    memcpy(mfs_page_bytes(pool, page), old->bytes, old->capacity);
    memset(mfs_page_bytes(pool, page) + old->capacity, 0, pool->page_size - old->capacity);
    mfs_short_release(pool, old);
    set_tree(content, (struct mfs_radix){page, 0}, stash);
}

/* ---------------------------------------------------------- cutting, growing */

static void cut_short(struct mfs_content *content, uint64_t size)
{
    struct mfs_short *block = as_short(content);
    if (size >= block->capacity)
        return;
    if (mfs_short_is_exclusive(block))
        memset(block->bytes + size, 0, block->capacity - (size_t)size);
    else
        content->is_stale = true;
}

/* The first page that lies wholly behind `size`. */
static uint64_t first_page_behind(const struct mfs_pool *pool, uint64_t size)
{
    return (size + pool->page_size - 1) >> pool->page_shift;
}

/* Zeroes the rest of the page in which `size` lies, if that page may be written. */
static bool zero_tail(const struct mfs_pool *pool, const struct mfs_content *content, uint64_t size)
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
static void zero_pages(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
                       uint64_t after)
{
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < after; index = mfs_radix_next_page(pool, tree, index + 1))
        memset(mfs_page_bytes(pool, mfs_radix_find(pool, tree, index)), 0, pool->page_size);
}

/* True if none of those pages is shared, nor the way to it. */
static bool all_private(const struct mfs_pool *pool, struct mfs_radix tree, uint64_t first,
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
    return first_page_behind(pool, mfs_max_u64(size, content->kept_end));
}

/* Room is kept as far as there are pages without a gap. */
static void end_room_at_hole(const struct mfs_pool *pool, struct mfs_content *content,
                             uint64_t size)
{
    if (content->kept_end <= size)
        return;
    uint64_t hole = mfs_radix_next_hole(pool, mfs_content_tree(content), size >> pool->page_shift);
    uint64_t end = mfs_mul_saturating(hole, pool->page_size);
    if (end < content->kept_end)
        content->kept_end = end > size ? end : 0;
}

static void cut_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    struct mfs_need need = {0};
    struct mfs_radix tree = mfs_content_tree(content);
    end_room_at_hole(pool, content, size);
    uint64_t unkept = first_page_unkept(pool, content, size);
    uint64_t behind = first_page_behind(pool, size);
    mfs_radix_plan_drop(pool, tree, unkept, MFS_NO_INDEX, &need);
    if (need.nodes != 0) {
        content->is_stale = true;
        return;
    }
    struct mfs_stash nothing = {0};
    mfs_radix_drop(pool, &tree, unkept, MFS_NO_INDEX, &nothing);
    set_tree(content, tree, &nothing);
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
    struct mfs_need need = {.rank = content->rank};
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
            (void)mfs_radix_own(pool, &tree, plan->own[i], true, &stash);
    if (drops)
        mfs_radix_drop(pool, &tree, plan->drop_first, plan->drop_last, &stash);
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
    struct mfs_need need = {.rank = content->rank};
    struct mfs_stash stash;
    uint64_t first = size >> pool->page_shift;
    uint64_t unkept = mfs_max_u64(first_page_unkept(pool, content, size), first);
    uint64_t index = mfs_radix_next_page(pool, tree, first);
    for (; index < unkept; index = mfs_radix_next_page(pool, tree, index + 1))
        mfs_radix_plan_own(pool, tree, index, index, &need);
    mfs_radix_plan_drop(pool, tree, unkept, MFS_NO_INDEX, &need);
    int error = mfs_stash_fill(pool, &need, &stash);
    if (error != 0)
        return error;
    index = mfs_radix_next_page(pool, tree, first);
    for (; index < unkept; index = mfs_radix_next_page(pool, tree, index + 1))
        (void)mfs_radix_own(pool, &tree, index, true, &stash);
    mfs_radix_drop(pool, &tree, unkept, MFS_NO_INDEX, &stash);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    bool zeroed = zero_tail(pool, content, size);
    MFS_CHECK(zeroed);
    zero_pages(pool, tree, first_page_behind(pool, size), unkept);
    return 0;
}

int mfs_content_grow(struct mfs_pool *pool, struct mfs_content *content, uint64_t size)
{
    if (!content->is_stale)
        return 0;
    int error;
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
static bool write_in_place(const struct mfs_pool *pool, const struct mfs_content *content,
                           uint64_t offset, uint64_t length, struct mfs_source *source)
{
    size_t at = (size_t)(offset & (pool->page_size - 1));
    if (content->is_short || length > pool->page_size - at)
        return false;
    mfs_page page = mfs_radix_find_exclusive(pool, mfs_content_tree(content),
                                             offset >> pool->page_shift);
    if (page == 0)
        return false;
    pull(source, mfs_page_bytes(pool, page) + at, (size_t)length);
    return true;
}

static int write_short(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                       uint64_t length, struct mfs_source *source)
{
    int error = own_short(pool, content, offset + length);
    if (error == 0)
        pull(source, as_short(content)->bytes + offset, (size_t)length);
    return error;
}

/* Plans and fills for the pages of the range, and turns a short into a page. */
static int prepare_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                         uint64_t length, struct mfs_stash *stash)
{
    struct mfs_need need = {.rank = content->rank};
    struct mfs_radix tree = promised_tree(content, &need);
    mfs_radix_plan_own(pool, tree, offset >> pool->page_shift,
                       (offset + length - 1) >> pool->page_shift, &need);
    int error = mfs_stash_fill(pool, &need, stash);
    if (error == 0)
        promote(pool, content, stash);
    return error;
}

static int write_pages(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                       uint64_t length, struct mfs_source *source)
{
    struct mfs_stash stash;
    int error = prepare_pages(pool, content, offset, length, &stash);
    if (error != 0)
        return error;
    struct mfs_radix tree = mfs_content_tree(content);
    unsigned char *run = NULL; /* as in reading */
    size_t run_bytes = 0;
    while (length > 0) {
        size_t at = (size_t)(offset & (pool->page_size - 1));
        size_t n = (size_t)mfs_min_u64(length, pool->page_size - at);
        bool whole = n == pool->page_size;
        mfs_page page = mfs_radix_own(pool, &tree, offset >> pool->page_shift, !whole, &stash);
        unsigned char *to = mfs_page_bytes(pool, page) + at;
        if (run == NULL || to != run + run_bytes) {
            pull(source, run, run_bytes);
            run = to;
            run_bytes = 0;
        }
        run_bytes += n;
        offset += n;
        length -= n;
    }
    pull(source, run, run_bytes);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    return 0;
}

int mfs_content_write(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                      uint64_t offset, uint64_t length, struct mfs_source *source)
{
    MFS_CHECK(length > 0 && offset + length <= (uint64_t)MEMFS_FILE_SIZE_MAX);
    uint64_t end = offset + length;
    if (end > size) {
        int error = mfs_content_grow(pool, content, size);
        if (error != 0)
            return error;
    }
    if (write_in_place(pool, content, offset, length, source))
        return 0;
    if (fits_short(pool, content, end))
        return write_short(pool, content, offset, length, source);
    return write_pages(pool, content, offset, length, source);
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
    error = prepare_pages(pool, content, offset, length, &stash);
    if (error != 0)
        return error;
    struct mfs_radix tree = mfs_content_tree(content);
    uint64_t last = (end - 1) >> pool->page_shift;
    for (uint64_t index = offset >> pool->page_shift; index <= last; index++)
        (void)mfs_radix_own(pool, &tree, index, true, &stash);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    return 0;
}

/* ---------------------------------------------------------------- punching */

static int punch_short(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                       uint64_t end)
{
    uint32_t capacity = as_short(content)->capacity;
    if (offset >= capacity)
        return 0;
    if (offset == 0 && end >= capacity) {
        mfs_content_release(pool, content);
        return 0;
    }
    int error = own_short(pool, content, 0);
    if (error == 0)
        memset(as_short(content)->bytes + offset, 0, (size_t)(mfs_min_u64(end, capacity) - offset));
    return error;
}

/* Zeroes part of one page, if that is there and private. */
static void zero_part(const struct mfs_pool *pool, const struct mfs_content *content,
                      uint64_t offset, uint64_t end)
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
    uint64_t first = first_page_behind(pool, offset);
    uint64_t after = end >> pool->page_shift;
    uint64_t whole_start = mfs_min_u64(first << pool->page_shift, end);
    uint64_t whole_end = mfs_max_u64(after << pool->page_shift, whole_start);
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
    uint64_t kept_end = mfs_min_u64(content->kept_end, offset);
    int error = 0;
    if (content->is_short)
        error = punch_short(pool, content, offset, end);
    else if (content->root != 0)
        error = punch_pages(pool, content, offset, end);
    if (error == 0)
        content->kept_end = kept_end;
    return error;
}

/* -------------------------------------------------------- clones and figures */

struct mfs_content mfs_content_clone(struct mfs_pool *pool, const struct mfs_content *content)
{
    if (content->is_short)
        mfs_short_retain(as_short(content));
    else
        mfs_radix_retain(pool, mfs_content_tree(content));
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
        mfs_short_release(pool, as_short(content));
    else
        mfs_radix_release(pool, mfs_content_tree(content));
    *content = (struct mfs_content){0};
}

/* Copies the pages that begin before `size`. */
static int duplicate_pages(struct mfs_pool *pool, struct mfs_radix from, uint64_t size,
                           struct mfs_content *to)
{
    uint64_t index = mfs_radix_next_page(pool, from, 0);
    for (; index < first_page_behind(pool, size);
         index = mfs_radix_next_page(pool, from, index + 1)) {
        uint64_t offset = index << pool->page_shift;
        memfs_iovec part = {mfs_page_bytes(pool, mfs_radix_find(pool, from, index)),
                            (size_t)mfs_min_u64(pool->page_size, size - offset)};
        struct mfs_source source = {.parts = &part};
        int error = write_pages(pool, to, offset, part.length, &source);
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
        struct mfs_short *from = as_short(content);
        size_t length = (size_t)mfs_min_u64(size, from->capacity);
        error = own_short(pool, &made, from->capacity);
        if (error == 0)
            memcpy(as_short(&made)->bytes, from->bytes, length);
    } else {
        error = duplicate_pages(pool, mfs_content_tree(content), size, &made);
    }
    if (error != 0)
        mfs_content_release(pool, &made);
    else
        *out = made;
    return error;
}

uint64_t mfs_content_allocated(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size)
{
    if (content->is_short)
        return as_short(content)->capacity;
    uint64_t end = content->is_stale ? first_page_behind(pool, size) : UINT64_MAX;
    return mfs_radix_count(pool, mfs_content_tree(content), end) << pool->page_shift;
}

uint64_t mfs_content_usage(const struct mfs_pool *pool, const struct mfs_content *content,
                           uint64_t size)
{
    if (content->is_short)
        return mfs_short_cost(pool, as_short(content));
    return mfs_content_allocated(pool, content, size) +
           mfs_radix_count_nodes(pool, mfs_content_tree(content)) * mfs_radix_node_cost(pool);
}

bool mfs_content_has_room(const struct mfs_pool *pool, const struct mfs_content *content,
                          uint64_t size)
{
    if (content->kept_end <= size)
        return true;
    if (content->is_short)
        return content->kept_end <= as_short(content)->capacity;
    uint64_t hole = mfs_radix_next_hole(pool, mfs_content_tree(content),
                                        first_page_behind(pool, size));
    return hole >= first_page_behind(pool, content->kept_end);
}

void mfs_content_tally(const struct mfs_pool *pool, const struct mfs_content *content,
                       struct mfs_tally *tally, uint64_t *short_bytes)
{
    if (!content->is_short)
        mfs_radix_tally(pool, mfs_content_tree(content), tally);
    else if (mfs_short_mark(as_short(content)))
        *short_bytes += mfs_short_cost(pool, as_short(content));
}

void mfs_content_unmark(const struct mfs_pool *pool, const struct mfs_content *content)
{
    if (content->is_short)
        mfs_short_unmark(as_short(content));
    else
        mfs_radix_unmark(pool, mfs_content_tree(content));
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
    uint64_t at = mfs_max_u64(offset, found << pool->page_shift);
    return at < size ? at : MFS_NO_INDEX;
}

uint64_t mfs_content_next_hole(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset)
{
    uint64_t index = offset >> pool->page_shift;
    uint64_t found = content->is_short
                         ? mfs_max_u64(index, 1)
                         : mfs_radix_next_hole(pool, mfs_content_tree(content), index);
    return mfs_min_u64(size, mfs_max_u64(offset, mfs_mul_saturating(found, pool->page_size)));
}

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
    int error = prepare_pages(pool, content, page_offset, 1, &stash);
    if (error != 0)
        return error;
    struct mfs_radix tree = mfs_content_tree(content);
    *out = mfs_radix_own(pool, &tree, offset >> pool->page_shift, true, &stash);
    set_tree(content, tree, &stash);
    mfs_stash_release(pool, &stash);
    mfs_page_pin(pool, *out);
    return 0;
}
