/* The old array and the new one are both there for a moment, and are both charged. */
#include "growth.h"

#include <string.h>

enum { FIRST_BYTES = 512 };

int mfs_growth_reserve(memfs *fs, void **items, size_t *capacity, size_t item_bytes, size_t needed)
{
    if (needed <= *capacity)
        return 0;
    size_t grown_capacity = *capacity == 0 ? FIRST_BYTES / item_bytes : *capacity * 2;
    if (grown_capacity < needed)
        grown_capacity = needed;
    if (grown_capacity > SIZE_MAX / item_bytes)
        return MEMFS_ENOMEM;
    void *grown;
    int error = memfs_charged_alloc(fs, grown_capacity * item_bytes, &grown);
    if (error != 0)
        return error;
    if (*items != NULL) {
        memcpy(grown, *items, *capacity * item_bytes);
        (void)memfs_free(fs, *items);
    }
    *items = grown;
    *capacity = grown_capacity;
    return 0;
}
