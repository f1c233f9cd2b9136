/* The PRAGMAs of our own. */
#include "sqlite_fixture.h"

#include <string.h>

/* The statement fails with this code, and a message that has these words. */
static void refused(sqlite3 *db, const char *sql, int code, const char *words)
{
    int rc = db_try(db, sql);
    if (rc != code || strstr(sqlite3_errmsg(db), words) == NULL)
        fail_msg("%s: %s (%d), not %s (%d)", sql, sqlite3_errmsg(db), rc, words, code);
}

static void the_figures_are_those_of_statfs(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(100000))");
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(db_number(db, "PRAGMA memfs_quota"), info.quota_bytes);
    assert_int_equal(db_number(db, "PRAGMA memfs_used"), info.used_bytes);
    assert_int_equal(db_number(db, "PRAGMA memfs_committed"), info.committed_bytes);
    assert_int_equal(db_number(db, "PRAGMA memfs_available"), info.available_bytes);
    assert_int_equal(db_number(db, "PRAGMA memfs_pages"), info.pages_used);
    assert_int_equal(db_number(db, "PRAGMA memfs_nodes"), 2);
    assert_int_equal(db_number(db, "PRAGMA memfs_node_limit"), 0);
    assert_int_equal(db_number(db, "PRAGMA memfs_preallocated"), 0);
    assert_int_equal(db_number(db, "PRAGMA Memfs_PEAK"), statfs_of(f->fs).peak_bytes);
    db_assert_text(db, "PRAGMA memfs_version", memfs_version());
    db_close(db);
}

static void the_wal_shows_what_it_reserves(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(9000))");
    assert_true(db_number(db, "PRAGMA memfs_preallocated") > 0);
    db_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(db_number(db, "PRAGMA memfs_preallocated"), 0);
    db_close(db);
}

static void usage_by_class_is_json_that_adds_up(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a)");
    char *usage = db_text(db, "PRAGMA memfs_used_by_class");
    char *sql = sqlite3_mprintf("SELECT sum(value) FROM json_each(%Q)", usage);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(db_number(db, sql), info.used_bytes);
    sqlite3_free(sql);
    sql = sqlite3_mprintf("SELECT json_extract(%Q, '$.data')", usage);
    assert_int_equal(db_number(db, sql), info.class_bytes[MEMFS_CLASS_DATA]);
    sqlite3_free(sql);
    sqlite3_free(usage);
    db_close(db);
}

static void the_quota_can_be_set_and_a_refused_statement_tried_again(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a)");
    assert_int_equal(db_number(db, "PRAGMA memfs_quota='1M'"), 1 << 20);
    assert_int_equal(statfs_of(f->fs).quota_bytes, 1 << 20);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(zeroblob(3000000))"), SQLITE_FULL);
    assert_int_equal(db_number(db, "PRAGMA memfs_quota('16m')"), 16 << 20);
    db_run(db, "INSERT INTO t VALUES(zeroblob(3000000))");
    assert_int_equal(db_number(db, "PRAGMA main.memfs_quota=20000000"), 20000000);
    assert_int_equal(db_number(db, "PRAGMA memfs_quota=0"), 0);
    assert_true(db_number(db, "PRAGMA memfs_available") == INT64_MAX);
    quota_lift(f);
    db_close(db);
}

static void a_quota_below_what_is_held_is_refused(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(100000))");
    refused(db, "PRAGMA memfs_quota=100", SQLITE_ERROR, "in use");
    refused(db, "PRAGMA memfs_node_limit=1", SQLITE_ERROR, "2 are in use");
    assert_int_equal(statfs_of(f->fs).quota_bytes, (uint64_t)64 << 20);
    assert_int_equal(db_number(db, "PRAGMA memfs_node_limit=2"), 2);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(1)"), SQLITE_FULL);
    assert_int_equal(db_number(db, "PRAGMA memfs_node_limit='1K'"), 1024);
    db_run(db, "INSERT INTO t VALUES(1)");
    db_close(db);
}

static void what_is_malformed_or_unknown_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    const char *const bad[] = {"''",    "-1",   "1.5",  "'12X'",
                               "'1MM'", "' 1'", "lots", "99999999999999999999"};
    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        char *sql = sqlite3_mprintf("PRAGMA memfs_quota=%s", bad[index]);
        refused(db, sql, SQLITE_ERROR, "memfs_quota: \"");
        sqlite3_free(sql);
        sql = sqlite3_mprintf("PRAGMA memfs_node_limit(%s)", bad[index]);
        refused(db, sql, SQLITE_ERROR, "memfs_node_limit: \"");
        sqlite3_free(sql);
    }
    assert_int_equal(statfs_of(f->fs).quota_bytes, (uint64_t)64 << 20);
    refused(db, "PRAGMA memfs_qouta", SQLITE_ERROR, "no such PRAGMA: memfs_qouta");
    refused(db, "PRAGMA memfs_=1", SQLITE_ERROR, "no such PRAGMA: memfs_");
    refused(db, "PRAGMA memfs_used=5", SQLITE_ERROR, "memfs_used takes no value");
    refused(db, "PRAGMA memfs_copy_database", SQLITE_ERROR, "name is missing");
    db_close(db);
}

