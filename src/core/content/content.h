/*
 * The bytes of one file.
 *
 * A content is nothing (all hole), a *short* (one small reference-counted block with the beginning
 * of page 0, so that small files do not pay a page) or a page table (pagetable/radix.h).  The size
 * is kept by the caller and passed in.
 *
 * Bytes behind the size read as zeros once the file grows.  They are zeros in storage, too, with
 * two exceptions:
 *
 * - A *stale* content may hold old bytes behind the size.  Cutting zeroes the rest of the last page
 *   at once where that page is private.  Where it is shared that would take memory, which cutting
 *   must not; so the pages stay as they are, and the content is cleaned before the file grows.
 * - An *uncertain tail*, from the size to the end of its page, is what appending leaves in a new
 *   page.  The next append would overwrite zeros there, so none are written; they are before a gap
 *   is left behind the size.
 *
 * A content may be *preallocated* beyond the size: what begins behind the size and before
 * `preallocated_end` has its page, or its place in the short, so that growing into it needs no
 * memory.
 *
 * The modules of this room: content (this one: holding, sharing, asking), content_clean (the two
 * exceptions above), content_prepare (parts made ready to be written), content_extent (which parts
 * have storage: cutting, growing, allocating, punching), content_io (reading and writing),
 * content_compare (where two contents differ), content_tally (for the audit); short (the block of a
 * small file), version (contents that callers hold by reference).
 *
 * Changes are all or nothing.  Threads: the caller holds the node's lock, exclusive for what
 * changes the content and shared for the rest.
 */
#ifndef MFS_CONTENT_H
#define MFS_CONTENT_H

#include "base/check.h"
#include "content/short.h"
#include "memory/page.h"
#include "pagetable/radix.h"
#include "pagetable/stash.h"

#include <stdbool.h>
#include <stdint.h>

struct mfs_content {
    uintptr_t root; /* a struct mfs_short, or the root of the page table; 0: nothing */
    uint8_t height;
    bool is_short : 1;
    bool is_stale : 1;
    bool has_uncertain_tail : 1;
    /*
     * A page was replaced by another or by a hole, so mappings of it no longer show the file.  The
     * holder looks at this after each change and clears it.  A refused change sets it in one case,
     * which makes_room() in content_clean.c has.
     */
    bool has_replaced : 1;
    uint64_t preallocated_end; /* 0: nothing is preallocated */
};

/*
 * What a change is made to, and which limit pays for it.  It lives as long as the call: nothing
 * that outlasts a change remembers that it was allowed to use the emergency reserve.
 */
struct mfs_content_edit {
    struct mfs_pool *pool;
    struct mfs_content *content;
    uint64_t size; /* of the file, before the change */
    enum mfs_charge_from charge_from;
};

/* A second content with the same bytes, and nothing preallocated; cannot fail. */
struct mfs_content mfs_content_clone(struct mfs_pool *pool, const struct mfs_content *content);

/* Lets go of all storage; the content is then nothing. */
void mfs_content_release(struct mfs_pool *pool, struct mfs_content *content);

/* Ends the preallocation.  Its pages stay until the content is cut or grows. */
void mfs_content_end_preallocation(struct mfs_content *content);

/* The bytes of storage that a file of `size` bytes refers to. */
uint64_t mfs_content_allocated(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size);

/* Of these, the bytes that no other content refers to. */
uint64_t mfs_content_own(struct mfs_pool *pool, const struct mfs_content *content, uint64_t size);

/* What is allocated, and what its page table costs. */
uint64_t mfs_content_usage(const struct mfs_pool *pool, const struct mfs_content *content,
                           uint64_t size);

/* The next offset with data, MFS_NO_INDEX if only a hole follows; the next in a hole. */
uint64_t mfs_content_next_data(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset);
uint64_t mfs_content_next_hole(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset);

/* Pins the page with `offset`; false if there is none, or only a short. */
bool mfs_content_pin_existing(struct mfs_pool *pool, const struct mfs_content *content,
                              uint64_t offset, mfs_page *out);

/* For the audit: true if all that is preallocated behind the size has its storage. */
bool mfs_content_has_preallocated(const struct mfs_pool *pool, const struct mfs_content *content,
                                  uint64_t size);

/*
 * For assertions: whether the fields go together, the page table is sound where the size lies, and
 * the rest of the page, or of the short, in which the size lies is zeros where it must be.
 */
bool mfs_content_is_valid(const struct mfs_pool *pool, const struct mfs_content *content,
                          uint64_t size);

static inline struct mfs_short *mfs_content_short(const struct mfs_content *content)
{
    MFS_CHECK(content->is_short);
    return (struct mfs_short *)content->root; /* NOLINT(performance-no-int-to-ptr) */
}

static inline struct mfs_radix mfs_content_tree(const struct mfs_content *content)
{
    return (struct mfs_radix){content->is_short ? 0 : content->root, content->height};
}

/* Takes over a tree that was changed; `stash` is what the change took from. */
static inline void mfs_content_set_tree(struct mfs_content *content, struct mfs_radix tree,
                                        const struct mfs_stash *stash)
{
    MFS_CHECK(tree.root != 0 || tree.height == 0);
    content->root = tree.root;
    content->height = tree.height;
    content->is_short = false;
    content->has_uncertain_tail = content->has_uncertain_tail && tree.root != 0;
    content->has_replaced = content->has_replaced || stash->has_replaced;
}

/* The first page that lies wholly behind `size`. */
static inline uint64_t mfs_content_first_behind(const struct mfs_pool *pool, uint64_t size)
{
    MFS_CHECK(size <= UINT64_MAX - pool->page_size);
    return (size + pool->page_size - 1) >> pool->page_shift;
}

#endif
