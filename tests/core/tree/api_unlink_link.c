/* Removing names, adding names, making directories, and the links that count. */
#include "checks.h"

static void an_unlinked_open_file_lives_on_and_stays_charged_until_the_last_close(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/before", "");
    uint64_t base = used_bytes(f->fs);
    put_pattern(f->fs, "/f", 100000, 1);
    memfs_file *one = open_file(f->fs, "/f", MEMFS_O_RDWR);
    memfs_file *two = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_false(is_there(f->fs, "/f"));
    assert_int_equal(fstat_of(one).links, 0);
    assert_true(used_bytes(f->fs) >= base + 100000);
    memfs_statfs_info info = statfs_of(f->fs);
    assert_int_equal(info.orphans, 1);
    assert_int_equal(info.orphan_bytes, fstat_of(one).allocated_bytes);
    assert_int_equal(info.files, 2);
    assert_ok(memfs_close(one));
    check_pattern(two, 100000, 0, 1);
    assert_int_equal(statfs_of(f->fs).orphans, 1);
    assert_ok(memfs_close(two));
    info = statfs_of(f->fs);
    assert_int_equal(info.orphans, 0);
    assert_int_equal(info.orphan_bytes, 0);
    assert_int_equal(info.files, 1);
    assert_int_equal(used_bytes(f->fs), base);
}

static void an_orphan_can_still_be_written_and_its_name_used_again(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_unlink(f->fs, "/f"));
    put(f->fs, "/f", "another");
    write_pattern(file, 50000, 0, 3);
    check_pattern(file, 50000, 0, 3);
    assert_int_equal(statfs_of(f->fs).orphan_bytes, fstat_of(file).allocated_bytes);
    assert_int_not_equal(fstat_of(file).number, stat_of(f->fs, "/f").number);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/f", "another");
}

static void unlinking_one_of_two_names_leaves_the_other(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "x");
    assert_ok(memfs_link(f->fs, "/a", "/b"));
    assert_ok(memfs_unlink(f->fs, "/a"));
    assert_text(f->fs, "/b", "x");
    assert_int_equal(stat_of(f->fs, "/b").links, 1);
    assert_returns(memfs_unlink(f->fs, "/a"), MEMFS_ENOENT);
}

static void unlinking_a_directory_is_refused_as_a_directory(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_unlink(f->fs, "/d"), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_unlink(f->fs, "/"), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_unlink(f->fs, "/d/."), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_unlink(f->fs, "/d/.."), MEMFS_EISDIR);
}

static void unlinking_a_symlink_leaves_what_it_leads_to(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_unlink(f->fs, "/s"));
    assert_text(f->fs, "/f", "x");
    assert_int_equal(statfs_of(f->fs).symlinks, 0);
}

static void unlinking_a_file_with_a_trailing_slash_is_no_directory(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_refused(f->fs, memfs_unlink(f->fs, "/f/"), MEMFS_ENOTDIR);
}

static void a_locked_file_is_not_removed(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    assert_refused(f->fs, memfs_unlink(f->fs, "/f"), MEMFS_EBUSY);
    assert_ok(memfs_unlock(file));
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_ok(memfs_close(file));
}

static void removing_never_allocates(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/d/e", 0755));
    put_pattern(f->fs, "/d/f", 100000, 1);
    memfs_file *file = open_file(f->fs, "/d/f", MEMFS_O_READ);
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_unlink(f->fs, "/d/f"));
    assert_ok(memfs_rmdir(f->fs, "/d/e"));
    assert_ok(memfs_rmdir(f->fs, "/d"));
    assert_ok(memfs_close(file));
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
}

/* ------------------------------------------------------------------- rmdir */

static void removing_a_file_as_a_directory_is_no_directory(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "d", "/s", 0));
    assert_refused(f->fs, memfs_rmdir(f->fs, "/f"), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_rmdir(f->fs, "/s"), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_rmdir(f->fs, "/f/"), MEMFS_ENOTDIR);
    assert_returns(memfs_rmdir(f->fs, "/none"), MEMFS_ENOENT);
}

static void removing_dot_is_invalid_and_dot_dot_is_not_empty(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/d/e", 0755));
    assert_refused(f->fs, memfs_rmdir(f->fs, "/d/e/."), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rmdir(f->fs, "/d/e/.."), MEMFS_ENOTEMPTY);
}

static void removing_a_full_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/f", "x");
    assert_refused(f->fs, memfs_rmdir(f->fs, "/d"), MEMFS_ENOTEMPTY);
    assert_ok(memfs_unlink(f->fs, "/d/f"));
    assert_ok(memfs_rmdir(f->fs, "/d"));
}

