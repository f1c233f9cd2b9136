/*
 * File-controls.
 *
 * 1. An answer goes where the question came from: `argument` points to the same variable for
 *    both, of the type that SQLite's documentation of the operation names.
 * 2. A string in an answer is on SQLite's heap; the caller frees it.
 *
 * Cost: no allocation but for the strings and for SIZE_HINT, which is there to allocate.
 * HAS_MOVED, which SQLite asks before each write transaction, walks the path only if a name in
 * the tree has changed since the last time.
 *
 * Left undone on purpose, so SQLITE_NOTFOUND: the operations of atomic batch writes, since
 * xDeviceCharacteristics does not offer them, and what newer versions of SQLite add.
 */
#include "vfs/control.h"

#include "base/assertion.h"
#include "locks/publishing.h"
#include "names/place.h"
#include "transaction/walroom.h"
#include "vfs/pragma.h"
#include "vfs/walhook.h"

/* A flag: negative asks, 0 and 1 set it. */
static int control_flag(bool *flag, int *argument)
{
    if (*argument < 0)
        *argument = *flag;
    else
        *flag = *argument != 0;
    return SQLITE_OK;
}

/* `text` is on SQLite's heap; null: SQLite had no memory for it. */
static int answer_string(char **out, char *text)
{
    if (text == NULL)
        return SQLITE_NOMEM;
    *out = text;
    return SQLITE_OK;
}

/* A name that no entry of the tree has. */
static int make_temporary_name(struct mfs_file *file, char **out)
{
    for (;;) {
        sqlite3_uint64 random;
        sqlite3_randomness((int)sizeof random, &random);
        char *name = sqlite3_mprintf("/memfs-tmp-%016llx", random);
        if (name == NULL || memfs_exists(file->fs, name) != 1)
            return answer_string(out, name);
        sqlite3_free(name);
    }
}

/* Whether the path that the file was opened by now leads elsewhere, or nowhere. */
static bool has_moved(const struct mfs_file *file)
{
    if (file->path == NULL)
        return false;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    return memfs_stat(file->fs, file->path, &info) != 0 || info.number != file->number;
}

/*
 * With a WAL SQLite asks only before it closes it, and would not checkpoint it if the database had
 * moved.  But the checkpoint is right: it copies the database's own WAL into the file, which may
 * have another name by now, and the WAL could not be found by that name.
 */
static bool has_database_moved(const struct mfs_file *file, struct mfs_name_cache *names)
{
    return names->wal.file == NULL && mfs_place_is_lost(names, file->fs);
}

/*
 * The size that the file is about to grow to.  `bytes` are the file's, or a view's.
 *
 * A growth beyond all measure allocates nothing.  SQLite ignores the answer; a program that asks
 * learns whether the quota forbids the growth.
 */
static int serve_size_hint(const struct mfs_file *file, struct mfs_bytes *bytes, sqlite3_int64 size)
{
    int64_t now = mfs_bytes_size(bytes);
    if (now < 0 || !mfs_bytes_is_growth_absurd(bytes->file, now, size))
        return mfs_bytes_allocate(bytes, size);
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    int error = memfs_statfs(file->fs, &info);
    MFS_ASSERT(error == 0);
    return (uint64_t)(size - now) > info.available_bytes ? SQLITE_FULL : SQLITE_OK;
}

int mfs_control_file(struct mfs_file *file, int operation, void *argument)
{
    MFS_ASSERT(file->fs != NULL && file->vfs_name != NULL);
    switch (operation) {
    case SQLITE_FCNTL_SIZE_HINT:
        return serve_size_hint(file, &file->bytes, *(const sqlite3_int64 *)argument);
    case SQLITE_FCNTL_CHUNK_SIZE:
        return SQLITE_OK; /* accepted, without effect: growing in chunks is not cheaper here */
    case SQLITE_FCNTL_PERSIST_WAL:
        return control_flag(&file->keeps_wal, argument);
    case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
        return control_flag(&file->overwrites_are_safe, argument);
    case SQLITE_FCNTL_VFSNAME:
        return answer_string(argument, sqlite3_mprintf("%s", file->vfs_name));
    case SQLITE_FCNTL_TEMPFILENAME:
        return make_temporary_name(file, argument);
    case SQLITE_FCNTL_HAS_MOVED:
        *(int *)argument = has_moved(file);
        return SQLITE_OK;
    case SQLITE_FCNTL_LAST_ERRNO:
        *(int *)argument = file->last_errno;
        return SQLITE_OK;
    case SQLITE_FCNTL_LOCKSTATE:
        *(int *)argument = SQLITE_LOCK_NONE; /* the file has no locks */
        return SQLITE_OK;
    case SQLITE_FCNTL_MMAP_SIZE:
        *(sqlite3_int64 *)argument = 0; /* the file has no xFetch */
        return SQLITE_OK;
#ifdef SQLITE_FCNTL_EXTERNAL_READER
    case SQLITE_FCNTL_EXTERNAL_READER:
        *(int *)argument = 0; /* no other process can read the WAL */
        return SQLITE_OK;
#endif
    default:
        return SQLITE_NOTFOUND;
    }
}

