/*
 * xFetch and xUnfetch of one connection: pages that SQLite reads in place, without a copy.
 *
 * Mappings are kept after SQLite has returned them, for the next fetch of the page.  The root of a
 * table is then found again with a few comparisons and no write to anything shared.  A kept mapping
 * costs nothing while its page is the file's.  Old mappings hold a page that nothing else needs;
 * their number is limited, and they are unmapped as soon as a connection notices them.
 */
#ifndef MFS_FETCH_H
#define MFS_FETCH_H

#include "file/bytes.h"

#include <memfs/storage.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mfs_fetch_table;

/*
 * All zeros but for `ceiling` to begin with.
 *
 * `lock` guards the table.  The connection holds it from its first fetch in a transaction to the
 * end of the transaction; in between another connection that has written may take it to unmap
 * old pages.  It is only ever tried, never waited for.
 */
struct mfs_fetch {
    int64_t limit;   /* no page that ends behind this offset is fetched; SQLITE_FCNTL_MMAP_SIZE */
    int64_t ceiling; /* the largest limit */
    struct mfs_fetch_table *table; /* on SQLite's heap; null before the first fetch */
    bool taken_by_connection;      /* the connection holds the lock */
    bool may_be_old; /* pages may have been replaced since the generation was last compared */
    atomic_bool lock;
};

#define MFS_FETCH_UNLIMITED INT64_MAX

/*
 * The address of a page, or null, which tells SQLite to read the page instead; there are no
 * errors.  The page is for reading only; SQLite's interface has no const there.
 */
void *mfs_fetch_page(struct mfs_fetch *fetch, const struct mfs_bytes *bytes, int64_t offset,
                     int count);

/* Takes back a page that mfs_fetch_page() has returned. */
void mfs_fetch_give_back(struct mfs_fetch *fetch, int64_t offset, const void *page);

/* After the connection changed the file: the next fetch compares the generations again. */
static inline void mfs_fetch_note_change(struct mfs_fetch *fetch)
{
    fetch->may_be_old = true;
}

/* At the end of a transaction: unmaps old pages, and lets other connections do so from now on. */
void mfs_fetch_end_transaction(struct mfs_fetch *fetch, const struct mfs_bytes *bytes);

/* Unmaps the old pages of another connection to the file, unless that is in a transaction. */
void mfs_fetch_reclaim(struct mfs_fetch *fetch, memfs_file *file);

/* SQLITE_FCNTL_MMAP_SIZE: returns the limit, and sets another unless `wanted` is negative. */
int64_t mfs_fetch_set_limit(struct mfs_fetch *fetch, int64_t wanted);

/* Unmaps all pages and frees the table.  No other thread can reach it any more. */
void mfs_fetch_fini(struct mfs_fetch *fetch);

#endif
