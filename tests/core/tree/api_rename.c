/* Moving names: replacing, refusing, exchanging, and what follows a directory that moves. */
#include "checks.h"

#include <stdio.h>

#define MISSING MEMFS_RENAME_MAKE_PARENTS

static void onto_the_same_path_nothing_happens(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    char *before = fixture_describe(f->fs);
    assert_ok(memfs_rename(f->fs, "/f", "/f", 0));
    assert_ok(memfs_rename(f->fs, "/d", "/d", 0));
    assert_ok(memfs_rename(f->fs, "/d", "//d/", 0));
    assert_ok(memfs_rename(f->fs, "/f", "/d/../f", 0));
    check_described(f->fs, before, "renaming onto itself", __FILE__, __LINE__);
}

static void between_two_links_of_one_node_nothing_happens(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_link(f->fs, "/a", "/d/b"));
    char *before = fixture_describe(f->fs);
    assert_ok(memfs_rename(f->fs, "/a", "/d/b", 0));
    assert_ok(memfs_rename(f->fs, "/d/b", "/a", 0));
    check_described(f->fs, before, "renaming a link onto another", __FILE__, __LINE__);
}

static void a_name_moves_within_and_between_directories(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    uint64_t number = stat_of(f->fs, "/f").number;
    assert_ok(memfs_rename(f->fs, "/f", "/g", 0));
    assert_false(is_there(f->fs, "/f"));
    assert_ok(memfs_rename(f->fs, "/g", "/d/h", 0));
    assert_false(is_there(f->fs, "/g"));
    assert_int_equal(stat_of(f->fs, "/d/h").number, number);
    assert_text(f->fs, "/d/h", "x");
}

static void a_file_over_a_file_replaces_it_and_open_handles_still_read_the_victim(void **state)
{
    struct fixture *f = *state;
    char text[8];
    put(f->fs, "/new", "new");
    put(f->fs, "/old", "old");
    assert_ok(memfs_link(f->fs, "/old", "/other"));
    memfs_file *victim = open_file(f->fs, "/old", MEMFS_O_RDWR);
    memfs_file *mover = open_file(f->fs, "/new", MEMFS_O_RDWR);
    assert_ok(memfs_rename(f->fs, "/new", "/old", 0));
    assert_text(f->fs, "/old", "new");
    assert_false(is_there(f->fs, "/new"));
    assert_int_equal(fstat_of(victim).links, 1);
    assert_returns(memfs_read(victim, text, 8), 3);
    assert_memory_equal(text, "old", 3);
    assert_text(f->fs, "/other", "old");
    assert_returns(memfs_read(mover, text, 8), 3);
    assert_memory_equal(text, "new", 3);
    assert_ok(memfs_close(victim));
    assert_ok(memfs_close(mover));
}

static void a_replaced_file_without_other_names_goes_with_its_last_handle(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/new", "new");
    put_pattern(f->fs, "/old", 100000, 1);
    memfs_file *victim = open_file(f->fs, "/old", MEMFS_O_READ);
    assert_ok(memfs_rename(f->fs, "/new", "/old", 0));
    assert_int_equal(fstat_of(victim).links, 0);
    assert_int_equal(statfs_of(f->fs).orphans, 1);
    check_pattern(victim, 100000, 0, 1);
    uint64_t used = used_bytes(f->fs);
    assert_ok(memfs_close(victim));
    assert_int_equal(statfs_of(f->fs).orphans, 0);
    assert_true(used_bytes(f->fs) <= used - 100000);
}

static void a_directory_replaces_an_empty_directory(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    put(f->fs, "/a/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    assert_ok(memfs_rename(f->fs, "/a", "/b", 0));
    assert_text(f->fs, "/b/f", "x");
    assert_false(is_there(f->fs, "/a"));
    assert_int_equal(stat_of(f->fs, "/").links, 3);
    assert_int_equal(statfs_of(f->fs).directories, 2);
}

static void a_directory_over_a_full_one_is_not_empty(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    put(f->fs, "/b/f", "x");
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/b", 0), MEMFS_ENOTEMPTY);
    assert_ok(memfs_mkdir(f->fs, "/b/a", 0755));
    assert_refused(f->fs, memfs_rename(f->fs, "/b/a", "/b", 0), MEMFS_ENOTEMPTY);
}

static void a_file_over_a_directory_is_refused_as_a_directory(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/d", 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_rename(f->fs, "/s", "/d", 0), MEMFS_EISDIR);
}

static void a_directory_over_a_file_is_refused_as_no_directory(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_rename(f->fs, "/d", "/f", 0), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_rename(f->fs, "/d", "/s", 0), MEMFS_ENOTDIR);
}

