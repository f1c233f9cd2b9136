/*
 * Slashes in a row count as one, and a path may begin and end with slashes.  The length of a
 * component is not checked here: only a directory knows whether a long name is an error.
 */
#include "base/path.h"

#include "base/check.h"

#include <memfs/memfs.h>

#include <string.h>

bool mfs_path_next(const char **rest, struct mfs_component *out)
{
    const char *start = *rest;
    while (*start == '/')
        start++;
    if (*start == '\0')
        return false;
    const char *end = start;
    while (*end != '\0' && *end != '/')
        end++;
    out->name = start;
    out->length = (size_t)(end - start);
    out->has_slash_after = *end == '/';
    while (*end == '/')
        end++;
    *rest = end;
    MFS_CHECK(out->length > 0);
    return true;
}

int mfs_path_check(const char *path)
{
    if (path == NULL)
        return MEMFS_EINVAL;
    if (path[0] == '\0')
        return MEMFS_ENOENT;
    return memchr(path, '\0', MEMFS_PATH_MAX + 1) != NULL ? 0 : MEMFS_ENAMETOOLONG;
}