static void removing_the_root_is_busy(void **state)
{
    struct fixture *f = *state;
    assert_refused(f->fs, memfs_rmdir(f->fs, "/"), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_rmdir(f->fs, "//"), MEMFS_EBUSY);
}

static void a_removed_directory_that_is_open_lists_nothing_and_takes_nothing(void **state)
{
    struct fixture *f = *state;
    memfs_dirent entry = {.struct_size = sizeof entry};
    memfs_file *file = NULL;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs_dir *dir = open_dir(f->fs, "/d");
    assert_ok(memfs_rmdir(f->fs, "/d/"));
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_returns(memfs_mkdirat(f->fs, dir, "x", 0755), MEMFS_ENOENT);
    assert_returns(memfs_openat(f->fs, dir, "x", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file),
                   MEMFS_ENOENT);
    assert_int_equal(statfs_of(f->fs).directories, 2);
    assert_ok(memfs_closedir(dir));
    assert_int_equal(statfs_of(f->fs).directories, 1);
}

static void link_counts_of_directories_count_subdirectories(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_int_equal(stat_of(f->fs, "/d").links, 2);
    assert_int_equal(stat_of(f->fs, "/").links, 3);
    assert_ok(memfs_mkdir(f->fs, "/d/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/d/b", 0755));
    put(f->fs, "/d/f", "x");
    assert_int_equal(stat_of(f->fs, "/d").links, 4);
    assert_ok(memfs_rmdir(f->fs, "/d/a"));
    assert_int_equal(stat_of(f->fs, "/d").links, 3);
}

/* ------------------------------------------------------------------- mkdir */

static void a_directory_over_an_existing_name_is_refused(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0700));
    assert_ok(memfs_symlink(f->fs, "nowhere", "/s", 0));
    assert_int_equal(stat_of(f->fs, "/d").mode, 0700);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/d", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/f", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/s", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/d/.", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/none/x", 0755), MEMFS_ENOENT);
    assert_ok(memfs_mkdir(f->fs, "/new/", 0755));
}

static void mkdir_parents_makes_all_that_is_missing_with_one_mode(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b/c", 0700));
    assert_int_equal(stat_of(f->fs, "/a").mode, 0700);
    assert_int_equal(stat_of(f->fs, "/a/b").mode, 0700);
    assert_int_equal(stat_of(f->fs, "/a/b/c").mode, 0700);
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b/c", 0755));
    assert_ok(memfs_mkdir_parents(f->fs, "/", 0755));
    assert_int_equal(stat_of(f->fs, "/a/b/c").mode, 0700);
    assert_ok(memfs_mkdir_parents(f->fs, "a/b//d/", 0755));
    assert_names(f->fs, "/a/b", "c d ");
}

static void mkdir_parents_is_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_refused(f->fs, memfs_mkdir_parents(f->fs, "/f", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir_parents(f->fs, "/f/a", 0755), MEMFS_ENOTDIR);
    assert_ok(memfs_set_node_limit(f->fs, 4));
    assert_refused(f->fs, memfs_mkdir_parents(f->fs, "/a/b/c", 0755), MEMFS_ENOSPC);
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
}

/* -------------------------------------------------------------------- link */

static void linking_a_directory_is_not_permitted(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_link(f->fs, "/d", "/e"), MEMFS_EPERM);
    assert_refused(f->fs, memfs_link(f->fs, "/", "/e"), MEMFS_EPERM);
}

static void linking_onto_an_existing_name_is_refused(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    assert_refused(f->fs, memfs_link(f->fs, "/a", "/b"), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_link(f->fs, "/a", "/a"), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_link(f->fs, "/a", "/"), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_link(f->fs, "/none", "/c"), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_link(f->fs, "/a", "/none/c"), MEMFS_ENOENT);
}

static void two_links_are_one_file(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "one");
    assert_ok(memfs_link(f->fs, "/a", "/b"));
    assert_int_equal(stat_of(f->fs, "/a").number, stat_of(f->fs, "/b").number);
    assert_int_equal(stat_of(f->fs, "/a").links, 2);
    memfs_file *file = open_file(f->fs, "/b", MEMFS_O_WRITE);
    assert_returns(memfs_write(file, "two", 3), 3);
    assert_ok(memfs_close(file));
    assert_text(f->fs, "/a", "two");
}

