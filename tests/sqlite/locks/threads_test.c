/*
 * Many connections in many threads: no lost update, no torn read, nothing but
 * SQLITE_BUSY ever refused.  Meant to run under ThreadSanitizer too.
 */
#define _POSIX_C_SOURCE 200809L

#include "sqlite_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { THREADS = 4, TRANSACTIONS = 120 };

struct job {
    const char *journal_mode;
    const char *path;
    int index;
    pthread_barrier_t *start;
    atomic_int *failures; /* assertions belong to the main thread */
};

/* Repeats the statements until the answer is another than SQLITE_BUSY, and returns that. */
static int run_until_done(sqlite3 *db, const char *sql)
{
    int rc;
    do {
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
        if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
            (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    } while ((rc & 0xff) == SQLITE_BUSY);
    return rc;
}

static sqlite3 *open_in_thread(struct job *job)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(job->path, &db, flags, TEST_VFS) != SQLITE_OK) {
        atomic_fetch_add(job->failures, 1);
        return NULL;
    }
    sqlite3_busy_timeout(db, 10000);
    char *mode = sqlite3_mprintf("PRAGMA cache_size=5; PRAGMA journal_mode=%s", job->journal_mode);
    if (run_until_done(db, mode) != SQLITE_OK)
        atomic_fetch_add(job->failures, 1);
    sqlite3_free(mode);
    return db;
}

static void *count_up(void *argument)
{
    struct job *job = argument;
    pthread_barrier_wait(job->start);
    sqlite3 *db = NULL;
    for (int number = 0; number < TRANSACTIONS; number++) {
        if (number % 8 == 0) { /* connections come and go */
            sqlite3_close(db);
            db = open_in_thread(job);
        }
        int rc = run_until_done(db, "BEGIN IMMEDIATE; UPDATE t SET a=a+1, v=randomblob(3000);"
                                    "COMMIT");
        if (rc != SQLITE_OK) {
            print_error("writer: %s\n", sqlite3_errmsg(db));
            atomic_fetch_add(job->failures, 1);
        }
    }
    sqlite3_close(db);
    return NULL;
}

static int is_one_value(void *context, int columns, char **values, char **names)
{
    (void)columns;
    (void)names;
    *(int *)context = atoi(values[0]) == 1;
    return 0;
}

/* All rows are changed together, so they must always be seen alike. */
static void *look_on(void *argument)
{
    struct job *job = argument;
    pthread_barrier_wait(job->start);
    sqlite3 *db = open_in_thread(job);
    for (int number = 0; number < TRANSACTIONS; number++) {
        int is_whole = 0;
        int rc;
        do {
            rc = sqlite3_exec(db, "SELECT count(DISTINCT a) FROM t", is_one_value, &is_whole, NULL);
        } while ((rc & 0xff) == SQLITE_BUSY);
        if (rc != SQLITE_OK || !is_whole) {
            print_error("reader: %s, alike: %d\n", sqlite3_errmsg(db), is_whole);
            atomic_fetch_add(job->failures, 1);
        }
    }
    sqlite3_close(db);
    return NULL;
}

static void run_threads(const char *const *modes, const char *const *paths)
{
    pthread_t threads[THREADS];
    struct job jobs[THREADS];
    pthread_barrier_t start;
    atomic_int failures;
    atomic_init(&failures, 0);
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int index = 0; index < THREADS; index++) {
        jobs[index] = (struct job){modes[index], paths[index % 2], index, &start, &failures};
        void *(*body)(void *) = index < 2 ? count_up : look_on;
        assert_int_equal(pthread_create(&threads[index], NULL, body, &jobs[index]), 0);
    }
    for (int index = 0; index < THREADS; index++)
        assert_int_equal(pthread_join(threads[index], NULL), 0);
    pthread_barrier_destroy(&start);
    assert_int_equal(atomic_load(&failures), 0);
}

static void make(const char *path)
{
    sqlite3 *db = db_open(path);
    db_run(db, "PRAGMA page_size=1024; CREATE TABLE t(a, v)");
    db_run(db, "INSERT INTO t VALUES(0,''),(0,''),(0,''),(0,'')");
    db_close(db);
}

