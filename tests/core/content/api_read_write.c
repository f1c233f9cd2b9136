/* Reading and writing, at offsets, in vectors, at the end, past it, at the limits. */
#include "checks.h"

static void reading_at_and_after_the_end_gives_zero(void **state)
{
    struct fixture *f = *state;
    char text[8];
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_read(file, text, sizeof text), 0);
    assert_returns(memfs_pread(file, text, sizeof text, 100), 0);
    assert_returns(memfs_pwrite(file, "abc", 3, 0), 3);
    assert_returns(memfs_pread(file, text, sizeof text, 3), 0);
    assert_returns(memfs_pread(file, text, sizeof text, 4), 0);
    assert_returns(memfs_pread(file, text, sizeof text, INT64_MAX - 8), 0);
    assert_returns(memfs_pread(file, text, 1, INT64_MAX), 0);
    assert_ok(memfs_close(file));
}

static void a_read_across_the_end_gives_what_is_there(void **state)
{
    struct fixture *f = *state;
    char text[8] = "-------";
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_pwrite(file, "abc", 3, 0), 3);
    assert_returns(memfs_pread(file, text, 7, 1), 2);
    assert_memory_equal(text, "bc-----", 7);
    assert_ok(memfs_close(file));
}

/* Leaves a page full of another file's bytes to be used next. */
static void leave_a_used_page(memfs *fs)
{
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    assert_ok(memfs_write_file(fs, "/old", bytes, sizeof bytes, 0600, 0));
    assert_ok(memfs_unlink(fs, "/old"));
}

static void assert_zeros(memfs_file *file, int64_t from, size_t count)
{
    char got[8192], zeros[8192] = {0};
    assert_true(count <= sizeof got);
    assert_returns(memfs_pread(file, got, count, from), (int64_t)count);
    assert_memory_equal(got, zeros, count);
}

static void what_lies_between_the_old_end_and_a_write_behind_it_reads_as_zeros(void **state)
{
    struct fixture *f = *state;
    char bytes[3000] = {1};
    enum { GAP = 500 };
    for (int grown_by_size = 0; grown_by_size < 2; grown_by_size++) {
        leave_a_used_page(f->fs);
        memfs_file *file = create_file(f->fs, "/f");
        assert_returns(memfs_pwrite(file, bytes, sizeof bytes, 0), sizeof bytes);
        assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
        if (grown_by_size)
            assert_ok(memfs_ftruncate(file, sizeof bytes + GAP + 1));
        assert_returns(memfs_pwrite(file, "y", 1, sizeof bytes + GAP), 1);
        assert_zeros(file, sizeof bytes, GAP);
        assert_ok(memfs_close(file));
        file = open_file(f->fs, "/copy", MEMFS_O_RDWR);
        assert_ok(memfs_ftruncate(file, 8192));
        assert_zeros(file, sizeof bytes, 8192 - sizeof bytes);
        assert_ok(memfs_close(file));
        assert_ok(memfs_unlink(f->fs, "/copy"));
        assert_ok(memfs_unlink(f->fs, "/f"));
    }
}

static void zeros_written_behind_the_end_do_not_move_it_and_are_zeros_later(void **state)
{
    struct fixture *f = *state;
    leave_a_used_page(f->fs);
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_pwrite(file, "abc", 3, 0), 3);
    assert_ok(
        memfs_fallocate(file, 1, 2500, MEMFS_FALLOCATE_ZERO_RANGE | MEMFS_FALLOCATE_KEEP_SIZE));
    assert_returns(memfs_file_size(file), 3);
    assert_ok(memfs_ftruncate(file, 4096));
    assert_zeros(file, 1, 4095);
    assert_ok(memfs_close(file));
}

