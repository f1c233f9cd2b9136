/* SQL on a memfs: journal modes, connections, temporary files, super-journals, VACUUM. */
#include "sqlite_fixture.h"

#include <string.h>

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"};
enum { JOURNAL_MODES = 5 };

static void set_mode(sqlite3 *db, const char *mode)
{
    char sql[64];
    sqlite3_snprintf(sizeof sql, sql, "PRAGMA journal_mode=%s", mode);
    char *answer = db_text(db, sql);
    assert_int_equal(sqlite3_stricmp(answer, mode), 0);
    sqlite3_free(answer);
}

/* COMMIT must reach the undo whatever is synced and whether or not locks are dropped. */
static void keep_and_roll_back(const char *mode, const char *locking, const char *synchronous)
{
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA locking_mode=%s; PRAGMA synchronous=%s", locking, synchronous);
    set_mode(db, mode);
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    db_run(db, "BEGIN; INSERT INTO t VALUES(2); COMMIT");
    db_run(db, "BEGIN; INSERT INTO t VALUES(4); ROLLBACK");
    assert_int_equal(db_number(db, "SELECT sum(a) FROM t"), 3);
    db_close(db);
    db = db_open("/db");
    assert_int_equal(db_number(db, "SELECT sum(a) FROM t"), 3);
    db_assert_whole(db);
    db_close(db);
}

static void a_transaction_is_kept_or_rolled_back_in_every_journal_mode(void **state)
{
    struct fixture *f = *state;
    for (int index = 0; index < JOURNAL_MODES * 4; index++) {
        keep_and_roll_back(journal_modes[index / 4], index & 1 ? "EXCLUSIVE" : "NORMAL",
                           index & 2 ? "OFF" : "FULL");
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

/* Rolls back after the cache has spilled to the database, in both locking modes. */
static void a_rollback_after_a_spill_restores_everything(void **state)
{
    (void)state;
    const char *locking[] = {"NORMAL", "EXCLUSIVE"};
    for (int mode = 0; mode < 2 * JOURNAL_MODES; mode++) {
        char path[32];
        sqlite3_snprintf(sizeof path, path, "/%d.db", mode);
        sqlite3 *db = db_open(path);
        db_run(db, "PRAGMA cache_size=5; PRAGMA page_size=1024");
        db_run(db, "PRAGMA locking_mode=%s", locking[mode % 2]);
        set_mode(db, journal_modes[mode / 2]);
        db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
        db_run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<100) "
                   "INSERT INTO t SELECT i, zeroblob(500) FROM n");
        for (int round = 0; round < 2; round++) {
            db_run(db, "BEGIN; UPDATE t SET v=randomblob(700); "
                       "INSERT INTO t SELECT id+1000, v FROM t");
            db_run(db, "ROLLBACK");
            assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v=zeroblob(500)"), 100);
            assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 100);
            db_assert_whole(db);
            db_run(db, "UPDATE t SET v=v");
        }
        db_close(db);
        db = db_open(path);
        db_assert_whole(db);
        assert_int_equal(db_number(db, "SELECT sum(length(v)) FROM t"), 50000);
        db_close(db);
    }
}

static void closing_in_the_middle_of_a_transaction_undoes_it(void **state)
{
    (void)state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        char path[32];
        sqlite3_snprintf(sizeof path, path, "/%d.db", mode);
        sqlite3 *db = db_open(path);
        set_mode(db, journal_modes[mode]);
        db_run(db, "PRAGMA cache_size=5; CREATE TABLE t(v); INSERT INTO t VALUES('kept')");
        db_run(db, "BEGIN; INSERT INTO t VALUES(zeroblob(100000)); DELETE FROM t");
        db_close(db);
        db = db_open(path);
        db_assert_whole(db);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v='kept'"), 1);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 1);
        db_close(db);
    }
}

