/* What of a file, or a tree, is its own, and what is shared; locks and handles in a node's stat. */
#include "checks.h"

#include <memfs/storage.h>

#define PAGE 4096u

static memfs_sharing_info sharing_of(memfs *fs, const char *path)
{
    memfs_sharing_info info = {.struct_size = sizeof info};
    assert_ok(memfs_tree_sharing(fs, path, &info));
    return info;
}

static void assert_sharing(memfs *fs, const char *path, uint64_t own_bytes, uint64_t shared_bytes)
{
    memfs_sharing_info info = sharing_of(fs, path);
    memfs_tree_info usage = {.struct_size = sizeof usage};
    assert_ok(memfs_tree_usage(fs, path, &usage));
    assert_int_equal(info.own_bytes, own_bytes);
    assert_int_equal(info.shared_bytes, shared_bytes);
    assert_int_equal(usage.allocated_bytes, own_bytes + shared_bytes);
}

static void a_page_written_after_copying_is_its_own_on_both_sides(void **state)
{
    struct fixture *f = *state;
    static const unsigned sizes[] = {1, 2, 63, 64, 65, 300}; /* pages: each height of the table */
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        uint64_t all = (uint64_t)sizes[i] * PAGE;
        put_pattern(f->fs, "/a", (size_t)all, 1);
        assert_sharing(f->fs, "/a", all, 0);
        assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
        assert_sharing(f->fs, "/a", 0, all);
        assert_sharing(f->fs, "/b", 0, all);
        memfs_file *file = open_file(f->fs, "/b", MEMFS_O_RDWR);
        write_pattern(file, 1, (int64_t)all - 1, 2);
        assert_ok(memfs_close(file));
        assert_sharing(f->fs, "/a", PAGE, all - PAGE);
        assert_sharing(f->fs, "/b", PAGE, all - PAGE);
        assert_sharing(f->fs, "/", 2 * PAGE, 2 * (all - PAGE));
        assert_ok(memfs_unlink(f->fs, "/b"));
        assert_sharing(f->fs, "/a", all, 0);
        assert_ok(memfs_unlink(f->fs, "/a"));
    }
}

static void the_beginning_of_a_small_file_is_shared_as_a_whole(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a few bytes");
    uint64_t all = stat_of(f->fs, "/a").allocated_bytes;
    assert_true(all >= 11 && all < PAGE);
    assert_sharing(f->fs, "/a", all, 0);
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_sharing(f->fs, "/a", 0, all);
    put(f->fs, "/b", "other bytes");
    assert_sharing(f->fs, "/a", all, 0);
}

static void snapshots_and_held_contents_share_too(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref held;
    put_pattern(f->fs, "/a", 10 * PAGE, 1);
    assert_ok(memfs_snapshot_take(f->fs, "then"));
    assert_sharing(f->fs, "/", 0, 10 * PAGE);
    assert_ok(memfs_snapshot_remove(f->fs, "then"));
    assert_sharing(f->fs, "/", 10 * PAGE, 0);
    memfs_file *file = open_file(f->fs, "/a", MEMFS_O_READ);
    assert_ok(memfs_content_take(file, &held));
    assert_sharing(f->fs, "/a", 0, 10 * PAGE);
    assert_ok(memfs_content_drop(&held));
    assert_sharing(f->fs, "/a", 10 * PAGE, 0);
    assert_ok(memfs_close(file));
}

static void a_file_of_two_names_counts_once_and_holes_not_at_all(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put_pattern(f->fs, "/d/a", 3 * PAGE, 1);
    assert_ok(memfs_link(f->fs, "/d/a", "/d/b"));
    assert_sharing(f->fs, "/d", 3 * PAGE, 0);
    assert_ok(memfs_truncate(f->fs, "/d/a", 1 << 30));
    assert_sharing(f->fs, "/d", 3 * PAGE, 0);
}

/* Cutting takes no memory, so what is shared may stay behind the size, where it is not counted. */
static void what_lies_behind_a_cut_is_not_counted(void **state)
{
    struct fixture *f = *state;
    put_pattern(f->fs, "/a", 8 * PAGE, 1);
    assert_ok(memfs_copy(f->fs, "/a", "/b", 0));
    assert_ok(memfs_truncate(f->fs, "/b", 3 * PAGE + 100));
    assert_sharing(f->fs, "/b", 0, 4 * PAGE);
    assert_sharing(f->fs, "/a", 0, 8 * PAGE);
    assert_ok(memfs_unlink(f->fs, "/a"));
    assert_sharing(f->fs, "/b", 4 * PAGE, 0);
}

static void bad_arguments_are_told(void **state)
{
    struct fixture *f = *state;
    memfs_sharing_info info = {.struct_size = sizeof info, .own_bytes = 7};
    assert_returns(memfs_tree_sharing(f->fs, "/none", &info), MEMFS_ENOENT);
    assert_returns(memfs_tree_sharing(f->fs, "/", NULL), MEMFS_EINVAL);
    info.struct_size = sizeof info - 1;
    assert_returns(memfs_tree_sharing(f->fs, "/", &info), MEMFS_EINVAL);
    assert_int_equal(info.own_bytes, 7);
}

static void a_stat_tells_the_open_handles_and_the_lock(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "text");
    assert_int_equal(stat_of(f->fs, "/a").open_handles, 0);
    assert_int_equal(stat_of(f->fs, "/a").lock_state, 0);
    memfs_file *one = open_file(f->fs, "/a", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    memfs_file *two = open_file(f->fs, "/a", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    assert_int_equal(stat_of(f->fs, "/a").open_handles, 2);
    assert_int_equal(stat_of(f->fs, "/a").lock_state, 2);
    assert_ok(memfs_close(two));
    assert_ok(memfs_lock(one, MEMFS_LOCK_EXCLUSIVE, 0));
    assert_int_equal(fstat_of(one).open_handles, 1);
    assert_int_equal(fstat_of(one).lock_state, -1);
    assert_ok(memfs_close(one));
    assert_int_equal(stat_of(f->fs, "/a").open_handles, 0);
    assert_int_equal(stat_of(f->fs, "/a").lock_state, 0);
    memfs_file *made = open_file(f->fs, "/new",
                                 MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE_LOCK);
    assert_int_equal(stat_of(f->fs, "/new").lock_state, -1);
    assert_ok(memfs_close(made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_page_written_after_copying_is_its_own_on_both_sides),
        FS_TEST(the_beginning_of_a_small_file_is_shared_as_a_whole),
        FS_TEST(snapshots_and_held_contents_share_too),
        FS_TEST(a_file_of_two_names_counts_once_and_holes_not_at_all),
        FS_TEST(what_lies_behind_a_cut_is_not_counted),
        FS_TEST(bad_arguments_are_told),
        FS_TEST(a_stat_tells_the_open_handles_and_the_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
