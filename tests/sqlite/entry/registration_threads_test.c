/* Registering, finding and failing in several threads at once. */
#include "sqlite_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { ROUNDS = 2000 };

struct finder {
    memfs *fs, *other;
    atomic_bool has_looked, must_end;
    unsigned long strange, refused;
};

static void *find_on_and_on(void *context)
{
    struct finder *finder = context;
    while (!atomic_load(&finder->must_end)) {
        memfs *fs = memfs_sqlite_find("v");
        finder->strange += fs != NULL && fs != finder->other;
        sqlite3 *db;
        /* This looks through the list of all VFSes for the one of the test's file system. */
        if (memfs_sqlite_open(finder->fs, ":memory:", NULL, &db) != SQLITE_OK)
            finder->refused++;
        (void)sqlite3_close(db);
        atomic_store(&finder->has_looked, true);
    }
    return NULL;
}

static void a_vfs_can_be_looked_up_while_another_thread_unregisters_it(void **state)
{
    struct fixture *f = *state;
    memfs_config config = memfs_config_default();
    struct fixture *second = fixture_create(&config);
    assert_non_null(second);
    memfs *other = second->fs;
    struct finder finders[2] = {{.fs = f->fs, .other = other}, {.fs = f->fs, .other = other}};
    pthread_t threads[2];
    for (int index = 0; index < 2; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, find_on_and_on, &finders[index]), 0);
    for (int index = 0; index < 2; index++)
        while (!atomic_load(&finders[index].has_looked))
            (void)sched_yield();
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(memfs_sqlite_register(other, "v", MEMFS_SQLITE_REGISTER_DEFAULT), 0);
        assert_true(memfs_sqlite_find("v") == other);
        assert_int_equal(memfs_sqlite_unregister("v"), 0);
    }
    for (int index = 0; index < 2; index++) {
        atomic_store(&finders[index].must_end, true);
        assert_int_equal(pthread_join(threads[index], NULL), 0);
        assert_int_equal(finders[index].strange + finders[index].refused, 0);
    }
    fixture_destroy(second);
}

static void *fail_alone(void *context)
{
    sqlite3 *db;
    bool *is_own = context;
    bool was_empty = memfs_sqlite_last_error()[0] == '\0';
    (void)sqlite3_open_v2("/theirs/x.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                          TEST_VFS);
    (void)sqlite3_close(db);
    *is_own = was_empty && strstr(memfs_sqlite_last_error(), "/theirs/x.db: ") != NULL;
    return NULL;
}

static void the_last_error_is_the_threads_own(void **state)
{
    (void)state;
    sqlite3 *db;
    pthread_t thread;
    bool is_own = false;
    assert_int_equal(
        sqlite3_open_v2("/ours/x.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, TEST_VFS),
        SQLITE_CANTOPEN);
    db_close(db);
    assert_int_equal(pthread_create(&thread, NULL, fail_alone, &is_own), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(is_own);
    assert_non_null(strstr(memfs_sqlite_last_error(), "/ours/x.db: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_vfs_can_be_looked_up_while_another_thread_unregisters_it),
        SQLITE_TEST(the_last_error_is_the_threads_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
