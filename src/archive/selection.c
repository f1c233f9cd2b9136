/* Entries of an archive come in any order, so each is looked at with all directories above it. */
#include "selection.h"

#include <string.h>

static bool is_listed(const char *const *patterns, const char *path)
{
    int matches = 0;
    for (; *patterns != NULL && !matches; patterns++)
        (void)memfs_glob_match(*patterns, path, &matches); /* all are sound: task.c has looked */
    return matches != 0;
}

/* The entry or a directory above it. */
static bool is_excluded(const char *const *patterns, const char *path)
{
    char above[MEMFS_PATH_MAX + 1];
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        size_t length = (size_t)(slash - path);
        memcpy(above, path, length);
        above[length] = '\0';
        if (is_listed(patterns, above))
            return true;
    }
    return is_listed(patterns, path);
}

bool mfs_selection_takes(const memfs_archive_options *options, const char *path, bool is_directory)
{
    if (path[0] == '\0')
        return true;
    if (options->exclude != NULL && is_excluded(options->exclude, path))
        return false;
    return is_directory || options->include == NULL || is_listed(options->include, path);
}
