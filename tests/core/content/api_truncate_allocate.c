/* Setting the size, by handle and by path; reserving room; seeking. */
#include "checks.h"

#include <memfs/storage.h>

static void down_and_up_again_reads_zeros_inside_the_last_page_too(void **state)
{
    struct fixture *f = *state;
    static const int64_t cuts[] = {0, 1, 100, 4095, 4096, 4097, 8191, 8192, 19999};
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, 20000, 0, 1);
        assert_ok(memfs_ftruncate(file, cuts[i]));
        assert_ok(memfs_ftruncate(file, 20000));
        check_pattern(file, (size_t)cuts[i], 0, 1);
        check_zeros(file, (size_t)(20000 - cuts[i]), cuts[i]);
        assert_ok(memfs_close(file));
    }
}

static void down_and_a_write_past_the_end_reads_zeros_between(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 4096, 0, 1);
    assert_ok(memfs_ftruncate(file, 10));
    assert_returns(memfs_pwrite(file, "x", 1, 3000), 1);
    check_pattern(file, 10, 0, 1);
    check_zeros(file, 2990, 10);
    assert_ok(memfs_close(file));
}

static void up_is_sparse(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    uint64_t used = used_bytes(f->fs);
    assert_ok(memfs_ftruncate(file, (int64_t)1 << 40));
    assert_true(fstat_of(file).size_bytes == (uint64_t)1 << 40);
    assert_int_equal(fstat_of(file).allocated_bytes, 0);
    assert_true(used_bytes(f->fs) - used < 4096);
    check_zeros(file, 100, ((int64_t)1 << 40) - 100);
    assert_ok(memfs_close(file));
}

static void down_gives_the_pages_back_and_never_allocates(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 1 << 20, 0, 1);
    uint64_t used = used_bytes(f->fs);
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_ftruncate(file, 5000));
    assert_int_equal(f->allocator.takes, 0);
    assert_ok(memfs_truncate(f->fs, "/f", 1));
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    assert_true(used_bytes(f->fs) <= used - (1 << 20) + 3 * 4096);
    assert_int_equal(fstat_of(file).size_bytes, 1);
    assert_ok(memfs_close(file));
}

static void a_directory_cannot_be_truncated(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_truncate(f->fs, "/d", 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_truncate(f->fs, "/", 10), MEMFS_EISDIR);
}

static void truncating_follows_links_and_needs_the_file(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "abcdef");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_truncate(f->fs, "/s", 3));
    assert_text(f->fs, "/f", "abc");
    assert_returns(memfs_truncate(f->fs, "/none", 0), MEMFS_ENOENT);
    assert_returns(memfs_truncate(f->fs, "/f/", 0), MEMFS_ENOTDIR);
}

static void a_negative_size_is_invalid(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "abc");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_refused(f->fs, memfs_ftruncate(file, -1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_ftruncate(file, INT64_MIN), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_truncate(f->fs, "/f", -1), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

static void the_largest_size_can_be_set(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_ftruncate(file, MEMFS_FILE_SIZE_MAX));
    assert_returns(memfs_file_size(file), MEMFS_FILE_SIZE_MAX);
    assert_ok(memfs_ftruncate(file, 0));
    assert_ok(memfs_close(file));
}

static void truncating_leaves_the_offset_alone(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_write(file, "abcdef", 6), 6);
    assert_ok(memfs_ftruncate(file, 1));
    assert_returns(memfs_tell(file), 6);
    assert_returns(memfs_write(file, "x", 1), 1);
    check_zeros(file, 5, 1);
    assert_ok(memfs_close(file));
}

static void truncating_by_path_while_a_handle_holds_the_lock_is_busy(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "abc");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_SHARED_LOCK);
    assert_refused(f->fs, memfs_truncate(f->fs, "/f", 0), MEMFS_EBUSY);
    assert_ok(memfs_unlock(file));
    assert_ok(memfs_truncate(f->fs, "/f", 0));
    assert_ok(memfs_close(file));
}

/* ---------------------------------------------------------------- allocate */

static void allocate_fills_holes_and_grows_to_the_end_of_the_range(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_pwrite(file, "abc", 3, 0), 3);
    assert_ok(memfs_fallocate(file, 0, 20000, 0));
    assert_int_equal(fstat_of(file).size_bytes, 20000);
    assert_true(fstat_of(file).allocated_bytes >= 20000);
    check_zeros(file, 20000 - 3, 3);
    assert_ok(memfs_fallocate(file, 0, 10, 0));
    assert_int_equal(fstat_of(file).size_bytes, 20000);
    assert_ok(memfs_close(file));
}

