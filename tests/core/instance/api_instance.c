/* Making and unmaking a file system: the config, what is absurd, what is busy. */
#include "checks.h"

#include <memfs/storage.h>

/* The usual config, on a tracking allocator of its own. */
static memfs_config config_on(struct tracking_allocator *allocator)
{
    memfs_config config = memfs_config_default();
    tracking_allocator_init(allocator, 0);
    config.allocator = tracking_hooks(allocator);
    return config;
}

static void assert_config_refused(const memfs_config *config, int error)
{
    memfs *fs = (memfs *)0x1;
    assert_returns(memfs_create(config, &fs), error);
    assert_ptr_equal(fs, (memfs *)0x1);
}

static void no_config_means_the_default_one(void **state)
{
    (void)state;
    memfs *fs = NULL;
#ifdef MEMFS_ARENA_ONLY
    assert_returns(memfs_create(NULL, &fs), MEMFS_EOPNOTSUPP);
    assert_null(fs);
#else
    assert_ok(memfs_create(NULL, &fs));
    memfs_statfs_info info = statfs_of(fs);
    assert_int_equal(info.quota_bytes, MEMFS_QUOTA_DEFAULT);
    assert_int_equal(info.page_size, MEMFS_PAGE_SIZE_DEFAULT);
    assert_int_equal(info.node_limit, 0);
    put(fs, "/f", "x");
    assert_ok(memfs_destroy(fs, 0));
#endif
}

static void a_new_file_system_is_an_empty_root_directory(void **state)
{
    struct fixture *f = *state;
    memfs_statfs_info info = statfs_of(f->fs);
    assert_names(f->fs, "/", "");
    assert_int_equal(info.files, 0);
    assert_int_equal(info.directories, 1);
    assert_int_equal(info.symlinks, 0);
    assert_int_equal(info.open_files, 0);
    assert_int_equal(info.open_directories, 0);
    assert_int_equal(info.orphans, 0);
    assert_int_equal(info.orphan_bytes, 0);
    assert_int_equal(info.name_max, MEMFS_NAME_MAX);
    assert_int_equal(info.path_max, MEMFS_PATH_MAX);
    memfs_stat_info root = stat_of(f->fs, "/");
    assert_int_equal(root.kind, MEMFS_KIND_DIRECTORY);
    assert_int_equal(root.mode, 0755);
    assert_int_equal(root.links, 2);
}

static void the_instance_itself_is_charged(void **state)
{
    struct fixture *f = *state;
    memfs_statfs_info info = statfs_of(f->fs);
    assert_true(info.class_bytes[MEMFS_CLASS_NODES] > 0);
    assert_true(info.used_bytes >= info.class_bytes[MEMFS_CLASS_NODES]);
    assert_true(info.committed_bytes >= info.used_bytes);
    assert_int_equal(info.committed_bytes, f->allocator.held_bytes);
}

static void the_root_gets_the_mode_and_owner_of_the_config(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.root_mode = 0701;
    config.uid = 12;
    config.gid = 34;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    memfs_stat_info root = stat_of(f->fs, "/");
    assert_int_equal(root.mode, 0701);
    assert_int_equal(root.uid, 12);
    assert_int_equal(root.gid, 34);
    put(f->fs, "/f", "");
    assert_int_equal(stat_of(f->fs, "/f").uid, 12);
    assert_int_equal(stat_of(f->fs, "/f").gid, 34);
    fixture_destroy(f);
}

static void a_wrong_struct_size_is_invalid(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    config.struct_size = 0;
    assert_config_refused(&config, MEMFS_EINVAL);
    config.struct_size = 2 * sizeof(size_t);
    assert_config_refused(&config, MEMFS_EINVAL);
    config.struct_size = MEMFS_STRUCT_SIZE_MAX + 1;
    assert_config_refused(&config, MEMFS_E2BIG);
    config.struct_size = SIZE_MAX;
    assert_config_refused(&config, MEMFS_E2BIG);
    tracking_assert_empty(&allocator);
}