static void reads_and_writes_move_the_offset_and_those_at_an_offset_do_not(void **state)
{
    struct fixture *f = *state;
    char text[8];
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_write(file, "abcdef", 6), 6);
    assert_returns(memfs_tell(file), 6);
    assert_returns(memfs_pwrite(file, "X", 1, 1), 1);
    assert_returns(memfs_pread(file, text, 3, 0), 3);
    assert_returns(memfs_tell(file), 6);
    assert_returns(memfs_seek(file, 1, MEMFS_SEEK_SET), 1);
    assert_returns(memfs_read(file, text, 2), 2);
    assert_memory_equal(text, "Xc", 2);
    assert_returns(memfs_tell(file), 3);
    assert_ok(memfs_close(file));
}

static void two_handles_have_two_offsets(void **state)
{
    struct fixture *f = *state;
    char byte;
    put(f->fs, "/f", "abc");
    memfs_file *one = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_file *two = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_returns(memfs_read(one, &byte, 1), 1);
    assert_returns(memfs_read(one, &byte, 1), 1);
    assert_returns(memfs_tell(two), 0);
    assert_returns(memfs_read(two, &byte, 1), 1);
    assert_int_equal(byte, 'a');
    assert_ok(memfs_close(one));
    assert_ok(memfs_close(two));
}

static void a_write_past_the_end_leaves_a_hole_of_zeros(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_pwrite(file, "start", 5, 0), 5);
    assert_returns(memfs_pwrite(file, "end", 3, 1000000), 3);
    assert_int_equal(fstat_of(file).size_bytes, 1000003);
    check_zeros(file, 1000000 - 5, 5);
    assert_true(fstat_of(file).allocated_bytes <= 2 * 4096);
    assert_ok(memfs_close(file));
}

static void a_hole_within_one_page_is_zeros_too(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    for (int64_t end = 1; end < 9000; end += 97) {
        assert_ok(memfs_ftruncate(file, 0));
        write_pattern(file, 3, 0, 1);
        assert_returns(memfs_pwrite(file, "x", 1, end + 3), 1);
        check_pattern(file, 3, 0, 1);
        check_zeros(file, (size_t)end, 3);
    }
    assert_ok(memfs_close(file));
}

static void writes_of_any_size_at_any_offset_read_back(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {1, 2, 255, 256, 4095, 4096, 4097, 8192, 10000, 70000};
    static const int64_t offsets[] = {0, 1, 100, 4095, 4096, 4097, 12287, 100000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (size_t j = 0; j < COUNT_OF(offsets); j++) {
            memfs_file *file = create_file(f->fs, "/f");
            write_pattern(file, sizes[i], offsets[j], (unsigned)(i + j));
            check_pattern(file, sizes[i], offsets[j], (unsigned)(i + j));
            check_zeros(file, (size_t)offsets[j], 0);
            assert_int_equal(fstat_of(file).size_bytes, offsets[j] + (int64_t)sizes[i]);
            assert_ok(memfs_close(file));
        }
    }
}

static void an_overwrite_changes_its_range_and_no_more(void **state)
{
    struct fixture *f = *state;
    static unsigned char expected[20000], got[20000];
    memfs_file *file = create_file(f->fs, "/f");
    fill_pattern(expected, sizeof expected, 9);
    assert_returns(memfs_pwrite(file, expected, sizeof expected, 0), sizeof expected);
    fill_pattern(expected + 3000, 9000, 77);
    assert_returns(memfs_pwrite(file, expected + 3000, 9000, 3000), 9000);
    assert_returns(memfs_pread(file, got, sizeof got, 0), sizeof got);
    assert_memory_equal(expected, got, sizeof got);
    assert_int_equal(fstat_of(file).size_bytes, sizeof expected);
    assert_ok(memfs_close(file));
}

static void a_small_file_does_not_pay_a_page(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "");
    uint64_t before = used_bytes(f->fs);
    put(f->fs, "/b", "just a few bytes");
    assert_true(used_bytes(f->fs) - before < 1024);
    assert_true(stat_of(f->fs, "/b").allocated_bytes < 4096);
}

