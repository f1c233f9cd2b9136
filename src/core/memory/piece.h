/*
 * Pieces of pages: whatever is smaller than a page and no page of data.
 *
 * A page from the pool is cut to pieces of any size, which lie side by side; each has a header
 * of 8 bytes that says how large it is and where the piece before it begins.  A piece that is
 * given back joins its free neighbours, and a page that is one free piece again goes back to
 * the pool.  Free pieces are kept in bins by size, and a bit for each bin says whether it has
 * any, so that the smallest that is large enough is found in constant time.
 *
 *     page                                                              end of page
 *     | name of page | header, used | header, free, links | header, used | ...     |
 *
 *     bins    24  32  40  ...  504 | 512..568  576..632 | ...
 *              |        `- free piece - free piece
 *              `- free piece
 *
 * Why pieces of any size, and not pages for one size each: a small file system needs one page
 * for all it has, not one for each size; and what was cut small is joined again, so that after
 * deletions in any pattern objects of other sizes find room where their predecessors were.
 *
 * A piece costs its bytes and 8, rounded up to 8, 24 at least.  The bytes of a piece are
 * aligned to 8.
 */
#ifndef MFS_PIECE_H
#define MFS_PIECE_H

#include "base/num.h"
#include "memory/pool.h"

#include <stdbool.h>
#include <stddef.h>

enum { MFS_PIECE_UNIT = 8, MFS_PIECE_HEADER_BYTES = 8, MFS_PIECE_LEAST_BYTES = 24 };

struct mfs_piece_bins;

struct mfs_pieces {
    struct mfs_lock lock;        /* guards all pieces and bins; before the pool's */
    struct mfs_piece_bins *bins; /* null until the first piece */
};

/* Gives the bins back.  All pieces must have been given back, unless the pool is given up with
 * all its pages. */
void mfs_piece_fini(struct mfs_pieces *pieces, struct mfs_pool *pool);

/* A piece with room for `bytes`, at most mfs_piece_most(), of uncertain content.  Errors: EDQUOT,
 * ENOMEM (recorded). */
int mfs_piece_take(struct mfs_pieces *pieces, struct mfs_pool *pool,
                   enum mfs_charge_from charge_from, size_t bytes, void **out);
void mfs_piece_give(struct mfs_pieces *pieces, struct mfs_pool *pool, void *bytes);

/*
 * What comes from elsewhere but is given back as a piece would be has a header of a piece's size
 * in front, too, which is marked as that of no piece.
 */
void mfs_piece_mark_none(void *bytes);
bool mfs_piece_is_none(const void *bytes);

/* Whether all free pieces are in their bins and agree with their neighbours.  For the audit. */
bool mfs_piece_are_valid(struct mfs_pieces *pieces, struct mfs_pool *pool);

/* The largest piece that a page can be. */
static inline size_t mfs_piece_most(const struct mfs_pool *pool)
{
    return pool->page_size - MFS_PIECE_UNIT - MFS_PIECE_HEADER_BYTES;
}

/* The room for pieces in a page. */
static inline size_t mfs_piece_area(const struct mfs_pool *pool)
{
    return pool->page_size - MFS_PIECE_UNIT;
}

/* What such a piece takes of its page. */
static inline size_t mfs_piece_cost(size_t bytes)
{
    size_t whole = mfs_num_round_up(bytes + MFS_PIECE_HEADER_BYTES, MFS_PIECE_UNIT);
    return mfs_num_max_size(whole, MFS_PIECE_LEAST_BYTES);
}

#endif