static void a_directory_into_its_own_subtree_is_invalid_at_any_depth(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b/c/d/e", 0755));
    assert_ok(memfs_symlink(f->fs, "/a/b", "/link", 0));
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a/x", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a/b/c/d/e/x", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a/b", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/a/b", "/link/x", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a/n/m", MISSING), MEMFS_EINVAL);
    assert_ok(memfs_rename(f->fs, "/a/b/c", "/a/c", 0));
}

static void dot_and_dot_dot_as_last_component_are_invalid(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/d/e", 0755));
    assert_refused(f->fs, memfs_rename(f->fs, "/d/.", "/x", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/d/e/..", "/x", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/d", "/d/e/.", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/d/e", "/d/..", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/d/./", "/x", 0), MEMFS_EINVAL);
}

static void the_root_is_busy(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_rename(f->fs, "/", "/x", 0), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_rename(f->fs, "/d", "/", 0), MEMFS_EBUSY);
}

static void dot_dot_and_link_counts_follow_a_directory_that_moves(void **state)
{
    struct fixture *f = *state;
    char path[64];
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    assert_ok(memfs_mkdir(f->fs, "/a/d", 0755));
    put(f->fs, "/b/beside", "x");
    assert_ok(memfs_rename(f->fs, "/a/d", "/b/d", 0));
    assert_int_equal(stat_of(f->fs, "/a").links, 2);
    assert_int_equal(stat_of(f->fs, "/b").links, 3);
    assert_int_equal(stat_of(f->fs, "/b/d/..").number, stat_of(f->fs, "/b").number);
    assert_text(f->fs, "/b/d/../beside", "x");
    assert_returns(memfs_realpath(f->fs, "/b/d/..", path, sizeof path), 2);
    assert_string_equal(path, "/b");
}

static void the_moved_node_and_both_parents_get_their_times(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/b", 0755));
    put(f->fs, "/a/f", "x");
    memfs_stat_info before = stat_of(f->fs, "/a/f");
    f->now_ns += 1000000;
    int64_t now = f->now_ns;
    assert_ok(memfs_rename(f->fs, "/a/f", "/b/f", 0));
    memfs_stat_info after = stat_of(f->fs, "/b/f");
    assert_true(after.change_ns > now);
    assert_true(after.modify_ns == before.modify_ns);
    assert_true(after.access_ns == before.access_ns);
    assert_true(after.birth_ns == before.birth_ns);
    assert_true(stat_of(f->fs, "/a").modify_ns > now && stat_of(f->fs, "/a").change_ns > now);
    assert_true(stat_of(f->fs, "/b").modify_ns > now && stat_of(f->fs, "/b").change_ns > now);
}

static void a_replaced_link_gets_its_status_change_time(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/new", "new");
    put(f->fs, "/old", "old");
    assert_ok(memfs_link(f->fs, "/old", "/other"));
    f->now_ns += 1000000;
    int64_t now = f->now_ns;
    assert_ok(memfs_rename(f->fs, "/new", "/old", 0));
    assert_true(stat_of(f->fs, "/other").change_ns > now);
    assert_int_equal(stat_of(f->fs, "/other").links, 1);
}

static void no_replace_refuses_what_exists(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    assert_ok(memfs_symlink(f->fs, "nowhere", "/s", 0));
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/b", MEMFS_RENAME_NOREPLACE), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/s", MEMFS_RENAME_NOREPLACE), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a", MEMFS_RENAME_NOREPLACE), MEMFS_EEXIST);
    assert_ok(memfs_rename(f->fs, "/a", "/c", MEMFS_RENAME_NOREPLACE));
    assert_text(f->fs, "/c", "a");
}

