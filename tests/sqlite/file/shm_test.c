/* Shared memory as SQLite's WAL expects it, and which connections have it. */
#include "io_fixture.h"

enum { REGION = 32768, SHARED = SQLITE_SHM_SHARED, EXCLUSIVE = SQLITE_SHM_EXCLUSIVE };

static volatile unsigned char *map(sqlite3_file *file, int region, int extends)
{
    void volatile *address = &address;
    assert_int_equal(file->pMethods->xShmMap(file, region, REGION, extends, &address), SQLITE_OK);
    return address;
}

static int take(sqlite3_file *file, int first, int count, int how)
{
    return file->pMethods->xShmLock(file, first, count, SQLITE_SHM_LOCK | how);
}

static void give(sqlite3_file *file, int first, int count, int how)
{
    assert_int_equal(file->pMethods->xShmLock(file, first, count, SQLITE_SHM_UNLOCK | how),
                     SQLITE_OK);
}

static void unmap(sqlite3_file *file, int deletes)
{
    assert_int_equal(file->pMethods->xShmUnmap(file, deletes), SQLITE_OK);
}

static void a_region_that_is_missing_is_null_unless_it_may_be_made(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    assert_null(map(file, 0, 0));
    assert_non_null(map(file, 0, 1));
    assert_non_null(map(file, 0, 0));
    assert_null(map(file, 1, 0));
    io_close(file);
}

static void a_new_region_is_zeroed_and_the_same_for_all(void **state)
{
    (void)state;
    sqlite3_file *one = io_open("/db", MAIN_FLAGS);
    sqlite3_file *two = io_open("/db", MAIN_FLAGS);
    volatile unsigned char *region = map(one, 2, 1);
    for (int i = 0; i < REGION; i++)
        assert_int_equal(region[i], 0);
    region[5] = 77;
    one->pMethods->xShmBarrier(one);
    assert_ptr_equal((const void *)(uintptr_t)map(two, 2, 0), (const void *)(uintptr_t)region);
    assert_int_equal(map(two, 2, 0)[5], 77);
    io_close(one);
    io_close(two);
}

static void addresses_stay_while_a_connection_maps_them(void **state)
{
    (void)state;
    sqlite3_file *one = io_open("/db", MAIN_FLAGS);
    sqlite3_file *two = io_open("/db", MAIN_FLAGS);
    uintptr_t addresses[40];
    for (int i = 0; i < 40; i++)
        addresses[i] = (uintptr_t)map(i % 2 == 0 ? one : two, i, 1);
    io_close(one);
    for (int i = 0; i < 40; i++)
        assert_int_equal((uintptr_t)map(two, i, 0), addresses[i]);
    io_close(two);
}

static void several_slots_are_taken_all_or_none(void **state)
{
    (void)state;
    sqlite3_file *one = io_open("/db", MAIN_FLAGS);
    sqlite3_file *two = io_open("/db", MAIN_FLAGS);
    (void)map(one, 0, 1);
    (void)map(two, 0, 1);
    assert_int_equal(take(one, 5, 1, SHARED), SQLITE_OK);
    assert_int_equal(take(two, 5, 1, SHARED), SQLITE_OK);
    assert_int_equal(take(two, 3, 5, EXCLUSIVE), SQLITE_BUSY);
    assert_int_equal(take(one, 3, 1, EXCLUSIVE), SQLITE_OK); /* nothing was kept */
    assert_int_equal(take(one, 7, 1, EXCLUSIVE), SQLITE_OK);
    give(one, 3, 1, EXCLUSIVE);
    give(one, 7, 1, EXCLUSIVE);
    give(one, 5, 1, SHARED);
    give(two, 5, 1, SHARED);
    assert_int_equal(take(two, 3, 5, EXCLUSIVE), SQLITE_OK);
    assert_int_equal(take(one, 5, 1, SHARED), SQLITE_BUSY);
    io_close(two); /* gives back */
    assert_int_equal(take(one, 3, 5, EXCLUSIVE), SQLITE_OK);
    io_close(one);
}

static void giving_back_what_is_not_held_changes_nothing(void **state)
{
    (void)state;
    sqlite3_file *one = io_open("/db", MAIN_FLAGS);
    sqlite3_file *two = io_open("/db", MAIN_FLAGS);
    (void)map(one, 0, 1);
    (void)map(two, 0, 1);
    assert_int_equal(take(one, 0, 1, EXCLUSIVE), SQLITE_OK);
    give(two, 0, 1, EXCLUSIVE);
    give(two, 0, 1, SHARED);
    give(one, 0, 1, SHARED);
    assert_int_equal(take(two, 0, 1, SHARED), SQLITE_BUSY);
    io_close(one);
    io_close(two);
}

