/* A hash table of files, by device and number; only those with more than one name come here. */
#include "sql/hostlinks.h"

#include "base/sqliteapi.h"

#include <stddef.h>
#include <string.h>

struct mfs_hostlink {
    struct mfs_hostlink *next;
    uint64_t device;
    uint64_t number;
    char path[];
};

static unsigned bucket_of(uint64_t number)
{
    return (unsigned)(number % MFS_HOSTLINKS_BUCKETS);
}

const char *mfs_hostlinks_find(const struct mfs_hostlinks *links, uint64_t device, uint64_t number)
{
    const struct mfs_hostlink *link = links->buckets[bucket_of(number)];
    while (link != NULL && (link->number != number || link->device != device))
        link = link->next;
    return link != NULL ? link->path : NULL;
}

bool mfs_hostlinks_add(struct mfs_hostlinks *links, uint64_t device, uint64_t number,
                       const char *path)
{
    size_t path_bytes = strlen(path) + 1;
    struct mfs_hostlink *link = sqlite3_malloc64(sizeof *link + path_bytes);
    if (link == NULL)
        return false;
    link->device = device;
    link->number = number;
    memcpy(link->path, path, path_bytes);
    link->next = links->buckets[bucket_of(number)];
    links->buckets[bucket_of(number)] = link;
    return true;
}

void mfs_hostlinks_fini(struct mfs_hostlinks *links)
{
    for (unsigned bucket = 0; bucket < MFS_HOSTLINKS_BUCKETS; bucket++) {
        while (links->buckets[bucket] != NULL) {
            struct mfs_hostlink *link = links->buckets[bucket];
            links->buckets[bucket] = link->next;
            sqlite3_free(link);
        }
    }
}
