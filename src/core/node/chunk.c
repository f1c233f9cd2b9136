/*
 * 1. A chunk set aside is charged and holds nothing but its link and its size.
 * 2. The list is as long as one change needs: a chunk for each level of a tree.
 *
 * Cost: what the allocator takes; one search of that short list for each use.
 */
#include "node/chunk.h"

#include "base/check.h"

#include <string.h>

_Static_assert(sizeof(struct mfs_chunk) <= MFS_CHUNK_LEAST, "a chunk set aside holds its link");

static bool is_chunk_size(size_t bytes)
{
    return bytes % 8 == 0 && bytes >= MFS_CHUNK_LEAST && bytes <= MFS_CHUNK_MOST;
}

int mfs_chunk_set_aside(const struct mfs_chunk_source *source, size_t bytes,
                        struct mfs_chunk **spares)
{
    void *memory;
    MFS_CHECK(is_chunk_size(bytes));
    int error = mfs_memory_take_as(source->memory, source->charge_from, bytes, source->class,
                                   &memory);
    if (error != 0)
        return error;
    struct mfs_chunk *chunk = memory;
    *chunk = (struct mfs_chunk){.next = *spares, .bytes = (uint32_t)bytes};
    *spares = chunk;
    return 0;
}

void *mfs_chunk_use(struct mfs_chunk **spares, size_t bytes)
{
    struct mfs_chunk **at = spares;
    while (*at != NULL && (*at)->bytes != bytes)
        at = &(*at)->next;
    struct mfs_chunk *chunk = *at;
    MFS_CHECK(chunk != NULL);
    *at = chunk->next;
    memset(chunk, 0, bytes);
    return chunk;
}

void mfs_chunk_give_back(const struct mfs_chunk_source *source, struct mfs_chunk **spares)
{
    while (*spares != NULL) {
        struct mfs_chunk *chunk = *spares;
        *spares = chunk->next;
        mfs_chunk_free(source, chunk, chunk->bytes);
    }
}

void mfs_chunk_free(const struct mfs_chunk_source *source, void *chunk, size_t bytes)
{
    MFS_CHECK(chunk != NULL && is_chunk_size(bytes));
    mfs_memory_give(source->memory, chunk, bytes, source->class);
}

uint64_t mfs_chunk_cost(const struct mfs_chunk_source *source, size_t bytes)
{
    return mfs_memory_cost(source->memory, bytes);
}
