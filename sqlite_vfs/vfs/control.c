/*
 * File-controls.
 *
 * Left out on purpose, so SQLITE_NOTFOUND: the atomic-write ones (nothing here offers what
 * they steer), and what newer versions add.
 */
#include "vfs/control.h"

#include "locks/publishing.h"
#include "vfs/pragma.h"

#include <assert.h>

/* A flag: -1 asks, 0 and 1 set; the answer goes where the question came from. */
static int control_flag(bool *flag, int *argument)
{
    if (*argument < 0)
        *argument = *flag;
    else
        *flag = *argument != 0;
    return SQLITE_OK;
}

static int give_string(char **out, char *made)
{
    if (made == NULL)
        return SQLITE_NOMEM;
    *out = made;
    return SQLITE_OK;
}

/* A name that nothing has; from SQLite's heap. */
static int make_temporary_name(struct mfs_file *file, char **out)
{
    for (;;) {
        sqlite3_uint64 random;
        sqlite3_randomness((int)sizeof random, &random);
        char *name = sqlite3_mprintf("/memfs-tmp-%016llx", random);
        if (name == NULL || memfs_exists(file->fs, name) != 1)
            return give_string(out, name);
        sqlite3_free(name);
    }
}

/* Whether the path leads elsewhere, or nowhere, by now. */
static bool has_moved(const struct mfs_file *file)
{
    if (file->path == NULL)
        return false;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    return memfs_stat(file->fs, file->path, &info) != 0 || info.number != file->number;
}

/* The same of a database, whose connection may know it already. */
static bool has_database_moved(const struct mfs_file *file, struct mfs_name_cache *names)
{
    if (mfs_name_cache_knows(names, file->fs, MFS_FACT_IN_PLACE))
        return false;
    mfs_name_cache_refresh(names, file->fs);
    bool moved = has_moved(file);
    if (!moved)
        mfs_name_cache_learn(names, MFS_FACT_IN_PLACE);
    return moved;
}

int mfs_control_file(struct mfs_file *file, int operation, void *argument)
{
    switch (operation) {
    case SQLITE_FCNTL_SIZE_HINT:
        return mfs_bytes_allocate(&file->bytes, *(const sqlite3_int64 *)argument);
    case SQLITE_FCNTL_CHUNK_SIZE:
        return SQLITE_OK; /* heard; but here growth costs the same in any portion */
    case SQLITE_FCNTL_PERSIST_WAL:
        return control_flag(&file->keeps_wal, argument);
    case SQLITE_FCNTL_POWERSAFE_OVERWRITE:
        return control_flag(&file->overwrites_are_safe, argument);
    case SQLITE_FCNTL_VFSNAME:
        return give_string(argument, sqlite3_mprintf("%s", file->vfs_name));
    case SQLITE_FCNTL_TEMPFILENAME:
        return make_temporary_name(file, argument);
    case SQLITE_FCNTL_HAS_MOVED:
        *(int *)argument = has_moved(file);
        return SQLITE_OK;
    default:
        return SQLITE_NOTFOUND;
    }
}

/*
 * A size that the database may not grow beyond; negative asks.  It cannot be
 * set below the size of now, and ends with the last connection.
 */
static int control_size_limit(struct mfs_file *file, struct mfs_member *member,
                              sqlite3_int64 *argument)
{
    sqlite3_int64 size;
    int rc = mfs_bytes_report_size(&file->bytes, &size);
    if (rc != SQLITE_OK)
        return rc;
    if (*argument >= 0)
        mfs_member_set_size_limit(member, *argument < size ? size : *argument);
    sqlite3_int64 limit = mfs_member_size_limit(member);
    *argument = limit == MFS_SIZE_UNLIMITED ? INT64_MAX : limit;
    return SQLITE_OK;
}

/* Milliseconds that a lock waits by itself; the old ones go where the new came from. */
static int control_lock_timeout(struct mfs_member *member, int *argument)
{
    int before = member->lock_timeout_ms;
    member->lock_timeout_ms = *argument > 0 ? *argument : 0;
    *argument = before;
    return SQLITE_OK;
}

/*
 * Armed first, since the room is to be where the writes go.  A checkpoint's growth was reserved when the WAL was written; and what
 * is not grown into can only be given back by who holds the database alone, which
 * a checkpoint does not.
 */
static int hint_size(struct mfs_file *file, const struct mfs_member *member, struct mfs_undo *undo,
                     const sqlite3_int64 *size)
{
    if (member->shm != NULL)
        return SQLITE_OK;
    int rc = mfs_undo_prepare(undo, file, member->level);
    if (rc != SQLITE_OK)
        return rc;
    return mfs_bytes_allocate(mfs_view_bytes(undo->view, &file->bytes), *size);
}

int mfs_control_database(struct mfs_file *file, struct mfs_member *member, struct mfs_undo *undo,
                         int operation, void *argument)
{
    switch (operation) {
    case SQLITE_FCNTL_SIZE_HINT:
        return hint_size(file, member, undo, argument);
    case SQLITE_FCNTL_LOCKSTATE:
        *(int *)argument = (int)member->level;
        return SQLITE_OK;
    case SQLITE_FCNTL_SYNC:
        mfs_undo_note_sync(undo);
        if (mfs_member_is_isolated(member))
            mfs_publishing_end_recovery(member);
        return SQLITE_OK;
    case SQLITE_FCNTL_COMMIT_PHASETWO:
        if (mfs_member_is_isolated(member))
            mfs_publishing_commit(member);
        else
            mfs_undo_commit(undo, file);
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
        return SQLITE_OK; /* heard; the room for it was made when the WAL was written */
#endif
    case SQLITE_FCNTL_SIZE_LIMIT:
        return control_size_limit(file, member, argument);
    case SQLITE_FCNTL_PRAGMA:
        return mfs_pragma_serve(file, member, argument);
    default:
        return mfs_control_file(file, operation, argument);
    }
}
