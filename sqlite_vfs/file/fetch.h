/*
 * Pages that SQLite reads where they lie: xFetch and xUnfetch of one connection.
 *
 * Mappings are kept after SQLite has given them back, for the next fetch of the page: the
 * root of a table is then found again with a few comparisons and no write to anything
 * shared.  What is kept of pages that are the file's costs nothing; what has become old
 * is let go by whoever notices, and there is a limit to it.
 */
#ifndef MFS_FETCH_H
#define MFS_FETCH_H

#include <memfs/storage.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct mfs_fetch_table;

/*
 * All zeros but for `ceiling` to begin with.
 *
 * Whoever has set `is_taken` may use the table: the connection from its first fetch in a
 * transaction to the end of that, and between its transactions whoever wants to have old
 * mappings let go.
 */
struct mfs_fetch {
    int64_t limit;   /* what ends behind this is not fetched; SQLITE_FCNTL_MMAP_SIZE */
    int64_t ceiling; /* of the limit */
    struct mfs_fetch_table *table; /* on SQLite's heap; null before the first fetch */
    bool is_ours;                  /* the connection has it taken */
    bool may_be_old; /* pages may have been replaced since the last look at the generation */
    atomic_bool is_taken;
};

#define MFS_FETCH_UNLIMITED INT64_MAX

/* Where pages are fetched from: a file, or a version that stands in its place. */
struct mfs_fetch_source {
    memfs_file *file;
    const memfs_content_ref *version; /* null: the file */
    uint64_t version_generation;      /* as memfs_mapping_generation() of a file */
};

/*
 * The address of a page, or null: then it is to be read.  Nothing else can go wrong.  It is
 * for reading; SQLite's interface has no const there.
 */
void *mfs_fetch_page(struct mfs_fetch *fetch, const struct mfs_fetch_source *source, int64_t offset,
                     int count);

/* Gives back what was fetched. */
void mfs_fetch_give_back(struct mfs_fetch *fetch, int64_t offset, const void *page);

/* After the connection changed the file: what was fetched before is looked at again. */
void mfs_fetch_note_change(struct mfs_fetch *fetch);

/* At the end of a transaction: lets old mappings go, and others may do so from now on. */
void mfs_fetch_end_transaction(struct mfs_fetch *fetch, const struct mfs_fetch_source *source);

/* Does it for another connection to the same file, unless that is in a transaction. */
void mfs_fetch_reclaim(struct mfs_fetch *fetch, memfs_file *file);

/* SQLITE_FCNTL_MMAP_SIZE: returns the limit; sets another unless `wanted` is negative. */
int64_t mfs_fetch_set_limit(struct mfs_fetch *fetch, int64_t wanted);

/* Lets everything go.  Nobody else can reach it any more. */
void mfs_fetch_fini(struct mfs_fetch *fetch);

#endif
