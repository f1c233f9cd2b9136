/*
 * SQL that is not trusted, on a connection that is confined to its file system, and in a file
 * system that SQL may not control.
 */
#include "shim.h"
#include "sqlite_fixture.h"

#include <stdbool.h>
#include <string.h>

static void confine(sqlite3 *db, const char *directory)
{
    memfs_sqlite_confine_options options = {.struct_size = sizeof options, .directory = directory};
    assert_int_equal(memfs_sqlite_confine(db, &options), 0);
}

static void check_codes(sqlite3 *db, const char *const *statements, size_t count, int code)
{
    for (size_t index = 0; index < count; index++) {
        int rc = db_try(db, statements[index]);
        if (rc != code)
            fail_msg("%s: %d %s", statements[index], rc, sqlite3_errmsg(db));
    }
}

#define CHECK_CODES(db, statements, code) \
    check_codes(db, statements, sizeof statements / sizeof *statements, code)

/* SQLite has no code of its own for a function. */
static void check_functions(sqlite3 *db, const char *const *statements, size_t count)
{
    for (size_t index = 0; index < count; index++) {
        assert_int_equal(db_try(db, statements[index]), SQLITE_ERROR);
        assert_non_null(strstr(sqlite3_errmsg(db), "not authorized to use function"));
    }
}

static sqlite3 *open_in_jail(struct fixture *f)
{
    assert_int_equal(memfs_mkdir(f->fs, "/jail", 0755), 0);
    assert_int_equal(memfs_mkdir(f->fs, "/jail/sub", 0755), 0);
    assert_int_equal(memfs_symlink(f->fs, "/outside.db", "/jail/link.db", 0), 0);
    sqlite3 *db = db_open("/outside.db");
    db_run(db, "CREATE TABLE secret(a)");
    db_close(db);
    db = db_open("/jail/app.db");
    db_run(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)");
    return db;
}

static void attach_and_vacuum_into_stay_under_the_directory(void **state)
{
    struct fixture *f = *state;
    static const char *const allowed[] = {
        "ATTACH '/jail/b.db' AS x; CREATE TABLE x.b(a); DETACH x",
        "ATTACH 'jail/../jail//sub/./c.db' AS x; DETACH x",
        "ATTACH 'file:/jail/b.db' AS x; DETACH x",
        "ATTACH 'file:///jail/b.db?mode=ro&vfs=" TEST_VFS "&cache=private' AS x; DETACH x",
        "ATTACH 'file://localhost/jail/b.db#fragment' AS x; DETACH x",
        "ATTACH '' AS x; CREATE TABLE x.b(a); DETACH x",
        "VACUUM INTO '/jail/copy.db'",
        "VACUUM INTO '/jail/sub/' || 'copy.db'",
        "VACUUM",
    };
    static const char *const refused[] = {
        "ATTACH '/outside.db' AS x",
        "ATTACH 'outside.db' AS x",
        "ATTACH '/jail' AS x",
        "ATTACH '/jailer.db' AS x",
        "ATTACH '/jail/../outside.db' AS x",
        "ATTACH '/jail/link.db' AS x",
        "ATTACH ':memory:' AS x",
        "ATTACH 'file::memory:' AS x",
        "ATTACH 'file:/jail/b.db?mode=memory' AS x",
        "ATTACH 'file:/jail/b.db?vfs=unix' AS x",
        "ATTACH 'file:/jail/b.db?vfs=" TEST_VFS "&vfs=unix' AS x",
        "ATTACH 'file:/jail/b.db?%76fs=unix' AS x",
        "ATTACH 'file:/jail/b.db?nolock=1' AS x",
        "ATTACH 'file:/jail/b.db?immutable=1' AS x",
        "ATTACH 'file:/jail/b.db?memfs_size_limit=0' AS x",
        "ATTACH 'file:/jail/b.db?vfs' AS x",
        "ATTACH 'file:/jail/%2e%2e/outside.db' AS x",
        "ATTACH 'file:/outside.db' AS x",
        "ATTACH 'file://host/jail/b.db' AS x",
        "ATTACH 'file://localhost' AS x",
        "ATTACH '/jail/' || 'b.db' AS x",
        "ATTACH NULL AS x",
        "VACUUM INTO '/outside2.db'",
        "VACUUM INTO 'file:/jail/copy2.db?vfs=unix'",
        "VACUUM INTO '/jail/' || '../copy2.db'",
    };
    sqlite3 *db = open_in_jail(f);
    confine(db, "/jail/sub/../");
    CHECK_CODES(db, allowed, SQLITE_OK);
    CHECK_CODES(db, refused, SQLITE_AUTH);
    db_assert_text(db, "SELECT memfs_confined_to()", "/jail");
    assert_int_equal(db_number(db, "SELECT count(*) FROM pragma_database_list"), 1);
    assert_int_equal(memfs_exists(f->fs, "/outside2.db"), 0);
    db_close(db);
}

