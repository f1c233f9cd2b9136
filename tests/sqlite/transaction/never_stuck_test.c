/*
 * A database in a full file system is never stuck: every statement that does not make it grow
 * works, in every journal mode, with the emergency reserve that registering gives.
 */
#include "sqlite_fixture.h"

#include <stdbool.h>
#include <string.h>

enum { FULL_QUOTA = 2 << 20, LARGE_QUOTA = 8 << 20, ROW_BYTES = 3000, ROWS_MAX = 5000 };

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST",
                                            "MEMORY", "OFF",      "WAL"};
enum { JOURNAL_MODES = sizeof journal_modes / sizeof *journal_modes };

/* One way to keep a database. */
struct way {
    const char *mode;
    int page_size;
};

#define FOR_EACH_WAY(way) \
    for (struct way way = {journal_modes[0], 4096}, *at_ = &way; at_ != NULL; \
         at_ = next_way(at_) ? at_ : NULL)

/* Goes on to the next of six modes with pages of 4096 and of 65536 bytes. */
static int next_way(struct way *way)
{
    int index = 0;
    while (strcmp(journal_modes[index], way->mode) != 0)
        index++;
    index++;
    if (index == JOURNAL_MODES && way->page_size == 65536)
        return 0;
    if (index == JOURNAL_MODES)
        way->page_size = 65536;
    way->mode = journal_modes[index % JOURNAL_MODES];
    return 1;
}

/* A file that takes what the database leaves; one test runs at a time. */
static memfs_file *rest;

static struct fixture *make_with(uint64_t quota_bytes, unsigned flags)
{
    struct fixture *f = create_with_quota(quota_bytes);
    assert_int_equal(memfs_open(f->fs, "/rest", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &rest), 0);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, flags), 0);
    return f;
}

static struct fixture *make(unsigned flags)
{
    return make_with(FULL_QUOTA, flags);
}

/* Large pages have large journals, and so want a larger reserve. */
static struct fixture *make_for(const struct way *way)
{
    return make_with(way->page_size > 4096 ? LARGE_QUOTA : FULL_QUOTA, 0);
}

static void unmake(struct fixture *f)
{
    assert_int_equal(memfs_close(rest), 0);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    fixture_destroy(f);
}

static sqlite3 *open_way(const struct way *way)
{
    sqlite3 *db = db_open("/a.db");
    db_run(db, "PRAGMA page_size=%d", way->page_size);
    db_run(db, "PRAGMA journal_mode=%s", way->mode);
    return db;
}

/* Inserts until there is no more room for a row, however short; returns how many went in. */
static int64_t insert_until_full(sqlite3 *db, const struct way *way)
{
    int64_t rows = 0;
    for (int bytes = way->page_size > 4096 ? 16 * ROW_BYTES : ROW_BYTES; bytes > 0; bytes /= 4) {
        int rc = SQLITE_OK;
        for (int i = 0; rc == SQLITE_OK && i < ROWS_MAX; i++) {
            char *sql = sqlite3_mprintf("INSERT INTO t(v) VALUES(randomblob(%d))", bytes);
            rc = db_try(db, sql);
            sqlite3_free(sql);
            rows += rc == SQLITE_OK;
        }
        assert_int_equal(rc, SQLITE_FULL);
        assert_true(sqlite3_get_autocommit(db));
    }
    return rows;
}

/* Takes what ordinary data can still take, but for less than a page. */
static void fill_the_rest(struct fixture *f)
{
    static const char bytes[4096];
    for (size_t length = sizeof bytes; length > 0; length /= 2)
        while (memfs_pwrite(rest, bytes, length, memfs_file_size(rest)) > 0)
            continue;
    memfs_statfs_info info = statfs_of(f->fs);
    assert_true(info.available_bytes < 8 * sizeof bytes);
}

