/*
 * The ends of transactions that write.
 *
 * 1. Every change goes through mfs_undo_prepare() first, and every way out of a transaction through
 *    mfs_undo_commit() (in control.c) or mfs_undo_roll_back().
 * 2. The undo is done before the lock is given back, so no other connection sees what it undoes.
 * 3. A transaction whose view has refused a change is doomed: the view is what was committed again,
 *    and what the rollback writes to it counts as written.  SQLITE_FCNTL_SYNC, after the last page
 *    of a rollback, is the end of that.
 * 4. From its first write to the file until it unlocks, and while it maps the WAL index, a
 *    connection holds the file private: a copy that is taken meanwhile must not make a rollback or
 *    a checkpoint need memory.
 *
 * Nothing here can fail, and nothing needs memory.
 */
#include "vfs/dbstate.h"

#include "base/assertion.h"
#include "file/sibling.h"
#include "locks/publishing.h"

void mfs_dbstate_switch_private(struct mfs_dbfile *db, bool on)
{
    MFS_ASSERT(db->holds_private != on);
    int error = memfs_hold_private(db->file.bytes.file, on);
    MFS_ASSERT(error == 0);
    db->holds_private = on;
}

/*
 * Truncates the rollback journal of a transaction that never reached the file.  Played back later
 * it would undo what other connections have published since.  With the writer's lock, so the
 * journal is no other connection's.
 */
static void truncate_stale_journal(struct mfs_dbfile *db)
{
    char name[MFS_FILE_NAME_BYTES];
    MFS_ASSERT(db->member.level > MFS_LOCK_SHARED);
    if (!mfs_sibling_has_live_journal(&db->file, &db->names))
        return;
    if (db->names.journal.file != NULL)
        (void)memfs_ftruncate(db->names.journal.file->bytes.file, 0);
    else if (mfs_file_sibling(&db->file, "-journal", name))
        (void)memfs_truncate(db->file.fs, name, 0);
}

void mfs_dbstate_abandon(struct mfs_dbfile *db)
{
    mfs_publishing_abandon(&db->member);
    if (db->member.level <= MFS_LOCK_SHARED) /* nothing was changed, and the view may be idle */
        return;
    db->view.is_doomed = false;
    if (db->member.isolation.no_hot_journal)
        truncate_stale_journal(db);
}

void mfs_dbstate_doom(struct mfs_dbfile *db)
{
    MFS_ASSERT(mfs_view_is_used(&db->view) && db->member.level > MFS_LOCK_SHARED);
    if (mfs_member_is_isolated(&db->member)) {
        mfs_publishing_abandon(&db->member);
    } else {
        MFS_ASSERT(db->undo.state == MFS_UNDO_ARMED);
        mfs_view_drop(&db->view);
        int rc = mfs_view_take(&db->view, db->file.bytes.file);
        MFS_ASSERT(rc == SQLITE_OK);
    }
    mfs_fetch_note_change(&db->member.fetch);
    db->view.is_doomed = true;
}

void mfs_dbstate_end_writing(struct mfs_dbfile *db)
{
    mfs_undo_roll_back(&db->undo);
    if (mfs_member_is_isolated(&db->member))
        mfs_dbstate_abandon(db);
    mfs_bytes_free_unused(&db->file.bytes);
    db->names.is_playing_back = false;
    MFS_ASSERT(db->undo.state == MFS_UNDO_UNDECIDED);
}
