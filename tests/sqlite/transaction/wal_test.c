/*
 * WAL: snapshots for readers, checkpoints of every kind, recovery, and what must hold at a full
 * quota: no checkpoint is stuck, no commit that was refused appears later, no database is torn.
 */
#include "sqlite_fixture.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 3000 };

static sqlite3 *open_wal(const char *path)
{
    sqlite3 *db = db_open(path);
    db_assert_text(db, "PRAGMA journal_mode=WAL", "wal");
    db_run(db, "CREATE TABLE IF NOT EXISTS t(id INTEGER PRIMARY KEY, v)");
    return db;
}

/* The checkpoint is done to the end: not busy, and every frame is in the database. */
static void checkpoint(sqlite3 *db, int kind)
{
    int frames, done;
    assert_int_equal(sqlite3_wal_checkpoint_v2(db, "main", kind, &frames, &done), SQLITE_OK);
    assert_int_equal(frames, done);
}

static void readers_see_the_version_they_began_with(void **state)
{
    (void)state;
    sqlite3 *writer = open_wal("/a.db");
    sqlite3 *reader = db_open("/a.db");
    db_run(writer, "INSERT INTO t VALUES(1, 'one')");
    db_run(reader, "BEGIN");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t"), 1);
    db_run(writer, "INSERT INTO t VALUES(2, 'two')");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_try(reader, "INSERT INTO t VALUES(3, 'late')"), SQLITE_BUSY_SNAPSHOT);
    db_run(reader, "COMMIT");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t"), 2);
    db_close(reader);
    db_close(writer);
}

/* A transaction that spills keeps room for its frames, rolled back or not. */
static void an_emptied_wal_keeps_no_room(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("/a.db");
    db_run(db, "PRAGMA cache_size=5; PRAGMA wal_autocheckpoint=0; INSERT INTO t(v) VALUES(1)");
    db_run(db, "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<300)"
               "INSERT INTO t(v) SELECT randomblob(3000) FROM n; ROLLBACK");
    assert_true(statfs_of(f->fs).preallocated_bytes > 0);
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
    db_run(db, "INSERT INTO t(v) VALUES(2)");
    db_close(db);
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
}

static void every_kind_of_checkpoint_works_and_truncate_empties_the_wal(void **state)
{
    struct fixture *f = *state;
    static const int kinds[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_FULL,
                                SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_TRUNCATE};
    memfs_stat_info info;
    info.struct_size = sizeof info;
    sqlite3 *db = open_wal("/a.db");
    for (int i = 0; i < 4; i++) {
        db_run(db, "INSERT INTO t(v) VALUES(zeroblob(30000))");
        checkpoint(db, kinds[i]);
        assert_int_equal(memfs_stat(f->fs, "/a.db-wal", &info), 0);
        assert_int_equal(info.size_bytes == 0, kinds[i] == SQLITE_CHECKPOINT_TRUNCATE);
    }
    db_assert_whole(db);
    db_close(db);
}

static void the_last_connection_takes_wal_index_and_reservation_with_it(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("/a.db");
    sqlite3 *other = db_open("/a.db");
    uint64_t before = statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED];
    db_run(db, "INSERT INTO t(v) VALUES(zeroblob(100000))");
    assert_true(statfs_of(f->fs).preallocated_bytes >= 100000);
    assert_int_equal(db_number(other, "SELECT count(*) FROM t"), 1);
    db_close(other);
    assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED], before);
    db_close(db);
    assert_int_equal(memfs_exists(f->fs, "/a.db-wal"), 0);
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
    assert_true(statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED] < before);
}

/* More than the index of names has room for. */
static void each_of_many_databases_gets_its_reservation(void **state)
{
    struct fixture *f = *state;
    enum { DATABASES = 150 };
    sqlite3 *databases[DATABASES];
    for (int index = 0; index < DATABASES; index++) {
        char path[32];
        uint64_t before = statfs_of(f->fs).preallocated_bytes;
        snprintf(path, sizeof path, "/%d.db", index);
        databases[index] = open_wal(path);
        db_run(databases[index], "INSERT INTO t(v) VALUES (zeroblob(20000))");
        assert_true(statfs_of(f->fs).preallocated_bytes >= before + 20000);
    }
    for (int index = 0; index < DATABASES; index++)
        db_close(databases[index]);
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
}

static void a_wal_of_several_index_regions_is_read_and_checkpointed(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/a.db");
    db_run(db, "PRAGMA page_size=512; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
               "CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
               "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<6000) "
               "INSERT INTO t SELECT i, zeroblob(900) FROM n; COMMIT;");
    sqlite3 *reader = db_open("/a.db");
    assert_int_equal(db_number(reader, "SELECT sum(length(v)) FROM t"), 6000 * 900);
    db_close(reader);
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    db_assert_whole(db);
    db_close(db);
}

static void keep_wal(sqlite3 *db)
{
    int on = 1;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &on), SQLITE_OK);
    assert_int_equal(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), SQLITE_OK);
}

