/*
 * Snapshot isolation under threads: sums that hold in every snapshot, readers that are never
 * busy, counters that lose nothing.  Meant to run under ThreadSanitizer too.
 */
#define _POSIX_C_SOURCE 200809L

#include "sqlite_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define ISOLATED "file:/db?memfs_mvcc=1"

enum { ACCOUNTS = 50, TOTAL = 5000, THREADS_MAX = 6, ROUNDS = 150, UPGRADES = 60 };

struct job {
    const char *journal_mode;
    const char *locking_mode;
    uint32_t seed;
    atomic_int *writers; /* still at work */
    atomic_int *failures;
    pthread_barrier_t *start;
    void (*run)(struct job *job, sqlite3 *db);
    int outdated; /* what was to be seen */
};

static void note_failure(struct job *job, sqlite3 *db, const char *what)
{
    print_error("%s: %s\n", what, sqlite3_errmsg(db));
    atomic_fetch_add(job->failures, 1);
}

static uint32_t next_random(struct job *job)
{
    job->seed = job->seed * 1664525u + 1013904223u;
    return job->seed >> 8;
}

/* Moves an amount from one account to another, in two statements. */
static void transfer(struct job *job, sqlite3 *db)
{
    for (int round = 0; round < ROUNDS; round++) {
        char sql[300];
        unsigned from = next_random(job) % ACCOUNTS, to = next_random(job) % ACCOUNTS;
        sqlite3_snprintf((int)sizeof sql, sql,
                         "UPDATE account SET amount=amount-7, note=randomblob(900) WHERE id=%u;"
                         "UPDATE account SET amount=amount+7, note=randomblob(90) WHERE id=%u;%s",
                         from, to, round % 5 == 4 ? "ROLLBACK" : "COMMIT");
        if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK ||
            sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            note_failure(job, db, "transfer");
    }
    atomic_fetch_sub(job->writers, 1);
}

static int64_t ask(struct job *job, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t answer = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        note_failure(job, db, sql);
    else
        answer = sqlite3_column_int64(statement, 0);
    if (sqlite3_finalize(statement) != SQLITE_OK)
        note_failure(job, db, "finalize");
    return answer;
}

