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
 * 1. Armed only under EXCLUSIVE: nobody else reads or writes then, so nobody can
 *    have changed the file when the view goes into it.
 * 2. Never armed while a hot journal is played back: that ends without
 *    COMMIT_PHASETWO and must stay.  Two signs, either is enough: EXCLUSIVE was
 *    reached without RESERVED (only playback does that), and the journal is live
 *    (its first byte is not zero).  The first holds until SQLITE_FCNTL_SYNC,
 *    which the pager sends after the last page of a playback, so that under
 *    locking_mode=EXCLUSIVE the transactions that follow are protected.
 * 3. With a live journal it is not needed, and would double the memory that a
 *    transaction takes.  A journal that PERSIST or TRUNCATE left behind is not
 *    live: its header is zeroed, or its size is zero.
 * 4. Under locking_mode=EXCLUSIVE there is no unlock between transactions.  A
 *    commit says so (COMMIT_PHASETWO) and the next write arms again.  A rollback
 *    that the pager does by itself leaves the content as it was when armed, so
 *    staying armed is right.  One that the pager cannot do (OFF, or after an
 *    error) throws away the cache and begins again by reading the 16 bytes at
 *    offset 24; dbfile takes that read for the end that it is.
 */
#include "transaction/undo.h"

#include <string.h>

static bool begins_live(memfs_file *journal)
{
    char first = 0;
    return memfs_pread(journal, &first, 1, 0) == 1 && first != 0;
}

/* The connection's own journal needs no name to be found; others' do. */
static bool journal_is_live(struct mfs_file *file, struct mfs_nearby *nearby)
{
    char name[MFS_FILE_NAME_BYTES];
    if (nearby->journal != NULL && begins_live(nearby->journal->handle))
        return true;
    if (mfs_name_cache_knows(nearby, file->fs, MFS_FACT_NO_JOURNAL))
        return false;
    if (!mfs_file_sibling(file, "-journal", name))
        return false;
    mfs_name_cache_refresh(nearby, file->fs);
    memfs_file_storage storage;
    memfs_open_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = MEMFS_O_READ | MEMFS_O_NOATIME;
    options.storage = &storage;
    memfs_file *journal;
    int error = memfs_open_with(file->fs, name, &options, &journal);
    if (error == MEMFS_ENOENT)
        mfs_name_cache_learn(nearby, MFS_FACT_NO_JOURNAL);
    if (error != 0)
        return false;
    bool is_live = begins_live(journal);
    memfs_close(journal);
    return is_live;
}

static bool wal_is_live(struct mfs_file *file, struct mfs_nearby *nearby)
{
    char name[MFS_FILE_NAME_BYTES];
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (mfs_name_cache_knows(nearby, file->fs, MFS_FACT_NO_WAL) ||
        !mfs_file_sibling(file, "-wal", name))
        return false;
    mfs_name_cache_refresh(nearby, file->fs);
    int error = memfs_stat(file->fs, name, &info);
    if (error == MEMFS_ENOENT)
        mfs_name_cache_learn(nearby, MFS_FACT_NO_WAL);
    return error == 0 && info.size_bytes > 0;
}

void mfs_undo_note_lock(struct mfs_undo *undo, enum mfs_lock_level before,
                        enum mfs_lock_level after)
{
    if (before == MFS_LOCK_SHARED && after > MFS_LOCK_RESERVED)
        undo->is_recovery = true;
}

int mfs_undo_prepare(struct mfs_undo *undo, struct mfs_file *file, enum mfs_lock_level level)
{
    if (undo->state != MFS_UNDO_UNDECIDED || level != MFS_LOCK_EXCLUSIVE || undo->is_recovery)
        return SQLITE_OK;
    if (mfs_view_is_used(undo->view)) /* by isolation */
        return SQLITE_OK;
    if (file->path == NULL || file->is_read_only)
        return SQLITE_OK;
    if (journal_is_live(file, undo->nearby) || wal_is_live(file, undo->nearby)) {
        undo->state = MFS_UNDO_JOURNALLED;
        return SQLITE_OK;
    }
    int rc = mfs_view_take(undo->view, file->handle);
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
    if (undo->state == MFS_UNDO_ARMED) {
        mfs_view_exchange(undo->view, file->handle);
        mfs_view_drop_former(undo->view, file->handle);
    }
    undo->state = MFS_UNDO_UNDECIDED;
    undo->is_recovery = false;
}

void mfs_undo_roll_back(struct mfs_undo *undo)
{
    if (undo->state == MFS_UNDO_ARMED)
        mfs_view_drop(undo->view);
    undo->state = MFS_UNDO_UNDECIDED;
    undo->is_recovery = false;
}
