/*
 * Calls that complete a family: removing whatever has a name, appending, making parents on the way,
 * `...at` forms, and what a handle or a stream is asked.
 */
#include "checks.h"

#include <memfs/storage.h>

static void remove_takes_files_symlinks_and_empty_directories(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/file", "x");
    assert_ok(memfs_symlink(f->fs, "file", "/link", 0));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    put(f->fs, "/d/x", "x");
    assert_refused(f->fs, memfs_remove(f->fs, "/d"), MEMFS_ENOTEMPTY);
    assert_refused(f->fs, memfs_remove(f->fs, "/none"), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_remove(f->fs, "/file/"), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_remove(f->fs, "/"), MEMFS_EBUSY);
    assert_refused(f->fs, memfs_remove(f->fs, "/d/."), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_remove(f->fs, "/d/.."), MEMFS_ENOTEMPTY);
    memfs_file *file = open_file(f->fs, "/file", MEMFS_O_READ);
    assert_ok(memfs_lock(file, MEMFS_LOCK_SHARED, 0));
    assert_refused(f->fs, memfs_remove(f->fs, "/file"), MEMFS_EBUSY);
    assert_ok(memfs_close(file));
    assert_ok(memfs_remove(f->fs, "/link")); /* not what it leads to */
    assert_ok(memfs_remove(f->fs, "/file"));
    assert_ok(memfs_remove(f->fs, "/d/x"));
    assert_ok(memfs_remove(f->fs, "/d"));
    assert_names(f->fs, "/", "");
}

static void append_creates_a_file_and_then_goes_to_its_end(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_append_file(f->fs, "/log", "one ", 4, 0600, 0));
    assert_int_equal(stat_of(f->fs, "/log").mode, 0600);
    uint64_t number = stat_of(f->fs, "/log").number;
    assert_ok(memfs_symlink(f->fs, "log", "/link", 0));
    assert_ok(memfs_append_file(f->fs, "/link", "two", 3, 0644, 0));
    assert_ok(memfs_append_file(f->fs, "/log", NULL, 0, 0644, 0));
    assert_text(f->fs, "/log", "one two");
    assert_int_equal(stat_of(f->fs, "/log").number, number);
    assert_int_equal(stat_of(f->fs, "/log").mode, 0600);
    assert_ok(memfs_append_file(f->fs, "/empty", NULL, 0, 0644, 0));
    assert_text(f->fs, "/empty", "");
}