static void connections_to_one_name_see_one_database(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(memfs_mkdir(f->fs, "/d", 0755), 0);
    sqlite3 *writer = db_open("/d/../app.db");
    sqlite3 *reader = db_open("file:app.db?mode=ro");
    db_run(writer, "CREATE TABLE t(a); INSERT INTO t VALUES(7)");
    assert_int_equal(db_number(reader, "SELECT a FROM t"), 7);
    db_run(writer, "BEGIN IMMEDIATE; UPDATE t SET a=8");
    assert_int_equal(db_number(reader, "SELECT a FROM t"), 7);
    assert_int_equal(db_try(reader, "UPDATE t SET a=9"), SQLITE_READONLY);
    db_run(writer, "COMMIT");
    assert_int_equal(db_number(reader, "SELECT a FROM t"), 8);
    db_close(writer);
    db_close(reader);
    sqlite3 *later = db_open("/app.db");
    assert_int_equal(db_number(later, "SELECT a FROM t"), 8);
    db_close(later);
}

static void a_second_writer_is_busy_and_a_commit_waits_for_readers(void **state)
{
    (void)state;
    sqlite3 *one = db_open("/db");
    sqlite3 *two = db_open("/db");
    db_run(one, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    db_run(one, "BEGIN IMMEDIATE; INSERT INTO t VALUES(2)");
    assert_int_equal(db_try(two, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    db_run(two, "BEGIN");
    assert_int_equal(db_number(two, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_try(one, "COMMIT"), SQLITE_BUSY);
    sqlite3 *late = db_open("/db");
    assert_int_equal(db_try(late, "SELECT * FROM t"), SQLITE_BUSY);
    db_run(two, "COMMIT");
    db_run(one, "COMMIT");
    assert_int_equal(db_number(late, "SELECT count(*) FROM t"), 2);
    db_close(one);
    db_close(two);
    db_close(late);
}

/* The bytes of a file in the tree, as a new file: what a crash would leave. */
static void copy(struct fixture *f, const char *from, const char *to)
{
    assert_int_equal(memfs_copy(f->fs, from, to, 0), 0);
}

static void a_hot_journal_is_played_back_by_the_next_connection(void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        sqlite3 *db = db_open("/db");
        db_run(db, "PRAGMA cache_size=5; CREATE TABLE t(v); INSERT INTO t VALUES('kept')");
        db_run(db, "BEGIN; INSERT INTO t VALUES(randomblob(100000)); DELETE FROM t");
        copy(f, "/db", "/crashed");
        copy(f, "/db-journal", "/crashed-journal");
        db_run(db, "ROLLBACK");
        db_close(db);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);

        db = db_open("/crashed");
        if (strcmp(journal_modes[mode], "OFF") != 0) /* which ignores hot journals */
            set_mode(db, journal_modes[mode]);
        sqlite3 *other = db_open("/crashed");
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v='kept'"), 1);
        db_assert_whole(other);
        assert_int_equal(db_number(other, "SELECT count(*) FROM t"), 1);
        db_close(other);
        db_close(db);
        assert_int_equal(memfs_unlink(f->fs, "/crashed"), 0);
        (void)memfs_unlink(f->fs, "/crashed-journal");
    }
}

static void with_exclusive_locking_a_hot_journal_is_played_back_and_memory_is_undone(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA cache_size=5; CREATE TABLE t(v); INSERT INTO t VALUES('kept')");
    db_run(db, "BEGIN; INSERT INTO t VALUES(randomblob(100000)); DELETE FROM t");
    copy(f, "/db", "/crashed");
    copy(f, "/db-journal", "/crashed-journal");
    db_run(db, "ROLLBACK");
    db_close(db);

    db = db_open("/crashed");
    db_run(db, "PRAGMA cache_size=5; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY");
    assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v='kept'"), 1);
    db_run(db, "PRAGMA journal_mode=OFF");
    quota_leave(f, 65536);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(randomblob(1000000))"), SQLITE_FULL);
    assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v='kept'"), 1);
    db_assert_whole(db);
    quota_lift(f);
    db_run(db, "INSERT INTO t VALUES('more')");
    db_close(db);
    db = db_open("/crashed");
    db_assert_whole(db);
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 2);
    db_close(db);
}

static void a_kept_journal_is_not_pulled_away_by_another_mode(void **state)
{
    struct fixture *f = *state;
    const char *keeping[] = {"PERSIST", "TRUNCATE"};
    for (int mode = 0; mode < 2; mode++) {
        sqlite3 *keeper = db_open("/db");
        sqlite3 *deleter = db_open("/db");
        set_mode(keeper, keeping[mode]);
        db_run(keeper, "PRAGMA cache_size=5; CREATE TABLE t(v); INSERT INTO t VALUES('kept')");
        db_run(deleter, "INSERT INTO t VALUES('kept')"); /* deletes the journal of the name */
        db_run(keeper, "BEGIN; INSERT INTO t VALUES(randomblob(100000)); DELETE FROM t");
        copy(f, "/db", "/crashed");
        copy(f, "/db-journal", "/crashed-journal");
        db_run(keeper, "ROLLBACK");
        sqlite3 *db = db_open("/crashed");
        db_assert_whole(db);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v='kept'"), 2);
        db_close(db);
        db_close(keeper);
        db_close(deleter);
        assert_int_equal(memfs_unlink(f->fs, "/crashed"), 0);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static uint64_t peak_of_orphans;

static int watch_orphans(void *context)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    if (memfs_statfs(context, &info) == 0 && info.orphan_bytes > peak_of_orphans)
        peak_of_orphans = info.orphan_bytes;
    return 0;
}

static void temporary_files_are_in_the_tree_and_count(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA temp_store=FILE; PRAGMA cache_size=5");
    db_run(db, "CREATE TABLE t(v)");
    db_run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) "
               "INSERT INTO t SELECT randomblob(400) FROM n");
    peak_of_orphans = 0;
    sqlite3_progress_handler(db, 100, watch_orphans, f->fs);
    db_run(db, "CREATE TEMP TABLE u AS SELECT v FROM t ORDER BY v; CREATE INDEX temp.ui ON u(v)");
    assert_int_equal(db_number(db, "SELECT count(*) FROM (SELECT DISTINCT v FROM u)"), 2000);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    assert_true(peak_of_orphans > 500000);
    quota_leave(f, 65536);
    int rc = db_try(db, "CREATE TEMP TABLE w AS SELECT a.v FROM t a, t b");
    assert_int_equal(rc, SQLITE_FULL);
    quota_lift(f);
    assert_int_equal(db_number(db, "SELECT count(*) FROM temp.sqlite_master"), 2);
    db_assert_whole(db);
    db_close(db);
}

