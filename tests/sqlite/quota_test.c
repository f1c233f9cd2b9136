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

enum { QUOTA_PAGE_BYTES = 4096, RUNS_MAX = 5000 };

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"};
enum { JOURNAL_MODES = 5 };

/* Gives the transaction one page more each time until it passes.  Returns the refusals. */
static int sweep_quota(struct fixture *f, const struct sweep_case *what)
{
    struct sweep sweep;
    sweep_begin(&sweep, f, what);
    int step = what->page_size > QUOTA_PAGE_BYTES ? 4 : 1;
    int refusals = 0;
    int rc = SQLITE_FULL;
    for (int pages = 0; rc != SQLITE_OK; pages += step) {
        assert_true(pages < RUNS_MAX);
        quota_leave(f, (uint64_t)pages * QUOTA_PAGE_BYTES);
        rc = sweep_run(&sweep);
        if (rc != SQLITE_OK && rc != SQLITE_FULL)
            fail_msg("%s, page size %d: code %d with %d pages", what->journal_mode, what->page_size,
                     rc, pages);
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

static void at_every_quota_vacuum_and_index_builds_are_whole_or_undone(void **state)
{
    const char *const transactions[] = {
        "VACUUM",
        "BEGIN; DELETE FROM t WHERE id>100; CREATE INDEX tv ON t(v); DROP INDEX tv; "
        "REINDEX; COMMIT",
        "BEGIN; CREATE TABLE u AS SELECT * FROM t; DROP TABLE u; COMMIT",
    };
    for (int index = 0; index < JOURNAL_MODES * 3; index++) {
        struct sweep_case what = {
            .journal_mode = journal_modes[index / 3],
            .page_size = 1024,
            .spills = true,
            .is_exclusive = index % 2 != 0,
            .transaction = transactions[index % 3],
        };
        assert_true(sweep_quota(*state, &what) > 0);
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
            quota_leave(f, (uint64_t)pages * QUOTA_PAGE_BYTES);
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

static void a_transaction_refused_by_the_quota_goes_on_after_it_is_raised(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    db_run(db, "BEGIN; INSERT INTO t VALUES(1, zeroblob(1000))");
    quota_leave(f, 0);
    /* No spill: the journal page is what is refused, and only the statement fails. */
    int rc = SQLITE_OK;
    for (int id = 2; id < 3000 && rc == SQLITE_OK; id++) {
        db_run(db, "UPDATE t SET v=v||'x' WHERE id=1");
        char *sql = sqlite3_mprintf("INSERT INTO t VALUES(%d, zeroblob(1000))", id);
        rc = db_try(db, sql);
        sqlite3_free(sql);
        if (sqlite3_get_autocommit(db))
            break;
    }
    quota_lift(f);
    if (!sqlite3_get_autocommit(db))
        db_run(db, "COMMIT");
    db_run(db, "INSERT INTO t VALUES(100000, 'works')");
    db_assert_whole(db);
    db_close(db);
}

#define SQLITE_TEST(test) cmocka_unit_test_setup_teardown(test, sqlite_setup, sqlite_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest small[] = {
        SQLITE_TEST(at_every_quota_a_transaction_with_512_byte_pages_is_whole_or_undone),
        SQLITE_TEST(at_every_quota_a_transaction_with_4096_byte_pages_is_whole_or_undone),
    };
    const struct CMUnitTest large[] = {
        SQLITE_TEST(at_every_quota_a_transaction_with_65536_byte_pages_is_whole_or_undone),
    };
    const struct CMUnitTest others[] = {
        SQLITE_TEST(at_every_quota_vacuum_and_index_builds_are_whole_or_undone),
        SQLITE_TEST(at_every_quota_a_new_database_is_made_or_not),
        SQLITE_TEST(the_node_limit_says_full_too),
        SQLITE_TEST(a_transaction_refused_by_the_quota_goes_on_after_it_is_raised),
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
