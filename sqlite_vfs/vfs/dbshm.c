/*
 * The WAL index of a main database.
 *
 * 1. While a connection maps the index it holds the file private, so that a checkpoint needs no
 *    memory for pages that a copy would share.
 * 2. In WAL mode transactions end in the index: unlocking a reader's slot ends a transaction, and
 *    unlocking the checkpointer's ends what may have truncated or overwritten the database.
 *
 * Cost: locks are atomics; mapping a region takes the database's mutex.
 */
#include "vfs/dbshm.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "locks/waiting.h"
#include "locks/walindex.h"
#include "names/place.h"
#include "transaction/wal.h"
#include "vfs/dbstate.h"

int mfs_dbshm_map(sqlite3_file *file, int region, int region_bytes, int extends,
                  void volatile **out)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    char wal_path[MFS_FILE_NAME_BYTES];
    void *address;
    *out = NULL;
    if (mfs_file_is_inherited(db->file.fs) || region < 0 || region_bytes != MFS_SHM_REGION_BYTES ||
        !mfs_file_sibling(&db->file, "-wal", wal_path))
        return SQLITE_IOERR_SHMMAP;
    int error = mfs_walindex_map(&db->member, db->registry, db->file.fs, wal_path);
    if (error == 0)
        error = mfs_walindex_region(&db->member, (uint32_t)region, extends != 0, &address);
    if (error != 0)
        return mfs_lasterror_code(MFS_OPERATION_WRITE, error);
    MFS_ASSERT(db->member.shm != NULL && (address != NULL || !extends));
    mfs_dbstate_hold_private(db, true);
    *out = address;
    return SQLITE_OK;
}

static void note_unlocked_slot(struct mfs_dbfile *db, int slot, bool exclusive)
{
    if (!exclusive && slot >= MFS_SHM_FIRST_READER_SLOT)
        mfs_fetch_end_transaction(&db->member.fetch, &db->file.bytes);
    else if (exclusive && slot == MFS_SHM_CHECKPOINT_SLOT)
        mfs_member_reclaim_pages(&db->member, db->file.bytes.file);
}

int mfs_dbshm_lock(sqlite3_file *file, int first, int count, int flags)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    struct mfs_member *member = &db->member;
    bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    if (mfs_file_is_inherited(db->file.fs) || member->shm == NULL || first < 0 || count < 1 ||
        first + count > SQLITE_SHM_NLOCK)
        return SQLITE_IOERR_SHMLOCK;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        mfs_shm_unlock(member->shm, &member->hold, (unsigned)first, (unsigned)count, exclusive);
        mfs_waiting_wake(member, db->registry);
        note_unlocked_slot(db, first, exclusive);
        return SQLITE_OK;
    }
    if (exclusive && first == MFS_SHM_WRITER_SLOT && mfs_place_is_lost(&db->names, db->file.fs))
        return SQLITE_READONLY_DBMOVED;
    return mfs_waiting_lock_wal(member, db->registry, (unsigned)first, (unsigned)count, exclusive)
               ? SQLITE_OK
               : SQLITE_BUSY;
}

void mfs_dbshm_barrier(sqlite3_file *file)
{
    struct mfs_member *member = &mfs_dbstate_of(file)->member;
    if (member->shm != NULL)
        mfs_shm_barrier(member->shm);
}

int mfs_dbshm_unmap(sqlite3_file *file, int deletes)
{
    struct mfs_dbfile *db = mfs_dbstate_of(file);
    if (mfs_file_is_inherited(db->file.fs))
        return SQLITE_IOERR_SHMMAP;
    if (deletes && db->member.shm != NULL)
        mfs_wal_end_preallocation(&db->member);
    mfs_walindex_unmap(&db->member, db->registry, deletes != 0 || db->names.is_kept);
    MFS_ASSERT(db->member.shm == NULL && (db->member.hold.shared | db->member.hold.exclusive) == 0);
    mfs_waiting_wake(&db->member, db->registry);
    if (db->member.level < MFS_LOCK_RESERVED)
        mfs_dbstate_hold_private(db, false);
    return SQLITE_OK;
}