static void without_a_directory_the_whole_tree_may_be_attached(void **state)
{
    struct fixture *f = *state;
    static const char *const allowed[] = {
        "ATTACH '/outside.db' AS x; DETACH x",
        "ATTACH 'file:/outside.db?vfs=" TEST_VFS "' AS x; DETACH x",
        "SELECT memfs_exists('/outside.db') FROM memfs_tree",
    };
    static const char *const refused[] = {
        "ATTACH 'file:/dev/null/memfs-escape.db?vfs=unix' AS x",
        "ATTACH ':memory:' AS x",
    };
    static const char *const reaching_the_host[] = {
        "SELECT memfs_import('/dev/null', '/jail/null')",
        "SELECT memfs_export('/outside.db', '/dev/null/memfs-escape.db')",
    };
    sqlite3 *db = open_in_jail(f);
    unsigned flags = MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS;
    bool has_host_access = memfs_sqlite_register_functions(db, f->fs, flags) == 0;
    if (!has_host_access)
        assert_int_equal(memfs_sqlite_register_functions(db, f->fs, 0), 0);
    assert_int_equal(memfs_sqlite_confine(db, NULL), 0);
    CHECK_CODES(db, allowed, SQLITE_OK);
    CHECK_CODES(db, refused, SQLITE_AUTH);
    if (has_host_access)
        check_functions(db, reaching_the_host, 2);
    db_assert_text(db, "SELECT memfs_confined_to()", "/");
    assert_int_equal(memfs_exists(f->fs, "/jail/null"), 0);
    db_close(db);
}

static void confined_sql_neither_sets_limits_nor_sees_the_tree(void **state)
{
    struct fixture *f = *state;
    static const char *const refused[] = {
        "PRAGMA memfs_quota = '8G'",
        "PRAGMA memfs_emergency_reserve = 0",
        "PRAGMA memfs_node_limit = 0",
        "PRAGMA memfs_copy_database('/outside2.db')",
        "PRAGMA memfs_snapshot_take('s')",
        "PRAGMA temp_store_directory = '/tmp'",
        "PRAGMA hard_heap_limit = 1",
        "PRAGMA soft_heap_limit = 1",
        "SELECT path FROM memfs_tree",
        "SELECT count(*) FROM memfs_tree('/')",
        "CREATE TEMP VIEW v AS SELECT path FROM memfs_tree; SELECT * FROM v",
    };
    static const char *const functions[] = {
        "SELECT memfs_read('/outside.db')",
        "SELECT memfs_write('/outside.db', 'x')",
        "SELECT load_extension('x')",
    };
    static const char *const allowed[] = {
        "PRAGMA memfs_quota; PRAGMA memfs_available; PRAGMA cache_size=10",
        "SELECT a, upper('x') FROM t; INSERT INTO t VALUES(2)",
    };
    sqlite3 *db = open_in_jail(f);
    assert_int_equal(memfs_sqlite_register_functions(db, f->fs, 0), 0);
    confine(db, "/jail");
    assert_int_not_equal(db_try(db, "SELECT path FROM memfs_tree"), SQLITE_OK);
    assert_int_equal(memfs_sqlite_confine(db, NULL), 0);
    assert_true(db_number(db, "SELECT count(*) FROM memfs_tree") > 0); /* it is connected now */
    confine(db, "/jail");
    uint64_t quota = statfs_of(f->fs).quota_bytes;
    CHECK_CODES(db, refused, SQLITE_AUTH);
    check_functions(db, functions, 3);
    CHECK_CODES(db, allowed, SQLITE_OK);
    assert_int_equal(statfs_of(f->fs).quota_bytes, quota);
    assert_int_equal(memfs_exists(f->fs, "/outside2.db"), 0);
    db_close(db);
}

