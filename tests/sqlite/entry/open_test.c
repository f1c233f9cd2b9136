/* The open helper. */
#include "sqlite_fixture.h"

#include <limits.h>

static memfs_sqlite_open_options options_new(void)
{
    memfs_sqlite_open_options options = {.struct_size = sizeof options};
    return options;
}

static sqlite3 *open_with(struct fixture *f, const memfs_sqlite_open_options *options)
{
    sqlite3 *db;
    int rc = memfs_sqlite_open(f->fs, "/db", options, &db);
    if (rc != SQLITE_OK)
        fail_msg("%s (%d)", sqlite3_errmsg(db), rc);
    return db;
}

static void has_mode(sqlite3 *db, const char *mode)
{
    db_assert_text(db, "PRAGMA journal_mode", mode);
}

static void without_options_it_suits_memory(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_with(f, NULL);
    has_mode(db, "persist");
    assert_int_equal(db_number(db, "PRAGMA busy_timeout"), 5000);
    assert_int_equal(db_number(db, "PRAGMA mmap_size"), INT64_C(1) << 40);
    assert_int_equal(db_number(db, "PRAGMA journal_size_limit"), 1 << 20);
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    db_close(db);
    assert_int_equal(memfs_exists(f->fs, "/db-journal"), 1);
    memfs_sqlite_open_options options = options_new();
    db = open_with(f, &options);
    has_mode(db, "persist");
    assert_int_equal(db_number(db, "SELECT a FROM t"), 1);
    db_close(db);
}

static void mapping_can_be_turned_off_and_the_uri_goes_first(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    options.mmap_size = -1;
    sqlite3 *db = open_with(f, &options);
    assert_int_equal(db_number(db, "PRAGMA mmap_size"), 0);
    db_close(db);
    options.mmap_size = 5000;
    options.flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI;
    assert_int_equal(memfs_sqlite_open(f->fs, "file:/db?memfs_mmap_size=4K", &options, &db),
                     SQLITE_OK);
    assert_int_equal(db_number(db, "PRAGMA mmap_size"), 4096);
    db_close(db);
}

static void every_option_arrives(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    options.busy_timeout_ms = 77;
    options.journal_mode = "WAL";
    options.page_size = 1024;
    options.cache_size = -333;
    options.mmap_size = 1 << 20;
    sqlite3 *db = open_with(f, &options);
    db_run(db, "CREATE TABLE t(a)");
    has_mode(db, "wal");
    assert_int_equal(db_number(db, "PRAGMA busy_timeout"), 77);
    assert_int_equal(db_number(db, "PRAGMA page_size"), 1024);
    assert_int_equal(db_number(db, "PRAGMA cache_size"), -333);
    db_close(db);
}

static void a_connection_waits_for_ever_or_not_at_all_if_asked(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    options.busy_timeout_ms = MEMFS_WAIT_FOREVER;
    sqlite3 *db = open_with(f, &options);
    assert_int_equal(db_number(db, "PRAGMA busy_timeout"), INT_MAX);
    db_close(db);
    options = options_new();
    options.no_wait = 1;
    db = open_with(f, &options);
    assert_int_equal(db_number(db, "PRAGMA busy_timeout"), 0);
    db_close(db);
}

static void every_journal_mode_can_be_had(void **state)
{
    struct fixture *f = *state;
    const char *const modes[] = {"delete", "truncate", "persist", "memory", "off", "wal"};
    for (size_t index = 0; index < sizeof modes / sizeof modes[0]; index++) {
        memfs_sqlite_open_options options = options_new();
        options.journal_mode = modes[index];
        sqlite3 *db = open_with(f, &options);
        has_mode(db, modes[index]);
        db_close(db);
    }
}

static void a_wal_database_stays_one(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a)");
    sqlite3 *second = open_with(f, NULL);
    has_mode(second, "wal");
    db_close(second);
    db_close(db);
    db = open_with(f, NULL);
    has_mode(db, "wal");
    db_close(db);
}

static void read_only_is_read_only(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    options.flags = SQLITE_OPEN_READONLY;
    sqlite3 *db;
    assert_int_equal(memfs_sqlite_open(f->fs, "/db", &options, &db), SQLITE_CANTOPEN);
    assert_non_null(db);
    assert_string_equal(sqlite3_errmsg(db), "unable to open database file");
    db_close(db);
    db = open_with(f, NULL);
    db_run(db, "CREATE TABLE t(a)");
    db_close(db);
    db = open_with(f, &options);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(1)"), SQLITE_READONLY);
    db_close(db);
}

