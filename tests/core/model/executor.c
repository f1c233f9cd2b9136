/* What all executors share. */
#include "executor.h"

#include <stdlib.h>
#include <string.h>

size_t operation_part(const struct operation *operation, int index)
{
    size_t whole = (size_t)operation->size;
    size_t first = whole / 3;
    if (operation->parts == 1)
        return whole;
    if (index == 1)
        return operation->data_seed % 2 == 0 ? 0 : first;
    return index == 0 ? first : whole - first - operation_part(operation, 1);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

void name_list_sort(struct name_list *list)
{
    qsort(list->names, list->count, sizeof list->names[0], compare_names);
}

uint64_t name_list_hash(const struct name_list *list)
{
    uint64_t hash = HASH_START;
    for (size_t i = 0; i < list->count; i++)
        hash = hash_bytes(hash, list->names[i], strlen(list->names[i]) + 1);
    return hash;
}
