/*
 * Pieces: the small blocks of memory that directories, maps and stacks are built of.
 *
 * A piece has a power of two of bytes between MFS_PIECE_LEAST and MFS_PIECE_MOST, which is the
 * smallest page.  A structure that grows takes more pieces; it never asks for one block that is
 * larger than a page, so that fragmentation cannot refuse it.
 *
 * A change that must not fail half way first sets aside the pieces that it will need:
 *
 *     struct mfs_piece *spares = NULL;
 *     error = mfs_piece_set_aside(source, 256, &spares);     may fail: EDQUOT, ENOMEM
 *     ...
 *     node = mfs_piece_use(&spares, 256);                    cannot fail
 *
 * or mfs_piece_give_back(source, &spares) if the change does not come about.
 */
#ifndef MFS_PIECE_H
#define MFS_PIECE_H

#include "memory/memory.h"

#include <stddef.h>
#include <stdint.h>

enum { MFS_PIECE_LEAST = 32, MFS_PIECE_MOST = MEMFS_PAGE_SIZE_MIN };

/* Where pieces come from, and what they are charged to. */
struct mfs_piece_source {
    struct mfs_memory *memory;
    enum memfs_class class;
    enum mfs_charge_from charge_from;
};

/* A piece that is set aside; the links lie in the pieces themselves. */
struct mfs_piece {
    struct mfs_piece *next;
    uint32_t bytes;
};

/* Adds a piece of `bytes` to the pieces set aside.  Errors: EDQUOT, ENOMEM. */
int mfs_piece_set_aside(const struct mfs_piece_source *source, size_t bytes,
                        struct mfs_piece **spares);

/* Takes a piece of `bytes`, which must be there, from those set aside.  It is zeroed. */
void *mfs_piece_use(struct mfs_piece **spares, size_t bytes);

/* Frees all pieces that are set aside. */
void mfs_piece_give_back(const struct mfs_piece_source *source, struct mfs_piece **spares);

/* Frees a piece that was in use. */
void mfs_piece_free(const struct mfs_piece_source *source, void *piece, size_t bytes);

/* What a piece of `bytes` costs. */
uint64_t mfs_piece_cost(const struct mfs_piece_source *source, size_t bytes);

#endif