static uint64_t shared_bytes(struct fixture *f)
{
    return statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED];
}

static void the_last_to_unmap_frees_it_unless_a_wal_needs_it(void **state)
{
    struct fixture *f = *state;
    uint64_t before = shared_bytes(f);
    sqlite3_file *one = io_open("/db", MAIN_FLAGS);
    sqlite3_file *two = io_open("/db", MAIN_FLAGS);
    (void)map(one, 0, 1);
    (void)map(two, 0, 1);
    unmap(one, 0);
    assert_true(shared_bytes(f) >= before + REGION);
    unmap(two, 0);
    assert_int_equal(shared_bytes(f), before);
    assert_int_equal(memfs_write_file(f->fs, "/db-wal", "live", 4, 0644, 0), 0);
    (void)map(one, 0, 1);
    unmap(one, 0);
    assert_true(shared_bytes(f) >= before + REGION);
    volatile unsigned char *region = map(one, 0, 1);
    for (int i = 0; i < REGION; i++)
        assert_int_equal(region[i], 0); /* the next recovers */
    unmap(one, 1);
    assert_int_equal(shared_bytes(f), before);
    io_close(one);
    io_close(two);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    void volatile *address;
    assert_int_equal(take(file, 0, 1, SHARED), SQLITE_IOERR_SHMLOCK); /* nothing is mapped */
    assert_int_equal(file->pMethods->xShmMap(file, 0, 4096, 1, &address), SQLITE_IOERR_SHMMAP);
    assert_int_equal(file->pMethods->xShmMap(file, -1, REGION, 1, &address), SQLITE_IOERR_SHMMAP);
    (void)map(file, 0, 1);
    assert_int_equal(take(file, 7, 2, EXCLUSIVE), SQLITE_IOERR_SHMLOCK);
    assert_int_equal(take(file, -1, 1, EXCLUSIVE), SQLITE_IOERR_SHMLOCK);
    assert_int_equal(take(file, 0, 0, EXCLUSIVE), SQLITE_IOERR_SHMLOCK);
    io_close(file);
}

static void only_main_databases_have_shared_memory_and_mappings(void **state)
{
    (void)state;
    sqlite3_file *files[] = {io_open("/db-journal", JOURNAL_FLAGS), io_open(NULL, TEMP_FLAGS)};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(files[i]->pMethods->iVersion, 1);
        assert_int_equal(io_lock(files[i], SQLITE_LOCK_EXCLUSIVE), SQLITE_OK); /* does nothing */
        io_close(files[i]);
    }
    sqlite3_file *db = io_open("/db", MAIN_FLAGS);
    assert_int_equal(db->pMethods->iVersion, 3);
    io_close(db);
    assert_null(io_vfs()->xSetSystemCall);
    assert_null(io_vfs()->xGetSystemCall);
    assert_null(io_vfs()->xNextSystemCall);
}

static void without_locks_no_connection_is_kept_out(void **state)
{
    (void)state;
    sqlite3 *writer = db_open("/db");
    db_run(writer, "CREATE TABLE t(a); BEGIN EXCLUSIVE");
    sqlite3 *reader = db_open("file:/db?nolock=1");
    sqlite3 *polite = db_open("/db");
    assert_int_equal(db_number(reader, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_try(polite, "SELECT count(*) FROM t"), SQLITE_BUSY);
    db_run(writer, "ROLLBACK");
    db_run(reader, "PRAGMA mmap_size=1000000; INSERT INTO t VALUES(zeroblob(9000))");
    assert_int_equal(db_number(reader, "SELECT sum(length(a)) FROM t"), 9000);
    db_close(reader);
    assert_int_equal(db_number(polite, "SELECT sum(length(a)) FROM t"), 9000);
    db_close(polite);
    db_close(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_region_that_is_missing_is_null_unless_it_may_be_made),
        SQLITE_TEST(a_new_region_is_zeroed_and_the_same_for_all),
        SQLITE_TEST(addresses_stay_while_a_connection_maps_them),
        SQLITE_TEST(several_slots_are_taken_all_or_none),
        SQLITE_TEST(giving_back_what_is_not_held_changes_nothing),
        SQLITE_TEST(the_last_to_unmap_frees_it_unless_a_wal_needs_it),
        SQLITE_TEST(what_makes_no_sense_is_refused),
        SQLITE_TEST(only_main_databases_have_shared_memory_and_mappings),
        SQLITE_TEST(without_locks_no_connection_is_kept_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
