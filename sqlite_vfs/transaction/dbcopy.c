/*
 * Copying an open database, in constant time where pages may be shared.
 *
 * Why the copy is whole.  In rollback modes the file changes only under EXCLUSIVE; SHARED, which
 * is held meanwhile, keeps that away, also from a connection that recovers.  What remains is a
 * journal that nobody has played back: it is told from a live writer's by RESERVED.  In WAL mode
 * the WAL changes only under the writer's lock of the index, and the database only under the
 * checkpointer's; both are held meanwhile.  Frames behind the last commit are garbage in the copy
 * as in the original.
 *
 * The WAL's copy comes first, so whoever sees the new name sees its WAL.
 */
#include "transaction/dbcopy.h"

#include "names/sibling.h"

#include <stdbool.h>

/* The writer's lock and the checkpointer's, in the WAL index. */
enum { WAL_WRITE_SLOT = 0, WAL_CHANGE_SLOTS = 2 };

struct copy {
    struct mfs_file *file;
    struct mfs_member *member;
    char wal[MFS_FILE_NAME_BYTES]; /* of the original */
    char journal[MFS_FILE_NAME_BYTES];
    char to[MFS_FILE_PATH_MAX + 1];
    char to_wal[MFS_FILE_NAME_BYTES];
    char to_journal[MFS_FILE_NAME_BYTES];
    const char *why;
};

static int busy(struct copy *copy, const char *why)
{
    copy->why = why;
    return MEMFS_EBUSY;
}

/* Both files, or none; a lock keeps them as they are. */
static int copy_files(struct copy *copy, bool with_wal)
{
    memfs *fs = copy->file->fs;
    int error = with_wal ? memfs_copy(fs, copy->wal, copy->to_wal, MEMFS_COPY_NOREPLACE) : 0;
    if (error != 0)
        return error;
    error = memfs_copy(fs, copy->file->path, copy->to, MEMFS_COPY_NOREPLACE);
    if (error != 0 && with_wal)
        (void)memfs_unlink(fs, copy->to_wal);
    return error;
}

static int copy_with_wal(struct copy *copy)
{
    struct mfs_member *member = copy->member;
    if (member->shm == NULL)
        return busy(copy, "the WAL was not read yet; read from the database first");
    /* Its own: unlocking would end them under the transaction. */
    if ((member->hold.exclusive & ((1u << WAL_CHANGE_SLOTS) - 1u)) != 0)
        return busy(copy, "this connection is in a transaction that writes");
    if (!mfs_shm_lock(member->shm, &member->hold, WAL_WRITE_SLOT, WAL_CHANGE_SLOTS, true))
        return busy(copy, "another connection is writing or checkpointing");
    int error = copy_files(copy, mfs_sibling_has_content(copy->file->fs, copy->wal));
    mfs_shm_unlock(member->shm, &member->hold, WAL_WRITE_SLOT, WAL_CHANGE_SLOTS, true);
    return error;
}

static int copy_locked(struct copy *copy)
{
    if (copy->member->shm != NULL || mfs_sibling_has_content(copy->file->fs, copy->wal))
        return copy_with_wal(copy);
    if (!mfs_member_sees_reserved(copy->member) &&
        mfs_sibling_journal_is_live(copy->file->fs, copy->journal))
        return busy(copy, "a journal waits to be played back; read from the database first");
    return copy_files(copy, false);
}

static int copy_under_shared(struct copy *copy)
{
    if (copy->member->level > MFS_LOCK_RESERVED)
        return busy(copy, "this connection has the database locked exclusively");
    if (copy->member->level != MFS_LOCK_NONE)
        return copy_locked(copy);
    if (mfs_member_lock(copy->member, MFS_LOCK_SHARED) != MFS_LOCK_GRANTED)
        return busy(copy, "another connection is writing");
    int error = copy_locked(copy);
    (void)mfs_member_unlock(copy->member, MFS_LOCK_NONE);
    return error;
}

/* The canonical path of `name`, and the siblings that SQLite would find there. */
static int name_copy(struct copy *copy, const char *name)
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
    struct copy copy = {.file = file, .member = member};
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