static int deny_delete(void *context, int action, const char *first, const char *second,
                       const char *schema, const char *trigger)
{
    (void)first, (void)second, (void)schema, (void)trigger;
    ++*(int *)context;
    return action == SQLITE_DELETE ? SQLITE_DENY : SQLITE_OK;
}

static void the_programs_own_authorizer_is_asked_too(void **state)
{
    struct fixture *f = *state;
    int calls = 0;
    memfs_sqlite_confine_options options = {.struct_size = sizeof options,
                                            .directory = "/jail",
                                            .authorizer = deny_delete,
                                            .authorizer_context = &calls};
    sqlite3 *db = open_in_jail(f);
    assert_int_equal(memfs_sqlite_confine(db, &options), 0);
    assert_int_equal(db_try(db, "DELETE FROM t"), SQLITE_AUTH);
    assert_true(calls > 0);
    calls = 0;
    assert_int_equal(db_try(db, "ATTACH '/outside.db' AS x"), SQLITE_AUTH);
    assert_int_equal(calls, 0);
    confine(db, "/jail"); /* anew, without it */
    db_run(db, "DELETE FROM t");
    db_close(db);
}

static void a_statement_that_was_prepared_before_is_confined_too(void **state)
{
    struct fixture *f = *state;
    sqlite3_stmt *early;
    sqlite3 *db = open_in_jail(f);
    assert_int_equal(sqlite3_prepare_v2(db, "ATTACH '/outside.db' AS x", -1, &early, NULL),
                     SQLITE_OK);
    confine(db, "/jail");
    assert_int_equal(sqlite3_step(early), SQLITE_AUTH);
    assert_int_equal(sqlite3_finalize(early), SQLITE_AUTH);
    db_close(db);
}

static void confining_refuses_what_it_cannot_hold(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_in_jail(f);
    memfs_sqlite_confine_options options = {.struct_size = sizeof options, .directory = "jail"};
    assert_int_equal(memfs_sqlite_confine(NULL, NULL), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_confine(db, &options), MEMFS_EINVAL);
    options.directory = "/jail";
    options.struct_size = 1;
    assert_int_equal(memfs_sqlite_confine(db, &options), MEMFS_EINVAL);
    db_run(db, "ATTACH '/outside.db' AS x"); /* it is not confined */
    confine(db, "/jail");
    sqlite3_stmt *running;
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT a FROM t", -1, &running, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(running), SQLITE_ROW);
    assert_int_equal(memfs_sqlite_confine(db, NULL), MEMFS_EBUSY);
    assert_int_equal(sqlite3_finalize(running), SQLITE_OK);
    db_assert_text(db, "SELECT memfs_confined_to()", "/jail");
    db_close(db);
}

static void a_connection_below_another_vfs_stays_in_that(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = open_in_jail(f);
    db_close(db);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    const char *vfs_name = shim_lay(SHIM_COPIES_NAMES);
    assert_int_equal(sqlite3_open_v2("/jail/app.db", &db, flags, vfs_name), SQLITE_OK);
    confine(db, "/jail");
    db_run(db, "ATTACH '/jail/b.db' AS x; CREATE TABLE x.b(a)");
    assert_int_equal(db_try(db, "ATTACH '/jail/link.db' AS y"), SQLITE_AUTH);
    assert_int_equal(db_try(db, "ATTACH 'file:/jail/c.db?vfs=" TEST_VFS "' AS y"), SQLITE_AUTH);
    db_close(db);
    shim_remove();
}

