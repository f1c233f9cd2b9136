/*
 * Undo for MEMORY and OFF.
 *
 *                      first change, no live journal
 *        UNDECIDED ------------------------------------> ARMED
 *         |  ^  ^                                          |
 *         |  |  '------------------------------------------'
 *         |  |     commit: exchange; unlock, close, new read: drop
 *         |  |
 *         |  | sync, commit, unlock, close
 *         v  |
 *        JOURNALLED   first change, and a live journal or WAL is there
 *
 * 1. The undo is armed only under EXCLUSIVE.  No other connection reads or writes then, so the file
 *    has not changed when the view's content goes into it.
 * 2. It is never armed while a hot journal is played back: that ends without COMMIT_PHASETWO, and
 *    must not be undone.  There are two signs, and either is enough: EXCLUSIVE was reached without
 *    RESERVED, which only playback does; and the journal is live.  The first sign ends at
 *    SQLITE_FCNTL_SYNC, which the pager sends after the last page of a playback, so that under
 *    locking_mode=EXCLUSIVE the following transactions are protected.
 * 3. With a live journal it is not needed, and would double the memory that a transaction takes.  A
 *    journal that PERSIST or TRUNCATE left behind is not live (file/sibling.h).
 * 4. Under locking_mode=EXCLUSIVE there is no unlock between transactions.  After a commit the next
 *    write arms again.  A rollback that the pager does by itself leaves the content as it was when
 *    the undo was armed, so it stays armed.  After a rollback that the pager cannot do (mode OFF,
 *    or after an error) the pager discards its cache and begins anew by reading 16 bytes at offset
 *    24, which vfs/dbio.c takes for the end of the transaction.
 *
 * Cost: a reference at the first change, and a copy of each page that the transaction overwrites.
 *
 * Left out on purpose: nolock=1, which gives no sign of a transaction's end; statement rollback in
 * mode OFF, which SQLite does not define.
 */
#include "transaction/undo.h"

#include "base/assertion.h"
#include "file/sibling.h"

void mfs_undo_note_lock(struct mfs_undo *undo, enum mfs_lock_level before,
                        enum mfs_lock_level after)
{
    MFS_ASSERT(before <= after);
    if (before == MFS_LOCK_SHARED && after > MFS_LOCK_RESERVED)
        undo->is_recovery = true;
}

int mfs_undo_prepare(struct mfs_undo *undo, struct mfs_file *file, enum mfs_lock_level level)
{
    if (undo->state != MFS_UNDO_UNDECIDED || level != MFS_LOCK_EXCLUSIVE || undo->is_recovery)
        return SQLITE_OK;
    if (mfs_view_is_used(undo->view)) /* the connection is isolated */
        return SQLITE_OK;
    if (file->path == NULL || file->is_read_only)
        return SQLITE_OK;
    undo->names->is_playing_back = false; /* set by an earlier transaction, if so */
    if (mfs_sibling_has_live_journal(file, undo->names) ||
        mfs_sibling_has_live_wal(file, undo->names)) {
        undo->state = MFS_UNDO_JOURNALLED;
        return SQLITE_OK;
    }
    int rc = mfs_view_take(undo->view, file->bytes.file);
    if (rc == SQLITE_OK)
        undo->state = MFS_UNDO_ARMED;
    return rc;
}

void mfs_undo_note_sync(struct mfs_undo *undo)
{
    undo->is_recovery = false;
    if (undo->state == MFS_UNDO_JOURNALLED)
        undo->state = MFS_UNDO_UNDECIDED;
}

void mfs_undo_commit(struct mfs_undo *undo, struct mfs_file *file)
{
    MFS_ASSERT(undo->state != MFS_UNDO_ARMED || mfs_view_is_used(undo->view));
    if (undo->state == MFS_UNDO_ARMED) {
        mfs_view_exchange(undo->view, file->bytes.file);
        mfs_view_drop_former(undo->view, file->bytes.file);
    }
    undo->state = MFS_UNDO_UNDECIDED;
    undo->is_recovery = false;
}

void mfs_undo_roll_back(struct mfs_undo *undo)
{
    MFS_ASSERT(undo->state != MFS_UNDO_ARMED || mfs_view_is_used(undo->view));
    if (undo->state == MFS_UNDO_ARMED)
        mfs_view_drop(undo->view);
    undo->state = MFS_UNDO_UNDECIDED;
    undo->is_recovery = false;
}
