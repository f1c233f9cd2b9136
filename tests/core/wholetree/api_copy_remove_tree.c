/* Copying, adding up and removing whole trees. */
#include "checks.h"

/* /src with two levels, a symlink, and one file under two names. */
static void make_tree(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/src/sub/deep", 0750));
    put(fs, "/src/a", "the first");
    put_pattern(fs, "/src/sub/big", 50000, 1);
    put(fs, "/src/sub/deep/leaf", "leaf");
    assert_ok(memfs_link(fs, "/src/a", "/src/sub/same"));
    assert_ok(memfs_symlink(fs, "../a", "/src/sub/link", 0));
}

static void a_copied_tree_has_all_that_is_in_it(void **state)
{
    struct fixture *f = *state;
    char target[8];
    make_tree(f->fs);
    assert_ok(memfs_copy_tree(f->fs, "/src", "/dst", 0));
    assert_names(f->fs, "/dst", "sub a ");
    assert_names(f->fs, "/dst/sub", "deep big same link ");
    assert_text(f->fs, "/dst/a", "the first");
    assert_text(f->fs, "/dst/sub/deep/leaf", "leaf");
    assert_text(f->fs, "/dst/sub/link", "the first");
    assert_returns(memfs_readlink(f->fs, "/dst/sub/link", target, sizeof target), 4);
    assert_int_equal(stat_of(f->fs, "/dst").links, 3);
    assert_int_equal(stat_of(f->fs, "/dst/sub").links, 3);
    assert_int_equal(stat_of(f->fs, "/").links, 4);
    assert_int_equal(stat_of(f->fs, "/dst/sub/..").number, stat_of(f->fs, "/dst").number);
}

static void a_copied_tree_is_independent_of_its_original(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_ok(memfs_copy_tree(f->fs, "/src", "/dst", 0));
    put(f->fs, "/dst/a", "changed");
    put(f->fs, "/dst/sub/new", "new");
    assert_text(f->fs, "/src/a", "the first");
    assert_false(is_there(f->fs, "/src/sub/new"));
    assert_ok(memfs_remove_tree(f->fs, "/src"));
    memfs_file *file = open_file(f->fs, "/dst/sub/big", MEMFS_O_READ);
    check_pattern(file, 50000, 0, 1);
    assert_ok(memfs_close(file));
}

static void hard_links_inside_a_copied_tree_stay_links(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_ok(memfs_link(f->fs, "/src/a", "/outside"));
    assert_ok(memfs_copy_tree(f->fs, "/src", "/dst", 0));
    assert_int_equal(stat_of(f->fs, "/dst/a").number, stat_of(f->fs, "/dst/sub/same").number);
    assert_int_equal(stat_of(f->fs, "/dst/a").links, 2);
    assert_int_equal(stat_of(f->fs, "/src/a").links, 3);
    assert_int_not_equal(stat_of(f->fs, "/dst/a").number, stat_of(f->fs, "/src/a").number);
}

static void many_hard_links_across_directories_stay_links(void **state)
{
    struct fixture *f = *state;
    char path[32], link[32];
    assert_ok(memfs_mkdir_parents(f->fs, "/src/x", 0755));
    assert_ok(memfs_mkdir(f->fs, "/src/y", 0755));
    for (int i = 0; i < 200; i++) {
        memcpy(path, "/src/x/000", 11);
        memcpy(link, "/src/y/000", 11);
        for (int j = 0, n = i; j < 3; j++, n /= 10)
            path[9 - j] = link[9 - j] = (char)('0' + n % 10);
        put(f->fs, path, path);
        assert_ok(memfs_link(f->fs, path, link));
    }
    assert_ok(memfs_copy_tree(f->fs, "/src", "/dst", 0));
    memfs_tree_info source = {.struct_size = sizeof source}, copy = source;
    assert_ok(memfs_tree_usage(f->fs, "/src", &source));
    assert_ok(memfs_tree_usage(f->fs, "/dst", &copy));
    assert_int_equal(source.files, 200);
    assert_int_equal(copy.files, 200);
    assert_int_equal(copy.size_bytes, source.size_bytes);
}

static void a_tree_can_be_a_file_or_a_symlink(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_copy_tree(f->fs, "/f", "/g", 0));
    assert_ok(memfs_copy_tree(f->fs, "/s", "/t", 0));
    assert_text(f->fs, "/g", "x");
    assert_int_equal(lstat_of(f->fs, "/t").kind, MEMFS_KIND_SYMLINK);
}

static void copying_a_tree_into_itself_is_invalid(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/src", "/src/copy", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/src", "/src/sub/deep/copy", 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/", "/copy", 0), MEMFS_EINVAL);
}

