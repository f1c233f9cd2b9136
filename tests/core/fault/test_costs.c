/*
 * What things cost, counted: allocations, bytes asked for, bytes held.  No
 * times.
 */
#include "checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GIB ((uint64_t)1 << 30)

enum { EMPTY_FILES = 10000, COPY_ALLOCATIONS_MAX = 6 };

static struct fixture *unlimited(uint32_t page_size)
{
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    config.page_size = page_size;
    struct fixture *fixture = fixture_create(&config);
    assert_non_null(fixture);
    return fixture;
}

/* Appends `count` pieces to a new file. */
static void append(memfs *fs, const char *path, size_t piece_bytes, size_t count)
{
    unsigned char *piece = malloc(piece_bytes);
    assert_non_null(piece);
    memset(piece, 0x3c, piece_bytes);
    memfs_file *file;
    assert_int_equal(memfs_open(fs, path, MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file), 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(memfs_write(file, piece, piece_bytes), piece_bytes);
    assert_int_equal(memfs_close(file), 0);
    free(piece);
}

static void a_copy_costs_the_same_whatever_the_size(void **state)
{
    (void)state;
    static const size_t page_counts[] = {1, 2, 100, 5000, 100000};
    struct fixture *f = unlimited(MEMFS_PAGE_SIZE_MIN);
    uint64_t first_used = 0;
    for (size_t i = 0; i < sizeof page_counts / sizeof *page_counts; i++) {
        char from[] = "/from-0", to[] = "/copy-0";
        from[6] = to[6] = (char)('0' + i);
        append(f->fs, from, MEMFS_PAGE_SIZE_MIN * 2, (page_counts[i] + 1) / 2);
        uint64_t used = statfs_of(f->fs).used_bytes;
        uint64_t data = statfs_of(f->fs).class_bytes[MEMFS_CLASS_DATA];
        tracking_refuse(&f->allocator, 0, 0);
        assert_int_equal(memfs_copy(f->fs, from, to, 0), 0);
        assert_true(f->allocator.takes <= COPY_ALLOCATIONS_MAX);
        used = statfs_of(f->fs).used_bytes - used;
        assert_true(statfs_of(f->fs).class_bytes[MEMFS_CLASS_DATA] == data);
        first_used = i == 0 ? used : first_used;
        if (used > first_used + 512)
            fail_msg("%zu pages: %" PRIu64 " bytes, one page: %" PRIu64, page_counts[i], used,
                     first_used);
    }
    fixture_destroy(f);
}

static void an_append_takes_its_pages_and_copies_nothing(void **state)
{
    (void)state;
    static const struct {
        uint32_t page_size;
        size_t piece_bytes, count;
    } shapes[] = {
        {256, 256, 8192},   {256, 100, 20000},  {256, 1000, 2000},
        {4096, 4096, 1024}, {4096, 1000, 4000}, {4096, 1u << 20, 4},
        {4096, 1, 20000},   {65536, 65536, 64}, {65536, 30000, 100},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct fixture *f = unlimited(shapes[i].page_size);
        uint64_t bytes = shapes[i].piece_bytes * shapes[i].count;
        uint64_t pages = (bytes + shapes[i].page_size - 1) / shapes[i].page_size;
        uint64_t taken = f->allocator.taken_bytes;
        tracking_refuse(&f->allocator, 0, 0);
        append(f->fs, "/file", shapes[i].piece_bytes, shapes[i].count);
        taken = f->allocator.taken_bytes - taken;
        /* Data, a fifteenth for tables (of the smallest pages), and what slabs take ahead and the
         * short beginning of the file (it doubles up to a page). */
        uint64_t allowed = bytes + bytes / 15 + 6 * (uint64_t)shapes[i].page_size + 300000;
        if (taken > allowed || f->allocator.takes > pages + pages / 8 + 40)
            fail_msg("%" PRIu64 " pages of %" PRIu32 ": %" PRIu64 " allocations, %" PRIu64
                     " bytes, allowed %" PRIu64,
                     pages, shapes[i].page_size, f->allocator.takes, taken, allowed);
        print_message("%" PRIu64 " pages of %" PRIu32 ": %" PRIu64 " allocations, %.3f bytes taken "
                      "for each written\n",
                      pages, shapes[i].page_size, f->allocator.takes,
                      (double)taken / (double)bytes);
        fixture_destroy(f);
    }
}

static void an_overwrite_asks_for_nothing_at_any_place(void **state)
{
    (void)state;
    struct fixture *f = unlimited(MEMFS_PAGE_SIZE_DEFAULT);
    append(f->fs, "/file", 10000, 100);
    memfs_file *file;
    assert_int_equal(memfs_open(f->fs, "/file", MEMFS_O_WRITE, 0, &file), 0);
    unsigned char data[9000] = {1};
    tracking_refuse(&f->allocator, 1, 1);
    for (int64_t offset = 0; offset + (int64_t)sizeof data <= 1000000; offset += 4999)
        assert_int_equal(memfs_pwrite(file, data, sizeof data, offset), sizeof data);
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    assert_int_equal(memfs_close(file), 0);
    fixture_destroy(f);
}

/* With the default allocator, whose cost is what malloc() really takes. */
static void ten_thousand_empty_files_hold_at_most_224_bytes_each(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    memfs *fs = create_on_heap(&config);
    assert_int_equal(memfs_mkdir(fs, "/d", 0755), 0);
    uint64_t committed = statfs_of(fs).committed_bytes;
    uint64_t used = statfs_of(fs).used_bytes;
    for (int i = 0; i < EMPTY_FILES; i++) {
        char path[32];
        snprintf(path, sizeof path, "/d/%08d", i);
        assert_int_equal(memfs_write_file(fs, path, "", 0, 0644, 0), 0);
    }
    committed = statfs_of(fs).committed_bytes - committed;
    used = statfs_of(fs).used_bytes - used;
    print_message("an empty file: %" PRIu64 " bytes committed, %" PRIu64 " used\n",
                  committed / EMPTY_FILES, used / EMPTY_FILES);
    assert_true(committed <= (uint64_t)224 * EMPTY_FILES);
    assert_int_equal(memfs_audit(fs), 0);
    assert_int_equal(memfs_destroy(fs, 0), 0);
}

static void a_gibibyte_costs_at_most_a_hundredth_more(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.quota_bytes = GIB + GIB / 100;
    memfs *fs = create_on_heap(&config);
    uint64_t committed = statfs_of(fs).committed_bytes;
    append(fs, "/file", 1u << 20, (size_t)(GIB >> 20));
    committed = statfs_of(fs).committed_bytes - committed;
    print_message("1 GiB: %.4f %% more\n", 100.0 * ((double)committed / (double)GIB - 1.0));
    assert_true(committed <= GIB + GIB / 100);
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_int_equal(memfs_stat(fs, "/file", &info), 0);
    assert_true(info.size_bytes == GIB && info.allocated_bytes == GIB);
    assert_int_equal(memfs_unlink(fs, "/file"), 0);
    assert_int_equal(memfs_destroy(fs, 0), 0);
}

static void a_hole_of_any_size_costs_nothing(void **state)
{
    (void)state;
    struct fixture *f = unlimited(MEMFS_PAGE_SIZE_DEFAULT);
    assert_int_equal(memfs_write_file(f->fs, "/file", "", 0, 0644, 0), 0);
    uint64_t used = statfs_of(f->fs).used_bytes;
    assert_int_equal(memfs_truncate(f->fs, "/file", INT64_MAX), 0);
    assert_true(statfs_of(f->fs).used_bytes <= used + 4096);
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_int_equal(memfs_stat(f->fs, "/file", &info), 0);
    assert_true(info.allocated_bytes == 0);
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_costs_the_same_whatever_the_size),
        cmocka_unit_test(an_append_takes_its_pages_and_copies_nothing),
        cmocka_unit_test(an_overwrite_asks_for_nothing_at_any_place),
        cmocka_unit_test(ten_thousand_empty_files_hold_at_most_224_bytes_each),
        cmocka_unit_test(a_gibibyte_costs_at_most_a_hundredth_more),
        cmocka_unit_test(a_hole_of_any_size_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
