/*
 * A database as of a snapshot: `file:/app.db?memfs_snapshot=friday`.  What was committed when the
 * snapshot was taken is read, whatever lay beside the database then, and nothing is written.
 */
#include "sqlite_fixture.h"

#include <stdlib.h>
#include <string.h>

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST",
                                            "MEMORY", "OFF",      "WAL"};

#define FRIDAY "file:/app.db?memfs_snapshot=friday"

static void fill(sqlite3 *db, int from, int to)
{
    db_run(db,
           "WITH RECURSIVE n(i) AS (VALUES(%d) UNION ALL SELECT i+1 FROM n WHERE i<%d) "
           "INSERT INTO t SELECT i, hex(zeroblob(300)) FROM n",
           from, to);
}

static sqlite3 *make(const char *journal_mode)
{
    sqlite3 *db = db_open("/app.db");
    db_run(db, "PRAGMA journal_mode=%s; PRAGMA cache_size=5", journal_mode);
    db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    fill(db, 1, 100);
    return db;
}

static int64_t rows_of(sqlite3 *db)
{
    return db_number(db, "SELECT count(*) FROM t");
}

static void assert_is_of_friday(sqlite3 *db)
{
    assert_int_equal(rows_of(db), 100);
    assert_int_equal(db_number(db, "SELECT max(id) FROM t"), 100);
    db_assert_whole(db);
}

static void assert_refuses_to_write(sqlite3 *db)
{
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(7000, 1)") & 0xff, SQLITE_READONLY);
    assert_int_equal(db_try(db, "CREATE TABLE u(x)") & 0xff, SQLITE_READONLY);
    (void)db_try(db, "PRAGMA journal_mode=WAL");
    (void)db_try(db, "PRAGMA journal_mode=DELETE");
    (void)db_try(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)db_try(db, "VACUUM");
    assert_is_of_friday(db);
}

/* Idle, and in the middle of a transaction that has spilled to the database or to the WAL. */
static void each_mode_is_read_as_it_was(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2 * (int)COUNT_OF(journal_modes); i++) {
        const char *mode = journal_modes[i / 2];
        memfs_statfs_info before = statfs_of(f->fs);
        sqlite3 *db = make(mode);
        if (i % 2 != 0)
            db_run(db, "BEGIN; UPDATE t SET v='torn'; DELETE FROM t WHERE id%%3=0");
        assert_ok(memfs_snapshot_take(f->fs, "friday"));
        sqlite3 *old = db_open(FRIDAY);
        assert_is_of_friday(old);
        db_run(db, i % 2 != 0 ? "COMMIT" : "DELETE FROM t WHERE id%%3=0");
        fill(db, 101, 300);
        sqlite3 *another = db_open(FRIDAY);
        assert_is_of_friday(another);
        assert_is_of_friday(old);
        assert_refuses_to_write(old);
        assert_refuses_to_write(another);
        db_close(old);
        assert_int_equal(rows_of(db), 67 + 200);
        db_assert_whole(db);
        db_close(another);
        db_run(db, "PRAGMA journal_mode=DELETE");
        db_close(db);
        assert_ok(memfs_snapshot_remove(f->fs, "friday"));
        assert_ok(memfs_unlink(f->fs, "/app.db"));
        (void)memfs_unlink(f->fs, "/app.db-journal");
        assert_int_equal(statfs_of(f->fs).used_bytes, before.used_bytes);
    }
}

/* Many at once, beside the live one, also by ATTACH; the snapshot goes meanwhile. */
static void snapshots_are_compared_by_attaching_them(void **state)
{
    struct fixture *f = *state;
    for (int wal = 0; wal < 2; wal++) {
        sqlite3 *db = make(wal ? "WAL" : "DELETE");
        assert_ok(memfs_snapshot_take(f->fs, "friday"));
        fill(db, 101, 150);
        assert_ok(memfs_snapshot_take(f->fs, "saturday"));
        db_run(db, "DELETE FROM t WHERE id<=10");
        db_run(db, "ATTACH '" FRIDAY "' AS friday");
        db_run(db, "ATTACH 'file:/app.db?memfs_snapshot=saturday' AS saturday");
        assert_int_equal(db_number(db, "SELECT (SELECT count(*) FROM main.t) * 1000000 +"
                                       " (SELECT count(*) FROM friday.t) * 1000 +"
                                       " (SELECT count(*) FROM saturday.t)"),
                         140100150);
        assert_ok(memfs_snapshot_remove(f->fs, "friday"));
        assert_ok(memfs_snapshot_take(f->fs, "friday"));
        assert_int_equal(db_number(db, "SELECT count(*) FROM friday.t"), 100);
        assert_int_equal(db_number(db, "SELECT count(*) FROM saturday.t "
                                       "WHERE id NOT IN (SELECT id FROM friday.t)"),
                         50);
        db_run(db, "INSERT INTO main.t SELECT id, v FROM friday.t WHERE id<=10");
        assert_int_equal(db_number(db, "SELECT count(*) FROM main.t"), 150);
        db_close(db);
        assert_ok(memfs_snapshot_remove(f->fs, "friday"));
        assert_ok(memfs_snapshot_remove(f->fs, "saturday"));
        assert_ok(memfs_unlink(f->fs, "/app.db"));
    }
}

