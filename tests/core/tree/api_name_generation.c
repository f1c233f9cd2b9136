/* memfs_name_generation(): it moves when a name does, and then only. */
#include "checks.h"

#include <memfs/storage.h>

static void creating_and_removing_one_name_is_one_step(void **state)
{
    struct fixture *f = *state;
    uint64_t before = memfs_name_generation(f->fs);
    put(f->fs, "/f", "x");
    assert_int_equal(memfs_name_generation(f->fs), before + 1);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_int_equal(memfs_name_generation(f->fs), before + 2);
    assert_ok(memfs_unlink(f->fs, "/f"));
    assert_int_equal(memfs_name_generation(f->fs), before + 3);
    assert_ok(memfs_rmdir(f->fs, "/d"));
    assert_int_equal(memfs_name_generation(f->fs), before + 4);
}

static void every_way_to_change_a_name_is_counted(void **state)
{
    struct fixture *f = *state;
    uint64_t last = memfs_name_generation(f->fs);
#define ASSERT_COUNTED(call) \
    do { \
        assert_ok(call); \
        assert_true(memfs_name_generation(f->fs) > last); \
        last = memfs_name_generation(f->fs); \
    } while (0)
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    last = memfs_name_generation(f->fs);
    ASSERT_COUNTED(memfs_symlink(f->fs, "a", "/s", 0));
    ASSERT_COUNTED(memfs_link(f->fs, "/a", "/l"));
    ASSERT_COUNTED(memfs_rename(f->fs, "/a", "/c", 0));
    ASSERT_COUNTED(memfs_rename(f->fs, "/b", "/c", 0));
    ASSERT_COUNTED(memfs_rename(f->fs, "/c", "/l", MEMFS_RENAME_EXCHANGE));
    ASSERT_COUNTED(memfs_mkdir_parents(f->fs, "/p/q/r", 0755));
    ASSERT_COUNTED(memfs_rename(f->fs, "/p", "/moved", 0));
    ASSERT_COUNTED(memfs_copy(f->fs, "/c", "/copy", 0));
    ASSERT_COUNTED(memfs_copy_tree(f->fs, "/moved", "/tree", 0));
    ASSERT_COUNTED(memfs_remove_tree(f->fs, "/moved"));
#undef ASSERT_COUNTED
}

static void what_leaves_the_names_alone_is_not_counted(void **state)
{
    struct fixture *f = *state;
    memfs_file *file;
    put(f->fs, "/f", "x");
    uint64_t before = memfs_name_generation(f->fs);
    put(f->fs, "/f", "other");
    assert_ok(memfs_chmod(f->fs, "/f", 0600));
    assert_ok(memfs_truncate(f->fs, "/f", 100000));
    assert_ok(memfs_open(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    assert_ok(memfs_close(file));
    assert_refused(
        f->fs,
        memfs_open(f->fs, "/f", MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE, 0644, &file),
        MEMFS_EEXIST);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/f", 0755), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_unlink(f->fs, "/none"), MEMFS_ENOENT);
    assert_int_equal(memfs_name_generation(f->fs), before);
}

static void creating_exclusively_at_a_full_quota_says_that_the_name_is_there(void **state)
{
    struct fixture *f = *state;
    memfs_file *file;
    uint32_t flags = MEMFS_O_RDWR | MEMFS_O_CREATE | MEMFS_O_EXCLUSIVE;
    memfs_file_storage storage;
    memfs_statfs_info info = {.struct_size = sizeof info};
    memfs_open_options options = {
        .struct_size = sizeof options, .flags = flags, .mode = 0644, .storage = &storage};
    put(f->fs, "/f", "x");
    assert_returns(memfs_set_quota(f->fs, 1), MEMFS_EBUSY);
    assert_ok(memfs_statfs(f->fs, &info));
    fixture_set_quota(f, info.committed_bytes);
    fill_with_small_files(f->fs, 0);
    assert_returns(memfs_open_with(f->fs, "/f", &options, &file), MEMFS_EEXIST);
    assert_returns(memfs_open_with(f->fs, "/new", &options, &file), MEMFS_EDQUOT);
    fixture_set_quota(f, (uint64_t)16 << 20);
}

static void without_a_file_system_it_is_zero(void **state)
{
    (void)state;
    assert_int_equal(memfs_name_generation(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(creating_and_removing_one_name_is_one_step),
        FS_TEST(every_way_to_change_a_name_is_counted),
        FS_TEST(what_leaves_the_names_alone_is_not_counted),
        FS_TEST(creating_exclusively_at_a_full_quota_says_that_the_name_is_there),
        FS_TEST(without_a_file_system_it_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
