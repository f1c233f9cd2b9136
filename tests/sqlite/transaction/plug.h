/*
 * Pulling the plug: databases that count transactions, and the question what a
 * snapshot of their tree holds once SQLite has recovered it.
 *
 * A database stands at a generation G: its table has rows_at(G) rows, and in each the
 * number G and bytes that follow from G and the row.  A transaction makes G + 1 of it,
 * by updates, inserts and deletes, over more pages than the cache has.  So a database
 * that was recovered is whole, and at a boundary of transactions, or can be told.
 *
 * A snapshot is looked at as a tree of its own: its files are carried into another
 * file system, to the same paths, since journals hold paths.
 */
#ifndef MEMFS_TESTS_PLUG_H
#define MEMFS_TESTS_PLUG_H

#include "sqlite_fixture.h"

#include <stdbool.h>

/* The VFS of the other file system. */
#define PROBE_VFS "probe"

struct plug_settings {
    const char *journal_mode;
    const char *locking_mode; /* NORMAL or EXCLUSIVE */
    const char *synchronous;
    int page_size;
    bool has_mvcc; /* opened with memfs_mvcc=1 */
};

/* How to open or attach the database in this way; sqlite3_free(). */
char *plug_name(const char *path, const struct plug_settings *settings);

/* Sets up `schema` of the connection, at generation 0, in a database that does not exist yet. */
int plug_set_up(sqlite3 *db, const char *schema, const struct plug_settings *settings);

/* The statements that lead from generation `from` to the next, without BEGIN and COMMIT;
 * sqlite3_free().  Null: SQLite is out of memory. */
char *plug_step(const char *schema, const struct plug_settings *settings, int from);

/* Makes `to` hold what the snapshot of `from` holds, and nothing else.  Aborts on failure. */
void plug_carry(memfs *from, const char *snapshot, memfs *to);

/*
 * Opens the database through the probe, and returns the generation that it stands at after
 * recovery, having made sure that it is whole, that it can be written, and that it is whole after
 * that; -1, with a message printed, if it is not.
 */
int plug_generation(const char *path, const struct plug_settings *settings);

#endif
