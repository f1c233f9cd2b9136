/*
 * 1. The elements lie in chunks, and hang in buckets by their nodes' numbers, which count up and
 *    so spread well by themselves.
 * 2. Only the newest chunk has room for more elements.
 *
 * Cost: 32 bytes for each element, taken in chunks.  Adding takes constant time.
 *
 * Left undone: elements cannot be removed one by one.
 */
#include "wholetree/linkmap.h"

#include "base/check.h"

struct linkmap_element {
    struct mfs_chain chain;
    const struct mfs_node *from;
    struct mfs_node *to;
};

struct mfs_linkmap_chunk {
    struct mfs_linkmap_chunk *older;
    size_t count;
    struct linkmap_element elements[];
};

enum {
    ELEMENTS_IN_CHUNK = (MFS_CHUNK_MOST - sizeof(struct mfs_linkmap_chunk)) /
                        sizeof(struct linkmap_element)
};

static struct mfs_chunk_source linkmap_source(struct mfs_memory *memory)
{
    return (struct mfs_chunk_source){memory, MEMFS_CLASS_HANDLES, MFS_CHARGE_ORDINARY};
}

static const struct linkmap_element *element_of(const struct mfs_chain *chain)
{
    return (const struct linkmap_element *)(const void *)chain;
}

static uint32_t hash_of_node(const struct mfs_node *node)
{
    return (uint32_t)node->number;
}

static uint32_t hash_of_element(const struct mfs_chain *chain)
{
    return hash_of_node(element_of(chain)->from);
}

struct mfs_node *mfs_linkmap_find(const struct mfs_linkmap *map, const struct mfs_node *from)
{
    if (map->count == 0)
        return NULL;
    const struct mfs_chain *at = *mfs_buckets_chain(&map->buckets, hash_of_node(from));
    while (at != NULL && element_of(at)->from != from)
        at = at->next;
    return at != NULL ? element_of(at)->to : NULL;
}

int mfs_linkmap_add(struct mfs_linkmap *map, struct mfs_memory *memory, const struct mfs_node *from,
                    struct mfs_node *to)
{
    const struct mfs_chunk_source source = linkmap_source(memory);
    struct mfs_chunk *spares = NULL;
    bool wants_chunk = map->chunks == NULL || map->chunks->count == ELEMENTS_IN_CHUNK;
    bool wants_bucket = mfs_buckets_wants_more(&map->buckets, map->count + 1);
    MFS_CHECK(mfs_linkmap_find(map, from) == NULL && to != NULL);
    int error = wants_chunk ? mfs_chunk_set_aside(&source, MFS_CHUNK_MOST, &spares) : 0;
    if (error == 0 && wants_bucket)
        error = mfs_buckets_prepare(&map->buckets, &source, &spares);
    if (error != 0) {
        mfs_chunk_give_back(&source, &spares);
        return error;
    }
    /* Nothing below can fail. */
    if (wants_chunk) {
        struct mfs_linkmap_chunk *chunk = mfs_chunk_use(&spares, MFS_CHUNK_MOST);
        chunk->older = map->chunks;
        map->chunks = chunk;
    }
    if (wants_bucket)
        mfs_buckets_grow(&map->buckets, &source, &spares, hash_of_element);
    struct linkmap_element *element = &map->chunks->elements[map->chunks->count++];
    *element = (struct linkmap_element){.from = from, .to = to};
    mfs_buckets_insert(&map->buckets, &element->chain, hash_of_node(from));
    map->count++;
    return 0;
}

void mfs_linkmap_fini(struct mfs_linkmap *map, struct mfs_memory *memory)
{
    const struct mfs_chunk_source source = linkmap_source(memory);
    mfs_buckets_fini(&map->buckets, &source);
    while (map->chunks != NULL) {
        struct mfs_linkmap_chunk *chunk = map->chunks;
        map->chunks = chunk->older;
        mfs_chunk_free(&source, chunk, MFS_CHUNK_MOST);
    }
    *map = (struct mfs_linkmap){0};
}
