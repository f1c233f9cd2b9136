/* Versions that are changed apart from their file, and put into it in one step. */
#include "checks.h"

#include <memfs/storage.h>

static const size_t sizes[] = {0, 5, 300, 4096, 50000};

static void check_version(const memfs_content_ref *version, size_t length, unsigned seed)
{
    unsigned char *bytes = malloc(2 * length + 1);
    assert_non_null(bytes);
    fill_pattern(bytes, length, seed);
    assert_returns(memfs_content_read(version, bytes + length, length + 1, 0), length);
    assert_memory_equal(bytes, bytes + length, length);
    assert_int_equal(version->size_bytes, length);
    free(bytes);
}

static void write_to_version(memfs_content_ref *version, size_t length, unsigned seed)
{
    unsigned char *bytes = malloc(length + 1);
    assert_non_null(bytes);
    fill_pattern(bytes, length, seed);
    assert_returns(memfs_content_write(version, bytes, length, 0), length);
    free(bytes);
}

static void writing_to_a_version_does_not_change_its_file(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, sizes[i], 0, 1);
        uint64_t generation = fstat_of(file).generation;
        assert_ok(memfs_content_take(file, &version));
        write_to_version(&version, 60000, 2);
        check_version(&version, 60000, 2);
        check_pattern(file, sizes[i], 0, 1);
        assert_int_equal(fstat_of(file).size_bytes, sizes[i]);
        assert_ok(memfs_content_truncate(&version, 100));
        check_version(&version, 100, 2);
        check_pattern(file, sizes[i], 0, 1);
        assert_true(fstat_of(file).generation == generation);
        assert_ok(memfs_audit(f->fs));
        assert_ok(memfs_content_drop(&version));
        check_pattern(file, sizes[i], 0, 1);
        assert_ok(memfs_close(file));
        assert_ok(memfs_unlink(f->fs, "/f"));
    }
}

static void exchanging_swaps_the_contents_and_keeps_the_version(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, sizes[i], 0, 1);
        assert_ok(memfs_content_take(file, &version));
        write_to_version(&version, 60000, 2);
        uint64_t generation = fstat_of(file).generation;
        assert_ok(memfs_content_exchange(file, &version));
        assert_int_equal(fstat_of(file).size_bytes, 60000);
        check_pattern(file, 60000, 0, 2);
        check_version(&version, sizes[i], 1);
        assert_true(fstat_of(file).generation > generation);
        assert_ok(memfs_content_exchange(file, &version));
        check_pattern(file, sizes[i], 0, 1);
        check_version(&version, 60000, 2);
        assert_ok(memfs_audit(f->fs));
        assert_ok(memfs_content_drop(&version));
        assert_ok(memfs_close(file));
        assert_ok(memfs_unlink(f->fs, "/f"));
    }
}

static void a_copy_taken_meanwhile_is_of_the_file_and_costs_no_page(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 50000, 0, 1);
    assert_ok(memfs_content_take(file, &version));
    write_to_version(&version, 50000, 2);
    uint64_t pages = statfs_of(f->fs).pages_used;
    assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
    assert_int_equal(statfs_of(f->fs).pages_used, pages);
    assert_ok(memfs_content_exchange(file, &version));
    assert_ok(memfs_content_drop(&version));
    memfs_file *copy = open_file(f->fs, "/copy", MEMFS_O_READ);
    check_pattern(copy, 50000, 0, 1);
    check_pattern(file, 50000, 0, 2);
    assert_ok(memfs_close(copy));
    assert_ok(memfs_close(file));
}

static void what_lies_behind_a_cut_reads_as_zeros_after_growing_again(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    char bytes[200];
    static const char zeros[200];
    static const int64_t cuts[] = {0, 10, 4096, 5000};
    for (size_t i = 0; i < COUNT_OF(cuts); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, 50000, 0, 1);
        assert_ok(memfs_content_take(file, &version));
        assert_ok(memfs_content_truncate(&version, cuts[i]));
        assert_ok(memfs_content_truncate(&version, 20000));
        assert_int_equal(version.size_bytes, 20000);
        assert_returns(memfs_content_read(&version, bytes, sizeof bytes, cuts[i]), sizeof bytes);
        assert_memory_equal(bytes, zeros, sizeof bytes);
        check_pattern(file, 50000, 0, 1);
        assert_ok(memfs_content_drop(&version));
        assert_ok(memfs_close(file));
    }
}

