/* Locks, file-controls and registration, at the level of sqlite3_io_methods. */
#include "io_fixture.h"
#include "modes.h"

#include <string.h>

/* --------------------------------------------------------------------- locks */

static void a_writer_with_reserved_lives_beside_readers(void **state)
{
    (void)state;
    sqlite3_file *writer = io_open("/db", MAIN_FLAGS);
    sqlite3_file *reader = io_open("/db", MAIN_FLAGS);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_RESERVED), SQLITE_OK);
    assert_int_equal(io_lock(reader, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(reader, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
    assert_true(io_is_reserved(writer));
    assert_true(io_is_reserved(reader));
    io_close(writer);
    assert_false(io_is_reserved(reader));
    assert_int_equal(io_lock(reader, SQLITE_LOCK_RESERVED), SQLITE_OK);
    io_close(reader);
}

static void exclusive_refused_for_readers_stays_pending_and_lets_none_in(void **state)
{
    (void)state;
    sqlite3_file *writer = io_open("/db", MAIN_FLAGS);
    sqlite3_file *reader = io_open("/db", MAIN_FLAGS);
    sqlite3_file *late = io_open("/db", MAIN_FLAGS);
    assert_int_equal(io_lock(reader, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_RESERVED), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
    int level = -1;
    assert_int_equal(io_control(writer, SQLITE_FCNTL_LOCKSTATE, &level), SQLITE_OK);
    assert_int_equal(level, SQLITE_LOCK_PENDING);
    assert_int_equal(io_lock(late, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    assert_int_equal(io_unlock(reader, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_int_equal(io_lock(writer, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    assert_int_equal(io_lock(late, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    assert_int_equal(io_unlock(writer, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(late, SQLITE_LOCK_SHARED), SQLITE_OK);
    io_close(late);
    io_close(reader);
    io_close(writer);
}

static void playback_of_a_hot_journal_is_not_seen_as_a_writer_on_its_way(void **state)
{
    (void)state;
    sqlite3_file *player = io_open("/db", MAIN_FLAGS);
    sqlite3_file *reader = io_open("/db", MAIN_FLAGS);
    assert_int_equal(io_lock(player, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(reader, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(player, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
    assert_false(io_is_reserved(reader));
    assert_int_equal(io_unlock(reader, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_int_equal(io_lock(player, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    assert_true(io_is_reserved(reader));
    io_close(player);
    io_close(reader);
}

static void closing_drops_every_lock_in_any_order_of_closing(void **state)
{
    (void)state;
    enum { FILES = 4 };
    /* The connection that opened first holds what all share: let each be first to close. */
    for (int first = 0; first < FILES; first++) {
        sqlite3_file *files[FILES];
        for (int index = 0; index < FILES; index++)
            files[index] = io_open("/db", MAIN_FLAGS);
        for (int index = 0; index < FILES; index++)
            assert_int_equal(io_lock(files[index], SQLITE_LOCK_SHARED), SQLITE_OK);
        assert_int_equal(io_lock(files[first], SQLITE_LOCK_RESERVED), SQLITE_OK);
        io_close(files[first]);
        sqlite3_file *heir = files[(first + 1) % FILES];
        assert_false(io_is_reserved(heir));
        assert_int_equal(io_lock(heir, SQLITE_LOCK_RESERVED), SQLITE_OK);
        assert_int_equal(io_lock(heir, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
        io_close(files[(first + 2) % FILES]);
        assert_int_equal(io_lock(heir, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
        io_close(files[(first + 3) % FILES]);
        assert_int_equal(io_lock(heir, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
        io_close(heir);
    }
}

static void all_names_of_a_database_share_its_locks(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *original = io_open("/db", MAIN_FLAGS);
    assert_int_equal(memfs_link(f->fs, "/db", "/hard"), 0);
    assert_int_equal(memfs_symlink(f->fs, "/db", "/soft", 0), 0);
    sqlite3_file *hard = io_open("/hard", MAIN_FLAGS);
    sqlite3_file *soft = io_open("/soft", MAIN_FLAGS);
    assert_int_equal(memfs_rename(f->fs, "/db", "/renamed", 0), 0);
    sqlite3_file *renamed = io_open("/renamed", MAIN_FLAGS);
    sqlite3_file *other = io_open("/db", MAIN_FLAGS); /* a new file by the old name */
    assert_int_equal(io_lock(original, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(original, SQLITE_LOCK_RESERVED), SQLITE_READONLY_DBMOVED);
    assert_int_equal(io_unlock(original, SQLITE_LOCK_NONE), SQLITE_OK);
    io_begin_writing(renamed);
    assert_int_equal(io_lock(original, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    assert_int_equal(io_lock(hard, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    assert_int_equal(io_lock(soft, SQLITE_LOCK_SHARED), SQLITE_BUSY);
    assert_int_equal(io_lock(other, SQLITE_LOCK_SHARED), SQLITE_OK);
    io_close(original);
    io_close(hard);
    io_close(soft);
    io_close(renamed);
    io_close(other);
}

static void only_main_databases_have_locks(void **state)
{
    (void)state;
    sqlite3_file *one = io_open("/db-journal", JOURNAL_FLAGS);
    sqlite3_file *two = io_open("/db-journal", JOURNAL_FLAGS);
    io_begin_writing(one);
    io_begin_writing(two);
    assert_false(io_is_reserved(two));
    assert_int_equal(io_unlock(one, SQLITE_LOCK_NONE), SQLITE_OK);
    io_close(one);
    io_close(two);
}

static void what_is_no_step_of_the_ladder_is_misuse(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    assert_int_equal(io_lock(file, SQLITE_LOCK_EXCLUSIVE), SQLITE_MISUSE);
    assert_int_equal(io_lock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(file, SQLITE_LOCK_PENDING), SQLITE_MISUSE);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_RESERVED), SQLITE_MISUSE);
    io_close(file);
}

/* ------------------------------------------------------------- file-controls */

static void what_is_not_ours_is_not_found(void **state)
{
    (void)state;
    sqlite3_file *files[] = {io_open("/db", MAIN_FLAGS), io_open("/db-journal", JOURNAL_FLAGS)};
    int foreign[] = {SQLITE_FCNTL_PRAGMA,
                     SQLITE_FCNTL_BEGIN_ATOMIC_WRITE,
                     SQLITE_FCNTL_COMMIT_ATOMIC_WRITE,
                     SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE,
                     SQLITE_FCNTL_ZIPVFS,
                     SQLITE_FCNTL_RBU,
                     SQLITE_FCNTL_DATA_VERSION,
                     42 /* RESET_CACHE, of newer versions */,
                     987654};
    for (size_t index = 0; index < sizeof foreign / sizeof *foreign; index++) {
        sqlite3_int64 argument[4] = {0};
        assert_int_equal(io_control(files[0], foreign[index], argument), SQLITE_NOTFOUND);
        assert_int_equal(io_control(files[1], foreign[index], argument), SQLITE_NOTFOUND);
    }
    int of_databases[] = {SQLITE_FCNTL_SIZE_LIMIT, SQLITE_FCNTL_COMMIT_PHASETWO,
                          SQLITE_FCNTL_CKPT_START, SQLITE_FCNTL_CKPT_DONE};
    for (size_t index = 0; index < sizeof of_databases / sizeof *of_databases; index++) {
        sqlite3_int64 argument[4] = {0};
        assert_int_equal(io_control(files[1], of_databases[index], argument), SQLITE_NOTFOUND);
    }
    io_close(files[0]);
    io_close(files[1]);
}

static void flags_are_asked_by_minus_one(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    int persist = -1;
    int safe = -1;
    assert_int_equal(io_control(file, SQLITE_FCNTL_PERSIST_WAL, &persist), SQLITE_OK);
    assert_int_equal(persist, 0);
    persist = 1;
    assert_int_equal(io_control(file, SQLITE_FCNTL_PERSIST_WAL, &persist), SQLITE_OK);
    persist = -1;
    assert_int_equal(io_control(file, SQLITE_FCNTL_PERSIST_WAL, &persist), SQLITE_OK);
    assert_int_equal(persist, 1);

    int expected = SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_SEQUENTIAL |
                   SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
    assert_int_equal(file->pMethods->xDeviceCharacteristics(file), expected);
    assert_int_equal(io_control(file, SQLITE_FCNTL_POWERSAFE_OVERWRITE, &safe), SQLITE_OK);
    assert_int_equal(safe, 1);
    safe = 0;
    assert_int_equal(io_control(file, SQLITE_FCNTL_POWERSAFE_OVERWRITE, &safe), SQLITE_OK);
    expected &= ~SQLITE_IOCAP_POWERSAFE_OVERWRITE;
    assert_int_equal(file->pMethods->xDeviceCharacteristics(file), expected);
    assert_int_equal(file->pMethods->xSectorSize(file), 512);
    int chunk = 65536;
    assert_int_equal(io_control(file, SQLITE_FCNTL_CHUNK_SIZE, &chunk), SQLITE_OK);
    io_close(file);
}

static void names_are_handed_out_from_sqlites_heap(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    char *name = NULL;
    assert_int_equal(io_control(file, SQLITE_FCNTL_VFSNAME, &name), SQLITE_OK);
    assert_string_equal(name, TEST_VFS);
    sqlite3_free(name);
    char *one = NULL;
    char *two = NULL;
    assert_int_equal(io_control(file, SQLITE_FCNTL_TEMPFILENAME, &one), SQLITE_OK);
    assert_int_equal(io_control(file, SQLITE_FCNTL_TEMPFILENAME, &two), SQLITE_OK);
    assert_string_not_equal(one, two);
    assert_int_equal(memfs_exists(f->fs, one), 0);
    assert_int_equal(memfs_write_file(f->fs, one, "x", 1, 0644, 0), 0);
    sqlite3_free(one);
    sqlite3_free(two);
    io_close(file);
}

static int has_moved(sqlite3_file *file)
{
    int moved = -1;
    assert_int_equal(io_control(file, SQLITE_FCNTL_HAS_MOVED, &moved), SQLITE_OK);
    return moved;
}

static void a_database_that_was_moved_or_removed_says_so(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "the node lives on", 0);
    assert_int_equal(has_moved(file), 0);
    assert_int_equal(memfs_rename(f->fs, "/db", "/elsewhere", 0), 0);
    assert_int_equal(has_moved(file), 1);
    assert_int_equal(memfs_write_file(f->fs, "/db", "new", 3, 0644, 0), 0);
    assert_int_equal(has_moved(file), 1);
    assert_int_equal(memfs_rename(f->fs, "/elsewhere", "/db", 0), 0);
    assert_int_equal(has_moved(file), 0);
    assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
    assert_int_equal(has_moved(file), 1);
    assert_int_equal(file->pMethods->xWrite(file, "more", 4, 0), SQLITE_READONLY_DBMOVED);
    io_assert_text(file, "the node lives on", 0);
    sqlite3_file *unnamed = io_open(NULL, TEMP_FLAGS);
    assert_int_equal(has_moved(unnamed), 0);
    io_close(unnamed);
    io_close(file);
}

static void a_size_hint_makes_room_or_refuses_whole_and_is_given_back(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "x", 0);
    io_begin_writing(file);
    uint64_t before = used_bytes(f->fs);
    sqlite3_int64 hint = INT64_C(1) << 30;
    assert_int_equal(io_control(file, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_FULL);
    assert_int_equal(used_bytes(f->fs), before);
    hint = 1 << 20;
    assert_int_equal(io_control(file, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_OK);
    assert_int_equal(io_size(file), 1);
    assert_true(used_bytes(f->fs) > before + (1 << 20) - 8192);
    quota_leave(f, 0); /* the room is ours */
    char page[4096];
    memset(page, 'x', sizeof page);
    for (int number = 1; number < 200; number++)
        assert_int_equal(file->pMethods->xWrite(file, page, 4096, number * 4096), SQLITE_OK);
    quota_lift(f);
    int rc = io_control(file, SQLITE_FCNTL_COMMIT_PHASETWO, NULL);
    assert_int_equal(rc, SQLITE_OK);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_int_equal(io_size(file), 200 * 4096);
    assert_true(used_bytes(f->fs) < before + 220 * 4096);
    io_close(file);
}

static void an_absurd_size_hint_takes_nothing_and_is_refused_by_a_quota_alone(void **state)
{
    struct fixture *f = *state;
    const int flags[] = {MAIN_FLAGS, TEMP_FLAGS};
    for (int index = 0; index < 2; index++) {
        sqlite3_file *file = io_open(index == 0 ? "/db" : NULL, flags[index]);
        io_write(file, "x", 4095);
        uint64_t before = used_bytes(f->fs);
        sqlite3_int64 hint = INT64_C(360) << 30;
        sqlite3_int64 large = 40 << 20; /* fits the quota, but not this file */
        quota_lift(f);
        assert_int_equal(io_control(file, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_FULL);
        assert_int_equal(io_control(file, SQLITE_FCNTL_SIZE_HINT, &large), SQLITE_OK);
        assert_int_equal(used_bytes(f->fs), before);
        fixture_set_quota(f, 0);
        assert_int_equal(io_control(file, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_OK);
        assert_int_equal(used_bytes(f->fs), before);
        io_close(file);
    }
    quota_lift(f);
}

/* A damaged overflow chain leads to page 754974720, in each way to keep a database. */
static void a_damaged_database_takes_no_memory_for_pages_that_it_only_names(void **state)
{
    struct fixture *f = *state;
    for (size_t mode = 0; mode < db_mode_count; mode++) {
        char *uri = sqlite3_mprintf("file:/%d.db%s", (int)mode, db_modes[mode].parameters);
        char *path = sqlite3_mprintf("/%d.db", (int)mode);
        sqlite3 *db = db_open(uri);
        db_run(db,
               "PRAGMA page_size=512; PRAGMA auto_vacuum=1; PRAGMA journal_mode=%s;"
               "CREATE TABLE t(x); INSERT INTO t VALUES(zeroblob(2000))",
               db_modes[mode].journal_mode);
        db_close(db);
        memfs_file *file;
        assert_int_equal(memfs_open(f->fs, path, MEMFS_O_RDWR, 0, &file), 0);
        assert_int_equal(memfs_pwrite(file, "\x2d\x00\x00\x00", 4, 3 * 512), 4);
        assert_int_equal(memfs_close(file), 0);
        fixture_set_quota(f, 0);
        uint64_t before = statfs_of(f->fs).peak_bytes;
        db = db_open(uri);
        db_run(db, "PRAGMA journal_mode=%s; PRAGMA cache_size=1", db_modes[mode].journal_mode);
        tracking_refuse(&f->allocator, 5000, 1); /* so that the test, if it fails, ends */
        (void)db_try(db, "BEGIN; CREATE TABLE u(y); INSERT INTO u VALUES(zeroblob(200000))");
        (void)db_try(db, "ROLLBACK");
        (void)db_try(db, "CREATE TABLE u(y)");
        db_close(db);
        tracking_refuse(&f->allocator, 0, 0);
        assert_true(statfs_of(f->fs).peak_bytes < before + (2 << 20));
        quota_lift(f);
        sqlite3_free(path);
        sqlite3_free(uri);
    }
}

static void room_is_given_back_whatever_was_truncated_meanwhile(void **state)
{
    struct fixture *f = *state;
    sqlite3_int64 sizes[] = {8192, 1, 0};
    for (int index = 0; index < 3; index++) {
        sqlite3_file *file = io_open("/db", MAIN_FLAGS);
        io_write(file, "x", 4999);
        uint64_t before = used_bytes(f->fs);
        io_begin_writing(file);
        sqlite3_int64 hint = 1 << 20;
        assert_int_equal(io_control(file, SQLITE_FCNTL_SIZE_HINT, &hint), SQLITE_OK);
        assert_true(used_bytes(f->fs) > before + (1 << 19));
        assert_int_equal(file->pMethods->xTruncate(file, sizes[index]), SQLITE_OK);
        (void)io_control(file, SQLITE_FCNTL_COMMIT_PHASETWO, NULL);
        assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
        assert_int_equal(io_size(file), sizes[index]);
        assert_true(used_bytes(f->fs) < before + 16384);
        io_close(file);
    }
}

static void a_size_limit_binds_all_connections_of_the_database(void **state)
{
    (void)state;
    sqlite3_file *one = io_open("/db", MAIN_FLAGS);
    sqlite3_file *two = io_open("/db", MAIN_FLAGS);
    io_write(one, "12345678", 0);
    sqlite3_int64 limit = -1;
    assert_int_equal(io_control(two, SQLITE_FCNTL_SIZE_LIMIT, &limit), SQLITE_OK);
    assert_int_equal(limit, INT64_MAX);
    limit = 4; /* less than there is: the size of now */
    assert_int_equal(io_control(one, SQLITE_FCNTL_SIZE_LIMIT, &limit), SQLITE_OK);
    assert_int_equal(limit, 8);
    limit = 10;
    assert_int_equal(io_control(one, SQLITE_FCNTL_SIZE_LIMIT, &limit), SQLITE_OK);
    io_close(one);
    assert_int_equal(two->pMethods->xWrite(two, "9ab", 3, 8), SQLITE_FULL);
    assert_int_equal(two->pMethods->xTruncate(two, 11), SQLITE_FULL);
    io_write(two, "9a", 8);
    io_write(two, "overwrites", 0);
    assert_int_equal(io_size(two), 10);
    io_close(two);
}

/* -------------------------------------------------------------- registration */

static void a_registration_that_makes_no_sense_is_refused(void **state)
{
    struct fixture *f = *state;
    char name[MEMFS_SQLITE_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_int_equal(memfs_sqlite_register(NULL, "x", 0), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register(f->fs, NULL, 0), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register(f->fs, "", 0), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register(f->fs, name, 0), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register(f->fs, "x", 0x80), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_register(f->fs, "second", 0), MEMFS_EBUSY);
    assert_int_equal(memfs_sqlite_unregister(NULL), MEMFS_EINVAL);
    assert_int_equal(memfs_sqlite_unregister("none"), MEMFS_ENOENT);
    sqlite3_vfs *host = sqlite3_vfs_find(NULL);
    assert_int_equal(memfs_sqlite_unregister(host->zName), MEMFS_EINVAL);
    assert_null(memfs_sqlite_find(host->zName));
    assert_null(memfs_sqlite_find("none"));
    assert_null(memfs_sqlite_find(NULL));
    assert_ptr_equal(memfs_sqlite_find(TEST_VFS), f->fs);
}

/* Like sqlite_setup(), with a second file system, which is not registered. */
static int setup_two(void **state)
{
    if (fixture_setup(state) != 0)
        return -1;
    struct fixture *f = *state;
    return memfs_sqlite_register(f->fs, TEST_VFS, 0);
}

static void file_systems_under_their_own_names_are_apart(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(memfs_sqlite_register(f->other, TEST_VFS, 0), MEMFS_EEXIST);
    char longest[MEMFS_SQLITE_NAME_MAX + 1];
    memset(longest, 'n', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(memfs_sqlite_register(f->other, longest, 0), 0);
    assert_int_equal(memfs_destroy(f->other, 0), MEMFS_EBUSY);
    io_close(io_open("/db", MAIN_FLAGS));
    assert_int_equal(memfs_exists(f->fs, "/db"), 1);
    assert_int_equal(memfs_exists(f->other, "/db"), 0);
    assert_int_equal(memfs_sqlite_unregister(longest), 0);
}

static void unregistering_waits_for_every_kind_of_file(void **state)
{
    (void)state;
    struct {
        const char *path;
        int flags;
    } kinds[] = {{"/db", MAIN_FLAGS}, {"/db-journal", JOURNAL_FLAGS}, {NULL, TEMP_FLAGS}};
    for (size_t index = 0; index < sizeof kinds / sizeof *kinds; index++) {
        sqlite3_file *file = io_open(kinds[index].path, kinds[index].flags);
        assert_int_equal(memfs_sqlite_unregister(TEST_VFS), MEMFS_EBUSY);
        io_close(file);
    }
}

static void the_default_comes_and_goes_and_the_host_stays_foreign(void **state)
{
    struct fixture *f = *state;
    sqlite3_vfs *host = sqlite3_vfs_find(NULL);
    assert_int_equal(memfs_sqlite_register(f->other, "first", MEMFS_SQLITE_REGISTER_DEFAULT), 0);
    assert_string_equal(sqlite3_vfs_find(NULL)->zName, "first");
    sqlite3 *db;
    assert_int_equal(sqlite3_open("/db", &db), SQLITE_OK);
    db_run(db, "CREATE TABLE t(a)");
    db_close(db);
    assert_int_equal(memfs_exists(f->other, "/db"), 1);
    /* A second default takes its host from the first, and must survive it. */
    assert_int_equal(memfs_sqlite_unregister(TEST_VFS), 0);
    assert_int_equal(memfs_sqlite_register(f->fs, TEST_VFS, MEMFS_SQLITE_REGISTER_DEFAULT), 0);
    assert_int_equal(memfs_sqlite_unregister("first"), 0);
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    assert_string_equal(vfs->zName, TEST_VFS);
    char random[16];
    assert_int_equal(vfs->xRandomness(vfs, sizeof random, random), (int)sizeof random);
    assert_int_equal(sqlite3_vfs_register(host, 1), SQLITE_OK);
}

#define TEST_OF_TWO(test) cmocka_unit_test_setup_teardown(test, setup_two, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_writer_with_reserved_lives_beside_readers),
        SQLITE_TEST(exclusive_refused_for_readers_stays_pending_and_lets_none_in),
        SQLITE_TEST(playback_of_a_hot_journal_is_not_seen_as_a_writer_on_its_way),
        SQLITE_TEST(closing_drops_every_lock_in_any_order_of_closing),
        SQLITE_TEST(all_names_of_a_database_share_its_locks),
        SQLITE_TEST(only_main_databases_have_locks),
        SQLITE_TEST(what_is_no_step_of_the_ladder_is_misuse),
        SQLITE_TEST(what_is_not_ours_is_not_found),
        SQLITE_TEST(flags_are_asked_by_minus_one),
        SQLITE_TEST(names_are_handed_out_from_sqlites_heap),
        SQLITE_TEST(a_database_that_was_moved_or_removed_says_so),
        SQLITE_TEST(a_size_hint_makes_room_or_refuses_whole_and_is_given_back),
        SQLITE_TEST(an_absurd_size_hint_takes_nothing_and_is_refused_by_a_quota_alone),
        SQLITE_TEST(a_damaged_database_takes_no_memory_for_pages_that_it_only_names),
        SQLITE_TEST(room_is_given_back_whatever_was_truncated_meanwhile),
        SQLITE_TEST(a_size_limit_binds_all_connections_of_the_database),
        SQLITE_TEST(a_registration_that_makes_no_sense_is_refused),
        TEST_OF_TWO(file_systems_under_their_own_names_are_apart),
        SQLITE_TEST(unregistering_waits_for_every_kind_of_file),
        TEST_OF_TWO(the_default_comes_and_goes_and_the_host_stays_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
