/* Quota and node limit, changed while running; statfs; the last refusal. */
#include "checks.h"

#include <memfs/storage.h>

static void a_raised_quota_lets_the_refused_write_through(void **state)
{
    struct fixture *f = *state;
    char *text = calloc(1, 1 << 20);
    fixture_set_quota(f, 512 << 10);
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_write(file, text, 1 << 20), MEMFS_EDQUOT);
    fixture_set_quota(f, 4 << 20);
    assert_returns(memfs_write(file, text, 1 << 20), 1 << 20);
    assert_int_equal(statfs_of(f->fs).quota_bytes, 4 << 20);
    assert_ok(memfs_close(file));
    free(text);
}

static void a_quota_below_what_is_in_use_is_busy(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 1 << 20, 1);
    assert_returns(memfs_set_quota(f->fs, 1 << 20), MEMFS_EBUSY);
    assert_returns(memfs_set_quota(f->fs, 1), MEMFS_EBUSY);
    assert_int_equal(statfs_of(f->fs).quota_bytes, 16 << 20);
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_ok(memfs_set_quota(f->fs, 1 << 20));
}

static void a_quota_of_just_what_is_committed_is_accepted(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 100000, 1);
    uint64_t committed = statfs_of(f->fs).committed_bytes;
    assert_returns(memfs_set_quota(f->fs, committed - 1), MEMFS_EBUSY);
    assert_ok(memfs_set_quota(f->fs, committed));
    assert_ok(memfs_set_quota(f->fs, 16 << 20));
}

static void a_lowered_quota_holds_at_once(void **state)
{
    struct fixture *f = *state;
    static char text[300000];
    fixture_set_quota(f, 256 << 10);
    assert_refused(f->fs, memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0), MEMFS_EDQUOT);
}

static void unlimited_never_reports_zero_free(void **state)
{
    struct fixture *f = *state;
    fixture_set_quota(f, 0);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.quota_bytes, 0);
    assert_true(info.available_bytes == UINT64_MAX);
    put_pattern(f->fs, "/f", 20 << 20, 1);
    assert_true(statfs_of(f->fs).available_bytes == UINT64_MAX);
}

static void an_unlimited_config_holds_more_than_the_default_would_tell(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 0;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    assert_int_equal(statfs_of(f->fs).quota_bytes, 0);
    assert_true(statfs_of(f->fs).available_bytes == UINT64_MAX);
    put_pattern(f->fs, "/f", 1 << 20, 1);
    fixture_destroy(f);
}

static void available_goes_down_as_data_come_and_up_as_they_go(void **state)
{
    struct fixture *f = *state;
    uint64_t before = statfs_of(f->fs).available_bytes;
    assert_true(before > 15u << 20);
    assert_true(before <= 16u << 20);
    put_pattern(f->fs, "/f", 1 << 20, 1);
    uint64_t between = statfs_of(f->fs).available_bytes;
    assert_true(between <= before - (1 << 20) + 65536); /* one slab has fewer headers than many */
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_true(statfs_of(f->fs).available_bytes >= before - 65536);
}

static void what_is_reported_available_can_be_written(void **state)
{
    struct fixture *f = *state;
    fixture_set_quota(f, 1 << 20);
    memfs_file *file = create_file(f->fs, "/f");
    uint64_t available = statfs_of(f->fs).available_bytes;
    assert_true(available > 900u << 10);
    write_pattern(file, (size_t)(available - available / 20), 0, 1); /* tables and slabs: 5 % */
    assert_ok(memfs_close(file));
}

static void statfs_divides_what_is_used_into_classes(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    void *memory;
    write_pattern(file, 1 << 20, 0, 1);
    assert_ok(memfs_charged_alloc(f->fs, 5000, &memory));
    memfs_statfs_info info = statfs_of(f->fs);
    uint64_t sum = 0;
    for (int i = 0; i < MEMFS_CLASS_COUNT; i++)
        sum += info.class_bytes[i];
    assert_int_equal(sum, info.used_bytes);
    assert_true(info.class_bytes[MEMFS_CLASS_DATA] >= 1u << 20);
    assert_true(info.class_bytes[MEMFS_CLASS_TABLES] > 0);
    assert_true(info.class_bytes[MEMFS_CLASS_NODES] > 0);
    assert_true(info.class_bytes[MEMFS_CLASS_NAMES] > 0);
    assert_true(info.class_bytes[MEMFS_CLASS_HANDLES] > 0);
    assert_true(info.class_bytes[MEMFS_CLASS_CHARGED] >= 5000);
    assert_true(info.pages_used >= 256);
    assert_ok(memfs_free(f->fs, memory));
    assert_ok(memfs_close(file));
    info = statfs_of(f->fs);
    assert_int_equal(info.class_bytes[MEMFS_CLASS_HANDLES], 0);
    assert_int_equal(info.class_bytes[MEMFS_CLASS_CHARGED], 0);
}