static void a_symlink_is_linked_as_itself(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_symlink(f->fs, "nowhere", "/s", 0));
    assert_ok(memfs_link(f->fs, "/s", "/t"));
    assert_int_equal(lstat_of(f->fs, "/t").kind, MEMFS_KIND_SYMLINK);
    assert_int_equal(lstat_of(f->fs, "/t").links, 2);
}

static void linking_and_unlinking_touch_the_status_change_time_and_no_other(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "x");
    memfs_stat_info before = stat_of(f->fs, "/a");
    f->now_ns += 1000000;
    int64_t now = f->now_ns;
    assert_ok(memfs_link(f->fs, "/a", "/b"));
    memfs_stat_info between = stat_of(f->fs, "/a");
    assert_true(between.change_ns > now);
    f->now_ns += 1000000;
    now = f->now_ns;
    assert_ok(memfs_unlink(f->fs, "/b"));
    memfs_stat_info after = stat_of(f->fs, "/a");
    assert_true(after.change_ns > now);
    assert_true(after.modify_ns == before.modify_ns && between.modify_ns == before.modify_ns);
    assert_true(after.access_ns == before.access_ns);
    assert_true(stat_of(f->fs, "/").modify_ns > now);
}

static void a_file_has_at_most_so_many_names(void **state)
{
    struct fixture *f = *state;
    char path[16] = "/00000";
    put(f->fs, "/f", "x");
    unsigned made = 1;
    int result = 0;
    while (result == 0 && made <= MEMFS_LINK_MAX) {
        for (unsigned i = 0, n = made; i < 5; i++, n /= 10)
            path[5 - i] = (char)('0' + n % 10);
        result = memfs_link(f->fs, "/f", path);
        made += result == 0;
    }
    assert_returns(result, MEMFS_EMLINK);
    assert_int_equal(made, MEMFS_LINK_MAX);
    assert_int_equal(stat_of(f->fs, "/f").links, MEMFS_LINK_MAX);
    assert_ok(memfs_unlink(f->fs, "/00001"));
    assert_ok(memfs_link(f->fs, "/f", "/last"));
}

static void an_open_file_gets_a_further_name(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    memfs_file *dir = open_file(f->fs, "/d", MEMFS_O_READ);
    assert_ok(memfs_link_file(file, NULL, "/d/g"));
    assert_int_equal(fstat_of(file).links, 2);
    assert_returns(memfs_link_file(file, NULL, "/d/g"), MEMFS_EEXIST);
    assert_returns(memfs_link_file(dir, NULL, "/x"), MEMFS_EPERM);
    assert_ok(memfs_close(file));
    assert_ok(memfs_close(dir));
    assert_text(f->fs, "/d/g", "x");
}

static void an_unlinked_file_cannot_be_named_again(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_returns(memfs_link_file(file, NULL, "/g"), MEMFS_ENOENT); /* as linkat(2) says */
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(an_unlinked_open_file_lives_on_and_stays_charged_until_the_last_close),
        FS_TEST(an_orphan_can_still_be_written_and_its_name_used_again),
        FS_TEST(unlinking_one_of_two_names_leaves_the_other),
        FS_TEST(unlinking_a_directory_is_refused_as_a_directory),
        FS_TEST(unlinking_a_symlink_leaves_what_it_leads_to),
        FS_TEST(unlinking_a_file_with_a_trailing_slash_is_no_directory),
        FS_TEST(a_locked_file_is_not_removed),
        FS_TEST(removing_never_allocates),
        FS_TEST(removing_a_file_as_a_directory_is_no_directory),
        FS_TEST(removing_dot_is_invalid_and_dot_dot_is_not_empty),
        FS_TEST(removing_a_full_directory_is_refused),
        FS_TEST(removing_the_root_is_busy),
        FS_TEST(a_removed_directory_that_is_open_lists_nothing_and_takes_nothing),
        FS_TEST(link_counts_of_directories_count_subdirectories),
        FS_TEST(a_directory_over_an_existing_name_is_refused),
        FS_TEST(mkdir_parents_makes_all_that_is_missing_with_one_mode),
        FS_TEST(mkdir_parents_is_all_or_nothing),
        FS_TEST(linking_a_directory_is_not_permitted),
        FS_TEST(linking_onto_an_existing_name_is_refused),
        FS_TEST(two_links_are_one_file),
        FS_TEST(a_symlink_is_linked_as_itself),
        FS_TEST(linking_and_unlinking_touch_the_status_change_time_and_no_other),
        FS_TEST(a_file_has_at_most_so_many_names),
        FS_TEST(an_open_file_gets_a_further_name),
        FS_TEST(an_unlinked_file_cannot_be_named_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
