/*
 * A callback for refusals makes room while SQLite is in the middle of a statement, in every journal
 * mode; the statement does not notice. SQLite's test_quota.c is the model.
 */
#include "sqlite_fixture.h"

#include <stdbool.h>

enum { SMALL_QUOTA = 1 << 20, STEP = 64 << 10 };

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST",
                                            "MEMORY", "OFF",      "WAL"};
enum { JOURNAL_MODES = sizeof journal_modes / sizeof *journal_modes };

struct helper {
    struct fixture *f;
    int calls;
};

static int raise_the_limit(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct helper *helper = context;
    helper->calls++;
    if (refusal->error == MEMFS_EDQUOT)
        fixture_set_quota(helper->f, statfs_of(fs).quota_bytes + STEP);
    else
        assert_int_equal(memfs_set_node_limit(fs, statfs_of(fs).node_limit + 1), 0);
    return MEMFS_REFUSED_RETRY;
}

static int remove_a_cached_file(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct helper *helper = context;
    char path[] = "/cache-0";
    (void)refusal;
    helper->calls++;
    for (path[7] = '0'; path[7] <= '9'; path[7]++)
        if (memfs_unlink(fs, path) == 0)
            return MEMFS_REFUSED_RETRY;
    return MEMFS_REFUSED_FAIL;
}

static struct fixture *make(struct helper *helper, memfs_refused_callback callback)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = SMALL_QUOTA;
    config.refused = callback;
    config.refused_context = helper;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    helper->f = f;
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    return f;
}

static void unmake(struct fixture *f)
{
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    fixture_destroy(f);
}

static sqlite3 *open_database(const char *mode, int page_size)
{
    sqlite3 *db = db_open("/a.db");
    db_run(db, "PRAGMA page_size=%d", page_size);
    db_run(db, "PRAGMA journal_mode=%s", mode);
    db_run(db, "PRAGMA cache_size=5; PRAGMA temp_store=FILE; PRAGMA temp.cache_size=5");
    db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, k, v)");
    return db;
}

static void insert(sqlite3 *db, int rows)
{
    db_run(db,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d) "
           "INSERT INTO t(k, v) SELECT i*7919%%1000, randomblob(1000) FROM n",
           rows);
}

static void statements_pass_while_the_quota_is_raised_under_them(void **state)
{
    (void)state;
    for (int way = 0; way < 2 * JOURNAL_MODES; way++) {
        struct helper helper = {0};
        struct fixture *f = make(&helper, raise_the_limit);
        sqlite3 *db = open_database(journal_modes[way / 2], way % 2 == 0 ? 4096 : 65536);
        insert(db, 1500);
        int calls = helper.calls;
        assert_true(calls > 0);
        db_run(db,
               "BEGIN; UPDATE t SET v=randomblob(1500); SAVEPOINT s; DELETE FROM t WHERE id%%3=0;"
               "INSERT INTO t(k, v) SELECT k, v FROM t LIMIT 500; ROLLBACK TO s; COMMIT");
        assert_true(helper.calls > calls);
        db_run(db, "CREATE INDEX tk ON t(k, v); CREATE TEMP TABLE s AS SELECT v FROM t ORDER BY k");
        db_run(db, "VACUUM");
        assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE length(v)=1500"), 1500);
        db_assert_whole(db);
        db_close(db);
        unmake(f);
    }
}

static void a_first_connection_to_a_wal_database_passes(void **state)
{
    (void)state;
    struct helper helper = {0};
    struct fixture *f = make(&helper, raise_the_limit);
    sqlite3 *db = open_database("WAL", 4096);
    insert(db, 300);
    db_close(db);
    helper.calls = 0;
    assert_int_equal(memfs_set_emergency_reserve(f->fs, 0), 0);
    quota_leave(f, 0);
    db = db_open("/a.db");
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 300);
    assert_true(helper.calls > 0);
    db_close(db);
    unmake(f);
}

static void statements_pass_while_files_are_removed_for_them(void **state)
{
    (void)state;
    static const char bytes[60000];
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        struct helper helper = {0};
        struct fixture *f = make(&helper, remove_a_cached_file);
        sqlite3 *db = open_database(journal_modes[mode], 4096);
        char path[] = "/cache-0";
        for (path[7] = '0'; path[7] <= '9'; path[7]++)
            assert_int_equal(memfs_write_file(f->fs, path, bytes, sizeof bytes, 0644, 0), 0);
        for (int i = 0; helper.calls < 5; i++)
            insert(db, 10);
        int64_t rows = db_number(db, "SELECT count(*) FROM t");
        assert_true(rows % 10 == 0);
        int rc = SQLITE_OK; /* when all files are gone, there is no more room to be made */
        for (int i = 0; rc == SQLITE_OK && i < 10000; i++)
            rc = db_try(db, "INSERT INTO t(v) VALUES(randomblob(1000))");
        assert_int_equal(rc, SQLITE_FULL);
        assert_int_equal(memfs_exists(f->fs, "/cache-9"), 0);
        assert_true(db_number(db, "SELECT count(*) FROM t") >= rows);
        db_assert_whole(db);
        db_close(db);
        unmake(f);
    }
}

