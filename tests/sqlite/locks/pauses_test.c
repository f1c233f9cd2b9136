/*
 * What happens between two steps of the VFS (base/pausepoint.h).  Builds with fewer checks have no
 * such points, and the tests are skipped.
 */
#include "io_fixture.h"

#include "base/pausepoint.h"

#include <string.h>

static const char *awaited; /* where `act` runs, once */
static void (*act)(void);
static int acted;

#if MEMFS_CHECK_LEVEL >= 2
static void act_at(const char *point)
{
    if (awaited == NULL || strcmp(point, awaited) != 0)
        return;
    awaited = NULL;
    acted++;
    act();
}
#endif

static void act_once_at(const char *point, void (*action)(void))
{
    awaited = point;
    act = action;
    acted = 0;
#if MEMFS_CHECK_LEVEL >= 2
    mfs_pausepoint_hook = act_at;
#endif
}

static void skip_without_points(void)
{
#if MEMFS_CHECK_LEVEL < 2
    skip();
#endif
}

static void assert_acted(void)
{
#if MEMFS_CHECK_LEVEL >= 2
    mfs_pausepoint_hook = NULL;
#endif
    assert_int_equal(acted, 1);
}

static void sleep_a_microsecond(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(TEST_VFS);
    vfs->xSleep(vfs, 1);
}

/*
 * A thread sleeps on behalf of the connection for which it was last refused a lock.  If that is
 * closing, the lock must not be kept for it: nobody would take it.
 */
static void no_lock_is_kept_for_a_connection_that_is_about_to_be_gone(void **state)
{
    (void)state;
    static const char *const modes[] = {"DELETE", "WAL"};
    skip_without_points();
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        sqlite3 *holder = db_open("/db");
        sqlite3 *refused = db_open("/db");
        db_run(holder, "PRAGMA journal_mode=%s; CREATE TABLE IF NOT EXISTS t(a)", modes[i]);
        db_run(holder, "BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
        sqlite3_busy_timeout(refused, 0);
        sqlite3_busy_timeout(holder, 0);
        assert_int_equal(db_try(refused, "BEGIN IMMEDIATE"), SQLITE_BUSY);
        db_run(holder, "COMMIT");
        act_once_at("waiting: ended", sleep_a_microsecond);
        db_close(refused);
        assert_acted();
        db_run(holder, "BEGIN IMMEDIATE; ROLLBACK; PRAGMA journal_mode=DELETE");
        db_close(holder);
    }
}

static void take_friday_anew(void)
{
    sqlite3 *db = db_open("/db");
    assert_int_equal(memfs_snapshot_remove(memfs_sqlite_find(TEST_VFS), "friday"), 0);
    db_run(db, "INSERT INTO t SELECT a + 1000, zeroblob(900) FROM t; DELETE FROM t WHERE a < 1000; "
               "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(memfs_snapshot_take(memfs_sqlite_find(TEST_VFS), "friday"), 0);
    db_close(db);
}

/* The database of one snapshot with the WAL of another would be torn. */
static void a_database_as_of_a_snapshot_is_of_one(void **state)
{
    struct fixture *f = *state;
    skip_without_points();
    sqlite3 *keeper = db_open("/db");
    db_run(keeper, "PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    db_run(keeper, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<50) "
                   "INSERT INTO t SELECT i, zeroblob(900) FROM n");
    db_run(keeper, "PRAGMA wal_checkpoint(RESTART); UPDATE t SET b=zeroblob(800)");
    assert_int_equal(memfs_snapshot_take(f->fs, "friday"), 0);
    act_once_at("kept: database taken", take_friday_anew);
    sqlite3 *old = db_open("file:/db?memfs_snapshot=friday");
    assert_acted();
    assert_int_equal(db_number(old, "SELECT count(*) FROM t WHERE a > 1000"), 50);
    assert_int_equal(db_number(old, "SELECT count(*) FROM t"), 50);
    db_assert_whole(old);
    db_close(old);
    db_close(keeper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(no_lock_is_kept_for_a_connection_that_is_about_to_be_gone),
        SQLITE_TEST(a_database_as_of_a_snapshot_is_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
