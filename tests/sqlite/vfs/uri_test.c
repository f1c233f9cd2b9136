/* The URI parameters of our own. */
#include "sqlite_fixture.h"

#include <memfs/storage.h>

#include <string.h>

static char last_message[300];

static void remember_message(void *unused, int code, const char *message)
{
    (void)unused;
    (void)code;
    sqlite3_snprintf((int)sizeof last_message, last_message, "%s", message);
}

static int try_open(const char *uri)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    int rc = sqlite3_open_v2(uri, &db, flags, TEST_VFS);
    if (rc == SQLITE_OK)
        rc = db_try(db, "SELECT * FROM sqlite_schema");
    db_close(db);
    return rc;
}

static void what_is_malformed_opens_nothing_and_the_log_says_what(void **state)
{
    struct fixture *f = *state;
    static const char *const bad[] = {
        "memfs_mmap_size=",      "memfs_mmap_size=-1",        "memfs_mmap_size=1x",
        "memfs_make_parents=2",  "memfs_make_parents=",       "memfs_make_parents",
        "memfs_make_parents=on", "memfs_read_only_image=yes", "memfs_read_only=1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char uri[100];
        sqlite3_snprintf((int)sizeof uri, uri, "file:/d/db?%s", bad[i]);
        assert_int_equal(try_open(uri), SQLITE_CANTOPEN);
        assert_non_null(strstr(last_message, "memfs: the URI parameter memfs_"));
        assert_memory_equal(strstr(last_message, "memfs_"), bad[i], strcspn(bad[i], "="));
    }
    assert_int_equal(memfs_exists(f->fs, "/d"), 0);
}

/* ----------------------------------------------------------------------- mapping */

static void mmap_size_of_the_main_database_is_set_and_is_a_ceiling(void **state)
{
    (void)state;
    sqlite3 *db = db_open("/db");
    int64_t usual = db_number(db, "PRAGMA mmap_size");
    db_close(db);
    db = db_open("file:/db?memfs_mmap_size=1M");
    assert_int_equal(db_number(db, "PRAGMA mmap_size"), 1 << 20);
    assert_int_equal(db_number(db, "PRAGMA mmap_size=2000000"), 1 << 20);
    assert_int_equal(db_number(db, "PRAGMA mmap_size=5000"), 5000);
    db_close(db);
    db = db_open("file:/db?memfs_mmap_size=0");
    assert_int_equal(db_number(db, "PRAGMA mmap_size=5000"), 0);
    db_close(db);
    db = db_open("/db");
    assert_int_equal(db_number(db, "PRAGMA mmap_size"), usual);
    db_close(db);
}

static void an_attached_database_inherits_within_its_ceiling(void **state)
{
    (void)state;
    sqlite3 *db = db_open("file:/db?memfs_mmap_size=1M");
    db_run(db, "ATTACH '/plain' AS plain");
    db_run(db, "ATTACH 'file:/less?memfs_mmap_size=4K' AS less");
    db_run(db, "ATTACH 'file:/none?memfs_mmap_size=0' AS none");
    assert_int_equal(db_number(db, "PRAGMA plain.mmap_size"), 1 << 20);
    assert_int_equal(db_number(db, "PRAGMA less.mmap_size"), 4096);
    assert_int_equal(db_number(db, "PRAGMA none.mmap_size"), 0);
    db_close(db);
}

/* ----------------------------------------------------------------------- parents */

static void missing_directories_are_made(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("file:/a/b/db?memfs_make_parents=1");
    db_run(db, "CREATE TABLE t(a); ATTACH 'file:/c//d/db?memfs_make_parents=1' AS other");
    db_run(db, "CREATE TABLE other.t(a)");
    db_close(db);
    assert_int_equal(memfs_exists(f->fs, "/a/b/db"), 1);
    assert_int_equal(memfs_exists(f->fs, "/c/d/db"), 1);
    assert_int_equal(try_open("file:/e/db?memfs_make_parents=0"), SQLITE_CANTOPEN);
    assert_int_equal(try_open("file:/e/db?memfs_make_parents=1&mode=rw"), SQLITE_CANTOPEN);
    assert_int_equal(try_open("file:/a/b/db/db?memfs_make_parents=1"), SQLITE_CANTOPEN);
    assert_int_equal(memfs_exists(f->fs, "/e"), 0);
}

