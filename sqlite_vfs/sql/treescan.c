/*
 * A tree, entry by entry.
 *
 *     /a            levels: /a, /a/d       path: "/a/d/f"
 *     |-- d         directories open on the way to the entry; the entry itself, if it is
 *     |   |-- f <-  a directory, is opened when the scan goes on from it
 *     `-- g
 *
 * 1. The entry lies in the last level's directory, or is the root if there is no level.
 * 2. Everything is reached from an open directory by one name, so trees deeper than a path
 *    can be are no different, and renaming a directory does not derail a scan within it.
 * 3. `path` is what the names were on the way down.
 *
 * Open directories are charged to the file system, one a level; the path and the stack are
 * on SQLite's heap.
 */
#include "sql/treescan.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

void mfs_treescan_init(struct mfs_treescan *scan, memfs *fs)
{
    memset(scan, 0, sizeof *scan);
    scan->fs = fs;
    scan->stat.struct_size = sizeof scan->stat;
}

static void leave(struct mfs_treescan *scan)
{
    assert(scan->depth > 0);
    scan->depth--;
    (void)memfs_closedir(scan->levels[scan->depth].dir);
}

void mfs_treescan_fini(struct mfs_treescan *scan)
{
    while (scan->depth > 0)
        leave(scan);
    sqlite3_free(scan->levels);
    sqlite3_free(scan->path);
    sqlite3_free(scan->root);
    mfs_treescan_init(scan, scan->fs);
}

/* That an entry is not there is the end of it, or nothing at all; never an error. */
static bool is_missing(int error)
{
    return error == MEMFS_ENOENT || error == MEMFS_ENOTDIR || error == MEMFS_ELOOP;
}

/* --------------------------------------------------------------------- path */

static int reserve_path(struct mfs_treescan *scan, size_t size)
{
    if (size <= scan->path_capacity)
        return 0;
    size_t capacity = size < 128 ? 128 : size * 2;
    char *path = sqlite3_realloc64(scan->path, capacity);
    if (path == NULL)
        return MEMFS_ENOMEM;
    scan->path = path;
    scan->path_capacity = capacity;
    return 0;
}

/* The path becomes its first `length` bytes, a slash, and the name. */
static int set_name(struct mfs_treescan *scan, size_t length, const char *name, size_t name_length)
{
    int error = reserve_path(scan, length + name_length + 2);
    if (error != 0)
        return error;
    scan->path[length] = '/';
    memcpy(scan->path + length + 1, name, name_length);
    scan->name_start = length + 1;
    scan->path_length = length + 1 + name_length;
    scan->path[scan->path_length] = '\0';
    return 0;
}

/* The path becomes where `path` really is; ERANGE cannot come back. */
static int set_real(struct mfs_treescan *scan, const char *path)
{
    int64_t length = MEMFS_ERANGE;
    for (size_t size = 128; length == MEMFS_ERANGE; size *= 2) {
        int error = reserve_path(scan, size);
        if (error != 0)
            return error;
        length = memfs_realpath(scan->fs, path, scan->path, scan->path_capacity);
    }
    if (length < 0)
        return (int)length;
    scan->path_length = (size_t)length;
    const char *slash = strrchr(scan->path, '/');
    scan->name_start = (size_t)(slash - scan->path) + 1;
    return 0;
}

