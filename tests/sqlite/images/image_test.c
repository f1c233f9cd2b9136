/* Images: databases saved and loaded as one piece, and SQLite's own ways between memfs and disk. */
#define _XOPEN_SOURCE 700

#include "host_directory.h"
#include "sqlite_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------------- tools */

/* A path in the host's directory; sqlite3_free(). */
static char *host_name(const char *name)
{
    char *path = sqlite3_mprintf("%s", host_path(name));
    assert_non_null(path);
    return path;
}

static int setup(void **state)
{
    return host_directory_make() == 0 ? sqlite_setup(state) : -1;
}

static int teardown(void **state)
{
    return host_directory_remove() == 0 ? sqlite_teardown(state) : -1;
}

static sqlite3 *host_open(const char *path)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
                     SQLITE_OK);
    return db;
}

/* Rows whose sum is 500500, on more than one page. */
static void fill(sqlite3 *db, const char *mode, int page_size)
{
    db_run(db, "PRAGMA page_size=%d; PRAGMA journal_mode=%s; CREATE TABLE t(a, b)", page_size,
           mode);
    db_run(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<1000) "
               "INSERT INTO t SELECT i, zeroblob(100) FROM n");
}

static void is_full(sqlite3 *db)
{
    db_assert_whole(db);
    assert_int_equal(db_number(db, "SELECT sum(a) FROM t"), 500500);
}

static void loaded_is_full(const char *path)
{
    sqlite3 *db = db_open(path);
    is_full(db);
    db_assert_text(db, "PRAGMA journal_mode", "delete");
    db_run(db, "INSERT INTO t VALUES(0, 0)");
    db_close(db);
}

struct buffer {
    void *data;
    size_t size;
};

static struct buffer save(struct fixture *f, sqlite3 *db)
{
    struct buffer image = {NULL, 0};
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, &image.data, &image.size),
                     SQLITE_OK);
    return image;
}

/* Nothing but "/" and these. */
static void has_nodes(struct fixture *f, uint64_t count)
{
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.files + info.directories + info.symlinks, count);
    assert_int_equal(info.orphans, 0);
}

/* ----------------------------------------------------------------- round trips */

static const char *const modes[] = {"DELETE", "PERSIST", "MEMORY", "WAL"};
static const int page_sizes[] = {512, 4096, 65536};
enum { MODES = 4, PAGE_SIZES = 3 };

static void a_database_goes_to_the_host_and_back(void **state)
{
    struct fixture *f = *state;
    char *file = host_name("image");
    for (int round = 0; round < MODES * PAGE_SIZES; round++) {
        sqlite3 *db = db_open("/db");
        fill(db, modes[round % MODES], page_sizes[round / MODES]);
        assert_int_equal(memfs_sqlite_save_file(db, "main", file), SQLITE_OK);
        assert_int_equal(host_entries(), 1);
        db_close(db);
        (void)memfs_unlink(f->fs, "/db-journal");
        assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/copy", 0), SQLITE_OK);
        loaded_is_full("/copy");
        sqlite3 *on_host = host_open(file);
        is_full(on_host);
        db_close(on_host);
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        has_nodes(f, 2);
    }
    sqlite3_free(file);
}

static void a_database_goes_to_memory_and_back(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < MODES * PAGE_SIZES; round++) {
        sqlite3 *db = db_open("/db");
        fill(db, modes[round % MODES], page_sizes[round / MODES]);
        struct buffer image = save(f, db);
        assert_memory_equal(image.data, "SQLite format 3", 16);
        assert_int_equal(image.size % (size_t)page_sizes[round / MODES], 0);
        assert_memory_equal((char *)image.data + 18, "\1\1", 2);
        db_close(db);
        (void)memfs_unlink(f->fs, "/db-journal");
        assert_int_equal(memfs_sqlite_load_buffer(f->fs, image.data, image.size, "/copy", 0),
                         SQLITE_OK);
        assert_int_equal(memfs_free(f->fs, image.data), 0);
        loaded_is_full("/copy");
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
        has_nodes(f, 2);
    }
}

