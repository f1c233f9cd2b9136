/*
 * The undo of MEMORY and OFF at the level of sqlite3_io_methods: every way a
 * transaction can end, and when there must be no undo.
 */
#include "io_fixture.h"

#include <string.h>

/* A database that says "before", and a transaction that has written "after!" and more. */
static sqlite3_file *open_and_write(const char *path)
{
    sqlite3_file *file = io_open(path, MAIN_FLAGS);
    io_write(file, "before", 0);
    io_begin_writing(file);
    io_write(file, "after!", 0);
    io_write(file, "more", 9000);
    return file;
}

static void assert_before(sqlite3_file *file)
{
    assert_int_equal(io_size(file), 6);
    io_assert_text(file, "before", 0);
}

static void assert_after(sqlite3_file *file)
{
    assert_int_equal(io_size(file), 9004);
    io_assert_text(file, "after!", 0);
    io_assert_text(file, "more", 9000);
}

static void commit(sqlite3_file *file)
{
    (void)io_control(file, SQLITE_FCNTL_SYNC, NULL);
    assert_int_equal(io_control(file, SQLITE_FCNTL_COMMIT_PHASETWO, NULL), SQLITE_OK);
}

static void unlocking_without_a_commit_puts_the_old_content_back(void **state)
{
    (void)state;
    int levels[] = {SQLITE_LOCK_SHARED, SQLITE_LOCK_NONE};
    for (int index = 0; index < 2; index++) {
        sqlite3_file *file = open_and_write("/db");
        assert_after(file);
        assert_int_equal(io_unlock(file, levels[index]), SQLITE_OK);
        assert_before(file);
        io_close(file);
    }
}

static void a_commit_keeps_the_new_content(void **state)
{
    (void)state;
    sqlite3_file *file = open_and_write("/db");
    commit(file);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_after(file);
    io_close(file);
    file = io_open("/db", MAIN_FLAGS);
    assert_after(file);
    io_close(file);
}

static void closing_without_a_commit_puts_the_old_content_back(void **state)
{
    (void)state;
    io_close(open_and_write("/db"));
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    assert_before(file);
    io_close(file);
}

static void until_the_commit_the_file_in_the_tree_is_what_was_committed_before(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = open_and_write("/db");
    memfs_statfs_info info = statfs_of(f->fs);
    uint64_t pages = info.pages_used;
    assert_int_equal(memfs_copy(f->fs, "/db", "/copy", 0), 0);
    assert_int_equal(memfs_statfs(f->fs, &info), 0);
    assert_int_equal(info.pages_used, pages);
    commit(file);
    sqlite3_file *copy = io_open("/copy", MAIN_FLAGS);
    assert_before(copy);
    io_close(copy);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_after(file);
    io_close(file);
}

static void a_database_that_was_empty_is_empty_again(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_begin_writing(file);
    io_write(file, "first page", 0);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_size(file), 0);
    io_close(file);
}

static void a_cut_is_undone_too(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "before", 0);
    io_begin_writing(file);
    assert_int_equal(file->pMethods->xTruncate(file, 2), SQLITE_OK);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_before(file);
    io_close(file);
}