static void keep_size_reserves_past_the_end_without_moving_it(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_pwrite(file, "abc", 3, 0), 3);
    assert_ok(memfs_fallocate(file, 0, 40960, MEMFS_FALLOCATE_KEEP_SIZE));
    assert_int_equal(fstat_of(file).size_bytes, 3);
    assert_true(fstat_of(file).allocated_bytes >= 40960);
    char byte;
    assert_returns(memfs_pread(file, &byte, 1, 3), 0);
    tracking_refuse(&f->allocator, 1, 1);
    write_pattern(file, 40960, 0, 7);
    tracking_refuse(&f->allocator, 0, 0);
    check_pattern(file, 40960, 0, 7);
    assert_ok(memfs_close(file));
}

static void writing_what_was_allocated_succeeds_when_nothing_else_fits(void **state)
{
    struct fixture *f = *state;
    static char big[1 << 20];
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_fallocate(file, 0, 300000, 0));
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes);
    assert_returns(memfs_pwrite(file, big, sizeof big, 0), MEMFS_EDQUOT);
    tracking_refuse(&f->allocator, 1, 1);
    write_pattern(file, 300000, 0, 3);
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    fixture_set_quota(f, 16 << 20);
    check_pattern(file, 300000, 0, 3);
    assert_ok(memfs_close(file));
}

static void allocating_keeps_the_data_that_is_there(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 5000, 10000, 1);
    assert_ok(memfs_fallocate(file, 0, 30000, 0));
    check_zeros(file, 10000, 0);
    check_pattern(file, 5000, 10000, 1);
    check_zeros(file, 15000, 15000);
    assert_ok(memfs_close(file));
}

static void a_refused_allocation_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    fixture_set_quota(f, 1 << 20);
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 10, 100000, 1);
    uint64_t used = used_bytes(f->fs);
    assert_refused(f->fs, memfs_fallocate(file, 0, 2 << 20, 0), MEMFS_EDQUOT);
    assert_refused(f->fs, memfs_fallocate(file, 0, 2 << 20, MEMFS_FALLOCATE_KEEP_SIZE),
                   MEMFS_EDQUOT);
    assert_refused(f->fs, memfs_fallocate(file, 0, INT64_MAX, 0), MEMFS_EDQUOT);
    assert_int_equal(used_bytes(f->fs), used);
    assert_ok(memfs_close(file));
}

static void an_allocation_refused_by_the_allocator_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 10, 100000, 1);
    uint64_t used = used_bytes(f->fs);
    uint64_t take = 0;
    int result;
    do {
        char *before = fixture_describe(f->fs);
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_fallocate(file, 0, 200000, 0);
        tracking_refuse(&f->allocator, 0, 0);
        if (result != 0) {
            assert_returns(result, MEMFS_ENOMEM);
            check_described(f->fs, before, "a refused allocation", __FILE__, __LINE__);
            assert_int_equal(used_bytes(f->fs), used);
        } else {
            free(before);
        }
    } while (result != 0);
    assert_true(take > 1);
    assert_ok(memfs_close(file));
}

static void allocate_refuses_ranges_and_flags_without_sense(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    unsigned punch = MEMFS_FALLOCATE_PUNCH_HOLE, zero = MEMFS_FALLOCATE_ZERO_RANGE;
    assert_refused(f->fs, memfs_fallocate(file, -1, 10, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, 0, 0, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, 0, -1, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, 0, INT64_MIN, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, 0, 10, punch | zero), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, 0, 10, 8), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, 0, 10, 0x80000000u), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_fallocate(file, INT64_MAX, 1, 0), MEMFS_EFBIG);
    assert_refused(f->fs, memfs_fallocate(file, INT64_MAX - 10, 100, 0), MEMFS_EFBIG);
    assert_ok(memfs_close(file));
}

/* -------------------------------------------------------------------- seek */

static void seek_sets_adds_and_counts_from_the_end(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "abcdef");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_returns(memfs_seek(file, 2, MEMFS_SEEK_SET), 2);
    assert_returns(memfs_seek(file, 3, MEMFS_SEEK_CUR), 5);
    assert_returns(memfs_seek(file, -1, MEMFS_SEEK_CUR), 4);
    assert_returns(memfs_seek(file, -2, MEMFS_SEEK_END), 4);
    assert_returns(memfs_seek(file, 100, MEMFS_SEEK_END), 106);
    assert_returns(memfs_tell(file), 106);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_SET), 0);
    assert_ok(memfs_close(file));
}

