/* sqlite3_io_methods and sqlite3_vfs: files and names, one detail of the contract each. */
#include "io_fixture.h"

#include <string.h>

/* Whether the database of the test is isolated: the contract of files is the same. */
static bool is_isolated;

static int isolated_setup(void **state)
{
    is_isolated = true;
    return sqlite_setup(state);
}

static int isolated_teardown(void **state)
{
    is_isolated = false;
    return sqlite_teardown(state);
}

static sqlite3_file *open_main(const char *path)
{
    return is_isolated ? io_open_isolated(path) : io_open(path, MAIN_FLAGS);
}

static void close_main(sqlite3_file *file)
{
    if (is_isolated)
        io_commit_and_close(file);
    else
        io_close(file);
}

static void a_read_past_the_end_is_short_and_zeroes_the_rest(void **state)
{
    (void)state;
    sqlite3_file *file = open_main("/db");
    io_write(file, "abcdef", 0);
    char buffer[8];
    memset(buffer, 'x', sizeof buffer);
    int rc = file->pMethods->xRead(file, buffer, sizeof buffer, 4);
    assert_int_equal(rc, SQLITE_IOERR_SHORT_READ);
    assert_memory_equal(buffer, "ef\0\0\0\0\0\0", 8);
    memset(buffer, 'x', sizeof buffer);
    rc = file->pMethods->xRead(file, buffer, sizeof buffer, 100000);
    assert_int_equal(rc, SQLITE_IOERR_SHORT_READ);
    assert_memory_equal(buffer, "\0\0\0\0\0\0\0\0", 8);
    close_main(file);
}

/* Reads across the end of a file of `size` bytes, each of which is 'x'. */
static void read_across_the_end(sqlite3_file *file, int size, int offset, int count)
{
    char buffer[64];
    char expected[sizeof buffer] = {0};
    assert_true(count <= (int)sizeof buffer);
    int there = size - offset < 0 ? 0 : size - offset < count ? size - offset : count;
    memset(expected, 'x', (size_t)there);
    memset(buffer, 'y', sizeof buffer);
    memset(expected + count, 'y', sizeof expected - (size_t)count);
    int rc = file->pMethods->xRead(file, buffer, count, offset);
    assert_int_equal(rc, there == count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ);
    assert_memory_equal(buffer, expected, sizeof buffer);
}

/* 16 bytes at 24 are what the pager reads as a database's version, and that ends a view. */
static void assert_reads_are_short(sqlite3_file *file, bool is_view)
{
    static const int sizes[] = {0, 1, 23, 24, 30, 39, 40, 41, 100, 5000};
    static const int offsets[] = {0, 24, 4090, 100000};
    static const int counts[] = {1, 2, 16, 64};
    char text[5000];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        assert_int_equal(file->pMethods->xTruncate(file, 0), SQLITE_OK);
        if (sizes[i] > 0)
            assert_int_equal(file->pMethods->xWrite(file, text, sizes[i], 0), SQLITE_OK);
        assert_int_equal(io_size(file), sizes[i]);
        for (size_t k = 0; k < COUNT_OF(counts); k++) {
            for (size_t j = 0; j < COUNT_OF(offsets); j++)
                if (!is_view || offsets[j] != 24 || counts[k] != 16)
                    read_across_the_end(file, sizes[i], offsets[j], counts[k]);
            if (!is_view || sizes[i] != 24)
                read_across_the_end(file, sizes[i], sizes[i], counts[k]);
            if (sizes[i] > 0)
                read_across_the_end(file, sizes[i], sizes[i] - 1, counts[k]);
        }
    }
}

