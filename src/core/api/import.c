/* Importing: many files, directories and symlinks in one step. */
#include "wholetree/import.h"

#include "api/call.h"
#include "api/structsize.h"

#include <string.h>

struct import_request {
    memfs *fs;
    const memfs_import_entry *entries;
    size_t count;
    unsigned flags;
    size_t *failed; /* the index of an entry that is being worked on */
};

/* The entry with this index, as this library knows it.  The caller's may be of another size. */
static int get_entry(const struct import_request *r, size_t index, memfs_import_entry *out)
{
    size_t stride = r->entries->struct_size, struct_size;
    const char *theirs = (const char *)r->entries + index * stride;
    int error = mfs_structsize_copy_in(out, sizeof *out, theirs,
                                       MFS_STRUCTSIZE_UP_TO(memfs_import_entry, mode));
    if (error != 0)
        return error;
    memcpy(&struct_size, theirs, sizeof struct_size);
    if (struct_size != stride || out->path == NULL || (out->data == NULL && out->size != 0) ||
        (out->mode & ~07777u) != 0 || out->kind > MEMFS_KIND_SYMLINK)
        return MEMFS_EINVAL;
    return 0;
}

static int make_all(const struct import_request *r, struct mfs_import *import)
{
    memfs_import_entry entry;
    int error = 0;
    for (size_t index = 0; error == 0 && index < r->count; index++) {
        *r->failed = index;
        error = get_entry(r, index, &entry);
        if (error == 0)
            error = mfs_import_make(import, &entry);
    }
    return error;
}

static int place_all(const struct import_request *r, struct mfs_import *import)
    MFS_REQUIRES(import->grafts.tree->lock)
{
    memfs_import_entry entry;
    int error = 0;
    for (size_t index = 0; error == 0 && index < r->count; index++) {
        *r->failed = index;
        error = get_entry(r, index, &entry);
        if (error == 0)
            error = mfs_import_place(import, &entry);
    }
    return error;
}

static int64_t import_once(const void *operation)
{
    const struct import_request *r = operation;
    memfs *fs = r->fs;
    if (!mfs_fs_is_valid(fs) || (r->entries == NULL && r->count != 0) ||
        (r->flags & ~MEMFS_IMPORT_REPLACE) != 0)
        return MEMFS_EINVAL;
    struct mfs_import import = mfs_import_begin(&fs->tree, r->flags != 0);
    int error = make_all(r, &import);
    if (error == 0) {
        mfs_sync_lock_exclusive(fs->lot, &import.grafts.tree->lock);
        error = place_all(r, &import);
        if (error == 0)
            mfs_import_commit(&import);
        mfs_sync_unlock_exclusive(fs->lot, &import.grafts.tree->lock);
    }
    mfs_import_end(&import);
    return error;
}

int memfs_import(memfs *fs, const memfs_import_entry *entries, size_t count, unsigned flags,
                 size_t *failed)
{
    size_t at = count;
    const struct import_request request = {fs, entries, count, flags, &at};
    int error = (int)MFS_CALL_GROWING(fs, import_once, &request, .what = MEMFS_OP_WHOLE,
                                      .path = count != 0 && entries != NULL ? entries[0].path : "");
    if (error != 0 && failed != NULL)
        *failed = at;
    return error;
}
