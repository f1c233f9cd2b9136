/* Files opened through sqlite3_vfs itself, as the pager does it, without SQL. */
#ifndef MEMFS_TESTS_IO_FIXTURE_H
#define MEMFS_TESTS_IO_FIXTURE_H

#include "sqlite_fixture.h"

#include <stdbool.h>

#define MAIN_FLAGS (SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB)
#define JOURNAL_FLAGS (SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL)
#define TEMP_FLAGS \
    (SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE | \
     SQLITE_OPEN_DELETEONCLOSE | SQLITE_OPEN_TEMP_DB)

sqlite3_vfs *io_vfs(void);

/* Tries to open; the file is given back by io_close() or, if the open failed, here. */
int io_try_open(const char *path, int flags, sqlite3_file **out, int *out_flags);

/* Opens or fails the test. */
sqlite3_file *io_open(const char *path, int flags);

/*
 * Opens a database that is isolated, and begins a transaction that writes: what is read and
 * written is the connection's view, not the file.  It is committed, and the file closed, by
 * io_commit_and_close().
 */
sqlite3_file *io_open_isolated(const char *path);
void io_commit_and_close(sqlite3_file *file);
void io_close(sqlite3_file *file);

/* Whole strings at an offset; fail the test when refused. */
void io_write(sqlite3_file *file, const char *text, sqlite3_int64 offset);
void io_assert_text(sqlite3_file *file, const char *text, sqlite3_int64 offset);
sqlite3_int64 io_size(sqlite3_file *file);

int io_lock(sqlite3_file *file, int level);
int io_unlock(sqlite3_file *file, int level);
bool io_is_reserved(sqlite3_file *file);
int io_control(sqlite3_file *file, int operation, void *argument);

/* Up to EXCLUSIVE as a writer goes: SHARED, RESERVED, EXCLUSIVE. */
void io_begin_writing(sqlite3_file *file);

bool io_exists(const char *path);

#endif
