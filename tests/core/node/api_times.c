/* The four times: access, modification, status change, birth. */
#include "checks.h"

#define DAY_NS (INT64_C(24) * 3600 * 1000000000)

/* Later than all that was stamped so far; what is stamped from now on is above it. */
static int64_t later(struct fixture *f)
{
    f->now_ns += 1000000;
    return f->now_ns;
}

static void read_byte(memfs_file *file)
{
    char byte;
    assert_returns(memfs_pread(file, &byte, 1, 0), 1);
}

static struct fixture *with_policy(uint32_t policy)
{
    memfs_config config = memfs_config_default();
    config.atime_policy = policy;
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    return f;
}

/* Whichever of its allocations is refused. */
static void a_refused_list_leaves_the_access_time(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    config.atime_policy = MEMFS_ATIME_STRICT;
    config.flags = MEMFS_CREATE_UNPOOLED; /* so that the allocator sees each object */
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    memfs_list list = {.struct_size = sizeof list};
    put(f->fs, "/f", "");
    int64_t before = stat_of(f->fs, "/").access_ns;
    uint64_t take = 0;
    int result;
    for (;;) {
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_list_dir(f->fs, "/", &list);
        tracking_refuse(&f->allocator, 0, 0);
        if (result == 0)
            break;
        assert_returns(result, MEMFS_ENOMEM);
        assert_true(stat_of(f->fs, "/").access_ns == before);
    }
    assert_true(take > 1);
    assert_true(stat_of(f->fs, "/").access_ns > before);
    memfs_list_free(f->fs, &list);
    fixture_destroy(f);
}

static void a_new_node_has_the_time_of_its_creation_for_all_four(void **state)
{
    struct fixture *f = *state;
    int64_t now = later(f);
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "x", "/s", 0));
    static const char *const paths[] = {"/f", "/d", "/s"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        memfs_stat_info info = lstat_of(f->fs, paths[i]);
        assert_true(info.birth_ns > now);
        assert_true(info.access_ns == info.birth_ns);
        assert_true(info.modify_ns == info.birth_ns);
        assert_true(info.change_ns >= info.birth_ns); /* its name came last */
    }
    assert_ok(memfs_close(file));
}

static void writing_sets_modification_and_status_change(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    memfs_stat_info before = fstat_of(file);
    int64_t now = later(f);
    assert_returns(memfs_write(file, "x", 1), 1);
    memfs_stat_info after = fstat_of(file);
    assert_true(after.modify_ns > now);
    assert_true(after.change_ns > now);
    assert_true(after.access_ns == before.access_ns);
    assert_true(after.birth_ns == before.birth_ns);
    assert_ok(memfs_close(file));
}

static void truncating_and_allocating_set_modification_and_status_change(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, 10000, 0, 1);
    int64_t now = later(f);
    assert_ok(memfs_ftruncate(file, 5000));
    assert_true(fstat_of(file).modify_ns > now && fstat_of(file).change_ns > now);
    now = later(f);
    assert_ok(memfs_truncate(f->fs, "/f", 9000));
    assert_true(fstat_of(file).modify_ns > now && fstat_of(file).change_ns > now);
    now = later(f);
    assert_ok(memfs_fallocate(file, 0, 5000, MEMFS_FALLOCATE_PUNCH_HOLE));
    assert_true(fstat_of(file).modify_ns > now && fstat_of(file).change_ns > now);
    now = later(f);
    assert_ok(memfs_close(open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_TRUNCATE)));
    assert_true(fstat_of(file).modify_ns > now && fstat_of(file).change_ns > now);
    assert_ok(memfs_close(file));
}

