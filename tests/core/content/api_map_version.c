/* Mapped pages, which stay put; versions, which stay as they were. */
#include "checks.h"

#include <memfs/storage.h>

/* ----------------------------------------------------------------- mapping */

static void a_mapping_shows_the_bytes_without_a_copy(void **state)
{
    struct fixture *f = *state;
    unsigned char expected[20000];
    memfs_mapping mapping, same;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 20000, 0, 1);
    fill_pattern(expected, sizeof expected, 1);
    assert_ok(memfs_map(file, 4196, 3000, &mapping));
    assert_int_equal(mapping.length, 3000);
    assert_memory_equal(mapping.data, expected + 4196, 3000);
    assert_ok(memfs_map(file, 4196, 3000, &same));
    assert_ptr_equal(mapping.data, same.data);
    assert_ok(memfs_unmap(&same));
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
}

static void a_mapping_stays_whatever_happens_to_the_file(void **state)
{
    struct fixture *f = *state;
    unsigned char expected[4096];
    memfs_mapping mapping;
    fill_pattern(expected, sizeof expected, 1);
    for (int way = 0; way < 5; way++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, 4096, 0, 1);
        assert_ok(memfs_map(file, 0, 4096, &mapping));
        if (way == 0)
            assert_ok(memfs_ftruncate(file, 0));
        if (way == 1)
            assert_ok(memfs_fallocate(file, 0, 4096, MEMFS_FALLOCATE_PUNCH_HOLE));
        assert_ok(memfs_close(file));
        if (way == 2)
            assert_ok(memfs_unlink(f->fs, "/f"));
        if (way == 3)
            put(f->fs, "/f", "replaced");
        if (way == 4)
            assert_ok(memfs_truncate(f->fs, "/f", 100));
        put_pattern(f->fs, "/elsewhere", 100000, 9); /* would use a freed page again */
        assert_memory_equal(mapping.data, expected, way == 4 ? 100 : 4096);
        assert_ok(memfs_audit(f->fs));
        assert_ok(memfs_unmap(&mapping));
        assert_ok(memfs_unlink(f->fs, "/elsewhere"));
    }
}

static void a_later_write_shows_through(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 8192, 0, 1);
    assert_ok(memfs_map(file, 4096, 100, &mapping));
    assert_returns(memfs_pwrite(file, "seen", 4, 4100), 4);
    assert_memory_equal((const char *)mapping.data + 4, "seen", 4);
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
}

static void a_write_after_a_copy_does_not_show_through(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 8192, 0, 1);
    assert_ok(memfs_copy(f->fs, "/f", "/g", 0));
    assert_ok(memfs_map(file, 0, 4096, &mapping));
    unsigned char expected[4096];
    fill_pattern(expected, sizeof expected, 1);
    assert_returns(memfs_pwrite(file, "not seen", 8, 0), 8);
    assert_memory_equal(mapping.data, expected, 4096);
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
}

static void a_range_across_pages_is_invalid_and_past_the_end_finds_none(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 10000, 0, 1);
    assert_refused(f->fs, memfs_map(file, 4000, 97, &mapping), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_map(file, 0, 4097, &mapping), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_map(file, -1, 1, &mapping), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_map(file, 9990, 11, &mapping), MEMFS_ENXIO);
    assert_refused(f->fs, memfs_map(file, 10000, 1, &mapping), MEMFS_ENXIO);
    assert_refused(f->fs, memfs_map(file, 1 << 20, 1, &mapping), MEMFS_ENXIO);
    assert_ok(memfs_map(file, 4000, 96, &mapping));
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
}

static void a_hole_gets_a_page_to_be_mapped(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    unsigned char zeros[4096] = {0};
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_ftruncate(file, 100000));
    assert_ok(memfs_map(file, 40960, 4096, &mapping));
    assert_memory_equal(mapping.data, zeros, 4096);
    assert_int_equal(fstat_of(file).allocated_bytes, 4096);
    assert_returns(memfs_pwrite(file, "x", 1, 40960), 1);
    assert_memory_equal(mapping.data, "x", 1);
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
}

