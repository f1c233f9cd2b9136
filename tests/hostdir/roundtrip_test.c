/* Host -> tree -> host: nothing is lost on the way. */
#include "hosttree.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_tree_of_everything_comes_back_as_it_was(void **state)
{
    struct hosttree *t = *state;
    host_make_sample(t, "sample");
    char *before = host_describe(t, "sample");
    memfs_hostdir_result in, out;
    assert_ok(import_tree(t, "sample", "/made/on/the/way", NULL, &in));
    assert_ok(export_tree(t, "/made/on/the/way", "copy", NULL, &out));
    char *after = host_describe(t, "copy");
    assert_string_equal(before, after);
    free(before);
    free(after);
    const memfs_hostdir_result *both[] = {&in, &out};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(both[i]->files, 13);
        assert_int_equal(both[i]->links, 2);
        assert_int_equal(both[i]->directories, 5);
        assert_int_equal(both[i]->symlinks, 4);
    }
    assert_int_equal(in.special, 1);
    assert_int_equal(out.special, 0);
    assert_false(host_exists(t, "copy/pipe"));
    assert_only(t, "made ");
    assert_host_names(t, "", "copy sample ");
}

static void the_tree_has_the_modes_times_and_links_of_the_host(void **state)
{
    struct hosttree *t = *state;
    host_make_sample(t, "sample");
    assert_int_equal(chmod(host(t, "sample/script"), 04755), 0);
    assert_ok(import_tree(t, "sample", "/s", NULL, NULL));
    memfs_stat_info info = lstat_of(t->fs, "/s/file");
    assert_int_equal(info.mode, 0640);
    assert_int_equal(info.access_ns, INT64_C(1000000000000000005));
    assert_int_equal(info.modify_ns, INT64_C(1234567890123456789));
    assert_int_equal(lstat_of(t->fs, "/s/script").mode, 04755);
    assert_int_equal(lstat_of(t->fs, "/s/none").mode, 0);
    assert_int_equal(lstat_of(t->fs, "/s/sub/deep").modify_ns, INT64_C(-1234567890123456789));
    assert_int_equal(lstat_of(t->fs, "/s/link").modify_ns, INT64_C(33000000044));
    assert_int_equal(lstat_of(t->fs, "/s").modify_ns, INT64_C(8000000009));
    assert_int_equal(lstat_of(t->fs, "/s/sub/one").links, 3);
    assert_int_equal(lstat_of(t->fs, "/s/sub/one").number,
                     lstat_of(t->fs, "/s/sub/deep/three").number);
    assert_text(t->fs, "/s/none/hidden", "hidden");
    assert_int_equal(statfs_of(t->fs).open_files, 0);
}

