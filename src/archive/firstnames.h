/* Under which relative path a file with several names was saved first, and as which entry of the
 * archive, by its number. */
#ifndef MFS_ARCHIVE_FIRSTNAMES_H
#define MFS_ARCHIVE_FIRSTNAMES_H

#include <memfs/storage.h>

struct mfs_archive_firstname;

/* All zeros but for `fs` is empty. */
struct mfs_archive_firstnames {
    memfs *fs;
    struct mfs_archive_firstname *top;
};

/* The path, and the entry's place in the archive; or null. */
const char *mfs_firstnames_find(const struct mfs_archive_firstnames *names, uint64_t number,
                                uint64_t *place);

/* Notes a number that is not there.  Errors: EDQUOT, ENOMEM. */
int mfs_firstnames_add(struct mfs_archive_firstnames *names, uint64_t number, const char *path,
                       uint64_t place);

void mfs_firstnames_fini(struct mfs_archive_firstnames *names);

#endif