static void statfs_counts_nodes_by_kind_and_what_is_open(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "");
    assert_ok(memfs_link(f->fs, "/f", "/same"));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    memfs_file *one = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_file *two = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_dir *dir = open_dir(f->fs, "/d");
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.files, 1);
    assert_int_equal(info.directories, 2);
    assert_int_equal(info.symlinks, 1);
    assert_int_equal(info.open_files, 2);
    assert_int_equal(info.open_directories, 1);
    assert_ok(memfs_close(one));
    assert_ok(memfs_close(two));
    assert_ok(memfs_closedir(dir));
    assert_ok(memfs_remove_tree(f->fs, "/d"));
    info = statfs_of(f->fs);
    assert_int_equal(info.directories, 1);
    assert_int_equal(info.open_files, 0);
    assert_int_equal(info.open_directories, 0);
}

static void the_peak_is_the_most_ever_committed(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/f", 8 << 20, 1);
    uint64_t committed = statfs_of(f->fs).committed_bytes;
    assert_ok(memfs_unlink(f->fs, "/f"));
    memfs_statfs_info info = statfs_of(f->fs);
    assert_true(info.peak_bytes >= committed);
    assert_true(info.committed_bytes < committed);
    assert_int_equal(info.peak_bytes, f->allocator.peak_bytes);
}

static void statfs_with_a_wrong_struct_size_is_invalid(void **state)
{
    struct fixture *f = *state;
    memfs_statfs_info info = {.struct_size = 0, .quota_bytes = 77};
    assert_returns(memfs_statfs(f->fs, &info), MEMFS_EINVAL);
    info.struct_size = MEMFS_STRUCT_SIZE_MAX + 1;
    assert_returns(memfs_statfs(f->fs, &info), MEMFS_E2BIG);
    assert_int_equal(info.quota_bytes, 77);
}

static void the_node_limit_counts_the_root_and_refuses_the_node_above_it(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_set_node_limit(f->fs, 4));
    assert_int_equal(statfs_of(f->fs).node_limit, 4);
    put(f->fs, "/f", "");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_refused(f->fs, memfs_mkdir(f->fs, "/x", 0755), MEMFS_ENOSPC);
    assert_refused(f->fs, memfs_symlink(f->fs, "f", "/x", 0), MEMFS_ENOSPC);
    assert_refused(f->fs, memfs_write_file(f->fs, "/x", "", 0, 0644, 0), MEMFS_ENOSPC);
    assert_refused(f->fs, memfs_copy(f->fs, "/f", "/x", 0), MEMFS_ENOSPC);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/d", "/x", 0), MEMFS_ENOSPC);
    memfs_file *file = (memfs_file *)0x1;
    assert_refused(f->fs, memfs_open(f->fs, "/x", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file),
                   MEMFS_ENOSPC);
    assert_ptr_equal(file, (memfs_file *)0x1);
    assert_ok(memfs_link(f->fs, "/f", "/a name is no node"));
    assert_int_equal(statfs_of(f->fs).node_refusals, 6);
}

static void at_the_node_limit_all_that_needs_no_node_goes_on(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    put(f->fs, "/g", "y");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_set_node_limit(f->fs, 5));
    assert_refused(f->fs, memfs_mkdir(f->fs, "/d", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/f/x", 0755), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/none/x", 0755), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_symlink(f->fs, "x", "/s", 0), MEMFS_EEXIST);
    assert_ok(memfs_mkdir_parents(f->fs, "/d", 0755));
    put(f->fs, "/f", "replaced");
    assert_ok(memfs_close(open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE)));
    assert_ok(memfs_copy(f->fs, "/f", "/g", 0));
    assert_ok(memfs_rename(f->fs, "/g", "/d/g", 0));
    assert_ok(memfs_link(f->fs, "/f", "/d/f"));
}

static void a_node_that_goes_makes_room_for_another(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_set_node_limit(f->fs, 2));
    put(f->fs, "/f", "");
    assert_returns(memfs_mkdir(f->fs, "/d", 0755), MEMFS_ENOSPC);
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
}

static void an_orphan_counts_against_the_node_limit_until_it_is_closed(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_set_node_limit(f->fs, 2));
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_returns(memfs_mkdir(f->fs, "/d", 0755), MEMFS_ENOSPC);
    assert_ok(memfs_close(file));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
}

