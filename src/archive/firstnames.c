/*
 * A binary tree by the bits of the number's hash: which way from the root is the first bit, from
 * there the second, and so on.  Each entry is one block of charged memory, and none is ever moved.
 *
 *     hash 01...  root -> below[0] -> below[1]
 */
#include "firstnames.h"

#include <string.h>

struct mfs_archive_firstname {
    struct mfs_archive_firstname *below[2];
    uint64_t number, place;
    char path[];
};

/* Odd, so that different numbers have different hashes: 64 bits tell any two apart. */
static uint64_t hash_of(uint64_t number)
{
    return number * UINT64_C(0x9e3779b97f4a7c15);
}

/* Where the number is, or is to be hung in. */
static struct mfs_archive_firstname **find_slot(struct mfs_archive_firstname **place,
                                                uint64_t number)
{
    uint64_t hash = hash_of(number);
    while (*place != NULL && (*place)->number != number) {
        place = &(*place)->below[hash >> 63];
        hash <<= 1;
    }
    return place;
}

const char *mfs_firstnames_find(const struct mfs_archive_firstnames *names, uint64_t number,
                                uint64_t *place)
{
    struct mfs_archive_firstname *top = names->top;
    const struct mfs_archive_firstname *found = *find_slot(&top, number);
    if (found == NULL)
        return NULL;
    *place = found->place;
    return found->path;
}

int mfs_firstnames_add(struct mfs_archive_firstnames *names, uint64_t number, const char *path,
                       uint64_t place)
{
    size_t path_bytes = strlen(path) + 1;
    void *memory;
    int error = memfs_charged_alloc(names->fs, sizeof(struct mfs_archive_firstname) + path_bytes,
                                    &memory);
    if (error != 0)
        return error;
    struct mfs_archive_firstname *name = memory; /* zeroed */
    name->number = number;
    name->place = place;
    memcpy(name->path, path, path_bytes);
    *find_slot(&names->top, number) = name;
    return 0;
}

/* Turns the tree into a list as it goes: what is at the left of an entry is put in front of it. */
void mfs_firstnames_fini(struct mfs_archive_firstnames *names)
{
    struct mfs_archive_firstname *name = names->top;
    while (name != NULL) {
        struct mfs_archive_firstname *left = name->below[0];
        if (left != NULL) {
            name->below[0] = left->below[1];
            left->below[1] = name;
            name = left;
            continue;
        }
        struct mfs_archive_firstname *next = name->below[1];
        (void)memfs_free(names->fs, name);
        name = next;
    }
    names->top = NULL;
}
