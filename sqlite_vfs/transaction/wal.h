/*
 * What is made sure before the WAL grows: that the checkpoint, which will copy
 * its frames into the database, and the WAL index, which will speak of them,
 * cannot be refused any more.
 *
 * SQLite writes a frame as a header of 24 bytes, which begins with the page
 * number, and then the page.  At the header the database's growth to that page is
 * reserved, the page in the database made private if some copy shares it, and the
 * index's regions are allocated.  A refusal there is SQLITE_FULL for a frame that
 * was not written yet.
 *
 * The reservation ends when the WAL begins anew (its header is written at offset
 * 0), is cut to nothing, or is deleted: by then every frame is in the database.
 */
#ifndef MFS_WAL_H
#define MFS_WAL_H

#include "file/file.h"
#include "locks/dbshare.h"

#include <stdint.h>

struct mfs_wal {
    struct mfs_file *database; /* of the connection that has the WAL open; null: not one of ours */
    struct mfs_member *member;
    uint32_t page_size; /* of the database, as the WAL's header says; 0: not known yet */
};

int mfs_wal_before_write(struct mfs_wal *wal, struct mfs_file *file, const void *buffer, int count,
                         sqlite3_int64 offset);
void mfs_wal_after_truncate(struct mfs_wal *wal, sqlite3_int64 size);

/* Gives back the database's reserved growth.  Cannot fail. */
void mfs_wal_end_reservation(struct mfs_file *database, struct mfs_member *member);

#endif
