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

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(no_lock_is_kept_for_a_connection_that_is_about_to_be_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
