/*
 * Copying an open database, in constant time where pages may be shared.
 *
 * Why the copy is complete:
 *
 * 1. In rollback modes the file changes only under EXCLUSIVE.  SHARED, which is held during the
 *    copy, excludes that, also for a connection that plays back a hot journal.  A hot journal that
 *    was not played back yet is refused; it is told from a live writer's journal by RESERVED.
 * 2. In WAL mode the WAL changes only under the writer's lock of the index, and the database only
 *    under the checkpointer's.  Both are held during the copy.  Frames behind the last commit are
 *    ignored in the copy as in the original.
 * 3. The WAL is copied first, so a connection that finds the new database finds its WAL.
 *
 * Cost: two memfs_copy().
 *
 * Left out on purpose: waiting for a writer.  The caller gets EBUSY and the reason.
 */
#include "transaction/dbcopy.h"

#include "base/assertion.h"
#include "file/sibling.h"
#include "locks/ladder.h"

#include <stdbool.h>

/* From the writer's slot on, the slots under which the WAL and the database change. */
enum { WAL_CHANGE_SLOTS = 2 };
_Static_assert(MFS_SHM_CHECKPOINT_SLOT == MFS_SHM_WRITER_SLOT + 1, "one range of slots");

struct database_copy {
    struct mfs_file *file;
    struct mfs_member *member;
    char wal[MFS_FILE_NAME_BYTES]; /* the original's */
    char journal[MFS_FILE_NAME_BYTES];
    char to[MFS_FILE_PATH_MAX + 1];
    char to_wal[MFS_FILE_NAME_BYTES];
    char to_journal[MFS_FILE_NAME_BYTES];
    const char *why; /* if busy */
};

static int refuse_as_busy(struct database_copy *copy, const char *why)
{
    copy->why = why;
    return MEMFS_EBUSY;
}

/* Copies both files or none.  A lock that the caller holds keeps them unchanged. */
static int copy_files(struct database_copy *copy, bool with_wal)
{
    memfs *fs = copy->file->fs;
    MFS_ASSERT(copy->member->level >= MFS_LOCK_SHARED);
    int error = with_wal ? memfs_copy(fs, copy->wal, copy->to_wal, MEMFS_COPY_NOREPLACE) : 0;
    if (error != 0)
        return error;
    error = memfs_copy(fs, copy->file->path, copy->to, MEMFS_COPY_NOREPLACE);
    if (error != 0 && with_wal)
        (void)memfs_unlink(fs, copy->to_wal);
    return error;
}

static int copy_with_wal(struct database_copy *copy)
{
    struct mfs_member *member = copy->member;
    if (member->shm == NULL)
        return refuse_as_busy(copy, "the WAL was not read yet; read from the database first");
    /* Locking again what this transaction holds would succeed, and unlocking would take it away. */
    if ((member->hold.exclusive & ((1u << WAL_CHANGE_SLOTS) - 1u)) != 0)
        return refuse_as_busy(copy, "this connection is in a transaction that writes");
    if (!mfs_shm_lock(member->shm, &member->hold, MFS_SHM_WRITER_SLOT, WAL_CHANGE_SLOTS, true))
        return refuse_as_busy(copy, "another connection is writing or checkpointing");
    int error = copy_files(copy, mfs_sibling_wal_is_live(copy->file->fs, copy->wal));
    mfs_shm_unlock(member->shm, &member->hold, MFS_SHM_WRITER_SLOT, WAL_CHANGE_SLOTS, true);
    return error;
}

static int copy_locked(struct database_copy *copy)
{
    if (copy->member->shm != NULL || mfs_sibling_wal_is_live(copy->file->fs, copy->wal))
        return copy_with_wal(copy);
    if (!mfs_ladder_sees_reserved(copy->member) &&
        mfs_sibling_journal_is_live(copy->file->fs, copy->journal))
        return refuse_as_busy(copy,
                              "a journal waits to be played back; read from the database first");
    return copy_files(copy, false);
}

static bool is_at_its_path(const struct mfs_file *file)
{
    memfs_stat_info info;
    info.struct_size = sizeof info;
    return memfs_stat(file->fs, file->path, &info) == 0 && info.number == file->number;
}

static int copy_under_shared(struct database_copy *copy)
{
    if (!is_at_its_path(copy->file))
        return refuse_as_busy(copy, "the database is not at its path any more");
    if (copy->member->level > MFS_LOCK_RESERVED)
        return refuse_as_busy(copy, "this connection has the database locked exclusively");
    if (copy->member->level != MFS_LOCK_NONE)
        return copy_locked(copy);
    if (mfs_ladder_lock(copy->member, MFS_LOCK_SHARED) != MFS_LOCK_GRANTED)
        return refuse_as_busy(copy, "another connection is writing");
    int error = copy_locked(copy);
    (void)mfs_ladder_unlock(copy->member, MFS_LOCK_NONE);
    return error;
}

/* Resolves `name` to its canonical path, and refuses it if it or a sibling of it exists. */
static int name_copy(struct database_copy *copy, const char *name)
{
    memfs *fs = copy->file->fs;
    int64_t length = memfs_realpath(fs, name, copy->to, sizeof copy->to);
    if (length < 0)
        return length == MEMFS_ERANGE ? MEMFS_ENAMETOOLONG : (int)length;
    sqlite3_snprintf((int)sizeof copy->to_wal, copy->to_wal, "%s-wal", copy->to);
    sqlite3_snprintf((int)sizeof copy->to_journal, copy->to_journal, "%s-journal", copy->to);
    if (memfs_exists(fs, copy->to) != 0 || memfs_exists(fs, copy->to_wal) != 0 ||
        memfs_exists(fs, copy->to_journal) != 0)
        return MEMFS_EEXIST;
    return 0;
}

int mfs_dbcopy_make(struct mfs_file *file, struct mfs_member *member, const char *name,
                    const char **why)
{
    struct database_copy copy = {.file = file, .member = member};
    MFS_ASSERT(file->number == member->number);
    if (file->path == NULL || !mfs_file_sibling(file, "-wal", copy.wal) ||
        !mfs_file_sibling(file, "-journal", copy.journal))
        return MEMFS_ENOENT;
    int error = name_copy(&copy, name);
    if (error == 0)
        error = copy_under_shared(&copy);
    if (error == MEMFS_EBUSY)
        *why = copy.why;
    return error;
}