static void a_statement_journal_spills_into_the_tree(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA cache_size=5; CREATE TABLE t(id INTEGER PRIMARY KEY, v UNIQUE)");
    db_run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) "
               "INSERT INTO t SELECT i, printf('%%0200d', i) FROM n");
    db_run(db, "BEGIN; INSERT INTO t VALUES(0, 'first')");
    /* Fails at the last row, which gets the value of row 1, after every page was changed. */
    int rc = db_try(db, "UPDATE t SET v = CASE id WHEN 2000 THEN printf('%0200d', 1) ELSE v END"
                        "||'x'");
    assert_int_equal(rc, SQLITE_CONSTRAINT_UNIQUE);
    assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v LIKE '%x'"), 0);
    db_run(db, "SAVEPOINT s; UPDATE t SET v=v||'y'; ROLLBACK TO s; COMMIT");
    assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE length(v)=200"), 2000);
    db_assert_whole(db);
    db_close(db);
}

static void a_transaction_over_two_databases_leaves_no_super_journal(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/one.db");
    db_run(db, "ATTACH '/two.db' AS two; CREATE TABLE t(a); CREATE TABLE two.t(a)");
    db_run(db, "BEGIN; INSERT INTO main.t VALUES(1); INSERT INTO two.t VALUES(1); COMMIT");
    db_run(db, "BEGIN; INSERT INTO main.t VALUES(2); INSERT INTO two.t VALUES(2); ROLLBACK");
    assert_int_equal(db_number(db, "SELECT sum(x.a)+sum(y.a) FROM main.t x, two.t y"), 2);
    memfs_list list = {.struct_size = sizeof list};
    assert_int_equal(memfs_list_dir(f->fs, "/", &list), 0);
    assert_int_equal(list.count, 2);
    memfs_list_free(f->fs, &list);
    db_close(db);
}