static void assert_count(const char *path, int expected)
{
    sqlite3 *db = db_open(path);
    db_assert_whole(db);
    assert_int_equal(db_number(db, "SELECT max(a) FROM t"), expected);
    assert_int_equal(db_number(db, "SELECT min(a) FROM t"), expected);
    db_close(db);
}

static void two_writers_and_two_readers_of_one_database_lose_nothing(void **state)
{
    struct fixture *f = *state;
    const char *const modes[][THREADS] = {
        {"DELETE", "DELETE", "DELETE", "DELETE"},   {"TRUNCATE", "PERSIST", "DELETE", "DELETE"},
        {"PERSIST", "DELETE", "PERSIST", "MEMORY"}, {"MEMORY", "OFF", "MEMORY", "OFF"},
        {"MEMORY", "DELETE", "TRUNCATE", "OFF"},    {"WAL", "WAL", "WAL", "WAL"},
    };
    const char *const paths[] = {"/db", "/db"};
    for (size_t mix = 0; mix < sizeof modes / sizeof *modes; mix++) {
        make("/db");
        run_threads(modes[mix], paths);
        assert_count("/db", 2 * TRANSACTIONS);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static void two_databases_side_by_side_do_not_meet(void **state)
{
    (void)state;
    const char *const modes[] = {"DELETE", "MEMORY", "DELETE", "MEMORY"};
    const char *const paths[] = {"/one", "/two"};
    make("/one");
    make("/two");
    run_threads(modes, paths);
    assert_count("/one", TRANSACTIONS);
    assert_count("/two", TRANSACTIONS);
}

static void *fill_up(void *argument)
{
    struct job *job = argument;
    pthread_barrier_wait(job->start);
    sqlite3 *db = open_in_thread(job);
    int committed = 0;
    for (int number = 0; number < TRANSACTIONS; number++) {
        int rc = run_until_done(db, "BEGIN IMMEDIATE; INSERT INTO t VALUES(0, randomblob(60000));"
                                    "COMMIT");
        committed += rc == SQLITE_OK;
        if (rc == SQLITE_FULL)
            rc = run_until_done(db, "BEGIN IMMEDIATE; SELECT 1; ROLLBACK");
        if (rc != SQLITE_OK) {
            print_error("at the quota: %s\n", sqlite3_errmsg(db));
            atomic_fetch_add(job->failures, 1);
        }
    }
    sqlite3_close(db);
    job->index = committed;
    return NULL;
}

static void writers_that_meet_at_the_quota_keep_what_they_committed(void **state)
{
    struct fixture *f = *state;
    const char *const modes[] = {"DELETE", "MEMORY", "TRUNCATE", "OFF"};
    pthread_t threads[THREADS];
    struct job jobs[THREADS];
    pthread_barrier_t start;
    atomic_int failures;
    atomic_init(&failures, 0);
    make("/one");
    make("/two");
    quota_leave(f, 3u << 20);
    assert_int_equal(pthread_barrier_init(&start, NULL, THREADS), 0);
    for (int index = 0; index < THREADS; index++) {
        jobs[index] = (struct job){modes[index], index % 2 ? "/two" : "/one", index, &start,
                                   &failures};
        assert_int_equal(pthread_create(&threads[index], NULL, fill_up, &jobs[index]), 0);
    }
    int committed = 0;
    for (int index = 0; index < THREADS; index++) {
        assert_int_equal(pthread_join(threads[index], NULL), 0);
        committed += jobs[index].index;
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(atomic_load(&failures), 0);
    assert_true(committed > 0 && committed < THREADS * TRANSACTIONS);
    sqlite3 *db = db_open("/one");
    db_run(db, "ATTACH '/two' AS two");
    db_assert_whole(db);
    assert_int_equal(db_number(db, "SELECT (SELECT count(*) FROM main.t)"
                                   "+(SELECT count(*) FROM two.t)"),
                     committed + 8);
    db_close(db);
    quota_lift(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(two_writers_and_two_readers_of_one_database_lose_nothing),
        SQLITE_TEST(two_databases_side_by_side_do_not_meet),
        SQLITE_TEST(writers_that_meet_at_the_quota_keep_what_they_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
