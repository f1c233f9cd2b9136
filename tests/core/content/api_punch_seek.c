/* Holes: punching them, zeroing ranges, finding them, and what stat counts. */
#include "checks.h"

#define PUNCH MEMFS_FALLOCATE_PUNCH_HOLE
#define ZERO MEMFS_FALLOCATE_ZERO_RANGE

static void punching_keeps_the_size_frees_whole_pages_and_zeroes_the_edges(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 40960, 0, 1);
    uint64_t allocated = fstat_of(file).allocated_bytes;
    assert_ok(memfs_fallocate(file, 5000, 20000, PUNCH | MEMFS_FALLOCATE_KEEP_SIZE));
    assert_int_equal(fstat_of(file).size_bytes, 40960);
    check_pattern(file, 5000, 0, 1);
    check_zeros(file, 20000, 5000);
    unsigned char expected[15960], got[15960], all[40960];
    fill_pattern(all, sizeof all, 1);
    memcpy(expected, all + 25000, sizeof expected);
    assert_returns(memfs_pread(file, got, sizeof got, 25000), sizeof got);
    assert_memory_equal(expected, got, sizeof got);
    assert_int_equal(allocated - fstat_of(file).allocated_bytes, 4 * 4096); /* 8192 to 24576 */
    assert_ok(memfs_close(file));
}

static void punching_keeps_the_size_said_or_not(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 5000, 0, 1);
    assert_ok(memfs_fallocate(file, 0, 100000, PUNCH));
    assert_int_equal(fstat_of(file).size_bytes, 5000);
    check_zeros(file, 5000, 0);
    assert_int_equal(fstat_of(file).allocated_bytes, 0);
    assert_ok(memfs_close(file));
}

static void punching_gives_the_memory_back(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_ftruncate(file, 1 << 20));
    uint64_t used = used_bytes(f->fs);
    write_pattern(file, 1 << 20, 0, 1);
    assert_ok(memfs_fallocate(file, 0, 1 << 20, PUNCH));
    assert_true(used_bytes(f->fs) <= used + 4096);
    assert_ok(memfs_close(file));
}

static void punching_what_is_a_hole_or_past_the_end_changes_no_byte(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100, 0, 1);
    assert_ok(memfs_ftruncate(file, 100000));
    assert_ok(memfs_fallocate(file, 50000, 1000, PUNCH));
    assert_ok(memfs_fallocate(file, 200000, 1000, PUNCH));
    assert_ok(memfs_fallocate(file, 100, INT64_MAX - 100, PUNCH));
    assert_int_equal(fstat_of(file).size_bytes, 100000);
    check_pattern(file, 100, 0, 1);
    assert_ok(memfs_close(file));
}

static void punching_owned_pages_never_allocates(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100000, 0, 1);
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_fallocate(file, 100, 90000, PUNCH));
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_close(file));
}

static void zero_range_reads_zeros_and_stays_allocated(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 40960, 0, 1);
    uint64_t allocated = fstat_of(file).allocated_bytes;
    assert_ok(memfs_fallocate(file, 5000, 20000, ZERO));
    check_pattern(file, 5000, 0, 1);
    check_zeros(file, 20000, 5000);
    assert_int_equal(fstat_of(file).allocated_bytes, allocated);
    assert_int_equal(fstat_of(file).size_bytes, 40960);
    assert_ok(memfs_fallocate(file, 40000, 20000, ZERO | MEMFS_FALLOCATE_KEEP_SIZE));
    assert_int_equal(fstat_of(file).size_bytes, 40960);
    check_zeros(file, 960, 40000);
    assert_ok(memfs_fallocate(file, 40000, 20000, ZERO));
    assert_int_equal(fstat_of(file).size_bytes, 60000);
    check_zeros(file, 20000, 40000);
    assert_ok(memfs_close(file));
}

static void zeroing_a_clone_leaves_the_original(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 20000, 1);
    assert_ok(memfs_copy(f->fs, "/f", "/g", 0));
    memfs_file *clone = open_file(f->fs, "/g", MEMFS_O_RDWR);
    memfs_file *original = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_ok(memfs_fallocate(clone, 100, 10000, ZERO));
    check_pattern(original, 20000, 0, 1);
    assert_ok(memfs_fallocate(clone, 0, 20000, PUNCH));
    check_pattern(original, 20000, 0, 1);
    check_zeros(clone, 20000, 0);
    assert_ok(memfs_close(clone));
    assert_ok(memfs_close(original));
}

