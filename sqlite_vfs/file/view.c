/*
 * Views.
 *
 * 1. Taking a view costs a reference.  From then on the file and the view share the pages that
 *    neither has changed.
 * 2. Copies of shared pages may come from the emergency reserve, so that a full database can
 *    shrink; growth may not.
 * 3. The generation moves when a view is taken and with every change in it, and never back, so a
 *    mapping is never taken for one of another view.
 *
 * Cost: a reference for each transaction that uses a view, and a copy of each page it changes.
 */
#include "file/view.h"

#include "base/assertion.h"
#include "base/lasterror.h"

int mfs_view_take(struct mfs_view *view, memfs_file *file)
{
    MFS_ASSERT(!view->is_held);
    (void)memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_OVERWRITING);
    int error = memfs_content_take(file, &view->version);
    (void)memfs_use_emergency_reserve(file, MEMFS_EMERGENCY_UNUSED);
    if (error != 0)
        return mfs_lasterror_code(MFS_OPERATION_READ, error);
    view->is_held = true;
    view->is_doomed = false;
    view->bytes = (struct mfs_bytes){
        .file = file, .version = &view->version, .generation = view->bytes.generation + 1};
    return SQLITE_OK;
}

void mfs_view_drop(struct mfs_view *view)
{
    if (!view->is_held)
        return;
    int error = memfs_content_drop(&view->version);
    MFS_ASSERT(error == 0);
    view->is_held = false;
    view->is_doomed = false;
}

void mfs_view_exchange(struct mfs_view *view, memfs_file *file)
{
    MFS_ASSERT(mfs_view_is_used(view) && view->bytes.file == file);
    mfs_bytes_free_unused(&view->bytes);
    int error = memfs_content_exchange(file, &view->version);
    MFS_ASSERT(error == 0);
}

/* Truncating could not free pages whose table is shared with the former content: unsharing half of
 * a table would need memory.  Now that nothing shares the table, truncating to the same size frees
 * them. */
void mfs_view_drop_former(struct mfs_view *view, memfs_file *file)
{
    bool was_cut = view->bytes.was_cut;
    mfs_view_drop(view);
    if (was_cut)
        (void)memfs_ftruncate(file, memfs_file_size(file));
}