static void a_database_of_sqlites_own_memory_can_be_opened(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;
    assert_int_equal(memfs_sqlite_open(f->fs, ":memory:", NULL, &db), SQLITE_OK);
    db_run(db, "CREATE TABLE t(a)");
    db_close(db);
}

static void parents_are_made_if_asked_and_unmade_on_failure(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;
    memfs_sqlite_open_options options = options_new();
    assert_int_equal(memfs_sqlite_open(f->fs, "/a/b/db", &options, &db), SQLITE_CANTOPEN);
    db_close(db);
    assert_int_equal(memfs_exists(f->fs, "/a"), 0);
    options.make_parents = 1;
    options.flags = SQLITE_OPEN_READWRITE; /* so it must be there */
    assert_int_equal(memfs_sqlite_open(f->fs, "/a/b/db", &options, &db), SQLITE_CANTOPEN);
    db_close(db);
    assert_int_equal(memfs_exists(f->fs, "/a"), 0);
    options.flags = 0;
    assert_int_equal(memfs_sqlite_open(f->fs, "/a/b/db", &options, &db), SQLITE_OK);
    db_run(db, "CREATE TABLE t(a)");
    db_close(db);
    assert_int_equal(memfs_is_file(f->fs, "/a/b/db"), 1);
    assert_int_equal(memfs_sqlite_open(f->fs, "/a/b/db/c", &options, &db), SQLITE_CANTOPEN);
    db_close(db);
}

/* From no byte left to enough. */
static void a_refusal_leaves_no_parents(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    options.make_parents = 1;
    int refusals = 0;
    int rc = SQLITE_FULL;
    for (uint64_t more = 0; rc != SQLITE_OK; more += 64) {
        sqlite3 *db;
        quota_leave(f, more);
        rc = memfs_sqlite_open(f->fs, "/a/b/db", &options, &db);
        if (rc != SQLITE_OK) {
            assert_int_equal(rc, SQLITE_FULL);
            assert_int_equal(memfs_exists(f->fs, "/a"), 0);
            refusals++;
        }
        db_close(db);
        quota_lift(f);
    }
    assert_true(refusals > 2);
    assert_int_equal(memfs_is_file(f->fs, "/a/b/db"), 1);
}

static void misused(memfs *fs, const memfs_sqlite_open_options *options, const char *path)
{
    sqlite3 *db = (sqlite3 *)&db;
    assert_int_equal(memfs_sqlite_open(fs, path, options, &db), SQLITE_MISUSE);
    assert_null(db);
}

/* The options as an older program knows them, and as a newer one does. */
static void options_of_other_versions_are_taken(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;
    struct {
        memfs_sqlite_open_options known;
        uint64_t added_field;
    } newer = {.known = {.struct_size = sizeof newer}};
    assert_int_equal(memfs_sqlite_open(f->fs, "/new", &newer.known, &db), SQLITE_OK);
    db_close(db);
    newer.added_field = 1;
    misused(f->fs, &newer.known, "/too-new");
    memfs_sqlite_open_options older = options_new();
    older.struct_size = offsetof(memfs_sqlite_open_options, make_parents);
    older.make_parents = 1; /* behind what the older program has */
    older.isolated = 1;
    assert_int_equal(memfs_sqlite_open(f->fs, "/d/old", &older, &db), SQLITE_CANTOPEN);
    db_close(db);
    assert_int_equal(memfs_sqlite_open(f->fs, "/old", &older, &db), SQLITE_OK);
    db_close(db);
    assert_int_equal(memfs_exists(f->fs, "/too-new"), 0);
}

static void what_is_absurd_is_misuse(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    misused(NULL, NULL, "/db");
    misused(f->fs, NULL, NULL);
    assert_int_equal(memfs_sqlite_open(f->fs, "/db", NULL, NULL), SQLITE_MISUSE);
    options.struct_size = sizeof(size_t);
    misused(f->fs, &options, "/db");
    options.struct_size = MEMFS_STRUCT_SIZE_MAX + 1;
    misused(f->fs, &options, "/db");
    const uint32_t sizes[] = {1, 256, 1000, 131072, UINT32_MAX};
    for (size_t index = 0; index < sizeof sizes / sizeof sizes[0]; index++) {
        options = options_new();
        options.page_size = sizes[index];
        misused(f->fs, &options, "/db");
    }
    options = options_new();
    options.journal_mode = "";
    misused(f->fs, &options, "/db");
    options.journal_mode = "wal; DROP TABLE t";
    misused(f->fs, &options, "/db");
    options = options_new();
    options.make_parents = 1;
    misused(f->fs, &options, "file:/a/db");
    options = options_new();
    options.no_wait = 1;
    options.busy_timeout_ms = 1;
    misused(f->fs, &options, "/db");
    options = options_new();
    options.must_be_zero = 1;
    misused(f->fs, &options, "/db");
    assert_int_equal(memfs_exists(f->fs, "/db"), 0);
}