static void data_and_holes_are_found_in_turn(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 4096, 8192, 1);
    write_pattern(file, 4096, 40960, 1);
    assert_ok(memfs_ftruncate(file, 81920));
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_DATA), 8192);
    assert_returns(memfs_tell(file), 8192);
    assert_returns(memfs_seek(file, 9000, MEMFS_SEEK_DATA), 9000);
    assert_returns(memfs_seek(file, 9000, MEMFS_SEEK_HOLE), 12288);
    assert_returns(memfs_seek(file, 12288, MEMFS_SEEK_DATA), 40960);
    assert_returns(memfs_seek(file, 12288, MEMFS_SEEK_HOLE), 12288);
    assert_returns(memfs_seek(file, 40960, MEMFS_SEEK_HOLE), 45056);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), 0);
    assert_ok(memfs_close(file));
}

static void the_hole_at_the_end_is_the_size(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 4096 * 3 + 100, 0, 1);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), 4096 * 3 + 100);
    assert_returns(memfs_seek(file, 4096 * 3 + 99, MEMFS_SEEK_HOLE), 4096 * 3 + 100);
    assert_ok(memfs_close(file));
}

static void data_in_a_trailing_hole_is_not_found(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 4096, 0, 1);
    assert_ok(memfs_ftruncate(file, 50000));
    assert_returns(memfs_seek(file, 1, MEMFS_SEEK_SET), 1);
    assert_returns(memfs_seek(file, 4096, MEMFS_SEEK_DATA), MEMFS_ENXIO);
    assert_returns(memfs_seek(file, 49999, MEMFS_SEEK_DATA), MEMFS_ENXIO);
    assert_returns(memfs_seek(file, 49999, MEMFS_SEEK_HOLE), 49999);
    assert_returns(memfs_tell(file), 49999);
    assert_ok(memfs_close(file));
}

static void seeking_data_or_holes_at_or_past_the_end_finds_none(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_DATA), MEMFS_ENXIO);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), MEMFS_ENXIO);
    write_pattern(file, 10, 0, 1);
    assert_returns(memfs_seek(file, 10, MEMFS_SEEK_DATA), MEMFS_ENXIO);
    assert_returns(memfs_seek(file, 10, MEMFS_SEEK_HOLE), MEMFS_ENXIO);
    assert_returns(memfs_seek(file, INT64_MAX, MEMFS_SEEK_HOLE), MEMFS_ENXIO);
    int64_t negative = memfs_seek(file, -1, MEMFS_SEEK_DATA);
    assert_true(negative == MEMFS_EINVAL || negative == MEMFS_ENXIO); /* Linux says ENXIO */
    assert_ok(memfs_close(file));
}

static void a_file_of_one_byte_has_data_and_one_hole(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_DATA), 0);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), 1);
    assert_returns(memfs_seek(file, 1, MEMFS_SEEK_DATA), MEMFS_ENXIO);
    assert_ok(memfs_close(file));
}

static void a_short_file_that_is_grown_has_data_then_a_hole(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "short");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_ok(memfs_ftruncate(file, 1000000));
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_DATA), 0);
    int64_t hole = memfs_seek(file, 0, MEMFS_SEEK_HOLE);
    assert_true(hole >= 5 && hole <= 4096);
    assert_returns(memfs_seek(file, 4096, MEMFS_SEEK_DATA), MEMFS_ENXIO);
    assert_ok(memfs_close(file));
}

static void huge_holes_are_crossed_at_once(void **state)
{
    struct fixture *f = *state;
    int64_t far = INT64_MAX / 4096 * 4096 - 4096;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100, 0, 1);
    write_pattern(file, 100, far, 1);
    assert_returns(memfs_seek(file, 4096, MEMFS_SEEK_DATA), far);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), 4096);
    assert_returns(memfs_seek(file, far, MEMFS_SEEK_HOLE), far + 100);
    assert_ok(memfs_fallocate(file, 0, far, PUNCH));
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_DATA), far);
    check_pattern(file, 100, far, 1);
    assert_ok(memfs_close(file));
}

static void what_was_punched_is_found_as_a_hole_and_what_was_allocated_is_not(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 40960, 0, 1);
    assert_ok(memfs_fallocate(file, 8192, 8192, PUNCH));
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), 8192);
    assert_returns(memfs_seek(file, 8192, MEMFS_SEEK_DATA), 16384);
    assert_ok(memfs_fallocate(file, 8192, 8192, 0));
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), 40960);
    assert_ok(memfs_close(file));
}

static void seeking_holes_in_a_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = open_file(f->fs, "/", MEMFS_O_READ);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_DATA), MEMFS_EISDIR);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_HOLE), MEMFS_EISDIR);
    assert_ok(memfs_close(file));
}

