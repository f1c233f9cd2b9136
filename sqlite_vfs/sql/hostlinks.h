/* Which files with several names were copied already, and to where: so that the copies of the
 * other names become links to the first. */
#ifndef MFS_HOSTLINKS_H
#define MFS_HOSTLINKS_H

#include <stdbool.h>
#include <stdint.h>

enum { MFS_HOSTLINKS_BUCKETS = 256 };

/* All zeros is empty. */
struct mfs_hostlinks {
    struct mfs_hostlink *buckets[MFS_HOSTLINKS_BUCKETS];
};

/* Where the first name of the file went; null: this is the first. */
const char *mfs_hostlinks_find(const struct mfs_hostlinks *links, uint64_t device, uint64_t number);

/* Notes where the first went.  False: no memory (SQLite's heap). */
bool mfs_hostlinks_add(struct mfs_hostlinks *links, uint64_t device, uint64_t number,
                       const char *path);

void mfs_hostlinks_fini(struct mfs_hostlinks *links);

#endif