static void special_bits_go_out_only_if_asked_for(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options whole = {.struct_size = sizeof whole,
                                   .flags = MEMFS_HOSTDIR_SPECIAL_BITS};
    struct stat status;
    assert_ok(memfs_mkdir(t->fs, "/d", 01777));
    put(t->fs, "/d/f", "");
    assert_ok(memfs_chmod(t->fs, "/d/f", 06711));
    assert_ok(export_tree(t, "/d", "plain", NULL, NULL));
    assert_int_equal(stat(host(t, "plain/f"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0711);
    assert_int_equal(stat(host(t, "plain"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0777);
    assert_ok(export_tree(t, "/d", "whole", &whole, NULL));
    assert_int_equal(stat(host(t, "whole/f"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 06711);
    assert_int_equal(stat(host(t, "whole"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 01777);
}

static void holes_cost_nothing_on_either_side(void **state)
{
    struct hosttree *t = *state;
    int64_t size = INT64_C(1) << 32; /* far beyond the quota */
    memfs_hostdir_result result;
    struct stat status;
    put(t->fs, "/f", "start");
    assert_ok(memfs_truncate(t->fs, "/f", size));
    memfs_file *file = open_file(t->fs, "/f", MEMFS_O_WRITE);
    write_pattern(file, 5000, size / 2 + 77, 3);
    assert_ok(memfs_close(file));
    assert_ok(export_tree(t, "/f", "sparse", NULL, &result));
    assert_true(result.bytes < 20000);
    assert_int_equal(stat(host(t, "sparse"), &status), 0);
    assert_int_equal(status.st_size, size);
    assert_true(status.st_blocks < 1024);
    assert_ok(import_tree(t, "sparse", "/g", NULL, &result));
    assert_true(result.bytes < 300000);
    memfs_stat_info info = stat_of(t->fs, "/g");
    assert_int_equal(info.size_bytes, size);
    assert_true(info.allocated_bytes < 300000);
    file = open_file(t->fs, "/g", MEMFS_O_READ);
    check_pattern(file, 5000, size / 2 + 77, 3);
    check_zeros(file, 5000, size - 5000);
    assert_ok(memfs_close(file));
}

static void zeros_that_are_written_become_holes_of_the_tree(void **state)
{
    struct hosttree *t = *state;
    static const char zeros[300000];
    FILE *file = fopen(host(t, "zeros"), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(zeros, 1, sizeof zeros, file), sizeof zeros);
    assert_int_equal(fclose(file), 0);
    assert_ok(import_tree(t, "zeros", "/zeros", NULL, NULL));
    assert_int_equal(stat_of(t->fs, "/zeros").size_bytes, sizeof zeros);
    assert_int_equal(stat_of(t->fs, "/zeros").allocated_bytes, 0);
}

/* The depth is beyond what a path can name, and beyond what may be open. */
static void a_tree_may_be_deeper_than_a_path_and_than_descriptors(void **state)
{
    struct hosttree *t = *state;
    enum { LEVELS = 450 };
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    int root = open(t->root, O_RDONLY | O_DIRECTORY);
    assert_int_equal(mkdirat(root, "deep", 0755), 0);
    int directory = openat(root, "deep", O_RDONLY | O_DIRECTORY);
    close(root);
    for (int level = 0; level < LEVELS; level++) {
        assert_int_equal(mkdirat(directory, "directory", 0755), 0);
        int below = openat(directory, "directory", O_RDONLY | O_DIRECTORY);
        assert_true(below >= 0);
        close(directory);
        directory = below;
    }
    int file = openat(directory, "bottom", O_WRONLY | O_CREAT, 0644);
    assert_int_equal(write(file, "x", 1), 1);
    assert_int_equal(linkat(directory, "bottom", directory, "second", 0), 0);
    close(file);
    close(directory);

    memfs_hostdir_result result;
    assert_ok(import_tree(t, "deep", "/deep", NULL, &result));
    assert_int_equal(result.directories, LEVELS + 1);
    assert_int_equal(result.files, 2);
    assert_ok(export_tree(t, "/deep", "out", NULL, &result));
    assert_int_equal(result.directories, LEVELS + 1);
    assert_int_equal(result.links, 1);
    /* Back once more, over both. */
    memfs_hostdir_options replace = {.struct_size = sizeof replace, .flags = MEMFS_HOSTDIR_REPLACE};
    assert_ok(import_tree(t, "out", "/deep", &replace, &result));
    assert_int_equal(result.directories, LEVELS + 1);
    assert_ok(export_tree(t, "/deep", "deep", &replace, &result));
    put(t->fs, "/flat", "");
    assert_ok(export_tree(t, "/flat", "deep", &replace, &result));
    assert_ok(export_tree(t, "/flat", "out", &replace, &result));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_host_names(t, "", "deep out ");
    assert_only(t, "deep flat ");
}

static void many_files_with_several_names_stay_apart(void **state)
{
    struct hosttree *t = *state;
    enum { FILES = 200 };
    char one[32], other[32], text[32];
    host_mkdir(t, "links", 0755);
    host_mkdir(t, "links/others", 0755);
    for (int i = 0; i < FILES; i++) {
        snprintf(one, sizeof one, "links/%d", i);
        snprintf(other, sizeof other, "links/others/%d", (i * 7) % FILES);
        snprintf(text, sizeof text, "text %d", i);
        host_write(t, one, text, 0644);
        assert_int_equal(link(host(t, one), host(t, other)), 0);
    }
    memfs_hostdir_result result;
    assert_ok(import_tree(t, "links", "/links", NULL, &result));
    assert_int_equal(result.links, FILES);
    assert_int_equal(statfs_of(t->fs).files, FILES);
    assert_ok(export_tree(t, "/links", "out", NULL, &result));
    assert_int_equal(result.links, FILES);
    for (int i = 0; i < FILES; i++) {
        struct stat first, second;
        snprintf(one, sizeof one, "out/%d", i);
        snprintf(other, sizeof other, "out/others/%d", (i * 7) % FILES);
        assert_int_equal(stat(host(t, one), &first), 0);
        assert_int_equal(stat(host(t, other), &second), 0);
        assert_true(first.st_ino == second.st_ino && first.st_nlink == 2);
    }
}

/* One of its names is outside of what is imported. */
static void a_name_outside_is_not_waited_for(void **state)
{
    struct hosttree *t = *state;
    host_mkdir(t, "d", 0755);
    host_write(t, "outside", "shared", 0644);
    assert_int_equal(link(host(t, "outside"), host(t, "d/inside")), 0);
    assert_ok(import_tree(t, "d", "/d", NULL, NULL));
    assert_int_equal(stat_of(t->fs, "/d/inside").links, 1);
    assert_int_equal(statfs_of(t->fs).open_files, 0);
}

static void a_single_file_goes_in_and_out(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    host_write(t, "f", "text", 0604);
    host_set_times(t, "f", 5, 7);
    char *before = host_describe(t, "f");
    assert_ok(import_tree(t, "f", "/a/b/f", NULL, &result));
    assert_int_equal(result.files, 1);
    assert_int_equal(result.bytes, 4);
    assert_int_equal(stat_of(t->fs, "/a/b/f").mode, 0604);
    assert_ok(export_tree(t, "/a/b/f", "g", NULL, &result));
    char *after = host_describe(t, "g");
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_ok(memfs_unlink(t->fs, "/a/b/f"));
    assert_ok(import_tree(t, "g", "a/b/./f", NULL, &result));
    assert_text(t->fs, "/a/b/f", "text");
}

/* The paths of the roots are the caller's: links in them lead on. */
static void the_root_itself_may_be_a_link(void **state)
{
    struct hosttree *t = *state;
    host_make_sample(t, "sample");
    host_symlink(t, "sample", "to-sample");
    assert_ok(import_tree(t, "to-sample/sub", "/sub", NULL, NULL));
    assert_ok(import_tree(t, "to-sample", "/s", NULL, NULL));
    assert_ok(memfs_symlink(t->fs, "s/sub", "/l", 0));
    assert_ok(export_tree(t, "/l", "to-sample/new", NULL, NULL));
    assert_true(host_exists(t, "sample/new/one"));
    assert_ok(export_tree(t, "/", "whole", NULL, NULL));
    assert_true(host_exists(t, "whole/s/none/hidden"));
}

static void relative_paths_of_the_host_begin_where_the_process_is(void **state)
{
    struct hosttree *t = *state;
    int before = open(".", O_RDONLY | O_DIRECTORY);
    assert_int_equal(chdir(t->root), 0);
    put(t->fs, "/f", "text");
    memfs_hostdir_result result = {.struct_size = sizeof result};
    int error = memfs_hostdir_export(t->fs, "/f", "name", NULL, &result);
    if (error == 0)
        error = memfs_hostdir_import(t->fs, "name", "/back", NULL, &result);
    assert_int_equal(fchdir(before), 0);
    close(before);
    assert_ok(error);
    host_check_text(t, "name", "text");
    assert_text(t->fs, "/back", "text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(a_tree_of_everything_comes_back_as_it_was),
        HOST_TEST(the_tree_has_the_modes_times_and_links_of_the_host),
        HOST_TEST(special_bits_go_out_only_if_asked_for),
        HOST_TEST(holes_cost_nothing_on_either_side),
        HOST_TEST(zeros_that_are_written_become_holes_of_the_tree),
        HOST_TEST(a_tree_may_be_deeper_than_a_path_and_than_descriptors),
        HOST_TEST(many_files_with_several_names_stay_apart),
        HOST_TEST(a_name_outside_is_not_waited_for),
        HOST_TEST(a_single_file_goes_in_and_out),
        HOST_TEST(the_root_itself_may_be_a_link),
        HOST_TEST(relative_paths_of_the_host_begin_where_the_process_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
