/* How the view of an isolated connection becomes the version that all others see. */
#ifndef MFS_PUBLISHING_H
#define MFS_PUBLISHING_H

#include "locks/member.h"

#include <stdint.h>

/*
 * Of an isolated connection that writes: makes its view the file's content, in one step for all
 * others.  Cannot fail.  Without changes in the view nothing happens.
 */
void mfs_publishing_commit(struct mfs_member *member);

/* Drops what was changed in the view, and takes the published content instead. */
void mfs_publishing_abandon(struct mfs_member *member);

/* Gives a connection a view again that has played back a hot journal, which is done on the file. */
void mfs_publishing_end_recovery(struct mfs_member *member);

/*
 * At the end of an isolated transaction, with the database's mutex held: frees the pages that a
 * commit has cut off, unless a transaction may still have a version of the database.
 */
void mfs_publishing_free_cut_pages(struct mfs_share *share);

/* The connections to a database that are in a transaction. */
struct mfs_readers {
    unsigned total;
    unsigned outdated; /* isolated, with a version that is no longer the current one */
    uint64_t behind;   /* versions that were published since the oldest of those */
};

struct mfs_readers mfs_publishing_count_readers(struct mfs_member *member);

#endif
