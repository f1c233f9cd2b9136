/*
 * Snapshot isolation, memfs_mvcc=1: what readers see, who may write, and what becomes of
 * transactions that end otherwise than by a commit.
 */
#include "sqlite_fixture.h"

#include <stdbool.h>
#include <string.h>

#define ISOLATED "file:/db?memfs_mvcc=1"

static const char *const tree_modes[] = {"DELETE", "TRUNCATE", "PERSIST"};
static const char *const all_modes[] = {"MEMORY", "OFF", "DELETE", "TRUNCATE", "PERSIST"};

static sqlite3 *open_filled(void)
{
    sqlite3 *db = db_open(ISOLATED);
    db_run(db, "CREATE TABLE t(a, v); INSERT INTO t VALUES(1, zeroblob(9000)), "
               "(1, zeroblob(9000)), (1, zeroblob(9000))");
    return db;
}

static int64_t sum(sqlite3 *db)
{
    return db_number(db, "SELECT sum(a) FROM t");
}

static void a_reader_keeps_the_version_it_began_with_until_it_ends(void **state)
{
    (void)state;
    sqlite3 *writer = open_filled();
    sqlite3 *reader = db_open(ISOLATED);
    db_run(reader, "BEGIN");
    assert_int_equal(sum(reader), 3);
    for (int round = 2; round < 6; round++) {
        db_run(writer, "UPDATE t SET a=%d, v=randomblob(9000)", round);
        assert_int_equal(sum(writer), 3 * round);
        assert_int_equal(sum(reader), 3);
        db_assert_whole(reader);
    }
    db_run(reader, "COMMIT");
    assert_int_equal(sum(reader), 15);
    db_close(reader);
    db_close(writer);
}

static void readers_come_and_go_beside_a_writer_and_see_what_was_committed(void **state)
{
    (void)state;
    sqlite3 *writer = open_filled();
    sqlite3 *reader = db_open(ISOLATED);
    db_run(writer, "PRAGMA cache_size=1; BEGIN IMMEDIATE");
    for (int round = 0; round < 3; round++) {
        db_run(writer, "UPDATE t SET a=a+1, v=randomblob(9000)");
        assert_int_equal(sum(reader), 3);
        sqlite3 *late = db_open(ISOLATED);
        assert_int_equal(sum(late), 3);
        db_assert_whole(late);
        db_close(late);
    }
    db_run(writer, "COMMIT");
    assert_int_equal(sum(reader), 12);
    db_close(reader);
    db_close(writer);
}

static void a_writer_does_not_wait_for_readers(void **state)
{
    (void)state;
    sqlite3 *writer = open_filled();
    sqlite3 *readers[4];
    for (int index = 0; index < 4; index++) {
        readers[index] = db_open(ISOLATED);
        db_run(readers[index], "BEGIN");
        assert_int_equal(sum(readers[index]), 3 * (index + 1));
        db_run(writer, "UPDATE t SET a=a+1");
    }
    for (int index = 0; index < 4; index++)
        assert_int_equal(sum(readers[index]), 3 * (index + 1));
    for (int index = 3; index >= 0; index--) {
        db_assert_whole(readers[index]);
        db_close(readers[index]);
    }
    db_close(writer);
}

static void there_is_one_writer_and_the_next_is_busy_until_it_ends(void **state)
{
    (void)state;
    sqlite3 *one = open_filled();
    sqlite3 *two = db_open(ISOLATED);
    db_run(one, "BEGIN IMMEDIATE");
    assert_int_equal(db_try(two, "BEGIN IMMEDIATE"), SQLITE_BUSY);
    db_run(one, "UPDATE t SET a=2; COMMIT");
    db_run(two, "UPDATE t SET a=a+1");
    assert_int_equal(sum(one), 9);
    db_close(one);
    db_close(two);
}

static void a_reader_whose_version_is_outdated_cannot_become_the_writer(void **state)
{
    (void)state;
    sqlite3 *one = open_filled();
    sqlite3 *two = db_open(ISOLATED);
    db_run(two, "BEGIN");
    assert_int_equal(sum(two), 3);
    db_run(one, "UPDATE t SET a=2");
    assert_int_equal(db_try(two, "UPDATE t SET a=a+10"), SQLITE_BUSY_SNAPSHOT);
    assert_int_equal(sum(two), 3); /* reading goes on */
    db_run(one, "BEGIN IMMEDIATE");
    assert_int_equal(db_try(two, "UPDATE t SET a=a+10"), SQLITE_BUSY_SNAPSHOT);
    db_run(one, "ROLLBACK");
    db_run(two, "ROLLBACK; UPDATE t SET a=a+10");
    assert_int_equal(sum(one), 36);
    db_close(one);
    db_close(two);
}

