/*
 * Which files with several names were copied already, by device and number: so that further
 * names become links to the copy.
 */
#ifndef MFS_HOSTDIR_HARDLINKS_H
#define MFS_HOSTDIR_HARDLINKS_H

#include <memfs/storage.h>
#include <stdbool.h>
#include <stdint.h>

struct mfs_hostdir_hardlink {
    uint64_t device, number;
    uint64_t names_left; /* that have not been met yet */
    void *copy;          /* what the user of the table keeps of it; may be null later */
    bool is_used;        /* false: a free slot of the table */
};

/* All zeros but for `fs` is empty. */
struct mfs_hostdir_hardlinks {
    memfs *fs;
    struct mfs_hostdir_hardlink *slots; /* open addressing */
    size_t capacity, count;
};

/* The entry of the file, or null.  Good until the next one is added. */
struct mfs_hostdir_hardlink *mfs_hardlinks_find(const struct mfs_hostdir_hardlinks *links,
                                                uint64_t device, uint64_t number);

/* Notes the copy of a file that is not in the table.  Errors: EDQUOT, ENOMEM. */
int mfs_hardlinks_add(struct mfs_hostdir_hardlinks *links, const struct mfs_hostdir_hardlink *link);

/* Gives each copy that is left to `release`. */
void mfs_hardlinks_fini(struct mfs_hostdir_hardlinks *links,
                        void (*release)(memfs *fs, void *copy));

#endif