static void the_pragmas_of_sqlite_work_as_ever(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA memfs=1; PRAGMA no_such_pragma=1");
    db_run(db, "PRAGMA user_version=7");
    assert_int_equal(db_number(db, "PRAGMA user_version"), 7);
    db_close(db);
}

/* The documentation warns of this. */
static void explaining_sets_too_since_sqlite_asks_at_prepare_time(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "EXPLAIN PRAGMA memfs_quota='8M'");
    assert_int_equal(statfs_of(f->fs).quota_bytes, 8 << 20);
    quota_lift(f);
    db_close(db);
}

/* ------------------------------------------------------------- URI parameters */

static void a_database_can_have_a_limit_of_its_own(void **state)
{
    (void)state;
    sqlite3 *db = db_open("file:/db?memfs_size_limit=64K");
    db_run(db, "CREATE TABLE t(a)");
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(zeroblob(70000))"), SQLITE_FULL);
    db_run(db, "INSERT INTO t VALUES(zeroblob(30000))");
    db_assert_whole(db);
    sqlite3 *other = db_open("/other");
    db_run(other, "CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(70000))");
    db_close(other);
    db_close(db);
    db = db_open("file:/db?memfs_size_limit=0");
    db_run(db, "INSERT INTO t VALUES(zeroblob(70000))");
    db_run(db, "ATTACH 'file:/third?memfs_size_limit=10000' AS third");
    assert_int_equal(db_try(db, "CREATE TABLE third.t AS SELECT * FROM t"), SQLITE_FULL);
    db_close(db);
}

static void a_parameter_that_is_unknown_or_malformed_opens_nothing(void **state)
{
    struct fixture *f = *state;
    const char *const bad[] = {"memfs_size_limit=x",
                               "memfs_size_limit=",
                               "memfs_size_limit",
                               "memfs_size_limit=-1",
                               "memfs_sise_limit=1",
                               "memfs_=1",
                               "memfs_size_limit=9223372036854775808"};
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    for (size_t index = 0; index < sizeof bad / sizeof bad[0]; index++) {
        sqlite3 *db;
        char *uri = sqlite3_mprintf("file:/db?psow=1&%s", bad[index]);
        assert_int_equal(sqlite3_open_v2(uri, &db, flags, TEST_VFS), SQLITE_CANTOPEN);
        sqlite3_free(uri);
        db_close(db);
    }
    assert_int_equal(memfs_exists(f->fs, "/db"), 0);
}

/* ----------------------------------------------------------------- snapshots */

static void snapshots_are_taken_listed_and_removed(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    db_assert_text(db, "PRAGMA memfs_snapshot_list", "[]");
    db_run(db, "PRAGMA memfs_snapshot_take('one \"quoted\"'); PRAGMA memfs_snapshot_take = two");
    db_assert_text(db, "PRAGMA memfs_snapshot_list", "[\"one \\\"quoted\\\"\",\"two\"]");
    refused(db, "PRAGMA memfs_snapshot_take('two')", SQLITE_ERROR, "name exists");
    refused(db, "PRAGMA memfs_snapshot_take", SQLITE_ERROR, "name is missing");
    refused(db, "PRAGMA memfs_snapshot_take('a/b')", SQLITE_ERROR, "invalid argument");
    refused(db, "PRAGMA memfs_snapshot_remove('three')", SQLITE_ERROR, "no such file");
    refused(db, "PRAGMA memfs_snapshot_list = 1", SQLITE_ERROR, "takes no value");
    refused(db, "PRAGMA memfs_snapshot_restore('two')", SQLITE_ERROR,
            "memfs_snapshot_restore() in C");
    db_assert_text(db, "PRAGMA memfs_snapshot_remove('one \"quoted\"')", "one \"quoted\"");
    db_run(db, "INSERT INTO t VALUES(2)");
    db_close(db);
    assert_int_equal(memfs_snapshot_restore(f->fs, "two"), 0);
    db = db_open("/db");
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 1);
    db_close(db);
}

