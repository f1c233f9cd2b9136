/*
 * Parents made on the way.
 *
 * Before they are made, the path is cut back, component by component, to what exists.  What
 * is behind that was missing, and is what a failure removes again, the deepest first.
 * Removing an empty directory needs no memory, so it works at a full quota.
 */
#include "names/parents.h"

#include "base/sqliteapi.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The end of what is before the last component that ends at `end`. */
static size_t cut_component(const char *path, size_t end)
{
    while (end > 0 && path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    while (end > 0 && path[end - 1] == '/')
        end--;
    return end;
}

/* Whether the first `end` bytes of the path name something.  `path` is as before afterwards. */
static bool prefix_exists(memfs *fs, char *path, size_t end)
{
    char kept = path[end];
    path[end] = '\0';
    bool exists = memfs_exists(fs, path) == 1;
    path[end] = kept;
    return exists;
}

/* `path[parent_end]` is a NUL; what is up to `existing_end` is not ours. */
static void unmake(memfs *fs, char *path, size_t parent_end, size_t existing_end)
{
    for (size_t end = parent_end; end > existing_end; end = cut_component(path, end)) {
        path[end] = '\0';
        (void)memfs_rmdir(fs, path); /* not if somebody uses it */
    }
}

/* With `path`, a copy that may be written, cut to the parent. */
static int run_with_parent(memfs *fs, char *path, mfs_parents_operation operation, void *context)
{
    size_t parent_end = cut_component(path, strlen(path));
    size_t existing_end = parent_end;
    while (existing_end > 0 && !prefix_exists(fs, path, existing_end))
        existing_end = cut_component(path, existing_end);
    if (existing_end == parent_end)
        return MEMFS_ENOENT; /* no directory is missing: something else is */
    path[parent_end] = '\0';
    int error = memfs_mkdir_parents(fs, path, 0755);
    if (error != 0)
        return error;
    error = operation(fs, context);
    if (error != 0)
        unmake(fs, path, parent_end, existing_end);
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