static void zero_lengths_do_nothing(void **state)
{
    struct fixture *f = *state;
    char byte = 'x';
    memfs_iovec empty = {NULL, 0};
    memfs_file *file = create_file(f->fs, "/f");
    memfs_stat_info before = fstat_of(file);
    assert_returns(memfs_write(file, &byte, 0), 0);
    assert_returns(memfs_write(file, NULL, 0), 0);
    assert_returns(memfs_pwrite(file, &byte, 0, 1000), 0);
    assert_returns(memfs_read(file, NULL, 0), 0);
    assert_returns(memfs_pread(file, NULL, 0, 1000), 0);
    assert_returns(memfs_writev(file, &empty, 1), 0);
    assert_returns(memfs_readv(file, NULL, 0), 0);
    assert_returns(memfs_writev(file, NULL, 0), 0);
    memfs_stat_info after = fstat_of(file);
    assert_memory_equal(&before, &after, sizeof before);
    assert_returns(memfs_tell(file), 0);
    assert_ok(memfs_close(file));
}

static void negative_offsets_are_invalid(void **state)
{
    struct fixture *f = *state;
    char byte = 'x';
    memfs_iovec part = {&byte, 1};
    put(f->fs, "/f", "abc");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_NOATIME);
    assert_refused(f->fs, memfs_pread(file, &byte, 1, -1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_pwrite(file, &byte, 1, -1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_pwrite(file, &byte, 1, INT64_MIN), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_preadv(file, &part, 1, -1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_pwritev(file, &part, 1, -5), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

static void a_null_buffer_with_a_length_is_invalid(void **state)
{
    struct fixture *f = *state;
    memfs_iovec part = {NULL, 1};
    put(f->fs, "/f", "abc");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_NOATIME);
    assert_refused(f->fs, memfs_read(file, NULL, 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_write(file, NULL, 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_pread(file, NULL, 1, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_pwrite(file, NULL, 1, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_readv(file, &part, 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_writev(file, &part, 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_readv(file, NULL, 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_pwritev(file, NULL, 1, 0), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

static void offset_and_length_beyond_2_to_the_63_are_too_large(void **state)
{
    struct fixture *f = *state;
    char text[4] = "abc";
    memfs_iovec part = {text, 2};
    put(f->fs, "/f", "abc");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_refused(f->fs, memfs_pwrite(file, text, 1, INT64_MAX), MEMFS_EFBIG);
    assert_refused(f->fs, memfs_pwrite(file, text, 2, INT64_MAX - 1), MEMFS_EFBIG);
    assert_refused(f->fs, memfs_pwritev(file, &part, 1, INT64_MAX - 1), MEMFS_EFBIG);
    if (SIZE_MAX > INT64_MAX)
        assert_refused(f->fs, memfs_pwrite(file, text, (size_t)INT64_MAX, 1), MEMFS_EFBIG);
    assert_returns(memfs_seek(file, INT64_MAX, MEMFS_SEEK_SET), INT64_MAX);
    assert_refused(f->fs, memfs_write(file, text, 1), MEMFS_EFBIG);
    assert_returns(memfs_tell(file), INT64_MAX);
    assert_ok(memfs_close(file));
}

static void the_last_byte_of_the_largest_file_can_be_written(void **state)
{
    struct fixture *f = *state;
    char text[4];
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_pwrite(file, "abc", 3, INT64_MAX - 3), 3);
    assert_true(fstat_of(file).size_bytes == (uint64_t)INT64_MAX);
    assert_returns(memfs_file_size(file), INT64_MAX);
    assert_returns(memfs_pread(file, text, 4, INT64_MAX - 3), 3);
    assert_memory_equal(text, "abc", 3);
    check_zeros(file, 100, INT64_MAX / 2);
    assert_true(fstat_of(file).allocated_bytes <= 2 * 4096);
    assert_ok(memfs_close(file));
}

static void append_writes_at_the_end_wherever_the_offset_is(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "abc");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_APPEND);
    memfs_iovec parts[2] = {{(char[]){'f'}, 1}, {(char[]){'g'}, 1}};
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_SET), 0);
    assert_returns(memfs_write(file, "d", 1), 1);
    assert_returns(memfs_tell(file), 4);
    assert_returns(memfs_pwrite(file, "e", 1, 0), 1);
    assert_returns(memfs_tell(file), 4);
    assert_returns(memfs_pwritev(file, parts, 2, 1), 2);
    assert_returns(memfs_seek(file, 1, MEMFS_SEEK_SET), 1);
    assert_returns(memfs_writev(file, parts, 2), 2);
    assert_returns(memfs_tell(file), 9);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/f", "abcdefgfg");
}

static void vectors_are_taken_in_order_with_empty_parts_between(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    char abc[] = "abc", de[] = "de";
    memfs_iovec out[] = {{NULL, 0}, {abc, 3}, {abc, 0}, {de, 2}, {NULL, 0}};
    assert_returns(memfs_writev(file, out, COUNT_OF(out)), 5);
    assert_returns(memfs_pwritev(file, out, COUNT_OF(out), 5), 5);
    assert_text(f->fs, "/f", "abcdeabcde");
    assert_ok(memfs_close(file));
}

static void reading_vectors_fills_them_in_order(void **state)
{
    struct fixture *f = *state;
    char one[3], two[10];
    memfs_iovec in[] = {{one, 2}, {NULL, 0}, {two, 10}};
    put(f->fs, "/f", "abcdefg");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_returns(memfs_readv(file, in, 3), 7);
    assert_memory_equal(one, "ab", 2);
    assert_memory_equal(two, "cdefg", 5);
    assert_returns(memfs_tell(file), 7);
    assert_returns(memfs_preadv(file, in, 3, 6), 1);
    assert_int_equal(one[0], 'g');
    assert_returns(memfs_tell(file), 7);
    assert_ok(memfs_close(file));
}

static void vectors_may_overlap_in_memory(void **state)
{
    struct fixture *f = *state;
    char text[] = "abcdef";
    memfs_iovec out[] = {{text, 4}, {text + 2, 4}, {text, 6}};
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_writev(file, out, 3), 14);
    assert_text(f->fs, "/f", "abcdcdefabcdef");
    char room[4];
    memfs_iovec in[] = {{room, 4}, {room + 1, 2}};
    assert_returns(memfs_preadv(file, in, 2, 0), 6); /* the later part wins: a, c, d, d */
    assert_memory_equal(room, "acdd", 4);
    assert_ok(memfs_close(file));
}

static void a_vector_across_pages_is_one_write(void **state)
{
    struct fixture *f = *state;
    static unsigned char bytes[30000];
    memfs_iovec out[30];
    fill_pattern(bytes, sizeof bytes, 5);
    for (size_t i = 0; i < COUNT_OF(out); i++)
        out[i] = (memfs_iovec){bytes + i * 1000, 1000};
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_pwritev(file, out, COUNT_OF(out), 77), sizeof bytes);
    check_pattern(file, sizeof bytes, 77, 5);
    assert_ok(memfs_close(file));
}

static void more_parts_than_the_limit_are_invalid(void **state)
{
    struct fixture *f = *state;
    static memfs_iovec parts[MEMFS_IOV_MAX + 1];
    static char byte = 'x';
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        parts[i] = (memfs_iovec){&byte, 1};
    memfs_file *file = create_file(f->fs, "/f");
    assert_refused(f->fs, memfs_writev(file, parts, MEMFS_IOV_MAX + 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_pwritev(file, parts, MEMFS_IOV_MAX + 1, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_readv(file, parts, MEMFS_IOV_MAX + 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_preadv(file, parts, SIZE_MAX, 0), MEMFS_EINVAL);
    assert_returns(memfs_writev(file, parts, MEMFS_IOV_MAX), MEMFS_IOV_MAX);
    assert_ok(memfs_close(file));
}

static void a_vector_whose_lengths_overflow_is_refused(void **state)
{
    struct fixture *f = *state;
    char byte = 'x';
    memfs_iovec parts[] = {{&byte, SIZE_MAX}, {&byte, 2}};
    memfs_file *file = create_file(f->fs, "/f");
    char *before = fixture_describe(f->fs);
    int64_t result = memfs_writev(file, parts, 2);
    assert_true(result == MEMFS_EFBIG || result == MEMFS_EINVAL);
    result = memfs_readv(file, parts, 2);
    assert_true(result == 0 || result == MEMFS_EFBIG || result == MEMFS_EINVAL);
    check_described(f->fs, before, "an overflowing vector", __FILE__, __LINE__);
    assert_ok(memfs_close(file));
}

static void a_write_that_does_not_fit_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static char text[1 << 20];
    fixture_set_quota(f, 512 << 10);
    put(f->fs, "/f", "as it was");
    memfs_iovec part = {text, sizeof text};
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_returns(memfs_seek(file, 4, MEMFS_SEEK_SET), 4);
    assert_refused(f->fs, memfs_write(file, text, sizeof text), MEMFS_EDQUOT);
    assert_refused(f->fs, memfs_pwrite(file, text, sizeof text, 3), MEMFS_EDQUOT);
    assert_refused(f->fs, memfs_writev(file, &part, 1), MEMFS_EDQUOT);
    assert_returns(memfs_tell(file), 4);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/f", "as it was");
}

static void a_write_that_the_allocator_refuses_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static char text[100000];
    put_pattern(f->fs, "/f", 5000, 1);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    int64_t result;
    uint64_t refused = 0;
    do {
        char *before = fixture_describe(f->fs);
        tracking_refuse(&f->allocator, ++refused, 1);
        result = memfs_pwrite(file, text, sizeof text, 4000);
        tracking_refuse(&f->allocator, 0, 0);
        if (result < 0)
            check_described(f->fs, before, "a refused write", __FILE__, __LINE__);
        else
            free(before);
        assert_true(result == MEMFS_ENOMEM || result == (int64_t)sizeof text);
    } while (result < 0);
    assert_true(refused > 1);
    assert_ok(memfs_close(file));
}

static void a_handle_without_atime_reads_like_any_other(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "abc");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_NOATIME);
    char text[3];
    int64_t access = fstat_of(file).access_ns;
    assert_returns(memfs_read(file, text, 3), 3);
    assert_int_equal(fstat_of(file).access_ns, access);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(reading_at_and_after_the_end_gives_zero),
        FS_TEST(a_read_across_the_end_gives_what_is_there),
        FS_TEST(what_lies_between_the_old_end_and_a_write_behind_it_reads_as_zeros),
        FS_TEST(zeros_written_behind_the_end_do_not_move_it_and_are_zeros_later),
        FS_TEST(reads_and_writes_move_the_offset_and_those_at_an_offset_do_not),
        FS_TEST(two_handles_have_two_offsets),
        FS_TEST(a_write_past_the_end_leaves_a_hole_of_zeros),
        FS_TEST(a_hole_within_one_page_is_zeros_too),
        FS_TEST(writes_of_any_size_at_any_offset_read_back),
        FS_TEST(an_overwrite_changes_its_range_and_no_more),
        FS_TEST(a_small_file_does_not_pay_a_page),
        FS_TEST(zero_lengths_do_nothing),
        FS_TEST(negative_offsets_are_invalid),
        FS_TEST(a_null_buffer_with_a_length_is_invalid),
        FS_TEST(offset_and_length_beyond_2_to_the_63_are_too_large),
        FS_TEST(the_last_byte_of_the_largest_file_can_be_written),
        FS_TEST(append_writes_at_the_end_wherever_the_offset_is),
        FS_TEST(vectors_are_taken_in_order_with_empty_parts_between),
        FS_TEST(reading_vectors_fills_them_in_order),
        FS_TEST(vectors_may_overlap_in_memory),
        FS_TEST(a_vector_across_pages_is_one_write),
        FS_TEST(more_parts_than_the_limit_are_invalid),
        FS_TEST(a_vector_whose_lengths_overflow_is_refused),
        FS_TEST(a_write_that_does_not_fit_changes_nothing),
        FS_TEST(a_write_that_the_allocator_refuses_changes_nothing),
        FS_TEST(a_handle_without_atime_reads_like_any_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
