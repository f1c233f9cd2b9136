/* The names in archives, which are not to be trusted. */
#ifndef MFS_ARCHIVE_ENTRYNAME_H
#define MFS_ARCHIVE_ENTRYNAME_H

#include <memfs/archive.h>
#include <stdbool.h>

struct mfs_archive_name {
    uint32_t depth;                /* components */
    bool is_stripped;              /* nothing is left of it */
    char path[MEMFS_PATH_MAX + 1]; /* relative; without empty components, "." and ".." */
};

/*
 * Reads a name, without the leading components that the options strip.
 * Errors: EXDEV (absolute, or with a ".."), ENAMETOOLONG (the options' limits), EIO (null).
 */
int mfs_entryname_read(struct mfs_archive_name *name, const char *raw,
                       const memfs_archive_options *options);

/*
 * Whether a symlink at this depth leads to something in the directory that is loaded, whatever
 * other links of this kind are there.
 */
bool mfs_entryname_stays_inside(const char *target, uint32_t depth);

#endif
