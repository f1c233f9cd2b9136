/* Whole files in one call. */
#include "checks.h"

static void what_was_written_whole_is_read_whole_with_a_nul_after_it(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        unsigned char *bytes = malloc(sizes[i] + 1);
        assert_non_null(bytes);
        fill_pattern(bytes, sizes[i], 3);
        assert_ok(memfs_write_file(f->fs, "/f", bytes, sizes[i], 0640, 0));
        void *data = NULL;
        size_t size = 99;
        assert_ok(memfs_read_file(f->fs, "/f", sizes[i], &data, &size));
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(data, bytes, size);
        assert_int_equal(((char *)data)[size], 0);
        assert_ok(memfs_free(f->fs, data));
        free(bytes);
    }
    assert_int_equal(stat_of(f->fs, "/f").mode, 0640);
}

static void a_file_larger_than_the_limit_is_too_large(void **state)
{
    struct fixture *f = *state;
    void *data = (void *)0x1;
    size_t size = 7;
    put(f->fs, "/f", "12345");
    assert_returns(memfs_read_file(f->fs, "/f", 4, &data, &size), MEMFS_EFBIG);
    assert_returns(memfs_read_file(f->fs, "/f", 0, &data, &size), MEMFS_EFBIG);
    assert_ptr_equal(data, (void *)0x1);
    assert_int_equal(size, 7);
    assert_ok(memfs_truncate(f->fs, "/f", INT64_MAX));
    assert_returns(memfs_read_file(f->fs, "/f", 1 << 20, &data, &size), MEMFS_EFBIG);
}

static void a_whole_file_read_is_charged_as_shared_memory(void **state)
{
    struct fixture *f = *state;
    void *data;
    size_t size;
    put_pattern(f->fs, "/f", 50000, 1);
    assert_ok(memfs_read_file(f->fs, "/f", 1 << 20, &data, &size));
    assert_true(statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED] >= 50001);
    assert_ok(memfs_free(f->fs, data));
    assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_CHARGED], 0);
}

static void reading_whole_what_is_no_file_is_refused(void **state)
{
    struct fixture *f = *state;
    void *data = NULL;
    size_t size = 0;
    assert_returns(memfs_read_file(f->fs, "/", 100, &data, &size), MEMFS_EISDIR);
    assert_returns(memfs_read_file(f->fs, "/none", 100, &data, &size), MEMFS_ENOENT);
    assert_null(data);
}

static void a_read_that_does_not_fit_is_refused_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    void *data = NULL;
    size_t size = 0;
    put_pattern(f->fs, "/f", 1 << 20, 1);
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes + 10000);
    uint64_t used = used_bytes(f->fs);
    assert_returns(memfs_read_file(f->fs, "/f", 2 << 20, &data, &size), MEMFS_EDQUOT);
    assert_null(data);
    assert_int_equal(used_bytes(f->fs), used);
    fixture_set_quota(f, 16 << 20);
    tracking_refuse(&f->allocator, 1, 1);
    assert_returns(memfs_read_file(f->fs, "/f", 2 << 20, &data, &size), MEMFS_ENOMEM);
    tracking_refuse(&f->allocator, 0, 0);
    assert_int_equal(used_bytes(f->fs), used);
}

static void writing_whole_creates_or_replaces_the_content(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "long content");
    uint64_t number = stat_of(f->fs, "/f").number;
    assert_ok(memfs_chmod(f->fs, "/f", 0600));
    assert_ok(memfs_link(f->fs, "/f", "/g"));
    put(f->fs, "/f", "short");
    assert_text(f->fs, "/g", "short");
    assert_int_equal(stat_of(f->fs, "/f").number, number);
    assert_int_equal(stat_of(f->fs, "/f").mode, 0600);
    assert_int_equal(stat_of(f->fs, "/f").links, 2);
}

static void writing_whole_follows_a_symlink(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_symlink(f->fs, "target", "/s", 0));
    put(f->fs, "/s", "text");
    assert_text(f->fs, "/target", "text");
    assert_int_equal(lstat_of(f->fs, "/s").kind, MEMFS_KIND_SYMLINK);
}

static void a_refused_whole_write_leaves_the_old_bytes(void **state)
{
    struct fixture *f = *state;
    static char text[2 << 20];
    put(f->fs, "/f", "the old bytes");
    fixture_set_quota(f, 1 << 20);
    assert_refused(f->fs, memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0), MEMFS_EDQUOT);
    assert_refused(f->fs, memfs_write_file(f->fs, "/new", text, sizeof text, 0644, 0),
                   MEMFS_EDQUOT);
    assert_text(f->fs, "/f", "the old bytes");
    fixture_set_quota(f, 16 << 20);
}

static void a_whole_write_the_allocator_refuses_leaves_the_old_bytes(void **state)
{
    struct fixture *f = *state;
    static char text[50000];
    uint64_t take = 0;
    int result;
    put(f->fs, "/f", "the old bytes");
    do {
        char *before = fixture_describe(f->fs);
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0);
        tracking_refuse(&f->allocator, 0, 0);
        assert_true(result == 0 || result == MEMFS_ENOMEM);
        if (result != 0)
            check_described(f->fs, before, "a refused write", __FILE__, __LINE__);
        else
            free(before);
    } while (result != 0);
    assert_true(take > 1);
}

static void writing_whole_over_a_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_write_file(f->fs, "/d", "x", 1, 0644, 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_write_file(f->fs, "/", "x", 1, 0644, 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_write_file(f->fs, "/none/x", "x", 1, 0644, 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_write_file(f->fs, "/new/", "x", 1, 0644, 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_write_file(f->fs, "/x", NULL, 1, 0644, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_write_file(f->fs, "/x", "x", 1, 0200000, 0), MEMFS_EINVAL);
    assert_ok(memfs_write_file(f->fs, "/x", NULL, 0, 0644, 0));
}

static void an_open_handle_sees_the_new_bytes(void **state)
{
    struct fixture *f = *state;
    char text[8];
    put(f->fs, "/f", "old");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    put(f->fs, "/f", "new!");
    assert_returns(memfs_pread(file, text, sizeof text, 0), 4);
    assert_memory_equal(text, "new!", 4);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(what_was_written_whole_is_read_whole_with_a_nul_after_it),
        FS_TEST(a_file_larger_than_the_limit_is_too_large),
        FS_TEST(a_whole_file_read_is_charged_as_shared_memory),
        FS_TEST(reading_whole_what_is_no_file_is_refused),
        FS_TEST(a_read_that_does_not_fit_is_refused_and_leaves_nothing),
        FS_TEST(writing_whole_creates_or_replaces_the_content),
        FS_TEST(writing_whole_follows_a_symlink),
        FS_TEST(a_refused_whole_write_leaves_the_old_bytes),
        FS_TEST(a_whole_write_the_allocator_refuses_leaves_the_old_bytes),
        FS_TEST(writing_whole_over_a_directory_is_refused),
        FS_TEST(an_open_handle_sees_the_new_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