static void an_attached_database_is_saved_by_its_name(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open(":memory:");
    db_run(db, "ATTACH ':memory:' AS 'od\"d'; CREATE TABLE \"od\"\"d\".t(a)");
    db_run(db, "INSERT INTO t VALUES(42)");
    struct buffer image;
    assert_int_equal(memfs_sqlite_save_buffer(db, "od\"d", f->fs, &image.data, &image.size),
                     SQLITE_OK);
    assert_int_equal(memfs_sqlite_save_buffer(db, "none", f->fs, &image.data, &image.size),
                     SQLITE_ERROR);
    char *file = host_name("image");
    assert_int_equal(memfs_sqlite_save_file(db, "none", file), SQLITE_ERROR);
    assert_int_equal(host_entries(), 0);
    sqlite3_free(file);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image.data, image.size, "/db", 0), SQLITE_OK);
    assert_int_equal(memfs_free(f->fs, image.data), 0);
    db_close(db);
    db = db_open("/db");
    assert_int_equal(db_number(db, "SELECT a FROM t"), 42);
    db_close(db);
}

static void an_empty_database_is_one_page(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    struct buffer image = save(f, db);
    assert_int_equal(image.size, 4096);
    db_close(db);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image.data, image.size, "/copy", 0),
                     SQLITE_OK);
    assert_int_equal(memfs_free(f->fs, image.data), 0);
    db = db_open("/copy");
    db_assert_whole(db);
    db_run(db, "CREATE TABLE t(a)");
    db_close(db);
}

/* --------------------------------------------------------------------- refusals */

static void what_is_no_database_is_refused(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    fill(db, "MEMORY", 1024);
    struct buffer good = save(f, db);
    db_close(db);
    assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
    unsigned char *bad = malloc(good.size);
    char *file = host_name("bad");
    static const struct {
        size_t cut, offset;
        unsigned char byte;
        int code;
    } cases[] = {
        {0, 0, 's', SQLITE_NOTADB},     {0, 15, 1, SQLITE_NOTADB},  {0, 16, 0, SQLITE_NOTADB},
        {0, 16, 3, SQLITE_NOTADB},      {1, 0, 'S', SQLITE_NOTADB}, {1000, 0, 'S', SQLITE_NOTADB},
        {1024, 0, 'S', SQLITE_CORRUPT},
    };
    for (size_t index = 0; index < sizeof cases / sizeof cases[0]; index++) {
        size_t size = good.size - cases[index].cut;
        memcpy(bad, good.data, good.size);
        bad[cases[index].offset] = cases[index].byte;
        assert_int_equal(memfs_sqlite_load_buffer(f->fs, bad, size, "/db", 0), cases[index].code);
        FILE *stream = fopen(file, "wb");
        assert_int_equal(fwrite(bad, 1, size, stream), size);
        fclose(stream);
        assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/db", 0), cases[index].code);
        has_nodes(f, 1);
    }
    const size_t short_sizes[] = {0, 1, 99, 100, 511};
    for (size_t index = 0; index < sizeof short_sizes / sizeof short_sizes[0]; index++) {
        FILE *stream = fopen(file, "wb");
        assert_int_equal(fwrite(good.data, 1, short_sizes[index], stream), short_sizes[index]);
        fclose(stream);
        assert_int_equal(memfs_sqlite_load_buffer(f->fs, good.data, short_sizes[index], "/db", 0),
                         SQLITE_NOTADB);
        assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/db", 0), SQLITE_NOTADB);
    }
    has_nodes(f, 1);
    free(bad);
    sqlite3_free(file);
    assert_int_equal(memfs_free(f->fs, good.data), 0);
}