static void vacuum_works_in_every_mode_and_shrinks(void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        sqlite3 *db = db_open("/db");
        set_mode(db, journal_modes[mode]);
        db_run(db, "CREATE TABLE t(v); INSERT INTO t VALUES(zeroblob(300000)),('kept')");
        db_run(db, "DELETE FROM t WHERE v<>'kept'");
        db_run(db, "PRAGMA page_size=%d; VACUUM", mode % 2 ? 512 : 16384);
        assert_true(db_number(db, "PRAGMA page_count") < 6);
        db_assert_whole(db);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v='kept'"), 1);
        db_run(db, "VACUUM INTO '/copy.db'");
        sqlite3 *copied = db_open("/copy.db");
        db_assert_whole(copied);
        assert_int_equal(db_number(copied, "SELECT count(*) FROM t WHERE v='kept'"), 1);
        db_close(copied);
        db_close(db);
        assert_int_equal(memfs_unlink(f->fs, "/copy.db"), 0);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static void backup_and_incremental_vacuum_work(void **state)
{
    (void)state;
    sqlite3 *from = db_open("/from.db");
    db_run(from, "PRAGMA page_size=1024; PRAGMA auto_vacuum=2; CREATE TABLE t(v)");
    db_run(from, "INSERT INTO t VALUES(zeroblob(200000)),('kept')");
    sqlite3 *to = db_open("/to.db");
    db_run(to, "PRAGMA journal_mode=OFF; CREATE TABLE old(v); INSERT INTO old VALUES(1)");
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    db_assert_whole(to);
    db_run(to, "DELETE FROM t WHERE v<>'kept'; PRAGMA incremental_vacuum");
    assert_true(db_number(to, "PRAGMA page_count") < 10);
    db_assert_whole(to);
    assert_int_equal(db_number(to, "SELECT count(*) FROM t WHERE v='kept'"), 1);
    db_close(from);
    db_close(to);
}

static void a_database_that_was_removed_is_not_written(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
    assert_int_equal(db_number(db, "SELECT a FROM t"), 1);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(2)"), SQLITE_READONLY_DBMOVED);
    db_close(db);
}

static void a_file_and_a_database_are_the_same_thing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(42)");
    db_close(db);
    void *data;
    size_t size;
    assert_int_equal(memfs_read_file(f->fs, "/db", 1 << 20, &data, &size), 0);
    assert_memory_equal(data, "SQLite format 3", 16);
    assert_int_equal(memfs_write_file(f->fs, "/imported", data, size, 0644, 0), 0);
    memfs_free(f->fs, data);
    assert_int_equal(memfs_chmod(f->fs, "/imported", 0444), 0);
    db = db_open("/imported");
    assert_int_equal(db_number(db, "SELECT a FROM t"), 42);
    assert_int_equal(db_try(db, "DELETE FROM t"), SQLITE_READONLY);
    db_close(db);
}

static void wal_works_under_exclusive_locking_too(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA locking_mode=EXCLUSIVE; CREATE TABLE t(a)");
    db_assert_text(db, "PRAGMA journal_mode=WAL", "wal");
    db_run(db, "INSERT INTO t VALUES(1); PRAGMA wal_checkpoint; INSERT INTO t VALUES(2)");
    set_mode(db, "MEMORY");
    db_run(db, "INSERT INTO t VALUES(3)");
    db_close(db);
    db = db_open("/db");
    assert_int_equal(db_number(db, "SELECT sum(a) FROM t"), 6);
    db_assert_whole(db);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_transaction_is_kept_or_rolled_back_in_every_journal_mode),
        SQLITE_TEST(a_rollback_after_a_spill_restores_everything),
        SQLITE_TEST(closing_in_the_middle_of_a_transaction_undoes_it),
        SQLITE_TEST(connections_to_one_name_see_one_database),
        SQLITE_TEST(a_second_writer_is_busy_and_a_commit_waits_for_readers),
        SQLITE_TEST(a_hot_journal_is_played_back_by_the_next_connection),
        SQLITE_TEST(with_exclusive_locking_a_hot_journal_is_played_back_and_memory_is_undone),
        SQLITE_TEST(a_kept_journal_is_not_pulled_away_by_another_mode),
        SQLITE_TEST(temporary_files_are_in_the_tree_and_count),
        SQLITE_TEST(a_statement_journal_spills_into_the_tree),
        SQLITE_TEST(a_transaction_over_two_databases_leaves_no_super_journal),
        SQLITE_TEST(vacuum_works_in_every_mode_and_shrinks),
        SQLITE_TEST(backup_and_incremental_vacuum_work),
        SQLITE_TEST(a_database_that_was_removed_is_not_written),
        SQLITE_TEST(a_file_and_a_database_are_the_same_thing),
        SQLITE_TEST(wal_works_under_exclusive_locking_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
