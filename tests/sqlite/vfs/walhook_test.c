/*
 * A WAL is checkpointed before a small quota is full, on every connection, unless the program wants
 * it otherwise.
 */
#include "sqlite_fixture.h"

#include <stdbool.h>
#include <stdlib.h>

enum { SMALL_QUOTA = 2 << 20, ROWS = 28, ENOUGH = 1500 };

static struct fixture *make(void)
{
    struct fixture *f = create_with_quota(SMALL_QUOTA);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    return f;
}

static void unmake(struct fixture *f)
{
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    fixture_destroy(f);
}

static sqlite3 *open_wal(const char *settings)
{
    sqlite3 *db = db_open("/a.db");
    db_run(db, "PRAGMA page_size=4096; %s; PRAGMA journal_mode=WAL", settings);
    db_assert_text(db, "PRAGMA journal_mode", "wal");
    db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
    return db;
}

/* Transactions that each replace one of ROWS rows; returns how many pass before one is FULL. */
static int replace_rows(sqlite3 *db, const char *before, const char *after)
{
    int rc = SQLITE_OK;
    for (int i = 0; i < ENOUGH; i++) {
        char *sql = sqlite3_mprintf("%sREPLACE INTO t VALUES(%d, randomblob(3000))%s", before,
                                    i % ROWS, after);
        rc = db_try(db, sql);
        sqlite3_free(sql);
        if (rc != SQLITE_OK) {
            assert_int_equal(rc, SQLITE_FULL);
            return i;
        }
    }
    return ENOUGH;
}

/* Closes a database that is checkpointed, and whole. */
static void finish(sqlite3 *db)
{
    sqlite3_free(db_text(db, "PRAGMA wal_checkpoint(TRUNCATE)"));
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), ROWS);
    assert_true(db_number(db, "PRAGMA page_count") < 40);
    db_assert_whole(db);
    db_close(db);
}

static void a_wal_is_checkpointed_before_a_small_quota_is_full(void **state)
{
    (void)state;
    static const char *const settings[] = {"", "PRAGMA locking_mode=EXCLUSIVE",
                                           "PRAGMA cache_size=5", "PRAGMA mmap_size=1000000",
                                           "PRAGMA wal_autocheckpoint=900"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        struct fixture *f = make();
        sqlite3 *db = open_wal(settings[i]);
        int64_t limit = db_number(db, "PRAGMA wal_autocheckpoint");
        assert_int_equal(replace_rows(db, "", ""), ENOUGH);
        assert_int_equal(replace_rows(db, "BEGIN; SELECT * FROM t; ", "; COMMIT"), ENOUGH);
        assert_int_equal(db_number(db, "PRAGMA wal_autocheckpoint"), limit);
        finish(db);
        unmake(f);
    }
}

static void connections_take_turns_to_checkpoint(void **state)
{
    (void)state;
    struct fixture *f = make();
    sqlite3 *first = open_wal("");
    sqlite3 *second = db_open("/a.db");
    for (int i = 0; i < ENOUGH; i++)
        db_run(i % 2 == 0 ? first : second, "REPLACE INTO t VALUES(%d, randomblob(3000))",
               i % ROWS);
    db_close(second);
    finish(first);
    unmake(f);
}

static void a_commit_at_a_finalize_is_checkpointed_too(void **state)
{
    (void)state;
    struct fixture *f = make();
    sqlite3 *db = open_wal("");
    for (int i = 0; i < ENOUGH; i++) {
        sqlite3_stmt *statement;
        char *sql = sqlite3_mprintf("REPLACE INTO t VALUES(%d, randomblob(3000)) RETURNING id",
                                    i % ROWS);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
        sqlite3_free(sql);
        assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
        assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
        if (i % 3 == 0) /* SQLite calls its hooks at the end of a statement that was stepped on */
            assert_int_equal(db_number(db, "SELECT count(*) FROM t") <= ROWS, 1);
        db_run(db, "SELECT 1");
    }
    assert_int_equal(db_number(db, "PRAGMA wal_autocheckpoint"), 1000);
    finish(db);
    unmake(f);
}

/* ------------------------------------------------------- what the program has set */

static int count_commits(void *count, sqlite3 *db, const char *schema, int frames)
{
    (void)db;
    assert_string_equal(schema, "main");
    assert_true(frames > 0);
    ++*(int *)count;
    return SQLITE_OK;
}