static void a_load_that_does_not_fit_leaves_what_was_there(void **state)
{
    struct fixture *f = *state;
    char *file = host_name("image");
    sqlite3 *db = host_open(file);
    fill(db, "DELETE", 4096);
    struct buffer image;
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, &image.data, &image.size),
                     SQLITE_OK);
    db_close(db);
    db = db_open("/db");
    db_run(db, "CREATE TABLE old(a)");
    db_close(db);
    for (uint64_t more = 0; more < 120000; more += 8000) {
        quota_leave(f, more);
        int from_file = memfs_sqlite_load_file(f->fs, file, "/db", 0);
        int from_memory = memfs_sqlite_load_buffer(f->fs, image.data, image.size, "/d/db",
                                                   MEMFS_SQLITE_LOAD_MAKE_PARENTS);
        assert_int_equal(from_file, SQLITE_FULL);
        assert_int_equal(from_memory, SQLITE_FULL);
        quota_lift(f);
        has_nodes(f, 2);
    }
    db = db_open("/db");
    assert_int_equal(db_number(db, "SELECT count(*) FROM old"), 0);
    db_close(db);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image.data, image.size, "/d/e/db", 0),
                     SQLITE_CANTOPEN);
    assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/d/e/db", MEMFS_SQLITE_LOAD_MAKE_PARENTS),
                     SQLITE_OK);
    loaded_is_full("/d/e/db");
    assert_int_equal(memfs_free(f->fs, image.data), 0);
    sqlite3_free(file);
}

static void a_save_that_does_not_fit_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    fill(db, "WAL", 4096);
    quota_leave(f, 100000);
    struct buffer image = {NULL, 7};
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, &image.data, &image.size),
                     SQLITE_FULL);
    assert_null(image.data);
    assert_int_equal(image.size, 7);
    quota_lift(f);
    char *missing = host_name("none/image");
    assert_int_equal(memfs_sqlite_save_file(db, NULL, missing) & 0xFF, SQLITE_CANTOPEN);
    sqlite3_free(missing);
    /* A directory is in the way. */
    assert_int_equal(memfs_sqlite_save_file(db, NULL, host_directory()), SQLITE_CANTOPEN);
    assert_int_equal(host_entries(), 0);
    db_close(db);
}

static void a_host_path_is_never_a_uri(void **state)
{
    struct fixture *f = *state;
    const char *const names[] = {"file:image?mode=memory", "file:image%20", ":memory:", "a?b#c%41"};
    char before[4096];
    sqlite3 *db = db_open("/db");
    fill(db, "WAL", 4096);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(host_directory()), 0);
    for (int index = 0; index < 4; index++) {
        assert_int_equal(memfs_sqlite_save_file(db, NULL, names[index]), SQLITE_OK);
        assert_int_equal(access(names[index], F_OK), 0);
        assert_int_equal(host_entries(), index + 1);
        assert_int_equal(memfs_sqlite_load_file(f->fs, names[index], "/back", 0), SQLITE_OK);
        loaded_is_full("/back");
    }
    assert_int_equal(chdir(before), 0);
    db_close(db);
}

static void a_transaction_that_writes_is_in_the_way(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    fill(db, "DELETE", 4096);
    sqlite3 *other = db_open("/db");
    char *file = host_name("image");
    struct buffer image;
    db_run(db, "BEGIN EXCLUSIVE; DELETE FROM t");
    sqlite3 *const both[] = {db, other};
    for (int index = 0; index < 2; index++) {
        assert_int_equal(memfs_sqlite_save_file(both[index], NULL, file), SQLITE_BUSY);
        assert_int_equal(
            memfs_sqlite_save_buffer(both[index], NULL, f->fs, &image.data, &image.size),
            SQLITE_BUSY);
    }
    assert_int_equal(host_entries(), 0);
    db_run(db, "ROLLBACK");
    assert_int_equal(memfs_sqlite_save_file(other, NULL, file), SQLITE_OK);
    db_close(other);
    db_close(db);
    sqlite3_free(file);
}

static void a_journal_or_wal_of_another_database_is_in_the_way(void **state)
{
    struct fixture *f = *state;
    char *file = host_name("image");
    char *wal = host_name("image-wal");
    sqlite3 *db = db_open("/db");
    fill(db, "WAL", 4096);
    FILE *stream = fopen(wal, "wb");
    fputs("left", stream);
    fclose(stream);
    assert_int_equal(memfs_sqlite_save_file(db, NULL, file), SQLITE_BUSY);
    assert_int_equal(unlink(wal), 0);
    assert_int_equal(memfs_sqlite_save_file(db, NULL, file), SQLITE_OK);
    /* In use, so there is a WAL. */
    assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/db", 0), SQLITE_BUSY);
    db_close(db);
    assert_int_equal(memfs_write_file(f->fs, "/db-journal", "live", 4, 0644, 0), 0);
    assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/db", 0), SQLITE_BUSY);
    assert_int_equal(memfs_write_file(f->fs, "/db-journal", "\0dead", 5, 0644, 0), 0);
    assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/db", 0), SQLITE_OK);
    assert_int_equal(memfs_unlink(f->fs, "/db-journal"), 0);
    loaded_is_full("/db");
    sqlite3_free(wal);
    sqlite3_free(file);
}