static void a_short_content_gets_a_whole_page_to_be_mapped(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    put(f->fs, "/f", "short");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_ok(memfs_map(file, 0, 5, &mapping));
    assert_memory_equal(mapping.data, "short", 5);
    write_pattern(file, 3000, 5, 1); /* grows in place, so the bytes do not move */
    assert_memory_equal(mapping.data, "short", 5);
    assert_returns(memfs_pwrite(file, "S", 1, 0), 1);
    assert_memory_equal(mapping.data, "Short", 5);
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
}

static void unmapping_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100, 0, 1);
    assert_ok(memfs_map(file, 0, 100, &mapping));
    assert_ok(memfs_unmap(&mapping));
    assert_returns(memfs_unmap(&mapping), MEMFS_EBADF);
    assert_ok(memfs_close(file));
}

static void a_page_that_is_only_mapped_stays_charged_until_it_is_unmapped(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    put(f->fs, "/other", "");
    uint64_t used = used_bytes(f->fs);
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 4096, 0, 1);
    assert_ok(memfs_map(file, 0, 4096, &mapping));
    assert_ok(memfs_close(file));
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_true(used_bytes(f->fs) >= used + 4096);
    assert_ok(memfs_unmap(&mapping));
    assert_int_equal(used_bytes(f->fs), used);
}

static void only_a_page_that_is_there_can_be_mapped_present(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 4096, 8192, 1);
    assert_refused(f->fs, memfs_map_present(file, 0, 4096, &mapping), MEMFS_ENXIO);
    assert_refused(f->fs, memfs_map_present(file, 12288, 1, &mapping), MEMFS_ENXIO);
    assert_refused(f->fs, memfs_map_present(file, 8192, 4097, &mapping), MEMFS_EINVAL);
    assert_ok(memfs_map_present(file, 8192, 4096, &mapping));
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_close(file));
    put(f->fs, "/short", "short");
    file = open_file(f->fs, "/short", MEMFS_O_RDWR);
    assert_refused(f->fs, memfs_map_present(file, 0, 5, &mapping), MEMFS_ENXIO);
    assert_ok(memfs_close(file));
}

static void the_generation_stays_while_mappings_show_what_a_read_would(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 50000, 0, 1);
    uint64_t generation = memfs_mapping_generation(file);
    assert_returns(memfs_pwrite(file, "in place", 8, 4090), 8);
    assert_returns(memfs_pwrite(file, "appended", 8, 100000), 8);
    assert_ok(memfs_fallocate(file, 0, 200000, 0));
    assert_ok(memfs_map(file, 0, 4096, &mapping));
    assert_ok(memfs_unmap(&mapping));
    assert_ok(memfs_copy(f->fs, "/f", "/g", 0));
    assert_int_equal(memfs_mapping_generation(file), generation);
    assert_ok(memfs_close(file));
}

#define ASSERT_MOVES(call) \
    do { \
        uint64_t before_ = memfs_mapping_generation(file); \
        call; \
        assert_int_not_equal(memfs_mapping_generation(file), before_); \
    } while (0)

static void the_generation_moves_whenever_a_page_may_have_been_replaced(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 50000, 0, 1);
    ASSERT_MOVES(assert_ok(memfs_ftruncate(file, 49000)));
    ASSERT_MOVES(assert_ok(memfs_truncate(f->fs, "/f", 48000)));
    ASSERT_MOVES(assert_ok(memfs_fallocate(file, 4096, 4096, MEMFS_FALLOCATE_PUNCH_HOLE)));
    assert_ok(memfs_copy(f->fs, "/f", "/g", 0));
    ASSERT_MOVES(assert_returns(memfs_pwrite(file, "copied", 6, 20000), 6));
    ASSERT_MOVES(assert_ok(memfs_fallocate(file, 30000, 100, 0)));
    ASSERT_MOVES(assert_ok(memfs_copy(f->fs, "/g", "/f", 0)));
    assert_ok(memfs_content_take(file, &version));
    ASSERT_MOVES(assert_ok(memfs_content_restore(file, &version)));
    ASSERT_MOVES(put(f->fs, "/f", "replaced"));
    ASSERT_MOVES(assert_ok(memfs_ftruncate(file, 0)));
    assert_ok(memfs_close(file));
    assert_int_equal(memfs_mapping_generation(NULL), 0);
}