/* ------------------------------------------------------------ block counts */

static void the_block_count_is_right_after_an_overwrite(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 40960, 0, 1);
    assert_int_equal(fstat_of(file).allocated_bytes, 40960);
    write_pattern(file, 30000, 5000, 2);
    assert_int_equal(fstat_of(file).allocated_bytes, 40960);
    assert_ok(memfs_close(file));
}

static void the_block_count_is_right_after_a_punch(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 40960, 0, 1);
    assert_ok(memfs_fallocate(file, 4096, 8192, PUNCH));
    assert_int_equal(fstat_of(file).allocated_bytes, 32768);
    write_pattern(file, 1, 5000, 2);
    assert_int_equal(fstat_of(file).allocated_bytes, 36864);
    assert_ok(memfs_close(file));
}

static void the_block_count_is_right_after_a_clone(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 40960, 1);
    assert_ok(memfs_copy(f->fs, "/f", "/g", 0));
    assert_int_equal(stat_of(f->fs, "/f").allocated_bytes, 40960);
    assert_int_equal(stat_of(f->fs, "/g").allocated_bytes, 40960);
    memfs_file *file = open_file(f->fs, "/g", MEMFS_O_RDWR);
    write_pattern(file, 5000, 5000, 2);
    assert_ok(memfs_close(file));
    assert_int_equal(stat_of(f->fs, "/f").allocated_bytes, 40960);
    assert_int_equal(stat_of(f->fs, "/g").allocated_bytes, 40960);
}

static void the_block_count_is_right_beyond_4_gib(void **state)
{
    struct fixture *f = *state;
    int64_t gib5 = (int64_t)5 << 30;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 8192, gib5, 1);
    assert_int_equal(fstat_of(file).allocated_bytes, 8192);
    assert_true(fstat_of(file).size_bytes == (uint64_t)gib5 + 8192);
    assert_returns(memfs_seek(file, 0, MEMFS_SEEK_DATA), gib5);
    assert_ok(memfs_fallocate(file, gib5, 4096, PUNCH));
    assert_int_equal(fstat_of(file).allocated_bytes, 4096);
    assert_ok(memfs_close(file));
}

static void the_block_count_can_exceed_4_gib(void **state)
{
    struct fixture *f = *state;
    static char clone[32];
    put_pattern(f->fs, "/f", 8 << 20, 1);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    for (int i = 0; i < 600; i++) { /* 600 clones of 8 MiB: 4.7 GiB as stat counts them */
        memcpy(clone, "/d/000", 7);
        clone[3] = (char)('0' + i / 100);
        clone[4] = (char)('0' + i / 10 % 10);
        clone[5] = (char)('0' + i % 10);
        assert_ok(memfs_copy(f->fs, "/f", clone, 0));
    }
    memfs_tree_info info = {.struct_size = sizeof info};
    assert_ok(memfs_tree_usage(f->fs, "/d", &info));
    assert_true(info.allocated_bytes == (uint64_t)600 * (8 << 20));
    assert_true(info.size_bytes == (uint64_t)600 * (8 << 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(punching_keeps_the_size_frees_whole_pages_and_zeroes_the_edges),
        FS_TEST(punching_keeps_the_size_said_or_not),
        FS_TEST(punching_gives_the_memory_back),
        FS_TEST(punching_what_is_a_hole_or_past_the_end_changes_no_byte),
        FS_TEST(punching_owned_pages_never_allocates),
        FS_TEST(zero_range_reads_zeros_and_stays_allocated),
        FS_TEST(zeroing_a_clone_leaves_the_original),
        FS_TEST(data_and_holes_are_found_in_turn),
        FS_TEST(the_hole_at_the_end_is_the_size),
        FS_TEST(data_in_a_trailing_hole_is_not_found),
        FS_TEST(seeking_data_or_holes_at_or_past_the_end_finds_none),
        FS_TEST(a_file_of_one_byte_has_data_and_one_hole),
        FS_TEST(a_short_file_that_is_grown_has_data_then_a_hole),
        FS_TEST(huge_holes_are_crossed_at_once),
        FS_TEST(what_was_punched_is_found_as_a_hole_and_what_was_allocated_is_not),
        FS_TEST(seeking_holes_in_a_directory_is_refused),
        FS_TEST(the_block_count_is_right_after_an_overwrite),
        FS_TEST(the_block_count_is_right_after_a_punch),
        FS_TEST(the_block_count_is_right_after_a_clone),
        FS_TEST(the_block_count_is_right_beyond_4_gib),
        FS_TEST(the_block_count_can_exceed_4_gib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
