/*
 * The files beside a database: its rollback journal and its WAL.  Whether one of them is live is
 * decided here and nowhere else: a journal is live if SQLite would play it back, a WAL if it has
 * any content.  A file that cannot be read counts as not live, and so does one of another database
 * (names/place.h) where the cache of names is given.
 */
#ifndef MFS_SIBLING_H
#define MFS_SIBLING_H

#include "file/file.h"
#include "names/name_cache.h"

#include <memfs/memfs.h>

#include <stdbool.h>
#include <stdint.h>

/* Of an open journal, whichever database it belongs to. */
bool mfs_sibling_begins_live(memfs_file *journal);

/* By path.  The journal modes PERSIST and TRUNCATE leave journals that are not live: the first
 * byte is zero, or there is none. */
bool mfs_sibling_journal_is_live(memfs *fs, const char *path);
bool mfs_sibling_wal_is_live(memfs *fs, const char *path);

/*
 * The same for the siblings of an open database.  What its connection's cache of names knows is
 * not looked up, and that a sibling does not exist is learned; a null cache knows nothing.
 */
bool mfs_sibling_has_live_journal(const struct mfs_file *database, struct mfs_name_cache *cache);
bool mfs_sibling_has_live_wal(const struct mfs_file *database, struct mfs_name_cache *cache);

#endif