static void edits_of_a_directory_set_its_modification_and_status_change(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    int64_t now = later(f);
    put(f->fs, "/d/f", "x");
    assert_true(stat_of(f->fs, "/d").modify_ns > now && stat_of(f->fs, "/d").change_ns > now);
    now = later(f);
    assert_ok(memfs_link(f->fs, "/d/f", "/d/g"));
    assert_true(stat_of(f->fs, "/d").modify_ns > now);
    now = later(f);
    assert_ok(memfs_unlink(f->fs, "/d/f"));
    assert_true(stat_of(f->fs, "/d").modify_ns > now && stat_of(f->fs, "/d").change_ns > now);
    now = later(f);
    assert_ok(memfs_mkdir(f->fs, "/d/e", 0755));
    assert_true(stat_of(f->fs, "/d").modify_ns > now);
    now = later(f);
    assert_ok(memfs_rmdir(f->fs, "/d/e"));
    assert_true(stat_of(f->fs, "/d").modify_ns > now);
}

static void changing_attributes_sets_the_status_change_only(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    memfs_stat_info before = stat_of(f->fs, "/f");
    int64_t now = later(f);
    assert_ok(memfs_chmod(f->fs, "/f", 0600));
    assert_true(stat_of(f->fs, "/f").change_ns > now);
    now = later(f);
    assert_ok(memfs_chown(f->fs, "/f", 1, 2));
    memfs_stat_info after = stat_of(f->fs, "/f");
    assert_true(after.change_ns > now);
    assert_true(after.modify_ns == before.modify_ns);
    assert_true(after.access_ns == before.access_ns);
}

static void a_refused_write_changes_no_time(void **state)
{
    struct fixture *f = *state;
    static char text[1 << 20];
    put(f->fs, "/f", "x");
    fixture_set_quota(f, 512 << 10);
    memfs_stat_info before = stat_of(f->fs, "/f");
    later(f);
    assert_returns(memfs_write_file(f->fs, "/f", text, sizeof text, 0644, 0), MEMFS_EDQUOT);
    memfs_stat_info after = stat_of(f->fs, "/f");
    assert_memory_equal(&before, &after, sizeof before);
}

/* ------------------------------------------------------------------ access */

static void relatime_updates_the_access_time_once_after_a_change(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR);
    int64_t now = later(f);
    read_byte(file);
    int64_t first = fstat_of(file).access_ns;
    assert_true(first > now);
    later(f);
    read_byte(file);
    assert_true(fstat_of(file).access_ns == first);
    assert_returns(memfs_pwrite(file, "y", 1, 0), 1);
    now = later(f);
    read_byte(file);
    assert_true(fstat_of(file).access_ns > now);
    assert_ok(memfs_close(file));
}

static void relatime_updates_an_access_time_that_is_a_day_old(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    later(f);
    read_byte(file);
    int64_t first = fstat_of(file).access_ns;
    f->now_ns += DAY_NS - 10 * 1000000;
    read_byte(file);
    assert_true(fstat_of(file).access_ns == first);
    f->now_ns += 20 * 1000000;
    read_byte(file);
    assert_true(fstat_of(file).access_ns > first + DAY_NS);
    assert_ok(memfs_close(file));
}

