/*
 * A program that saves again and again is killed at random, a thousand times. Each time the host's
 * file has the last save that was reported complete, or the one that was under way.
 */
#define _XOPEN_SOURCE 700

#include "host_directory.h"
#include "random.h"
#include "sqlite_fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KILLS = 1000, LONGEST_US = 6000, ROWS = 200 };

/* ---------------------------------------------------------------- the program */

static void must(int condition)
{
    if (!condition)
        _exit(3);
}

static int save_and_say(sqlite3 *db, memfs_sqlite_saver *saver, int generation, int pipe_end)
{
    char sql[200];
    (void)snprintf(
        sql, sizeof sql,
        "BEGIN; UPDATE g SET n=%d; UPDATE t SET n=%d, b=randomblob(%d) WHERE a %% 9 = %d;"
        "COMMIT; PRAGMA incremental_vacuum",
        generation, generation, generation % 4 == 0 ? 3000 : 300, generation % 9);
    must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    must(memfs_sqlite_saver_save(saver, NULL) == SQLITE_OK);
    return write(pipe_end, &generation, sizeof generation) == sizeof generation;
}

/* Begins with what the host has, and saves until it is killed. */
static void run_program(const char *file, int pipe_end)
{
    memfs *fs;
    sqlite3 *db;
    sqlite3_stmt *statement;
    memfs_sqlite_saver *saver;
    must(memfs_create(NULL, &fs) == 0 && memfs_sqlite_register(fs, "program", 0) == 0);
    must(memfs_sqlite_saver_open(fs, "/db", file, 0, &saver) == SQLITE_OK);
    must(memfs_sqlite_open(fs, "/db", NULL, &db) == SQLITE_OK);
    must(sqlite3_prepare_v2(db, "SELECT n FROM g", -1, &statement, NULL) == SQLITE_OK);
    must(sqlite3_step(statement) == SQLITE_ROW);
    int generation = sqlite3_column_int(statement, 0);
    must(sqlite3_finalize(statement) == SQLITE_OK);
    must(write(pipe_end, &generation, sizeof generation) == sizeof generation);
    while (save_and_say(db, saver, ++generation, pipe_end))
        continue;
    _exit(3);
}

/* ------------------------------------------------------------------- the test */

static void make_first_file(const char *file)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    db_run(db, "PRAGMA auto_vacuum=2; CREATE TABLE g(n); INSERT INTO g VALUES(0);"
               "CREATE TABLE t(a INTEGER PRIMARY KEY, n, b)");
    db_run(db,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d)"
           " INSERT INTO t SELECT i, 0, zeroblob(300) FROM n",
           ROWS);
    db_close(db);
}

/* Kills the program when it has reported so often, or ended, and then a random time has gone; the
 * last generation that it has reported. */
static int kill_after(const char *file, int reports, unsigned long us, int before)
{
    int ends[2], generation, last = before;
    struct timespec pause = {0, (long)us * 1000};
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        run_program(file, ends[1]);
    }
    (void)close(ends[1]);
    while (reports-- > 0 && read(ends[0], &generation, sizeof generation) == sizeof generation)
        last = generation;
    (void)nanosleep(&pause, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(ends[0], &generation, sizeof generation) == sizeof generation)
        last = generation;
    (void)close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return last;
}

static void killed_at_random_the_host_has_the_last_save_or_the_next(void **state)
{
    uint64_t seed = 20261127;
    int generation = 0, next = 0, journals = 0;
    (void)state;
    assert_ok(memfs_destroy(create_on_heap(NULL), 0)); /* or there is nothing to test */
    assert_int_equal(host_directory_make(), 0);
    char *file = sqlite3_mprintf("%s", host_path("saved"));
    make_first_file(file);
    for (int kills = 0; kills < KILLS; kills++) {
        sqlite3 *db;
        /* The first report says that it has begun, the second that it has saved. */
        generation = kill_after(file, kills % 4 == 0 ? 2 : 1, random_below(&seed, LONGEST_US),
                                generation);
        journals += host_entries() > 1;
        assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
        int found = (int)db_number(db, "SELECT n FROM g");
        assert_true(found == generation || found == generation + 1);
        next += found == generation + 1;
        assert_int_equal(db_number(db, "SELECT max(n) FROM t"), found);
        db_assert_whole(db);
        db_close(db);
        generation = found;
    }
    print_message("%d kills, %d generations, %d times the save under way; %d journals left\n",
                  KILLS, generation, next, journals);
    assert_true(generation >= KILLS / 4);
    sqlite3_free(file);
    assert_int_equal(host_directory_remove(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_random_the_host_has_the_last_save_or_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
