/*
 * Snapshot isolation beside other things: connections that are not isolated, WAL mode, hot
 * journals, the page size.
 */
#include "sqlite_fixture.h"

#include <string.h>

#define ISOLATED "file:/db?memfs_mvcc=1"
#define PLAIN "file:/db?memfs_mvcc=0"

static int try_open(const char *uri)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    int rc = sqlite3_open_v2(uri, &db, flags, TEST_VFS);
    db_close(db);
    return rc;
}

static void make(const char *path)
{
    sqlite3 *db = db_open(path);
    db_run(db, "CREATE TABLE t(a, v); INSERT INTO t VALUES(1, zeroblob(9000))");
    db_close(db);
}

static int64_t value(sqlite3 *db)
{
    return db_number(db, "SELECT a FROM t");
}

/* ------------------------------------------------------------------- opening */

static void a_connection_joins_the_others_unless_its_wish_disagrees(void **state)
{
    (void)state;
    make("/db");
    sqlite3 *one = db_open(ISOLATED);
    assert_int_equal(try_open(PLAIN), SQLITE_CANTOPEN);
    sqlite3 *two = db_open("/db");
    sqlite3 *same = db_open("file:/db?mvcc=1");
    db_run(one, "BEGIN");
    assert_int_equal(value(one), 1);
    db_run(two, "UPDATE t SET a=2");
    assert_int_equal(value(one), 1);
    assert_int_equal(value(same), 2);
    db_close(one);
    assert_int_equal(try_open(PLAIN), SQLITE_CANTOPEN);
    db_close(same);
    db_close(two);
    two = db_open(PLAIN);
    assert_int_equal(try_open(ISOLATED), SQLITE_CANTOPEN);
    one = db_open("/db");
    assert_int_equal(value(one), 2);
    db_close(one);
    db_close(two);
    assert_int_equal(try_open(ISOLATED), SQLITE_OK);
}

static void a_malformed_value_is_refused(void **state)
{
    (void)state;
    static const char *const uris[] = {"file:/db?memfs_mvcc=2",
                                       "file:/db?memfs_mvcc=", "file:/db?memfs_mvcc=on",
                                       "file:/db?mvcc=yes", "file:/db?memfs_mvcc"};
    for (size_t index = 0; index < sizeof uris / sizeof *uris; index++)
        assert_int_equal(try_open(uris[index]), SQLITE_CANTOPEN);
}

static void the_journal_is_on_the_heap_unless_another_is_asked_for(void **state)
{
    struct fixture *f = *state;
    make("/db");
    sqlite3 *db = db_open(ISOLATED);
    db_assert_text(db, "PRAGMA journal_mode", "memory");
    db_run(db, "PRAGMA cache_size=1; BEGIN; UPDATE t SET v=randomblob(9000)");
    assert_int_equal(memfs_exists(f->fs, "/db-journal"), 0);
    db_run(db, "COMMIT");
    db_assert_text(db, "PRAGMA journal_mode=DELETE", "delete");
    db_run(db, "BEGIN; UPDATE t SET v=randomblob(9000)");
    assert_int_equal(memfs_exists(f->fs, "/db-journal"), 1);
    db_run(db, "COMMIT");
    db_close(db);
}

static void a_read_only_connection_has_its_version_too(void **state)
{
    (void)state;
    make("/db");
    sqlite3 *writer = db_open(ISOLATED);
    sqlite3 *reader = db_open("file:/db?mode=ro");
    db_run(reader, "BEGIN");
    assert_int_equal(value(reader), 1);
    db_run(writer, "UPDATE t SET a=2, v='small'; VACUUM");
    assert_int_equal(value(reader), 1);
    db_assert_whole(reader);
    assert_int_equal(db_try(reader, "UPDATE t SET a=3") & 0xFF, SQLITE_READONLY);
    db_run(reader, "COMMIT");
    assert_int_equal(value(reader), 2);
    db_close(reader);
    db_close(writer);
}

static sqlite3 *open_helped(struct fixture *f, const char *path, int isolated)
{
    sqlite3 *db;
    memfs_sqlite_open_options options = {.struct_size = sizeof options};
    options.isolated = isolated;
    assert_int_equal(memfs_sqlite_open(f->fs, path, &options, &db), SQLITE_OK);
    return db;
}