/* A database that is as full as can be, and two tables in it. */
static sqlite3 *make_full_database(struct fixture *f, const struct way *way, int64_t *rows)
{
    sqlite3 *db = open_way(way);
    db_run(db,
           "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE u(id INTEGER PRIMARY KEY, v);"
           "INSERT INTO u(v) VALUES(zeroblob(200000)), ('x'), ('y')");
    *rows = insert_until_full(db, way);
    fill_the_rest(f);
    return db;
}

static void check_rows(sqlite3 *db, int64_t rows)
{
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), rows);
    db_assert_whole(db);
}

/* What a program does when its WAL has used up the reserve; in the other modes nothing may fail. */
static void run_small(sqlite3 *db, const struct way *way, const char *sql)
{
    int rc = db_try(db, sql);
    if (rc == SQLITE_FULL && strcmp(way->mode, "WAL") == 0) {
        int frames, done;
        rc = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_RESTART, &frames, &done);
        assert_int_equal(rc, SQLITE_OK);
        assert_int_equal(frames, done);
        rc = db_try(db, sql);
    }
    if (rc != SQLITE_OK)
        fail_msg("%s, pages of %d: %s: %s", way->mode, way->page_size, sql, sqlite3_errmsg(db));
}

static void a_refused_transaction_rolls_back_and_reading_goes_on(void **state)
{
    (void)state;
    FOR_EACH_WAY(way)
    {
        struct fixture *f = make_for(&way);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        db_run(db, "PRAGMA cache_size=3");
        db_run(db, "BEGIN");
        int rc = SQLITE_OK;
        for (int i = 0; rc == SQLITE_OK && i < ROWS_MAX; i++)
            rc = db_try(db, "INSERT INTO t(v) VALUES(randomblob(3000))");
        assert_int_equal(rc, SQLITE_FULL);
        if (!sqlite3_get_autocommit(db))
            db_run(db, "ROLLBACK");
        check_rows(db, rows);
        db_close(db);
        unmake(f);
    }
}

static void closing_and_opening_again_work(void **state)
{
    (void)state;
    FOR_EACH_WAY(way)
    {
        struct fixture *f = make_for(&way);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        db_close(db);
        fill_the_rest(f);
        db = db_open("/a.db");
        check_rows(db, rows);
        sqlite3 *second = db_open("/a.db");
        check_rows(second, rows);
        run_small(second, &way, "UPDATE u SET v='z' WHERE id=2");
        assert_int_equal(db_number(db, "SELECT count(*) FROM u WHERE v='z'"), 1);
        db_close(second);
        db_close(db);
        unmake(f);
    }
}

static void rows_are_deleted_until_none_is_left_and_their_room_is_used_again(void **state)
{
    (void)state;
    FOR_EACH_WAY(way)
    {
        struct fixture *f = make_for(&way);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        for (int64_t i = 0; i < rows; i++)
            run_small(db, &way, "DELETE FROM t WHERE id=(SELECT min(id) FROM t)");
        check_rows(db, 0);
        for (int i = 0; i < 50; i++)
            run_small(db, &way, "INSERT INTO t(v) VALUES(randomblob(3000))");
        check_rows(db, 50);
        db_close(db);
        unmake(f);
    }
}

static void rows_are_deleted_from_two_databases_in_one_transaction(void **state)
{
    (void)state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        struct way way = {journal_modes[mode], 4096};
        struct fixture *f = make(0);
        int64_t rows;
        sqlite3 *db = db_open("/b.db");
        db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE w(v); INSERT INTO w VALUES(1), (2)",
               way.mode);
        db_close(db);
        db = make_full_database(f, &way, &rows);
        db_run(db, "ATTACH '/b.db' AS b");
        db_run(db, "BEGIN; DELETE FROM t WHERE id=1; DELETE FROM w WHERE v=1; COMMIT");
        check_rows(db, rows - 1);
        assert_int_equal(db_number(db, "SELECT count(*) FROM w"), 1);
        db_close(db);
        unmake(f);
    }
}