static void exchange_swaps_two_names_of_any_kind(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "file");
    assert_ok(memfs_mkdir_parents(f->fs, "/a/d", 0755));
    put(f->fs, "/a/d/g", "deep");
    assert_ok(memfs_rename(f->fs, "/f", "/a/d", MEMFS_RENAME_EXCHANGE));
    assert_text(f->fs, "/a/d", "file");
    assert_text(f->fs, "/f/g", "deep");
    assert_int_equal(stat_of(f->fs, "/").links, 4);
    assert_int_equal(stat_of(f->fs, "/a").links, 2);
    assert_int_equal(stat_of(f->fs, "/f/..").number, stat_of(f->fs, "/").number);
    assert_ok(memfs_rename(f->fs, "/f/g", "/a/d", MEMFS_RENAME_EXCHANGE));
    assert_text(f->fs, "/a/d", "deep");
    assert_text(f->fs, "/f/g", "file");
}

static void exchange_needs_both_and_no_loop(void **state)
{
    struct fixture *f = *state;
    unsigned swap = MEMFS_RENAME_EXCHANGE;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/none", swap), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_rename(f->fs, "/none", "/a", swap), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a/b", swap), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/a/b", "/a", swap), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a/b", swap | MEMFS_RENAME_NOREPLACE),
                   MEMFS_EINVAL);
}

static void make_parents_makes_the_missing_parents_of_the_target(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/a/b/g", 0), MEMFS_ENOENT);
    assert_ok(memfs_rename(f->fs, "/f", "/a/b/g", MISSING));
    assert_text(f->fs, "/a/b/g", "x");
    assert_int_equal(stat_of(f->fs, "/a").mode, 0755);
    assert_refused(f->fs, memfs_rename(f->fs, "/none", "/x/y", MISSING), MEMFS_ENOENT);
}

static void make_parents_that_is_refused_makes_none(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_set_node_limit(f->fs, 3));
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/a/b/g", MISSING), MEMFS_ENOSPC);
}

static void unknown_flags_are_invalid(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/g", 0x10), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/g", 0x80000000u), MEMFS_EINVAL);
}

static void a_trailing_slash_on_a_file_is_no_directory(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    put(f->fs, "/g", "y");
    assert_refused(f->fs, memfs_rename(f->fs, "/f/", "/h", 0), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/h/", 0), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_rename(f->fs, "/f", "/g/", 0), MEMFS_ENOTDIR);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_rename(f->fs, "/d/", "/e/", 0));
    assert_int_equal(stat_of(f->fs, "/e").kind, MEMFS_KIND_DIRECTORY);
}

static void a_symlink_moves_as_itself(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    put(f->fs, "/g", "y");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_rename(f->fs, "/s", "/t", 0));
    assert_int_equal(lstat_of(f->fs, "/t").kind, MEMFS_KIND_SYMLINK);
    assert_ok(memfs_rename(f->fs, "/g", "/t", 0));
    assert_int_equal(lstat_of(f->fs, "/t").kind, MEMFS_KIND_FILE);
    assert_text(f->fs, "/f", "x");
}

