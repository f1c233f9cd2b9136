/*
 * Starting and ending SQLite around a registration.  Each test configures SQLite anew, so this is
 * a program of its own.
 */
#include "checks.h"

#include <memfs/sqlite.h>
#include <sqlite3.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static sqlite3 *open_uri(const char *uri)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    if (sqlite3_open_v2(uri, &db, flags, "v") != SQLITE_OK)
        fail_msg("%s: %s (%s)", uri, sqlite3_errmsg(db), memfs_sqlite_last_error());
    return db;
}

static sqlite3_int64 number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    sqlite3_int64 number = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    return number;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* A connection of each kind works and has the mmap_size that it should. */
static void use_all_ways(memfs *fs, int rows)
{
    sqlite3 *db;
    assert_int_equal(memfs_sqlite_open(fs, "/a.db", NULL, &db), SQLITE_OK);
    assert_true(number_of(db, "PRAGMA mmap_size") > 1 << 20);
    run(db, "CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES(1)");
    assert_int_equal(number_of(db, "SELECT count(*) FROM t"), rows);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    db = open_uri("file:/a.db?memfs_mmap_size=1M");
    assert_int_equal(number_of(db, "PRAGMA mmap_size"), 1 << 20);
    run(db, "PRAGMA journal_mode=DELETE; BEGIN; UPDATE t SET a = a + 1; COMMIT");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---------------------------------------------------------------- other mutexes */

struct sqlite3_mutex {
    bool is_static;
    int entered;
};

static struct sqlite3_mutex static_mutexes[16];

/* An SQLite without mutexes takes no other ones. */
static void need_mutexes(void)
{
    if (sqlite3_threadsafe() == 0)
        skip();
}

static int mutexes_begin(void)
{
    return SQLITE_OK;
}

static sqlite3_mutex *mutex_alloc(int id)
{
    if (id != SQLITE_MUTEX_FAST && id != SQLITE_MUTEX_RECURSIVE)
        return &static_mutexes[id];
    return calloc(1, sizeof(struct sqlite3_mutex));
}

static void mutex_free(sqlite3_mutex *mutex)
{
    free(mutex);
}

static void mutex_enter(sqlite3_mutex *mutex)
{
    mutex->entered++;
}

static int mutex_try(sqlite3_mutex *mutex)
{
    mutex->entered++;
    return SQLITE_OK;
}

static void mutex_leave(sqlite3_mutex *mutex)
{
    assert_true(mutex->entered > 0);
    mutex->entered--;
}

static int mutex_check(sqlite3_mutex *mutex)
{
    (void)mutex;
    return 1;
}

static sqlite3_mutex_methods other_mutexes = {
    mutexes_begin, mutexes_begin, mutex_alloc, mutex_free,  mutex_enter,
    mutex_try,     mutex_leave,   mutex_check, mutex_check,
};

/* ------------------------------------------------------------------------ tests */

static int start(void **state)
{
    memfs_config config = memfs_config_default();
    struct fixture *f = fixture_create(&config);
    *state = f;
    return f != NULL && memfs_sqlite_register(f->fs, "v", 0) == 0 ? 0 : -1;
}

static int end(void **state)
{
    return memfs_sqlite_unregister("v") == 0 ? fixture_teardown(state) : -1;
}

static void a_registration_outlasts_sqlite3_shutdown(void **state)
{
    struct fixture *f = *state;
    use_all_ways(f->fs, 1);
    for (int round = 2; round < 5; round++) {
        assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
        assert_int_equal(sqlite3_initialize(), SQLITE_OK);
        assert_true(memfs_sqlite_find("v") == f->fs);
        use_all_ways(f->fs, round);
    }
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    use_all_ways(f->fs, 5); /* which initialises SQLite */
}

static void sqlite_may_get_other_mutexes_meanwhile(void **state)
{
    struct fixture *f = *state;
    sqlite3_mutex_methods usual;
    need_mutexes();
    use_all_ways(f->fs, 1);
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMUTEX, &usual), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MUTEX, &other_mutexes), SQLITE_OK);
    use_all_ways(f->fs, 2);
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_SINGLETHREAD), SQLITE_OK);
    use_all_ways(f->fs, 3);
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_SERIALIZED), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MUTEX, &usual), SQLITE_OK);
    use_all_ways(f->fs, 4);
}

static void the_default_is_sqlites_again_until_it_is_registered_anew(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(memfs_sqlite_unregister("v"), 0);
    assert_int_equal(memfs_sqlite_register(f->fs, "v", MEMFS_SQLITE_REGISTER_DEFAULT), 0);
    assert_string_equal(sqlite3_vfs_find(NULL)->zName, "v");
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_initialize(), SQLITE_OK);
    assert_string_not_equal(sqlite3_vfs_find(NULL)->zName, "v");
    assert_int_equal(memfs_sqlite_unregister("v"), 0);
    assert_int_equal(memfs_sqlite_register(f->fs, "v", MEMFS_SQLITE_REGISTER_DEFAULT), 0);
    assert_string_equal(sqlite3_vfs_find(NULL)->zName, "v");
}

static int begin_code;

static int refuse_to_begin(void)
{
    return begin_code;
}

static int refuse_memory(void *unused)
{
    (void)unused;
    return begin_code;
}

static void where_sqlite_cannot_be_initialised_registering_says_so(void **state)
{
    struct fixture *f = *state;
    sqlite3_mem_methods usual, refusing;
    sqlite3_mutex_methods usual_mutexes, refusing_mutexes;
    need_mutexes();
    assert_int_equal(memfs_sqlite_unregister("v"), 0);
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMUTEX, &usual_mutexes), SQLITE_OK);
    refusing = usual;
    refusing.xInit = refuse_memory;
    refusing_mutexes = other_mutexes;
    refusing_mutexes.xMutexInit = refuse_to_begin;
    for (int round = 0; round < 2; round++) {
        if (round == 0)
            assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &refusing), SQLITE_OK);
        else
            assert_int_equal(sqlite3_config(SQLITE_CONFIG_MUTEX, &refusing_mutexes), SQLITE_OK);
        begin_code = SQLITE_ERROR;
        assert_int_equal(memfs_sqlite_register(f->fs, "v", 0), MEMFS_EOPNOTSUPP);
        begin_code = SQLITE_NOMEM;
        assert_int_equal(memfs_sqlite_register(f->fs, "v", 0), MEMFS_ENOMEM);
        (void)sqlite3_shutdown();
        assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &usual), SQLITE_OK);
        assert_int_equal(sqlite3_config(SQLITE_CONFIG_MUTEX, &usual_mutexes), SQLITE_OK);
    }
    assert_int_equal(memfs_sqlite_register(f->fs, "v", 0), 0);
    use_all_ways(f->fs, 1);
}

#define START_TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        START_TEST(a_registration_outlasts_sqlite3_shutdown),
        START_TEST(sqlite_may_get_other_mutexes_meanwhile),
        START_TEST(the_default_is_sqlites_again_until_it_is_registered_anew),
        START_TEST(where_sqlite_cannot_be_initialised_registering_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