static void an_unknown_flag_is_invalid(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    for (unsigned bit = 2; bit < 32; bit++) {
        config.flags = 1u << bit;
        assert_config_refused(&config, MEMFS_EINVAL);
    }
    tracking_assert_empty(&allocator);
}

static void a_page_size_that_is_no_power_of_two_in_range_is_invalid(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 128, 255, 257, 4095, 5000, 65535, 131072, UINT32_MAX};
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        config.page_size = sizes[i];
        assert_config_refused(&config, MEMFS_EINVAL);
    }
    tracking_assert_empty(&allocator);
}

static void every_page_size_from_256_to_65536_works(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    for (uint32_t size = MEMFS_PAGE_SIZE_MIN; size <= MEMFS_PAGE_SIZE_MAX; size *= 2) {
        config.page_size = size;
        struct fixture *f = fixture_create(&config);
        assert_non_null(f);
        assert_int_equal(statfs_of(f->fs).page_size, size);
        memfs_file *file = create_file(f->fs, "/f");
        write_pattern(file, 3 * size + 1, 5, 1);
        check_pattern(file, 3 * size + 1, 5, 1);
        assert_ok(memfs_close(file));
        fixture_destroy(f);
    }
}

static void an_unknown_atime_policy_is_invalid(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    config.atime_policy = MEMFS_ATIME_STRICT + 1;
    assert_config_refused(&config, MEMFS_EINVAL);
    config.atime_policy = UINT32_MAX;
    assert_config_refused(&config, MEMFS_EINVAL);
}

static void a_root_mode_beyond_the_permission_bits_is_invalid(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    config.root_mode = 010000;
    assert_config_refused(&config, MEMFS_EINVAL);
    tracking_assert_empty(&allocator);
}

static void half_an_allocator_is_invalid(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    memfs_allocator hooks = *config.allocator;
    config.allocator = &hooks;
    hooks.take = NULL;
    assert_config_refused(&config, MEMFS_EINVAL);
    hooks.give = NULL;
    assert_config_refused(&config, MEMFS_EINVAL);
    hooks.take = allocator.hooks.take;
    assert_config_refused(&config, MEMFS_EINVAL);
    tracking_assert_empty(&allocator);
}

static void an_allocator_without_a_cost_is_charged_what_was_asked_for(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    memfs_allocator hooks = *config.allocator;
    hooks.cost = NULL;
    config.allocator = &hooks;
    memfs *fs;
    assert_ok(memfs_create(&config, &fs));
    put_pattern(fs, "/f", 10000, 3);
    uint64_t committed = statfs_of(fs).committed_bytes;
    assert_true(committed > 10000);
    assert_true(committed < allocator.held_bytes);
    assert_ok(memfs_destroy(fs, 0));
    tracking_assert_empty(&allocator);
}

static void an_arena_beside_an_allocator_is_invalid(void **state)
{
    (void)state;
    static uint64_t arena[8192];
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    config.arena = arena;
    config.arena_bytes = sizeof arena;
    assert_config_refused(&config, MEMFS_EINVAL);
    tracking_assert_empty(&allocator);
}

static void a_quota_that_cannot_hold_an_empty_tree_is_refused_as_a_quota(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    static const uint64_t quotas[] = {1, 2, 64, 200};
    for (size_t i = 0; i < COUNT_OF(quotas); i++) {
        config.quota_bytes = quotas[i];
        assert_config_refused(&config, MEMFS_EDQUOT);
        assert_int_equal(allocator.peak_bytes, 0);
    }
    tracking_assert_empty(&allocator);
}

static void at_every_quota_creation_keeps_within_it_or_is_refused(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    memfs *fs = NULL;
    int refused = 0;
    for (config.quota_bytes = 16;; config.quota_bytes += 16) {
        tracking_allocator_init(&allocator, config.quota_bytes);
        int result = memfs_create(&config, &fs);
        if (result == 0)
            break;
        assert_returns(result, MEMFS_EDQUOT);
        tracking_assert_empty(&allocator);
        refused++;
        assert_true(refused < 100000);
    }
    assert_true(refused > 0);
    assert_ok(memfs_destroy(fs, 0));
    tracking_assert_empty(&allocator);
}