static void a_locked_file_is_neither_moved_nor_replaced(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    memfs_file *file = open_file(f->fs, "/a", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/c", 0), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_rename(f->fs, "/b", "/a", 0), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_rename(f->fs, "/b", "/a", MEMFS_RENAME_EXCHANGE), MEMFS_EBUSY);
    assert_ok(memfs_close(file));
    assert_ok(memfs_rename(f->fs, "/a", "/c", 0));
}

static void a_directory_with_a_locked_file_in_it_moves(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/f", "x");
    memfs_file *file = open_file(f->fs, "/d/f", MEMFS_O_READ | MEMFS_O_EXCLUSIVE_LOCK);
    assert_ok(memfs_rename(f->fs, "/d", "/e", 0));
    assert_int_equal(stat_of(f->fs, "/e/f").number, fstat_of(file).number);
    assert_ok(memfs_close(file));
}

static void a_new_name_that_does_not_fit_is_refused(void **state)
{
    struct fixture *f = *state;
    uint64_t take = 0;
    int result;
    char longer[200];
    put(f->fs, "/f", "x");
    memset(longer, 'n', sizeof longer);
    longer[0] = '/';
    longer[sizeof longer - 1] = '\0';
    do {
        char *before = fixture_describe(f->fs);
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_rename(f->fs, "/f", longer, 0);
        tracking_refuse(&f->allocator, 0, 0);
        if (result == 0) {
            free(before);
            break;
        }
        assert_returns(result, MEMFS_ENOMEM);
        check_described(f->fs, before, "a refused rename", __FILE__, __LINE__);
    } while (result != 0);
    assert_text(f->fs, longer, "x");
}

/* A program that finds the quota used up can still give things other names. */
static void a_name_in_the_same_directory_that_is_no_longer_needs_no_memory(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "x");
    assert_ok(memfs_mkdir_parents(f->fs, "/dir/below", 0755));
    put(f->fs, "/dir/below/inner", "y");
    for (int i = 0; i < 20; i++) {
        char path[32];
        snprintf(path, sizeof path, "/dir/other%d", i);
        put(f->fs, path, "");
    }
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_rename(f->fs, "/file", "/elif", 0));
    assert_ok(memfs_rename(f->fs, "/elif", "/e", 0));
    assert_ok(memfs_rename(f->fs, "/e", "/file", 0)); /* the room of the first name is kept */
    assert_ok(memfs_rename(f->fs, "/dir/below", "/dir/under", 0));
    assert_ok(memfs_rename(f->fs, "/dir", "/rid", 0));
    assert_int_equal(f->allocator.takes, 0);
    if (!f->is_pooled)
        assert_returns(memfs_rename(f->fs, "/file", "/files", 0), MEMFS_ENOMEM);
    tracking_refuse(&f->allocator, 0, 0);
    assert_text(f->fs, "/rid/under/inner", "y");
    assert_text(f->fs, "/file", "x");
    char path[64];
    assert_true(memfs_realpath(f->fs, "/rid/under/../under", path, sizeof path) > 0);
    assert_string_equal(path, "/rid/under");
}

static void streams_and_handles_stay_valid_when_their_directory_moves(void **state)
{
    struct fixture *f = *state;
    char names[64];
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/a", "a");
    put(f->fs, "/d/b", "b");
    memfs_dir *dir = open_dir(f->fs, "/d");
    memfs_file *file = open_file(f->fs, "/d/a", MEMFS_O_RDWR);
    assert_ok(memfs_rename(f->fs, "/d", "/e", 0));
    assert_string_equal(names_left(dir, names, sizeof names), "a b ");
    assert_returns(memfs_pwrite(file, "A", 1, 0), 1);
    assert_text(f->fs, "/e/a", "A");
    assert_ok(memfs_closedir(dir));
    assert_ok(memfs_close(file));
}

static void replace_tree_replaces_a_full_directory_and_anything_else(void **state)
{
    struct fixture *f = *state;
    unsigned replace = MEMFS_RENAME_REPLACE_TREE;
    uint64_t used = used_bytes(f->fs);
    assert_ok(memfs_mkdir_parents(f->fs, "/old/sub/deep", 0755));
    put(f->fs, "/old/sub/deep/a", "a");
    assert_ok(memfs_mkdir(f->fs, "/new", 0755));
    put(f->fs, "/new/b", "b");
    uint64_t number = stat_of(f->fs, "/new").number;
    memfs_dir *victim = open_dir(f->fs, "/old");
    assert_ok(memfs_rename(f->fs, "/new", "/old", replace));
    assert_int_equal(stat_of(f->fs, "/old").number, number);
    assert_names(f->fs, "/", "old ");
    assert_names(f->fs, "/old", "b ");
    char names[16];
    assert_string_equal(names_left(victim, names, sizeof names), "");
    assert_ok(memfs_closedir(victim));
    put(f->fs, "/file", "file");
    assert_ok(memfs_rename(f->fs, "/file", "/old", replace));
    assert_text(f->fs, "/old", "file");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_rename(f->fs, "/d", "/old", replace));
    assert_true(memfs_is_dir(f->fs, "/old"));
    assert_int_equal(stat_of(f->fs, "/").links, 3);
    assert_ok(memfs_rename(f->fs, "/old", "/x/y", replace | MISSING)); /* nothing is there */
    assert_ok(memfs_remove_tree(f->fs, "/x"));
    assert_int_equal(used_bytes(f->fs), used);
}