/* The second change of the same pages goes to a statement journal, too long for SQLite's heap. */
static void a_savepoint_rolls_back(void **state)
{
    (void)state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        struct way way = {journal_modes[mode], 4096};
        struct fixture *f = make_with(LARGE_QUOTA, 0);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        if (strcmp(way.mode, "OFF") != 0) { /* which cannot */
            db_run(db, "BEGIN; UPDATE t SET v=randomblob(%d) WHERE id<=25; SAVEPOINT s", ROW_BYTES);
            db_run(db, "UPDATE t SET v=zeroblob(%d) WHERE id<=25; ROLLBACK TO s; COMMIT",
                   ROW_BYTES);
            assert_int_equal(db_number(db, "SELECT count(*) FROM t WHERE v=zeroblob(3000)"), 0);
        }
        check_rows(db, rows);
        db_close(db);
        unmake(f);
    }
}

static void a_table_is_dropped(void **state)
{
    (void)state;
    FOR_EACH_WAY(way)
    {
        struct fixture *f = make_for(&way);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        sqlite3_free(db_text(db, "PRAGMA secure_delete=OFF"));
        run_small(db, &way, "DELETE FROM u");
        run_small(db, &way, "DROP TABLE t");
        db_assert_whole(db);
        assert_int_equal(db_number(db, "SELECT count(*) FROM sqlite_master"), 1);
        db_close(db);
        unmake(f);
    }
}

/* With the reserve that the PRAGMA estimates, once the database is as large as it will be. */
static void the_estimated_reserve_is_enough_to_delete_every_row(void **state)
{
    (void)state;
    static const int page_sizes[] = {512, 4096, 65536};
    for (int mode = 0; mode < JOURNAL_MODES; mode++)
        for (size_t i = 0; i < sizeof page_sizes / sizeof *page_sizes; i++) {
            struct way way = {journal_modes[mode], page_sizes[i]};
            struct fixture *f = make_with(LARGE_QUOTA / 2, 0);
            sqlite3 *db = open_way(&way);
            db_run(db, "PRAGMA memfs_emergency_reserve='2M'; PRAGMA wal_autocheckpoint=20;"
                       "CREATE TABLE t(id INTEGER PRIMARY KEY, v, w);"
                       "CREATE INDEX tv ON t(v); CREATE INDEX tw ON t(w)");
            int rc = SQLITE_OK;
            while (rc == SQLITE_OK)
                rc = db_try(db, "INSERT INTO t(v, w) SELECT hex(randomblob(20)), randomblob(900)");
            assert_int_equal(rc, SQLITE_FULL);
            sqlite3_free(db_text(db, "PRAGMA wal_checkpoint(TRUNCATE)"));
            int64_t estimate = db_number(db, "PRAGMA memfs_reserve_estimate = 2");
            assert_true(estimate > db_number(db, "PRAGMA memfs_reserve_estimate"));
            assert_int_equal(memfs_set_emergency_reserve(f->fs, (uint64_t)estimate), 0);
            fill_the_rest(f);
            int64_t rows = db_number(db, "SELECT count(*) FROM t");
            for (int64_t row = 0; row < rows; row++)
                run_small(db, &way, "DELETE FROM t WHERE id=(SELECT min(id) FROM t)");
            check_rows(db, 0);
            db_close(db);
            unmake(f);
        }
}

