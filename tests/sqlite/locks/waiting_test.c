/*
 * A connection that sleeps for a lock is woken when it can have the lock, and not before.
 *
 * Where a wake-up is expected the sleep is an hour long, so that without the wake-up the test would
 * never end. What is counted is how often a connection had to try.
 */
#define _POSIX_C_SOURCE 200809L

#include "io_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#define AN_HOUR_US 2000000000 /* nearly */

/* A connection in a thread of its own, which runs one statement. */
struct runner {
    sqlite3 *db;
    const char *sql;
    int rc;
    atomic_int sleeps; /* begun */
    pthread_t thread;
};

static int sleep_long(void *context, int count)
{
    struct runner *runner = context;
    (void)count;
    sqlite3_vfs *vfs = sqlite3_vfs_find(TEST_VFS);
    atomic_fetch_add(&runner->sleeps, 1);
    vfs->xSleep(vfs, AN_HOUR_US);
    return 1;
}

static void *run(void *context)
{
    struct runner *runner = context;
    runner->rc = db_try(runner->db, runner->sql);
    return NULL;
}

/* Runs the statement in a thread; returns when that sleeps, or is about to. */
static void start_with(struct runner *runner, const char *sql, int (*busy)(void *, int))
{
    runner->sql = sql;
    atomic_init(&runner->sleeps, 0);
    sqlite3_busy_handler(runner->db, busy, runner);
    assert_int_equal(pthread_create(&runner->thread, NULL, run, runner), 0);
    while (atomic_load(&runner->sleeps) == 0)
        (void)sched_yield();
}

static void start(struct runner *runner, const char *sql)
{
    start_with(runner, sql, sleep_long);
}

static void assert_ran_after(struct runner *runner, int sleeps)
{
    assert_int_equal(pthread_join(runner->thread, NULL), 0);
    assert_int_equal(runner->rc, SQLITE_OK);
    assert_int_equal(atomic_load(&runner->sleeps), sleeps);
}

static sqlite3 *open_in_mode(const char *mode)
{
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE IF NOT EXISTS t(a)", mode);
    return db;
}

static const char *const modes[] = {"DELETE", "PERSIST", "MEMORY", "WAL"};
#define MODES (sizeof modes / sizeof *modes)

static void end_mode(sqlite3 *db)
{
    db_run(db, "PRAGMA journal_mode=DELETE");
    db_close(db);
}

/* ------------------------------------------------------------------------ waking */

static void a_writer_that_waits_is_woken_by_the_commit(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *holder = open_in_mode(modes[i]);
        struct runner waiter = {.db = db_open("/db")};
        db_run(holder, "BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
        start(&waiter, "BEGIN IMMEDIATE; ROLLBACK");
        db_run(holder, "COMMIT");
        assert_ran_after(&waiter, 1);
        db_close(waiter.db);
        end_mode(holder);
    }
}

static void a_writer_that_waits_is_woken_by_the_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *first = open_in_mode(modes[i]);
        sqlite3 *holder = db_open("/db");
        struct runner waiter = {.db = db_open("/db")};
        db_run(holder, "BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
        start(&waiter, "BEGIN IMMEDIATE; ROLLBACK");
        db_close(holder);
        assert_ran_after(&waiter, 1);
        db_close(waiter.db);
        end_mode(first);
    }
}

static void a_reader_that_waits_is_woken_when_the_writer_has_finished(void **state)
{
    (void)state;
    sqlite3 *holder = open_in_mode("DELETE");
    struct runner waiter = {.db = db_open("/db")};
    db_run(holder, "BEGIN EXCLUSIVE");
    start(&waiter, "SELECT * FROM t");
    db_run(holder, "ROLLBACK");
    assert_ran_after(&waiter, 1);
    db_close(waiter.db);
    db_close(holder);
}

static void a_commit_that_waits_for_readers_is_woken_by_the_last(void **state)
{
    (void)state;
    sqlite3 *readers[3] = {open_in_mode("DELETE"), db_open("/db"), db_open("/db")};
    struct runner waiter = {.db = db_open("/db")};
    for (int i = 0; i < 3; i++)
        db_run(readers[i], "BEGIN; SELECT * FROM t");
    db_run(waiter.db, "BEGIN; INSERT INTO t VALUES(2)");
    start(&waiter, "COMMIT");
    for (int i = 0; i < 3; i++)
        db_run(readers[i], "COMMIT");
    assert_ran_after(&waiter, 1);
    for (int i = 0; i < 3; i++)
        db_close(readers[i]);
    db_close(waiter.db);
}

