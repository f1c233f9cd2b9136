/*
 * What a connection knows about the names around its database: it saves path look-ups, and it is
 * never wrong. The linker puts the counting functions below in place of those of memfs that take a
 * path.
 */
#include "sqlite_fixture.h"

#include <stdbool.h>

static int walks;
static void (*after_unlink)(memfs *fs); /* called once, when a path has been removed */

#define COUNTED(type, name, parameters, arguments) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters \
    { \
        walks++; \
        return __real_##name arguments; \
    }

COUNTED(int, memfs_stat, (memfs * fs, const char *path, memfs_stat_info *info), (fs, path, info))
COUNTED(int, memfs_lstat, (memfs * fs, const char *path, memfs_stat_info *info), (fs, path, info))
COUNTED(int, memfs_exists, (memfs * fs, const char *path), (fs, path))
COUNTED(int, memfs_truncate, (memfs * fs, const char *path, int64_t size), (fs, path, size))
COUNTED(int, memfs_open_with,
        (memfs * fs, const char *path, const memfs_open_options *options, memfs_file **out),
        (fs, path, options, out))

int __real_memfs_unlink(memfs *fs, const char *path);
int __wrap_memfs_unlink(memfs *fs, const char *path);
int __wrap_memfs_unlink(memfs *fs, const char *path)
{
    void (*act)(memfs *) = after_unlink;
    walks++;
    after_unlink = NULL;
    int result = __real_memfs_unlink(fs, path);
    if (act != NULL)
        act(fs);
    return result;
}

static sqlite3 *open_filled(const char *journal_mode)
{
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE t(a); INSERT INTO t VALUES(1)", journal_mode);
    db_run(db, "INSERT INTO t VALUES(2); SELECT * FROM t");
    return db;
}

static int walks_of(sqlite3 *db, const char *sql)
{
    db_run(db, "%s", sql);
    walks = 0;
    db_run(db, "%s", sql);
    return walks;
}

static void a_cached_read_walks_no_path(void **state)
{
    (void)state;
    static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        sqlite3 *db = open_filled(modes[i]);
        assert_int_equal(walks_of(db, "SELECT * FROM t"), 0);
        db_run(db, "PRAGMA journal_mode=DELETE; DROP TABLE t");
        db_close(db);
    }
}

static void a_transaction_walks_only_to_make_and_remove_its_journal(void **state)
{
    (void)state;
    sqlite3 *db = open_filled("DELETE");
    assert_int_equal(walks_of(db, "INSERT INTO t VALUES(3)"), 2);
    db_run(db, "PRAGMA journal_mode=PERSIST");
    assert_int_equal(walks_of(db, "INSERT INTO t VALUES(3)"), 0);
    db_close(db);
}

static void without_a_journal_file_a_transaction_walks_no_path(void **state)
{
    (void)state;
    static const char *const modes[] = {"MEMORY", "OFF", "WAL"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        sqlite3 *db = open_filled(modes[i]);
        assert_int_equal(walks_of(db, "INSERT INTO t VALUES(3)"), 0);
        db_run(db, "PRAGMA journal_mode=DELETE; DROP TABLE t");
        db_close(db);
    }
}

static bool exists(const char *name)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(TEST_VFS);
    int answer = -1;
    assert_int_equal(vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &answer), SQLITE_OK);
    return answer != 0;
}

/* `name` is "/d/db-journal" or "/d/db-wal", by SQLite's own string, and is not there. */
static void assert_that_changes_are_seen(memfs *fs, const char *name)
{
    assert_false(exists(name));
    assert_int_equal(memfs_write_file(fs, name, "x", 1, 0644, 0), 0);
    assert_true(exists(name));
    assert_int_equal(memfs_rename(fs, name, "/away", 0), 0);
    assert_false(exists(name));
    assert_int_equal(memfs_link(fs, "/away", name), 0);
    assert_true(exists(name));
    assert_int_equal(memfs_unlink(fs, name), 0);
    assert_false(exists(name));
    assert_int_equal(memfs_symlink(fs, "/away", name, 0), 0);
    assert_true(exists(name));
    assert_int_equal(memfs_unlink(fs, "/away"), 0);
    assert_false(exists(name));
    assert_int_equal(memfs_write_file(fs, "/away", "x", 1, 0644, 0), 0);
    assert_true(exists(name));
    assert_int_equal(memfs_unlink(fs, "/away"), 0);
    assert_int_equal(memfs_unlink(fs, name), 0);
    assert_false(exists(name));
    assert_int_equal(memfs_mkdir(fs, name, 0755), 0);
    assert_true(exists(name));
    assert_int_equal(memfs_rename(fs, "/d", "/e", 0), 0);
    assert_false(exists(name));
    assert_int_equal(memfs_rename(fs, "/e", "/d", 0), 0);
    assert_true(exists(name));
    assert_int_equal(memfs_rmdir(fs, name), 0);
    assert_false(exists(name));
}

