/* What an import or export replaces, merges with, or leaves alone. */
#include "hostcalls.h"
#include "hosttree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const memfs_hostdir_options replace = {.struct_size = sizeof replace,
                                              .flags = MEMFS_HOSTDIR_REPLACE};
static const memfs_hostdir_options merge = {.struct_size = sizeof merge,
                                            .flags = MEMFS_HOSTDIR_MERGE};
static const memfs_hostdir_options changed = {.struct_size = sizeof changed,
                                              .flags = MEMFS_HOSTDIR_CHANGED};

static void make_new(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/new/sub", 0755));
    put(fs, "/new/a", "new a");
    put(fs, "/new/sub/b", "new b");
}

/* On the host: old/{a, keep, sub/{c, deep/x}}. */
static void make_old(const struct hosttree *t)
{
    host_mkdir(t, "old", 0755);
    host_mkdir(t, "old/sub", 0755);
    host_mkdir(t, "old/sub/deep", 0500);
    host_write(t, "old/a", "old a", 0644);
    host_write(t, "old/keep", "kept", 0644);
    host_write(t, "old/sub/c", "old c", 0644);
    host_symlink(t, "c", "old/sub/deep/x");
}

static bool is_directory(const struct hosttree *t, const char *name)
{
    struct stat status;
    return lstat(host(t, name), &status) == 0 && S_ISDIR(status.st_mode);
}

static ino_t inode_of(const struct hosttree *t, const char *name)
{
    struct stat status;
    assert_int_equal(lstat(host(t, name), &status), 0);
    return status.st_ino;
}

/* -------------------------------------------------------------------- export */

static void a_directory_replaces_nothing_unless_told_so(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    make_old(t);
    host_mkdir(t, "empty", 0755);
    host_symlink(t, "nowhere", "dangling");
    static const char *const taken[] = {"old", "empty", "dangling", "old/a"};
    for (size_t i = 0; i < COUNT_OF(taken); i++) {
        assert_returns(export_tree(t, "/new", taken[i], NULL, &result), MEMFS_EIO);
        assert_int_equal(result.host_errno, EEXIST);
        assert_string_equal(result.path, host(t, taken[i]));
    }
    assert_host_names(t, "", "dangling empty old ");
    assert_host_names(t, "empty", "");
}

static void a_file_replaces_a_file_only_unless_told_so(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    make_old(t);
    host_symlink(t, "old/keep", "link");
    assert_ok(export_tree(t, "/new/a", "old/a", NULL, NULL));
    host_check_text(t, "old/a", "new a");
    assert_returns(export_tree(t, "/new/a", "old", NULL, &result), MEMFS_EEXIST);
    assert_string_equal(result.path, host(t, "old"));
    assert_returns(export_tree(t, "/new/a", "link", NULL, NULL), MEMFS_EEXIST);
    assert_ok(export_tree(t, "/new/a", "link", &replace, NULL));
    host_check_text(t, "old/keep", "kept");
    assert_ok(export_tree(t, "/new/a", "old", &replace, NULL));
    host_check_text(t, "old", "new a");
    assert_host_names(t, "", "link old ");
}

static void check_replacing(const struct hosttree *t)
{
    make_old(t);
    host_write(t, "file", "a file", 0644);
    assert_ok(export_tree(t, "/new", "old", &replace, NULL));
    assert_ok(export_tree(t, "/new", "file", &replace, NULL));
    assert_ok(export_tree(t, "/new", "absent", &replace, NULL));
    static const char *const all[] = {"old", "file", "absent"};
    for (int i = 0; i < 3; i++) {
        char path[32];
        assert_host_names(t, all[i], "a sub ");
        snprintf(path, sizeof path, "%s/sub/b", all[i]);
        host_check_text(t, path, "new b");
    }
    assert_host_names(t, "", "absent file old ");
}

static void a_directory_that_replaces_takes_the_place_of_anything(void **state)
{
    struct hosttree *t = *state;
    make_new(t->fs);
    check_replacing(t);
}

static void where_names_cannot_be_exchanged_two_renames_do(void **state)
{
    struct hosttree *t = *state;
    make_new(t->fs);
    hostcalls.has_no_exchange = true;
    check_replacing(t);
}

