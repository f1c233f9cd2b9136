/* Open addressing on node numbers, which count up and so spread well by themselves. */
#include "wholetree/linkmap.h"

#include "base/check.h"

#include <string.h>

enum { FIRST_CAPACITY = 16 };

static struct mfs_linkmap_slot *slot_for(const struct mfs_linkmap *map, const struct mfs_node *from)
{
    size_t at = (size_t)from->number & (map->capacity - 1);
    while (map->slots[at].from != NULL && map->slots[at].from != from)
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

struct mfs_node *mfs_linkmap_find(const struct mfs_linkmap *map, const struct mfs_node *from)
{
    return map->count != 0 ? slot_for(map, from)->to : NULL;
}

static int grow(struct mfs_linkmap *map, struct mfs_memory *memory)
{
    struct mfs_linkmap grown = {.capacity = map->capacity != 0 ? map->capacity * 2 : FIRST_CAPACITY,
                                .count = map->count};
    void *slots;
    int error = mfs_memory_take(memory, grown.capacity * sizeof *grown.slots, MEMFS_CLASS_HANDLES,
                                &slots);
    if (error != 0)
        return error;
    memset(slots, 0, grown.capacity * sizeof *grown.slots);
    grown.slots = slots;
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].from != NULL)
            *slot_for(&grown, map->slots[i].from) = map->slots[i];
    mfs_linkmap_fini(map, memory);
    *map = grown;
    return 0;
}

int mfs_linkmap_add(struct mfs_linkmap *map, struct mfs_memory *memory, const struct mfs_node *from,
                    struct mfs_node *to)
{
    if (map->count >= map->capacity / 2) {
        int error = grow(map, memory);
        if (error != 0)
            return error;
    }
    struct mfs_linkmap_slot *slot = slot_for(map, from);
    MFS_CHECK(slot->from == NULL);
    *slot = (struct mfs_linkmap_slot){from, to};
    map->count++;
    return 0;
}

void mfs_linkmap_fini(struct mfs_linkmap *map, struct mfs_memory *memory)
{
    if (map->slots != NULL)
        mfs_memory_give(memory, map->slots, map->capacity * sizeof *map->slots,
                        MEMFS_CLASS_HANDLES);
    *map = (struct mfs_linkmap){0};
}
