/*
 * 1. The elements lie in chunks, and hang in buckets by their nodes' numbers, which count up and
 *    so spread well by themselves.
 * 2. Only the newest chunk has room for more elements.
 *
 * Cost: 40 bytes for each element, taken in chunks.  Adding takes constant time.
 */
#include "wholetree/nodemap.h"

#include "base/check.h"

struct mfs_nodemap_chunk {
    struct mfs_nodemap_chunk *older;
    size_t count;
    struct mfs_nodemap_element elements[];
};

enum {
    NODES_IN_CHUNK = (MFS_CHUNK_MOST - sizeof(struct mfs_nodemap_chunk)) /
                     sizeof(struct mfs_nodemap_element)
};

static struct mfs_chunk_source nodemap_source(struct mfs_memory *memory)
{
    return (struct mfs_chunk_source){memory, MEMFS_CLASS_HANDLES, MFS_CHARGE_ORDINARY};
}

static uint32_t hash_of_number(uint64_t number)
{
    return (uint32_t)number;
}

static uint32_t hash_of_mapped(const struct mfs_chain *chain)
{
    return hash_of_number(((const struct mfs_nodemap_element *)(const void *)chain)->node->number);
}

struct mfs_nodemap_element *mfs_nodemap_find(const struct mfs_nodemap *map, uint64_t number)
{
    if (map->count == 0)
        return NULL;
    struct mfs_chain *at = *mfs_buckets_chain(&map->buckets, hash_of_number(number));
    for (; at != NULL; at = at->next) {
        struct mfs_nodemap_element *element = (void *)at;
        if (element->node->number == number)
            return element;
    }
    return NULL;
}

int mfs_nodemap_add(struct mfs_nodemap *map, struct mfs_memory *memory,
                    const struct mfs_nodemap_element *element)
{
    const struct mfs_chunk_source source = nodemap_source(memory);
    struct mfs_chunk *spares = NULL;
    bool wants_chunk = map->chunks == NULL || map->chunks->count == NODES_IN_CHUNK;
    bool wants_bucket = mfs_buckets_wants_more(&map->buckets, map->count + 1);
    MFS_CHECK(mfs_nodemap_find(map, element->node->number) == NULL);
    int error = wants_chunk ? mfs_chunk_set_aside(&source, MFS_CHUNK_MOST, &spares) : 0;
    if (error == 0 && wants_bucket)
        error = mfs_buckets_prepare(&map->buckets, &source, &spares);
    if (error != 0) {
        mfs_chunk_give_back(&source, &spares);
        return error;
    }
    /* Nothing below can fail. */
    if (wants_chunk) {
        struct mfs_nodemap_chunk *chunk = mfs_chunk_use(&spares, MFS_CHUNK_MOST);
        chunk->older = map->chunks;
        map->chunks = chunk;
    }
    if (wants_bucket)
        mfs_buckets_grow(&map->buckets, &source, &spares, hash_of_mapped);
    struct mfs_nodemap_element *added = &map->chunks->elements[map->chunks->count++];
    *added = *element;
    mfs_buckets_insert(&map->buckets, &added->chain, hash_of_number(element->node->number));
    map->count++;
    return 0;
}

void mfs_nodemap_fini(struct mfs_nodemap *map, struct mfs_memory *memory)
{
    const struct mfs_chunk_source source = nodemap_source(memory);
    mfs_buckets_fini(&map->buckets, &source);
    while (map->chunks != NULL) {
        struct mfs_nodemap_chunk *chunk = map->chunks;
        map->chunks = chunk->older;
        mfs_chunk_free(&source, chunk, MFS_CHUNK_MOST);
    }
    *map = (struct mfs_nodemap){0};
}
