/*
 * Charging a checkpoint's growth before the WAL grows, so that neither the checkpoint, which copies
 * the frames into the database, nor the WAL index, which lists them, can be refused later.
 *
 * SQLite writes a frame as a header of 24 bytes, which begins with the page number, and then the
 * page.  Before the header is written the database's growth up to that page is preallocated, the
 * page in the database is made private if a copy shares it, and the index's regions are allocated.
 * A refusal there is SQLITE_FULL for a frame that was not written yet.
 *
 * The preallocation ends when the WAL is restarted (its header is written at offset 0), truncated
 * to size 0 or deleted; by then every frame is in the database.
 */
#ifndef MFS_WAL_H
#define MFS_WAL_H

#include "file/file.h"
#include "locks/member.h"

#include <stdbool.h>
#include <stdint.h>

/* SQLite's file format. */
enum { MFS_WAL_HEADER_BYTES = 32, MFS_WAL_FRAME_HEADER_BYTES = 24 };

/* The page size in a WAL's header; 0 if it is not a valid one. */
uint32_t mfs_wal_page_size(const unsigned char header[MFS_WAL_HEADER_BYTES]);

/* What is known of an open WAL.  All zeros to begin with. */
struct mfs_wal {
    uint32_t page_size; /* of the database, as the WAL's header says; 0: not known yet */
};

/* Before a write to the WAL `file`, which `member` has open. */
int mfs_wal_before_write(struct mfs_wal *wal, struct mfs_member *member,
                         const struct mfs_file *file, const void *buffer, int count,
                         sqlite3_int64 offset);

/* Whether what is to be written to a WAL is the header of a frame that ends a transaction. */
bool mfs_wal_is_commit(const void *buffer, int count);

/* Gives back the preallocated growth of the database.  Cannot fail. */
void mfs_wal_end_preallocation(struct mfs_member *member);

#endif