static void connections_that_have_the_old_database_open_keep_it(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    fill(db, "DELETE", 4096);
    struct buffer image = save(f, db);
    db_run(db, "UPDATE t SET a=0");
    assert_int_equal(memfs_symlink(f->fs, "/db", "/link", 0), 0);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image.data, image.size, "/link", 0),
                     SQLITE_OK);
    assert_int_equal(db_number(db, "SELECT sum(a) FROM t"), 0);
    assert_int_equal(db_try(db, "UPDATE t SET a=1"), SQLITE_READONLY_DBMOVED);
    db_close(db);
    loaded_is_full("/db");
    assert_int_equal(memfs_free(f->fs, image.data), 0);
}

static void what_is_absurd_is_misuse(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    void *data;
    size_t size;
    assert_int_equal(memfs_sqlite_save_file(NULL, NULL, "x"), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_save_file(db, NULL, NULL), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_save_file(db, NULL, ""), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_save_buffer(NULL, NULL, f->fs, &data, &size), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, NULL, &data, &size), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, NULL, &size), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, f->fs, &data, NULL), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_load_file(f->fs, "x", NULL, 0), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_load_file(f->fs, "x", "/x", 2), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, NULL, 4096, "/x", 0), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, "x", 1, "/x", 2), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_load_file(f->fs, "/no/such/file", "/x", 0) & 0xFF,
                     SQLITE_CANTOPEN);
    memfs_config config = memfs_config_default();
    struct fixture *stranger = fixture_create(&config);
    assert_int_equal(memfs_sqlite_load_file(stranger->fs, "x", "/x", 0), SQLITE_MISUSE);
    fixture_destroy(stranger);
    db_close(db);
}

/* -------------------------------------------------------------------- WAL images */

static void a_wal_of_the_host_is_read_too(void **state)
{
    struct fixture *f = *state;
    char *file = host_name("live.db");
    sqlite3 *db = host_open(file);
    fill(db, "WAL", 4096);
    assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/db", 0), SQLITE_OK);
    loaded_is_full("/db");
    db_close(db);
    sqlite3_free(file);
}

static void a_wal_image_is_loaded_and_its_directory_left_alone(void **state)
{
    struct fixture *f = *state;
    char *file = host_name("a?b#c%64.db");
    sqlite3 *db = host_open(file);
    fill(db, "WAL", 4096);
    db_close(db);
    assert_int_equal(host_entries(), 1);
    assert_int_equal(memfs_sqlite_load_file(f->fs, file, "/db", 0), SQLITE_OK);
    assert_int_equal(host_entries(), 1);
    loaded_is_full("/db");
    FILE *stream = fopen(file, "rb");
    static char bytes[1 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, stream);
    fclose(stream);
    assert_memory_equal(bytes + 18, "\2\2", 2);
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, bytes, size, "/db", 0), SQLITE_OK);
    loaded_is_full("/db");
    /* As a plain file it says WAL, and works as one. */
    assert_int_equal(memfs_write_file(f->fs, "/plain", bytes, size, 0644, 0), 0);
    db = db_open("/plain");
    is_full(db);
    db_assert_text(db, "PRAGMA journal_mode", "wal");
    db_close(db);
    sqlite3_free(file);
}

/* In a URI the first name behind two slashes would be a host. */
static void a_host_path_may_begin_with_two_slashes(void **state)
{
    struct fixture *f = *state;
    char *file = host_name("slashes.db");
    char *path = sqlite3_mprintf("/%s", file);
    assert_int_equal(path[1], '/');
    sqlite3 *db = host_open(file);
    fill(db, "WAL", 4096);
    db_close(db);
    assert_int_equal(memfs_sqlite_load_file(f->fs, path, "/db", 0), SQLITE_OK);
    loaded_is_full("/db");
    sqlite3_free(path);
    sqlite3_free(file);
}