static void a_file_system_that_is_not_registered_is_misuse(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    struct fixture *stranger = fixture_create(&config);
    misused(stranger->fs, NULL, "/db");
    fixture_destroy(stranger);
}

static void a_journal_mode_that_cannot_be_had_is_said(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(a); BEGIN IMMEDIATE");
    memfs_sqlite_open_options options = options_new();
    options.journal_mode = "WAL";
    options.no_wait = 1;
    sqlite3 *second;
    int rc = memfs_sqlite_open(f->fs, "/db", &options, &second);
    assert_true(rc == SQLITE_BUSY || rc == SQLITE_CANTOPEN);
    db_close(second);
    db_run(db, "COMMIT");
    db_close(db);
}

static void what_is_no_database_is_said(void **state)
{
    struct fixture *f = *state;
    char junk[2000] = "not a database at all";
    assert_int_equal(memfs_write_file(f->fs, "/db", junk, sizeof junk, 0644, 0), 0);
    sqlite3 *db;
    assert_int_equal(memfs_sqlite_open(f->fs, "/db", NULL, &db), SQLITE_NOTADB);
    assert_string_equal(sqlite3_errmsg(db), "file is not a database");
    db_close(db);
}

static int setup_small_quota(void **state)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 2 << 20;
    struct fixture *f = fixture_create(&config);
    *state = f;
    return f == NULL || memfs_sqlite_register(f->fs, TEST_VFS, 0) != 0 ? -1 : 0;
}

/* SQLite's own checkpoints come after 1000 frames, which are twice this quota. */
static void a_wal_is_checkpointed_before_it_takes_a_small_quota(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    options.journal_mode = "WAL";
    sqlite3 *db = open_with(f, &options);
    db_run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE INDEX i ON t(v)");
    int64_t rows = 0;
    int rc = SQLITE_OK;
    for (; rc == SQLITE_OK && rows < 5000; rows += rc == SQLITE_OK)
        rc = db_try(db, "INSERT INTO t(v) VALUES(randomblob(300))");
    assert_int_equal(rc, SQLITE_FULL);
    assert_true(db_number(db, "PRAGMA page_count") * 4096 > 1000000); /* half of the quota */
    assert_int_equal(db_number(db, "SELECT count(*) FROM t"), rows);
    for (int64_t i = 0; i < rows; i++)
        db_run(db, "DELETE FROM t WHERE id=(SELECT min(id) FROM t)");
    db_run(db, "INSERT INTO t(v) VALUES(randomblob(300))");
    db_assert_whole(db);
    db_close(db);
}

static void automatic_checkpoints_can_be_switched_off(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_open_options options = options_new();
    options.journal_mode = "WAL";
    sqlite3 *db = open_with(f, &options);
    db_run(db, "PRAGMA wal_autocheckpoint=0; CREATE TABLE t(v)");
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && i < 5000; i++)
        rc = db_try(db, "INSERT INTO t(v) VALUES(randomblob(300))");
    assert_int_equal(rc, SQLITE_FULL);
    assert_true(db_number(db, "PRAGMA page_count") * 4096 < 500000);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(without_options_it_suits_memory),
        SQLITE_TEST(every_option_arrives),
        SQLITE_TEST(a_connection_waits_for_ever_or_not_at_all_if_asked),
        SQLITE_TEST(mapping_can_be_turned_off_and_the_uri_goes_first),
        SQLITE_TEST(every_journal_mode_can_be_had),
        SQLITE_TEST(a_wal_database_stays_one),
        SQLITE_TEST(read_only_is_read_only),
        SQLITE_TEST(a_database_of_sqlites_own_memory_can_be_opened),
        SQLITE_TEST(parents_are_made_if_asked_and_unmade_on_failure),
        SQLITE_TEST(a_refusal_leaves_no_parents),
        SQLITE_TEST(options_of_other_versions_are_taken),
        SQLITE_TEST(what_is_absurd_is_misuse),
        SQLITE_TEST(a_file_system_that_is_not_registered_is_misuse),
        SQLITE_TEST(a_journal_mode_that_cannot_be_had_is_said),
        SQLITE_TEST(what_is_no_database_is_said),
        cmocka_unit_test_setup_teardown(a_wal_is_checkpointed_before_it_takes_a_small_quota,
                                        setup_small_quota, sqlite_teardown),
        cmocka_unit_test_setup_teardown(automatic_checkpoints_can_be_switched_off,
                                        setup_small_quota, sqlite_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