static void a_wal_that_was_left_behind_is_recovered_at_a_full_quota(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("/a.db");
    keep_wal(db);
    db_run(db, "INSERT INTO t VALUES(1, zeroblob(200000))");
    db_close(db);
    assert_int_equal(memfs_exists(f->fs, "/a.db-wal"), 1);
    quota_leave(f, 0);
    db = db_open("/a.db");
    assert_int_equal(db_number(db, "SELECT length(v) FROM t"), 200000);
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    db_assert_whole(db);
    quota_lift(f);
    db_close(db);
}

static void a_wal_that_was_renamed_is_recovered_at_a_full_quota(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("/a.db");
    keep_wal(db);
    db_run(db, "INSERT INTO t VALUES(1, zeroblob(200000))");
    db_close(db);
    assert_int_equal(memfs_rename(f->fs, "/a.db", "/b.db", 0), 0);
    assert_int_equal(memfs_rename(f->fs, "/a.db-wal", "/b.db-wal", 0), 0);
    db = db_open("/b.db");
    keep_wal(db);
    assert_int_equal(db_number(db, "SELECT length(v) FROM t"), 200000);
    db_close(db);
    quota_leave(f, 0);
    db = db_open("/b.db");
    assert_int_equal(db_number(db, "SELECT length(v) FROM t"), 200000);
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    db_assert_whole(db);
    quota_lift(f);
    db_close(db);
}

static void a_copied_image_with_its_wal_is_recovered(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("/a.db");
    db_run(db, "INSERT INTO t VALUES(1, zeroblob(50000))");
    assert_int_equal(memfs_copy(f->fs, "/a.db", "/b.db", 0), 0);
    assert_int_equal(memfs_copy(f->fs, "/a.db-wal", "/b.db-wal", 0), 0);
    db_run(db, "DELETE FROM t");
    sqlite3 *copy = db_open("/b.db");
    assert_int_equal(db_number(copy, "SELECT length(v) FROM t"), 50000);
    db_assert_whole(copy);
    db_close(copy);
    db_close(db);
}

static void copies_of_the_database_do_not_make_a_checkpoint_fail(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("/a.db");
    db_run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<50) "
               "INSERT INTO t SELECT i, zeroblob(3000) FROM n");
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    db_close(db);
    assert_int_equal(memfs_copy(f->fs, "/a.db", "/before.db", 0), 0); /* shares every page */
    db = db_open("/a.db");
    db_run(db, "UPDATE t SET v=randomblob(3000)");
    assert_int_equal(memfs_copy(f->fs, "/a.db", "/meanwhile.db", 0), 0);
    quota_leave(f, 0);
    checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
    db_assert_whole(db);
    quota_lift(f);
    db_close(db);
}

/* Nothing is left, free pages included. */
static void fill(struct fixture *f)
{
    static const unsigned char page[4096] = {1};
    memfs_file *file;
    int64_t written = 0;
    assert_int_equal(memfs_open(f->fs, "/fill", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file), 0);
    quota_leave(f, 16384);
    for (int64_t end = 0; written >= 0; end += written)
        written = memfs_pwrite(file, page, sizeof page, end);
    assert_int_equal(written, MEMFS_EDQUOT);
    assert_int_equal(memfs_close(file), 0);
}

/* Pages that lie inside the database when their frames are written, and outside when they are
 * copied: another checkpoint has cut it meanwhile. */
static void a_checkpoint_that_cuts_the_database_keeps_what_later_frames_need(void **state)
{
    struct fixture *f = *state;
    sqlite3 *cutter = db_open("/a.db");
    db_run(cutter, "PRAGMA auto_vacuum=2; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
                   "CREATE TABLE t(id INTEGER PRIMARY KEY, v);"
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<200) "
                   "INSERT INTO t SELECT i, randomblob(3000) FROM n");
    checkpoint(cutter, SQLITE_CHECKPOINT_TRUNCATE);
    sqlite3 *writer = db_open("/a.db");
    db_run(writer, "PRAGMA cache_size=5; PRAGMA cache_spill=5; PRAGMA wal_autocheckpoint=0;"
                   "SELECT count(*) FROM t");
    db_run(cutter, "DELETE FROM t WHERE id>20; PRAGMA incremental_vacuum");
    db_run(writer, "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i+1 FROM n "
                   "WHERE i<1100) INSERT INTO t SELECT i, randomblob(3000) FROM n;"
                   "UPDATE t SET v=randomblob(3000) WHERE id<=20;"
                   "UPDATE t SET v=randomblob(3000) WHERE id<=20");
    memfs_stat_info before = {.struct_size = sizeof before};
    memfs_stat_info after = before;
    assert_int_equal(memfs_stat(f->fs, "/a.db", &before), 0);
    checkpoint(cutter, SQLITE_CHECKPOINT_PASSIVE);
    assert_int_equal(memfs_stat(f->fs, "/a.db", &after), 0);
    assert_true(after.size_bytes < before.size_bytes);
    db_run(writer, "UPDATE t SET v=randomblob(3000) WHERE id<=3; COMMIT");
    fill(f);
    checkpoint(cutter, SQLITE_CHECKPOINT_PASSIVE);
    checkpoint(cutter, SQLITE_CHECKPOINT_TRUNCATE);
    assert_int_equal(db_number(cutter, "SELECT count(*) FROM t"), 121);
    db_run(writer, "DELETE FROM t WHERE id>=1000");
    checkpoint(cutter, SQLITE_CHECKPOINT_TRUNCATE);
    db_assert_whole(cutter);
    quota_lift(f);
    db_close(writer);
    db_close(cutter);
}