static void a_merge_leaves_what_is_there_beside(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    make_old(t);
    assert_ok(memfs_symlink(t->fs, "target", "/new/keep", 0));
    assert_ok(memfs_chmod(t->fs, "/new/sub", 0750));
    assert_ok(memfs_utimens(t->fs, "/new/sub", 5, 77));
    assert_ok(export_tree(t, "/new", "old", &merge, &result));
    assert_int_equal(result.files, 2);
    host_check_text(t, "old/a", "new a");
    host_check_text(t, "old/sub/b", "new b");
    host_check_text(t, "old/sub/c", "old c");
    assert_host_names(t, "old", "a keep sub ");
    struct stat status;
    assert_int_equal(lstat(host(t, "old/keep"), &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(host(t, "old/sub"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0750);
    assert_int_equal(status.st_mtim.tv_nsec, 77);
    /* What is not there is made, all or nothing. */
    assert_ok(export_tree(t, "/new", "absent", &merge, NULL));
    assert_host_names(t, "absent", "a keep sub ");
}

static void a_merge_ends_where_a_directory_meets_something_else(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    make_old(t);
    assert_ok(memfs_remove_tree(t->fs, "/new/sub"));
    put(t->fs, "/new/sub", "no directory here");
    assert_returns(export_tree(t, "/new", "old", &merge, &result), MEMFS_EIO);
    assert_string_equal(result.path, host(t, "old/sub"));
    assert_true(is_directory(t, "old/sub"));
    assert_ok(memfs_unlink(t->fs, "/new/sub"));
    assert_ok(memfs_mkdir(t->fs, "/new/keep", 0755));
    assert_returns(export_tree(t, "/new", "old", &merge, &result), MEMFS_EIO);
    assert_string_equal(result.path, host(t, "old/keep"));
    host_check_text(t, "old/keep", "kept");
    host_check_text(t, "old/a", "new a"); /* came before it, and stays */
    assert_host_names(t, "old", "a keep sub ");
}

static void only_what_has_changed_is_written_again(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    assert_ok(memfs_symlink(t->fs, "a", "/new/link", 0));
    assert_ok(memfs_link(t->fs, "/new/sub/b", "/new/sub/b2"));
    assert_ok(export_tree(t, "/new", "out", &changed, &result));
    assert_int_equal(result.unchanged, 0);
    ino_t a = inode_of(t, "out/a"), b = inode_of(t, "out/sub/b"), link = inode_of(t, "out/link");
    assert_ok(export_tree(t, "/new", "out", &changed, &result));
    assert_int_equal(result.unchanged, 4);
    assert_int_equal(result.files + result.symlinks + result.bytes, 0);
    assert_int_equal(inode_of(t, "out/a"), a);
    assert_int_equal(inode_of(t, "out/link"), link);
    assert_ok(memfs_utimens(t->fs, "/new/a", MEMFS_TIME_OMIT, 12345));
    assert_ok(memfs_unlink(t->fs, "/new/link"));
    assert_ok(memfs_symlink(t->fs, "b", "/new/link", 0));
    assert_int_equal(unlink(host(t, "out/sub/b2")), 0);
    host_write(t, "out/sub/b2", "another file", 0644);
    assert_ok(export_tree(t, "/new", "out", &changed, &result));
    assert_int_equal(result.unchanged, 1);
    assert_int_equal(result.files, 2);
    assert_int_equal(result.links, 1);
    assert_int_equal(result.symlinks, 1);
    assert_true(inode_of(t, "out/a") != a);
    assert_int_equal(inode_of(t, "out/sub/b"), b);
    assert_int_equal(inode_of(t, "out/sub/b2"), b);
    assert_host_names(t, "out", "a link sub ");
    /* Of a single file. */
    a = inode_of(t, "out/a");
    assert_ok(export_tree(t, "/new/a", "out/a", &changed, &result));
    assert_int_equal(result.unchanged, 1);
    assert_int_equal(inode_of(t, "out/a"), a);
    assert_ok(memfs_chmod(t->fs, "/new/a", 0600));
    assert_ok(export_tree(t, "/new/a", "out/a", &changed, &result));
    assert_true(inode_of(t, "out/a") != a);
}

static void a_path_without_a_name_can_only_be_merged_into(void **state)
{
    struct hosttree *t = *state;
    static const char *const nameless[] = {".", "old/.", "old/sub/..", "old/../old/.."};
    memfs_hostdir_result result;
    make_new(t->fs);
    make_old(t);
    for (size_t i = 0; i < COUNT_OF(nameless); i++) {
        assert_returns(export_tree(t, "/new", nameless[i], NULL, &result), MEMFS_EINVAL);
        assert_returns(export_tree(t, "/new", nameless[i], &replace, &result), MEMFS_EINVAL);
        assert_returns(export_tree(t, "/new/a", nameless[i], &merge, &result), MEMFS_EINVAL);
    }
    assert_ok(export_tree(t, "/new", "old/sub/..", &merge, NULL));
    host_check_text(t, "old/a", "new a");
    assert_ok(export_tree(t, "/new", "with-slashes//", NULL, NULL));
    assert_host_names(t, "", "old with-slashes ");
    memfs_hostdir_result root = {.struct_size = sizeof root};
    assert_returns(memfs_hostdir_export(t->fs, "/new", "/", NULL, &root), MEMFS_EINVAL);
    assert_returns(memfs_hostdir_export(t->fs, "/new", "", NULL, &root), MEMFS_EIO);
    assert_int_equal(root.host_errno, ENOENT);
}

static void what_is_missing_on_the_way_is_told(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    assert_returns(export_tree(t, "/none", "out", NULL, &result), MEMFS_ENOENT);
    assert_string_equal(result.path, "/none");
    assert_returns(export_tree(t, "/new", "no/out", NULL, &result), MEMFS_EIO);
    assert_int_equal(result.host_errno, ENOENT);
    host_write(t, "file", "", 0644);
    assert_returns(export_tree(t, "/new", "file/out", NULL, &result), MEMFS_EIO);
    assert_int_equal(result.host_errno, ENOTDIR);
    char name[NAME_MAX + 2];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_returns(export_tree(t, "/new", name, NULL, &result), MEMFS_EIO);
    assert_int_equal(result.host_errno, ENAMETOOLONG);
    assert_host_names(t, "", "file ");
}

/* -------------------------------------------------------------------- import */

static void an_import_replaces_files_by_files_only_unless_told_so(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    make_old(t);
    assert_ok(import_tree(t, "old/a", "/new/a", NULL, NULL));
    assert_text(t->fs, "/new/a", "old a");
    assert_refused(t->fs, import_tree(t, "old", "/new", NULL, &result), MEMFS_EEXIST);
    assert_string_equal(result.path, "/new");
    assert_refused(t->fs, import_tree(t, "old", "/new/a", NULL, NULL), MEMFS_EEXIST);
    assert_refused(t->fs, import_tree(t, "old/a", "/new", NULL, NULL), MEMFS_EISDIR);
    assert_ok(import_tree(t, "old", "/new", &replace, NULL));
    assert_text(t->fs, "/new/sub/c", "old c");
    assert_false(is_there(t->fs, "/new/sub/b"));
    assert_ok(import_tree(t, "old/a", "/new", &replace, NULL));
    assert_text(t->fs, "/new", "old a");
    assert_ok(import_tree(t, "old", "/new", &replace, NULL));
    assert_ok(import_tree(t, "old", "/absent/below", &replace, NULL));
    assert_only(t, "new absent ");
}

static void what_is_locked_is_not_replaced(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_new(t->fs);
    make_old(t);
    memfs_file *file = open_file(t->fs, "/new/sub/b", MEMFS_O_READ);
    assert_ok(memfs_lock(file, MEMFS_LOCK_SHARED, 0));
    assert_returns(import_tree(t, "old", "/new", &replace, &result), MEMFS_EBUSY);
    assert_returns(import_tree(t, "old/a", "/new/sub/b", NULL, &result), MEMFS_EBUSY);
    assert_text(t->fs, "/new/sub/b", "new b");
    assert_returns(import_tree(t, "old", "/", &replace, &result), MEMFS_EBUSY);
    assert_only(t, "new ");
    assert_ok(memfs_close(file));
    assert_ok(import_tree(t, "old", "/new", &replace, &result));
}

static void an_import_names_what_it_cannot_find(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    host_symlink(t, "nowhere", "dangling");
    assert_returns(import_tree(t, "none", "/a", NULL, &result), MEMFS_EIO);
    assert_int_equal(result.host_errno, ENOENT);
    assert_string_equal(result.path, host(t, "none"));
    assert_returns(import_tree(t, "dangling", "/a", NULL, &result), MEMFS_EIO);
    put(t->fs, "/f", "");
    host_write(t, "g", "", 0644);
    assert_returns(import_tree(t, "g", "/f/g", NULL, &result), MEMFS_ENOTDIR);
    assert_string_equal(result.path, "/f/g");
    assert_only(t, "f ");
}

static void stages_that_others_left_are_not_touched(void **state)
{
    struct hosttree *t = *state;
    char name[64];
    make_new(t->fs);
    make_old(t);
    assert_ok(memfs_mkdir(t->fs, "/.memfs-import-1", 0700));
    snprintf(name, sizeof name, ".memfs-export-%ld-1", (long)getpid());
    host_write(t, name, "left", 0644);
    assert_ok(import_tree(t, "old", "/old", NULL, NULL));
    assert_ok(export_tree(t, "/new", "out", NULL, NULL));
    host_check_text(t, name, "left");
    assert_only(t, "new .memfs-import-1 old ");
}

static int teardown(void **state)
{
    hostcalls_reset();
    return hosttree_teardown(state);
}

#define PUBLISH_TEST(name) cmocka_unit_test_setup_teardown(name, hosttree_setup, teardown)

/* A buffer is larger than these files, so the end of each is asked for once more. */
static void each_byte_is_copied_once(void **state)
{
    enum { FILES = 20, BYTES = 30000, ASKED_MOST = 2 * 65536 };
    struct hosttree *t = *state;
    assert_ok(memfs_mkdir(t->fs, "/t", 0755));
    for (int i = 0; i < FILES; i++) {
        char path[20];
        snprintf(path, sizeof path, "/t/%d", i);
        put_pattern(t->fs, path, BYTES, (unsigned)i);
    }
    hostcalls_reset();
    assert_ok(export_tree(t, "/t", "out", NULL, NULL));
    assert_int_equal(hostcalls.bytes_written, FILES * BYTES);
    assert_int_equal(hostcalls.bytes_asked, 0);
    hostcalls_reset();
    uint64_t takes = t->fixture->allocator.takes;
    assert_ok(import_tree(t, "out", "/in", NULL, NULL));
    assert_true(hostcalls.bytes_asked <= FILES * ASKED_MOST);
    assert_int_equal(hostcalls.bytes_written, 0);
    assert_true(t->fixture->allocator.takes - takes <= FILES * (BYTES / 4096 + 6) + 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PUBLISH_TEST(a_directory_replaces_nothing_unless_told_so),
        PUBLISH_TEST(a_file_replaces_a_file_only_unless_told_so),
        PUBLISH_TEST(a_directory_that_replaces_takes_the_place_of_anything),
        PUBLISH_TEST(where_names_cannot_be_exchanged_two_renames_do),
        PUBLISH_TEST(a_merge_leaves_what_is_there_beside),
        PUBLISH_TEST(a_merge_ends_where_a_directory_meets_something_else),
        PUBLISH_TEST(only_what_has_changed_is_written_again),
        PUBLISH_TEST(a_path_without_a_name_can_only_be_merged_into),
        PUBLISH_TEST(what_is_missing_on_the_way_is_told),
        PUBLISH_TEST(an_import_replaces_files_by_files_only_unless_told_so),
        PUBLISH_TEST(what_is_locked_is_not_replaced),
        PUBLISH_TEST(an_import_names_what_it_cannot_find),
        PUBLISH_TEST(stages_that_others_left_are_not_touched),
        PUBLISH_TEST(each_byte_is_copied_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