/* VACUUM overwrites every page, for whose journal a full quota has no room. */
static void incremental_vacuum_gives_pages_back_where_vacuum_cannot(void **state)
{
    (void)state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        struct way way = {journal_modes[mode], 4096};
        struct fixture *f = make(0);
        int64_t rows;
        sqlite3 *db = db_open("/a.db");
        db_run(db, "PRAGMA auto_vacuum=INCREMENTAL; CREATE TABLE first(a); DROP TABLE first");
        db_close(db);
        db = make_full_database(f, &way, &rows);
        assert_int_equal(db_try(db, "VACUUM"), SQLITE_FULL);
        for (int64_t i = 0; i < rows / 2; i++)
            run_small(db, &way, "DELETE FROM t WHERE id=(SELECT min(id) FROM t)");
        uint64_t before = statfs_of(f->fs).used_bytes;
        int64_t free_pages = db_number(db, "PRAGMA freelist_count");
        assert_true(free_pages > 20);
        for (int64_t i = 0; i <= free_pages / 10; i++)
            run_small(db, &way, "PRAGMA incremental_vacuum(10)");
        assert_int_equal(db_number(db, "PRAGMA freelist_count"), 0);
        sqlite3_free(db_text(db, "PRAGMA wal_checkpoint(TRUNCATE)"));
        assert_true(statfs_of(f->fs).used_bytes + 20 * 4096 < before);
        check_rows(db, rows - rows / 2);
        db_close(db);
        unmake(f);
    }
}

/* A deletion from a full-text index is an addition to it.  Pages that other tables have given back
 * are room for it. */
static void deleting_from_a_full_text_index_is_refused_until_other_rows_are_deleted(void **state)
{
    (void)state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        struct way way = {journal_modes[mode], 4096};
        struct fixture *f = make(0);
        int64_t rows;
        sqlite3 *db = open_way(&way);
        bool has_fts5 = db_try(db, "CREATE VIRTUAL TABLE words USING fts5(w)") == SQLITE_OK;
        if (has_fts5)
            db_run(db, "WITH n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<300)"
                       "INSERT INTO words SELECT hex(randomblob(100)) FROM n");
        db_close(db);
        db = make_full_database(f, &way, &rows);
        int rc = SQLITE_OK;
        for (int i = 1; has_fts5 && rc == SQLITE_OK && i <= 200; i++) {
            char *sql = sqlite3_mprintf("DELETE FROM words WHERE rowid=%d", i);
            rc = db_try(db, sql);
            sqlite3_free(sql);
        }
        assert_int_equal(rc, has_fts5 ? SQLITE_FULL : SQLITE_OK);
        check_rows(db, rows);
        for (int i = 0; has_fts5 && i < 20; i++)
            run_small(db, &way, "DELETE FROM t WHERE id=(SELECT min(id) FROM t)");
        for (int i = 250; has_fts5 && i < 255; i++) {
            char *sql = sqlite3_mprintf("DELETE FROM words WHERE rowid=%d", i);
            run_small(db, &way, sql);
            sqlite3_free(sql);
        }
        db_assert_whole(db);
        db_close(db);
        unmake(f);
    }
}

static void what_was_refused_passes_once_the_quota_is_raised(void **state)
{
    (void)state;
    FOR_EACH_WAY(way)
    {
        struct fixture *f = make_for(&way);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        assert_int_equal(db_try(db, "INSERT INTO t(v) VALUES(randomblob(200000))"), SQLITE_FULL);
        fixture_set_quota(f, 2 * LARGE_QUOTA);
        db_run(db, "INSERT INTO t(v) VALUES(randomblob(200000))");
        check_rows(db, rows + 1);
        db_close(db);
        unmake(f);
    }
}

static void every_kind_of_checkpoint_works(void **state)
{
    (void)state;
    static const int kinds[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_FULL,
                                SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_TRUNCATE};
    for (int i = 0; i < 4; i++) {
        struct way way = {"WAL", 4096};
        struct fixture *f = make(0);
        int frames, done;
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        assert_int_equal(sqlite3_wal_checkpoint_v2(db, "main", kinds[i], &frames, &done),
                         SQLITE_OK);
        assert_int_equal(frames, done);
        check_rows(db, rows);
        run_small(db, &way, "DELETE FROM t WHERE id=1");
        check_rows(db, rows - 1);
        db_close(db);
        unmake(f);
    }
}