/* ---------------------------------------------------------------- versions */

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

static void a_version_keeps_the_content_of_its_moment(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 5, 300, 4096, 50000};
    memfs_content_ref version;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, sizes[i], 0, 1);
        assert_ok(memfs_content_take(file, &version));
        write_pattern(file, 30000, 0, 2);
        check_version(&version, sizes[i], 1);
        assert_ok(memfs_ftruncate(file, 0));
        check_version(&version, sizes[i], 1);
        assert_ok(memfs_close(file));
        assert_ok(memfs_unlink(f->fs, "/f"));
        check_version(&version, sizes[i], 1);
        assert_ok(memfs_audit(f->fs));
        assert_ok(memfs_content_drop(&version));
    }
}

static void restoring_puts_content_and_size_back_and_drops_the_version(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 5, 300, 4096, 50000};
    memfs_content_ref version;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, sizes[i], 0, 1);
        assert_ok(memfs_content_take(file, &version));
        write_pattern(file, 30000, 100, 2);
        uint64_t generation = fstat_of(file).generation;
        assert_ok(memfs_content_restore(file, &version));
        assert_int_equal(fstat_of(file).size_bytes, sizes[i]);
        check_pattern(file, sizes[i], 0, 1);
        assert_true(fstat_of(file).generation > generation);
        assert_returns(memfs_content_drop(&version), MEMFS_EINVAL);
        assert_returns(memfs_content_restore(file, &version), MEMFS_EINVAL);
        assert_ok(memfs_close(file));
    }
}

static void taking_restoring_and_dropping_allocate_nothing(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    static const size_t sizes[] = {5, 50000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, sizes[i], 0, 1);
        tracking_refuse(&f->allocator, 1, 1);
        assert_ok(memfs_content_take(file, &version));
        assert_ok(memfs_content_drop(&version));
        assert_ok(memfs_content_take(file, &version));
        assert_int_equal(f->allocator.takes, 0);
        tracking_refuse(&f->allocator, 0, 0);
        write_pattern(file, 5000, 0, 2);
        tracking_refuse(&f->allocator, 1, 1);
        assert_ok(memfs_content_restore(file, &version));
        assert_int_equal(f->allocator.takes, 0);
        tracking_refuse(&f->allocator, 0, 0);
        check_pattern(file, sizes[i], 0, 1);
        assert_ok(memfs_close(file));
    }
}

static void a_version_costs_what_differs(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 1 << 20, 0, 1);
    uint64_t used = used_bytes(f->fs);
    assert_ok(memfs_content_take(file, &version));
    assert_int_equal(used_bytes(f->fs), used);
    write_pattern(file, 4096, 8192, 2);
    assert_true(used_bytes(f->fs) >= used + 4096);
    assert_true(used_bytes(f->fs) <= used + 4096 + 16384);
    assert_ok(memfs_content_drop(&version));
    assert_int_equal(used_bytes(f->fs), used);
    assert_ok(memfs_close(file));
}