static void the_node_limit_can_be_raised_and_lowered_but_not_below_what_exists(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "");
    put(f->fs, "/b", "");
    assert_returns(memfs_set_node_limit(f->fs, 2), MEMFS_EBUSY);
    assert_int_equal(statfs_of(f->fs).node_limit, 0);
    assert_ok(memfs_set_node_limit(f->fs, 3));
    assert_returns(memfs_mkdir(f->fs, "/c", 0755), MEMFS_ENOSPC);
    assert_ok(memfs_set_node_limit(f->fs, 4));
    assert_ok(memfs_mkdir(f->fs, "/c", 0755));
    assert_ok(memfs_set_node_limit(f->fs, 0));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
}

static void a_config_with_a_node_limit_holds_it(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.node_limit = 1;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    assert_returns(memfs_mkdir(f->fs, "/d", 0755), MEMFS_ENOSPC);
    fixture_destroy(f);
}

static void without_a_refusal_there_is_no_last_one(void **state)
{
    struct fixture *f = *state;
    memfs_refusal refusal = {
        .struct_size = sizeof refusal, .error = 5, .wanted = 5, .available = 5};
    put(f->fs, "/f", "x");
    assert_returns(memfs_unlink(f->fs, "/none"), MEMFS_ENOENT);
    assert_ok(memfs_last_refusal(f->fs, &refusal));
    assert_int_equal(refusal.error, 0);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.quota_refusals + info.node_refusals + info.allocator_refusals, 0);
}

static void a_refusal_by_the_quota_tells_what_was_wanted_and_what_was_left(void **state)
{
    struct fixture *f = *state;
    static char text[2 << 20];
    fixture_set_quota(f, 1 << 20);
    assert_returns(memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0), MEMFS_EDQUOT);
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_ok(memfs_last_refusal(f->fs, &refusal));
    assert_int_equal(refusal.error, MEMFS_EDQUOT);
    assert_true(refusal.wanted >= sizeof text);
    assert_true(refusal.available < refusal.wanted);
    assert_true(refusal.available <= 1 << 20);
    assert_true(refusal.available > 900 << 10);
    assert_int_equal(statfs_of(f->fs).quota_refusals, 1);
}

static void a_refusal_by_the_node_limit_tells_nodes(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_set_node_limit(f->fs, 1));
    assert_returns(memfs_mkdir(f->fs, "/d", 0755), MEMFS_ENOSPC);
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_ok(memfs_last_refusal(f->fs, &refusal));
    assert_int_equal(refusal.error, MEMFS_ENOSPC);
    assert_int_equal(refusal.wanted, 1);
    assert_int_equal(refusal.available, 0);
}

static void a_refusal_by_the_allocator_is_told_from_one_by_the_quota(void **state)
{
    struct fixture *f = *state;
    static char text[100000];
    tracking_refuse(&f->allocator, 1, 1);
    assert_returns(memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0), MEMFS_ENOMEM);
    tracking_refuse(&f->allocator, 0, 0);
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_ok(memfs_last_refusal(f->fs, &refusal));
    assert_int_equal(refusal.error, MEMFS_ENOMEM);
    assert_true(refusal.wanted > 0);
    assert_true(statfs_of(f->fs).allocator_refusals >= 1);
    assert_int_equal(statfs_of(f->fs).quota_refusals, 0);
    assert_false(is_there(f->fs, "/f"));
    assert_ok(memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_raised_quota_lets_the_refused_write_through),
        FS_TEST(a_quota_below_what_is_in_use_is_busy),
        FS_TEST(a_quota_of_just_what_is_committed_is_accepted),
        FS_TEST(a_lowered_quota_holds_at_once),
        FS_TEST(unlimited_never_reports_zero_free),
        cmocka_unit_test(an_unlimited_config_holds_more_than_the_default_would_tell),
        FS_TEST(available_goes_down_as_data_come_and_up_as_they_go),
        FS_TEST(what_is_reported_available_can_be_written),
        FS_TEST(statfs_divides_what_is_used_into_classes),
        FS_TEST(statfs_counts_nodes_by_kind_and_what_is_open),
        FS_TEST(the_peak_is_the_most_ever_committed),
        FS_TEST(statfs_with_a_wrong_struct_size_is_invalid),
        FS_TEST(the_node_limit_counts_the_root_and_refuses_the_node_above_it),
        FS_TEST(at_the_node_limit_all_that_needs_no_node_goes_on),
        FS_TEST(a_node_that_goes_makes_room_for_another),
        FS_TEST(an_orphan_counts_against_the_node_limit_until_it_is_closed),
        FS_TEST(the_node_limit_can_be_raised_and_lowered_but_not_below_what_exists),
        cmocka_unit_test(a_config_with_a_node_limit_holds_it),
        FS_TEST(without_a_refusal_there_is_no_last_one),
        FS_TEST(a_refusal_by_the_quota_tells_what_was_wanted_and_what_was_left),
        FS_TEST(a_refusal_by_the_node_limit_tells_nodes),
        FS_TEST(a_refusal_by_the_allocator_is_told_from_one_by_the_quota),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