/* ---------------------------------------------------------- without control */

static int setup_without_control(void **state)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 4 << 20;
    struct fixture *f = fixture_create(&config);
    *state = f;
    return f == NULL || memfs_sqlite_register(f->fs, TEST_VFS, MEMFS_SQLITE_REGISTER_NO_CONTROL);
}

static void pragmas_answer_and_change_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const refused[] = {
        "PRAGMA memfs_copy_database('/b.db')",
        "PRAGMA memfs_snapshot_take('s')",
        "PRAGMA memfs_snapshot_remove('kept')",
    };
    sqlite3 *db = db_open("/a.db");
    db_run(db, "CREATE TABLE t(a)");
    assert_int_equal(memfs_snapshot_take(f->fs, "kept"), 0);
    memfs_statfs_info before = statfs_of(f->fs);
    assert_true(before.emergency_reserve_bytes > 0);
    assert_int_equal(db_number(db, "PRAGMA memfs_quota"), 4 << 20);
    assert_int_equal(db_number(db, "PRAGMA memfs_quota = '8G'"), 4 << 20);
    assert_int_equal(db_number(db, "PRAGMA memfs_emergency_reserve = 0"),
                     before.emergency_reserve_bytes);
    assert_int_equal(db_number(db, "PRAGMA memfs_node_limit = 5"), 0);
    assert_true(db_number(db, "PRAGMA memfs_reserve_estimate = 5") > 0); /* a question */
    CHECK_CODES(db, refused, SQLITE_PERM);
    assert_non_null(strstr(sqlite3_errmsg(db), "memfs_snapshot_remove: SQL may not change"));
    memfs_statfs_info after = statfs_of(f->fs);
    assert_int_equal(after.quota_bytes, before.quota_bytes);
    assert_int_equal(after.emergency_reserve_bytes, before.emergency_reserve_bytes);
    assert_int_equal(after.node_limit, before.node_limit);
    assert_int_equal(memfs_exists(f->fs, "/b.db"), 0);
    db_assert_text(db, "PRAGMA memfs_snapshot_list", "[\"kept\"]");
    assert_int_equal(memfs_snapshot_remove(f->fs, "kept"), 0);
    db_close(db);
}

static void a_size_limit_is_not_lifted(void **state)
{
    (void)state;
    sqlite3_int64 limit = 1 << 30;
    sqlite3 *db = db_open("file:/a.db?memfs_size_limit=100000");
    db_run(db, "CREATE TABLE t(a)");
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_SIZE_LIMIT, &limit), SQLITE_OK);
    assert_int_equal(limit, 100000);
    db_run(db, "ATTACH 'file:/a.db?memfs_size_limit=1G' AS again");
    limit = -1;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_SIZE_LIMIT, &limit), SQLITE_OK);
    assert_int_equal(limit, 100000);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(zeroblob(200000))"), SQLITE_FULL);
    db_close(db);
}

#define CONTROL_TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup_without_control, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(attach_and_vacuum_into_stay_under_the_directory),
        SQLITE_TEST(without_a_directory_the_whole_tree_may_be_attached),
        SQLITE_TEST(confined_sql_neither_sets_limits_nor_sees_the_tree),
        SQLITE_TEST(the_programs_own_authorizer_is_asked_too),
        SQLITE_TEST(a_statement_that_was_prepared_before_is_confined_too),
        SQLITE_TEST(confining_refuses_what_it_cannot_hold),
        SQLITE_TEST(a_connection_below_another_vfs_stays_in_that),
        CONTROL_TEST(pragmas_answer_and_change_nothing),
        CONTROL_TEST(a_size_limit_is_not_lifted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
