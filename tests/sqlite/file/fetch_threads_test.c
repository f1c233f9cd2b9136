/*
 * Readers that have pages mapped, each in its thread, while a writer overwrites, cuts off and
 * copies these pages, and makes the readers' connections let go what they keep.
 */
#include "sqlite_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

enum { READERS = 2, ROUNDS = 40, ROWS = 200 };

/* In every committed state each row has the same `b`, and `c` is as long as `b` says. */
#define CHECK \
    "SELECT count(*), sum(b <> (SELECT b FROM t LIMIT 1)), sum(length(c) <> 100 + b % 7 * 100) " \
    "FROM t"

struct reader {
    sqlite3 *db;
    atomic_int *is_over;
    pthread_t thread;
    int wrong, looked;
};

static int look(void *context, int count, char **values, char **names)
{
    struct reader *reader = context;
    (void)count;
    (void)names;
    reader->looked++;
    if (values[0][0] == '0')
        return 0;
    for (int column = 1; column <= 2; column++)
        if (values[column] == NULL || values[column][0] != '0')
            reader->wrong++;
    return 0;
}

static void *read_on(void *context)
{
    struct reader *reader = context;
    while (!atomic_load(reader->is_over) || reader->looked == 0)
        if (sqlite3_exec(reader->db, CHECK, look, reader, NULL) != SQLITE_OK)
            reader->wrong++;
    return NULL;
}

static sqlite3 *open_mapped(void)
{
    sqlite3 *db = db_open("file:/db?memfs_mmap_size=1G");
    sqlite3_busy_timeout(db, 60000);
    db_run(db, "PRAGMA cache_size=5");
    return db;
}

static void write_round(struct fixture *f, sqlite3 *db, int round)
{
    db_run(db, "BEGIN IMMEDIATE; UPDATE t SET b=%d, c=zeroblob(100 + %d %% 7 * 100); COMMIT", round,
           round);
    if (round % 4 == 1)
        db_run(db, "DELETE FROM t WHERE a > %d; PRAGMA incremental_vacuum", ROWS / 2);
    if (round % 4 == 2)
        db_run(db,
               "WITH RECURSIVE c(x) AS (SELECT %d UNION ALL SELECT x+1 FROM c WHERE x<%d)"
               " INSERT OR IGNORE INTO t SELECT x, %d, zeroblob(100 + %d %% 7 * 100) FROM c",
               ROWS / 2 + 1, ROWS, round, round);
    if (round % 4 == 3) {
        (void)memfs_unlink(f->fs, "/copy");
        assert_int_equal(memfs_copy(f->fs, "/db", "/copy", 0), 0);
    }
    if (round % 10 == 5)
        db_run(db, "PRAGMA wal_checkpoint(PASSIVE)");
}

static void run_in_mode(struct fixture *f, const char *mode)
{
    atomic_int is_over = 0;
    struct reader readers[READERS];
    sqlite3 *writer = open_mapped();
    db_run(writer, "PRAGMA auto_vacuum=2; PRAGMA journal_mode=%s", mode);
    db_run(writer, "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c)");
    db_run(writer,
           "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<%d)"
           " INSERT INTO t SELECT x, 0, zeroblob(100) FROM c",
           ROWS);
    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.db = open_mapped(), .is_over = &is_over};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
    }
    for (int round = 1; round <= ROUNDS; round++)
        write_round(f, writer, round);
    atomic_store(&is_over, 1);
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
        assert_int_equal(readers[i].wrong, 0);
        assert_true(readers[i].looked > 0);
        db_assert_whole(readers[i].db);
        db_close(readers[i].db);
    }
    db_run(writer, "DROP TABLE t; PRAGMA journal_mode=DELETE; VACUUM");
    db_close(writer);
    assert_int_equal(memfs_audit(f->fs), 0);
}

static void readers_of_mapped_pages_see_whole_transactions(void **state)
{
    run_in_mode(*state, "DELETE");
    run_in_mode(*state, "MEMORY");
    run_in_mode(*state, "WAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(readers_of_mapped_pages_see_whole_transactions,
                                        sqlite_setup, sqlite_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