static void two_databases_are_undone_each_by_its_own(void **state)
{
    (void)state;
    sqlite3_file *one = open_and_write("/one");
    sqlite3_file *two = open_and_write("/two");
    commit(one);
    assert_int_equal(io_unlock(one, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_unlock(two, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_after(one);
    assert_before(two);
    io_close(one);
    io_close(two);
}

static void with_exclusive_kept_each_transaction_is_undone_by_itself(void **state)
{
    (void)state;
    sqlite3_file *file = open_and_write("/db");
    commit(file);
    io_write(file, "third!", 0); /* the next transaction, without any unlock between */
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_after(file);
    io_close(file);
}

static void a_new_read_transaction_is_the_end_of_one_that_failed(void **state)
{
    (void)state;
    char version[16];
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "before, with forty bytes and a few more.", 0);
    io_begin_writing(file);
    io_write(file, "after!", 0);
    io_write(file, "AFTER!", 24);
    /* The pager throws its cache away and begins again, keeping EXCLUSIVE. */
    assert_int_equal(file->pMethods->xRead(file, version, 16, 24), SQLITE_OK);
    assert_memory_equal(version, " and a few more.", 16);
    io_assert_text(file, "before, with forty", 0);
    io_write(file, "second", 0);
    commit(file);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    io_assert_text(file, "second", 0);
    io_close(file);
}

static void playback_of_a_hot_journal_is_never_undone(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "broken", 0);
    assert_int_equal(io_lock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(file, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK); /* not by RESERVED */
    io_write(file, "healed", 0);
    (void)io_control(file, SQLITE_FCNTL_SYNC, NULL);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    io_assert_text(file, "healed", 0);
    io_close(file);
}

static void a_transaction_after_playback_without_unlock_is_undone(void **state)
{
    (void)state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "broken", 0);
    assert_int_equal(io_lock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    assert_int_equal(io_lock(file, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
    io_write(file, "healed", 0);
    (void)io_control(file, SQLITE_FCNTL_SYNC, NULL);
    io_write(file, "third!", 0);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    io_assert_text(file, "healed", 0);
    io_close(file);
}

/* Writes under EXCLUSIVE with `journal` in the file beside it; says whether it was undone. */
static bool is_undone_beside(struct fixture *f, const char *name, const void *content, size_t size)
{
    assert_int_equal(memfs_write_file(f->fs, name, content, size, 0644, 0), 0);
    sqlite3_file *file = open_and_write("/db");
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    bool is_undone = io_size(file) == 6;
    io_close(file);
    assert_int_equal(memfs_unlink(f->fs, name), 0);
    assert_int_equal(memfs_unlink(f->fs, "/db"), 0);
    return is_undone;
}

static void a_live_journal_or_wal_does_the_job_itself(void **state)
{
    struct fixture *f = *state;
    assert_false(is_undone_beside(f, "/db-journal", "\xd9\xd5", 2));
    assert_false(is_undone_beside(f, "/db-wal", "\0\0", 2));
    assert_true(is_undone_beside(f, "/db-journal", "\0\xd5\x05", 3)); /* PERSIST leaves that */
    assert_true(is_undone_beside(f, "/db-journal", "", 0));           /* TRUNCATE */
    assert_true(is_undone_beside(f, "/db-wal", "", 0));
    assert_true(is_undone_beside(f, "/other-journal", "\xd9", 1));
}

static void beside_a_live_journal_overwriting_takes_no_memory(void **state)
{
    struct fixture *f = *state;
    static char page[65536];
    memset(page, 'x', sizeof page);
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    assert_int_equal(file->pMethods->xWrite(file, page, sizeof page, 0), SQLITE_OK);
    assert_int_equal(memfs_write_file(f->fs, "/db-journal", "\xd9", 1, 0644, 0), 0);
    io_begin_writing(file);
    quota_leave(f, 0);
    tracking_refuse(&f->allocator, 1, 1);
    assert_int_equal(file->pMethods->xWrite(file, page, sizeof page, 0), SQLITE_OK);
    tracking_refuse(&f->allocator, 0, 0);
    io_close(file);
}

/* Sets the quota to what is committed, and fills a file with what is free of that. */
static void leave_nothing(struct fixture *f)
{
    static const char page[4096] = "x";
    memfs_file *filler;
    assert_int_equal(memfs_open(f->fs, "/filler", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &filler), 0);
    quota_leave(f, 0);
    int64_t offset = 0;
    while (memfs_pwrite(filler, page, sizeof page, offset) > 0)
        offset += (int64_t)sizeof page;
    assert_int_equal(memfs_close(filler), 0);
}

static void a_write_that_changes_nothing_is_never_refused(void **state)
{
    struct fixture *f = *state;
    static char pages[2][65536];
    memset(pages[0], 'x', sizeof pages[0]);
    memset(pages[1], 'y', sizeof pages[1]);
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    assert_int_equal(file->pMethods->xWrite(file, pages[0], 65536, 0), SQLITE_OK);
    assert_int_equal(file->pMethods->xWrite(file, pages[0], 65536, 65536), SQLITE_OK);
    io_begin_writing(file);
    io_write(file, "x", 0);
    leave_nothing(f);
    assert_int_equal(file->pMethods->xWrite(file, pages[0], 65536, 65536), SQLITE_OK);
    assert_int_equal(io_control(file, SQLITE_FCNTL_COMMIT_PHASETWO, NULL), SQLITE_OK);
    assert_int_equal(file->pMethods->xWrite(file, pages[1], 65536, 65536), SQLITE_FULL);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    char byte;
    assert_int_equal(file->pMethods->xRead(file, &byte, 1, 0), SQLITE_OK);
    assert_int_equal(byte, 'x');
    quota_lift(f);
    io_close(file);
}

static void putting_back_takes_no_memory(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = open_and_write("/db");
    quota_leave(f, 0);
    tracking_refuse(&f->allocator, 1, 1);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_SHARED), SQLITE_OK);
    tracking_refuse(&f->allocator, 0, 0);
    assert_before(file);
    io_close(file);
}

static void what_a_committed_transaction_cut_off_is_given_back(void **state)
{
    struct fixture *f = *state;
    static char pages[1 << 20];
    memset(pages, 'x', sizeof pages);
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    assert_int_equal(file->pMethods->xWrite(file, pages, sizeof pages, 0), SQLITE_OK);
    io_begin_writing(file);
    assert_int_equal(file->pMethods->xTruncate(file, 5000), SQLITE_OK);
    commit(file);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    assert_true(used_bytes(f->fs) < 65536);
    assert_int_equal(io_size(file), 5000);
    io_assert_text(file, "xx", 4998);
    io_close(file);
}

/* A write that the quota refuses. */
static void be_refused(struct fixture *f, sqlite3_file *file)
{
    static const char pages[64 << 10];
    quota_leave(f, 0);
    assert_int_equal(file->pMethods->xWrite(file, pages, sizeof pages, 4 << 20), SQLITE_FULL);
}

static void after_a_refusal_the_transaction_is_undone_and_what_follows_is_not_refused(void **state)
{
    struct fixture *f = *state;
    for (int is_isolated = 0; is_isolated < 2; is_isolated++) {
        sqlite3_file *file = is_isolated ? io_open_isolated("/i") : io_open("/db", MAIN_FLAGS);
        if (!is_isolated)
            io_begin_writing(file);
        sqlite3_int64 size = io_size(file);
        io_write(file, "after!", 9000);
        be_refused(f, file);
        assert_int_equal(io_size(file), size);
        static const char page[4096] = "played back";
        assert_int_equal(file->pMethods->xWrite(file, page, sizeof page, 1 << 20), SQLITE_OK);
        assert_int_equal(file->pMethods->xTruncate(file, 2 << 20), SQLITE_OK);
        assert_int_equal(io_size(file), size);
        assert_int_equal(io_control(file, SQLITE_FCNTL_COMMIT_PHASETWO, NULL), SQLITE_FULL);
        (void)io_control(file, SQLITE_FCNTL_SYNC, NULL); /* the end of a rollback */
        quota_lift(f);
        io_write(file, "the next transaction's", 9000);
        io_commit_and_close(file);
        file = io_open(is_isolated ? "/i" : "/db", MAIN_FLAGS);
        io_assert_text(file, "the next transaction's", 9000);
        io_close(file);
    }
}

static void in_a_lost_place_a_refused_transaction_can_be_rolled_back(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "before", 0);
    io_begin_writing(file);
    assert_int_equal(memfs_rename(f->fs, "/db", "/moved", 0), 0);
    assert_int_equal(file->pMethods->xWrite(file, "after!", 6, 0), SQLITE_READONLY_DBMOVED);
    assert_int_equal(file->pMethods->xWrite(file, "cached", 6, 0), SQLITE_OK);
    assert_before(file);
    assert_int_equal(io_unlock(file, SQLITE_LOCK_NONE), SQLITE_OK);
    io_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(unlocking_without_a_commit_puts_the_old_content_back),
        SQLITE_TEST(a_commit_keeps_the_new_content),
        SQLITE_TEST(closing_without_a_commit_puts_the_old_content_back),
        SQLITE_TEST(until_the_commit_the_file_in_the_tree_is_what_was_committed_before),
        SQLITE_TEST(a_database_that_was_empty_is_empty_again),
        SQLITE_TEST(a_cut_is_undone_too),
        SQLITE_TEST(two_databases_are_undone_each_by_its_own),
        SQLITE_TEST(with_exclusive_kept_each_transaction_is_undone_by_itself),
        SQLITE_TEST(a_new_read_transaction_is_the_end_of_one_that_failed),
        SQLITE_TEST(playback_of_a_hot_journal_is_never_undone),
        SQLITE_TEST(a_transaction_after_playback_without_unlock_is_undone),
        SQLITE_TEST(a_live_journal_or_wal_does_the_job_itself),
        SQLITE_TEST(beside_a_live_journal_overwriting_takes_no_memory),
        SQLITE_TEST(a_write_that_changes_nothing_is_never_refused),
        SQLITE_TEST(putting_back_takes_no_memory),
        SQLITE_TEST(after_a_refusal_the_transaction_is_undone_and_what_follows_is_not_refused),
        SQLITE_TEST(in_a_lost_place_a_refused_transaction_can_be_rolled_back),
        SQLITE_TEST(what_a_committed_transaction_cut_off_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
