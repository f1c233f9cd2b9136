/*
 * Reading a snapshot's database.
 *
 * 1. What belongs together is taken from one snapshot: the time at which the snapshot was taken,
 *    which no other has, is looked at before and after.
 * 2. A WAL is read by SQLite, as beside any database, with an index of the connection's own.
 * 3. A journal is live if SQLite would play it back: if it begins live (sibling.h) and, where it
 *    names a super-journal, that one is in the snapshot.  SQLite would look for the super-journal
 *    in the tree, where it may be gone, and take the journal for a stale one.  So the name is cut
 *    off.
 *
 * Cost: a node and a handle for each of the files while the database is open, and the pages that a
 * playback overwrites.
 */
#include "file/kept.h"

#include "base/assertion.h"
#include "base/lasterror.h"
#include "base/pausepoint.h"
#include "file/sibling.h"
#include "names/superjournal.h"

/* --------------------------------------------------------------------- files */

static int open_unnamed(memfs *fs, memfs_file **out)
{
    memfs_open_options options = {.struct_size = sizeof options,
                                  .flags = MEMFS_O_TMPFILE | MEMFS_O_RDWR | MEMFS_O_NOATIME};
    return memfs_open_with(fs, "/", &options, out);
}

/* Gives `file` the content of what is at `path` in the snapshot. */
static int fill(memfs_file *file, memfs *fs, const char *snapshot, const char *path)
{
    memfs_file *kept;
    memfs_content_ref content;
    int error = memfs_snapshot_open(fs, snapshot, path, MEMFS_O_READ | MEMFS_O_NOATIME, &kept);
    if (error != 0)
        return error;
    error = memfs_content_take(kept, &content);
    if (error == 0)
        error = memfs_content_restore(file, &content);
    (void)memfs_close(kept);
    return error;
}

/* `*out` is null if there is no such file, which is no error. */
static int open_beside(const struct mfs_file *database, const char *snapshot, const char *suffix,
                       memfs_file **out)
{
    char name[MFS_FILE_NAME_BYTES];
    memfs_file *file;
    *out = NULL;
    if (!mfs_file_sibling(database, suffix, name))
        return 0;
    int error = open_unnamed(database->fs, &file);
    if (error != 0)
        return error;
    error = fill(file, database->fs, snapshot, name);
    if (error == 0)
        *out = file;
    else
        (void)memfs_close(file);
    return error == MEMFS_ENOENT || error == MEMFS_ENOTDIR ? 0 : error;
}

static void close_and_forget(memfs_file **file)
{
    if (*file != NULL)
        (void)memfs_close(*file);
    *file = NULL;
}

/* ------------------------------------------------------------------- journals */

/* Cutting the name off needs no memory, so it is not refused. */
static bool is_live(memfs *fs, const char *snapshot, memfs_file *journal)
{
    char name[MFS_SUPERJOURNAL_NAME_BYTES];
    int64_t rest;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    if (!mfs_sibling_begins_live(journal))
        return false;
    if (!mfs_superjournal_read_name(journal, name, &rest))
        return true;
    return memfs_snapshot_stat_path(fs, snapshot, name, &info, 0) == 0 &&
           memfs_ftruncate(journal, rest) == 0;
}

/* -------------------------------------------------------------------- opening */

static bool find_time(memfs *fs, const char *snapshot, int64_t *taken_ns)
{
    memfs_stat_info root;
    root.struct_size = sizeof root;
    if (memfs_snapshot_stat_path(fs, snapshot, "/", &root, 0) != 0)
        return false;
    *taken_ns = root.birth_ns;
    return true;
}

/* On failure some of it is open. */
static int open_all(struct mfs_kept *kept, const struct mfs_file *file, const char *snapshot)
{
    int error = fill(file->bytes.file, file->fs, snapshot, file->path);
    MFS_PAUSEPOINT("kept: database taken");
    if (error == 0)
        error = open_beside(file, snapshot, "-journal", &kept->journal);
    if (error == 0 && kept->journal != NULL && !is_live(file->fs, snapshot, kept->journal))
        close_and_forget(&kept->journal);
    if (error == 0)
        error = open_beside(file, snapshot, "-wal", &kept->wal);
    return error;
}

static int open_all_of_one(struct mfs_kept *kept, const struct mfs_file *file, const char *snapshot)
{
    for (;;) {
        int64_t before, after;
        if (!find_time(file->fs, snapshot, &before))
            return mfs_lasterror_say(SQLITE_CANTOPEN, "there is no snapshot %s", snapshot);
        int error = open_all(kept, file, snapshot);
        if (find_time(file->fs, snapshot, &after) && before == after)
            return error == MEMFS_ENOENT || error == MEMFS_ENOTDIR
                       ? mfs_lasterror_say(SQLITE_CANTOPEN, "%s is not in the snapshot %s",
                                           file->path, snapshot)
                       : mfs_lasterror_code(MFS_OPERATION_OPEN, error);
        mfs_kept_close(kept);
    }
}

int mfs_kept_open(struct mfs_kept *kept, struct mfs_file *file, memfs *fs, const char *vfs_name,
                  const char *path, const char *snapshot)
{
    MFS_ASSERT(path != NULL && snapshot != NULL);
    *kept = (struct mfs_kept){0};
    int rc = mfs_file_open(file, fs, vfs_name, NULL, SQLITE_OPEN_READWRITE, MFS_FILE_MODE, false);
    if (rc != SQLITE_OK)
        return rc;
    file->path = path;
    rc = open_all_of_one(kept, file, snapshot);
    if (rc != SQLITE_OK) {
        mfs_kept_close(kept);
        (void)mfs_file_close(file);
        return rc;
    }
    file->is_read_only = kept->journal == NULL;
    return SQLITE_OK;
}

bool mfs_kept_has_journal(const struct mfs_kept *kept)
{
    return kept->journal != NULL && mfs_sibling_begins_live(kept->journal);
}

int mfs_kept_open_sibling(const struct mfs_kept *kept, struct mfs_file *file, memfs *fs,
                          const char *vfs_name, const char *path, bool is_wal)
{
    memfs_file *handle = is_wal ? kept->wal : kept->journal;
    if (handle == NULL && !is_wal)
        return SQLITE_CANTOPEN;
    int rc = SQLITE_OK;
    if (handle != NULL)
        mfs_file_borrow(file, fs, vfs_name, path, handle);
    else
        rc = mfs_file_open(file, fs, vfs_name, NULL, SQLITE_OPEN_READWRITE, MFS_FILE_MODE, false);
    file->is_read_only = is_wal;
    return rc;
}

void mfs_kept_empty_journal(struct mfs_kept *kept)
{
    if (kept->journal != NULL)
        (void)memfs_ftruncate(kept->journal, 0);
}

void mfs_kept_close(struct mfs_kept *kept)
{
    close_and_forget(&kept->journal);
    close_and_forget(&kept->wal);
}
