/*
 * 1. The pieces of a page lie side by side from behind its name to its end.  Each knows its
 *    size and that of the piece before it.
 * 2. No two neighbours are free, and no page is one free piece: it would have gone back.
 * 3. A free piece is in the bin of its size; a bit is set exactly while its bin has a piece.
 * 4. Bins of less than EXACT_UNITS have pieces of one size.  Of the others there are eight to an
 *    octave, so a request is served by any piece that is an eighth larger.
 *
 * Taking looks at a few pieces of one bin and at one of the next bin that has any; giving looks
 * at both neighbours.  Neither depends on how many pieces there are.
 */
#include "memory/piece.h"

#include "base/check.h"
#include "memory/poison.h"

#include <string.h>

enum { LEAST_UNITS = MFS_PIECE_LEAST_BYTES / MFS_PIECE_UNIT };
enum { EXACT_UNITS = 64, EXACT_SHIFT = 6, BIN_WORDS = 2, LOOK_IN_BIN = 4 };
enum { PIECE_USED = 0x7573, PIECE_FREE = 0x6672, PIECE_NONE = 0x6e6f };

/* Sizes and places are counted in units. */
struct piece {
    uint16_t at;     /* of the header, from the beginning of the page */
    uint16_t units;  /* the header included */
    uint16_t before; /* size of the piece before; 0: this is the first */
    uint16_t state;
    /* In a free piece only: */
    struct piece *next, *previous; /* in its bin */
};

struct mfs_piece_bins {
    uint64_t filled[BIN_WORDS]; /* a bit for each bin */
    struct piece *first[];
};

/* What a page that is cut begins with. */
struct cut_page {
    mfs_page name;
};

_Static_assert(offsetof(struct piece, next) == MFS_PIECE_HEADER_BYTES, "a header and no more");
_Static_assert(sizeof(struct piece) <= MFS_PIECE_LEAST_BYTES, "a free piece holds its links");
_Static_assert(sizeof(struct cut_page) <= MFS_PIECE_UNIT, "the first piece begins at unit 1");

/* -------------------------------------------------------------------- bins */

static unsigned bin_of(unsigned units)
{
    if (units < EXACT_UNITS)
        return units;
    unsigned octave = mfs_num_log2(units);
    return EXACT_UNITS + (octave - EXACT_SHIFT) * 8 + ((units >> (octave - 3)) & 7);
}

static unsigned page_units(const struct mfs_pool *pool)
{
    return pool->page_size / MFS_PIECE_UNIT;
}

static size_t bins_bytes(const struct mfs_pool *pool)
{
    unsigned bins = bin_of(page_units(pool) - 1) + 1;
    return sizeof(struct mfs_piece_bins) + bins * sizeof(struct piece *);
}

static int make_bins(struct mfs_pieces *pieces, struct mfs_pool *pool,
                     enum mfs_charge_from charge_from) MFS_REQUIRES(pieces->lock)
{
    if (pieces->bins != NULL)
        return 0;
    void *memory;
    int error = mfs_pool_block_take(pool, charge_from, bins_bytes(pool), &memory);
    if (error != 0)
        return error;
    memset(memory, 0, bins_bytes(pool));
    pieces->bins = memory;
    return 0;
}

void mfs_piece_fini(struct mfs_pieces *pieces, struct mfs_pool *pool)
{
    if (pieces->bins != NULL)
        mfs_pool_block_give(pool, MFS_CHARGE_ORDINARY, pieces->bins, bins_bytes(pool));
    pieces->bins = NULL;
}

