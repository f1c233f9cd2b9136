/*
 * A full file system never corrupts a database: the quota at every count of
 * pages, and the allocator failing at every call, in every journal mode, page
 * size, with and without cache spill, with one and with two databases.
 */
#include "sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

enum { RUNS_MAX = 5000 };

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"};
enum { JOURNAL_MODES = 5 };

static uint32_t page_bytes(struct fixture *f)
{
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    assert_int_equal(memfs_statfs(f->fs, &info), 0);
    return info.page_size;
}

/*
 * Gives the transaction one page more each time until it passes (half of a database's page
 * where those are larger than the file system's).  Returns the refusals.
 */
static int sweep_quota(struct fixture *f, const struct sweep_case *what)
{
    struct sweep sweep;
    sweep_begin(&sweep, f, what);
    uint32_t unit = page_bytes(f);
    if (unit < (uint32_t)what->page_size / 2)
        unit = (uint32_t)what->page_size / 2;
    int refusals = 0;
    int rc = SQLITE_FULL;
    for (uint32_t units = 0; rc != SQLITE_OK; units++) {
        assert_true(units < RUNS_MAX);
        quota_leave(f, (uint64_t)units * unit);
        rc = sweep_run(&sweep);
        if (rc != SQLITE_OK && rc != SQLITE_FULL)
            fail_msg("%s, page size %d: code %d with %u units", what->journal_mode, what->page_size,
                     rc, units);
        sweep_check(&sweep, rc, refusals % 2 == 0);
        quota_lift(f);
        sweep_go_on(&sweep);
        refusals += rc != SQLITE_OK;
    }
    sweep_end(&sweep);
    return refusals;
}

/* Refuses the first allocation of the transaction, then the second ... until none is refused. */
static int sweep_allocator(struct fixture *f, const struct sweep_case *what, int every_later)
{
    struct sweep sweep;
    sweep_begin(&sweep, f, what);
    int refusals = 0;
    for (uint64_t take = 1; take < RUNS_MAX; take++) {
        tracking_refuse(&f->allocator, take, every_later);
        int rc = sweep_run(&sweep);
        bool was_refused = atomic_load(&f->allocator.takes) >= take;
        tracking_refuse(&f->allocator, 0, 0);
        if (rc != SQLITE_OK && rc != SQLITE_IOERR_NOMEM && rc != SQLITE_NOMEM)
            fail_msg("%s, page size %d: code %d at allocation %d", what->journal_mode,
                     what->page_size, rc, (int)take);
        sweep_check(&sweep, rc, refusals % 2 == 0);
        if (!was_refused) {
            assert_int_equal(rc, SQLITE_OK);
            break;
        }
        refusals++;
        if (rc == SQLITE_OK) { /* a refusal that did not matter, of a hint; begin afresh */
            sweep_end(&sweep);
            sweep_begin(&sweep, f, what);
        } else {
            sweep_go_on(&sweep);
        }
    }
    sweep_end(&sweep);
    return refusals;
}

/* All cases of one page size; the visible result is the number of refusals. */
static void sweep_page_size(struct fixture *f, int page_size)
{
    for (int index = 0; index < JOURNAL_MODES * 8; index++) {
        struct sweep_case what = {
            .journal_mode = journal_modes[index / 8],
            .page_size = page_size,
            .spills = (index & 1) != 0,
            .has_attached = (index & 2) != 0,
            .is_exclusive = (index & 4) != 0,
        };
        int by_quota = sweep_quota(f, &what);
        int by_allocator = sweep_allocator(f, &what, index % 2) + sweep_allocator(f, &what, 1);
        print_message("%-8s page %5d%s%s%s: refused %d times by quota, %d by allocator\n",
                      what.journal_mode, page_size, what.spills ? ", spill" : "",
                      what.has_attached ? ", two databases" : "",
                      what.is_exclusive ? ", exclusive" : "", by_quota, by_allocator);
        assert_true(by_quota > 0);
    }
}

static void at_every_quota_a_transaction_with_512_byte_pages_is_whole_or_undone(void **state)
{
    sweep_page_size(*state, 512);
}

static void at_every_quota_a_transaction_with_4096_byte_pages_is_whole_or_undone(void **state)
{
    sweep_page_size(*state, 4096);
}

static void at_every_quota_a_transaction_with_65536_byte_pages_is_whole_or_undone(void **state)
{
    sweep_page_size(*state, 65536);
}

static void at_every_quota_vacuum_temp_tables_and_index_builds_are_whole_or_undone(void **state)
{
    const char *const transactions[] = {
        "VACUUM",
        "PRAGMA temp_store=FILE; PRAGMA temp.cache_size=3; BEGIN; "
        "CREATE TEMP TABLE IF NOT EXISTS s(v); DELETE FROM temp.s; "
        "INSERT INTO temp.s SELECT a.v FROM t a, t b LIMIT 60; "
        "UPDATE t SET v=(SELECT max(v) FROM temp.s)||id; COMMIT",
        ("BEGIN; DELETE FROM t WHERE id>100; CREATE INDEX tv ON t(v); DROP INDEX tv; "
         "REINDEX; COMMIT"),
        "BEGIN; CREATE TABLE u AS SELECT * FROM t; DROP TABLE u; COMMIT",
    };
    enum { TRANSACTIONS = sizeof transactions / sizeof *transactions };
    for (int index = 0; index < JOURNAL_MODES * 2 * TRANSACTIONS; index++) {
        struct sweep_case what = {
            .journal_mode = journal_modes[index / 2 / TRANSACTIONS],
            .page_size = 1024,
            .spills = true,
            .is_exclusive = index % 2 != 0,
            .transaction = transactions[index / 2 % TRANSACTIONS],
        };
        assert_true(sweep_quota(*state, &what) > 0);
        (void)sweep_allocator(*state, &what, 1);
    }
}

