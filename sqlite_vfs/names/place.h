/*
 * Whether a database is still in its place, and which files beside that place are its own.
 *
 * A database loses its place when its path leads elsewhere or nowhere: another file was renamed
 * over it or loaded in its place, a snapshot was put back, it was removed, or a directory on the
 * way was exchanged.  Its connections still have the file, and must not touch what lies at the
 * names of its journal and WAL: that may be another database's now.
 *
 * A journal or WAL belongs to the database whose connections have opened it by name (they have
 * claimed it).  One that no connection has claimed belongs to the database that is in the place.
 */
#ifndef MFS_PLACE_H
#define MFS_PLACE_H

#include "names/name_cache.h"

/* Looks whether the path leads elsewhere, and learns it if not. */
bool mfs_place_look(struct mfs_name_cache *cache, memfs *fs);

/* Whether the database has lost its place.  Inline, since each transaction that writes asks. */
static inline bool mfs_place_is_lost(struct mfs_name_cache *cache, memfs *fs)
{
    return !mfs_name_cache_knows(cache, fs, MFS_FACT_IN_PLACE) && mfs_place_look(cache, fs);
}

/*
 * Whether the file `number`, which was found at the name of the database's journal or WAL, is the
 * database's.  The second form is for callers that hold the index's mutex.
 */
bool mfs_place_owns(struct mfs_name_cache *cache, memfs *fs, uint64_t number);
bool mfs_place_owns_locked(struct mfs_name_cache *cache, memfs *fs, uint64_t number);

/*
 * Before the connection closes: if another file has the database's place, removes the journal and
 * the WAL that would be left beside it, under these names, so that they are not taken for that
 * file's.  What another connection has claimed too stays.
 */
void mfs_place_clear(struct mfs_name_cache *cache, memfs *fs, const char *journal, const char *wal);

#endif