static void a_checkpoint_that_waits_for_a_reader_is_woken_by_it(void **state)
{
    (void)state;
    sqlite3 *reader = open_in_mode("WAL");
    struct runner waiter = {.db = db_open("/db")};
    db_run(reader, "INSERT INTO t VALUES(1); BEGIN; SELECT * FROM t");
    db_run(waiter.db, "INSERT INTO t VALUES(2)");
    start(&waiter, "PRAGMA wal_checkpoint(TRUNCATE)");
    db_run(reader, "COMMIT");
    assert_ran_after(&waiter, 1);
    db_close(waiter.db);
    end_mode(reader);
}

static void an_unlock_that_does_not_help_wakes_no_waiter(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *holder = open_in_mode(modes[i]);
        sqlite3 *reader = db_open("/db");
        struct runner waiter = {.db = db_open("/db")};
        db_run(holder, "BEGIN IMMEDIATE");
        start(&waiter, "BEGIN IMMEDIATE; ROLLBACK");
        for (int round = 0; round < 500; round++)
            db_run(reader, "SELECT * FROM t");
        db_run(holder, "COMMIT");
        assert_ran_after(&waiter, 1);
        db_close(waiter.db);
        db_close(reader);
        end_mode(holder);
    }
}

static void a_database_wakes_only_its_own_waiters(void **state)
{
    (void)state;
    sqlite3 *holder = open_in_mode("DELETE");
    sqlite3 *other = db_open("/other");
    struct runner waiter = {.db = db_open("/db")};
    db_run(other, "CREATE TABLE t(a)");
    db_run(holder, "BEGIN IMMEDIATE");
    start(&waiter, "BEGIN IMMEDIATE; ROLLBACK");
    for (int round = 0; round < 500; round++)
        db_run(other, "INSERT INTO t VALUES(1)");
    db_run(holder, "COMMIT");
    assert_ran_after(&waiter, 1);
    db_close(waiter.db);
    db_close(other);
    db_close(holder);
}

/* ---------------------------------------------------------------- the time is over */

static void at_the_end_of_the_time_it_is_busy(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *holder = open_in_mode(modes[i]);
        sqlite3 *waiter = db_open("/db");
        db_run(holder, "BEGIN IMMEDIATE");
        sqlite3_busy_timeout(waiter, 30);
        assert_int_equal(db_try(waiter, "INSERT INTO t VALUES(2)"), SQLITE_BUSY);
        db_run(holder, "COMMIT");
        db_run(waiter, "INSERT INTO t VALUES(2)");
        db_close(waiter);
        end_mode(holder);
    }
}

enum { WRITERS = 4, TRANSACTIONS = 150 };

static void *increment(void *context)
{
    struct runner *runner = context;
    sqlite3_busy_timeout(runner->db, 20000);
    for (int round = 0; round < TRANSACTIONS && runner->rc == SQLITE_OK; round++)
        runner->rc = db_try(runner->db, "BEGIN IMMEDIATE; UPDATE t SET a=a+1; COMMIT");
    return NULL;
}

static void writers_that_never_pause_all_get_their_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < MODES; i++) {
        sqlite3 *db = open_in_mode(modes[i]);
        struct runner writers[WRITERS] = {{0}};
        db_run(db, "DELETE FROM t; INSERT INTO t VALUES(0)");
        for (int n = 0; n < WRITERS; n++)
            writers[n].db = db_open("/db");
        for (int n = 0; n < WRITERS; n++)
            assert_int_equal(pthread_create(&writers[n].thread, NULL, increment, &writers[n]), 0);
        for (int n = 0; n < WRITERS; n++) {
            assert_int_equal(pthread_join(writers[n].thread, NULL), 0);
            assert_int_equal(writers[n].rc, SQLITE_OK);
            db_close(writers[n].db);
        }
        assert_int_equal(db_number(db, "SELECT a FROM t"), WRITERS * TRANSACTIONS);
        end_mode(db);
    }
}

/* ----------------------------------------------------------- refusals of the past */