static void at_every_quota_two_databases_in_different_modes_are_both_whole_or_both_undone(
    void **state)
{
    for (int index = 0; index < JOURNAL_MODES * JOURNAL_MODES; index++) {
        struct sweep_case what = {
            .journal_mode = journal_modes[index / JOURNAL_MODES],
            .attached_mode = journal_modes[index % JOURNAL_MODES],
            .page_size = 1024,
            .spills = index % 2 != 0,
            .has_attached = true,
        };
        assert_true(sweep_quota(*state, &what) > 0);
        (void)sweep_allocator(*state, &what, index % 3 == 0);
    }
}

/* Savepoints roll back by the statement journal, which OFF does not have. */
static void at_every_quota_savepoints_are_whole_or_undone(void **state)
{
    for (int index = 0; index < (JOURNAL_MODES - 1) * 4; index++) {
        struct sweep_case what = {
            .journal_mode = journal_modes[index / 4],
            .page_size = 1024,
            .spills = (index & 1) != 0,
            .is_exclusive = (index & 2) != 0,
            .transaction = "BEGIN; UPDATE t SET v=v||'x'; SAVEPOINT s; UPDATE t SET v=v||'y', k=9; "
                           "INSERT INTO t SELECT id+50, k, v||v FROM t; ROLLBACK TO s; "
                           "DELETE FROM t WHERE id%5=0; RELEASE s; COMMIT",
        };
        assert_true(sweep_quota(*state, &what) > 0);
        (void)sweep_allocator(*state, &what, 0);
        (void)sweep_allocator(*state, &what, 1);
    }
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
    memfs_statfs_info info;
    info.struct_size = sizeof info;
    assert_int_equal(memfs_statfs(f->fs, &info), 0);
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

#define SQLITE_TEST(test) cmocka_unit_test_setup_teardown(test, sqlite_setup, sqlite_teardown)
#define SQLITE_TEST_WITH(size, test) \
    cmocka_unit_test_setup_teardown(test, sqlite_setup_with_##size##_byte_pages, sqlite_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest small[] = {
        SQLITE_TEST(at_every_quota_a_transaction_with_512_byte_pages_is_whole_or_undone),
        SQLITE_TEST_WITH(512, at_every_quota_a_transaction_with_512_byte_pages_is_whole_or_undone),
        SQLITE_TEST(at_every_quota_a_transaction_with_4096_byte_pages_is_whole_or_undone),
        SQLITE_TEST_WITH(512, at_every_quota_a_transaction_with_4096_byte_pages_is_whole_or_undone),
        SQLITE_TEST_WITH(65536,
                         at_every_quota_a_transaction_with_4096_byte_pages_is_whole_or_undone),
    };
    const struct CMUnitTest large[] = {
        SQLITE_TEST(at_every_quota_a_transaction_with_65536_byte_pages_is_whole_or_undone),
        SQLITE_TEST_WITH(65536,
                         at_every_quota_a_transaction_with_65536_byte_pages_is_whole_or_undone),
    };
    const struct CMUnitTest others[] = {
        SQLITE_TEST(at_every_quota_vacuum_temp_tables_and_index_builds_are_whole_or_undone),
        SQLITE_TEST_WITH(512,
                         at_every_quota_vacuum_temp_tables_and_index_builds_are_whole_or_undone),
        SQLITE_TEST_WITH(
            512, at_every_quota_two_databases_in_different_modes_are_both_whole_or_both_undone),
        SQLITE_TEST(at_every_quota_savepoints_are_whole_or_undone),
        SQLITE_TEST_WITH(512, at_every_quota_savepoints_are_whole_or_undone),
        SQLITE_TEST(at_every_quota_a_new_database_is_made_or_not),
        SQLITE_TEST_WITH(512, at_every_quota_a_new_database_is_made_or_not),
        SQLITE_TEST(the_node_limit_says_full_too),
        SQLITE_TEST(a_statement_that_is_refused_fails_alone_and_passes_once_the_quota_is_raised),
    };
    const char *part = argc > 1 ? argv[1] : "all";
    int failures = 0;
    if (strcmp(part, "small") == 0 || strcmp(part, "all") == 0)
        failures += cmocka_run_group_tests(small, NULL, NULL);
    if (strcmp(part, "large") == 0 || strcmp(part, "all") == 0)
        failures += cmocka_run_group_tests(large, NULL, NULL);
    if (strcmp(part, "others") == 0 || strcmp(part, "all") == 0)
        failures += cmocka_run_group_tests(others, NULL, NULL);
    return failures;
}
