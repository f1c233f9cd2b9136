/*
 * Views: a version of the file's content, with SQLite's manners.
 *
 * Taking one costs a reference.  From then on the file and the view share what neither changes.
 * Copies of what they share may come from the reserve, so that a full database can shrink;
 * growth may not.
 */
#include "file/view.h"

#include "base/errmap.h"

#include <assert.h>
#include <string.h>

int mfs_view_take(struct mfs_view *view, memfs_file *file)
{
    assert(!view->is_held);
    (void)memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_OVERWRITING);
    int error = memfs_content_take(file, &view->version);
    (void)memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_UNUSED);
    if (error != 0)
        return mfs_errmap(MFS_OPERATION_READ, error);
    view->is_held = true;
    view->generation++;
    view->is_changed = false;
    view->was_cut = false;
    view->reserved_end = 0;
    return SQLITE_OK;
}

void mfs_view_drop(struct mfs_view *view)
{
    if (!view->is_held)
        return;
    int error = memfs_content_drop(&view->version);
    assert(error == 0);
    (void)error;
    view->is_held = false;
}

/* What was not grown into goes back. */
static void release_room(struct mfs_view *view)
{
    if (view->reserved_end <= mfs_view_size(view))
        return;
    int error = memfs_content_truncate(&view->version, mfs_view_size(view));
    assert(error == 0);
    (void)error;
    view->reserved_end = 0;
}

void mfs_view_exchange(struct mfs_view *view, memfs_file *file)
{
    release_room(view);
    int error = memfs_content_exchange(file, &view->version);
    assert(error == 0);
    (void)error;
}

/* Cutting pages that are shared cannot always free them: that takes no memory, but freeing half of
 * a shared table would.  Now nobody shares them any more. */
void mfs_view_drop_former(struct mfs_view *view, memfs_file *file)
{
    bool was_cut = view->was_cut;
    mfs_view_drop(view);
    if (was_cut)
        (void)memfs_ftruncate(file, memfs_file_size(file));
}

int mfs_view_read(const struct mfs_view *view, void *buffer, int count, sqlite3_int64 offset)
{
    assert(count >= 0);
    int64_t got = memfs_content_read(&view->version, buffer, (size_t)count, offset);
    if (got < 0)
        return mfs_errmap(MFS_OPERATION_READ, (int)got);
    if (got == count)
        return SQLITE_OK;
    memset((char *)buffer + got, 0, (size_t)(count - got));
    return SQLITE_IOERR_SHORT_READ;
}

int mfs_view_write(struct mfs_view *view, const void *buffer, int count, sqlite3_int64 offset)
{
    assert(count >= 0);
    view->generation++;
    int64_t written = memfs_content_write(&view->version, buffer, (size_t)count, offset);
    if (written < 0)
        return mfs_errmap(MFS_OPERATION_WRITE, (int)written);
    view->is_changed = true;
    return SQLITE_OK;
}

int mfs_view_truncate(struct mfs_view *view, sqlite3_int64 size)
{
    bool cuts = size < mfs_view_size(view);
    view->generation++;
    int error = memfs_content_truncate(&view->version, size);
    if (error == 0)
        view->is_changed = true;
    if (error == 0 && cuts) {
        view->was_cut = true;
        view->reserved_end = 0; /* cutting gives back all room behind the new end */
    }
    return mfs_errmap(MFS_OPERATION_TRUNCATE, error);
}

int mfs_view_reserve_room(struct mfs_view *view, sqlite3_int64 size)
{
    int64_t now = mfs_view_size(view);
    if (size <= now || size <= view->reserved_end)
        return SQLITE_OK;
    int error = memfs_content_allocate(&view->version, now, size - now);
    if (error == 0) {
        view->is_changed = true;
        view->reserved_end = size;
    }
    return mfs_errmap(MFS_OPERATION_WRITE, error);
}