/* The reserve is a part of the quota, so it is small where that is. */
static void a_quota_of_one_mib_is_enough_for_it(void **state)
{
    (void)state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        struct way way = {journal_modes[mode], 4096};
        struct fixture *f = make_with(1 << 20, 0);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        db_close(db);
        fill_the_rest(f);
        db = db_open("/a.db");
        check_rows(db, rows);
        for (int64_t i = 0; i < rows; i++)
            run_small(db, &way, "DELETE FROM t WHERE id=(SELECT min(id) FROM t)");
        check_rows(db, 0);
        db_close(db);
        unmake(f);
    }
}

/* Updates do not make the database grow, but the WAL, into the reserve and to its end. */
static void a_wal_that_has_used_up_the_reserve_begins_anew_after_a_checkpoint(void **state)
{
    (void)state;
    struct way way = {"WAL", 4096};
    struct fixture *f = make(0);
    int64_t rows;
    sqlite3 *db = make_full_database(f, &way, &rows);
    db_run(db, "PRAGMA wal_autocheckpoint=0");
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && i < ROWS_MAX; i++)
        rc = db_try(db, "UPDATE u SET v=random() WHERE id=2");
    assert_int_equal(rc, SQLITE_FULL);
    assert_int_equal(db_try(db, "DELETE FROM t WHERE id=1"), SQLITE_FULL);
    sqlite3_free(db_text(db, "PRAGMA wal_checkpoint"));
    db_run(db, "DELETE FROM t WHERE id=1");
    check_rows(db, rows - 1);
    db_close(db);
    unmake(f);
}

/* Shows that the tests above need the reserve. */
static void without_a_reserve_deleting_is_refused(void **state)
{
    (void)state;
    for (int mode = 0; mode < JOURNAL_MODES; mode++) {
        struct way way = {journal_modes[mode], 4096};
        struct fixture *f = make(MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE);
        int64_t rows;
        sqlite3 *db = make_full_database(f, &way, &rows);
        db_run(db, "PRAGMA wal_autocheckpoint=0"); /* a WAL that begins anew has room */
        int rc = SQLITE_OK; /* what a mode has preallocated is used up first */
        for (int i = 0; rc == SQLITE_OK && i < 100; i++)
            rc = db_try(db, "DELETE FROM t WHERE id IN (SELECT id FROM t LIMIT 7)");
        assert_int_equal(rc, SQLITE_FULL);
        db_run(db, "PRAGMA memfs_emergency_reserve=0");
        check_rows(db, db_number(db, "SELECT count(*) FROM t"));
        db_close(db);
        unmake(f);
    }
}

static void temporary_files_leave_the_reserve_alone(void **state)
{
    (void)state;
    struct way way = {"DELETE", 4096};
    struct fixture *f = make(0);
    int64_t rows;
    sqlite3 *db = make_full_database(f, &way, &rows);
    db_run(db, "PRAGMA temp_store=FILE; PRAGMA temp.cache_size=3");
    assert_int_equal(db_try(db, "CREATE TEMP TABLE s AS SELECT v FROM t LIMIT 50"), SQLITE_FULL);
    run_small(db, &way, "DELETE FROM t WHERE id=1");
    db_close(db);
    unmake(f);
}

static uint64_t reserve_of(struct fixture *f)
{
    return statfs_of(f->fs).emergency_reserve_bytes;
}

