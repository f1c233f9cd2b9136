#include "io_fixture.h"

#include <stdlib.h>
#include <string.h>

sqlite3_vfs *io_vfs(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(TEST_VFS);
    assert_non_null(vfs);
    return vfs;
}

enum { IO_NAME_BYTES = 1024, IO_NAME_MARGIN = 8 };

/* A copy of the path as SQLite makes them, zeros around it, behind the file that it is for; with
 * one parameter of the URI, the value of `parameter` being 1, if that is not null. */
static const char *name_behind(sqlite3_file *file, const char *path, const char *parameter)
{
    if (path == NULL)
        return NULL;
    size_t length = strlen(path);
    size_t more = parameter != NULL ? strlen(parameter) + 1 : 0;
    assert_true(length + more + 2 * IO_NAME_MARGIN <= IO_NAME_BYTES);
    char *room = (char *)file + io_vfs()->szOsFile;
    memset(room, 0, IO_NAME_BYTES);
    memcpy(room + IO_NAME_MARGIN, path, length);
    if (parameter != NULL) {
        memcpy(room + IO_NAME_MARGIN + length + 1, parameter, more);
        room[IO_NAME_MARGIN + length + 1 + more] = '1';
    }
    return room + IO_NAME_MARGIN;
}

static int try_open(const char *path, const char *parameter, int flags, sqlite3_file **out,
                    int *out_flags)
{
    sqlite3_vfs *vfs = io_vfs();
    sqlite3_file *file = malloc((size_t)vfs->szOsFile + IO_NAME_BYTES);
    assert_non_null(file);
    memset(file, 0xa5, (size_t)vfs->szOsFile);
    int rc = vfs->xOpen(vfs, name_behind(file, path, parameter), file, flags, out_flags);
    if (rc != SQLITE_OK) {
        assert_null(file->pMethods); /* else SQLite would call xClose */
        free(file);
        return rc;
    }
    assert_non_null(file->pMethods);
    *out = file;
    return SQLITE_OK;
}

int io_try_open(const char *path, int flags, sqlite3_file **out, int *out_flags)
{
    return try_open(path, NULL, flags, out, out_flags);
}

sqlite3_file *io_open_isolated(const char *path)
{
    sqlite3_file *file = NULL;
    int out_flags = 0;
    assert_int_equal(try_open(path, "memfs_mvcc", MAIN_FLAGS, &file, &out_flags), SQLITE_OK);
    io_begin_writing(file);
    return file;
}

void io_commit_and_close(sqlite3_file *file)
{
    assert_int_equal(io_control(file, SQLITE_FCNTL_COMMIT_PHASETWO, NULL), SQLITE_OK);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    io_close(file);
}

sqlite3_file *io_open(const char *path, int flags)
{
    sqlite3_file *file = NULL;
    int out_flags = 0;
    assert_int_equal(io_try_open(path, flags, &file, &out_flags), SQLITE_OK);
    assert_int_equal(out_flags, flags);
    return file;
}

void io_close(sqlite3_file *file)
{
    size_t size = (size_t)io_vfs()->szOsFile;
    assert_int_equal(file->pMethods->xClose(file), SQLITE_OK);
    memset(file, 0xa5, size); /* for a reader of freed memory to notice */
    free(file);
}

void io_write(sqlite3_file *file, const char *text, sqlite3_int64 offset)
{
    assert_int_equal(file->pMethods->xWrite(file, text, (int)strlen(text), offset), SQLITE_OK);
}

void io_assert_text(sqlite3_file *file, const char *text, sqlite3_int64 offset)
{
    char buffer[256];
    size_t length = strlen(text);
    assert_true(length < sizeof buffer);
    assert_int_equal(file->pMethods->xRead(file, buffer, (int)length, offset), SQLITE_OK);
    buffer[length] = '\0';
    assert_string_equal(buffer, text);
}

sqlite3_int64 io_size(sqlite3_file *file)
{
    sqlite3_int64 size = -1;
    assert_int_equal(file->pMethods->xFileSize(file, &size), SQLITE_OK);
    return size;
}

int io_lock(sqlite3_file *file, int level)
{
    return file->pMethods->xLock(file, level);
}

int io_unlock(sqlite3_file *file, int level)
{
    return file->pMethods->xUnlock(file, level);
}

bool io_is_reserved(sqlite3_file *file)
{
    int is_reserved = -1;
    assert_int_equal(file->pMethods->xCheckReservedLock(file, &is_reserved), SQLITE_OK);
    return is_reserved != 0;
}

int io_control(sqlite3_file *file, int operation, void *argument)
{
    return file->pMethods->xFileControl(file, operation, argument);
}

void io_begin_writing(sqlite3_file *file)
{
    assert_int_equal(io_lock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(file, SQLITE_LOCK_RESERVED), SQLITE_OK);
    assert_int_equal(io_lock(file, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
}

bool io_exists(const char *path)
{
    int answer = -1;
    assert_int_equal(io_vfs()->xAccess(io_vfs(), path, SQLITE_ACCESS_EXISTS, &answer), SQLITE_OK);
    return answer != 0;
}