static void an_allocator_that_refuses_creation_is_no_memory_and_nothing_leaks(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    memfs *fs = NULL;
    uint64_t take = 1;
    for (;; take++) {
        tracking_refuse(&allocator, take, 0);
        int result = memfs_create(&config, &fs);
        if (result == 0)
            break;
        assert_returns(result, MEMFS_ENOMEM);
        assert_null(fs);
        tracking_assert_empty(&allocator);
    }
    assert_true(take > 1);
    assert_ok(memfs_destroy(fs, 0));
    tracking_assert_empty(&allocator);
}

static void a_single_threaded_file_system_does_the_same_work(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.flags = MEMFS_CREATE_SINGLE_THREADED;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    put(f->fs, "/f", "text");
    assert_ok(memfs_copy(f->fs, "/f", "/g", 0));
    assert_ok(memfs_rename(f->fs, "/g", "/h", 0));
    assert_text(f->fs, "/h", "text");
    fixture_destroy(f);
}

static void destroying_nothing_is_fine(void **state)
{
    (void)state;
    assert_ok(memfs_destroy(NULL, 0));
    assert_ok(memfs_destroy(NULL, MEMFS_DESTROY_FORCE));
}

static void destroying_with_an_unknown_flag_is_invalid_and_nothing_happens(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "still here");
    assert_returns(memfs_destroy(f->fs, 2), MEMFS_EINVAL);
    assert_returns(memfs_destroy(f->fs, MEMFS_DESTROY_FORCE | 4), MEMFS_EINVAL);
    assert_text(f->fs, "/f", "still here");
}

static void an_open_file_keeps_the_file_system_busy(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_close(file));
}

static void an_open_file_in_lent_storage_keeps_the_file_system_busy(void **state)
{
    struct fixture *f = *state;
    memfs_file_storage storage;
    memfs_open_options options = {.struct_size = sizeof options, .storage = &storage};
    memfs_file *file;
    put(f->fs, "/f", "");
    assert_ok(memfs_open_with(f->fs, "/f", &options, &file));
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_close(file));
}

static void an_open_directory_stream_keeps_the_file_system_busy(void **state)
{
    struct fixture *f = *state;
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_closedir(dir));
}

static void a_mapping_keeps_the_file_system_busy(void **state)
{
    struct fixture *f = *state;
    memfs_mapping mapping;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 100, 0, 1);
    assert_ok(memfs_map(file, 0, 100, &mapping));
    assert_ok(memfs_close(file));
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_unmap(&mapping));
}

static void a_version_keeps_the_file_system_busy(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref version;
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_content_take(file, &version));
    assert_ok(memfs_close(file));
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_content_drop(&version));
}

static void charged_memory_keeps_the_file_system_busy(void **state)
{
    struct fixture *f = *state;
    void *memory;
    assert_ok(memfs_charged_alloc(f->fs, 10, &memory));
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_free(f->fs, memory));
}

static void a_list_that_was_not_freed_keeps_the_file_system_busy(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {.struct_size = sizeof list};
    put(f->fs, "/f", "");
    assert_ok(memfs_list_dir(f->fs, "/", &list));
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_audit(f->fs));
    memfs_list_free(f->fs, &list);
}