static void registering_gives_a_reserve_and_unregistering_takes_it_back(void **state)
{
    (void)state;
    struct fixture *f = create_with_quota(1 << 20);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    assert_int_equal(reserve_of(f), 98304);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    assert_int_equal(reserve_of(f), 0);

    assert_int_equal(
        memfs_sqlite_register(f->fs, TEST_VFS, MEMFS_SQLITE_REGISTER_NO_EMERGENCY_RESERVE), 0);
    assert_int_equal(reserve_of(f), 0);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);

    fixture_set_quota(f, 256 << 10);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    assert_int_equal(reserve_of(f), 32768);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);

    fixture_set_quota(f, 64 << 20);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    assert_int_equal(reserve_of(f), 524288);
    assert_int_equal(memfs_set_emergency_reserve(f->fs, 1000), 0); /* from now on the caller's */
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    assert_int_equal(reserve_of(f), 1000);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    assert_int_equal(reserve_of(f), 1000);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);

    assert_int_equal(memfs_set_emergency_reserve(f->fs, 0), 0);
    fixture_set_quota(f, 0);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    assert_int_equal(reserve_of(f), 0);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    fixture_destroy(f);
}

static void a_pragma_estimates_the_reserve(void **state)
{
    (void)state;
    struct fixture *f = make(0);
    sqlite3 *db = db_open("/a.db");
    assert_int_equal(db_number(db, "PRAGMA memfs_reserve_estimate = 0"),
                     32768 + (5 + 4) * (4096 + 24)); /* of an empty database: one level */
    db_run(db, "PRAGMA page_size=65536; CREATE TABLE t(a)");
    assert_int_equal(db_number(db, "PRAGMA memfs_reserve_estimate"),
                     32768 + (5 + 2 * 7) * (65536 + 24)); /* of two pages: two levels */
    assert_int_equal(db_try(db, "PRAGMA memfs_reserve_estimate = many"), SQLITE_ERROR);
    db_close(db);
    unmake(f);
}

static void a_pragma_reads_and_sets_the_reserve(void **state)
{
    (void)state;
    struct fixture *f = make(0);
    sqlite3 *db = db_open("/a.db");
    assert_int_equal(db_number(db, "PRAGMA memfs_emergency_reserve"), 131072);
    assert_int_equal(db_number(db, "PRAGMA memfs_emergency_reserve='1M'"), 1 << 20);
    assert_int_equal(reserve_of(f), 1 << 20);
    assert_int_equal(db_number(db, "PRAGMA memfs_emergency_reserve=0"), 0);
    assert_int_equal(db_try(db, "PRAGMA memfs_emergency_reserve=little"), SQLITE_ERROR);
    assert_non_null(
        strstr(sqlite3_errmsg(db), "memfs_emergency_reserve: \"little\" is not a number"));
    assert_int_equal(reserve_of(f), 0);
    db_close(db);
    unmake(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_transaction_rolls_back_and_reading_goes_on),
        cmocka_unit_test(closing_and_opening_again_work),
        cmocka_unit_test(rows_are_deleted_until_none_is_left_and_their_room_is_used_again),
        cmocka_unit_test(rows_are_deleted_from_two_databases_in_one_transaction),
        cmocka_unit_test(a_savepoint_rolls_back),
        cmocka_unit_test(a_table_is_dropped),
        cmocka_unit_test(the_estimated_reserve_is_enough_to_delete_every_row),
        cmocka_unit_test(incremental_vacuum_gives_pages_back_where_vacuum_cannot),
        cmocka_unit_test(deleting_from_a_full_text_index_is_refused_until_other_rows_are_deleted),
        cmocka_unit_test(what_was_refused_passes_once_the_quota_is_raised),
        cmocka_unit_test(every_kind_of_checkpoint_works),
        cmocka_unit_test(a_quota_of_one_mib_is_enough_for_it),
        cmocka_unit_test(a_wal_that_has_used_up_the_reserve_begins_anew_after_a_checkpoint),
        cmocka_unit_test(without_a_reserve_deleting_is_refused),
        cmocka_unit_test(temporary_files_leave_the_reserve_alone),
        cmocka_unit_test(registering_gives_a_reserve_and_unregistering_takes_it_back),
        cmocka_unit_test(a_pragma_estimates_the_reserve),
        cmocka_unit_test(a_pragma_reads_and_sets_the_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