static void work_goes_on_between_rollback_journal_and_wal(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("/a.db");
    for (int i = 0; i < 3; i++) {
        db_run(db, "INSERT INTO t(v) VALUES(zeroblob(9000))");
        sqlite3_free(db_text(db, "PRAGMA journal_mode=DELETE"));
        assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
        db_run(db, "INSERT INTO t(v) VALUES(zeroblob(9000))");
        sqlite3_free(db_text(db, "PRAGMA journal_mode=WAL"));
    }
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 6);
    db_assert_whole(db);
    db_close(db);
}

/*
 * Fills a database in small commits at a full quota: what COMMIT said is what is
 * there, now and after everything was closed and opened again.
 */
static int64_t fill_until_full(sqlite3 *db)
{
    int64_t committed = 0;
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && i < STEPS_MAX; i++) {
        rc = db_try(db, "INSERT INTO t(v) VALUES(randomblob(1500))");
        committed += rc == SQLITE_OK;
    }
    assert_int_equal(rc, SQLITE_FULL);
    return committed;
}

static void no_checkpoint_is_stuck_and_no_commit_is_a_phantom_at_any_quota(void **state)
{
    struct fixture *f = *state;
    for (uint64_t room = 100000; room < 500000; room += 7000) {
        sqlite3 *db = open_wal("/a.db");
        db_run(db, "PRAGMA wal_autocheckpoint=0");
        quota_leave(f, room);
        int64_t committed = fill_until_full(db);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t"), committed);
        checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
        db_assert_whole(db);
        db_close(db);
        db = db_open("/a.db");
        assert_int_equal(db_number(db, "SELECT count(*) FROM t"), committed);
        db_assert_whole(db);
        quota_lift(f);
        db_run(db, "DELETE FROM t; VACUUM;");
        checkpoint(db, SQLITE_CHECKPOINT_TRUNCATE);
        db_close(db);
        assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
        assert_int_equal(memfs_unlink(f->fs, "/a.db"), 0);
    }
}

/* An update adds a few frames to the WAL and leaves the database's size: at some room the quota
 * is met just where the WAL index needs its second region. */
static void a_commit_whose_index_does_not_fit_is_refused_and_stays_so(void **state)
{
    struct fixture *f = *state;
    for (uint64_t room = 2150000; room < 2300000; room += 4096) {
        sqlite3 *db = db_open("/a.db");
        db_run(db, "PRAGMA page_size=512; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
                   "CREATE TABLE t(n, v); INSERT INTO t VALUES(0, zeroblob(4000))");
        quota_leave(f, room);
        int64_t committed = 0;
        int rc;
        while ((rc = db_try(db, "UPDATE t SET n=n+1, v=randomblob(4000)")) == SQLITE_OK)
            committed++;
        assert_int_equal(rc, SQLITE_FULL);
        keep_wal(db);
        db_close(db);
        db = db_open("/a.db");
        assert_int_equal(db_number(db, "SELECT n FROM t"), committed);
        db_assert_whole(db);
        quota_lift(f);
        db_close(db);
        assert_int_equal(memfs_unlink(f->fs, "/a.db"), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(readers_see_the_version_they_began_with),
        SQLITE_TEST(an_emptied_wal_keeps_no_room),
        SQLITE_TEST(every_kind_of_checkpoint_works_and_truncate_empties_the_wal),
        SQLITE_TEST(the_last_connection_takes_wal_index_and_reservation_with_it),
        SQLITE_TEST(each_of_many_databases_gets_its_reservation),
        SQLITE_TEST(a_wal_of_several_index_regions_is_read_and_checkpointed),
        SQLITE_TEST(a_wal_that_was_left_behind_is_recovered_at_a_full_quota),
        SQLITE_TEST(a_wal_that_was_renamed_is_recovered_at_a_full_quota),
        SQLITE_TEST(a_copied_image_with_its_wal_is_recovered),
        SQLITE_TEST(copies_of_the_database_do_not_make_a_checkpoint_fail),
        SQLITE_TEST(a_checkpoint_that_cuts_the_database_keeps_what_later_frames_need),
        SQLITE_TEST(work_goes_on_between_rollback_journal_and_wal),
        SQLITE_TEST(no_checkpoint_is_stuck_and_no_commit_is_a_phantom_at_any_quota),
        SQLITE_TEST(a_commit_whose_index_does_not_fit_is_refused_and_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