static void force_destroys_with_everything_outstanding_and_nothing_leaks(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = config_on(&allocator);
    memfs *fs;
    assert_ok(memfs_create(&config, &fs));
    memfs_file *file = create_file(fs, "/f");
    memfs_file *locked = open_file(fs, "/l",
                                   MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE_LOCK);
    write_pattern(file, 50000, 0, 1);
    write_pattern(locked, 10, 0, 1);
    memfs_mapping mapping;
    memfs_content_ref version;
    memfs_list list = {.struct_size = sizeof list};
    void *memory;
    assert_ok(memfs_map(file, 4096, 100, &mapping));
    assert_ok(memfs_content_take(file, &version));
    write_pattern(file, 50000, 0, 2);
    assert_ok(memfs_charged_alloc(fs, 1000, &memory));
    assert_ok(memfs_list_dir(fs, "/", &list));
    (void)open_dir(fs, "/");
    memfs_file_storage storage;
    memfs_open_options options = {.struct_size = sizeof options, .storage = &storage};
    memfs_file *lent;
    assert_ok(memfs_open_with(fs, "/f", &options, &lent));
    memfs_walker *walker;
    memfs_comparison *comparison;
    memfs_file *kept;
    assert_ok(memfs_snapshot_take(fs, "kept"));
    assert_ok(memfs_unlink(fs, "/f"));
    assert_ok(memfs_snapshot_walk(fs, "kept", "/", 0, &walker));
    assert_ok(memfs_compare_open(fs, "kept", NULL, &comparison));
    assert_ok(memfs_snapshot_open(fs, "kept", "/f", 0, &kept));
    assert_returns(memfs_destroy(fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_destroy(fs, MEMFS_DESTROY_FORCE));
    tracking_assert_empty(&allocator);
}

static void two_instances_side_by_side_know_nothing_of_each_other(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/same", "one");
    put(f->other, "/same", "two");
    assert_ok(memfs_mkdir(f->fs, "/only here", 0755));
    assert_text(f->fs, "/same", "one");
    assert_text(f->other, "/same", "two");
    assert_false(is_there(f->other, "/only here"));
    char *described = fixture_describe(f->other);
    uint64_t used = used_bytes(f->other);
    put_pattern(f->fs, "/big", 100000, 1);
    assert_ok(memfs_set_node_limit(f->fs, 4));
    assert_returns(memfs_mkdir(f->fs, "/no", 0755), MEMFS_ENOSPC);
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    assert_ok(memfs_last_refusal(f->other, &refusal));
    assert_int_equal(refusal.error, 0);
    assert_int_equal(used_bytes(f->other), used);
    check_described(f->other, described, "the first instance", __FILE__, __LINE__);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_config_means_the_default_one),
        FS_TEST(a_new_file_system_is_an_empty_root_directory),
        FS_TEST(the_instance_itself_is_charged),
        cmocka_unit_test(the_root_gets_the_mode_and_owner_of_the_config),
        cmocka_unit_test(a_wrong_struct_size_is_invalid),
        cmocka_unit_test(an_unknown_flag_is_invalid),
        cmocka_unit_test(a_page_size_that_is_no_power_of_two_in_range_is_invalid),
        cmocka_unit_test(every_page_size_from_256_to_65536_works),
        cmocka_unit_test(an_unknown_atime_policy_is_invalid),
        cmocka_unit_test(a_root_mode_beyond_the_permission_bits_is_invalid),
        cmocka_unit_test(half_an_allocator_is_invalid),
        cmocka_unit_test(an_allocator_without_a_cost_is_charged_what_was_asked_for),
        cmocka_unit_test(an_arena_beside_an_allocator_is_invalid),
        cmocka_unit_test(a_quota_that_cannot_hold_an_empty_tree_is_refused_as_a_quota),
        cmocka_unit_test(at_every_quota_creation_keeps_within_it_or_is_refused),
        cmocka_unit_test(an_allocator_that_refuses_creation_is_no_memory_and_nothing_leaks),
        cmocka_unit_test(a_single_threaded_file_system_does_the_same_work),
        cmocka_unit_test(destroying_nothing_is_fine),
        FS_TEST(destroying_with_an_unknown_flag_is_invalid_and_nothing_happens),
        FS_TEST(an_open_file_keeps_the_file_system_busy),
        FS_TEST(an_open_file_in_lent_storage_keeps_the_file_system_busy),
        FS_TEST(an_open_directory_stream_keeps_the_file_system_busy),
        FS_TEST(a_mapping_keeps_the_file_system_busy),
        FS_TEST(a_version_keeps_the_file_system_busy),
        FS_TEST(charged_memory_keeps_the_file_system_busy),
        FS_TEST(a_list_that_was_not_freed_keeps_the_file_system_busy),
        cmocka_unit_test(force_destroys_with_everything_outstanding_and_nothing_leaks),
        FS_TEST(two_instances_side_by_side_know_nothing_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
