#include "shim.h"

#include "sqlite_fixture.h"

#include <stdlib.h>
#include <string.h>

#define SHIM_VFS "shim"

/* The file of the VFS below lies behind it. */
struct shim_file {
    sqlite3_file base;
    sqlite3_file *under;
    char *copy; /* of the name; null: SQLite's own was passed */
};

static sqlite3_vfs *below;
static enum shim_names passed_names;

/* Null for a name that is passed as it is; out of memory fails the test. */
static char *copy_of(const char *name)
{
    if (name == NULL || passed_names == SHIM_KEEPS_NAMES)
        return NULL;
    size_t size = strlen(name) + 1;
    char *copy = malloc(size);
    assert_non_null(copy);
    return memcpy(copy, name, size);
}

static sqlite3_file *under(sqlite3_file *file)
{
    return ((struct shim_file *)file)->under;
}

/* --------------------------------------------------------------------- files */

static int shim_close(sqlite3_file *file)
{
    int rc = under(file)->pMethods->xClose(under(file));
    free(((struct shim_file *)file)->copy);
    return rc;
}

#define FORWARD(method, parameters, ...) \
    static int shim_##method parameters \
    { \
        return under(file)->pMethods->method(under(file), __VA_ARGS__); \
    }
#define FORWARD_ALONE(method) \
    static int shim_##method(sqlite3_file *file) \
    { \
        return under(file)->pMethods->method(under(file)); \
    }
FORWARD(xRead, (sqlite3_file * file, void *to, int size, sqlite3_int64 at), to, size, at)
FORWARD(xWrite, (sqlite3_file * file, const void *from, int size, sqlite3_int64 at), from, size, at)
FORWARD(xTruncate, (sqlite3_file * file, sqlite3_int64 size), size)
FORWARD(xSync, (sqlite3_file * file, int flags), flags)
FORWARD(xFileSize, (sqlite3_file * file, sqlite3_int64 *size), size)
FORWARD(xLock, (sqlite3_file * file, int level), level)
FORWARD(xUnlock, (sqlite3_file * file, int level), level)
FORWARD(xCheckReservedLock, (sqlite3_file * file, int *answer), answer)
FORWARD(xFileControl, (sqlite3_file * file, int what, void *argument), what, argument)
FORWARD_ALONE(xSectorSize)
FORWARD_ALONE(xDeviceCharacteristics)
FORWARD(xShmMap, (sqlite3_file * file, int index, int size, int extends, void volatile **out),
        index, size, extends, out)
FORWARD(xShmLock, (sqlite3_file * file, int first, int count, int flags), first, count, flags)
FORWARD(xShmUnmap, (sqlite3_file * file, int deletes), deletes)

static void shim_xShmBarrier(sqlite3_file *file)
{
    under(file)->pMethods->xShmBarrier(under(file));
}

static const sqlite3_io_methods shim_methods = {
    2,
    shim_close,
    shim_xRead,
    shim_xWrite,
    shim_xTruncate,
    shim_xSync,
    shim_xFileSize,
    shim_xLock,
    shim_xUnlock,
    shim_xCheckReservedLock,
    shim_xFileControl,
    shim_xSectorSize,
    shim_xDeviceCharacteristics,
    shim_xShmMap,
    shim_xShmLock,
    shim_xShmBarrier,
    shim_xShmUnmap,
    NULL,
    NULL,
};

/* ----------------------------------------------------------------------- VFS */

static int shim_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    struct shim_file *shim = (struct shim_file *)file;
    shim->base.pMethods = NULL;
    shim->under = (sqlite3_file *)(shim + 1);
    shim->copy = copy_of(name);
    if (shim->copy != NULL)
        flags &= ~SQLITE_OPEN_URI; /* no parameters are behind it */
    int rc = below->xOpen(below, shim->copy != NULL ? shim->copy : name, shim->under, flags, out);
    if (rc == SQLITE_OK)
        shim->base.pMethods = &shim_methods;
    else
        free(shim->copy);
    return rc;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    (void)vfs;
    char *copy = copy_of(name);
    int rc = below->xDelete(below, copy != NULL ? copy : name, sync_directory);
    free(copy);
    return rc;
}

static int shim_access(sqlite3_vfs *vfs, const char *name, int what, int *answer)
{
    (void)vfs;
    char *copy = copy_of(name);
    int rc = below->xAccess(below, copy != NULL ? copy : name, what, answer);
    free(copy);
    return rc;
}

static int shim_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    return below->xFullPathname(below, name, size, out);
}

static int shim_random(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    return below->xRandomness(below, size, out);
}

static int shim_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return below->xSleep(below, microseconds);
}

static int shim_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    return below->xCurrentTimeInt64(below, out);
}

static sqlite3_vfs shim_vfs = {
    .iVersion = 2,
    .zName = SHIM_VFS,
    .xOpen = shim_open,
    .xDelete = shim_delete,
    .xAccess = shim_access,
    .xFullPathname = shim_full_name,
    .xRandomness = shim_random,
    .xSleep = shim_sleep,
    .xCurrentTimeInt64 = shim_time,
};

const char *shim_lay(enum shim_names names)
{
    below = sqlite3_vfs_find(TEST_VFS);
    assert_non_null(below);
    passed_names = names;
    shim_vfs.mxPathname = below->mxPathname;
    shim_vfs.szOsFile = (int)sizeof(struct shim_file) + below->szOsFile;
    assert_int_equal(sqlite3_vfs_register(&shim_vfs, 0), SQLITE_OK);
    return SHIM_VFS;
}

void shim_remove(void)
{
    assert_int_equal(sqlite3_vfs_unregister(&shim_vfs), SQLITE_OK);
}
