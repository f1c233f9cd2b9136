/*
 * memfs_image(): a database as a value, which SQLite opens without a file.
 */
#include "sqlite_fixture.h"

#include <string.h>

/* A connection with the functions, to no database of the tree. */
static sqlite3 *open_caller(struct fixture *f)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_extended_result_codes(db, 1);
    assert_int_equal(memfs_sqlite_register_functions(db, f->fs, 0), 0);
    return db;
}

/* Runs "SELECT memfs_image('path')" and opens what it answers. */
static sqlite3 *open_image(sqlite3 *caller, const char *path)
{
    sqlite3_stmt *statement;
    sqlite3 *db;
    char *sql = sqlite3_mprintf("SELECT memfs_image(%Q)", path);
    assert_int_equal(sqlite3_prepare_v2(caller, sql, -1, &statement, NULL), SQLITE_OK);
    sqlite3_free(sql);
    int rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW)
        fail_msg("%s: %s", path, sqlite3_errmsg(caller));
    assert_int_equal(sqlite3_column_type(statement, 0), SQLITE_BLOB);
    sqlite3_int64 size = sqlite3_column_bytes(statement, 0);
    unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)size);
    assert_non_null(copy);
    memcpy(copy, sqlite3_column_blob(statement, 0), (size_t)size);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(copy[18], 1); /* rollback journal, */
    assert_int_equal(copy[19], 1); /* for reading too */
    assert_int_equal(sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(
        sqlite3_deserialize(db, "main", copy, size, size,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY),
        SQLITE_OK);
    return db;
}

static void an_image_has_what_is_committed_in_every_journal_mode(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
    sqlite3 *caller = open_caller(f);
    for (size_t index = 0; index < sizeof modes / sizeof *modes; index++) {
        sqlite3 *db = db_open("/app.db");
        db_run(db, "PRAGMA journal_mode=%s; DROP TABLE IF EXISTS t; CREATE TABLE t(a)",
               modes[index]);
        db_run(db, "INSERT INTO t VALUES(zeroblob(20000)); BEGIN; INSERT INTO t VALUES(1)");
        sqlite3 *image = open_image(caller, index % 2 ? "/app.db" : "app.db");
        assert_int_equal(db_number(image, "SELECT sum(length(a)) FROM t"), 20000);
        db_assert_whole(image);
        db_close(image);
        db_run(db, "COMMIT");
        image = open_image(caller, "/app.db");
        assert_int_equal(db_number(image, "SELECT count(*) FROM t"), 2);
        db_close(image);
        db_close(db);
    }
    db_close(caller);
}

static void a_connection_makes_an_image_of_its_own_database(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/app.db");
    assert_int_equal(memfs_sqlite_register_functions(db, f->fs, 0), 0);
    db_run(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(7)");
    sqlite3 *image = open_image(db, "/app.db");
    assert_int_equal(db_number(image, "SELECT a FROM t"), 7);
    db_close(image);
    db_close(db);
}

static void an_image_is_made_at_a_full_quota(void **state)
{
    struct fixture *f = *state;
    static const char *const modes[] = {"DELETE", "WAL"};
    for (int index = 0; index < 2; index++) {
        const char *path = index == 0 ? "/a.db" : "/b.db";
        sqlite3 *caller = open_caller(f);
        sqlite3 *db = db_open(path);
        db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE t(a); INSERT INTO t VALUES(7)",
               modes[index]);
        quota_leave(f, 0);
        sqlite3 *image = open_image(caller, path);
        assert_int_equal(db_number(image, "SELECT a FROM t"), 7);
        db_close(image);
        quota_lift(f);
        db_close(db);
        db_close(caller);
    }
}

static void what_is_no_database_is_refused_with_a_reason(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *sql, *message;
    } refused[] = {
        {"SELECT memfs_image('/none.db')", "memfs_image: /none.db: unable to open database file"},
        {"SELECT memfs_image('/text')", "memfs_image: /text: file is not a database"},
        {"SELECT memfs_image('/')", "memfs_image: /: "},
        {"SELECT memfs_image(':memory:')", "memfs_image: :memory:: "},
        {"SELECT memfs_image('file:/app.db')", "memfs_image: file:/app.db: "},
        {"SELECT memfs_image(x'00')", "memfs_image: "},
        {"SELECT memfs_image('/app.db')", "memfs_image: /app.db: string or blob too big"},
    };
    static const char text[] = "this is no database, but it is long enough to be the header of one,"
                               " whose magic is another one altogether ..........................";
    sqlite3 *caller = open_caller(f);
    sqlite3 *db = db_open("/app.db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(zeroblob(50000))");
    db_close(db);
    assert_int_equal(memfs_write_file(f->fs, "/text", text, sizeof text - 1, 0644, 0), 0);
    assert_int_equal(db_number(caller, "SELECT memfs_image(NULL) IS NULL"), 1);
    sqlite3_limit(caller, SQLITE_LIMIT_LENGTH, 40000);
    for (size_t index = 0; index < sizeof refused / sizeof *refused; index++) {
        assert_int_not_equal(db_try(caller, refused[index].sql), SQLITE_OK);
        if (strstr(sqlite3_errmsg(caller), refused[index].message) == NULL)
            fail_msg("%s: %s", refused[index].sql, sqlite3_errmsg(caller));
    }
    db_run(caller, "CREATE VIEW v AS SELECT memfs_image('/app.db')");
    assert_int_equal(db_try(caller, "SELECT * FROM v"), SQLITE_ERROR);
    db_close(caller);
}

static void a_file_system_without_a_vfs_has_no_images(void **state)
{
    struct fixture *f = *state;
    sqlite3 *caller = open_caller(f);
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    assert_int_equal(db_try(caller, "SELECT memfs_image('/app.db')"), SQLITE_ERROR);
    assert_non_null(strstr(sqlite3_errmsg(caller), "is not registered"));
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, 0), 0);
    db_close(caller);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(an_image_has_what_is_committed_in_every_journal_mode),
        SQLITE_TEST(a_connection_makes_an_image_of_its_own_database),
        SQLITE_TEST(an_image_is_made_at_a_full_quota),
        SQLITE_TEST(what_is_no_database_is_refused_with_a_reason),
        SQLITE_TEST(a_file_system_without_a_vfs_has_no_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
