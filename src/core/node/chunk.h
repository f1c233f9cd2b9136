/*
 * Chunks: the small blocks of memory that directories, maps and stacks are built of.
 *
 * A chunk has between MFS_CHUNK_LEAST and MFS_CHUNK_MOST bytes, a multiple of 8; the largest one
 * fits into the smallest page.  A structure that grows takes more chunks; it never asks for one
 * block that is larger than a page, so that fragmentation cannot refuse it.
 *
 * A change that must not fail half way first sets aside the chunks that it will need:
 *
 *     struct mfs_chunk *spares = NULL;
 *     error = mfs_chunk_set_aside(source, 240, &spares);     may fail: EDQUOT, ENOMEM
 *     ...
 *     node = mfs_chunk_use(&spares, 240);                    cannot fail
 *
 * or mfs_chunk_give_back(source, &spares) if the change does not come about.
 */
#ifndef MFS_CHUNK_H
#define MFS_CHUNK_H

#include "memory/memory.h"

#include <stddef.h>
#include <stdint.h>

/* What an allocator that cuts blocks from pages needs of each page for itself. */
enum { MFS_CHUNK_OVERHEAD = 16 };
enum { MFS_CHUNK_LEAST = 32, MFS_CHUNK_MOST = MEMFS_PAGE_SIZE_MIN - MFS_CHUNK_OVERHEAD };

/* Where chunks come from, and what they are charged to. */
struct mfs_chunk_source {
    struct mfs_memory *memory;
    enum memfs_class class;
    enum mfs_charge_from charge_from;
};

/* A chunk that is set aside; the links lie in the chunks themselves. */
struct mfs_chunk {
    struct mfs_chunk *next;
    uint32_t bytes;
};

/* Adds a chunk of `bytes` to the chunks set aside.  Errors: EDQUOT, ENOMEM. */
int mfs_chunk_set_aside(const struct mfs_chunk_source *source, size_t bytes,
                        struct mfs_chunk **spares);

/* Takes a chunk of `bytes`, which must be there, from those set aside.  It is zeroed. */
void *mfs_chunk_use(struct mfs_chunk **spares, size_t bytes);

/* Frees all chunks that are set aside. */
void mfs_chunk_give_back(const struct mfs_chunk_source *source, struct mfs_chunk **spares);

/* Frees a chunk that was in use. */
void mfs_chunk_free(const struct mfs_chunk_source *source, void *chunk, size_t bytes);

/* What a chunk of `bytes` costs. */
uint64_t mfs_chunk_cost(const struct mfs_chunk_source *source, size_t bytes);

#endif
