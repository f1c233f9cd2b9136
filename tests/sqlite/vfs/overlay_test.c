/*
 * Another VFS that lies over ours and passes names of its own making, as SQLite's
 * multiplexor does: exactly as long as they must be, with nothing of SQLite's around them.
 */
#define _POSIX_C_SOURCE 200809L

#include "sqlite_fixture.h"

#include <stdlib.h>
#include <string.h>

#define OVERLAY_VFS "overlay"

/* SQLite's sqlite3_file is a pointer to ours. */
struct overlay_file {
    sqlite3_file base;
    sqlite3_file *under;
    char *name;
};

static sqlite3_file *under(sqlite3_file *file)
{
    return ((struct overlay_file *)file)->under;
}

static int overlay_close(sqlite3_file *file)
{
    struct overlay_file *overlay = (struct overlay_file *)file;
    int rc = overlay->under->pMethods->xClose(overlay->under);
    free(overlay->under);
    free(overlay->name);
    return rc;
}

#define FORWARD(method, parameters, ...) \
    static int overlay_##method parameters \
    { \
        return under(file)->pMethods->method(under(file), __VA_ARGS__); \
    }
#define FORWARD_ALONE(method) \
    static int overlay_##method(sqlite3_file *file) \
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

static void overlay_xShmBarrier(sqlite3_file *file)
{
    under(file)->pMethods->xShmBarrier(under(file));
}

static sqlite3_io_methods methods = {
    2,
    overlay_close,
    overlay_xRead,
    overlay_xWrite,
    overlay_xTruncate,
    overlay_xSync,
    overlay_xFileSize,
    overlay_xLock,
    overlay_xUnlock,
    overlay_xCheckReservedLock,
    overlay_xFileControl,
    overlay_xSectorSize,
    overlay_xDeviceCharacteristics,
    overlay_xShmMap,
    overlay_xShmLock,
    overlay_xShmBarrier,
    overlay_xShmUnmap,
    NULL,
    NULL,
};

static int overlay_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    sqlite3_vfs *ours = vfs->pAppData;
    struct overlay_file *overlay = (struct overlay_file *)file;
    overlay->base.pMethods = NULL;
    overlay->name = name != NULL ? strdup(name) : NULL;
    overlay->under = malloc((size_t)ours->szOsFile);
    assert_non_null(overlay->under);
    int rc = ours->xOpen(ours, overlay->name, overlay->under, flags & ~SQLITE_OPEN_URI, out);
    if (rc == SQLITE_OK) {
        overlay->base.pMethods = &methods;
        return rc;
    }
    free(overlay->under);
    free(overlay->name);
    return rc;
}

static int with_a_copy(sqlite3_vfs *vfs, const char *name,
                       int (*call)(sqlite3_vfs *, const char *, int, int *), int what, int *answer)
{
    char *copy = strdup(name);
    int rc = call(vfs->pAppData, copy, what, answer);
    free(copy);
    return rc;
}

static int delete_under(sqlite3_vfs *vfs, const char *name, int what, int *answer)
{
    (void)answer;
    return vfs->xDelete(vfs, name, what);
}

static int access_under(sqlite3_vfs *vfs, const char *name, int what, int *answer)
{
    return vfs->xAccess(vfs, name, what, answer);
}

static int overlay_delete(sqlite3_vfs *vfs, const char *name, int sync_directory)
{
    return with_a_copy(vfs, name, delete_under, sync_directory, NULL);
}

static int overlay_access(sqlite3_vfs *vfs, const char *name, int what, int *answer)
{
    return with_a_copy(vfs, name, access_under, what, answer);
}

static int overlay_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    sqlite3_vfs *ours = vfs->pAppData;
    return ours->xFullPathname(ours, name, size, out);
}

static int overlay_random(sqlite3_vfs *vfs, int size, char *out)
{
    sqlite3_vfs *ours = vfs->pAppData;
    return ours->xRandomness(ours, size, out);
}

static int overlay_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    sqlite3_vfs *ours = vfs->pAppData;
    return ours->xCurrentTimeInt64(ours, out);
}

static sqlite3_vfs overlay = {
    .iVersion = 2,
    .szOsFile = sizeof(struct overlay_file),
    .mxPathname = 512,
    .zName = OVERLAY_VFS,
    .xOpen = overlay_open,
    .xDelete = overlay_delete,
    .xAccess = overlay_access,
    .xFullPathname = overlay_full_name,
    .xRandomness = overlay_random,
    .xCurrentTimeInt64 = overlay_time,
};

static int setup(void **state)
{
    if (sqlite_setup(state) != 0)
        return -1;
    overlay.pAppData = sqlite3_vfs_find(TEST_VFS);
    return sqlite3_vfs_register(&overlay, 0);
}

static int teardown(void **state)
{
    return sqlite3_vfs_unregister(&overlay) != SQLITE_OK || sqlite_teardown(state) != 0 ? -1 : 0;
}

static sqlite3 *open_over(const char *path)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(path, &db, flags, OVERLAY_VFS), SQLITE_OK);
    return db;
}

static void a_vfs_over_ours_may_pass_copies_of_names(void **state)
{
    (void)state;
    static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
    for (size_t index = 0; index < sizeof modes / sizeof *modes; index++) {
        sqlite3 *over = open_over("/shared.db");
        sqlite3 *direct = db_open("/shared.db");
        db_run(over, "PRAGMA journal_mode=%s; CREATE TABLE in_%s(a)", modes[index], modes[index]);
        db_run(over, "BEGIN; INSERT INTO in_%s VALUES(zeroblob(100000)); COMMIT", modes[index]);
        db_run(direct, "INSERT INTO in_%s VALUES(1)", modes[index]);
        db_run(over, "BEGIN; DELETE FROM in_%s; ROLLBACK", modes[index]);
        assert_int_equal(db_number(direct, "SELECT count(*) FROM sqlite_master"), index + 1);
        db_assert_whole(over);
        db_close(direct);
        db_close(over);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_vfs_over_ours_may_pass_copies_of_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