static void copying_a_tree_over_anything_is_refused(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/empty", 0755));
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/src", "/f", 0), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/src", "/empty", 0), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/f", "/src/a", 0), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/none", "/x", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/src", "/none/x", 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_copy_tree(f->fs, "/src", "/x", 8), MEMFS_EINVAL);
}

static void attributes_of_a_tree_are_kept_if_asked_for(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_ok(memfs_chown(f->fs, "/src/sub", 7, 8));
    assert_ok(memfs_utimens(f->fs, "/src/sub", 111, 222));
    assert_ok(memfs_utimens(f->fs, "/src/a", 333, 444));
    assert_ok(memfs_copy_tree(f->fs, "/src", "/dst", MEMFS_COPY_ATTRIBUTES));
    assert_int_equal(stat_of(f->fs, "/dst/sub").mode, 0750);
    assert_int_equal(stat_of(f->fs, "/dst/sub").uid, 7);
    assert_int_equal(stat_of(f->fs, "/dst/sub").modify_ns, 222);
    assert_int_equal(stat_of(f->fs, "/dst/a").access_ns, 333);
    assert_int_equal(stat_of(f->fs, "/dst/a").modify_ns, 444);
}

static void copying_a_tree_costs_entries_and_no_data(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/src", 0755));
    put_pattern(f->fs, "/src/a", 3 << 20, 1);
    put_pattern(f->fs, "/src/b", 3 << 20, 2);
    uint64_t used = used_bytes(f->fs);
    assert_ok(memfs_copy_tree(f->fs, "/src", "/dst", 0));
    assert_true(used_bytes(f->fs) - used < 8192);
}

static void a_tree_copy_refused_for_memory_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t take = 0;
    int result;
    make_tree(f->fs);
    do {
        char *before = fixture_describe(f->fs);
        uint64_t used = used_bytes(f->fs);
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_copy_tree(f->fs, "/src", "/dst", 0);
        tracking_refuse(&f->allocator, 0, 0);
        if (result == 0) {
            free(before);
            break;
        }
        assert_returns(result, MEMFS_ENOMEM);
        check_described(f->fs, before, "a refused tree copy", __FILE__, __LINE__);
        assert_int_equal(used_bytes(f->fs), used);
    } while (result != 0);
    assert_true(take > 1 || f->is_pooled);
    assert_text(f->fs, "/dst/sub/deep/leaf", "leaf");
}

static void a_tree_copy_refused_by_the_node_limit_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_statfs_info info = statfs_of(f->fs);
    uint64_t nodes = info.files + info.directories + info.symlinks;
    for (uint64_t limit = nodes; limit < 2 * nodes - 1; limit++) {
        assert_ok(memfs_set_node_limit(f->fs, limit));
        assert_refused(f->fs, memfs_copy_tree(f->fs, "/src", "/dst", 0), MEMFS_ENOSPC);
    }
    assert_ok(memfs_set_node_limit(f->fs, 2 * nodes - 1));
    assert_ok(memfs_copy_tree(f->fs, "/src", "/dst", 0));
}

/* ------------------------------------------------------------------- usage */

static void tree_usage_adds_up_each_node_once(void **state)
{
    struct fixture *f = *state;
    memfs_tree_info info = {.struct_size = sizeof info};
    make_tree(f->fs);
    assert_ok(memfs_tree_usage(f->fs, "/src", &info));
    assert_int_equal(info.files, 3);
    assert_int_equal(info.directories, 3);
    assert_int_equal(info.symlinks, 1);
    assert_int_equal(info.size_bytes, 9 + 50000 + 4);
    uint64_t allocated = stat_of(f->fs, "/src/a").allocated_bytes +
                         stat_of(f->fs, "/src/sub/big").allocated_bytes +
                         stat_of(f->fs, "/src/sub/deep/leaf").allocated_bytes;
    assert_int_equal(info.allocated_bytes, allocated);
    assert_true(info.usage_bytes > info.allocated_bytes);
    assert_ok(memfs_tree_usage(f->fs, "/src/a", &info));
    assert_int_equal(info.files, 1);
    assert_int_equal(info.directories, 0);
    info.struct_size = 1;
    assert_returns(memfs_tree_usage(f->fs, "/src", &info), MEMFS_EINVAL);
    info.struct_size = sizeof info;
    assert_returns(memfs_tree_usage(f->fs, "/none", &info), MEMFS_ENOENT);
}

/* ------------------------------------------------------------- remove tree */

