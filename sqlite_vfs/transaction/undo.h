/*
 * The undo of journal modes MEMORY and OFF: a transaction that does not end in a
 * commit leaves the database as it was.
 *
 * See SQLITE.md 1.6 for the problem: in these modes a refused write in the
 * middle of a transaction would leave a half-written database.  The cure costs
 * one reference to the content: the transaction writes a view of its own, taken
 * at the first change, which goes into the file at the commit and is dropped at
 * any other end.
 */
#ifndef MFS_UNDO_H
#define MFS_UNDO_H

#include "file/file.h"
#include "file/view.h"
#include "locks/lockstate.h"
#include "names/name_cache.h"

enum mfs_undo_state {
    MFS_UNDO_UNDECIDED = 0, /* nothing was written since the last end */
    MFS_UNDO_ARMED,         /* the view is what the transaction reads and writes */
    MFS_UNDO_JOURNALLED     /* a journal or WAL in the tree does the job */
};

/* All zeros but for the pointers to begin with.  Used by the thread that uses the file. */
struct mfs_undo {
    struct mfs_nearby *nearby; /* the connection's */
    struct mfs_view *view;
    enum mfs_undo_state state;
    bool is_recovery; /* EXCLUSIVE was reached without RESERVED: playback of a hot journal */
};

/* After a lock was granted: from where to where. */
void mfs_undo_note_lock(struct mfs_undo *undo, enum mfs_lock_level before,
                        enum mfs_lock_level after);

/* Before a write or truncation; decides, and arms if so decided. */
int mfs_undo_prepare(struct mfs_undo *undo, struct mfs_file *file, enum mfs_lock_level level);

/* At SQLITE_FCNTL_SYNC: all of a transaction's or playback's pages are written. */
void mfs_undo_note_sync(struct mfs_undo *undo);

/* At SQLITE_FCNTL_COMMIT_PHASETWO. */
void mfs_undo_commit(struct mfs_undo *undo, struct mfs_file *file);

/* At any other end: unlock, close, or a new read transaction. */
void mfs_undo_roll_back(struct mfs_undo *undo);

#endif
