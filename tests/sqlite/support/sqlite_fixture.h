/*
 * A file system that is registered with SQLite as "test", without an emergency reserve, and short
 * ways to run SQL.
 *
 * Unless it says otherwise, a helper fails the test when SQLite refuses.
 */
#ifndef MEMFS_TESTS_SQLITE_FIXTURE_H
#define MEMFS_TESTS_SQLITE_FIXTURE_H

#include "checks.h"

#include <memfs/sqlite.h>
#include <sqlite3.h>

#include <stdbool.h>

#define TEST_VFS "test"

/* cmocka setup and teardown; *state is a `struct fixture *`.  The quota is 64 MiB. */
int sqlite_setup(void **state);
int sqlite_setup_with_512_byte_pages(void **state);
int sqlite_setup_with_65536_byte_pages(void **state);
int sqlite_teardown(void **state);

/* A test on the usual one. */
#define SQLITE_TEST(name) cmocka_unit_test_setup_teardown(name, sqlite_setup, sqlite_teardown)

/* Opens or creates a database through "test", or through the shim over it (shim.h). */
sqlite3 *db_open(const char *path);
bool db_opens_below_a_shim(void);
void db_close(sqlite3 *db);

/* Runs statements; fails the test unless all of them succeed. */
void db_run(sqlite3 *db, const char *format, ...);

/* Runs statements and returns the extended result code of the first that fails, or SQLITE_OK. */
int db_try(sqlite3 *db, const char *sql);

/* The first column of the first row. */
int64_t db_number(sqlite3 *db, const char *sql);
char *db_text(sqlite3 *db, const char *sql); /* sqlite3_free() */

/* That is this. */
void db_assert_text(sqlite3 *db, const char *sql, const char *expected);

/* PRAGMA integrity_check says ok. */
void db_assert_whole(sqlite3 *db);

/* What statfs says. */
uint64_t pages_used(memfs *fs);

/* Changes the quota to what is committed now and `more` bytes. */
void quota_leave(struct fixture *f, uint64_t more);

/* Back to 64 MiB. */
void quota_lift(struct fixture *f);

#endif