static void a_write_refused_while_a_version_is_held_changes_nothing_and_restores(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    static char text[1 << 20];
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 1 << 20, 0, 1);
    assert_ok(memfs_content_take(file, &version));
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes + (256 << 10));
    assert_returns(memfs_pwrite(file, text, sizeof text, 0), MEMFS_EDQUOT);
    check_pattern(file, 1 << 20, 0, 1);
    write_pattern(file, 100000, 0, 2);
    assert_ok(memfs_content_restore(file, &version));
    check_pattern(file, 1 << 20, 0, 1);
    fixture_set_quota(f, 16 << 20);
    assert_ok(memfs_close(file));
}

static void several_versions_are_held_and_go_in_any_order(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref versions[4];
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 20000, 0, 0);
    uint64_t used = used_bytes(f->fs);
    for (size_t order = 0; order < COUNT_OF(orders); order++) {
        for (unsigned i = 0; i < 4; i++) {
            write_pattern(file, 20000, 0, i);
            assert_ok(memfs_content_take(file, &versions[i]));
        }
        for (unsigned i = 0; i < 4; i++) {
            int next = orders[order][i];
            check_version(&versions[next], 20000, (unsigned)next);
            assert_ok(memfs_content_drop(&versions[next]));
            assert_ok(memfs_audit(f->fs));
        }
        assert_int_equal(used_bytes(f->fs), used);
    }
    assert_ok(memfs_close(file));
}

static void a_version_goes_into_no_other_file_system(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *here = create_file(f->fs, "/f");
    memfs_file *there = create_file(f->other, "/f");
    write_pattern(here, 100, 0, 1);
    assert_ok(memfs_content_take(here, &version));
    assert_refused(f->other, memfs_content_restore(there, &version), MEMFS_EXDEV);
    check_version(&version, 100, 1);
    assert_ok(memfs_content_drop(&version));
    assert_ok(memfs_close(here));
    assert_ok(memfs_close(there));
}

static void a_version_reads_like_pread(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    char text[8];
    put(f->fs, "/f", "abcdef");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    assert_ok(memfs_content_take(file, &version));
    assert_returns(memfs_content_read(&version, text, 3, 2), 3);
    assert_memory_equal(text, "cde", 3);
    assert_returns(memfs_content_read(&version, text, 8, 6), 0);
    assert_returns(memfs_content_read(&version, text, 8, 100), 0);
    assert_returns(memfs_content_read(&version, text, 8, -1), MEMFS_EINVAL);
    assert_returns(memfs_content_read(&version, NULL, 8, 0), MEMFS_EINVAL);
    assert_ok(memfs_content_drop(&version));
    assert_returns(memfs_content_read(&version, text, 1, 0), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_mapping_shows_the_bytes_without_a_copy),
        FS_TEST(a_mapping_stays_whatever_happens_to_the_file),
        FS_TEST(a_later_write_shows_through),
        FS_TEST(a_write_after_a_copy_does_not_show_through),
        FS_TEST(a_range_across_pages_is_invalid_and_past_the_end_finds_none),
        FS_TEST(a_hole_gets_a_page_to_be_mapped),
        FS_TEST(a_short_content_gets_a_whole_page_to_be_mapped),
        FS_TEST(unmapping_twice_is_refused),
        FS_TEST(a_page_that_is_only_mapped_stays_charged_until_it_is_unmapped),
        FS_TEST(only_a_page_that_is_there_can_be_mapped_present),
        FS_TEST(the_generation_stays_while_mappings_show_what_a_read_would),
        FS_TEST(the_generation_moves_whenever_a_page_may_have_been_replaced),
        FS_TEST(a_version_keeps_the_content_of_its_moment),
        FS_TEST(restoring_puts_content_and_size_back_and_drops_the_version),
        FS_TEST(taking_restoring_and_dropping_allocate_nothing),
        FS_TEST(a_version_costs_what_differs),
        FS_TEST(a_write_refused_while_a_version_is_held_changes_nothing_and_restores),
        FS_TEST(several_versions_are_held_and_go_in_any_order),
        FS_TEST(a_version_goes_into_no_other_file_system),
        FS_TEST(a_version_reads_like_pread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