static void a_refused_append_changes_nothing(void **state)
{
    struct fixture *f = *state;
    static char data[1 << 20];
    put(f->fs, "/log", "text");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_refused(f->fs, memfs_append_file(f->fs, "/d", "x", 1, 0644, 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_append_file(f->fs, "/no/log", "x", 1, 0644, 0), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_append_file(f->fs, "/log", NULL, 1, 0644, 0), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_append_file(f->fs, "/log", "x", 1, 0644, MEMFS_WRITE_NOREPLACE),
                   MEMFS_EINVAL);
    memfs_file *file = open_file(f->fs, "/log", MEMFS_O_RDWR);
    assert_ok(memfs_lock(file, MEMFS_LOCK_SHARED, 0));
    assert_refused(f->fs, memfs_append_file(f->fs, "/log", "x", 1, 0644, 0), MEMFS_EBUSY);
    assert_ok(memfs_unlock(file));
    assert_ok(memfs_ftruncate(file, INT64_MAX - 1));
    assert_refused(f->fs, memfs_append_file(f->fs, "/log", "xy", 2, 0644, 0), MEMFS_EFBIG);
    assert_ok(memfs_ftruncate(file, 4));
    assert_ok(memfs_close(file));
    fixture_set_quota(f, statfs_of(f->fs).committed_bytes + (256 << 10));
    assert_refused(f->fs, memfs_append_file(f->fs, "/log", data, sizeof data, 0644, 0),
                   MEMFS_EDQUOT);
    assert_text(f->fs, "/log", "text");
}

static void missing_parents_are_made_where_a_flag_asks_for_it(void **state)
{
    struct fixture *f = *state;
    memfs *fs = f->fs;
    put(fs, "/src", "x");
    assert_ok(memfs_snapshot_take(fs, "s"));
    assert_refused(fs, memfs_write_file(fs, "/a/b/c", "x", 1, 0644, 0), MEMFS_ENOENT);
    assert_ok(memfs_write_file(fs, "/a/b/c", "new", 3, 0644, MEMFS_WRITE_MAKE_PARENTS));
    assert_text(fs, "/a/b/c", "new");
    assert_int_equal(stat_of(fs, "/a/b").mode, 0755);
    assert_ok(memfs_append_file(fs, "/e/f/g", "end", 3, 0644, MEMFS_WRITE_MAKE_PARENTS));
    assert_text(fs, "/e/f/g", "end");
    assert_ok(memfs_copy(fs, "/src", "/h/i/j", MEMFS_COPY_MAKE_PARENTS));
    assert_text(fs, "/h/i/j", "x");
    assert_ok(memfs_copy_tree(fs, "/a", "/k/l/m", MEMFS_COPY_MAKE_PARENTS));
    assert_text(fs, "/k/l/m/b/c", "new");
    assert_int_equal(stat_of(fs, "/k/l").links, 3);
    assert_ok(memfs_symlink(fs, "/src", "/n/o/p", MEMFS_SYMLINK_MAKE_PARENTS));
    assert_text(fs, "/n/o/p", "x");
    assert_ok(memfs_snapshot_extract(fs, "s", "/src", "/q/r/s", MEMFS_EXTRACT_MAKE_PARENTS));
    assert_text(fs, "/q/r/s", "x");
    assert_ok(memfs_audit(fs));
}

static void parents_that_cannot_be_made_are_not_begun(void **state)
{
    struct fixture *f = *state;
    memfs *fs = f->fs;
    put(fs, "/f", "x");
    assert_ok(memfs_mkdir(fs, "/d", 0755));
    const unsigned parents = MEMFS_WRITE_MAKE_PARENTS;
    assert_refused(fs, memfs_write_file(fs, "/f/a/b", "x", 1, 0644, parents), MEMFS_ENOTDIR);
    assert_refused(fs, memfs_write_file(fs, "/a/../b", "x", 1, 0644, parents), MEMFS_ENOENT);
    assert_refused(fs, memfs_write_file(fs, "/a/b/", "x", 1, 0644, parents), MEMFS_EISDIR);
    assert_refused(fs, memfs_copy_tree(fs, "/d", "/d/a/b", MEMFS_COPY_MAKE_PARENTS), MEMFS_EINVAL);
    assert_ok(memfs_set_node_limit(fs, 4));
    assert_refused(fs, memfs_write_file(fs, "/a/b", "x", 1, 0644, parents), MEMFS_ENOSPC);
    assert_ok(memfs_set_node_limit(fs, MEMFS_UNLIMITED));
}

static void unknown_flags_are_invalid(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_refused(f->fs, memfs_write_file(f->fs, "/f", "y", 1, 0644, 2), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_symlink(f->fs, "f", "/l", 1), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_copy(f->fs, "/f", "/g", 8), MEMFS_EINVAL);
    assert_refused(f->fs, memfs_snapshot_extract(f->fs, "s", "/f", "/g", 1), MEMFS_EINVAL);
}

static void a_file_can_be_written_only_if_the_name_is_free(void **state)
{
    struct fixture *f = *state;
    const unsigned exclusive = MEMFS_WRITE_NOREPLACE;
    assert_ok(memfs_write_file(f->fs, "/f", "one", 3, 0644, exclusive));
    assert_refused(f->fs, memfs_write_file(f->fs, "/f", "two", 3, 0644, exclusive), MEMFS_EEXIST);
    assert_ok(memfs_symlink(f->fs, "nowhere", "/l", 0));
    assert_refused(f->fs, memfs_write_file(f->fs, "/l", "two", 3, 0644, exclusive), MEMFS_EEXIST);
}

static void at_forms_start_at_the_directory(void **state)
{
    struct fixture *f = *state;
    char path[64];
    assert_ok(memfs_mkdir_parents(f->fs, "/d/sub", 0755));
    put(f->fs, "/d/f", "text");
    memfs_dir *dir = open_dir(f->fs, "/d");
    assert_ok(memfs_truncateat(f->fs, dir, "f", 2));
    assert_text(f->fs, "/d/f", "te");
    assert_ok(memfs_copyat(f->fs, dir, "f", dir, "sub/g", 0));
    assert_text(f->fs, "/d/sub/g", "te");
    assert_returns(memfs_realpathat(f->fs, dir, "sub/../f", path, sizeof path), 4);
    assert_string_equal(path, "/d/f");
    assert_returns(memfs_realpathat(f->fs, dir, "/d/sub", path, sizeof path), 6);
    assert_ok(memfs_remove_treeat(f->fs, dir, "sub"));
    assert_names(f->fs, "/d", "f ");
    memfs_dir *foreign = open_dir(f->other, "/");
    assert_returns(memfs_truncateat(f->fs, foreign, "f", 2), MEMFS_EXDEV);
    assert_returns(memfs_copyat(f->fs, dir, "f", foreign, "f", 0), MEMFS_EXDEV);
    assert_returns(memfs_realpathat(f->fs, foreign, "f", path, sizeof path), MEMFS_EXDEV);
    assert_returns(memfs_remove_treeat(f->fs, foreign, "f"), MEMFS_EXDEV);
    assert_ok(memfs_closedir(foreign));
    assert_ok(memfs_remove_tree(f->fs, "/d"));
    assert_returns(memfs_realpathat(f->fs, dir, ".", path, sizeof path), MEMFS_ENOENT);
    assert_ok(memfs_closedir(dir));
}

static void a_stream_can_be_asked_for_its_node(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/d", 0711));
    memfs_stat_info by_path = stat_of(f->fs, "/d"), by_stream = {.struct_size = sizeof by_stream};
    memfs_dir *dir = open_dir(f->fs, "/d");
    assert_ok(memfs_statdir(dir, &by_stream));
    assert_memory_equal(&by_path, &by_stream, sizeof by_path);
    assert_ok(memfs_rmdir(f->fs, "/d"));
    assert_ok(memfs_statdir(dir, &by_stream));
    assert_int_equal(by_stream.links, 0);
    assert_returns(memfs_statdir(dir, NULL), MEMFS_EINVAL);
    assert_returns(memfs_statdir(NULL, &by_stream), MEMFS_EBADF);
    assert_ok(memfs_closedir(dir));
}

static void handles_know_their_instance(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = create_file(f->fs, "/f");
    memfs_dir *dir = open_dir(f->other, "/");
    assert_ptr_equal(memfs_file_instance(file), f->fs);
    assert_ptr_equal(memfs_dir_instance(dir), f->other);
    assert_null(memfs_file_instance(NULL));
    assert_null(memfs_dir_instance(NULL));
    assert_ok(memfs_close(file));
    assert_ok(memfs_closedir(dir));
}

static void snapshots_can_be_looked_for_and_renamed(void **state)
{
    struct fixture *f = *state;
    char longest[MEMFS_NAME_MAX + 1];
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    put(f->fs, "/f", "old");
    assert_ok(memfs_chmod(f->fs, "/", 0700));
    memfs_stat_info root = stat_of(f->fs, "/");
    assert_ok(memfs_snapshot_take(f->fs, "a"));
    assert_ok(memfs_snapshot_take(f->fs, "b"));
    assert_int_equal(memfs_snapshot_exists(f->fs, "a"), 1);
    assert_int_equal(memfs_snapshot_exists(f->fs, "c"), 0);
    assert_int_equal(memfs_snapshot_exists(f->fs, ""), 0);
    assert_int_equal(memfs_snapshot_exists(NULL, "a"), 0);
    assert_returns(memfs_snapshot_rename(f->fs, "a", "b"), MEMFS_EEXIST);
    assert_returns(memfs_snapshot_rename(f->fs, "c", "d"), MEMFS_ENOENT);
    assert_returns(memfs_snapshot_rename(f->fs, "a", "x/y"), MEMFS_EINVAL);
    assert_returns(memfs_snapshot_rename(f->fs, "a", NULL), MEMFS_EINVAL);
    assert_ok(memfs_snapshot_rename(f->fs, "a", "a"));
    assert_ok(memfs_snapshot_rename(f->fs, "a", longest));
    assert_int_equal(memfs_snapshot_exists(f->fs, "a"), 0);
    assert_int_equal(memfs_snapshot_exists(f->fs, longest), 1);
    assert_ok(memfs_audit(f->fs));
    assert_ok(memfs_snapshot_rename(f->fs, longest, "c"));
    put(f->fs, "/f", "new");
    assert_ok(memfs_snapshot_restore(f->fs, "c"));
    assert_text(f->fs, "/f", "old");
    assert_int_equal(stat_of(f->fs, "/").change_ns, root.change_ns);
    assert_ok(memfs_snapshot_remove(f->fs, "c"));
    assert_ok(memfs_audit(f->fs));
}

static void a_held_content_has_holes_to_find_and_to_make(void **state)
{
    struct fixture *f = *state;
    const int64_t page = MEMFS_PAGE_SIZE_DEFAULT;
    memfs_content_ref content;
    char byte;
    memfs_file *file = create_file(f->fs, "/f");
    write_pattern(file, (size_t)(4 * page), 0, 1);
    assert_ok(memfs_content_take(file, &content));
    assert_returns(memfs_content_seek(&content, 5, MEMFS_SEEK_DATA), 5);
    assert_returns(memfs_content_seek(&content, 5, MEMFS_SEEK_HOLE), 4 * page);
    assert_ok(memfs_content_punch(&content, page, 2 * page));
    assert_int_equal(content.size_bytes, 4 * page);
    assert_returns(memfs_content_seek(&content, 0, MEMFS_SEEK_HOLE), page);
    assert_returns(memfs_content_seek(&content, page, MEMFS_SEEK_DATA), 3 * page);
    assert_returns(memfs_content_read(&content, &byte, 1, page), 1);
    assert_int_equal(byte, 0);
    assert_returns(memfs_content_seek(&content, 4 * page, MEMFS_SEEK_DATA), MEMFS_ENXIO);
    assert_returns(memfs_content_seek(&content, -1, MEMFS_SEEK_HOLE), MEMFS_ENXIO);
    assert_returns(memfs_content_seek(&content, 0, MEMFS_SEEK_SET), MEMFS_EINVAL);
    assert_returns(memfs_content_punch(&content, -1, 1), MEMFS_EINVAL);
    assert_returns(memfs_content_punch(&content, 0, 0), MEMFS_EINVAL);
    assert_returns(memfs_content_punch(&content, 1, INT64_MAX), MEMFS_EFBIG);
    check_pattern(file, (size_t)(4 * page), 0, 1); /* the file has none */
    assert_ok(memfs_content_restore(file, &content));
    check_zeros(file, (size_t)(2 * page), page);
    assert_returns(memfs_content_seek(&content, 0, MEMFS_SEEK_DATA), MEMFS_EINVAL);
    assert_returns(memfs_content_punch(&content, 0, 1), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

static void count_messages(void *context, int level, const char *message)
{
    assert_non_null(message);
    if (level == MEMFS_LOG_WARNING)
        ++*(int *)context;
}

static void the_log_hook_can_be_changed(void **state)
{
    (void)state;
    int messages[2] = {0};
    memfs_config config = memfs_config_default();
    struct tracking_allocator allocator;
    memfs *fs;
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    config.log = count_messages;
    config.log_context = &messages[0];
    assert_ok(memfs_create(&config, &fs));
    memfs_file *file = create_file(fs, "/f");
    assert_non_null(file);
    assert_ok(memfs_set_log(fs, count_messages, &messages[1]));
    assert_returns(memfs_set_log(NULL, NULL, NULL), MEMFS_EINVAL);
    assert_ok(memfs_destroy(fs, MEMFS_DESTROY_FORCE)); /* which is worth a warning */
    assert_int_equal(messages[0], 0);
    assert_int_equal(messages[1], 1);
    tracking_assert_empty(&allocator);
}

static void the_policy_on_access_times_can_be_changed(void **state)
{
    struct fixture *f = *state;
    char byte;
    put(f->fs, "/f", "x");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_ok(memfs_set_atime_policy(f->fs, MEMFS_ATIME_OFF));
    int64_t before = fstat_of(file).access_ns;
    assert_returns(memfs_pread(file, &byte, 1, 0), 1);
    assert_int_equal(fstat_of(file).access_ns, before);
    assert_ok(memfs_set_atime_policy(f->fs, MEMFS_ATIME_STRICT));
    for (int i = 0; i < 2; i++) {
        assert_returns(memfs_pread(file, &byte, 1, 0), 1);
        assert_true(fstat_of(file).access_ns > before);
        before = fstat_of(file).access_ns;
    }
    assert_returns(memfs_set_atime_policy(f->fs, MEMFS_ATIME_STRICT + 1), MEMFS_EINVAL);
    assert_ok(memfs_close(file));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(remove_takes_files_symlinks_and_empty_directories),
        FS_TEST(append_creates_a_file_and_then_goes_to_its_end),
        FS_TEST(a_refused_append_changes_nothing),
        FS_TEST(missing_parents_are_made_where_a_flag_asks_for_it),
        FS_TEST(parents_that_cannot_be_made_are_not_begun),
        FS_TEST(unknown_flags_are_invalid),
        FS_TEST(a_file_can_be_written_only_if_the_name_is_free),
        FS_TEST(at_forms_start_at_the_directory),
        FS_TEST(a_stream_can_be_asked_for_its_node),
        FS_TEST(handles_know_their_instance),
        FS_TEST(snapshots_can_be_looked_for_and_renamed),
        FS_TEST(a_held_content_has_holes_to_find_and_to_make),
        cmocka_unit_test(the_log_hook_can_be_changed),
        FS_TEST(the_policy_on_access_times_can_be_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