/* A transaction over two databases counts as committed when its super-journal is gone. */
static void a_torn_transaction_over_two_databases_is_undone_in_both(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make("DELETE");
    db_run(db, "ATTACH '/two.db' AS two; PRAGMA two.cache_size=5; CREATE TABLE two.t(id, v)");
    db_run(db, "INSERT INTO two.t SELECT * FROM main.t");
    db_run(db, "BEGIN; UPDATE main.t SET v='torn'; UPDATE two.t SET v='torn'");
    assert_ok(memfs_snapshot_take(f->fs, "friday"));
    db_run(db, "COMMIT");
    sqlite3 *old = db_open(FRIDAY);
    db_run(old, "ATTACH 'file:/two.db?memfs_snapshot=friday' AS two");
    assert_int_equal(db_number(old, "SELECT count(*) FROM main.t WHERE v='torn'"), 0);
    assert_int_equal(db_number(old, "SELECT count(*) FROM two.t WHERE v='torn'"), 0);
    db_close(old);
    db_close(db);
}

/* What SQLite writes behind a journal when it commits over several databases. */
static void name_super_journal(memfs *fs, const char *journal, const char *super)
{
    static const unsigned char magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7};
    size_t length = strlen(super);
    unsigned char bytes[100] = {0};
    uint32_t sum = 0;
    assert_true(length + 20 <= sizeof bytes);
    memcpy(bytes + 4, super, length);
    for (size_t i = 0; i < length; i++)
        sum += (unsigned char)super[i];
    bytes[4 + length + 3] = (unsigned char)length;
    for (int i = 0; i < 4; i++)
        bytes[8 + length + (size_t)i] = (unsigned char)(sum >> (24 - 8 * i));
    memcpy(bytes + 12 + length, magic, sizeof magic);
    assert_ok(memfs_append_file(fs, journal, bytes, length + 20, 0644, 0));
}

/* Whether it was there when the snapshot was taken, and not whether it is there today. */
static void a_super_journal_is_looked_for_in_the_snapshot(void **state)
{
    static const char super[] = "/app.db-mj123456789";
    struct fixture *f = *state;
    sqlite3 *db = make("DELETE");
    db_run(db, "BEGIN; UPDATE t SET v='torn'");
    name_super_journal(f->fs, "/app.db-journal", super);
    assert_ok(memfs_snapshot_take(f->fs, "after"));
    put(f->fs, super, "/app.db-journal");
    assert_ok(memfs_snapshot_take(f->fs, "friday"));
    assert_ok(memfs_unlink(f->fs, super));
    sqlite3 *old = db_open(FRIDAY);
    assert_is_of_friday(old);
    assert_int_equal(db_number(old, "SELECT count(*) FROM t WHERE v='torn'"), 0);
    db_close(old);
    put(f->fs, super, "/app.db-journal");
    sqlite3 *committed = db_open("file:/app.db?memfs_snapshot=after");
    assert_int_equal(sqlite3_db_readonly(committed, "main"), 1);
    assert_true(db_number(committed, "SELECT count(*) FROM t WHERE v='torn'") > 0);
    db_close(committed);
    db_run(db, "ROLLBACK");
    db_close(db);
}

/* An index of a snapshot's WAL is nobody else's. */
static void closing_gives_everything_back(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make("WAL");
    assert_ok(memfs_snapshot_take(f->fs, "friday"));
    uint64_t used = statfs_of(f->fs).used_bytes;
    for (int i = 0; i < 3; i++) {
        sqlite3 *old = db_open(FRIDAY);
        assert_is_of_friday(old);
        assert_true(statfs_of(f->fs).used_bytes > used);
        db_close(old);
        assert_int_equal(statfs_of(f->fs).used_bytes, used);
    }
    db_close(db);
}

