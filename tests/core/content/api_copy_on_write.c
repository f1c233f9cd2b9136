/* What is shared stays as it is: cutting and writing on one side of a copy, and exchanging. */
#include "checks.h"

#include <memfs/storage.h>

#include <stdio.h>

enum { PAGE = MEMFS_PAGE_SIZE_DEFAULT };

static void a_cut_at_a_pages_edge_leaves_the_copy_of_a_preallocated_file(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/a");
    write_pattern(file, 8 * PAGE, 0, 1);
    assert_ok(memfs_preallocate(file, 9 * PAGE));
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_ok(memfs_ftruncate(file, PAGE));
    memfs_file *copy = open_file(f->fs, "/b", MEMFS_O_READ);
    check_pattern(copy, 8 * PAGE, 0, 1);
    check_pattern(file, PAGE, 0, 1);
    assert_ok(memfs_ftruncate(file, 8 * PAGE));
    check_zeros(file, 7 * PAGE, PAGE);
    check_pattern(copy, 8 * PAGE, 0, 1);
    assert_ok(memfs_close(copy));
    assert_ok(memfs_close(file));
}

/* Small files are no whole page; their blocks lie side by side, so too small a one would show in
 * the next. */
static void one_byte_written_into_a_copied_small_file_changes_no_other(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {1, 100, 500, 1500, 2000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char path[32];
        put_pattern(f->fs, "/a", sizes[i], 1);
        assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
        memfs_file *file = open_file(f->fs, "/a", MEMFS_O_RDWR);
        for (int neighbour = 0; neighbour < 8; neighbour++) {
            snprintf(path, sizeof path, "/n%d", neighbour);
            put_pattern(f->fs, path, 1, (unsigned)neighbour);
        }
        assert_returns(memfs_pwrite(file, "y", 1, 0), 1);
        for (int neighbour = 0; neighbour < 8; neighbour++) {
            memfs_file *other;
            snprintf(path, sizeof path, "/n%d", neighbour);
            other = open_file(f->fs, path, MEMFS_O_RDWR);
            check_pattern(other, 1, 0, (unsigned)neighbour);
            assert_ok(memfs_close(other));
        }
        memfs_file *copy = open_file(f->fs, "/b", MEMFS_O_READ);
        check_pattern(copy, sizes[i], 0, 1);
        write_pattern(file, 1, 0, 1);
        check_pattern(file, sizes[i], 0, 1);
        assert_ok(memfs_close(copy));
        assert_ok(memfs_close(file));
    }
}

static void what_is_exchanged_out_is_no_preallocation_and_not_when_it_comes_back(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/a");
    memfs_content_ref version;
    memset(&version, 0, sizeof version);
    write_pattern(file, 8 * PAGE, 0, 1);
    assert_ok(memfs_preallocate(file, 16 * PAGE));
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 8 * PAGE);
    assert_ok(memfs_content_take(file, &version));
    assert_returns(memfs_content_write(&version, "x", 1, 0), 1);
    assert_ok(memfs_content_exchange(file, &version));
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
    assert_ok(memfs_content_truncate(&version, 4 * PAGE));
    assert_ok(memfs_content_exchange(file, &version));
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
    assert_int_equal(fstat_of(file).preallocated_bytes, 0);
    assert_int_equal(fstat_of(file).allocated_bytes, 4 * PAGE);
    check_pattern(file, 4 * PAGE, 0, 1);
    assert_ok(memfs_content_drop(&version));
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_cut_at_a_pages_edge_leaves_the_copy_of_a_preallocated_file),
        FS_TEST(one_byte_written_into_a_copied_small_file_changes_no_other),
        FS_TEST(what_is_exchanged_out_is_no_preallocation_and_not_when_it_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