static void the_node_limit_is_raised_for_a_journal(void **state)
{
    (void)state;
    struct helper helper = {0};
    struct fixture *f = make(&helper, raise_the_limit);
    sqlite3 *db = open_database("DELETE", 4096);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(memfs_set_node_limit(f->fs, info.files + info.directories), 0);
    insert(db, 1);
    assert_int_equal(helper.calls, 1);
    db_close(db);
    unmake(f);
}

/* A refusal that the callback cannot help is SQLITE_FULL; the callback is called once for each
 * call. */
static int say_retry(void *context, memfs *fs, const memfs_refusal *refusal)
{
    struct helper *helper = context;
    (void)fs;
    (void)refusal;
    helper->calls++;
    return MEMFS_REFUSED_RETRY;
}

static void a_callback_that_does_not_help_ends_in_full(void **state)
{
    (void)state;
    struct helper helper = {0};
    struct fixture *f = make(&helper, say_retry);
    sqlite3 *db = open_database("DELETE", 4096);
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && i < 10000; i++)
        rc = db_try(db, "INSERT INTO t(v) VALUES(randomblob(1000))");
    assert_int_equal(rc, SQLITE_FULL);
    assert_true(helper.calls > 0 && helper.calls < 10);
    db_run(db, "DELETE FROM t WHERE id=1");
    db_assert_whole(db);
    db_close(db);
    unmake(f);
}

/* Frees pages and uses them again in a transaction that frees them in its end.  Without
 * secure_delete the pages then hold something else in SQLite's cache than in the file, and a
 * transaction journals what the cache has. */
static void make_free_pages_differ(sqlite3 *db)
{
    db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE INDEX ti ON t(v)");
    db_run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<40) "
               "INSERT INTO t SELECT i, zeroblob(300)||i FROM n; DELETE FROM t WHERE id%%2=0");
    db_run(db, "BEGIN; INSERT INTO t VALUES(1000, randomblob(2500)); DELETE FROM t WHERE id=1000;"
               "COMMIT");
    assert_true(db_number(db, "PRAGMA freelist_count") > 1);
}

static void read_it_all(const char *path)
{
    sqlite3 *other = db_open(path);
    assert_int_equal(db_number(other, "SELECT count(*) FROM t"), 20);
    db_assert_whole(other);
    db_close(other);
}

/* Refuses VACUUM with more and more room. */
static void vacuum_until_it_passes(struct fixture *f, sqlite3 *db, const char *path, int exclusive)
{
    int rc = SQLITE_FULL;
    for (unsigned more = 0; rc != SQLITE_OK; more += 512) {
        assert_true(more < 200000);
        db_run(db, "BEGIN; INSERT INTO t VALUES(1000, zeroblob(2500));"
                   "DELETE FROM t WHERE id=1000; COMMIT");
        assert_int_equal(memfs_copy(f->fs, "/a.db", "/copy.db", 0), 0);
        quota_leave(f, more);
        rc = db_try(db, "VACUUM");
        assert_true(rc == SQLITE_OK || rc == SQLITE_FULL);
        assert_int_equal(db_number(db, "SELECT count(*) FROM t"), 20);
        db_assert_whole(db);
        if (!exclusive)
            read_it_all(path);
        quota_lift(f);
        assert_int_equal(memfs_unlink(f->fs, "/copy.db"), 0);
    }
}

static void after_a_refusal_a_database_with_free_pages_can_be_read_at_the_full_quota(void **state)
{
    (void)state;
    for (int way = 0; way < 4 * (JOURNAL_MODES + 1); way++) {
        bool is_isolated = way / 4 == JOURNAL_MODES;
        const char *path = is_isolated ? "file:/a.db?memfs_mvcc=1" : "/a.db";
        const char *mode = is_isolated ? "MEMORY" : journal_modes[way / 4];
        struct helper helper = {0};
        struct fixture *f = make(&helper, NULL);
        quota_lift(f);
        assert_int_equal(memfs_set_emergency_reserve(f->fs, 0), 0);
        sqlite3 *db = db_open(path);
        db_run(db, "PRAGMA page_size=512; PRAGMA secure_delete=OFF; PRAGMA locking_mode=%s",
               way % 2 != 0 ? "EXCLUSIVE" : "NORMAL");
        db_run(db, "PRAGMA journal_mode=%s; PRAGMA cache_size=%d", mode, way % 4 < 2 ? 200 : 5);
        make_free_pages_differ(db);
        vacuum_until_it_passes(f, db, path, way % 2);
        db_close(db);
        unmake(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_pass_while_the_quota_is_raised_under_them),
        cmocka_unit_test(a_first_connection_to_a_wal_database_passes),
        cmocka_unit_test(statements_pass_while_files_are_removed_for_them),
        cmocka_unit_test(the_node_limit_is_raised_for_a_journal),
        cmocka_unit_test(after_a_refusal_a_database_with_free_pages_can_be_read_at_the_full_quota),
        cmocka_unit_test(a_callback_that_does_not_help_ends_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
