/*
 * The bytes of one file.
 *
 * A content is nothing (all hole), a *short* (one small reference-counted block
 * that holds the beginning of page 0, so that small files do not pay a page) or
 * a page table (radix.h).  The size is kept by the caller and passed in.
 *
 * What lies in the pages behind the size reads as zeros once the file grows.
 * Cutting off zeroes it at once where the last page is private.  Where it is
 * shared, that would need memory, and cutting must not; then the content is
 * *stale*: its pages may hold old bytes behind the size, and whatever grows the
 * file cleans that first.
 *
 * Appending does not zero the rest of a page that is new, since what is appended
 * next would overwrite that: the *tail*, from the size to the end of its page, is
 * then uncertain, and whatever leaves a gap behind the size zeroes it first.
 *
 * What grows is charged as ordinary data, unless the caller sets `charge_from` for the time
 * of a change.
 *
 * Changes are all or nothing.  Threads: the caller holds the node's lock,
 * exclusive for what changes the content and shared for the rest.
 */
#ifndef MFS_CONTENT_H
#define MFS_CONTENT_H

#include "base/iov.h"
#include "content/short.h"
#include "memory/page.h"
#include "pagetable/radix_tally.h"
#include "pagetable/stash.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

struct mfs_content {
    uintptr_t root; /* a struct mfs_short, or the root of the page table; 0: nothing */
    uint8_t height;
    bool is_short : 1;
    bool is_stale : 1;
    bool has_uncertain_tail : 1;
    bool has_replaced : 1; /* a page gave way to another or to a hole; the holder clears it */
    enum mfs_charge_from charge_from; /* MFS_CHARGE_ORDINARY while no change is under way */
    uint64_t kept_end; /* what begins behind the size and before this has its room; 0: nothing */
};

/* Reads `length` bytes, all inside the file.  Cannot fail. */
void mfs_content_read(const struct mfs_pool *pool, const struct mfs_content *content,
                      uint64_t offset, uint64_t length, struct mfs_sink *sink);

/*
 * Writes `length` bytes (> 0) at `offset` of a file of `size` bytes, which then grows to
 * their end, at most MEMFS_FILE_SIZE_MAX.  Errors: EDQUOT, ENOMEM; never if all bytes
 * lie in pages that this content owns alone.
 */
int mfs_content_write(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                      uint64_t offset, uint64_t length, struct mfs_source *source);

/* Makes the range zeros, in pages that are there, for all that the size may stay. */
int mfs_content_zero(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                     uint64_t offset, uint64_t length);

/* Makes writing to the range later need no memory; the bytes stay. */
int mfs_content_allocate(struct mfs_pool *pool, struct mfs_content *content, uint64_t size,
                         uint64_t offset, uint64_t length);

/* Makes the range read as zeros and frees its whole pages; room is kept only in front of it. */
int mfs_content_punch(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                      uint64_t length);

/* Prepares for the size `size` to become a larger one.  Errors: EDQUOT, ENOMEM. */
int mfs_content_grow(struct mfs_pool *pool, struct mfs_content *content, uint64_t size);

/*
 * Cuts off what lies behind `size`; what begins before kept_end stays, zeroed.
 * Where there is a hole before kept_end, that moves to the hole.  Cannot fail.
 */
void mfs_content_cut(struct mfs_pool *pool, struct mfs_content *content, uint64_t size);

/* A second content with the same bytes, and without kept room; cannot fail. */
struct mfs_content mfs_content_clone(struct mfs_pool *pool, const struct mfs_content *content);
void mfs_content_release(struct mfs_pool *pool, struct mfs_content *content);

/* Keeps no room any more; what lies in it is cleaned up when the content is cut or grows. */
void mfs_content_end_room(struct mfs_content *content);

/* A second content with the same bytes in pages of its own; holes stay holes.
 * Errors: EDQUOT, ENOMEM. */
int mfs_content_duplicate(struct mfs_pool *pool, const struct mfs_content *content, uint64_t size,
                          struct mfs_content *out);

/* The bytes of storage that a file of `size` bytes refers to. */
uint64_t mfs_content_allocated(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size);

/* That, and what its page table costs. */
uint64_t mfs_content_usage(const struct mfs_pool *pool, const struct mfs_content *content,
                           uint64_t size);

/* The next offset with data, MFS_NO_INDEX if only a hole follows; the next in a hole. */
uint64_t mfs_content_next_data(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset);
uint64_t mfs_content_next_hole(const struct mfs_pool *pool, const struct mfs_content *content,
                               uint64_t size, uint64_t offset);

/* The page with `offset`, pinned; made if there is none.  Errors: EDQUOT, ENOMEM. */
int mfs_content_pin(struct mfs_pool *pool, struct mfs_content *content, uint64_t offset,
                    mfs_page *out);

/* The same if there is one already; else false.  The lock held shared is enough. */
bool mfs_content_pin_existing(struct mfs_pool *pool, const struct mfs_content *content,
                              uint64_t offset, mfs_page *out);

static inline struct mfs_short *mfs_content_short(const struct mfs_content *content)
{
    return (struct mfs_short *)content->root; /* NOLINT(performance-no-int-to-ptr) */
}

static inline struct mfs_radix mfs_content_tree(const struct mfs_content *content)
{
    return (struct mfs_radix){content->is_short ? 0 : content->root, content->height};
}

/* The first page that lies wholly behind `size`. */
static inline uint64_t mfs_content_first_behind(const struct mfs_pool *pool, uint64_t size)
{
    return (size + pool->page_size - 1) >> pool->page_shift;
}

/* For the audit: true if everything between the size and kept_end has its room. */
bool mfs_content_has_room(const struct mfs_pool *pool, const struct mfs_content *content,
                          uint64_t size);

/* For the audit: a short that was not marked yet adds its cost to `*short_bytes`. */
void mfs_content_tally(const struct mfs_pool *pool, const struct mfs_content *content,
                       struct mfs_tally *tally, uint64_t *short_bytes);
void mfs_content_unmark(const struct mfs_pool *pool, const struct mfs_content *content);

#endif