static void every_kind_of_file_reads_short_alike(void **state)
{
    static const struct {
        const char *path;
        int flags;
    } kinds[] = {
        {"/db", MAIN_FLAGS},
        {"/db-journal", JOURNAL_FLAGS},
        {"/db-wal", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_WAL},
        {"/db-mj12345678", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_SUPER_JOURNAL},
        {NULL, TEMP_FLAGS},
        {NULL, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
                   SQLITE_OPEN_DELETEONCLOSE | SQLITE_OPEN_SUBJOURNAL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        sqlite3_file *file = io_open(kinds[i].path, kinds[i].flags);
        assert_reads_are_short(file, false);
        io_close(file);
    }
}

/* Isolated, or written without a journal: a view is read. */
static void a_view_reads_short_as_a_file_does(void **state)
{
    (void)state;
    sqlite3_file *file = io_open_isolated("/isolated");
    assert_reads_are_short(file, true);
    io_commit_and_close(file);
    file = io_open("/unjournalled", MAIN_FLAGS);
    io_begin_writing(file);
    assert_reads_are_short(file, true);
    io_commit_and_close(file);
}

static void a_gap_reads_as_zeros_after_a_cut_too(void **state)
{
    (void)state;
    sqlite3_file *file = open_main("/db");
    char page[5000];
    memset(page, 'x', sizeof page);
    assert_int_equal(file->pMethods->xWrite(file, page, sizeof page, 0), SQLITE_OK);
    assert_int_equal(file->pMethods->xTruncate(file, 3), SQLITE_OK);
    io_write(file, "end", 4999);
    char expected[5000];
    memset(expected, 0, sizeof expected);
    memcpy(expected, "xxx", 3);
    expected[4999] = 'e';
    assert_int_equal(file->pMethods->xRead(file, page, sizeof page, 0), SQLITE_OK);
    assert_memory_equal(page, expected, sizeof page);
    close_main(file);
}

static void truncate_may_grow(void **state)
{
    (void)state;
    sqlite3_file *file = open_main("/db");
    assert_int_equal(file->pMethods->xTruncate(file, 10000), SQLITE_OK);
    assert_int_equal(io_size(file), 10000);
    assert_int_equal(file->pMethods->xSync(file, SQLITE_SYNC_FULL), SQLITE_OK);
    close_main(file);
}

static void deleting_what_is_not_there_says_so(void **state)
{
    (void)state;
    sqlite3_vfs *vfs = io_vfs();
    assert_int_equal(vfs->xDelete(vfs, "/none", 0), SQLITE_IOERR_DELETE_NOENT);
    assert_int_equal(vfs->xDelete(vfs, "/no/directory", 1), SQLITE_IOERR_DELETE_NOENT);
    io_close(io_open("/file", MAIN_FLAGS));
    assert_int_equal(vfs->xDelete(vfs, "/file", 1), SQLITE_OK);
    assert_int_equal(vfs->xDelete(vfs, "/file", 1), SQLITE_IOERR_DELETE_NOENT);
    assert_int_equal(vfs->xDelete(vfs, "/", 0), SQLITE_IOERR_DELETE);
}

static void an_empty_file_does_not_exist(void **state)
{
    struct fixture *f = *state;
    assert_false(io_exists("/db"));
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    assert_false(io_exists("/db"));
    io_write(file, "x", 0);
    assert_true(io_exists("/db"));
    io_close(file);
    assert_int_equal(memfs_mkdir(f->fs, "/dir", 0755), 0);
    assert_true(io_exists("/dir"));
    assert_false(io_exists("/db/below"));
}

static void access_for_writing_goes_by_the_permission_bits(void **state)
{
    struct fixture *f = *state;
    int answer = -1;
    io_close(io_open("/db", MAIN_FLAGS));
    sqlite3_vfs *vfs = io_vfs();
    assert_int_equal(vfs->xAccess(vfs, "/db", SQLITE_ACCESS_READWRITE, &answer), SQLITE_OK);
    assert_int_equal(answer, 1);
    assert_int_equal(memfs_chmod(f->fs, "/db", 0444), 0);
    assert_int_equal(vfs->xAccess(vfs, "/db", SQLITE_ACCESS_READWRITE, &answer), SQLITE_OK);
    assert_int_equal(answer, 0);
    assert_int_equal(vfs->xAccess(vfs, "/db", SQLITE_ACCESS_READ, &answer), SQLITE_OK);
    assert_int_equal(answer, 1);
    assert_int_equal(vfs->xAccess(vfs, "/none", SQLITE_ACCESS_READWRITE, &answer), SQLITE_OK);
    assert_int_equal(answer, 0);
}

static uint64_t count_files(struct fixture *f)
{
    return statfs_of(f->fs).files;
}

static void a_file_without_a_name_is_private_and_gone_when_closed(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *one = io_open(NULL, TEMP_FLAGS);
    sqlite3_file *two = io_open(NULL, TEMP_FLAGS);
    io_write(one, "one", 0);
    io_write(two, "two", 0);
    io_assert_text(one, "one", 0);
    assert_int_equal(count_files(f), 2);
    memfs_list list = {.struct_size = sizeof list};
    assert_int_equal(memfs_list_dir(f->fs, "/", &list), 0);
    assert_int_equal(list.count, 0);
    memfs_list_free(f->fs, &list);
    io_close(one);
    io_assert_text(two, "two", 0);
    io_close(two);
    assert_int_equal(count_files(f), 0);
}

static void delete_on_close_never_removes_another_file_of_the_name(void **state)
{
    (void)state;
    sqlite3_file *doomed = io_open("/name", TEMP_FLAGS);
    io_write(doomed, "doomed", 0);
    sqlite3_file *other = io_open("/name", MAIN_FLAGS);
    io_write(other, "stays", 0);
    io_assert_text(doomed, "doomed", 0);
    io_close(doomed);
    assert_true(io_exists("/name"));
    io_close(other);
}

static void what_cannot_be_opened_has_no_methods_and_a_reason(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file;
    assert_int_equal(memfs_mkdir(f->fs, "/dir", 0755), 0);
    io_close(io_open("/db", MAIN_FLAGS));
    int exclusive = MAIN_FLAGS | SQLITE_OPEN_EXCLUSIVE;
    int existing = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB;
    int journal = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_JOURNAL;
    assert_int_equal(io_try_open("/db", exclusive, &file, NULL), SQLITE_CANTOPEN);
    assert_int_equal(io_try_open("/none", existing, &file, NULL), SQLITE_CANTOPEN);
    assert_int_equal(io_try_open("/none-journal", journal, &file, NULL), SQLITE_CANTOPEN);
    assert_int_equal(io_try_open("/no/dir", MAIN_FLAGS, &file, NULL), SQLITE_CANTOPEN);
    assert_int_equal(io_try_open("/db/x", MAIN_FLAGS, &file, NULL), SQLITE_CANTOPEN);
    assert_int_equal(io_try_open("/dir", MAIN_FLAGS, &file, NULL), SQLITE_CANTOPEN_ISDIR);
    int reading = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
    assert_int_equal(io_try_open("/dir", reading, &file, NULL), SQLITE_CANTOPEN_ISDIR);
}

static void a_file_that_may_not_be_written_opens_read_only_and_says_so(void **state)
{
    struct fixture *f = *state;
    io_close(io_open("/db", MAIN_FLAGS));
    assert_int_equal(memfs_chmod(f->fs, "/db", 0444), 0);
    sqlite3_file *file;
    int out_flags = 0;
    assert_int_equal(io_try_open("/db", MAIN_FLAGS, &file, &out_flags), SQLITE_OK);
    assert_true(out_flags & SQLITE_OPEN_READONLY);
    assert_false(out_flags & SQLITE_OPEN_READWRITE);
    assert_int_equal(file->pMethods->xWrite(file, "x", 1, 0), SQLITE_IOERR_WRITE);
    io_close(file);
    file = io_open("/db", SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB);
    io_close(file);
}

/* The canonical name and the result code. */
static int full_name(const char *path, char *out, int size)
{
    return io_vfs()->xFullPathname(io_vfs(), path, size, out);
}

static void all_spellings_of_a_name_become_one(void **state)
{
    struct fixture *f = *state;
    char out[513];
    assert_int_equal(memfs_mkdir_parents(f->fs, "/a/b", 0755), 0);
    const char *spellings[] = {"/a/b/db",      "a/b/db",     "//a///b//db",          "/a/./b/./db",
                               "/a/b/../b/db", "/../a/b/db", "a/../a/b/../../a/b/db"};
    for (size_t index = 0; index < sizeof spellings / sizeof *spellings; index++) {
        assert_int_equal(full_name(spellings[index], out, sizeof out), SQLITE_OK);
        assert_string_equal(out, "/a/b/db");
    }
}

static void a_link_leads_to_its_target_and_is_reported(void **state)
{
    struct fixture *f = *state;
    char out[513];
    assert_int_equal(memfs_mkdir(f->fs, "/real", 0755), 0);
    io_close(io_open("/real/db", MAIN_FLAGS));
    assert_int_equal(memfs_symlink(f->fs, "real", "/link", 0), 0);
    assert_int_equal(memfs_symlink(f->fs, "/link/db", "/direct", 0), 0);
    assert_int_equal(full_name("/link/db", out, sizeof out), SQLITE_OK_SYMLINK);
    assert_string_equal(out, "/real/db");
    assert_int_equal(full_name("/direct", out, sizeof out), SQLITE_OK_SYMLINK);
    assert_string_equal(out, "/real/db");
}

static void a_name_that_does_not_fit_cannot_be_opened(void **state)
{
    struct fixture *f = *state;
    char path[600];
    char out[513];
    /* Directories of 128 bytes, '/' included, then a name that makes 512 or 513. */
    for (int depth = 1; depth <= 3; depth++) {
        memset(path, 'd', sizeof path);
        for (int slash = 0; slash < depth; slash++)
            path[slash * 128] = '/';
        path[depth * 128] = '\0';
        assert_int_equal(memfs_mkdir(f->fs, path, 0755), 0);
    }
    path[384] = '/';
    memset(path + 385, 'n', 127);
    path[512] = '\0';
    assert_int_equal(full_name(path, out, sizeof out), SQLITE_OK);
    assert_string_equal(out, path);
    assert_int_equal(full_name(path, out, 512), SQLITE_CANTOPEN);
    path[512] = 'n';
    path[513] = '\0';
    assert_int_equal(full_name(path, out, sizeof out), SQLITE_CANTOPEN);
    char roomy[1024];
    assert_int_equal(full_name(path, roomy, sizeof roomy), SQLITE_CANTOPEN);
    assert_int_equal(full_name("/none/../db", out, sizeof out), SQLITE_CANTOPEN);
    assert_int_equal(io_vfs()->mxPathname, 512);
}

static void a_name_in_directories_that_are_missing_is_a_name_and_opens_nothing(void **state)
{
    struct fixture *f = *state;
    char out[513];
    assert_int_equal(memfs_mkdir(f->fs, "/real", 0755), 0);
    assert_int_equal(memfs_symlink(f->fs, "real", "/link", 0), 0);
    assert_int_equal(full_name("/none//such/./db", out, sizeof out), SQLITE_OK);
    assert_string_equal(out, "/none/such/db");
    assert_int_equal(full_name("none/db", out, sizeof out), SQLITE_OK);
    assert_string_equal(out, "/none/db");
    assert_int_equal(full_name("/link/none/db", out, sizeof out), SQLITE_OK_SYMLINK);
    assert_string_equal(out, "/real/none/db");
    assert_int_equal(full_name("/none/db", out, 8), SQLITE_CANTOPEN);
    assert_int_equal(full_name("/none/db", out, 9), SQLITE_OK);
    char path[600];
    memset(path, 'n', sizeof path);
    memcpy(path, "/none/", 6);
    path[512] = '\0';
    assert_int_equal(full_name(path, out, sizeof out), SQLITE_OK);
    path[512] = 'n';
    path[513] = '\0';
    assert_int_equal(full_name(path, out, sizeof out), SQLITE_CANTOPEN);
    sqlite3_file *file;
    int out_flags;
    assert_int_equal(io_try_open("/none/db", MAIN_FLAGS, &file, &out_flags), SQLITE_CANTOPEN);
}

static void a_journal_that_is_open_keeps_its_name_when_it_is_deleted(void **state)
{
    struct fixture *f = *state;
    sqlite3_vfs *vfs = io_vfs();
    sqlite3_file *keeper = io_open("/db-journal", JOURNAL_FLAGS);
    sqlite3_file *second = io_open("/db-journal", JOURNAL_FLAGS);
    io_write(keeper, "journal", 0);
    io_close(second);
    assert_int_equal(vfs->xDelete(vfs, "/db-journal", 0), SQLITE_OK);
    assert_false(io_exists("/db-journal"));
    io_write(keeper, "next", 0);
    char bytes[4];
    memfs_file *reader;
    assert_int_equal(memfs_open(f->fs, "/db-journal", MEMFS_O_READ, 0, &reader), 0);
    assert_int_equal(memfs_pread(reader, bytes, 4, 0), 4);
    assert_memory_equal(bytes, "next", 4);
    memfs_close(reader);
    io_close(keeper);
    assert_int_equal(vfs->xDelete(vfs, "/db-journal", 0), SQLITE_OK);
    assert_int_equal(memfs_exists(f->fs, "/db-journal"), 0);
}

static void a_refused_write_is_full_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = open_main("/db");
    io_write(file, "before", 0);
    assert_int_equal(io_control(file, SQLITE_FCNTL_COMMIT_PHASETWO, NULL), SQLITE_OK);
    static char large[1 << 20];
    memset(large, 'x', sizeof large);
    quota_leave(f, 16384);
    int rc = file->pMethods->xWrite(file, large, sizeof large, 3);
    assert_int_equal(rc, SQLITE_FULL);
    assert_int_equal(io_size(file), 6);
    io_assert_text(file, "before", 0);
    (void)io_control(file, SQLITE_FCNTL_SYNC, NULL); /* the end of a rollback */
    quota_lift(f);
    tracking_refuse(&f->allocator, 1, 1);
    rc = file->pMethods->xWrite(file, large, sizeof large, 3);
    tracking_refuse(&f->allocator, 0, 0);
    assert_int_equal(rc, SQLITE_IOERR_NOMEM);
    assert_int_equal(io_size(file), 6);
    io_assert_text(file, "before", 0);
    (void)io_control(file, SQLITE_FCNTL_SYNC, NULL);
    close_main(file);
}

