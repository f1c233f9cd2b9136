/*
 * Undo for the journal modes MEMORY and OFF: a transaction that does not end in a commit leaves the
 * database as it was.
 *
 * In these modes SQLite has no journal left after a write was refused in the middle of a
 * transaction, so the database would stay half written.  Instead the transaction writes a view,
 * taken at the first change; the view becomes the file's content at the commit and is dropped at
 * any other end.
 */
#ifndef MFS_UNDO_H
#define MFS_UNDO_H

#include "file/file.h"
#include "file/view.h"
#include "locks/lockstate.h"
#include "names/name_cache.h"

enum mfs_undo_state {
    MFS_UNDO_UNDECIDED = 0, /* nothing was written since the last transaction ended */
    MFS_UNDO_ARMED,         /* the transaction reads and writes the view */
    MFS_UNDO_JOURNALLED     /* a journal or WAL in the tree makes the undo unnecessary */
};

/* All zeros but for the pointers to begin with.  Used by the thread that uses the connection. */
struct mfs_undo {
    struct mfs_name_cache *names; /* the connection's */
    struct mfs_view *view;        /* the connection's */
    enum mfs_undo_state state;
    bool is_recovery; /* EXCLUSIVE was reached without RESERVED: playback of a hot journal */
};

/* After the connection's lock has changed from `before` to `after`. */
void mfs_undo_note_lock(struct mfs_undo *undo, enum mfs_lock_level before,
                        enum mfs_lock_level after);

/* Before a write, a truncation or an allocation: takes the view if the undo is needed. */
int mfs_undo_prepare(struct mfs_undo *undo, struct mfs_file *file, enum mfs_lock_level level);

/* At SQLITE_FCNTL_SYNC: all pages of a transaction or of a playback are written. */
void mfs_undo_note_sync(struct mfs_undo *undo);

/* At SQLITE_FCNTL_COMMIT_PHASETWO.  Cannot fail. */
void mfs_undo_commit(struct mfs_undo *undo, struct mfs_file *file);

/* At any other end: unlock, close, or the beginning of a new read transaction. */
void mfs_undo_roll_back(struct mfs_undo *undo);

#endif