/* Without a busy timeout: whatever is refused is a failure. */
static void audit(struct job *job, sqlite3 *db)
{
    sqlite3_busy_timeout(db, 0);
    while (atomic_load(job->writers) > 0) {
        if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
            note_failure(job, db, "begin");
        int64_t first = ask(job, db, "SELECT sum(id*amount) FROM account");
        if (ask(job, db, "SELECT sum(amount) FROM account") != TOTAL)
            note_failure(job, db, "the sum");
        if (ask(job, db, "SELECT sum(id*amount) FROM account") != first)
            note_failure(job, db, "the snapshot changed");
        if (sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
            note_failure(job, db, "commit");
    }
}

/* Reads and then writes in one transaction, again until its version was not outdated. */
static void count_up(struct job *job, sqlite3 *db)
{
    for (int round = 0; round < UPGRADES;) {
        int rc = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
        int64_t before = ask(job, db, "SELECT amount FROM account WHERE id=0");
        char sql[100];
        sqlite3_snprintf((int)sizeof sql, sql, "UPDATE account SET amount=%lld WHERE id=0",
                         before + 1);
        if (rc == SQLITE_OK)
            rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
        if (rc == SQLITE_OK && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK) {
            round++;
            continue;
        }
        if ((rc & 0xFF) != SQLITE_BUSY)
            note_failure(job, db, "count up");
        job->outdated += rc == SQLITE_BUSY_SNAPSHOT;
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    atomic_fetch_sub(job->writers, 1);
}

static void *run_job(void *argument)
{
    struct job *job = argument;
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(ISOLATED, &db, flags, TEST_VFS);
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, 60000);
    char *sql = sqlite3_mprintf("PRAGMA cache_size=%d; PRAGMA journal_mode=%s;"
                                "PRAGMA locking_mode=%s",
                                job->seed % 2 ? 5 : 100, job->journal_mode, job->locking_mode);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    if (rc != SQLITE_OK)
        note_failure(job, db, "open");
    pthread_barrier_wait(job->start);
    job->run(job, db);
    sqlite3_close(db);
    return NULL;
}

static void make(void)
{
    sqlite3 *db = db_open("/db");
    db_run(db,
           "PRAGMA page_size=1024; CREATE TABLE account(id INTEGER PRIMARY KEY, amount, note);"
           "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<%d-1)"
           "INSERT INTO account SELECT i, %d, zeroblob(500) FROM n",
           ACCOUNTS, TOTAL / ACCOUNTS);
    db_close(db);
}

static void run_jobs(struct job *jobs, int count, int writers)
{
    pthread_t threads[THREADS_MAX];
    pthread_barrier_t start;
    atomic_int failures, at_work;
    atomic_init(&failures, 0);
    atomic_init(&at_work, writers);
    assert_int_equal(pthread_barrier_init(&start, NULL, (unsigned)count), 0);
    for (int index = 0; index < count; index++) {
        jobs[index].failures = &failures;
        jobs[index].writers = &at_work;
        jobs[index].start = &start;
        jobs[index].seed = 1234u + (uint32_t)index;
        assert_int_equal(pthread_create(&threads[index], NULL, run_job, &jobs[index]), 0);
    }
    for (int index = 0; index < count; index++)
        assert_int_equal(pthread_join(threads[index], NULL), 0);
    pthread_barrier_destroy(&start);
    assert_int_equal(atomic_load(&failures), 0);
}

static void assert_sum_and_remove(struct fixture *f, int64_t total)
{
    sqlite3 *db = db_open("/db");
    db_assert_whole(db);
    assert_int_equal(db_number(db, "SELECT sum(amount) FROM account"), total);
    db_close(db);
    assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
    (void)memfs_unlink(f->fs, "/db-journal");
}

static void readers_beside_writers_always_see_the_sum_and_are_never_busy(void **state)
{
    struct fixture *f = *state;
    const char *const modes[] = {"MEMORY", "OFF", "DELETE", "TRUNCATE", "PERSIST"};
    for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++) {
        make();
        struct job jobs[5];
        for (int index = 0; index < 5; index++)
            jobs[index] = (struct job){.journal_mode = modes[mode],
                                       .locking_mode = "NORMAL",
                                       .run = index < 2 ? transfer : audit};
        run_jobs(jobs, 5, 2);
        assert_sum_and_remove(f, TOTAL);
    }
}

static void readers_beside_a_writer_that_keeps_its_lock_see_the_sum(void **state)
{
    struct fixture *f = *state;
    make();
    struct job jobs[4];
    for (int index = 0; index < 4; index++)
        jobs[index] = (struct job){.journal_mode = "MEMORY",
                                   .locking_mode = index < 1 ? "EXCLUSIVE" : "NORMAL",
                                   .run = index < 1 ? transfer : audit};
    run_jobs(jobs, 4, 1);
    assert_sum_and_remove(f, TOTAL);
}

static void no_update_of_a_transaction_that_reads_first_is_lost(void **state)
{
    struct fixture *f = *state;
    make();
    struct job jobs[4];
    for (int index = 0; index < 4; index++)
        jobs[index] = (struct job){
            .journal_mode = "MEMORY", .locking_mode = "NORMAL", .run = count_up};
    run_jobs(jobs, 4, 4);
    assert_sum_and_remove(f, TOTAL + 4 * UPGRADES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(readers_beside_writers_always_see_the_sum_and_are_never_busy),
        SQLITE_TEST(readers_beside_a_writer_that_keeps_its_lock_see_the_sum),
        SQLITE_TEST(no_update_of_a_transaction_that_reads_first_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