static void seek_refuses_negative_results_unknown_whences_and_overflow(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "abcdef");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_returns(memfs_seek(file, 3, MEMFS_SEEK_SET), 3);
    assert_returns(memfs_seek(file, -1, MEMFS_SEEK_SET), MEMFS_EINVAL);
    assert_returns(memfs_seek(file, -4, MEMFS_SEEK_CUR), MEMFS_EINVAL);
    assert_returns(memfs_seek(file, -7, MEMFS_SEEK_END), MEMFS_EINVAL);
    assert_returns(memfs_seek(file, INT64_MIN, MEMFS_SEEK_END), MEMFS_EINVAL);
    assert_returns(memfs_seek(file, 0, 5), MEMFS_EINVAL);
    assert_returns(memfs_seek(file, 0, -1), MEMFS_EINVAL);
    assert_returns(memfs_seek(file, INT64_MAX, MEMFS_SEEK_CUR), MEMFS_EOVERFLOW);
    assert_returns(memfs_seek(file, INT64_MAX, MEMFS_SEEK_END), MEMFS_EOVERFLOW);
    assert_returns(memfs_tell(file), 3);
    assert_ok(memfs_close(file));
}

static void file_size_is_that_of_stat(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_file_size(file), 0);
    write_pattern(file, 5000, 5, 1);
    assert_returns(memfs_file_size(file), 5005);
    assert_ok(memfs_ftruncate(file, 17));
    assert_returns(memfs_file_size(file), 17);
    assert_ok(memfs_close(file));
}

/* The page tables alone would fit these quotas. */
static void what_cannot_fit_is_refused_before_page_tables_are_taken(void **state)
{
    struct fixture *f = *state;
    static const int64_t quotas[] = {(int64_t)1 << 30, (int64_t)2 << 30, (int64_t)16 << 30};
    const int64_t size = (int64_t)360 << 30;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 10000, 0, 1);
    for (size_t i = 0; i < COUNT_OF(quotas); i++) {
        assert_ok(memfs_set_quota(f->fs, (uint64_t)quotas[i]));
        uint64_t peak = statfs_of(f->fs).peak_bytes;
        unsigned flags = i == 0 ? 0 : MEMFS_FALLOCATE_KEEP_SIZE;
        assert_returns(memfs_fallocate(file, 0, size, flags), MEMFS_EDQUOT);
        assert_returns(memfs_fallocate(file, 4096, size, MEMFS_FALLOCATE_ZERO_RANGE), MEMFS_EDQUOT);
        assert_returns(memfs_preallocate(file, size), MEMFS_EDQUOT);
        assert_true(statfs_of(f->fs).peak_bytes == peak);
        memfs_refusal why = {.struct_size = sizeof why};
        assert_ok(memfs_last_refusal(f->fs, &why));
        assert_true(why.wanted >= (uint64_t)size - 12288);
        assert_int_equal(fstat_of(file).size_bytes, 10000);
    }
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(down_and_up_again_reads_zeros_inside_the_last_page_too),
        FS_TEST(down_and_a_write_past_the_end_reads_zeros_between),
        FS_TEST(what_cannot_fit_is_refused_before_page_tables_are_taken),
        FS_TEST(up_is_sparse),
        FS_TEST(down_gives_the_pages_back_and_never_allocates),
        FS_TEST(a_directory_cannot_be_truncated),
        FS_TEST(truncating_follows_links_and_needs_the_file),
        FS_TEST(a_negative_size_is_invalid),
        FS_TEST(the_largest_size_can_be_set),
        FS_TEST(truncating_leaves_the_offset_alone),
        FS_TEST(truncating_by_path_while_a_handle_holds_the_lock_is_busy),
        FS_TEST(allocate_fills_holes_and_grows_to_the_end_of_the_range),
        FS_TEST(keep_size_reserves_past_the_end_without_moving_it),
        FS_TEST(writing_what_was_allocated_succeeds_when_nothing_else_fits),
        FS_TEST(allocating_keeps_the_data_that_is_there),
        FS_TEST(a_refused_allocation_leaves_nothing_behind),
        FS_TEST(an_allocation_refused_by_the_allocator_leaves_nothing_behind),
        FS_TEST(allocate_refuses_ranges_and_flags_without_sense),
        FS_TEST(seek_sets_adds_and_counts_from_the_end),
        FS_TEST(seek_refuses_negative_results_unknown_whences_and_overflow),
        FS_TEST(file_size_is_that_of_stat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
