/* Corners of limits and refusals that were once wrong. */
#include "checks.h"

#include <memfs/storage.h>

static memfs_statfs_info figures(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    assert_ok(memfs_statfs(fs, &info));
    return info;
}

static void free_slabs_serve_a_write_that_needs_page_tables(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 900 << 10, 0, 1);
    assert_ok(memfs_ftruncate(file, 0));
    fixture_set_quota(f, figures(f->fs).committed_bytes);
    assert_int_equal(memfs_pwrite(file, "x", 1, (int64_t)1 << 40), 1);
    assert_ok(memfs_ftruncate(file, 0));
    write_pattern(file, 800 << 10, 0, 2);
    assert_ok(memfs_close(file));
}

static void what_the_allocator_refused_is_not_in_the_peak(void **state)
{
    (void)state;
    memfs *fs;
    memfs_config config = memfs_config_default();
    struct tracking_allocator allocator;
    void *memory;
    tracking_allocator_init(&allocator, 0);
    config.quota_bytes = 0;
    config.allocator = tracking_hooks(&allocator);
    assert_ok(memfs_create(&config, &fs));
    tracking_refuse(&allocator, 1, 1);
    assert_int_equal(memfs_charged_alloc(fs, 1 << 20, &memory), MEMFS_ENOMEM);
    tracking_refuse(&allocator, 0, 0);
    assert_true(figures(fs).peak_bytes < 1 << 20);
    assert_int_equal(memfs_charged_alloc(fs, SIZE_MAX - 64, &memory), MEMFS_EINVAL);
    assert_ok(memfs_destroy(fs, 0));
    tracking_assert_empty(&allocator);
}

static void a_trailing_slash_asks_for_a_directory_where_parents_are_made_too(void **state)
{
    struct fixture *f = *state;
    memfs_file *file;
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_MAKE_PARENTS;
    assert_int_equal(memfs_open(f->fs, "/p/q/", flags, 0644, &file), MEMFS_EISDIR);
    assert_ok(memfs_write_file(f->fs, "/a", "a", 1, 0644, 0));
    assert_int_equal(memfs_rename(f->fs, "/a", "/x/y/", MEMFS_RENAME_MAKE_PARENTS), MEMFS_ENOTDIR);
    assert_int_equal(memfs_exists(f->fs, "/p"), 0);
    assert_int_equal(memfs_exists(f->fs, "/x"), 0);
    assert_ok(memfs_mkdir_parents(f->fs, "/m/n/", 0755));
    assert_ok(memfs_rename(f->fs, "/m", "/u/v/", MEMFS_RENAME_MAKE_PARENTS));
    assert_int_equal(memfs_is_dir(f->fs, "/u/v/n"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(free_slabs_serve_a_write_that_needs_page_tables),
        cmocka_unit_test(what_the_allocator_refused_is_not_in_the_peak),
        TEST(a_trailing_slash_asks_for_a_directory_where_parents_are_made_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