/* ------------------------------------------------------------- SQLite's own ways */

static void copy_by_backup(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    assert_non_null(backup);
    int rc;
    while ((rc = sqlite3_backup_step(backup, 3)) == SQLITE_OK)
        continue;
    assert_int_equal(rc, SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
}

static void the_backup_api_works_in_both_directions(void **state)
{
    (void)state;
    for (int mode = 0; mode < MODES; mode++) {
        char *file = host_name(modes[mode]);
        char path[32];
        sqlite3_snprintf(sizeof path, path, "/%s", modes[mode]);
        sqlite3 *db = db_open("/db");
        if (mode == 0)
            fill(db, "DELETE", 4096);
        sqlite3 *on_host = host_open(file);
        copy_by_backup(db, on_host);
        is_full(on_host);
        sqlite3 *back = db_open(path);
        db_run(back, "PRAGMA journal_mode=%s", modes[mode]);
        copy_by_backup(on_host, back);
        is_full(back);
        db_close(back);
        db_close(on_host);
        db_close(db);
        sqlite3_free(file);
    }
}

static void vacuum_into_works_in_both_directions(void **state)
{
    (void)state;
    char *file = host_name("vacuumed");
    sqlite3 *db = db_open("/db");
    fill(db, "WAL", 4096);
    db_run(db, "VACUUM INTO 'file:%s?vfs=unix'", file);
    sqlite3 *on_host;
    assert_int_equal(sqlite3_open_v2(file, &on_host, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL),
                     SQLITE_OK);
    is_full(on_host);
    db_run(on_host, "VACUUM INTO 'file:/back?vfs=" TEST_VFS "'");
    db_close(on_host);
    db_close(db);
    loaded_is_full("/back");
    sqlite3_free(file);
}

static void serialize_and_deserialize_work(void **state)
{
    struct fixture *f = *state;
    for (int mode = 0; mode < MODES; mode++) {
        sqlite3_int64 size;
        sqlite3 *db = db_open("/db");
        fill(db, modes[mode], 4096);
        unsigned char *bytes = sqlite3_serialize(db, "main", &size, 0);
        assert_non_null(bytes);
        assert_int_equal(memfs_sqlite_load_buffer(f->fs, bytes, (size_t)size, "/copy", 0),
                         SQLITE_OK);
        sqlite3_free(bytes);
        loaded_is_full("/copy");
        struct buffer image = save(f, db);
        sqlite3 *memory = db_open(":memory:");
        assert_int_equal(sqlite3_deserialize(memory, "main", image.data, (sqlite3_int64)image.size,
                                             (sqlite3_int64)image.size,
                                             SQLITE_DESERIALIZE_READONLY),
                         SQLITE_OK);
        is_full(memory);
        db_close(memory);
        assert_int_equal(memfs_free(f->fs, image.data), 0);
        db_close(db);
        (void)memfs_unlink(f->fs, "/db-journal");
        assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_database_goes_to_the_host_and_back),
        TEST(a_database_goes_to_memory_and_back),
        TEST(an_attached_database_is_saved_by_its_name),
        TEST(an_empty_database_is_one_page),
        TEST(what_is_no_database_is_refused),
        TEST(a_load_that_does_not_fit_leaves_what_was_there),
        TEST(a_save_that_does_not_fit_leaves_nothing),
        TEST(a_host_path_is_never_a_uri),
        TEST(a_transaction_that_writes_is_in_the_way),
        TEST(a_journal_or_wal_of_another_database_is_in_the_way),
        TEST(connections_that_have_the_old_database_open_keep_it),
        TEST(what_is_absurd_is_misuse),
        TEST(a_wal_of_the_host_is_read_too),
        TEST(a_wal_image_is_loaded_and_its_directory_left_alone),
        TEST(a_host_path_may_begin_with_two_slashes),
        TEST(the_backup_api_works_in_both_directions),
        TEST(vacuum_into_works_in_both_directions),
        TEST(serialize_and_deserialize_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