static void a_journal_or_wal_that_others_make_or_remove_is_seen(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(memfs_mkdir(f->fs, "/d", 0755), 0);
    sqlite3 *db = db_open("/d/db");
    const char *path = sqlite3_db_filename(db, "main");
    db_run(db, "CREATE TABLE t(a)");
    assert_that_changes_are_seen(f->fs, sqlite3_filename_journal(path));
    assert_that_changes_are_seen(f->fs, sqlite3_filename_wal(path));
    db_close(db);
}

static void make_wal(memfs *fs)
{
    assert_int_equal(memfs_write_file(fs, "/db-wal", "x", 1, 0644, 0), 0);
}

/* The connection removes its journal, and knows that there is no WAL; another program makes one
 * before the connection notes its own change. */
static void a_change_by_others_during_the_connections_own_is_seen(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_filled("DELETE");
    const char *path = sqlite3_db_filename(db, "main");
    assert_false(exists(sqlite3_filename_wal(path)));
    db_run(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES(3)");
    after_unlink = make_wal;
    db_run(db, "COMMIT");
    assert_null(after_unlink);
    assert_true(exists(sqlite3_filename_wal(path)));
    assert_false(exists(sqlite3_filename_journal(path)));
    assert_int_equal(memfs_unlink(f->fs, "/db-wal"), 0);
    assert_false(exists(sqlite3_filename_wal(path)));
    db_close(db);
}

static int has_moved(sqlite3 *db)
{
    int answer = -1;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_HAS_MOVED, &answer), SQLITE_OK);
    return answer;
}

static void a_database_that_moves_and_comes_back_is_seen(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a)");
    for (int round = 0; round < 3; round++) {
        assert_int_equal(has_moved(db), 0);
        assert_int_equal(memfs_rename(f->fs, "/db", "/elsewhere", 0), 0);
        assert_int_equal(has_moved(db), 1);
        assert_int_equal(memfs_write_file(f->fs, "/db", "x", 1, 0644, 0), 0);
        assert_int_equal(has_moved(db), 1);
        assert_int_equal(memfs_rename(f->fs, "/elsewhere", "/db", 0), 0);
    }
    db_close(db);
}

/* The first connection has learned that there is no journal; the second dies and leaves one. */
static void a_hot_journal_of_another_connection_is_played_back(void **state)
{
    struct fixture *f = *state;
    sqlite3 *reader = open_filled("DELETE");
    sqlite3 *writer = db_open("/db");
    db_run(writer, "PRAGMA cache_size=1; CREATE TABLE big(a); "
                   "WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM c WHERE i<50) "
                   "INSERT INTO big SELECT zeroblob(3000) FROM c");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM big"), 50);
    db_run(writer, "BEGIN; UPDATE big SET a=randomblob(3000)");
    assert_int_equal(memfs_copy(f->fs, "/db", "/torn", 0), 0);
    assert_int_equal(memfs_copy(f->fs, "/db-journal", "/torn-journal", 0), 0);
    db_run(writer, "ROLLBACK");
    db_close(writer);
    db_close(reader);

    assert_int_equal(memfs_rename(f->fs, "/torn-journal", "/hot", 0), 0);
    sqlite3 *db = db_open("/torn");
    assert_int_equal(db_number(db, "PRAGMA page_count") > 50, 1);
    assert_int_equal(memfs_rename(f->fs, "/hot", "/torn-journal", 0), 0);
    assert_int_equal(db_number(db, "SELECT count(*) FROM big WHERE a<>zeroblob(3000)"), 0);
    assert_int_equal(memfs_exists(f->fs, "/torn-journal"), 0);
    db_assert_whole(db);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_cached_read_walks_no_path),
        SQLITE_TEST(a_transaction_walks_only_to_make_and_remove_its_journal),
        SQLITE_TEST(without_a_journal_file_a_transaction_walks_no_path),
        SQLITE_TEST(a_journal_or_wal_that_others_make_or_remove_is_seen),
        SQLITE_TEST(a_change_by_others_during_the_connections_own_is_seen),
        SQLITE_TEST(a_database_that_moves_and_comes_back_is_seen),
        SQLITE_TEST(a_hot_journal_of_another_connection_is_played_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