static void a_sleep_for_a_connection_that_was_closed_is_only_a_sleep(void **state)
{
    (void)state;
    sqlite3_file *holder = io_open("/db", MAIN_FLAGS);
    sqlite3_file *refused = io_open("/db", MAIN_FLAGS);
    io_begin_writing(holder);
    assert_int_equal(io_lock(refused, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    io_close(refused);
    assert_true(io_vfs()->xSleep(io_vfs(), 1000) >= 1000);
    assert_int_equal(io_lock(holder, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    io_close(holder);
}

struct sleeping {
    sqlite3_file *file;
    atomic_int is_refused;
};

static void *be_refused_and_sleep(void *context)
{
    struct sleeping *sleeping = context;
    int rc = sleeping->file->pMethods->xLock(sleeping->file, SQLITE_LOCK_SHARED);
    sqlite3_vfs *vfs = sqlite3_vfs_find(TEST_VFS);
    atomic_store(&sleeping->is_refused, rc == SQLITE_BUSY ? 1 : -1);
    vfs->xSleep(vfs, 50000);
    return NULL;
}

static void a_connection_can_be_closed_while_a_thread_sleeps_for_it(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        sqlite3_file *holder = io_open("/db", MAIN_FLAGS);
        struct sleeping sleeping = {.file = io_open("/db", MAIN_FLAGS)};
        pthread_t thread;
        io_begin_writing(holder);
        assert_int_equal(pthread_create(&thread, NULL, be_refused_and_sleep, &sleeping), 0);
        while (atomic_load(&sleeping.is_refused) == 0)
            (void)sched_yield();
        assert_int_equal(atomic_load(&sleeping.is_refused), 1);
        io_close(sleeping.file);
        io_close(holder);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

/* ------------------------------------------------------------ locks that wait */

static int set_lock_timeout(sqlite3_file *file, int ms)
{
    assert_int_equal(io_control(file, SQLITE_FCNTL_LOCK_TIMEOUT, &ms), SQLITE_OK);
    return ms;
}

struct locking {
    sqlite3_file *file;
    atomic_int has_begun;
    int rc;
};

static void *take_shared(void *context)
{
    struct locking *locking = context;
    atomic_store(&locking->has_begun, 1);
    locking->rc = locking->file->pMethods->xLock(locking->file, SQLITE_LOCK_SHARED);
    return NULL;
}

static void with_a_lock_timeout_the_lock_itself_waits(void **state)
{
    (void)state;
    sqlite3_file *holder = io_open("/db", MAIN_FLAGS);
    struct locking locking = {.file = io_open("/db", MAIN_FLAGS)};
    pthread_t thread;
    assert_int_equal(set_lock_timeout(locking.file, 3600000), 0);
    io_begin_writing(holder);
    assert_int_equal(pthread_create(&thread, NULL, take_shared, &locking), 0);
    while (atomic_load(&locking.has_begun) == 0)
        (void)sched_yield();
    assert_int_equal(io_unlock(holder, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(locking.rc, SQLITE_OK);
    assert_int_equal(set_lock_timeout(locking.file, 10), 3600000);
    assert_int_equal(io_unlock(locking.file, SQLITE_LOCK_NONE), SQLITE_OK);
    io_begin_writing(holder);
    assert_int_equal(io_lock(locking.file, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    assert_int_equal(set_lock_timeout(locking.file, 0), 10);
    assert_int_equal(io_lock(locking.file, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    io_close(locking.file);
    io_close(holder);
}

/* Sleeps for the lock, and gives up although it has been woken. */
static int sleep_and_give_up(void *context, int count)
{
    (void)sleep_long(context, count);
    return 0;
}

static void *begin_and_end(void *context)
{
    struct runner *runner = context;
    atomic_store(&runner->sleeps, 1);
    runner->rc = db_try(runner->db, "BEGIN IMMEDIATE; ROLLBACK");
    return NULL;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The lock is handed to the first waiter, which does not come for it; the second has a time limit
 * that is far away, and must not wait until then. */
static void a_handoff_that_is_not_taken_up_does_not_hold_up_the_next(void **state)
{
    (void)state;
    enum { LIMIT_MS = 20000 };
    for (int round = 0; round < 5; round++) {
        int limit_ms = LIMIT_MS;
        sqlite3 *holder = open_in_mode("DELETE");
        struct runner first = {.db = db_open("/db")};
        struct runner second = {.db = db_open("/db")};
        (void)db_number(second.db, "SELECT count(*) FROM t");
        assert_int_equal(
            sqlite3_file_control(second.db, "main", SQLITE_FCNTL_LOCK_TIMEOUT, &limit_ms),
            SQLITE_OK);
        db_run(holder, "BEGIN IMMEDIATE");
        start_with(&first, "BEGIN IMMEDIATE", sleep_and_give_up);
        atomic_init(&second.sleeps, 0);
        assert_int_equal(pthread_create(&second.thread, NULL, begin_and_end, &second), 0);
        while (atomic_load(&second.sleeps) == 0)
            (void)sched_yield();
        int64_t begun = now_ms();
        db_run(holder, "ROLLBACK");
        assert_int_equal(pthread_join(first.thread, NULL), 0);
        assert_int_equal(pthread_join(second.thread, NULL), 0);
        assert_int_equal(first.rc, SQLITE_BUSY);
        assert_int_equal(second.rc, SQLITE_OK);
        assert_true(now_ms() - begun < LIMIT_MS / 2);
        db_close(first.db);
        db_close(second.db);
        db_close(holder);
    }
}

static void a_lock_that_waits_for_itself_does_not_wait(void **state)
{
    (void)state;
    sqlite3_file *reader = io_open("/db", MAIN_FLAGS);
    sqlite3_file *writer = io_open("/db", MAIN_FLAGS);
    assert_int_equal(io_lock(reader, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_RESERVED), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
    (void)set_lock_timeout(reader, 3600000);
    assert_int_equal(io_lock(reader, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
    io_close(reader);
    io_close(writer);
}

static int lock_wal(sqlite3_file *file, int flags)
{
    return file->pMethods->xShmLock(file, 0, 1, flags | SQLITE_SHM_EXCLUSIVE);
}

static void *take_wal(void *context)
{
    struct locking *locking = context;
    atomic_store(&locking->has_begun, 1);
    locking->rc = lock_wal(locking->file, SQLITE_SHM_LOCK);
    return NULL;
}

static void with_a_lock_timeout_a_lock_of_the_wal_waits(void **state)
{
    (void)state;
    sqlite3_file *holder = io_open("/db", MAIN_FLAGS);
    struct locking locking = {.file = io_open("/db", MAIN_FLAGS)};
    pthread_t thread;
    void volatile *region;
    assert_int_equal(holder->pMethods->xShmMap(holder, 0, 32768, 1, &region), SQLITE_OK);
    assert_int_equal(locking.file->pMethods->xShmMap(locking.file, 0, 32768, 1, &region),
                     SQLITE_OK);
    assert_int_equal(lock_wal(holder, SQLITE_SHM_LOCK), SQLITE_OK);
    (void)set_lock_timeout(locking.file, 10);
    assert_int_equal(lock_wal(locking.file, SQLITE_SHM_LOCK), SQLITE_BUSY);
    (void)set_lock_timeout(locking.file, 3600000);
    assert_int_equal(pthread_create(&thread, NULL, take_wal, &locking), 0);
    while (atomic_load(&locking.has_begun) == 0)
        (void)sched_yield();
    assert_int_equal(lock_wal(holder, SQLITE_SHM_UNLOCK), SQLITE_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(locking.rc, SQLITE_OK);
    io_close(locking.file);
    io_close(holder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_writer_that_waits_is_woken_by_the_commit),
        SQLITE_TEST(a_writer_that_waits_is_woken_by_the_close),
        SQLITE_TEST(a_reader_that_waits_is_woken_when_the_writer_has_finished),
        SQLITE_TEST(a_commit_that_waits_for_readers_is_woken_by_the_last),
        SQLITE_TEST(a_checkpoint_that_waits_for_a_reader_is_woken_by_it),
        SQLITE_TEST(an_unlock_that_does_not_help_wakes_no_waiter),
        SQLITE_TEST(a_database_wakes_only_its_own_waiters),
        SQLITE_TEST(at_the_end_of_the_time_it_is_busy),
        SQLITE_TEST(writers_that_never_pause_all_get_their_turn),
        SQLITE_TEST(a_sleep_for_a_connection_that_was_closed_is_only_a_sleep),
        SQLITE_TEST(a_connection_can_be_closed_while_a_thread_sleeps_for_it),
        SQLITE_TEST(with_a_lock_timeout_the_lock_itself_waits),
        SQLITE_TEST(a_handoff_that_is_not_taken_up_does_not_hold_up_the_next),
        SQLITE_TEST(a_lock_that_waits_for_itself_does_not_wait),
        SQLITE_TEST(with_a_lock_timeout_a_lock_of_the_wal_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
