/*
 * Making missing parents, and removing them after a failure.
 *
 * 1. Before anything is made the path is cut back, component by component, to the part that
 *    exists.  The components behind it are missing; a failure removes exactly these.
 * 2. They are removed deepest first, and only while they are empty.  Removing an empty directory
 *    needs no memory, so it works at a full quota.
 *
 * Cost: nothing while no parent is missing.
 *
 * Left undone on purpose: a directory that another thread makes in between is taken for one of
 * those made here, and removed if it is empty when the operation fails.
 */
#include "names/parents.h"

#include "base/assertion.h"
#include "base/sqliteapi.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The length of the parent of the path's first `end` bytes, without its trailing slashes. */
static size_t parent_length(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    while (end > 0 && path[end - 1] == '/')
        end--;
    return end;
}

/* Whether something exists at the path's first `end` bytes.  Leaves `path` as it was. */
static bool prefix_exists(memfs *fs, char *path, size_t end)
{
    char kept = path[end];
    MFS_ASSERT(end <= strlen(path));
    path[end] = '\0';
    bool exists = memfs_exists(fs, path) == 1;
    path[end] = kept;
    return exists;
}

/* Removes the directories behind the first `existing_end` bytes, up to `parent_end`.  Shortens
 * `path`. */
static void remove_made(memfs *fs, char *path, size_t parent_end, size_t existing_end)
{
    MFS_ASSERT(existing_end < parent_end && path[parent_end] == '\0');
    for (size_t end = parent_end; end > existing_end; end = parent_length(path, end)) {
        path[end] = '\0';
        (void)memfs_rmdir(fs, path); /* fails if it is in use, which is right */
    }
}

/* `path` is a copy that this function may change. */
static int run_with_parent(memfs *fs, char *path, mfs_parents_operation operation, void *context)
{
    size_t parent_end = parent_length(path, strlen(path));
    size_t existing_end = parent_end;
    while (existing_end > 0 && !prefix_exists(fs, path, existing_end))
        existing_end = parent_length(path, existing_end);
    if (existing_end == parent_end)
        return MEMFS_ENOENT; /* no directory is missing: the operation misses something else */
    path[parent_end] = '\0';
    int error = memfs_mkdir_parents(fs, path, 0755);
    if (error != 0)
        return error;
    error = operation(fs, context);
    if (error != 0)
        remove_made(fs, path, parent_end, existing_end);
    return error;
}

int mfs_parents_run(memfs *fs, const char *path, mfs_parents_operation operation, void *context)
{
    int error = operation(fs, context);
    if (error != MEMFS_ENOENT || path[0] == '\0')
        return error;
    char *copy = sqlite3_mprintf("%s", path);
    if (copy == NULL)
        return MEMFS_ENOMEM;
    error = run_with_parent(fs, copy, operation, context);
    sqlite3_free(copy);
    return error;
}
