/*
 * Refusals that the sweep does not cover: while a database is being made, by the node limit, of one
 * statement in a transaction, and of the super-journal over two databases.
 */
#include "sqlite_fixture.h"

enum { RUNS_MAX = 5000 };

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"};
enum { JOURNAL_MODES = 5 };

static uint32_t page_bytes(struct fixture *f)
{
    return statfs_of(f->fs).page_size;
}

/* The first transaction of a database, which makes the file itself. */
static void at_every_quota_a_new_database_is_made_or_not(void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        int refusals = 0;
        int rc = SQLITE_FULL;
        for (int pages = 0; rc != SQLITE_OK; pages++) {
            assert_true(pages < RUNS_MAX);
            sqlite3 *db = db_open("/new.db");
            db_run(db, "PRAGMA page_size=1024; PRAGMA cache_size=5; PRAGMA journal_mode=%s",
                   journal_modes[mode]);
            quota_leave(f, (uint64_t)pages * page_bytes(f));
            rc = db_try(db, "BEGIN; CREATE TABLE t(v); INSERT INTO t VALUES(zeroblob(50000)); "
                            "CREATE INDEX ti ON t(v); COMMIT");
            if (!sqlite3_get_autocommit(db))
                db_run(db, "ROLLBACK");
            assert_true(rc == SQLITE_OK || rc == SQLITE_FULL);
            assert_int_equal(db_number(db, "SELECT count(*) FROM sqlite_master"),
                             rc == SQLITE_OK ? 2 : 0);
            db_assert_whole(db);
            quota_lift(f);
            refusals += rc != SQLITE_OK;
            db_close(db);
        }
        assert_true(refusals > 5);
        assert_int_equal(memfs_unlink(f->fs, "/new.db"), 0);
        (void)memfs_unlink(f->fs, "/new.db-journal");
    }
}

static void the_node_limit_says_full_too(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(memfs_set_node_limit(f->fs, info.files + info.directories), 0);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(2)"), SQLITE_FULL);
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(memfs_set_node_limit(f->fs, 0), 0);
    db_run(db, "INSERT INTO t VALUES(2)");
    db_assert_whole(db);
    db_close(db);
}

static void a_statement_that_is_refused_fails_alone_and_passes_once_the_quota_is_raised(
    void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < 3; mode++) { /* those with a journal in the tree */
        sqlite3 *db = db_open("/db");
        db_run(db, "PRAGMA journal_mode=%s", journal_modes[mode]);
        db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE u(v)");
        db_run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500) "
                   "INSERT INTO t SELECT i, zeroblob(3000) FROM n");
        db_run(db, "BEGIN; INSERT INTO u VALUES('first')");
        quota_leave(f, 100000);
        /* Every page of t goes to the journal, which grows beyond the quota. */
        assert_int_equal(db_try(db, "UPDATE t SET v=zeroblob(2999)"), SQLITE_FULL);
        assert_int_equal(sqlite3_get_autocommit(db), 0);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE length(v)=3000"), 500);
        quota_lift(f);
        db_run(db, "UPDATE t SET v=zeroblob(2999); COMMIT");
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE length(v)=2999"), 500);
        assert_int_equal(db_number(db, "SELECT count(*) FROM u"), 1);
        db_assert_whole(db);
        db_close(db);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static int64_t file_count(struct fixture *f)
{
    return (int64_t)statfs_of(f->fs).files;
}

static void make_two(sqlite3 *db)
{
    db_run(db, "ATTACH '/two.db' AS two; CREATE TABLE main.t(v); CREATE TABLE two.t(v)");
}

static void a_refused_commit_over_two_databases_leaves_no_file(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/one.db");
    make_two(db);
    int refusals = 0;
    for (uint64_t room = 0; room < 20000; room += 64) {
        quota_leave(f, room);
        int rc = db_try(db, "BEGIN; INSERT INTO main.t VALUES(1); INSERT INTO two.t VALUES(1);"
                            "COMMIT");
        refusals += rc != SQLITE_OK;
        if (!sqlite3_get_autocommit(db))
            db_run(db, "ROLLBACK");
        quota_lift(f);
        assert_int_equal(file_count(f), 2);
    }
    assert_true(refusals > 0);
    db_close(db);
}

/* SQLite makes and deletes a super-journal, but no journal names it. */
static void a_commit_over_two_databases_that_changes_nothing_succeeds(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/one.db");
    make_two(db);
    db_run(db, "BEGIN IMMEDIATE; COMMIT");
    db_run(db, "BEGIN IMMEDIATE; UPDATE main.t SET v=1 WHERE v=2; COMMIT");
    db_run(db, "BEGIN; INSERT INTO main.t VALUES(1); INSERT INTO two.t VALUES(1); COMMIT");
    db_assert_whole(db);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(at_every_quota_a_new_database_is_made_or_not),
        cmocka_unit_test_setup_teardown(at_every_quota_a_new_database_is_made_or_not,
                                        sqlite_setup_with_512_byte_pages, sqlite_teardown),
        SQLITE_TEST(the_node_limit_says_full_too),
        SQLITE_TEST(a_statement_that_is_refused_fails_alone_and_passes_once_the_quota_is_raised),
        SQLITE_TEST(a_refused_commit_over_two_databases_leaves_no_file),
        SQLITE_TEST(a_commit_over_two_databases_that_changes_nothing_succeeds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
