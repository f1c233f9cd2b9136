/* A hash table with linear probing, at most half full; entries are never taken out. */
#include "hardlinks.h"

#include <string.h>

enum { FIRST_SLOTS = 32 }; /* a power of two, as all that follow */

/* Where the file is, or would be put. */
static struct mfs_hostdir_hardlink *find_slot(struct mfs_hostdir_hardlink *slots, size_t capacity,
                                              uint64_t device, uint64_t number)
{
    uint64_t hash = (number ^ device << 32) * UINT64_C(0x9e3779b97f4a7c15);
    size_t index = (size_t)(hash >> 32) & (capacity - 1);
    while (slots[index].is_used && (slots[index].number != number || slots[index].device != device))
        index = (index + 1) & (capacity - 1);
    return &slots[index];
}

struct mfs_hostdir_hardlink *mfs_hardlinks_find(const struct mfs_hostdir_hardlinks *links,
                                                uint64_t device, uint64_t number)
{
    if (links->capacity == 0)
        return NULL;
    struct mfs_hostdir_hardlink *slot = find_slot(links->slots, links->capacity, device, number);
    return slot->is_used ? slot : NULL;
}

static int grow_table(struct mfs_hostdir_hardlinks *links)
{
    size_t capacity = links->capacity == 0 ? FIRST_SLOTS : links->capacity * 2;
    void *memory;
    int error = memfs_charged_alloc(links->fs, capacity * sizeof *links->slots, &memory);
    if (error != 0)
        return error;
    struct mfs_hostdir_hardlink *slots = memory; /* zeroed: all free */
    for (size_t index = 0; index < links->capacity; index++) {
        const struct mfs_hostdir_hardlink *old = &links->slots[index];
        if (old->is_used)
            *find_slot(slots, capacity, old->device, old->number) = *old;
    }
    (void)memfs_free(links->fs, links->slots);
    links->slots = slots;
    links->capacity = capacity;
    return 0;
}

int mfs_hardlinks_add(struct mfs_hostdir_hardlinks *links, const struct mfs_hostdir_hardlink *link)
{
    if (2 * (links->count + 1) > links->capacity) {
        int error = grow_table(links);
        if (error != 0)
            return error;
    }
    struct mfs_hostdir_hardlink *slot = find_slot(links->slots, links->capacity, link->device,
                                                  link->number);
    *slot = *link;
    slot->is_used = true;
    links->count++;
    return 0;
}

void mfs_hardlinks_fini(struct mfs_hostdir_hardlinks *links, void (*release)(memfs *fs, void *copy))
{
    for (size_t index = 0; index < links->capacity; index++)
        if (links->slots[index].copy != NULL)
            release(links->fs, links->slots[index].copy);
    (void)memfs_free(links->fs, links->slots);
    links->slots = NULL;
    links->capacity = links->count = 0;
}