static void a_transaction_that_wrote_nothing_outdates_no_version(void **state)
{
    (void)state;
    sqlite3 *one = open_filled();
    sqlite3 *two = db_open(ISOLATED);
    db_run(two, "BEGIN");
    assert_int_equal(sum(two), 3);
    db_run(one, "BEGIN IMMEDIATE; COMMIT; BEGIN EXCLUSIVE; ROLLBACK");
    db_run(one, "BEGIN; UPDATE t SET a=7; ROLLBACK");
    db_run(two, "UPDATE t SET a=2; COMMIT");
    assert_int_equal(sum(one), 6);
    db_close(one);
    db_close(two);
}

static void what_was_not_committed_is_dropped_in_every_mode(void **state)
{
    struct fixture *f = *state;
    for (size_t mode = 0; mode < sizeof all_modes / sizeof *all_modes; mode++) {
        sqlite3 *writer = open_filled();
        sqlite3 *reader = db_open(ISOLATED);
        db_run(writer, "PRAGMA journal_mode=%s; PRAGMA cache_size=2", all_modes[mode]);
        uint64_t pages = pages_used(f->fs);
        db_run(writer, "BEGIN; UPDATE t SET a=a+1, v=randomblob(9000)");
        assert_true(pages_used(f->fs) > pages);
        db_run(writer, "ROLLBACK");
        bool keeps_journal = strcmp(all_modes[mode], "PERSIST") == 0;
        assert_true(keeps_journal || pages_used(f->fs) == pages);
        assert_int_equal(sum(reader), 3);
        assert_int_equal(sum(writer), 3);
        db_assert_whole(writer);

        db_run(writer, "BEGIN; UPDATE t SET a=a+1, v=randomblob(9000)");
        db_close(writer);
        assert_int_equal(sum(reader), 3);
        db_assert_whole(reader);
        db_close(reader);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static void savepoints_and_failed_statements_roll_back_alone(void **state)
{
    struct fixture *f = *state;
    for (size_t mode = 0; mode < sizeof all_modes / sizeof *all_modes; mode++) {
        if (strcmp(all_modes[mode], "OFF") == 0)
            continue; /* has no rollback of a part */
        sqlite3 *writer = open_filled();
        sqlite3 *reader = db_open(ISOLATED);
        db_run(writer, "PRAGMA journal_mode=%s; PRAGMA cache_size=2", all_modes[mode]);
        db_run(writer, "CREATE TABLE u(k UNIQUE); INSERT INTO u VALUES(1),(2),(3)");
        db_run(writer, "BEGIN; UPDATE t SET a=5; SAVEPOINT s; UPDATE t SET a=9, v=zeroblob(9);"
                       "ROLLBACK TO s");
        assert_int_equal(db_try(writer, "UPDATE u SET k=k+1-3*(k=3)*0") & 0xFF, SQLITE_CONSTRAINT);
        assert_int_equal(sum(reader), 3);
        db_run(writer, "COMMIT");
        assert_int_equal(sum(reader), 15);
        assert_int_equal(db_number(reader, "SELECT sum(k) FROM u"), 6);
        assert_int_equal(db_number(reader, "SELECT sum(length(v)) FROM t"), 27000);
        db_assert_whole(reader);
        db_close(reader);
        db_close(writer);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static void until_the_commit_copies_and_readers_of_the_file_get_the_published_version(void **state)
{
    struct fixture *f = *state;
    for (size_t mode = 0; mode < sizeof all_modes / sizeof *all_modes; mode++) {
        sqlite3 *writer = open_filled();
        db_run(writer, "PRAGMA journal_mode=%s; PRAGMA cache_size=2; BEGIN", all_modes[mode]);
        db_run(writer, "UPDATE t SET a=a+1, v=randomblob(9000)");
        uint64_t pages = pages_used(f->fs);
        assert_int_equal(memfs_copy(f->fs, "/db", "/copy", 0), 0);
        assert_int_equal(pages_used(f->fs), pages);
        db_run(writer, "COMMIT");
        sqlite3 *copy = db_open("/copy");
        assert_int_equal(sum(copy), 3);
        db_assert_whole(copy);
        db_close(copy);
        db_close(writer);
        assert_int_equal(memfs_unlink(f->fs, "/copy"), 0);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

/* The change counter stops after the first commit of a connection that keeps EXCLUSIVE. */
static void readers_see_each_commit_of_a_writer_that_keeps_its_lock(void **state)
{
    (void)state;
    sqlite3 *writer = open_filled();
    sqlite3 *reader = db_open(ISOLATED);
    sqlite3 *idler = db_open(ISOLATED);
    assert_int_equal(sum(reader), 3);
    assert_int_equal(sum(idler), 3);
    db_run(writer, "PRAGMA locking_mode=EXCLUSIVE");
    for (int round = 2; round < 6; round++) {
        db_run(writer, "UPDATE t SET a=%d", round);
        assert_int_equal(sum(reader), 3 * round);
        assert_int_equal(db_try(reader, "UPDATE t SET a=1"), SQLITE_BUSY);
    }
    db_run(writer, "BEGIN; UPDATE t SET a=100; ROLLBACK");
    assert_int_equal(sum(writer), 15);
    assert_int_equal(sum(reader), 15);
    db_run(writer, "PRAGMA locking_mode=NORMAL; SELECT * FROM t");
    assert_int_equal(sum(idler), 15);
    db_run(reader, "UPDATE t SET a=1");
    assert_int_equal(sum(writer), 3);
    db_close(idler);
    db_close(reader);
    db_close(writer);
}

static void old_versions_are_given_back_with_their_last_reader(void **state)
{
    struct fixture *f = *state;
    sqlite3 *writer = open_filled();
    sqlite3 *reader = db_open(ISOLATED);
    sqlite3 *idler = db_open(ISOLATED);
    db_run(writer, "UPDATE t SET v=zeroblob(300000)");
    assert_int_equal(sum(idler), 3);
    db_run(reader, "BEGIN");
    assert_int_equal(sum(reader), 3);
    uint64_t pages = pages_used(f->fs);
    db_run(writer, "UPDATE t SET v=randomblob(300000)");
    uint64_t with_reader = pages_used(f->fs);
    assert_true(with_reader > pages + 200);
    db_run(writer, "UPDATE t SET v=randomblob(300000)");
    assert_true(pages_used(f->fs) < with_reader + 20); /* no transaction has the versions between */
    db_run(reader, "COMMIT");
    assert_true(pages_used(f->fs) < pages + 20); /* the idle connections hold nothing */
    db_close(idler);
    db_close(reader);
    db_close(writer);
}

static void assert_readers(sqlite3 *db, const char *expected)
{
    db_assert_text(db, "PRAGMA memfs_readers", expected);
}

static void a_pragma_tells_of_readers_that_hold_old_versions(void **state)
{
    (void)state;
    sqlite3 *writer = open_filled();
    sqlite3 *one = db_open(ISOLATED);
    sqlite3 *two = db_open(ISOLATED);
    assert_readers(writer, "{\"readers\":0,\"outdated\":0,\"behind\":0}");
    db_run(one, "BEGIN");
    assert_int_equal(sum(one), 3);
    db_run(two, "BEGIN");
    assert_readers(writer, "{\"readers\":1,\"outdated\":0,\"behind\":0}");
    db_run(writer, "UPDATE t SET a=2; UPDATE t SET a=3");
    assert_int_equal(sum(two), 9);
    assert_readers(writer, "{\"readers\":2,\"outdated\":1,\"behind\":2}");
    db_run(writer, "UPDATE t SET a=4");
    assert_readers(two, "{\"readers\":2,\"outdated\":2,\"behind\":3}");
    db_run(one, "COMMIT");
    assert_readers(two, "{\"readers\":1,\"outdated\":1,\"behind\":1}");
    db_run(two, "COMMIT");
    assert_readers(two, "{\"readers\":0,\"outdated\":0,\"behind\":0}");
    db_close(two);
    db_close(one);
    db_close(writer);
}

static void what_a_commit_cut_off_is_given_back_with_its_last_reader(void **state)
{
    struct fixture *f = *state;
    sqlite3 *writer = open_filled();
    sqlite3 *reader = db_open(ISOLATED);
    uint64_t pages = pages_used(f->fs);
    db_run(writer, "UPDATE t SET v=zeroblob(300000)");
    db_run(reader, "BEGIN");
    assert_int_equal(sum(reader), 3);
    db_run(writer, "UPDATE t SET v=''; VACUUM");
    assert_int_equal(db_number(reader, "SELECT sum(length(v)) FROM t"), 900000);
    db_assert_whole(reader);
    db_run(reader, "COMMIT");
    assert_true(pages_used(f->fs) < pages + 4);
    db_assert_whole(reader);
    db_close(reader);
    db_close(writer);
}

/* Free pages in the middle of a page table, which a cut can free only in part. */
static sqlite3 *open_with_free_pages(void)
{
    sqlite3 *db = db_open(ISOLATED);
    db_run(db, "PRAGMA auto_vacuum=INCREMENTAL; CREATE TABLE t(a);"
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<400)"
               "INSERT INTO t SELECT randomblob(3000) FROM n; DELETE FROM t WHERE rowid > 350");
    return db;
}

/* The pages that the file system holds beside those of the database. */
static int64_t pages_beside(struct fixture *f, sqlite3 *db)
{
    return (int64_t)pages_used(f->fs) - db_number(db, "PRAGMA page_count");
}

static void what_was_cut_under_a_reader_is_given_back_beside_idle_connections(void **state)
{
    struct fixture *f = *state;
    sqlite3 *writer = open_with_free_pages();
    sqlite3 *reader = db_open(ISOLATED);
    sqlite3 *idle = db_open(ISOLATED);
    int64_t beside = pages_beside(f, writer);
    db_run(reader, "BEGIN");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t"), 350);
    db_run(writer, "PRAGMA incremental_vacuum");
    assert_int_equal(db_number(idle, "SELECT count(*) FROM t"), 350);
    assert_true(pages_beside(f, writer) > beside + 40);
    db_run(reader, "COMMIT");
    assert_int_equal(pages_beside(f, writer), beside);

    /* The idle connections go on with the version that they had, and see the next one. */
    db_run(writer, "UPDATE t SET a = 'x' WHERE rowid = 1");
    assert_int_equal(db_number(idle, "SELECT count(*) FROM t WHERE a = 'x'"), 1);
    db_assert_whole(idle);
    db_assert_whole(reader);
    db_close(idle);
    db_close(reader);
    db_close(writer);
}

static void what_was_cut_under_a_reader_is_given_back_after_its_writer_has_gone(void **state)
{
    struct fixture *f = *state;
    sqlite3 *writer = open_with_free_pages();
    sqlite3 *reader = db_open(ISOLATED);
    int64_t beside = pages_beside(f, writer);
    db_run(reader, "BEGIN");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t"), 350);
    db_run(writer, "PRAGMA incremental_vacuum");
    db_close(writer);
    db_assert_whole(reader);
    db_run(reader, "COMMIT");
    assert_int_equal(pages_beside(f, reader), beside);
    db_close(reader);
}

static void what_was_cut_is_given_back_by_a_later_commit_of_a_writer_that_keeps_its_lock(
    void **state)
{
    struct fixture *f = *state;
    sqlite3 *writer = open_with_free_pages();
    sqlite3 *reader = db_open(ISOLATED);
    int64_t beside = pages_beside(f, writer);
    db_run(writer, "PRAGMA locking_mode=EXCLUSIVE; UPDATE t SET a = 'x' WHERE rowid = 1");
    db_run(reader, "BEGIN");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t"), 350);
    db_run(writer, "PRAGMA incremental_vacuum");
    db_run(reader, "COMMIT");
    db_run(writer, "UPDATE t SET a = 'y' WHERE rowid = 1");
    assert_int_equal(pages_beside(f, writer), beside);
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t WHERE a = 'y'"), 1);
    db_close(writer);
    db_close(reader);
}

static void the_oldest_of_several_outdated_readers_is_told_whichever_was_opened_first(void **state)
{
    (void)state;
    static const size_t order[] = {1, 0, 2}; /* the oldest is neither the first nor the last */
    sqlite3 *writer = open_filled();
    sqlite3 *readers[3];
    for (size_t i = 0; i < 3; i++)
        readers[i] = db_open(ISOLATED);
    for (size_t i = 0; i < 3; i++) {
        db_run(readers[order[i]], "BEGIN");
        assert_int_equal(sum(readers[order[i]]), 3 + 6 * (int64_t)i);
        db_run(writer, "UPDATE t SET a=a+1; UPDATE t SET a=a+1");
    }
    assert_readers(writer, "{\"readers\":3,\"outdated\":3,\"behind\":6}");
    db_run(readers[1], "COMMIT");
    assert_readers(writer, "{\"readers\":2,\"outdated\":2,\"behind\":4}");
    for (size_t i = 0; i < 3; i++)
        db_close(readers[i]);
    db_close(writer);
}

static void two_attached_databases_are_published_each_by_itself(void **state)
{
    (void)state;
    sqlite3 *writer = open_filled();
    db_run(writer, "ATTACH 'file:/two?memfs_mvcc=1' AS two; CREATE TABLE two.u(b);"
                   "INSERT INTO two.u VALUES(1)");
    sqlite3 *reader = db_open(ISOLATED);
    db_run(reader, "ATTACH 'file:/two?memfs_mvcc=1' AS two");
    db_run(writer, "BEGIN; UPDATE t SET a=2; UPDATE two.u SET b=2");
    assert_int_equal(sum(reader), 3);
    assert_int_equal(db_number(reader, "SELECT b FROM two.u"), 1);
    db_run(writer, "ROLLBACK");
    for (size_t mode = 0; mode < 3; mode++) {
        db_run(writer, "PRAGMA main.journal_mode=%s; PRAGMA two.journal_mode=%s", tree_modes[mode],
               all_modes[mode]);
        db_run(writer, "BEGIN; UPDATE t SET a=a+1; UPDATE two.u SET b=b+1");
        assert_int_equal(sum(reader), 3 * (int64_t)mode + 3);
        db_run(writer, "COMMIT");
        assert_int_equal(sum(reader), 3 * (int64_t)mode + 6);
        assert_int_equal(db_number(reader, "SELECT b FROM two.u"), (int64_t)mode + 2);
    }
    db_close(reader);
    db_close(writer);
}

static void vacuum_backup_and_copies_take_one_version_and_make_one(void **state)
{
    (void)state;
    sqlite3 *writer = open_filled();
    sqlite3 *reader = db_open(ISOLATED);
    sqlite3 *plain = db_open("/plain");
    db_run(reader, "BEGIN");
    assert_int_equal(sum(reader), 3);
    db_run(writer, "DELETE FROM t WHERE rowid=1; VACUUM; PRAGMA memfs_copy_database('/copy1');"
                   "VACUUM INTO '/copy2'");
    assert_int_equal(sum(reader), 3);
    db_assert_whole(reader);
    sqlite3_backup *backup = sqlite3_backup_init(plain, "main", reader, "main");
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    assert_int_equal(sum(plain), 3);
    db_assert_whole(plain);
    db_run(plain, "UPDATE t SET a=50");
    backup = sqlite3_backup_init(writer, "main", plain, "main");
    assert_int_equal(sqlite3_backup_step(backup, 1), SQLITE_OK);
    sqlite3 *late = db_open(ISOLATED);
    assert_int_equal(sum(late), 2);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    assert_int_equal(sum(late), 150);
    assert_int_equal(sum(reader), 3);
    db_close(late);
    db_close(plain);
    db_close(reader);
    db_close(writer);
    for (int copy = 1; copy <= 2; copy++) {
        sqlite3 *db = db_open(copy == 1 ? "/copy1" : "/copy2");
        assert_int_equal(sum(db), 2);
        db_assert_whole(db);
        db_close(db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_reader_keeps_the_version_it_began_with_until_it_ends),
        SQLITE_TEST(readers_come_and_go_beside_a_writer_and_see_what_was_committed),
        SQLITE_TEST(a_writer_does_not_wait_for_readers),
        SQLITE_TEST(there_is_one_writer_and_the_next_is_busy_until_it_ends),
        SQLITE_TEST(a_reader_whose_version_is_outdated_cannot_become_the_writer),
        SQLITE_TEST(a_transaction_that_wrote_nothing_outdates_no_version),
        SQLITE_TEST(what_was_not_committed_is_dropped_in_every_mode),
        SQLITE_TEST(savepoints_and_failed_statements_roll_back_alone),
        SQLITE_TEST(until_the_commit_copies_and_readers_of_the_file_get_the_published_version),
        SQLITE_TEST(readers_see_each_commit_of_a_writer_that_keeps_its_lock),
        SQLITE_TEST(old_versions_are_given_back_with_their_last_reader),
        SQLITE_TEST(a_pragma_tells_of_readers_that_hold_old_versions),
        SQLITE_TEST(what_a_commit_cut_off_is_given_back_with_its_last_reader),
        SQLITE_TEST(what_was_cut_under_a_reader_is_given_back_beside_idle_connections),
        SQLITE_TEST(what_was_cut_under_a_reader_is_given_back_after_its_writer_has_gone),
        SQLITE_TEST(what_was_cut_is_given_back_by_a_later_commit_of_a_writer_that_keeps_its_lock),
        SQLITE_TEST(the_oldest_of_several_outdated_readers_is_told_whichever_was_opened_first),
        SQLITE_TEST(two_attached_databases_are_published_each_by_itself),
        SQLITE_TEST(vacuum_backup_and_copies_take_one_version_and_make_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