static void exchanging_ends_a_reservation_and_its_room_stays_out_of_the_version(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    char byte;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 5000, 0, 1);
    assert_ok(memfs_preallocate(file, 100000));
    assert_ok(memfs_content_take(file, &version));
    write_to_version(&version, 6000, 2);
    assert_ok(memfs_content_exchange(file, &version));
    assert_int_equal(fstat_of(file).preallocated_bytes, 0);
    assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
    assert_ok(memfs_content_truncate(&version, 200000));
    assert_returns(memfs_content_read(&version, &byte, 1, 50000), 1);
    assert_int_equal(byte, 0);
    assert_ok(memfs_content_exchange(file, &version));
    assert_int_equal(fstat_of(file).preallocated_bytes, 0);
    assert_ok(memfs_audit(f->fs));
    assert_ok(memfs_content_drop(&version));
    assert_ok(memfs_close(file));
}

static void room_that_is_allocated_makes_writing_sure_and_goes_by_truncating(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 50000, 0, 1);
    assert_ok(memfs_content_take(file, &version));
    uint64_t pages = statfs_of(f->fs).pages_used;
    assert_returns(memfs_content_allocate(&version, 5, INT64_MAX), MEMFS_EFBIG);
    assert_ok(memfs_content_allocate(&version, 0, 100000));
    check_version(&version, 50000, 1);
    tracking_refuse(&f->allocator, 1, 1);
    write_to_version(&version, 100000, 2);
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_content_allocate(&version, 100000, 100000));
    assert_ok(memfs_content_truncate(&version, 50000));
    assert_true(statfs_of(f->fs).pages_used <= pages + 13);
    check_version(&version, 50000, 2);
    check_pattern(file, 50000, 0, 1);
    assert_ok(memfs_content_drop(&version));
    assert_ok(memfs_close(file));
}

static void a_page_of_a_version_is_mapped_if_it_is_there(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_mapping old, new;
    unsigned char bytes[4096];
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 9000, 0, 1);
    assert_ok(memfs_ftruncate(file, 50000));
    assert_ok(memfs_content_take(file, &version));
    assert_ok(memfs_content_map(&version, 4096, 4096, &old));
    write_to_version(&version, 20000, 2);
    assert_ok(memfs_content_map(&version, 4096, 4096, &new));
    assert_returns(memfs_pread(file, bytes, 4096, 4096), 4096);
    assert_memory_equal(old.data, bytes, 4096);
    assert_returns(memfs_content_read(&version, bytes, 4096, 4096), 4096);
    assert_memory_equal(new.data, bytes, 4096);
    assert_ok(memfs_unmap(&old));
    assert_returns(memfs_content_map(&version, 24576, 4096, &old), MEMFS_ENXIO);
    assert_returns(memfs_content_map(&version, 49152, 4096, &old), MEMFS_ENXIO);
    assert_ok(memfs_content_drop(&version));
    assert_memory_equal(new.data, bytes, 4096); /* stays */
    assert_ok(memfs_unmap(&new));
    assert_ok(memfs_close(file));
}

static void a_refused_write_changes_neither_side(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    static char text[1 << 20];
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 1 << 20, 0, 1);
    assert_ok(memfs_content_take(file, &version));
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes + (256 << 10));
    assert_returns(memfs_content_write(&version, text, sizeof text, 0), MEMFS_EDQUOT);
    check_version(&version, 1 << 20, 1);
    check_pattern(file, 1 << 20, 0, 1);
    assert_returns(memfs_content_write(&version, text, 10, INT64_MAX - 5), MEMFS_EFBIG);
    assert_ok(memfs_content_drop(&version));
    fixture_set_quota(f, 16 << 20);
    assert_ok(memfs_close(file));
}

static void a_version_is_not_exchanged_with_a_file_elsewhere_or_opened_for_reading(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *file = create_file(f->fs, "/f");
    memfs_file *reader = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_file *there = create_file(f->other, "/f");
    assert_ok(memfs_content_take(reader, &version));
    assert_refused(f->other, memfs_content_exchange(there, &version), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_content_exchange(reader, &version), MEMFS_EBADF);
    assert_returns(memfs_content_write(&version, "", 0, 5), 0);
    assert_int_equal(version.size_bytes, 0);
    assert_ok(memfs_content_drop(&version));
    assert_ok(memfs_close(file));
    assert_ok(memfs_close(reader));
    assert_ok(memfs_close(there));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(writing_to_a_version_does_not_change_its_file),
        FS_TEST(exchanging_swaps_the_contents_and_keeps_the_version),
        FS_TEST(a_copy_taken_meanwhile_is_of_the_file_and_costs_no_page),
        FS_TEST(what_lies_behind_a_cut_reads_as_zeros_after_growing_again),
        FS_TEST(exchanging_ends_a_reservation_and_its_room_stays_out_of_the_version),
        FS_TEST(room_that_is_allocated_makes_writing_sure_and_goes_by_truncating),
        FS_TEST(a_page_of_a_version_is_mapped_if_it_is_there),
        FS_TEST(a_refused_write_changes_neither_side),
        FS_TEST(a_version_is_not_exchanged_with_a_file_elsewhere_or_opened_for_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
