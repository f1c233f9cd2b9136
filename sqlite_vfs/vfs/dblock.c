/*
 * Locking and unlocking a main database.
 *
 * 1. A lock that is refused changes nothing here but the ladder (PENDING).  A connection whose
 *    database has lost its place (names/place.h) does not become a writer.  One that is a writer
 *    already is refused when it writes (dbio.c).
 * 2. Unlocking cannot fail, and whatever was not committed is undone before the lock is given back.
 *
 * Cost: locking and unlocking take the database's mutex once each while no version becomes
 * outdated.
 */
#include "vfs/dblock.h"

#include "base/assertion.h"
#include "locks/ladder.h"
#include "locks/publishing.h"
#include "locks/waiting.h"
#include "names/place.h"
#include "vfs/dbstate.h"

static int answer_to_code(enum mfs_lock_answer answer)
{
    switch (answer) {
    case MFS_LOCK_GRANTED:
        return SQLITE_OK;
    case MFS_LOCK_BUSY:
        return SQLITE_BUSY;
    case MFS_LOCK_OUTDATED:
        return SQLITE_BUSY_SNAPSHOT;
    case MFS_LOCK_MISUSE:
    default:
        return SQLITE_MISUSE;
    }
}

int mfs_dblock_lock(sqlite3_file *file, int level)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR_LOCK;
    mfs_name_cache_note_use(&db->names);
    enum mfs_lock_level before = db->member.level;
    if (level == SQLITE_LOCK_RESERVED && db->names.is_kept)
        return SQLITE_READONLY;
    if (level == SQLITE_LOCK_RESERVED && mfs_place_is_lost(&db->names, db->file.fs))
        return SQLITE_READONLY_DBMOVED;
    enum mfs_lock_answer answer = mfs_waiting_lock(&db->member, db->registry,
                                                   (enum mfs_lock_level)level);
    MFS_ASSERT(db->member.level >= before);
    mfs_undo_note_lock(&db->undo, before, db->member.level);
    db->names.no_hot_journal = db->member.isolation.no_hot_journal;
    return answer_to_code(answer);
}

/* The connection had RESERVED or more, and still has it. */
static void end_write_transaction(struct mfs_dbfile *db)
{
    mfs_dbstate_end_writing(db);
    if (mfs_member_is_isolated(&db->member))
        mfs_publishing_end_recovery(&db->member);
    mfs_fetch_note_change(&db->member.fetch);
    MFS_ASSERT(!mfs_member_is_isolated(&db->member) || mfs_view_is_used(&db->view));
}

/*
 * The order of the steps:
 *
 *  1. The undo is rolled back, an unpublished view is dropped, a stale journal is truncated, and
 *     pages that were allocated ahead are freed.  All of that needs the writer's lock.
 *  2. An isolated connection that has played back a hot journal gets a view again, before another
 *     connection can publish.
 *  3. Pages that were fetched during the transaction may be old now.
 *  4. The file need not be private any more.  Not before 1: undoing must not need memory.
 *  5. Other connections unmap the pages that this one has replaced.  Before the lock is given back:
 *     later they may be in a transaction, and would keep the pages until it ends.
 *  6. An isolated connection's view has a new generation, so that no page of an old version stays
 *     mapped while the connection is idle.
 *  7. At the end of a transaction old pages are unmapped.  After 3 and 6, which say that they are
 *     old; before 8, after which another thread may drop the view.
 *  8. The lock is given back.
 *  9. Waiters that can have their lock now are woken.  After 8: they look at the ladder.
 */
int mfs_dblock_unlock(sqlite3_file *file, int level)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR_UNLOCK;
    bool had_exclusive = db->member.level == MFS_LOCK_EXCLUSIVE;
    /* The view of an isolated connection without a lock may be dropped by another thread. */
    bool is_isolated = mfs_member_is_isolated(&db->member);
    bool is_idle = is_isolated && db->member.level == MFS_LOCK_NONE;
    if (db->member.level > MFS_LOCK_SHARED)
        end_write_transaction(db);
    if (db->member.shm == NULL)
        mfs_dbstate_hold_private(db, false);
    if (had_exclusive)
        mfs_member_reclaim_pages(&db->member, db->file.bytes.file);
    if (is_isolated && !is_idle)
        db->view.bytes.generation++;
    if (!is_idle && level == SQLITE_LOCK_NONE)
        mfs_fetch_end_transaction(&db->member.fetch, mfs_dbstate_bytes(db));
    int rc = answer_to_code(mfs_ladder_unlock(&db->member, (enum mfs_lock_level)level));
    MFS_ASSERT(rc != SQLITE_OK || db->member.level <= MFS_LOCK_SHARED);
    mfs_waiting_wake(&db->member, db->registry);
    return rc;
}

int mfs_dblock_check_reserved(sqlite3_file *file, int *is_reserved)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR_CHECKRESERVEDLOCK;
    *is_reserved = mfs_ladder_sees_reserved(&db->member);
    return SQLITE_OK;
}