static void the_open_helper_opens_isolated_whatever_the_name(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/db", "db", "/a%41?b#c&d=e", "//twice"};
    for (size_t index = 0; index < sizeof paths / sizeof *paths; index++) {
        sqlite3 *one = open_helped(f, paths[index], 1);
        assert_int_equal(memfs_exists(f->fs, paths[index]), 1);
        db_run(one, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
        db_assert_text(one, "PRAGMA journal_mode", "memory");
        sqlite3 *two = open_helped(f, paths[index], 0); /* joins */
        db_assert_text(two, "PRAGMA journal_mode", "memory");
        db_run(one, "BEGIN");
        assert_int_equal(value(one), 1);
        db_run(two, "UPDATE t SET a=2");
        assert_int_equal(value(one), 1);
        db_close(two);
        db_close(one);
        assert_int_equal(memfs_unlink(f->fs, paths[index]), 0);
    }
    sqlite3 *db;
    memfs_sqlite_open_options options = {.struct_size = sizeof options, .isolated = 1};
    assert_int_equal(memfs_sqlite_open(f->fs, "file:/db", &options, &db), SQLITE_MISUSE);
}

/* ------------------------------------------------------------------ WAL mode */

static void a_database_in_wal_mode_is_refused(void **state)
{
    struct fixture *f = *state;
    make("/db");
    sqlite3 *db = db_open("/db");
    db_assert_text(db, "PRAGMA journal_mode=WAL", "wal");
    db_run(db, "UPDATE t SET a=2");
    assert_int_equal(try_open(ISOLATED), SQLITE_CANTOPEN);
    db_close(db);
    assert_int_equal(try_open(ISOLATED), SQLITE_CANTOPEN);
    db = db_open("/db");
    db_assert_text(db, "PRAGMA journal_mode=DELETE", "delete");
    db_close(db);
    assert_int_equal(memfs_write_file(f->fs, "/db-wal", "frames", 6, 0644, 0), 0);
    assert_int_equal(try_open(ISOLATED), SQLITE_CANTOPEN);
    assert_int_equal(memfs_unlink(f->fs, "/db-wal"), 0);
    db = db_open(ISOLATED);
    assert_int_equal(value(db), 2);
    db_close(db);
}

static void asking_for_wal_mode_changes_nothing(void **state)
{
    (void)state;
    make("/db");
    sqlite3 *db = db_open(ISOLATED);
    if (!db_opens_below_a_shim()) /* which offers shared memory itself */
        db_assert_text(db, "PRAGMA journal_mode=WAL", "memory");
    db_run(db, "PRAGMA locking_mode=EXCLUSIVE"); /* SQLite could do without shared memory then */
    assert_int_equal(db_try(db, "PRAGMA journal_mode=WAL"), SQLITE_CANTOPEN);
    db_run(db, "PRAGMA journal_mode=MEMORY; UPDATE t SET a=2");
    db_assert_whole(db);
    db_close(db);
    db = db_open(ISOLATED);
    assert_int_equal(value(db), 2);
    db_close(db);
}

static void a_backup_of_a_database_in_wal_mode_does_not_come_in(void **state)
{
    (void)state;
    make("/db");
    make("/other");
    sqlite3 *db = db_open(ISOLATED);
    sqlite3 *other = db_open("/other");
    db_assert_text(other, "PRAGMA journal_mode=WAL", "wal");
    db_run(other, "UPDATE t SET a=7");
    sqlite3_backup *backup = sqlite3_backup_init(db, "main", other, "main");
    int rc = sqlite3_backup_step(backup, -1);
    (void)sqlite3_backup_finish(backup);
    assert_int_equal(rc, SQLITE_CANTOPEN);
    assert_int_equal(value(db), 1);
    db_assert_whole(db);
    db_close(other);
    db_close(db);
}

/* -------------------------------------------------------------- hot journals */

/* A database whose writer died: half a transaction in the file, and its journal. */
static void make_with_hot_journal(struct fixture *f)
{
    make("/original");
    sqlite3 *db = db_open("/original");
    db_run(db, "PRAGMA cache_size=1; BEGIN; UPDATE t SET a=2, v=randomblob(200000)");
    assert_int_equal(memfs_copy(f->fs, "/original", "/db", 0), 0);
    assert_int_equal(memfs_copy(f->fs, "/original-journal", "/db-journal", 0), 0);
    db_close(db);
    assert_int_equal(memfs_unlink(f->fs, "/original"), 0);
}

static void a_hot_journal_of_before_is_played_back_by_the_first_reader(void **state)
{
    struct fixture *f = *state;
    make_with_hot_journal(f);
    sqlite3 *one = db_open(ISOLATED);
    sqlite3 *two = db_open(ISOLATED);
    assert_int_equal(value(one), 1);
    assert_int_equal(memfs_exists(f->fs, "/db-journal"), 0);
    db_assert_whole(one);
    assert_int_equal(value(two), 1);
    db_run(one, "UPDATE t SET a=3");
    assert_int_equal(value(two), 3);
    db_close(one);
    db_close(two);
}

/* A connection has read what a dead writer left, without its journal, and is idle; the journal
 * comes back, and another connection plays it back. */
static void after_a_playback_idle_connections_read_what_it_left(void **state)
{
    struct fixture *f = *state;
    const char *changed = "SELECT count(*) FROM t WHERE a<>zeroblob(2000)";
    sqlite3 *writer = db_open("/original");
    db_run(writer, "PRAGMA cache_size=2; CREATE TABLE t(i INTEGER PRIMARY KEY, a);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<200)"
                   "INSERT INTO t SELECT i, zeroblob(2000) FROM n;"
                   "BEGIN; UPDATE t SET a=randomblob(2000)");
    assert_int_equal(memfs_copy(f->fs, "/original", "/db", 0), 0);
    assert_int_equal(memfs_copy(f->fs, "/original-journal", "/hidden", 0), 0);
    db_close(writer);
    sqlite3 *idle = db_open(ISOLATED);
    assert_true(db_number(idle, changed) > 0);
    assert_int_equal(memfs_rename(f->fs, "/hidden", "/db-journal", 0), 0);
    sqlite3 *other = db_open(ISOLATED);
    assert_int_equal(db_number(other, changed), 0);
    assert_int_equal(db_number(idle, changed), 0);
    db_assert_whole(idle);
    db_close(other);
    db_close(idle);
}

/*
 * Afterwards the pager keeps the journal's file open and writes to it, although its mode is
 * MEMORY, which works; but SQLite's debugging builds assert that it would not.
 */
static void a_hot_journal_is_played_back_by_one_that_keeps_its_lock_too(void **state)
{
    struct fixture *f = *state;
    if (sqlite3_compileoption_used("DEBUG"))
        skip();
    make_with_hot_journal(f);
    sqlite3 *db = db_open(ISOLATED);
    db_run(db, "PRAGMA locking_mode=EXCLUSIVE");
    assert_int_equal(value(db), 1);
    db_run(db, "UPDATE t SET a=3; BEGIN; UPDATE t SET a=4; ROLLBACK");
    db_close(db);
    db = db_open(ISOLATED);
    assert_int_equal(value(db), 3);
    db_assert_whole(db);
    db_close(db);
}

static void recovery_works_at_a_full_quota(void **state)
{
    struct fixture *f = *state;
    make_with_hot_journal(f);
    quota_leave(f, 0);
    sqlite3 *db = db_open(ISOLATED);
    assert_int_equal(value(db), 1);
    db_assert_whole(db);
    db_close(db);
    quota_lift(f);
}

/* A cache spill that is refused leaves SQLite's journal behind, hot. */
static void the_journal_of_a_transaction_that_failed_is_not_played_back_later(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST"};
    for (size_t mode = 0; mode < 3; mode++) {
        make("/db");
        sqlite3 *db = db_open(ISOLATED);
        sqlite3 *reader = db_open(ISOLATED);
        db_run(db, "PRAGMA journal_mode=%s; PRAGMA cache_size=1", modes[mode]);
        db_run(reader, "BEGIN");
        assert_int_equal(value(reader), 1);
        quota_leave(f, 300000);
        assert_int_equal(db_try(db, "BEGIN; UPDATE t SET a=2; UPDATE t SET v=zeroblob(900000)"),
                         SQLITE_FULL);
        if (!sqlite3_get_autocommit(db))
            db_run(db, "ROLLBACK");
        quota_lift(f);
        assert_int_equal(value(db), 1);
        db_run(db, "PRAGMA journal_mode=MEMORY; UPDATE t SET a=3");
        assert_int_equal(value(reader), 1);
        db_close(reader);
        db_close(db);
        db = db_open("/db");
        assert_int_equal(value(db), 3);
        db_assert_whole(db);
        db_close(db);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

/* The first page that is spilled is refused: nothing of the database was changed, but its
 * journal is hot, and playing it back would undo a part of a later commit. */
static void a_journal_is_quenched_whose_transaction_changed_nothing(void **state)
{
    struct fixture *f = *state;
    const char *rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<60) "
                       "INSERT INTO t SELECT i, randomblob(3000) FROM n";
    unsigned refused = 0;
    for (uint64_t pages = 0; pages < 16; pages++) {
        sqlite3 *failing = db_open(ISOLATED);
        db_run(failing, "CREATE TABLE t(i INTEGER PRIMARY KEY, v)");
        db_run(failing, rows);
        sqlite3 *other = db_open(ISOLATED);
        db_run(failing, "PRAGMA journal_mode=DELETE; PRAGMA cache_size=5");
        quota_leave(f, pages * 4096);
        refused += db_try(failing, "BEGIN; UPDATE t SET v=v||'a'") == SQLITE_FULL;
        if (!sqlite3_get_autocommit(failing))
            db_run(failing, "ROLLBACK");
        quota_lift(f);
        db_run(other, "UPDATE t SET v='new'");
        db_close(failing);
        db_close(other);
        other = db_open("/db");
        assert_int_equal(db_number(other, "SELECT count(*) FROM t WHERE v='new'"), 60);
        db_assert_whole(other);
        db_close(other);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
    assert_true(refused > 8);
}

/* The writer may create and delete its journal between any two questions of a reader. */
static void a_reader_never_sees_the_journal_of_a_live_writer(void **state)
{
    struct fixture *f = *state;
    make("/db");
    sqlite3 *writer = db_open(ISOLATED);
    sqlite3 *reader = db_open(ISOLATED);
    sqlite3_vfs *vfs = sqlite3_vfs_find(TEST_VFS);
    const char *name = sqlite3_filename_journal(sqlite3_db_filename(reader, "main"));
    sqlite3_file *file;
    int answer;
    db_run(writer, "PRAGMA journal_mode=PERSIST; UPDATE t SET a=2");
    db_run(reader, "BEGIN");
    assert_int_equal(value(reader), 2);
    db_run(writer, "PRAGMA cache_size=1; BEGIN; UPDATE t SET a=3, v=randomblob(9000)");
    assert_int_equal(memfs_exists(f->fs, "/db-journal"), 1);
    assert_int_equal(vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &answer), SQLITE_OK);
    assert_int_equal(answer, 0);
    assert_int_equal(sqlite3_file_control(writer, "main", SQLITE_FCNTL_FILE_POINTER, &file),
                     SQLITE_OK);
    /* SQLite closes its journal with the transaction, so that it does not look into it either. */
    assert_int_equal(
        file->pMethods->xDeviceCharacteristics(file) & SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN, 0);
    db_run(writer, "COMMIT");
    db_close(reader);
    db_close(writer);
}

/* ------------------------------------------------------------------ page size */

static void vacuum_keeps_the_page_size(void **state)
{
    (void)state;
    make("/db");
    sqlite3 *db = db_open(ISOLATED);
    db_run(db, "PRAGMA page_size=1024; VACUUM");
    assert_int_equal(db_number(db, "PRAGMA page_size"), 4096);
    db_assert_whole(db);
    db_close(db);
    db = db_open("file:/new?memfs_mvcc=1");
    db_run(db, "PRAGMA page_size=1024; CREATE TABLE t(a)");
    assert_int_equal(db_number(db, "PRAGMA page_size"), 1024);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_connection_joins_the_others_unless_its_wish_disagrees),
        SQLITE_TEST(a_malformed_value_is_refused),
        SQLITE_TEST(the_journal_is_on_the_heap_unless_another_is_asked_for),
        SQLITE_TEST(the_open_helper_opens_isolated_whatever_the_name),
        SQLITE_TEST(a_read_only_connection_has_its_version_too),
        SQLITE_TEST(a_database_in_wal_mode_is_refused),
        SQLITE_TEST(asking_for_wal_mode_changes_nothing),
        SQLITE_TEST(a_backup_of_a_database_in_wal_mode_does_not_come_in),
        SQLITE_TEST(a_hot_journal_of_before_is_played_back_by_the_first_reader),
        SQLITE_TEST(a_hot_journal_is_played_back_by_one_that_keeps_its_lock_too),
        SQLITE_TEST(after_a_playback_idle_connections_read_what_it_left),
        SQLITE_TEST(recovery_works_at_a_full_quota),
        SQLITE_TEST(the_journal_of_a_transaction_that_failed_is_not_played_back_later),
        SQLITE_TEST(a_journal_is_quenched_whose_transaction_changed_nothing),
        SQLITE_TEST(a_reader_never_sees_the_journal_of_a_live_writer),
        SQLITE_TEST(vacuum_keeps_the_page_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