static void directories_are_removed_again_when_the_open_fails(void **state)
{
    struct fixture *f = *state;
    int refused = 0;
    int rc = SQLITE_FULL;
    for (uint64_t more = 0; rc != SQLITE_OK; more += 100) {
        quota_leave(f, more);
        rc = try_open("file:/a/b/c/db?memfs_make_parents=1");
        quota_lift(f);
        if (rc == SQLITE_OK)
            break;
        assert_int_equal(rc, SQLITE_FULL);
        assert_int_equal(memfs_exists(f->fs, "/a"), 0);
        refused++;
    }
    assert_true(refused > 3);
    assert_int_equal(memfs_exists(f->fs, "/a/b/c/db"), 1);
    rc = SQLITE_NOMEM;
    refused = 0;
    fixture_leave(f, 1 << 20);
    for (unsigned call = 1; rc != SQLITE_OK; call++) {
        tracking_refuse(&f->allocator, call, 1);
        rc = try_open("file:/n/b/c/db?memfs_make_parents=1");
        tracking_refuse(&f->allocator, 0, 0);
        if (rc == SQLITE_OK)
            break;
        assert_int_equal(rc, SQLITE_NOMEM);
        assert_int_equal(memfs_exists(f->fs, "/n"), 0);
        refused++;
    }
    assert_true(refused > (f->is_pooled ? 0 : 3)); /* one slab has room for all */
    quota_lift(f);
}

/* ------------------------------------------------------------------------- images */

#define IMAGE "file:/db?memfs_read_only_image=1"

static void make_image(const char *mode)
{
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE IF NOT EXISTS t(a)", mode);
    db_run(db, "DELETE FROM t; INSERT INTO t VALUES(1), (2)");
    db_close(db);
}

static void an_image_is_read_by_any_number_and_written_by_none(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"DELETE", "PERSIST", "WAL"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        make_image(modes[i]);
        sqlite3 *one = db_open(IMAGE);
        sqlite3 *two = db_open(IMAGE);
        uint64_t names = memfs_name_generation(f->fs);
        assert_int_equal(db_number(one, "SELECT sum(a) FROM t"), 3);
        assert_int_equal(db_number(two, "SELECT sum(a) FROM t"), 3);
        db_assert_whole(one);
        assert_int_equal(db_try(one, "INSERT INTO t VALUES(3)"), SQLITE_READONLY);
        assert_int_equal(sqlite3_db_readonly(one, "main"), 1);
        assert_int_equal(memfs_name_generation(f->fs), names); /* no journal, no WAL */
        db_close(one);
        assert_int_equal(try_open("file:/db"), SQLITE_BUSY);
        assert_non_null(strstr(last_message, "/db is open as a read-only image"));
        assert_int_equal(db_number(two, "SELECT sum(a) FROM t"), 3);
        db_close(two);
        assert_int_equal(try_open("file:/db"), SQLITE_OK);
    }
}

static void a_database_that_is_being_written_is_no_image(void **state)
{
    (void)state;
    make_image("DELETE");
    sqlite3 *writer = db_open("/db");
    assert_int_equal(try_open(IMAGE), SQLITE_BUSY);
    assert_non_null(strstr(last_message, "/db is open for writing"));
    db_close(writer);
    assert_int_equal(try_open(IMAGE), SQLITE_OK);
    sqlite3 *reader = db_open("file:/db?mode=ro");
    assert_int_equal(try_open(IMAGE), SQLITE_OK);
    db_close(reader);
}

static void an_image_with_a_journal_or_a_wal_beside_it_is_not_whole(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"/db-journal", "/db-wal"};
    make_image("WAL");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(memfs_write_file(f->fs, names[i], "live", 4, 0644, 0), 0);
        assert_int_equal(try_open(IMAGE), SQLITE_CANTOPEN);
        assert_non_null(strstr(last_message, names[i]));
        assert_int_equal(memfs_write_file(f->fs, names[i], "", 0, 0644, 0), 0);
        assert_int_equal(try_open(IMAGE), SQLITE_OK);
        assert_int_equal(memfs_unlink(f->fs, names[i]), 0);
    }
    assert_int_equal(try_open("file:/none?memfs_read_only_image=1"), SQLITE_CANTOPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(what_is_malformed_opens_nothing_and_the_log_says_what),
        SQLITE_TEST(mmap_size_of_the_main_database_is_set_and_is_a_ceiling),
        SQLITE_TEST(an_attached_database_inherits_within_its_ceiling),
        SQLITE_TEST(missing_directories_are_made),
        SQLITE_TEST(directories_are_removed_again_when_the_open_fails),
        SQLITE_TEST(an_image_is_read_by_any_number_and_written_by_none),
        SQLITE_TEST(a_database_that_is_being_written_is_no_image),
        SQLITE_TEST(an_image_with_a_journal_or_a_wal_beside_it_is_not_whole),
    };
    if (sqlite3_config(SQLITE_CONFIG_LOG, remember_message, NULL) != SQLITE_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
