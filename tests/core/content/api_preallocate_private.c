/* Preallocated growth, and files held private: what a database needs when the quota is used up. */
#include "checks.h"

#include <memfs/storage.h>

static uint64_t preallocated(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    assert_ok(memfs_statfs(fs, &info));
    return info.preallocated_bytes;
}

/* Takes all that is left, so that nothing more can be had. */
static void leave_nothing(struct fixture *f)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    assert_int_equal(memfs_set_quota(f->fs, 1), MEMFS_EBUSY);
    assert_ok(memfs_statfs(f->fs, &info));
    fixture_set_quota(f, info.committed_bytes);
}

static void preallocated_growth_cannot_be_refused(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 5000, 0, 1);
    assert_ok(memfs_preallocate(file, 300000));
    assert_int_equal(preallocated(f->fs), 295000);
    assert_int_equal(memfs_file_size(file), 5000);
    leave_nothing(f);
    write_pattern(file, 295000, 5000, 2);
    assert_int_equal(preallocated(f->fs), 0);
    assert_ok(memfs_close(file));
}

static void truncating_keeps_what_is_preallocated_and_it_reads_as_zeros(void **state)
{
    struct fixture *f = *state;
    unsigned char bytes[30000], zeros[30000] = {0};
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 60000, 0, 1);
    assert_ok(memfs_preallocate(file, 50000));
    assert_ok(memfs_ftruncate(file, 100));
    assert_int_equal(preallocated(f->fs), 49900);
    leave_nothing(f);
    assert_ok(memfs_ftruncate(file, 40000));
    assert_int_equal(memfs_pread(file, bytes, 30000, 100), 30000);
    assert_memory_equal(bytes, zeros, 30000);
    write_pattern(file, 50000, 0, 3);
    assert_ok(memfs_close(file));
}

static void a_preallocation_outlives_handles_and_ends_on_request(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_preallocate(file, 100000));
    assert_ok(memfs_close(file));
    assert_int_equal(preallocated(f->fs), 100000);
    assert_ok(memfs_open(f->fs, "/f", MEMFS_O_RDWR, 0, &file));
    assert_ok(memfs_preallocate(file, 0));
    assert_int_equal(preallocated(f->fs), 0);
    assert_ok(memfs_fstat(file, &info));
    assert_int_equal(info.allocated_bytes, 0);
    assert_ok(memfs_preallocate(file, 70000));
    assert_ok(memfs_close(file));
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_int_equal(preallocated(f->fs), 0);
}

static void a_preallocation_that_does_not_fit_changes_nothing(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_preallocate(file, 10000));
    assert_int_equal(memfs_preallocate(file, INT64_MAX), MEMFS_EDQUOT);
    assert_int_equal(memfs_preallocate(file, -1), MEMFS_EINVAL);
    assert_int_equal(preallocated(f->fs), 10000);
    assert_ok(memfs_close(file));
    assert_ok(memfs_open(f->fs, "/f", MEMFS_O_READ, 0, &file));
    assert_int_equal(memfs_preallocate(file, 20000), MEMFS_EBADF);
    assert_ok(memfs_close(file));
}

static void a_preallocation_outlives_a_copy_that_shared_the_pages_behind_a_cut(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 8 * 4096, 0, 1);
    assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
    assert_ok(memfs_preallocate(file, 100 * 4096));
    assert_ok(memfs_ftruncate(file, 5 * 4096 + 512));
    assert_ok(memfs_unlink(f->fs, "/copy"));
    write_pattern(file, 4096, 6 * 4096, 2);
    leave_nothing(f);
    write_pattern(file, 93 * 4096, 7 * 4096, 3);
    assert_ok(memfs_audit(f->fs));
    assert_ok(memfs_close(file));
}