/* Whether the last component must be followed, as any path that ends in these is. */
static bool ends_in_directory(const char *name)
{
    return *name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/*
 * Where the root really is: its parent without links, and its own name, since a link itself
 * is an entry like others.
 */
static int set_root(struct mfs_treescan *scan, const char *root)
{
    const char *slash = strrchr(root, '/');
    const char *name = slash != NULL ? slash + 1 : root;
    if (ends_in_directory(name))
        return set_real(scan, root);
    char *parent = sqlite3_mprintf("/%.*s", (int)(name - root), root);
    if (parent == NULL)
        return MEMFS_ENOMEM;
    int error = set_real(scan, parent);
    sqlite3_free(parent);
    if (error != 0)
        return error;
    return set_name(scan, scan->path_length == 1 ? 0 : scan->path_length, name, strlen(name));
}

int mfs_treescan_start(struct mfs_treescan *scan, const char *root, int64_t depth,
                       const struct mfs_pathrange *range)
{
    mfs_treescan_fini(scan);
    scan->range = range;
    scan->depth_limit = depth;
    int error = *root != '\0' ? memfs_lstat(scan->fs, root, &scan->stat) : MEMFS_ENOENT;
    if (error == 0)
        error = set_root(scan, root);
    if (error != 0)
        return is_missing(error) ? 0 : error;
    scan->root = sqlite3_mprintf("%s", root);
    return scan->root != NULL ? 1 : MEMFS_ENOMEM;
}

/* --------------------------------------------------------------------- scan */

static memfs_dir *current_dir(const struct mfs_treescan *scan)
{
    return scan->depth > 0 ? scan->levels[scan->depth - 1].dir : NULL;
}

/* The entry by the name that memfs knows it by, from current_dir(). */
static const char *current_name(const struct mfs_treescan *scan)
{
    return scan->depth > 0 ? scan->path + scan->name_start : scan->root;
}

static int reserve_level(struct mfs_treescan *scan)
{
    if (scan->depth < scan->capacity)
        return 0;
    size_t capacity = scan->capacity == 0 ? 8 : scan->capacity * 2;
    struct mfs_treescan_level *levels = sqlite3_realloc64(scan->levels,
                                                          capacity * sizeof *scan->levels);
    if (levels == NULL)
        return MEMFS_ENOMEM;
    scan->levels = levels;
    scan->capacity = capacity;
    return 0;
}

/* Opens the current entry.  A directory that took its place meanwhile, or one that a link
 * leads to which did, is not it: ENOENT. */
static int open_directory(struct mfs_treescan *scan, memfs_dir **out)
{
    memfs_dir *dir;
    memfs_stat_info info;
    info.struct_size = sizeof info;
    int error = memfs_opendirat(scan->fs, current_dir(scan), current_name(scan), &dir);
    if (error != 0)
        return error;
    error = memfs_statat(scan->fs, dir, ".", &info, 0);
    if (error == 0 && info.number != scan->stat.number)
        error = MEMFS_ENOENT;
    if (error != 0) {
        (void)memfs_closedir(dir);
        return error;
    }
    *out = dir;
    return 0;
}

/* Makes the current entry the directory that entries are read from, unless it is gone. */
static int enter(struct mfs_treescan *scan)
{
    memfs_dir *dir;
    int error = reserve_level(scan);
    if (error == 0)
        error = open_directory(scan, &dir);
    if (error != 0)
        return is_missing(error) ? 0 : error;
    scan->levels[scan->depth].dir = dir;
    scan->levels[scan->depth].path_length = scan->path_length == 1 ? 0 : scan->path_length;
    scan->depth++;
    return 0;
}

static bool should_enter(const struct mfs_treescan *scan)
{
    return scan->path_length > 0 && scan->stat.kind == MEMFS_KIND_DIRECTORY &&
           (int64_t)scan->depth < scan->depth_limit &&
           (scan->range == NULL ||
            mfs_pathrange_may_be_below(scan->range, scan->path, scan->path_length));
}

/* Makes a directory's entry the current one: 1, 0 if it is gone, or an error. */
static int take_entry(struct mfs_treescan *scan, const memfs_dirent *entry)
{
    int error = memfs_statat(scan->fs, current_dir(scan), entry->name, &scan->stat,
                             MEMFS_AT_NOFOLLOW);
    if (error != 0)
        return is_missing(error) ? 0 : error;
    error = set_name(scan, scan->levels[scan->depth - 1].path_length, entry->name,
                     entry->name_length);
    return error != 0 ? error : 1;
}

int mfs_treescan_next(struct mfs_treescan *scan)
{
    int error = should_enter(scan) ? enter(scan) : 0;
    if (error != 0)
        return error;
    while (scan->depth > 0) {
        memfs_dirent entry = {.struct_size = sizeof entry};
        int found = memfs_readdir(current_dir(scan), &entry);
        if (found < 0)
            return found;
        if (found == 0) {
            leave(scan);
            continue;
        }
        found = take_entry(scan, &entry);
        if (found != 0)
            return found;
    }
    scan->path_length = 0; /* the end: nothing to enter */
    return 0;
}

int mfs_treescan_open(struct mfs_treescan *scan, memfs_file **out)
{
    int error = memfs_openat(scan->fs, current_dir(scan), current_name(scan),
                             MEMFS_O_READ | MEMFS_O_NOFOLLOW, 0, out);
    return is_missing(error) ? MEMFS_ENOENT : error;
}

int64_t mfs_treescan_readlink(struct mfs_treescan *scan, char *buffer, size_t size)
{
    return memfs_readlinkat(scan->fs, current_dir(scan), current_name(scan), buffer, size);
}
