/* Why an open failed, in words, for programs that do not see SQLite's log. */
#include "query_fixture.h"
#include "sqlite_fixture.h"

#include <string.h>

static int try_flags(const char *uri, int flags)
{
    sqlite3 *db;
    int rc = sqlite3_open_v2(uri, &db, flags | SQLITE_OPEN_URI, TEST_VFS);
    db_close(db);
    return rc;
}

static int try_open(const char *uri)
{
    return try_flags(uri, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

static void says(const char *words)
{
    if (strstr(memfs_sqlite_last_error(), words) == NULL)
        fail_msg("no \"%s\" in: %s", words, memfs_sqlite_last_error());
}

static void each_reason_is_said_and_a_success_forgets_it(void **state)
{
    struct fixture *f = *state;
    static char long_name[700];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[0] = '/';
    assert_int_equal(memfs_mkdir(f->fs, "/d", 0755), 0);
    sqlite3 *wal = db_open("/wal");
    db_run(wal, "PRAGMA journal_mode=WAL; CREATE TABLE t(x)");
    sqlite3 *plain = db_open("/plain");
    db_run(plain, "CREATE TABLE t(x)");
    const struct {
        const char *uri, *words;
    } cases[] = {
        {"/no/such/x.db", "/no/such/x.db: its directory does not exist (memfs_make_parents=1"},
        {"file:/none?mode=rw", "/none: no such file or directory"},
        {"/d", "/d: "},
        {"/plain/x.db", "/plain/x.db: "},
        {long_name, "nnn: "},
        {"/no/../x.db", "\"..\" out of a directory that does not exist"},
        {"file:/x?memfs_siz_limit=1M", "memfs_siz_limit=1M is unknown or malformed"},
        {"file:/x?memfs_mmap_size=1Q", "memfs_mmap_size=1Q is unknown or malformed"},
        {"file:/plain?memfs_mvcc=1", "/plain is open with memfs_mvcc=0"},
        {"file:/wal?memfs_mvcc=1", "/wal is in WAL mode"},
        {"file:/plain?memfs_read_only_image=1", "/plain is open for writing"},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        assert_int_equal(try_open("/good.db"), SQLITE_OK);
        assert_string_equal(memfs_sqlite_last_error(), "");
        assert_int_not_equal(try_open(cases[index].uri), SQLITE_OK);
        says(cases[index].words);
    }
    db_close(plain);
    db_close(wal);
}

static void a_refusal_by_the_quota_is_said(void **state)
{
    struct fixture *f = *state;
    quota_leave(f, 0);
    assert_int_equal(try_open("/refused.db"), SQLITE_FULL);
    says("/refused.db: quota exceeded");
    assert_int_equal(try_open("file:/a/b/refused.db?memfs_make_parents=1"), SQLITE_FULL);
    says("/a/b/refused.db: quota exceeded");
    quota_lift(f);
}

static void a_journal_that_cannot_be_made_is_said(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=DELETE; CREATE TABLE t(x)");
    assert_int_equal(memfs_mkdir(f->fs, "/db-journal", 0755), 0);
    assert_int_not_equal(db_try(db, "INSERT INTO t VALUES(1)"), SQLITE_OK);
    says("/db-journal: ");
    assert_int_equal(memfs_rmdir(f->fs, "/db-journal"), 0);
    db_close(db);
}

static void why_a_load_failed_is_said(void **state)
{
    struct fixture *f = *state;
    static const char noise[4096] = "This is no database";
    void *image;
    size_t size;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(x)");
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, &image, &size), SQLITE_OK);
    assert_string_equal(memfs_sqlite_last_error(), "");
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, noise, sizeof noise, "/x", 0), SQLITE_NOTADB);
    says("the image for /x: file is not a database");
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image, size, "/no/x", 0), SQLITE_CANTOPEN);
    says("/no/x: no such file or directory");
    assert_int_equal(memfs_sqlite_load_file(f->fs, "/no/such/file", "/x", 0), SQLITE_CANTOPEN);
    says("/no/such/file cannot be loaded: ");
    db_run(db, "BEGIN IMMEDIATE");
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image, size, "/db", 0), SQLITE_BUSY);
    says("/db: a connection is writing it");
    db_run(db, "COMMIT; PRAGMA journal_mode=WAL; INSERT INTO t VALUES(1)");
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image, size, "/db", 0), SQLITE_BUSY);
    says("/db-wal is in the way");
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image, size, "/x", 0), SQLITE_OK);
    assert_string_equal(memfs_sqlite_last_error(), "");
    memfs_free(f->fs, image);
    db_close(db);
}