static void remove_tree_removes_all_and_gives_it_back(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/stays", "x");
    uint64_t used = used_bytes(f->fs);
    make_tree(f->fs);
    assert_ok(memfs_remove_tree(f->fs, "/src"));
    assert_names(f->fs, "/", "stays ");
    assert_int_equal(stat_of(f->fs, "/").links, 2);
    assert_true(used_bytes(f->fs) <= used + 256);
    assert_int_equal(statfs_of(f->fs).directories, 1);
    assert_int_equal(statfs_of(f->fs).files, 1);
    assert_int_equal(statfs_of(f->fs).symlinks, 0);
}

static void remove_tree_takes_a_file_or_a_symlink_as_such(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_ok(memfs_symlink(f->fs, "src", "/s", 0));
    assert_ok(memfs_remove_tree(f->fs, "/s"));
    assert_text(f->fs, "/src/a", "the first");
    assert_ok(memfs_remove_tree(f->fs, "/src/a"));
    assert_text(f->fs, "/src/sub/same", "the first");
    assert_returns(memfs_remove_tree(f->fs, "/none"), MEMFS_ENOENT);
}

static void remove_tree_of_the_root_is_refused(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_refused(f->fs, memfs_remove_tree(f->fs, "/"), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_remove_tree(f->fs, "//"), MEMFS_EBUSY);
}

static void remove_tree_with_an_entry_locked_is_busy_and_removes_nothing(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_file *file = open_file(f->fs, "/src/sub/deep/leaf", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    assert_refused(f->fs, memfs_remove_tree(f->fs, "/src"), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_remove_tree(f->fs, "/src/sub/deep/leaf"), MEMFS_EBUSY);
    assert_ok(memfs_close(file));
    assert_ok(memfs_remove_tree(f->fs, "/src"));
}

static void what_is_open_in_a_removed_tree_lives_on(void **state)
{
    struct fixture *f = *state;
    memfs_dirent entry = {.struct_size = sizeof entry};
    make_tree(f->fs);
    memfs_file *file = open_file(f->fs, "/src/sub/big", MEMFS_O_RDWR);
    memfs_dir *dir = open_dir(f->fs, "/src/sub");
    assert_ok(memfs_remove_tree(f->fs, "/src"));
    check_pattern(file, 50000, 0, 1);
    write_pattern(file, 50000, 10, 2);
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_returns(memfs_mkdirat(f->fs, dir, "x", 0755), MEMFS_ENOENT);
    assert_int_equal(statfs_of(f->fs).files, 1);
    assert_ok(memfs_close(file));
    assert_ok(memfs_closedir(dir));
    assert_int_equal(statfs_of(f->fs).files, 0);
    assert_int_equal(statfs_of(f->fs).directories, 1);
}

static void links_from_outside_keep_a_file_of_a_removed_tree(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    assert_ok(memfs_link(f->fs, "/src/a", "/kept"));
    assert_ok(memfs_remove_tree(f->fs, "/src"));
    assert_text(f->fs, "/kept", "the first");
    assert_int_equal(stat_of(f->fs, "/kept").links, 1);
}

static void remove_tree_never_allocates(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    tracking_refuse(&f->allocator, 1, 1);
    assert_ok(memfs_remove_tree(f->fs, "/src"));
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_copied_tree_has_all_that_is_in_it),
        FS_TEST(a_copied_tree_is_independent_of_its_original),
        FS_TEST(hard_links_inside_a_copied_tree_stay_links),
        FS_TEST(many_hard_links_across_directories_stay_links),
        FS_TEST(a_tree_can_be_a_file_or_a_symlink),
        FS_TEST(copying_a_tree_into_itself_is_invalid),
        FS_TEST(copying_a_tree_over_anything_is_refused),
        FS_TEST(attributes_of_a_tree_are_kept_if_asked_for),
        FS_TEST(copying_a_tree_costs_entries_and_no_data),
        FS_TEST(a_tree_copy_refused_for_memory_leaves_nothing),
        FS_TEST(a_tree_copy_refused_by_the_node_limit_leaves_nothing),
        FS_TEST(tree_usage_adds_up_each_node_once),
        FS_TEST(remove_tree_removes_all_and_gives_it_back),
        FS_TEST(remove_tree_takes_a_file_or_a_symlink_as_such),
        FS_TEST(remove_tree_of_the_root_is_refused),
        FS_TEST(remove_tree_with_an_entry_locked_is_busy_and_removes_nothing),
        FS_TEST(what_is_open_in_a_removed_tree_lives_on),
        FS_TEST(links_from_outside_keep_a_file_of_a_removed_tree),
        FS_TEST(remove_tree_never_allocates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
