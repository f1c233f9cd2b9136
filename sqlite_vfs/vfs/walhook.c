/*
 * When a WAL is checkpointed.
 *
 * 1. A checkpoint of the kind PASSIVE waits for no connection, and needs no memory: what it writes
 *    was preallocated with the frames.  Afterwards the WAL begins anew in the pages that it has.
 * 2. What the program has set is kept: its own hook, its number of frames, and no checkpoints.
 *    `PRAGMA wal_autocheckpoint` is the only question that tells SQLite's hook from another; it
 *    answers 0 for all others.
 * 3. The question is SQL on the connection, asked inside a call of the VFS: in the second phase of
 *    a commit, when the pager has finished but for its own state.  The PRAGMA touches no b-tree.
 * 4. The commit is durable by then.  If SQLite's heap had no memory for the question, the statement
 *    that commits would report that.  So it is not asked unless there is more than it needs.
 * 5. Preparing SQL locks all shared caches of the connection, in an order that a call below one of
 *    them might break.  With one database the lock is held already, so only then it is asked.
 * 6. The hook that is set once leaves the connection as it was before: a program that asks between
 *    two transactions sees SQLite's hook, and one that sets another meanwhile keeps it.
 *
 * Cost: what transaction/walroom.h says, for each commit in WAL mode; where memory may be short,
 * the PRAGMA.
 */
#include "vfs/walhook.h"

#include "base/assertion.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A database of another VFS does not know the file-control. */
static bool is_memory_short(sqlite3 *db, const char *schema, int frames)
{
    int answer = frames;
    return sqlite3_file_control(db, schema, MFS_WALHOOK_IS_SHORT, &answer) == SQLITE_OK &&
           answer != 0;
}

/* SQLite calls it after each commit to a WAL, which has `frames` now. */
static int checkpoint_in_time(void *limit, sqlite3 *db, const char *schema, int frames)
{
    MFS_ASSERT(frames >= 0);
    if (frames >= (int)(intptr_t)limit || is_memory_short(db, schema, frames))
        (void)sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return SQLITE_OK; /* the commit has succeeded, whatever became of the checkpoint */
}

static int checkpoint_once(void *limit, sqlite3 *db, const char *schema, int frames)
{
    (void)sqlite3_wal_autocheckpoint(db, (int)(intptr_t)limit);
    return checkpoint_in_time(limit, db, schema, frames);
}

/* After how many frames SQLite's own hook checkpoints; 0: another hook is in place, or none.  One
 * step returns the row; a second would call the hook. */
static int find_limit(sqlite3 *db, int *limit)
{
    sqlite3_stmt *statement;
    *limit = 0;
    int rc = sqlite3_prepare_v2(db, "PRAGMA wal_autocheckpoint", -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *limit = sqlite3_column_int(statement, 0);
    return sqlite3_finalize(statement);
}

int mfs_walhook_set(sqlite3 *db)
{
    int limit;
    int rc = find_limit(db, &limit);
    if (rc == SQLITE_OK && limit > 0)
        (void)sqlite3_wal_hook(db, checkpoint_in_time, (void *)(intptr_t)limit);
    return rc;
}

/* Unknown before SQLite 3.39. */
static bool has_one_database(sqlite3 *db)
{
#if SQLITE_VERSION_NUMBER >= 3039000
    enum { FIRST_ATTACHED = 2 };
    return sqlite3_libversion_number() >= 3039000 && sqlite3_db_name(db, FIRST_ATTACHED) == NULL;
#else
    (void)db;
    return false;
#endif
}

static bool has_heap(void)
{
    enum { MORE_THAN_A_PRAGMA_NEEDS = 16384 };
    void *memory = sqlite3_malloc(MORE_THAN_A_PRAGMA_NEEDS);
    sqlite3_free(memory);
    return memory != NULL;
}

void mfs_walhook_set_once(sqlite3 *db)
{
    int limit;
    if (has_heap() && has_one_database(db) && find_limit(db, &limit) == SQLITE_OK && limit > 0)
        (void)sqlite3_wal_hook(db, checkpoint_once, (void *)(intptr_t)limit);
}
