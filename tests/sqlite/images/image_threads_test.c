/*
 * Images taken while others write.  Each transaction adds one to two counters that lie on
 * different pages: an image in which they differ is torn.
 */
#define _XOPEN_SOURCE 700

#include "sqlite_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WRITERS = 2, IMAGES = 24, TIMEOUT_MS = 60000, LONG_WAL_BYTES = 8 << 20 };

struct work {
    memfs *fs;
    atomic_bool stop;
    atomic_int errors;
};

/* A WAL grows while a connection reads, and a reader that does not get the processor reads for
 * long. */
static const char *next_statements(struct work *work)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    bool is_long = memfs_stat(work->fs, "/db-wal", &info) == 0 && info.size_bytes > LONG_WAL_BYTES;
    return is_long ? "PRAGMA wal_checkpoint(TRUNCATE)"
                   : "BEGIN IMMEDIATE; UPDATE a SET n=n+1; UPDATE b SET n=n+1; COMMIT";
}

static void *write_until_stopped(void *argument)
{
    struct work *work = argument;
    sqlite3 *db;
    memfs_sqlite_open_options options = {.struct_size = sizeof options,
                                         .busy_timeout_ms = TIMEOUT_MS};
    if (memfs_sqlite_open(work->fs, "/db", &options, &db) != SQLITE_OK)
        atomic_fetch_add(&work->errors, 1);
    while (!atomic_load(&work->stop))
        if (db_try(db, next_statements(work)) != SQLITE_OK) {
            atomic_fetch_add(&work->errors, 1);
            break;
        }
    if (sqlite3_close(db) != SQLITE_OK)
        atomic_fetch_add(&work->errors, 1);
    return NULL;
}

static void make(struct fixture *f, const char *mode)
{
    sqlite3 *db;
    memfs_sqlite_open_options options = {.struct_size = sizeof options, .journal_mode = mode};
    assert_int_equal(memfs_sqlite_open(f->fs, "/db", &options, &db), SQLITE_OK);
    db_run(db, "CREATE TABLE a(n); CREATE TABLE b(n); CREATE TABLE c(n)");
    db_run(db, "INSERT INTO a VALUES(0); INSERT INTO b VALUES(0)");
    db_run(db, "INSERT INTO c VALUES(zeroblob(200000))");
    db_close(db);
}

/* The counter of an image that is whole. */
static int64_t counter_of(const char *path)
{
    sqlite3 *db = db_open(path);
    db_assert_whole(db);
    int64_t count = db_number(db, "SELECT n FROM a");
    assert_int_equal(db_number(db, "SELECT n FROM b"), count);
    db_close(db);
    return count;
}

static void through_memory(struct fixture *f, sqlite3 *db)
{
    void *data;
    size_t size;
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, &data, &size), SQLITE_OK);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, data, size, "/image", 0), SQLITE_OK);
    assert_int_equal(memfs_free(f->fs, data), 0);
}

static void through_the_host(struct fixture *f, sqlite3 *db, const char *file)
{
    assert_int_equal(memfs_sqlite_save_file(db, NULL, file), SQLITE_OK);
    assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/image", 0), SQLITE_OK);
}

/* It does not wait, so it is asked again. */
static void by_pragma(sqlite3 *db)
{
    int rc;
    do {
        (void)db_number(db, "SELECT n FROM a");
        rc = db_try(db, "PRAGMA memfs_copy_database('/image')");
    } while (rc == SQLITE_BUSY);
    assert_int_equal(rc, SQLITE_OK);
}

/* At least so many images, and then more until one shows that the others have written. */
static void take_images(struct fixture *f, const char *file)
{
    int64_t last = 0;
    sqlite3 *db = db_open("/db");
    sqlite3_busy_timeout(db, TIMEOUT_MS);
    for (int round = 0; round < IMAGES || last == 0; round++) {
        if (round % 3 == 0)
            through_memory(f, db);
        else if (round % 3 == 1)
            through_the_host(f, db, file);
        else
            by_pragma(db);
        int64_t count = counter_of("/image");
        assert_true(count >= last);
        last = count;
        assert_int_equal(memfs_unlink(f->fs, "/image"), 0);
    }
    db_close(db);
}

static void images_under_writers(struct fixture *f, const char *mode)
{
    char directory[] = "/tmp/memfs-image-test-XXXXXX";
    pthread_t threads[WRITERS];
    struct work work = {.fs = f->fs};
    make(f, mode);
    assert_non_null(mkdtemp(directory));
    char *file = sqlite3_mprintf("%s/image", directory);
    for (int index = 0; index < WRITERS; index++)
        assert_int_equal(pthread_create(&threads[index], NULL, write_until_stopped, &work), 0);
    take_images(f, file);
    atomic_store(&work.stop, true);
    for (int index = 0; index < WRITERS; index++)
        pthread_join(threads[index], NULL);
    assert_int_equal(atomic_load(&work.errors), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(directory), 0);
    sqlite3_free(file);
}

static void images_are_whole_while_others_write_in_rollback_mode(void **state)
{
    images_under_writers(*state, "PERSIST");
}

static void images_are_whole_while_others_write_with_a_journal_on_the_heap(void **state)
{
    images_under_writers(*state, "MEMORY");
}

static void images_are_whole_while_others_write_in_wal_mode(void **state)
{
    images_under_writers(*state, "WAL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(images_are_whole_while_others_write_in_rollback_mode),
        SQLITE_TEST(images_are_whole_while_others_write_with_a_journal_on_the_heap),
        SQLITE_TEST(images_are_whole_while_others_write_in_wal_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
