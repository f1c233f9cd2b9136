/*
 * 1. A piece set aside is charged and holds nothing but its link and its size.
 * 2. The list is as long as one change needs: a piece for each level of a tree.
 *
 * Cost: what the allocator takes; one search of that short list for each use.
 */
#include "node/piece.h"

#include "base/check.h"
#include "base/num.h"

#include <string.h>

_Static_assert(sizeof(struct mfs_piece) <= MFS_PIECE_LEAST, "a piece set aside holds its link");

static bool is_piece_size(size_t bytes)
{
    return mfs_num_is_power_of_two(bytes) && bytes >= MFS_PIECE_LEAST && bytes <= MFS_PIECE_MOST;
}

int mfs_piece_set_aside(const struct mfs_piece_source *source, size_t bytes,
                        struct mfs_piece **spares)
{
    void *memory;
    MFS_CHECK(is_piece_size(bytes));
    int error = mfs_memory_take_as(source->memory, source->charge_from, bytes, source->class,
                                   &memory);
    if (error != 0)
        return error;
    struct mfs_piece *piece = memory;
    *piece = (struct mfs_piece){.next = *spares, .bytes = (uint32_t)bytes};
    *spares = piece;
    return 0;
}

void *mfs_piece_use(struct mfs_piece **spares, size_t bytes)
{
    struct mfs_piece **at = spares;
    while (*at != NULL && (*at)->bytes != bytes)
        at = &(*at)->next;
    struct mfs_piece *piece = *at;
    MFS_CHECK(piece != NULL);
    *at = piece->next;
    memset(piece, 0, bytes);
    return piece;
}

void mfs_piece_give_back(const struct mfs_piece_source *source, struct mfs_piece **spares)
{
    while (*spares != NULL) {
        struct mfs_piece *piece = *spares;
        *spares = piece->next;
        mfs_piece_free(source, piece, piece->bytes);
    }
}

void mfs_piece_free(const struct mfs_piece_source *source, void *piece, size_t bytes)
{
    MFS_CHECK(piece != NULL && is_piece_size(bytes));
    mfs_memory_give(source->memory, piece, bytes, source->class);
}

uint64_t mfs_piece_cost(const struct mfs_piece_source *source, size_t bytes)
{
    return mfs_memory_cost(source->memory, bytes);
}