static void a_snapshot_that_does_not_fit_is_full_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    quota_leave(f, 0);
    refused(db, "PRAGMA memfs_snapshot_take('s')", SQLITE_FULL, "quota exceeded");
    quota_lift(f);
    assert_int_equal(memfs_snapshot_remove(f->fs, "s"), MEMFS_ENOENT);
    db_close(db);
}

/* The connection keeps its file, which has no name any more. */
static void a_database_that_was_put_back_is_not_that_of_an_open_connection(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"DELETE", "PERSIST", "MEMORY"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        sqlite3 *db = db_open("/db");
        db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE t(a); INSERT INTO t VALUES(1)", modes[i]);
        db_run(db, "PRAGMA memfs_snapshot_take('s'); INSERT INTO t VALUES(2)");
        assert_int_equal(memfs_snapshot_restore(f->fs, "s"), 0);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 2);
        refused(db, "INSERT INTO t VALUES(3)", SQLITE_READONLY_DBMOVED, "readonly");
        refused(db, "PRAGMA memfs_copy_database('/copy')", SQLITE_BUSY, "not at its path");
        db_close(db);
        db = db_open("/db");
        assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 1);
        db_run(db, "INSERT INTO t VALUES(4); DROP TABLE t");
        db_assert_whole(db);
        db_close(db);
        assert_int_equal(memfs_snapshot_remove(f->fs, "s"), 0);
    }
}

/* ---------------------------------------------------------------------- copy */

static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
enum { MODES = 6 };

static sqlite3 *make(const char *mode)
{
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE t(a); INSERT INTO t VALUES(1),(2)", mode);
    return db;
}

static void unmake(struct fixture *f)
{
    const char *const names[] = {"/db", "/db-journal", "/copy", "/copy-journal"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++)
        (void)memfs_unlink(f->fs, names[index]);
}

static void a_copy_is_whole_in_every_journal_mode(void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < MODES; mode++) {
        sqlite3 *db = make(modes[mode]);
        db_assert_text(db, "PRAGMA memfs_copy_database('/copy')", "/copy");
        db_run(db, "DELETE FROM t");
        sqlite3 *copy = db_open("/copy");
        db_assert_whole(copy);
        assert_int_equal(db_number(copy, "SELECT sum(a) FROM t"), 3);
        db_run(copy, "INSERT INTO t VALUES(5)");
        db_close(copy);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 0);
        db_close(db);
        unmake(f);
    }
}

static void nothing_is_copied_while_a_transaction_writes(void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < MODES; mode++) {
        sqlite3 *db = make(modes[mode]);
        sqlite3 *other = db_open("/db");
        assert_int_equal(db_number(other, "SELECT count(*) FROM t"), 2);
        db_run(db, "BEGIN EXCLUSIVE; INSERT INTO t VALUES(3)");
        refused(db, "PRAGMA memfs_copy_database('/copy')", SQLITE_BUSY,
                "memfs_copy_database: this connection");
        refused(other, "PRAGMA memfs_copy_database('/copy')", SQLITE_BUSY,
                "memfs_copy_database: another connection");
        db_run(db, "INSERT INTO t VALUES(4); COMMIT");
        assert_int_equal(memfs_exists(f->fs, "/copy"), 0);
        assert_int_equal(memfs_exists(f->fs, "/copy-wal"), 0);
        db_run(other, "PRAGMA memfs_copy_database('/copy')");
        db_close(other);
        db_close(db);
        sqlite3 *copy = db_open("/copy");
        assert_int_equal(db_number(copy, "SELECT sum(a) FROM t"), 10);
        db_close(copy);
        unmake(f);
    }
}