static void a_hook_of_the_program_stays(void **state)
{
    (void)state;
    for (int in_transaction = 0; in_transaction < 2; in_transaction++) {
        struct fixture *f = make();
        int count = 0;
        sqlite3 *db = open_wal("");
        assert_int_equal(in_transaction ? replace_rows(db, "", "") : ENOUGH, ENOUGH);
        if (in_transaction)
            db_run(db, "BEGIN IMMEDIATE; REPLACE INTO t VALUES(0, randomblob(3000))");
        (void)sqlite3_wal_hook(db, count_commits, &count);
        if (in_transaction)
            db_run(db, "COMMIT");
        int passed = replace_rows(db, "", "");
        assert_in_range(passed, ROWS, ENOUGH - 1); /* the hook does not checkpoint */
        assert_int_equal(count, passed + in_transaction);
        assert_int_equal(db_number(db, "PRAGMA wal_autocheckpoint"), 0);
        assert_ptr_equal(sqlite3_wal_hook(db, NULL, NULL), &count);
        finish(db);
        unmake(f);
    }
}

static void where_the_program_wants_no_checkpoint_none_comes(void **state)
{
    (void)state;
    for (int by_pragma = 0; by_pragma < 2; by_pragma++) {
        struct fixture *f = make();
        sqlite3 *db = open_wal("");
        if (by_pragma)
            db_run(db, "PRAGMA wal_autocheckpoint=0");
        else
            assert_int_equal(sqlite3_wal_autocheckpoint(db, 0), SQLITE_OK);
        assert_in_range(replace_rows(db, "", ""), ROWS, ENOUGH - 1);
        assert_int_equal(db_number(db, "PRAGMA wal_autocheckpoint"), 0);
        finish(db);
        unmake(f);
    }
}

static void a_smaller_number_of_frames_stays(void **state)
{
    (void)state;
    struct fixture *f = make();
    sqlite3 *db = open_wal("PRAGMA wal_autocheckpoint=20");
    assert_int_equal(replace_rows(db, "", ""), ENOUGH);
    assert_int_equal(db_number(db, "PRAGMA wal_autocheckpoint"), 20);
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_int_equal(memfs_stat(f->fs, "/a.db-wal", &info), 0);
    assert_in_range(info.size_bytes, 20 * 4096, 60 * 4096);
    finish(db);
    unmake(f);
}

static int deny_pragmas(void *count, int action, const char *first, const char *second,
                        const char *schema, const char *trigger)
{
    (void)first, (void)second, (void)schema, (void)trigger;
    *(int *)count += action == SQLITE_PRAGMA;
    return action == SQLITE_PRAGMA ? SQLITE_DENY : SQLITE_OK;
}

static void where_the_hook_cannot_be_known_it_stays(void **state)
{
    (void)state;
    struct fixture *f = make();
    int denied = 0;
    sqlite3 *db = open_wal("");
    sqlite3_set_authorizer(db, deny_pragmas, &denied);
    assert_in_range(replace_rows(db, "", ""), ROWS, ENOUGH - 1);
    assert_true(denied > 0);
    sqlite3_set_authorizer(db, NULL, NULL);
    sqlite3_free(db_text(db, "PRAGMA wal_checkpoint(RESTART)"));
    db_run(db, "ATTACH ':memory:' AS other");
    assert_in_range(replace_rows(db, "", ""), ROWS, ENOUGH - 1);
    assert_int_equal(db_number(db, "PRAGMA wal_autocheckpoint"), 1000);
    db_run(db, "DETACH other");
    finish(db);
    unmake(f);
}

static void with_room_the_checkpoint_comes_after_as_many_frames_as_ever(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_wal("PRAGMA wal_autocheckpoint=300");
    assert_int_equal(replace_rows(db, "", ""), ENOUGH);
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_int_equal(memfs_stat(f->fs, "/a.db-wal", &info), 0);
    assert_in_range(info.size_bytes, 300 * 4096, 320 * 4200);
    finish(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wal_is_checkpointed_before_a_small_quota_is_full),
        cmocka_unit_test(connections_take_turns_to_checkpoint),
        cmocka_unit_test(a_commit_at_a_finalize_is_checkpointed_too),
        cmocka_unit_test(a_hook_of_the_program_stays),
        cmocka_unit_test(where_the_program_wants_no_checkpoint_none_comes),
        cmocka_unit_test(a_smaller_number_of_frames_stays),
        cmocka_unit_test(where_the_hook_cannot_be_known_it_stays),
        SQLITE_TEST(with_room_the_checkpoint_comes_after_as_many_frames_as_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