static void a_refused_open_tells_the_limits_from_the_allocator(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file;
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(memfs_set_node_limit(f->fs, info.files + info.directories), 0);
    assert_int_equal(io_try_open("/db", MAIN_FLAGS, &file, NULL), SQLITE_FULL);
    assert_int_equal(io_try_open(NULL, TEMP_FLAGS, &file, NULL), SQLITE_FULL);
    assert_int_equal(memfs_set_node_limit(f->fs, 0), 0);
    /* Node memory may be ready in slabs: open until it runs out. */
    tracking_refuse(&f->allocator, 1, 1);
    char path[32];
    int rc = SQLITE_OK;
    for (int number = 0; number < 100000 && rc == SQLITE_OK; number++) {
        sqlite3_snprintf(sizeof path, path, "/db%d", number);
        rc = io_try_open(path, MAIN_FLAGS, &file, NULL);
        if (rc == SQLITE_OK)
            io_close(file);
    }
    tracking_refuse(&f->allocator, 0, 0);
    assert_int_equal(rc, SQLITE_NOMEM);
}

static void opening_and_closing_an_existing_database_takes_no_memory(void **state)
{
    struct fixture *f = *state;
    sqlite3_file *file = io_open("/db", MAIN_FLAGS);
    io_write(file, "x", 0);
    io_close(file);
    uint64_t takes = atomic_load(&f->allocator.takes);
    uint64_t held = atomic_load(&f->allocator.held_bytes);
    quota_leave(f, 0);
    sqlite3_file *one = io_open("/db", MAIN_FLAGS);
    sqlite3_file *two = io_open("/db", MAIN_FLAGS);
    io_close(one);
    io_assert_text(two, "x", 0);
    io_close(two);
    assert_int_equal(atomic_load(&f->allocator.takes), takes);
    assert_int_equal(atomic_load(&f->allocator.held_bytes), held);
}