static void replace_tree_refuses_loops_locks_the_root_and_contrary_flags(void **state)
{
    struct fixture *f = *state;
    unsigned replace = MEMFS_RENAME_REPLACE_TREE;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
    assert_ok(memfs_mkdir(f->fs, "/c", 0755));
    put(f->fs, "/a/b/f", "f");
    assert_refused(f->fs, memfs_rename(f->fs, "/a", "/a/b", replace), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/a/b", "/a", replace), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_rename(f->fs, "/c", "/", replace), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_rename(f->fs, "/none", "/a", replace), MEMFS_ENOENT);
    memfs_file *locked = open_file(f->fs, "/a/b/f", MEMFS_O_RDWR | MEMFS_O_EXCLUSIVE_LOCK);
    assert_refused(f->fs, memfs_rename(f->fs, "/c", "/a", replace), MEMFS_EBUSY);
    assert_ok(memfs_close(locked));
    const unsigned others[] = {MEMFS_RENAME_NOREPLACE, MEMFS_RENAME_EXCHANGE};
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_refused(f->fs, memfs_rename(f->fs, "/c", "/a", replace | others[i]), MEMFS_EINVAL);
    assert_ok(memfs_rename(f->fs, "/c", "/a", replace));
    assert_names(f->fs, "/", "a ");
    assert_names(f->fs, "/a", "");
}

static void replace_tree_needs_no_memory(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
    assert_ok(memfs_mkdir(f->fs, "/c", 0755));
    put(f->fs, "/c/f", "f");
    fixture_leave(f, 0);
    assert_ok(memfs_rename(f->fs, "/c", "/a", MEMFS_RENAME_REPLACE_TREE));
    fixture_set_quota(f, 16 << 20);
    assert_names(f->fs, "/a", "f ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(onto_the_same_path_nothing_happens),
        FS_TEST(between_two_links_of_one_node_nothing_happens),
        FS_TEST(a_name_moves_within_and_between_directories),
        FS_TEST(a_file_over_a_file_replaces_it_and_open_handles_still_read_the_victim),
        FS_TEST(a_replaced_file_without_other_names_goes_with_its_last_handle),
        FS_TEST(a_directory_replaces_an_empty_directory),
        FS_TEST(a_directory_over_a_full_one_is_not_empty),
        FS_TEST(a_file_over_a_directory_is_refused_as_a_directory),
        FS_TEST(a_directory_over_a_file_is_refused_as_no_directory),
        FS_TEST(a_directory_into_its_own_subtree_is_invalid_at_any_depth),
        FS_TEST(dot_and_dot_dot_as_last_component_are_invalid),
        FS_TEST(the_root_is_busy),
        FS_TEST(dot_dot_and_link_counts_follow_a_directory_that_moves),
        FS_TEST(the_moved_node_and_both_parents_get_their_times),
        FS_TEST(a_replaced_link_gets_its_status_change_time),
        FS_TEST(no_replace_refuses_what_exists),
        FS_TEST(exchange_swaps_two_names_of_any_kind),
        FS_TEST(exchange_needs_both_and_no_loop),
        FS_TEST(replace_tree_replaces_a_full_directory_and_anything_else),
        FS_TEST(replace_tree_refuses_loops_locks_the_root_and_contrary_flags),
        FS_TEST(replace_tree_needs_no_memory),
        FS_TEST(make_parents_makes_the_missing_parents_of_the_target),
        FS_TEST(make_parents_that_is_refused_makes_none),
        FS_TEST(unknown_flags_are_invalid),
        FS_TEST(a_trailing_slash_on_a_file_is_no_directory),
        FS_TEST(a_symlink_moves_as_itself),
        FS_TEST(a_locked_file_is_neither_moved_nor_replaced),
        FS_TEST(a_directory_with_a_locked_file_in_it_moves),
        FS_TEST(a_new_name_that_does_not_fit_is_refused),
        FS_TEST(a_name_in_the_same_directory_that_is_no_longer_needs_no_memory),
        FS_TEST(streams_and_handles_stay_valid_when_their_directory_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