/* The lowest bin from `bin` on that has a piece; BIN_WORDS * 64 if there is none. */
static unsigned next_filled(const struct mfs_piece_bins *bins, unsigned bin)
{
    for (unsigned word = bin / 64; word < BIN_WORDS; word++) {
        uint64_t bits = bins->filled[word];
        if (word == bin / 64)
            bits &= UINT64_MAX << (bin % 64);
        if (bits != 0)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return BIN_WORDS * 64;
}

/* The bytes of a free piece that hold no link. */
static void poison_piece(const struct piece *piece)
{
    mfs_poison(piece + 1, piece->units * (size_t)MFS_PIECE_UNIT - sizeof *piece);
}

static void bin_add(struct mfs_piece_bins *bins, struct piece *piece)
{
    unsigned bin = bin_of(piece->units);
    piece->state = PIECE_FREE;
    piece->previous = NULL;
    piece->next = bins->first[bin];
    if (piece->next != NULL)
        piece->next->previous = piece;
    bins->first[bin] = piece;
    bins->filled[bin / 64] |= (uint64_t)1 << (bin % 64);
    poison_piece(piece);
}

static void bin_remove(struct mfs_piece_bins *bins, struct piece *piece)
{
    unsigned bin = bin_of(piece->units);
    MFS_CHECK(piece->state == PIECE_FREE);
    if (piece->next != NULL)
        piece->next->previous = piece->previous;
    if (piece->previous != NULL)
        piece->previous->next = piece->next;
    else
        bins->first[bin] = piece->next;
    if (bins->first[bin] == NULL)
        bins->filled[bin / 64] &= ~((uint64_t)1 << (bin % 64));
    mfs_poison_end(piece, piece->units * (size_t)MFS_PIECE_UNIT);
}

/* A free piece of at least `units`, the smallest or nearly so; null if there is none. */
static struct piece *find_piece(const struct mfs_piece_bins *bins, unsigned units)
{
    unsigned bin = bin_of(units);
    struct piece *piece = bins->first[bin];
    for (int i = 0; i < LOOK_IN_BIN && piece != NULL; i++, piece = piece->next)
        if (piece->units >= units)
            return piece;
    bin = next_filled(bins, bin + 1);
    return bin < BIN_WORDS * 64 ? bins->first[bin] : NULL;
}

/* ------------------------------------------------------------------- pages */

static struct piece *piece_at(struct piece *other, int units_away)
{
    return (struct piece *)(void *)((unsigned char *)other + units_away * MFS_PIECE_UNIT);
}

/* The piece behind; null if this one is the last of its page. */
static struct piece *piece_behind(const struct mfs_pool *pool, struct piece *piece)
{
    bool is_last = piece->at + (unsigned)piece->units == page_units(pool);
    return is_last ? NULL : piece_at(piece, piece->units);
}

static struct piece *piece_before(struct piece *piece)
{
    return piece->before != 0 ? piece_at(piece, -piece->before) : NULL;
}

static mfs_page page_of(struct piece *piece)
{
    return ((struct cut_page *)(void *)piece_at(piece, -piece->at))->name;
}

/* Takes a page and makes it one free piece, which is in no bin. */
static int cut_page(struct mfs_pool *pool, enum mfs_charge_from charge_from, struct piece **out)
{
    mfs_page page;
    int error = mfs_pool_run_take(pool, charge_from, 1, &page);
    if (error != 0)
        return error;
    struct cut_page *cut = (void *)mfs_pool_page_bytes(pool, page);
    cut->name = page;
    struct piece *piece = (void *)((unsigned char *)cut + MFS_PIECE_UNIT);
    *piece = (struct piece){.at = 1, .units = (uint16_t)(page_units(pool) - 1)};
    *out = piece;
    return 0;
}

/* Makes a piece of its own, free, of what is behind the first `units`, if that is enough. */
static void split_piece(struct mfs_piece_bins *bins, const struct mfs_pool *pool,
                        struct piece *piece, unsigned units)
{
    unsigned rest_units = piece->units - units;
    if (rest_units < LEAST_UNITS)
        return;
    struct piece *behind = piece_behind(pool, piece);
    struct piece *rest = piece_at(piece, (int)units);
    *rest = (struct piece){.at = (uint16_t)(piece->at + units),
                           .units = (uint16_t)rest_units,
                           .before = (uint16_t)units};
    piece->units = (uint16_t)units;
    if (behind != NULL)
        behind->before = (uint16_t)rest_units;
    bin_add(bins, rest);
}

static int take_piece(struct mfs_pieces *pieces, struct mfs_pool *pool,
                      enum mfs_charge_from charge_from, unsigned units, struct piece **out)
    MFS_REQUIRES(pieces->lock)
{
    int error = make_bins(pieces, pool, charge_from);
    if (error != 0)
        return error;
    struct piece *piece = find_piece(pieces->bins, units);
    if (piece != NULL)
        bin_remove(pieces->bins, piece);
    else
        error = cut_page(pool, charge_from, &piece);
    if (error != 0)
        return error;
    split_piece(pieces->bins, pool, piece, units);
    piece->state = PIECE_USED;
    *out = piece;
    return 0;
}

int mfs_piece_take(struct mfs_pieces *pieces, struct mfs_pool *pool,
                   enum mfs_charge_from charge_from, size_t bytes, void **out)
{
    MFS_CHECK(bytes != 0 && bytes <= mfs_piece_most(pool));
    unsigned units = (unsigned)(mfs_piece_cost(bytes) / MFS_PIECE_UNIT);
    struct mfs_lot *lot = pool->shape.allocator->lot;
    struct piece *piece = NULL;
    mfs_sync_lock_exclusive(lot, &pieces->lock);
    int error = take_piece(pieces, pool, charge_from, units, &piece);
    mfs_sync_unlock_exclusive(lot, &pieces->lock);
    if (error == 0)
        *out = (unsigned char *)piece + MFS_PIECE_HEADER_BYTES;
    return error;
}

/* Joins two neighbours, neither of which is in a bin. */
static struct piece *join_pieces(const struct mfs_pool *pool, struct piece *low, struct piece *high)
{
    low->units = (uint16_t)(low->units + high->units);
    struct piece *behind = piece_behind(pool, low);
    if (behind != NULL)
        behind->before = low->units;
    return low;
}

/* Frees the piece; returns the page if nothing else is left in it, which is then to be put back,
 * or 0. */
static mfs_page free_piece(struct mfs_pieces *pieces, const struct mfs_pool *pool,
                           struct piece *piece) MFS_REQUIRES(pieces->lock)
{
    MFS_CHECK(piece->state == PIECE_USED);
    struct piece *behind = piece_behind(pool, piece), *before = piece_before(piece);
    MFS_CHECK(behind == NULL || behind->before == piece->units);
    MFS_CHECK(before == NULL || before->units == piece->before);
    if (behind != NULL && behind->state == PIECE_FREE) {
        bin_remove(pieces->bins, behind);
        piece = join_pieces(pool, piece, behind);
    }
    if (before != NULL && before->state == PIECE_FREE) {
        bin_remove(pieces->bins, before);
        piece = join_pieces(pool, before, piece);
    }
    if (piece->units == page_units(pool) - 1)
        return page_of(piece);
    bin_add(pieces->bins, piece);
    return 0;
}

void mfs_piece_give(struct mfs_pieces *pieces, struct mfs_pool *pool, void *bytes)
{
    struct mfs_lot *lot = pool->shape.allocator->lot;
    struct piece *piece = (void *)((unsigned char *)bytes - MFS_PIECE_HEADER_BYTES);
    mfs_sync_lock_exclusive(lot, &pieces->lock);
    mfs_page emptied = free_piece(pieces, pool, piece);
    mfs_sync_unlock_exclusive(lot, &pieces->lock);
    if (emptied != 0)
        mfs_pool_run_give(pool, emptied, 1);
}

/* ------------------------------------------------------- what is no piece */

void mfs_piece_mark_none(void *bytes)
{
    struct piece *header = (void *)((unsigned char *)bytes - MFS_PIECE_HEADER_BYTES);
    header->state = PIECE_NONE;
}

bool mfs_piece_is_none(const void *bytes)
{
    const unsigned char *header = (const unsigned char *)bytes - MFS_PIECE_HEADER_BYTES;
    return ((const struct piece *)(const void *)header)->state == PIECE_NONE;
}

/* ------------------------------------------------------------------- audit */

static bool piece_is_valid(const struct mfs_pool *pool, struct piece *piece, unsigned bin)
{
    struct piece *behind = piece_behind(pool, piece), *before = piece_before(piece);
    return piece->state == PIECE_FREE && bin_of(piece->units) == bin &&
           piece->at + (unsigned)piece->units <= page_units(pool) &&
           (piece->next == NULL || piece->next->previous == piece) &&
           (behind == NULL || (behind->state == PIECE_USED && behind->before == piece->units)) &&
           (before == NULL || (before->state == PIECE_USED && before->units == piece->before));
}

bool mfs_piece_are_valid(struct mfs_pieces *pieces, struct mfs_pool *pool)
{
    struct mfs_lot *lot = pool->shape.allocator->lot;
    bool is_valid = true;
    mfs_sync_lock_exclusive(lot, &pieces->lock);
    unsigned last = pieces->bins != NULL ? bin_of(page_units(pool) - 1) : 0;
    for (unsigned bin = 1; bin <= last; bin++) {
        struct piece *piece = pieces->bins->first[bin];
        is_valid = is_valid && (piece != NULL) == (next_filled(pieces->bins, bin) == bin);
        for (; piece != NULL && is_valid; piece = piece->next)
            is_valid = piece_is_valid(pool, piece, bin);
    }
    mfs_sync_unlock_exclusive(lot, &pieces->lock);
    return is_valid;
}