static void time_and_randomness_come_from_the_host(void **state)
{
    (void)state;
    sqlite3_vfs *vfs = io_vfs();
    char one[32] = {0};
    char two[32] = {0};
    assert_true(vfs->xRandomness(vfs, sizeof one, one) > 0);
    assert_true(vfs->xRandomness(vfs, sizeof two, two) > 0);
    assert_memory_not_equal(one, two, sizeof one);
    sqlite3_int64 now = 0;
    double day = 0;
    assert_int_equal(vfs->xCurrentTimeInt64(vfs, &now), SQLITE_OK);
    assert_int_equal(vfs->xCurrentTime(vfs, &day), SQLITE_OK);
    assert_true(now > INT64_C(2458849) * 86400000); /* 2020 */
    assert_true(day > 2458849.0);
    assert_int_equal(vfs->xGetLastError(vfs, 0, NULL), 0);
    assert_true(vfs->xSleep(vfs, 1) >= 0);
    char message[64] = "";
    assert_null(vfs->xDlOpen(vfs, "/no/such/library.so"));
    vfs->xDlError(vfs, sizeof message, message);
    assert_true(strlen(message) > 0);
}

#define ISOLATED_TEST(test) cmocka_unit_test_setup_teardown(test, isolated_setup, isolated_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_read_past_the_end_is_short_and_zeroes_the_rest),
        SQLITE_TEST(every_kind_of_file_reads_short_alike),
        SQLITE_TEST(a_view_reads_short_as_a_file_does),
        SQLITE_TEST(a_gap_reads_as_zeros_after_a_cut_too),
        SQLITE_TEST(truncate_may_grow),
        ISOLATED_TEST(a_read_past_the_end_is_short_and_zeroes_the_rest),
        ISOLATED_TEST(a_gap_reads_as_zeros_after_a_cut_too),
        ISOLATED_TEST(truncate_may_grow),
        ISOLATED_TEST(a_refused_write_is_full_and_changes_nothing),
        SQLITE_TEST(deleting_what_is_not_there_says_so),
        SQLITE_TEST(an_empty_file_does_not_exist),
        SQLITE_TEST(access_for_writing_goes_by_the_permission_bits),
        SQLITE_TEST(a_file_without_a_name_is_private_and_gone_when_closed),
        SQLITE_TEST(delete_on_close_never_removes_another_file_of_the_name),
        SQLITE_TEST(what_cannot_be_opened_has_no_methods_and_a_reason),
        SQLITE_TEST(a_file_that_may_not_be_written_opens_read_only_and_says_so),
        SQLITE_TEST(all_spellings_of_a_name_become_one),
        SQLITE_TEST(a_link_leads_to_its_target_and_is_reported),
        SQLITE_TEST(a_name_that_does_not_fit_cannot_be_opened),
        SQLITE_TEST(a_name_in_directories_that_are_missing_is_a_name_and_opens_nothing),
        SQLITE_TEST(a_journal_that_is_open_keeps_its_name_when_it_is_deleted),
        SQLITE_TEST(a_refused_write_is_full_and_changes_nothing),
        SQLITE_TEST(a_refused_open_tells_the_limits_from_the_allocator),
        SQLITE_TEST(opening_and_closing_an_existing_database_takes_no_memory),
        SQLITE_TEST(time_and_randomness_come_from_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
