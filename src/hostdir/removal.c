/*
 *     top             top                   top
 *     |-- a           |-- .memfs-rest-0     |-- .memfs-rest-0
 *     |   |-- b/...   |     (what was b)    :     (emptied in its turn)
 *     |   `-- f       `-- a  (empty)
 *
 * A directory in the top one is emptied by removing its files and moving its directories up into
 * the top one; then it is removed.  So every directory is at most one level below the top, and
 * neither a stack nor a path is needed, however deep the tree is.
 */
#include "removal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 32 };

/* Moves `name` of `directory` up to a name in `top` that nothing has. */
static int move_up(int directory, const char *name, int top, unsigned *next_number)
{
    char free_name[NAME_BYTES];
    /* It must be writable to be moved, where ".." in it changes. */
    (void)fchmodat(directory, name, 0700, AT_SYMLINK_NOFOLLOW);
    while (*next_number < UINT_MAX) {
        snprintf(free_name, sizeof free_name, ".memfs-rest-%u", (*next_number)++);
        if (renameat(directory, name, top, free_name) == 0)
            return 0;
        if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
            return errno;
    }
    return EEXIST;
}

static bool is_directory_at(int parent, const char *name)
{
    struct stat status;
    return fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* An open directory, made readable if need be. */
static int open_directory(int parent, const char *name)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int descriptor = openat(parent, name, flags);
    if (descriptor < 0 && errno == EACCES && is_directory_at(parent, name) &&
        fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        descriptor = openat(parent, name, flags);
    if (descriptor >= 0)
        (void)fchmod(descriptor, 0700);
    return descriptor;
}

/* A stream that lists `descriptor` from its beginning, and does not close it. */
static DIR *list_directory(int descriptor)
{
    int own = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own >= 0 ? fdopendir(own) : NULL;
    if (stream == NULL && own >= 0)
        (void)close(own);
    return stream;
}

typedef int (*directory_step)(int directory, const char *name, int top, unsigned *next_number);

/* Removes each entry that is no directory, and does `step` with the others. */
static int clear_directory(int directory, int top, unsigned *next_number, directory_step step)
{
    DIR *stream = list_directory(directory);
    if (stream == NULL)
        return errno;
    int problem = 0;
    const struct dirent *entry;
    while (problem == 0 && (errno = 0, entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (is_directory_at(directory, name))
            problem = step(directory, name, top, next_number);
        else if (unlinkat(directory, name, 0) != 0 && errno != ENOENT)
            problem = errno;
    }
    if (problem == 0 && entry == NULL)
        problem = errno;
    (void)closedir(stream);
    return problem;
}

static int remove_below_top(int top, const char *name, int same_top, unsigned *next_number)
{
    (void)same_top;
    int directory = open_directory(top, name);
    if (directory < 0)
        return errno == ENOENT ? 0 : errno;
    int problem = clear_directory(directory, top, next_number, move_up);
    (void)close(directory);
    if (problem == 0 && unlinkat(top, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        problem = errno;
    return problem;
}

/* Entries that are moved up meanwhile may be missed by the listing, so it lists again until none
 * is left. */
static int remove_directory(int parent, const char *name)
{
    int top = open_directory(parent, name);
    if (top < 0)
        return errno;
    unsigned next_number = 0, numbers_before;
    int problem;
    do {
        numbers_before = next_number;
        problem = clear_directory(top, top, &next_number, remove_below_top);
    } while (problem == 0 && next_number != numbers_before);
    (void)close(top);
    if (problem == 0 && unlinkat(parent, name, AT_REMOVEDIR) != 0)
        problem = errno;
    return problem;
}

int mfs_removal_of(int parent, const char *name)
{
    int problem = 0;
    if (is_directory_at(parent, name))
        problem = remove_directory(parent, name);
    else if (unlinkat(parent, name, 0) != 0)
        problem = errno;
    return problem == ENOENT ? 0 : problem;
}