/* RESERVED has a journal, but has not touched the database yet. */
static void a_transaction_that_has_not_reached_the_file_is_left_out(void **state)
{
    (void)state;
    sqlite3 *db = make("DELETE");
    db_run(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES(3)");
    db_run(db, "PRAGMA memfs_copy_database('/copy')");
    db_run(db, "COMMIT");
    sqlite3 *copy = db_open("/copy");
    assert_int_equal(db_number(copy, "SELECT sum(a) FROM t"), 3);
    db_assert_whole(copy);
    db_close(copy);
    db_close(db);
}

static void a_hot_journal_is_played_back_before_a_copy_is_made(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make("DELETE");
    db_run(db, "PRAGMA cache_size=5; BEGIN; INSERT INTO t VALUES(zeroblob(100000))");
    assert_int_equal(memfs_copy(f->fs, "/db", "/crashed", 0), 0);
    assert_int_equal(memfs_copy(f->fs, "/db-journal", "/crashed-journal", 0), 0);
    sqlite3 *crashed = db_open("/crashed");
    refused(crashed, "PRAGMA memfs_copy_database('/copy')", SQLITE_BUSY, "journal waits");
    assert_int_equal(db_number(crashed, "SELECT sum(a) FROM t"), 3);
    db_run(crashed, "PRAGMA memfs_copy_database('/copy')");
    db_close(crashed);
    db_close(db);
}

static void a_wal_that_was_left_is_read_before_a_copy_is_made(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make("WAL");
    assert_int_equal(memfs_copy(f->fs, "/db", "/left", 0), 0);
    assert_int_equal(memfs_copy(f->fs, "/db-wal", "/left-wal", 0), 0);
    db_close(db);
    sqlite3 *left = db_open("/left");
    refused(left, "PRAGMA memfs_copy_database('/copy')", SQLITE_BUSY, "WAL was not read yet");
    assert_int_equal(db_number(left, "SELECT sum(a) FROM t"), 3);
    db_run(left, "PRAGMA memfs_copy_database('/copy')");
    db_close(left);
    sqlite3 *copy = db_open("/copy");
    assert_int_equal(db_number(copy, "SELECT sum(a) FROM t"), 3);
    db_close(copy);
}

static void a_copy_replaces_nothing_and_needs_its_directory(void **state)
{
    struct fixture *f = *state;
    const char *const taken[] = {"/copy", "/copy-journal", "/copy-wal"};
    sqlite3 *db = make("DELETE");
    for (size_t index = 0; index < 3; index++) {
        assert_int_equal(memfs_write_file(f->fs, taken[index], "x", 1, 0644, 0), 0);
        refused(db, "PRAGMA memfs_copy_database('/copy')", SQLITE_ERROR, "name exists");
        assert_int_equal(memfs_unlink(f->fs, taken[index]), 0);
    }
    refused(db, "PRAGMA memfs_copy_database('/db')", SQLITE_ERROR, "name exists");
    refused(db, "PRAGMA memfs_copy_database('/no/copy')", SQLITE_ERROR,
            "no such file or directory");
    refused(db, "PRAGMA memfs_copy_database('')", SQLITE_ERROR, "no such file or directory");
    db_close(db);
}

static void a_refused_copy_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make("WAL");
    db_run(db, "INSERT INTO t VALUES(randomblob(300000))");
    assert_true(db_number(db, "PRAGMA wal_checkpoint(FULL)") == 0);
    int refusals = 0;
    uint64_t more = 0;
    quota_leave(f, 0);
    /* While the WAL is mapped a copy has pages of its own. */
    while (db_try(db, "PRAGMA memfs_copy_database('/copy')") == SQLITE_FULL) {
        assert_non_null(strstr(sqlite3_errmsg(db), "quota"));
        assert_int_equal(memfs_exists(f->fs, "/copy"), 0);
        assert_int_equal(memfs_exists(f->fs, "/copy-wal"), 0);
        refusals++;
        more += 20000;
        quota_lift(f);
        quota_leave(f, more);
    }
    assert_true(refusals > 1);
    quota_lift(f);
    sqlite3 *copy = db_open("/copy");
    db_assert_whole(copy);
    db_close(copy);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(the_figures_are_those_of_statfs),
        SQLITE_TEST(the_wal_shows_what_it_reserves),
        SQLITE_TEST(usage_by_class_is_json_that_adds_up),
        SQLITE_TEST(the_quota_can_be_set_and_a_refused_statement_tried_again),
        SQLITE_TEST(a_quota_below_what_is_held_is_refused),
        SQLITE_TEST(what_is_malformed_or_unknown_is_refused_by_name),
        SQLITE_TEST(the_pragmas_of_sqlite_work_as_ever),
        SQLITE_TEST(explaining_sets_too_since_sqlite_asks_at_prepare_time),
        SQLITE_TEST(a_database_can_have_a_limit_of_its_own),
        SQLITE_TEST(a_parameter_that_is_unknown_or_malformed_opens_nothing),
        SQLITE_TEST(snapshots_are_taken_listed_and_removed),
        SQLITE_TEST(a_snapshot_that_does_not_fit_is_full_and_leaves_nothing),
        SQLITE_TEST(a_database_that_was_put_back_is_not_that_of_an_open_connection),
        SQLITE_TEST(a_copy_is_whole_in_every_journal_mode),
        SQLITE_TEST(nothing_is_copied_while_a_transaction_writes),
        SQLITE_TEST(a_transaction_that_has_not_reached_the_file_is_left_out),
        SQLITE_TEST(a_hot_journal_is_played_back_before_a_copy_is_made),
        SQLITE_TEST(a_wal_that_was_left_is_read_before_a_copy_is_made),
        SQLITE_TEST(a_copy_replaces_nothing_and_needs_its_directory),
        SQLITE_TEST(a_refused_copy_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