static void with_access_times_off_reading_leaves_them(void **state)
{
    (void)state;
    struct fixture *f = with_policy(MEMFS_ATIME_OFF);
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    int64_t access = fstat_of(file).access_ns;
    f->now_ns += 2 * DAY_NS;
    read_byte(file);
    assert_true(fstat_of(file).access_ns == access);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void with_strict_access_times_every_read_counts(void **state)
{
    (void)state;
    struct fixture *f = with_policy(MEMFS_ATIME_STRICT);
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    for (int i = 0; i < 3; i++) {
        int64_t now = later(f);
        read_byte(file);
        assert_true(fstat_of(file).access_ns > now);
    }
    memfs_file *quiet = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_NOATIME);
    int64_t access = fstat_of(file).access_ns;
    later(f);
    read_byte(quiet);
    assert_true(fstat_of(file).access_ns == access);
    assert_ok(memfs_close(quiet));
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

static void reading_is_no_status_change_and_no_new_generation(void **state)
{
    (void)state;
    struct fixture *f = with_policy(MEMFS_ATIME_STRICT);
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_stat_info before = fstat_of(file);
    later(f);
    read_byte(file);
    memfs_stat_info after = fstat_of(file);
    assert_true(after.change_ns == before.change_ns);
    assert_true(after.modify_ns == before.modify_ns);
    assert_true(after.generation == before.generation);
    assert_ok(memfs_close(file));
    fixture_destroy(f);
}

/* --------------------------------------------------------------- utimens */

static void times_can_be_set_to_any_nanosecond(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    int64_t now = later(f);
    assert_ok(memfs_utimens(f->fs, "/f", 123456789, -987654321));
    memfs_stat_info info = stat_of(f->fs, "/f");
    assert_true(info.access_ns == 123456789);
    assert_true(info.modify_ns == -987654321);
    assert_true(info.change_ns > now);
    assert_ok(memfs_utimens(f->fs, "/f", INT64_MIN, INT64_MAX - 2));
    info = stat_of(f->fs, "/f");
    assert_true(info.access_ns == INT64_MIN);
    assert_true(info.modify_ns == INT64_MAX - 2);
}

static void now_and_omit_mean_what_they_say(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_utimens(f->fs, "/f", 111, 222));
    int64_t now = later(f);
    assert_ok(memfs_utimens(f->fs, "/f", MEMFS_TIME_NOW, MEMFS_TIME_OMIT));
    memfs_stat_info info = stat_of(f->fs, "/f");
    assert_true(info.access_ns > now);
    assert_true(info.modify_ns == 222);
    now = later(f);
    assert_ok(memfs_utimens(f->fs, "/f", MEMFS_TIME_OMIT, MEMFS_TIME_NOW));
    assert_true(stat_of(f->fs, "/f").modify_ns > now);
    assert_true(stat_of(f->fs, "/f").access_ns == info.access_ns);
    assert_ok(memfs_utimens(f->fs, "/f", MEMFS_TIME_NOW, MEMFS_TIME_NOW));
    info = stat_of(f->fs, "/f");
    assert_true(info.access_ns == info.modify_ns);
}

static void omitting_both_changes_nothing(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    char *before = fixture_describe(f->fs);
    later(f);
    assert_ok(memfs_utimens(f->fs, "/f", MEMFS_TIME_OMIT, MEMFS_TIME_OMIT));
    check_described(f->fs, before, "omitting both", __FILE__, __LINE__);
}

static void times_are_set_through_handles_links_and_directories_too(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_ok(memfs_futimens(file, 1, 2));
    assert_int_equal(stat_of(f->fs, "/f").modify_ns, 2);
    assert_ok(memfs_utimens(f->fs, "/s", 3, 4));
    assert_int_equal(stat_of(f->fs, "/f").access_ns, 3);
    assert_ok(memfs_utimensat(f->fs, NULL, "/s", 5, 6, MEMFS_AT_NOFOLLOW));
    assert_int_equal(lstat_of(f->fs, "/s").modify_ns, 6);
    assert_int_equal(stat_of(f->fs, "/f").modify_ns, 4);
    assert_ok(memfs_utimens(f->fs, "/d", 7, 8));
    assert_int_equal(stat_of(f->fs, "/d").access_ns, 7);
    assert_returns(memfs_utimens(f->fs, "/none", 1, 2), MEMFS_ENOENT);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refused_list_leaves_the_access_time),
        FS_TEST(a_new_node_has_the_time_of_its_creation_for_all_four),
        FS_TEST(writing_sets_modification_and_status_change),
        FS_TEST(truncating_and_allocating_set_modification_and_status_change),
        FS_TEST(edits_of_a_directory_set_its_modification_and_status_change),
        FS_TEST(changing_attributes_sets_the_status_change_only),
        FS_TEST(a_refused_write_changes_no_time),
        FS_TEST(relatime_updates_the_access_time_once_after_a_change),
        FS_TEST(relatime_updates_an_access_time_that_is_a_day_old),
        cmocka_unit_test(with_access_times_off_reading_leaves_them),
        cmocka_unit_test(with_strict_access_times_every_read_counts),
        cmocka_unit_test(reading_is_no_status_change_and_no_new_generation),
        FS_TEST(times_can_be_set_to_any_nanosecond),
        FS_TEST(now_and_omit_mean_what_they_say),
        FS_TEST(omitting_both_changes_nothing),
        FS_TEST(times_are_set_through_handles_links_and_directories_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