static void why_a_save_failed_is_said(void **state)
{
    struct fixture *f = *state;
    void *image;
    size_t size;
    sqlite3 *db = db_open("/db");
    db_run(db, "CREATE TABLE t(x); INSERT INTO t VALUES(zeroblob(100000))");
    assert_int_equal(memfs_sqlite_save_file(db, NULL, "/no/such/directory/x"), SQLITE_CANTOPEN);
    says("/no/such/directory/x");
    assert_int_equal(memfs_sqlite_save_buffer(db, "none", f->fs, &image, &size), SQLITE_ERROR);
    says("the database \"none\" cannot be saved: ");
    quota_leave(f, 0);
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, &image, &size), SQLITE_FULL);
    says("bytes: quota exceeded");
    quota_lift(f);
    db_close(db);
}

static void make_parents_can_be_the_default_of_a_vfs(void **state)
{
    struct fixture *f = *state;
    const unsigned flags = MEMFS_SQLITE_REGISTER_MAKE_PARENTS;
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, flags), 0);
    assert_int_equal(try_open("/a/b/x.db"), SQLITE_OK);
    assert_int_equal(memfs_exists(f->fs, "/a/b/x.db"), 1);
    assert_int_equal(try_flags("/c/x.db", SQLITE_OPEN_READWRITE), SQLITE_CANTOPEN);
    assert_int_equal(try_open("file:/d/x.db?memfs_make_parents=0"), SQLITE_CANTOPEN);
    assert_int_equal(memfs_exists(f->fs, "/c"), 0);
    assert_int_equal(memfs_exists(f->fs, "/d"), 0);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    assert_int_equal(try_open("/e/x.db"), SQLITE_CANTOPEN);
}

static void the_open_helper_says_what_it_refuses(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db;
    memfs_sqlite_open_options options = {.struct_size = sizeof options, .page_size = 1000};
    assert_int_equal(memfs_sqlite_open(f->fs, "/x", &options, &db), SQLITE_MISUSE);
    says("/x: memfs_sqlite_open() does not have these options");
    options.page_size = 0;
    options.isolated = 1;
    options.journal_mode = "wal";
    assert_int_equal(memfs_sqlite_open(f->fs, "/x", &options, &db), SQLITE_CANTOPEN);
    db_close(db);
    says("/x cannot have the journal mode wal");
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    assert_int_equal(memfs_sqlite_open(f->fs, "/x", NULL, &db), SQLITE_MISUSE);
    says("/x: the file system is not registered with SQLite");
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
}

static void sql_can_ask_on_another_connection_of_the_thread(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, 0);
    assert_int_equal(try_open("/good.db"), SQLITE_OK);
    query_is(db, "SELECT memfs_last_error()", "NULL");
    assert_int_equal(try_open("file:/x?memfs_mvcc=7"), SQLITE_CANTOPEN);
    query_is(db, "SELECT memfs_last_error()",
             "the URI parameter memfs_mvcc=7 is unknown or malformed");
    query_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(each_reason_is_said_and_a_success_forgets_it),
        SQLITE_TEST(a_refusal_by_the_quota_is_said),
        SQLITE_TEST(a_journal_that_cannot_be_made_is_said),
        SQLITE_TEST(why_a_load_failed_is_said),
        SQLITE_TEST(why_a_save_failed_is_said),
        SQLITE_TEST(make_parents_can_be_the_default_of_a_vfs),
        SQLITE_TEST(the_open_helper_says_what_it_refuses),
        SQLITE_TEST(sql_can_ask_on_another_connection_of_the_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
