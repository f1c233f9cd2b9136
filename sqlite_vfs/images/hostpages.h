/*
 * Pages of a database on the host, replaced in one step: after a crash SQLite finds either all old
 * pages or all new ones.
 *
 *     mfs_hostpages_begin()     locks the host's file, and plays back what a crash has left
 *     mfs_hostpages_keep()      for each page that will be written or cut off: keeps the old one
 *     mfs_hostpages_write()     for each new page; the first makes the kept ones durable before
 *     mfs_hostpages_commit()    makes the new pages durable, then forgets the old ones
 *     mfs_hostpages_end()       always; without a commit everything is as before
 */
#ifndef MFS_HOSTPAGES_H
#define MFS_HOSTPAGES_H

#include "base/sqliteapi.h"
#include "transaction/image.h"

#include <stdbool.h>
#include <stdint.h>

struct mfs_hostpages {
    sqlite3_vfs *vfs;
    const char *path;
    sqlite3 *lock; /* a connection with the host's file locked exclusively */
    sqlite3_file *file, *journal;
    unsigned char header[MFS_IMAGE_HEADER_BYTES]; /* of the host's file, as it was at the begin */
    uint32_t page_size, pages;                    /* as it was */
    uint32_t nonce, kept;
    sqlite3_int64 journal_end;
    uint64_t bytes_written; /* to the host, the journal included */
    unsigned char *buffer;  /* of a page and 8 bytes */
    bool is_sealed;         /* the kept pages are durable: the host's file may be written */
    bool is_committed;
};

/*
 * SQLITE_BUSY: another connection uses the host's file, and the time is up.  SQLITE_NOTADB: it is
 * no database.  mfs_hostpages_end() is due after a failure, too.
 */
int mfs_hostpages_begin(struct mfs_hostpages *host, sqlite3_vfs *vfs, const char *path);

int mfs_hostpages_keep(struct mfs_hostpages *host, uint32_t page);
int mfs_hostpages_write(struct mfs_hostpages *host, uint32_t page, const unsigned char *bytes);

/* The file then has `pages` pages. */
int mfs_hostpages_commit(struct mfs_hostpages *host, uint32_t pages);
void mfs_hostpages_end(struct mfs_hostpages *host);

/* The page with the bytes that SQLite locks, which has no content and is never written. */
static inline bool mfs_hostpages_is_locked_page(uint32_t page_size, uint32_t page)
{
    return page == 0x40000000u / page_size + 1;
}

#endif
