/*
 * A cached read hashes no path and takes no lock that other files share. The linker puts the
 * functions below, which record what is locked, in place of those of the library.
 *
 * memfs's own locks are inline functions, which cannot be replaced. Of memfs, a cached read calls
 * only memfs_pread(), which takes the lock of the one file, or functions that take none; one that
 * works on a path would be seen by its hash.
 */
#include "sqlite_fixture.h"

enum { LOCKS_MAX = 200 };

static const void *locks[LOCKS_MAX];
static size_t locks_taken;
static unsigned names_hashed;

/* An SQLite without threads has null pointers for mutexes. */
static void note(const void *lock)
{
    if (lock == NULL)
        return;
    if (locks_taken < LOCKS_MAX)
        locks[locks_taken] = lock;
    locks_taken++;
}

void __real_mfs_mutex_lock(sqlite3_mutex *mutex);
void __wrap_mfs_mutex_lock(sqlite3_mutex *mutex);
void __wrap_mfs_mutex_lock(sqlite3_mutex *mutex)
{
    note(mutex);
    __real_mfs_mutex_lock(mutex);
}

uint32_t __real_mfs_namehash(const uint64_t key[2], const char *name, size_t length);
uint32_t __wrap_mfs_namehash(const uint64_t key[2], const char *name, size_t length);
uint32_t __wrap_mfs_namehash(const uint64_t key[2], const char *name, size_t length)
{
    names_hashed++;
    return __real_mfs_namehash(key, name, length);
}

static void read_cached(sqlite3 *db, const void *taken[LOCKS_MAX], size_t *count)
{
    locks_taken = 0;
    names_hashed = 0;
    assert_int_equal(db_number(db, "SELECT a FROM t"), 7);
    assert_int_equal(names_hashed, 0);
    assert_true(locks_taken <= LOCKS_MAX);
    *count = locks_taken;
    for (size_t i = 0; i < locks_taken; i++)
        taken[i] = locks[i];
}

static void open_two(const char *mode, int64_t mmap_size, sqlite3 *dbs[2])
{
    static const char *const names[] = {"/one", "/two"};
    for (int i = 0; i < 2; i++) {
        dbs[i] = db_open(names[i]);
        db_run(dbs[i], "PRAGMA journal_mode=%s; PRAGMA mmap_size=%lld", mode, mmap_size);
        db_run(dbs[i], "DROP TABLE IF EXISTS t; CREATE TABLE t(a); INSERT INTO t VALUES(7)");
    }
    for (int i = 0; i < 2; i++) /* names changed while the other was opened */
        db_run(dbs[i], "SELECT a FROM t");
}

static void the_counts_count(void **state)
{
    struct fixture *f = *state;
    locks_taken = 0;
    names_hashed = 0;
    assert_int_equal(memfs_write_file(f->fs, "/x", "x", 1, 0644, 0), 0);
    db_close(db_open("/x"));
    assert_true(locks_taken > 0 || !sqlite3_threadsafe());
    assert_true(names_hashed > 0);
}

static void a_cached_read_takes_no_lock_that_another_database_takes(void **state)
{
    (void)state;
    static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
    for (size_t mode = 0; mode < 12; mode++) {
        sqlite3 *dbs[2];
        const void *taken[2][LOCKS_MAX];
        size_t counts[2];
        open_two(modes[mode / 2], mode % 2 * 1000000, dbs);
        for (int i = 0; i < 2; i++)
            read_cached(dbs[i], taken[i], &counts[i]);
        for (size_t one = 0; one < counts[0]; one++)
            for (size_t two = 0; two < counts[1]; two++)
                assert_ptr_not_equal(taken[0][one], taken[1][two]);
        assert_int_equal(counts[0], counts[1]);
        if (modes[mode / 2][0] != 'W')
            assert_true(counts[0] > 0); /* the ladder's, which is no mutex of SQLite */
        else
            assert_int_equal(counts[0], 0);
        for (int i = 0; i < 2; i++) {
            db_run(dbs[i], "PRAGMA journal_mode=DELETE");
            db_close(dbs[i]);
        }
    }
}

/* The index of names has 128 slots, two for a connection: the last ones have none.  Whether their
 * journal and WAL exist is then asked of the tree, and of nothing that connections share. */
static void nor_does_one_of_more_connections_than_the_index_has_slots(void **state)
{
    (void)state;
    sqlite3 *dbs[80];
    size_t counts[COUNT_OF(dbs)];
    for (size_t i = 0; i < COUNT_OF(dbs); i++)
        dbs[i] = db_open("/one");
    db_run(dbs[0], "CREATE TABLE t(a); INSERT INTO t VALUES(7)");
    for (size_t i = 0; i < COUNT_OF(dbs); i++) {
        db_run(dbs[i], "SELECT a FROM t");
        locks_taken = 0;
        assert_int_equal(db_number(dbs[i], "SELECT a FROM t"), 7);
        counts[i] = locks_taken;
    }
    for (size_t i = 1; i < COUNT_OF(dbs); i++)
        assert_int_equal(counts[i], counts[0]);
    for (size_t i = 0; i < COUNT_OF(dbs); i++)
        db_close(dbs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(the_counts_count),
        SQLITE_TEST(a_cached_read_takes_no_lock_that_another_database_takes),
        SQLITE_TEST(nor_does_one_of_more_connections_than_the_index_has_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