static void assert_not_opened(const char *uri, const char *reason)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    assert_int_equal(sqlite3_open_v2(uri, &db, flags, TEST_VFS), SQLITE_CANTOPEN);
    db_close(db);
    if (strcmp(memfs_sqlite_last_error(), reason) != 0)
        fail_msg("%s", memfs_sqlite_last_error());
}

static void what_is_not_there_is_named(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make("DELETE");
    assert_not_opened(FRIDAY, "there is no snapshot friday");
    assert_ok(memfs_snapshot_take(f->fs, "friday"));
    assert_not_opened("file:/none.db?memfs_snapshot=friday",
                      "/none.db is not in the snapshot friday");
    assert_not_opened("file:/none/app.db?memfs_snapshot=friday&memfs_make_parents=1",
                      "/none/app.db is not in the snapshot friday");
    assert_int_equal(memfs_exists(f->fs, "/none"), 0);
    assert_not_opened("file:/app.db?memfs_snapshot=",
                      "the URI parameter memfs_snapshot= is unknown or malformed");
    assert_not_opened("file:/app.db?memfs_snapshot=x/y", "there is no snapshot x/y");
    db_close(db);
}

/* The live database may be gone, be another, or be open in any way. */
static void the_live_database_does_not_matter(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make("WAL");
    assert_ok(memfs_snapshot_take(f->fs, "friday"));
    db_run(db, "PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE; DELETE FROM t");
    sqlite3 *old = db_open(FRIDAY "&memfs_mvcc=1&memfs_read_only_image=1");
    assert_is_of_friday(old);
    assert_int_equal(sqlite3_db_readonly(old, "main"), 1);
    db_run(db, "COMMIT");
    db_close(db);
    assert_ok(memfs_unlink(f->fs, "/app.db"));
    assert_is_of_friday(old);
    db_close(old);
    old = db_open(FRIDAY);
    assert_is_of_friday(old);
    sqlite3 *anew = db_open("/app.db");
    db_run(anew, "CREATE TABLE other(x)");
    assert_is_of_friday(old);
    db_run(old, "VACUUM INTO 'file:/again.db?vfs=" TEST_VFS "'");
    db_close(old);
    db_assert_whole(anew);
    db_close(anew);
    sqlite3 *again = db_open("/again.db");
    assert_is_of_friday(again);
    db_close(again);
}

/* Opening costs nodes and handles, reading a WAL its index; a playback, pages. */
static void refused_at_the_quota_nothing_stays(void **state)
{
    struct fixture *f = *state;
    for (int wal = 0; wal < 2; wal++) {
        sqlite3 *db = make(wal ? "WAL" : "DELETE");
        db_run(db, "BEGIN; UPDATE t SET v='torn'");
        assert_ok(memfs_snapshot_take(f->fs, "friday"));
        unsigned refusals = 0;
        bool is_read = false;
        for (unsigned more = 0; !is_read; more += 256) {
            assert_true(more < 200000);
            quota_leave(f, more);
            uint64_t used = statfs_of(f->fs).used_bytes;
            sqlite3 *old;
            int rc = sqlite3_open_v2(FRIDAY, &old, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                                     TEST_VFS);
            if (rc == SQLITE_OK)
                rc = db_try(old, "SELECT count(*) FROM t");
            is_read = rc == SQLITE_OK;
            if (is_read)
                assert_is_of_friday(old);
            else
                refusals++;
            assert_true(is_read || (rc & 0xff) == SQLITE_FULL || (rc & 0xff) == SQLITE_IOERR ||
                        (rc & 0xff) == SQLITE_CANTOPEN);
            assert_int_equal(sqlite3_close(old), SQLITE_OK);
            assert_int_equal(statfs_of(f->fs).used_bytes, used);
            quota_lift(f);
        }
        assert_true(refusals > 0);
        db_run(db, "ROLLBACK");
        assert_int_equal(rows_of(db), 100);
        db_close(db);
        assert_ok(memfs_snapshot_remove(f->fs, "friday"));
        assert_ok(memfs_unlink(f->fs, "/app.db"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(each_mode_is_read_as_it_was),
        SQLITE_TEST(snapshots_are_compared_by_attaching_them),
        SQLITE_TEST(a_torn_transaction_over_two_databases_is_undone_in_both),
        SQLITE_TEST(a_super_journal_is_looked_for_in_the_snapshot),
        SQLITE_TEST(closing_gives_everything_back),
        SQLITE_TEST(what_is_not_there_is_named),
        SQLITE_TEST(the_live_database_does_not_matter),
        SQLITE_TEST(refused_at_the_quota_nothing_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