static void statfs_shows_what_ends_a_preallocation(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_ftruncate(file, 60 * 4096)); /* all hole */
    assert_ok(memfs_preallocate(file, 50 * 4096));
    assert_ok(memfs_ftruncate(file, 0));
    assert_int_equal(preallocated(f->fs), 0);
    assert_ok(memfs_preallocate(file, 50 * 4096));
    assert_ok(memfs_fallocate(file, 20 * 4096, 4096, MEMFS_FALLOCATE_PUNCH_HOLE));
    assert_int_equal(preallocated(f->fs), 20 * 4096);
    assert_ok(memfs_content_take(file, &version));
    assert_ok(memfs_preallocate(file, 30 * 4096));
    assert_ok(memfs_content_restore(file, &version));
    assert_int_equal(preallocated(f->fs), 0);
    assert_ok(memfs_preallocate(file, 30 * 4096));
    assert_int_equal(preallocated(f->fs), 30 * 4096);
    assert_ok(memfs_write_file(f->fs, "/f", "new", 3, 0644, 0));
    assert_int_equal(preallocated(f->fs), 0);
    assert_ok(memfs_audit(f->fs));
    assert_ok(memfs_close(file));
}

/* Whatever is preallocated when the file is cut is there, or is not reported. */
static void a_preallocation_over_a_hole_ends_where_nothing_is_there(void **state)
{
    struct fixture *f = *state;
    static const int64_t writes[] = {0, 26, 300, 2048, 5000};
    static const int64_t cuts[] = {0, 10, 67, 400, 548, 549, 600};
    for (size_t w = 0; w < COUNT_OF(writes); w++) {
        for (size_t c = 0; c < COUNT_OF(cuts); c++) {
            memfs_file *file = create_file(f->fs, "/f");
            assert_ok(memfs_ftruncate(file, 10000)); /* all hole */
            assert_ok(memfs_preallocate(file, 549)); /* ends below the size */
            write_pattern(file, (size_t)writes[w], 0, 1);
            assert_ok(memfs_ftruncate(file, cuts[c]));
            assert_ok(memfs_audit(f->fs));
            uint64_t room = preallocated(f->fs);
            assert_true(cuts[c] < 549 || room == 0);
            leave_nothing(f);
            write_pattern(file, (size_t)room, cuts[c], 2);
            fixture_set_quota(f, 16u << 20);
            assert_ok(memfs_close(file));
            assert_ok(memfs_unlink(f->fs, "/f"));
        }
    }
}

static void copies_of_a_file_held_private_do_not_make_overwriting_allocate(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100000, 0, 1);
    assert_ok(memfs_hold_private(file, 1));
    assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
    assert_ok(memfs_copy_tree(f->fs, "/f", "/copied", 0));
    leave_nothing(f);
    uint64_t takes = atomic_load(&f->allocator.takes);
    write_pattern(file, 100000, 0, 2);
    assert_int_equal(atomic_load(&f->allocator.takes), takes);
    assert_ok(memfs_close(file));
}

static void holding_private_ends_with_the_handle(void **state)
{
    struct fixture *f = *state;
    memfs_statfs_info before = {.struct_size = sizeof before}, after = before;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100000, 0, 1);
    assert_ok(memfs_hold_private(file, 1));
    assert_ok(memfs_close(file));
    assert_ok(memfs_statfs(f->fs, &before));
    assert_ok(memfs_copy(f->fs, "/f", "/copy", 0));
    assert_ok(memfs_statfs(f->fs, &after));
    assert_int_equal(after.pages_used, before.pages_used);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* An audit marks the page tables while it counts, and looks at preallocations too. */
static void an_audit_sees_what_is_preallocated_over_several_page_tables(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.page_size = 256; /* eight pages a table */
    struct fixture *f = fixture_create(&config);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE);
    assert_ok(memfs_ftruncate(file, 511));
    assert_ok(memfs_preallocate(file, 4386));
    assert_ok(memfs_audit(f->fs));
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_ok(memfs_audit(f->fs));
    assert_ok(memfs_snapshot_remove(f->fs, "s"));
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(preallocated_growth_cannot_be_refused),
        TEST(truncating_keeps_what_is_preallocated_and_it_reads_as_zeros),
        TEST(a_preallocation_outlives_handles_and_ends_on_request),
        TEST(a_preallocation_that_does_not_fit_changes_nothing),
        TEST(a_preallocation_outlives_a_copy_that_shared_the_pages_behind_a_cut),
        TEST(statfs_shows_what_ends_a_preallocation),
        TEST(a_preallocation_over_a_hole_ends_where_nothing_is_there),
        TEST(copies_of_a_file_held_private_do_not_make_overwriting_allocate),
        TEST(holding_private_ends_with_the_handle),
        cmocka_unit_test(an_audit_sees_what_is_preallocated_over_several_page_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