int mfs_control_size_limit(struct mfs_file *file, struct mfs_member *member, bool may_set,
                           sqlite3_int64 *argument)
{
    sqlite3_int64 size = 0;
    int rc = mfs_bytes_report_size(&file->bytes, &size);
    if (rc != SQLITE_OK)
        return rc;
    if (*argument >= 0 && may_set)
        mfs_member_set_size_limit(member, *argument < size ? size : *argument);
    sqlite3_int64 limit = mfs_member_size_limit(member);
    MFS_ASSERT(limit == MFS_SIZE_UNLIMITED || limit >= 0);
    *argument = limit == MFS_SIZE_UNLIMITED ? INT64_MAX : limit;
    return SQLITE_OK;
}

/* How many milliseconds xLock and xShmLock may wait; the answer is the previous setting. */
static int control_lock_timeout(struct mfs_member *member, int *argument)
{
    int before = member->lock_timeout_ms;
    MFS_ASSERT(before >= 0);
    member->lock_timeout_ms = *argument > 0 ? *argument : 0;
    *argument = before;
    return SQLITE_OK;
}

/*
 * The size hint of a database.
 *
 * In WAL mode the hint comes from a checkpoint, and its growth was preallocated when the WAL was
 * written.  More must not be: only a connection that has the database to itself can give back
 * what is not grown into, and a checkpoint does not have it to itself.
 *
 * Otherwise the undo is armed first: it decides whether the writes that follow go to a view of the
 * file or to the file, and the pages must be allocated where they go.
 */
static int control_size_hint(struct mfs_file *file, const struct mfs_member *member,
                             struct mfs_undo *undo, const sqlite3_int64 *size)
{
    if (member->shm != NULL)
        return SQLITE_OK;
    int rc = mfs_undo_prepare(undo, file, member->level);
    if (rc != SQLITE_OK)
        return rc;
    return serve_size_hint(file, mfs_view_bytes(undo->view, &file->bytes), *size);
}

int mfs_control_database(struct mfs_file *file, struct mfs_member *member, struct mfs_undo *undo,
                         int operation, void *argument)
{
    MFS_ASSERT(undo->names != NULL && undo->view != NULL);
    switch (operation) {
    case SQLITE_FCNTL_SIZE_HINT:
        return control_size_hint(file, member, undo, argument);
    case SQLITE_FCNTL_LOCKSTATE:
        *(int *)argument = (int)member->level;
        return SQLITE_OK;
    case SQLITE_FCNTL_SYNC:
        mfs_undo_note_sync(undo);
        undo->names->is_playing_back = false;
        undo->view->is_doomed = false;
        if (mfs_member_is_isolated(member))
            mfs_publishing_end_recovery(member);
        return SQLITE_OK;
    case SQLITE_FCNTL_COMMIT_PHASETWO:
        if (undo->view->is_doomed)
            return SQLITE_FULL;
        if (mfs_member_is_isolated(member))
            mfs_publishing_commit(member);
        else
            mfs_undo_commit(undo, file);
        if (member->connection != NULL && mfs_walroom_is_short_now(file, member, undo->names))
            mfs_walhook_set_once(*member->connection);
        return SQLITE_OK;
    case SQLITE_FCNTL_HAS_MOVED:
        *(int *)argument = has_database_moved(file, undo->names);
        return SQLITE_OK;
    case SQLITE_FCNTL_MMAP_SIZE:
        *(sqlite3_int64 *)argument = mfs_fetch_set_limit(&member->fetch,
                                                         *(const sqlite3_int64 *)argument);
        return SQLITE_OK;
#ifdef SQLITE_FCNTL_LOCK_TIMEOUT
    case SQLITE_FCNTL_LOCK_TIMEOUT:
        return control_lock_timeout(member, argument);
#endif
#ifdef SQLITE_FCNTL_CKPT_START
    case SQLITE_FCNTL_CKPT_START:
    case SQLITE_FCNTL_CKPT_DONE:
        return SQLITE_OK; /* nothing to prepare: see control_size_hint() */
#endif
    case SQLITE_FCNTL_PDB:
        member->connection = argument;
        return SQLITE_OK;
    case MFS_WALHOOK_IS_SHORT:
        *(int *)argument = mfs_walroom_is_short(file, (uint64_t) * (const int *)argument);
        return SQLITE_OK;
    case SQLITE_FCNTL_SIZE_LIMIT:
        return mfs_control_size_limit(file, member, !member->refuses_control, argument);
    case SQLITE_FCNTL_PRAGMA:
        return mfs_pragma_serve(file, member, argument);
    default:
        return mfs_control_file(file, operation, argument);
    }
}
