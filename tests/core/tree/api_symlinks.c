/* How a path leads to a node: symlinks, ".", "..", slashes, and the limits. */
#include "checks.h"

static void a_path_resolves_however_it_is_written(void **state)
{
    struct fixture *f = *state;
    static const char *const ways[] = {
        "/d/e/f",    "d/e/f",   "//d//e//f",   "/d/./e/./f",  "/d/../d/e/f",
        "/../d/e/f", "./d/e/f", "/d/e/../e/f", "../../d/e/f", "/./d/e/../../d/e/f"};
    assert_ok(memfs_mkdir_parents(f->fs, "/d/e", 0755));
    put(f->fs, "/d/e/f", "x");
    uint64_t number = stat_of(f->fs, "/d/e/f").number;
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        assert_int_equal(stat_of(f->fs, ways[i]).number, number);
}

static void dot_dot_at_the_root_is_the_root(void **state)
{
    struct fixture *f = *state;
    uint64_t root = stat_of(f->fs, "/").number;
    assert_int_equal(stat_of(f->fs, "/..").number, root);
    assert_int_equal(stat_of(f->fs, "/../..").number, root);
    assert_int_equal(stat_of(f->fs, "..").number, root);
    assert_int_equal(stat_of(f->fs, ".").number, root);
    assert_int_equal(stat_of(f->fs, "//").number, root);
    assert_ok(memfs_symlink(f->fs, "../../..", "/up", 0));
    assert_int_equal(stat_of(f->fs, "/up").number, root);
}

static void the_empty_path_is_no_entry(void **state)
{
    struct fixture *f = *state;
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_returns(memfs_stat(f->fs, "", &info), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_mkdir(f->fs, "", 0755), MEMFS_ENOENT);
    assert_refused(f->fs, memfs_rename(f->fs, "/", "", 0), MEMFS_ENOENT);
    assert_returns(memfs_exists(f->fs, ""), 0);
}

static void trailing_slashes_mean_a_directory(void **state)
{
    struct fixture *f = *state;
    memfs_stat_info info = {.struct_size = sizeof info};
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "d", "/sd", 0));
    assert_ok(memfs_symlink(f->fs, "f", "/sf", 0));
    assert_returns(memfs_stat(f->fs, "/f/", &info), MEMFS_ENOTDIR);
    assert_returns(memfs_lstat(f->fs, "/f/", &info), MEMFS_ENOTDIR);
    assert_returns(memfs_lstat(f->fs, "/sf/", &info), MEMFS_ENOTDIR);
    assert_returns(memfs_stat(f->fs, "/f/.", &info), MEMFS_ENOTDIR);
    assert_int_equal(stat_of(f->fs, "/d//").kind, MEMFS_KIND_DIRECTORY);
    assert_int_equal(lstat_of(f->fs, "/sd/").kind, MEMFS_KIND_DIRECTORY);
    assert_int_equal(lstat_of(f->fs, "/sd").kind, MEMFS_KIND_SYMLINK);
    assert_refused(f->fs, memfs_symlink(f->fs, "x", "/new/", 0), MEMFS_ENOENT);
}

static void a_component_that_is_a_file_is_no_directory_and_not_missing(void **state)
{
    struct fixture *f = *state;
    memfs_stat_info info = {.struct_size = sizeof info};
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_returns(memfs_stat(f->fs, "/f/x", &info), MEMFS_ENOTDIR);
    assert_returns(memfs_stat(f->fs, "/f/x/y/z", &info), MEMFS_ENOTDIR);
    assert_returns(memfs_stat(f->fs, "/s/x", &info), MEMFS_ENOTDIR);
    assert_returns(memfs_stat(f->fs, "/f/..", &info), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_mkdir(f->fs, "/f/d", 0755), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_unlink(f->fs, "/f/x"), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_rename(f->fs, "/f/x", "/y", 0), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_symlink(f->fs, "x", "/f/s", 0), MEMFS_ENOTDIR);
    assert_returns(memfs_stat(f->fs, "/none/x", &info), MEMFS_ENOENT);
}

/* ---------------------------------------------------------------- symlinks */

static void symlinks_resolve_from_where_they_lie(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/d/e", 0755));
    put(f->fs, "/d/f", "d");
    put(f->fs, "/f", "root");
    assert_ok(memfs_symlink(f->fs, "f", "/d/near", 0));
    assert_ok(memfs_symlink(f->fs, "/f", "/d/absolute", 0));
    assert_ok(memfs_symlink(f->fs, "../f", "/d/up", 0));
    assert_ok(memfs_symlink(f->fs, "..", "/d/e/parent", 0));
    assert_text(f->fs, "/d/near", "d");
    assert_text(f->fs, "/d/absolute", "root");
    assert_text(f->fs, "/d/up", "root");
    assert_text(f->fs, "/d/e/parent/f", "d");
    assert_text(f->fs, "/d/e/parent/../f", "root");
}

static void dot_dot_after_a_symlink_is_the_parent_of_where_it_led(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
    put(f->fs, "/a/f", "beside b");
    put(f->fs, "/f", "beside the link");
    assert_ok(memfs_symlink(f->fs, "/a/b", "/s", 0));
    assert_text(f->fs, "/s/../f", "beside b");
}

/* /l0 -> /l1 -> ... -> /l<count>, the last a file or directory. */
static void make_chain(memfs *fs, unsigned count)
{
    char from[8] = "/l00", to[8] = "/l00";
    for (unsigned i = 0; i < count; i++) {
        from[2] = (char)('0' + i / 10);
        from[3] = (char)('0' + i % 10);
        to[2] = (char)('0' + (i + 1) / 10);
        to[3] = (char)('0' + (i + 1) % 10);
        assert_ok(memfs_symlink(fs, to, from, 0));
    }
}

static void forty_symlinks_are_followed_and_forty_one_are_a_loop(void **state)
{
    struct fixture *f = *state;
    memfs_stat_info info = {.struct_size = sizeof info};
    make_chain(f->fs, 41);
    put(f->fs, "/l41", "the end");
    assert_text(f->fs, "/l01", "the end");
    assert_returns(memfs_stat(f->fs, "/l00", &info), MEMFS_ELOOP);
    assert_returns(memfs_truncate(f->fs, "/l00", 0), MEMFS_ELOOP);
    assert_int_equal(lstat_of(f->fs, "/l00").kind, MEMFS_KIND_SYMLINK);
    assert_returns(memfs_exists(f->fs, "/l00"), 0);
}

static void the_depth_counts_over_all_components_of_a_path(void **state)
{
    struct fixture *f = *state;
    memfs_stat_info info = {.struct_size = sizeof info};
    char path[256] = "";
    assert_ok(memfs_symlink(f->fs, ".", "/s", 0));
    for (int i = 0; i < 40; i++)
        strcat(path, "/s");
    assert_int_equal(stat_of(f->fs, path).kind, MEMFS_KIND_DIRECTORY);
    strcat(path, "/s");
    assert_returns(memfs_stat(f->fs, path, &info), MEMFS_ELOOP);
}

static void symlinks_that_lead_to_themselves_are_a_loop(void **state)
{
    struct fixture *f = *state;
    memfs_stat_info info = {.struct_size = sizeof info};
    memfs_file *file = NULL;
    assert_ok(memfs_symlink(f->fs, "self", "/self", 0));
    assert_ok(memfs_symlink(f->fs, "b", "/a", 0));
    assert_ok(memfs_symlink(f->fs, "a", "/b", 0));
    assert_returns(memfs_stat(f->fs, "/self", &info), MEMFS_ELOOP);
    assert_returns(memfs_stat(f->fs, "/self/x", &info), MEMFS_ELOOP);
    assert_returns(memfs_stat(f->fs, "/a", &info), MEMFS_ELOOP);
    assert_refused(f->fs, memfs_open(f->fs, "/a", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file),
                   MEMFS_ELOOP);
}

static void a_symlink_says_its_target_and_its_length(void **state)
{
    struct fixture *f = *state;
    char target[16];
    memset(target, '#', sizeof target);
    assert_ok(memfs_symlink(f->fs, "no/where", "/s", 0));
    assert_int_equal(lstat_of(f->fs, "/s").size_bytes, 8);
    assert_returns(memfs_readlink(f->fs, "/s", target, sizeof target), 8);
    assert_memory_equal(target, "no/where#", 9);
    assert_returns(memfs_readlink(f->fs, "/s", target, 2), 2);
    put(f->fs, "/f", "x");
    assert_returns(memfs_readlink(f->fs, "/f", target, sizeof target), MEMFS_EINVAL);
    assert_returns(memfs_readlink(f->fs, "/", target, sizeof target), MEMFS_EINVAL);
    assert_returns(memfs_readlink(f->fs, "/none", target, sizeof target), MEMFS_ENOENT);
}

static void a_symlink_over_an_existing_name_is_refused(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "x", "/s", 0));
    assert_refused(f->fs, memfs_symlink(f->fs, "y", "/f", 0), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_symlink(f->fs, "y", "/s", 0), MEMFS_EEXIST);
    assert_refused(f->fs, memfs_symlink(f->fs, "y", "/", 0), MEMFS_EEXIST);
}

static void a_target_may_be_as_long_as_a_path_but_not_empty(void **state)
{
    struct fixture *f = *state;
    static char target[MEMFS_PATH_MAX + 2], got[MEMFS_PATH_MAX + 2];
    memset(target, 't', sizeof target);
    target[MEMFS_PATH_MAX + 1] = '\0';
    assert_refused(f->fs, memfs_symlink(f->fs, target, "/s", 0), MEMFS_ENAMETOOLONG);
    assert_refused(f->fs, memfs_symlink(f->fs, "", "/s", 0), MEMFS_ENOENT);
    target[MEMFS_PATH_MAX] = '\0';
    assert_ok(memfs_symlink(f->fs, target, "/s", 0));
    assert_returns(memfs_readlink(f->fs, "/s", got, sizeof got), MEMFS_PATH_MAX);
    assert_memory_equal(got, target, MEMFS_PATH_MAX);
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_returns(memfs_stat(f->fs, "/s", &info), MEMFS_ENAMETOOLONG);
}

/* ------------------------------------------------------------------ limits */

static void a_name_of_255_bytes_is_accepted_and_of_256_refused(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    memfs_stat_info info = {.struct_size = sizeof info};
    char path[300];
    memset(path, 'n', sizeof path);
    path[0] = '/';
    path[257] = '\0';
    assert_refused(f->fs, memfs_mkdir(f->fs, path, 0755), MEMFS_ENAMETOOLONG);
    assert_refused(f->fs, memfs_symlink(f->fs, "x", path, 0), MEMFS_ENAMETOOLONG);
    assert_refused(f->fs, memfs_open(f->fs, path, MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file),
                   MEMFS_ENAMETOOLONG);
    assert_returns(memfs_stat(f->fs, path, &info), MEMFS_ENAMETOOLONG);
    path[256] = '\0';
    put(f->fs, path, "x");
    assert_text(f->fs, path, "x");
    memfs_dirent entry = {.struct_size = sizeof entry};
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_int_equal(entry.name_length, 255);
    assert_string_equal(entry.name, path + 1);
    assert_ok(memfs_closedir(dir));
}

static void a_path_of_4096_bytes_is_accepted_and_of_4097_refused(void **state)
{
    struct fixture *f = *state;
    memfs_stat_info info = {.struct_size = sizeof info};
    static char path[MEMFS_PATH_MAX + 2];
    put(f->fs, "/f", "x");
    memset(path, '/', sizeof path);
    path[MEMFS_PATH_MAX - 1] = 'f';
    path[MEMFS_PATH_MAX] = '\0';
    assert_text(f->fs, path, "x");
    path[MEMFS_PATH_MAX - 1] = '/';
    path[MEMFS_PATH_MAX] = 'f';
    path[MEMFS_PATH_MAX + 1] = '\0';
    assert_returns(memfs_stat(f->fs, path, &info), MEMFS_ENAMETOOLONG);
    assert_refused(f->fs, memfs_unlink(f->fs, path), MEMFS_ENAMETOOLONG);
    assert_refused(f->fs, memfs_rename(f->fs, "/f", path, 0), MEMFS_ENAMETOOLONG);
    assert_refused(f->fs, memfs_link(f->fs, path, "/g"), MEMFS_ENAMETOOLONG);
}

static void names_are_any_bytes_but_slash(void **state)
{
    struct fixture *f = *state;
    char path[4] = "/?";
    for (int byte = 1; byte < 256; byte++) {
        path[1] = (char)byte;
        if (byte == '/' || byte == '.')
            continue;
        assert_ok(memfs_mkdir(f->fs, path, 0755));
        assert_int_equal(stat_of(f->fs, path).kind, MEMFS_KIND_DIRECTORY);
    }
    assert_int_equal(statfs_of(f->fs).directories, 254);
    assert_ok(memfs_mkdir(f->fs, "/...", 0755));
    assert_ok(memfs_mkdir(f->fs, "/.hidden", 0755));
    assert_ok(memfs_mkdir(f->fs, "/..x", 0755));
}

static void case_and_similar_bytes_are_different_names(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/name", "lower");
    put(f->fs, "/Name", "upper");
    put(f->fs, "/n\xc3\xa4me", "composed");
    put(f->fs, "/na\xcc\x88me", "decomposed");
    assert_text(f->fs, "/name", "lower");
    assert_text(f->fs, "/Name", "upper");
    assert_text(f->fs, "/n\xc3\xa4me", "composed");
    assert_text(f->fs, "/na\xcc\x88me", "decomposed");
}

/* ---------------------------------------------------------------- realpath */

static void realpath_is_absolute_and_without_links_and_dots(void **state)
{
    struct fixture *f = *state;
    char path[64];
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
    put(f->fs, "/a/b/f", "x");
    assert_ok(memfs_symlink(f->fs, "a/b", "/s", 0));
    assert_ok(memfs_symlink(f->fs, "/s/f", "/t", 0));
    assert_returns(memfs_realpath(f->fs, "s/../b//./f", path, sizeof path), 6);
    assert_string_equal(path, "/a/b/f");
    assert_returns(memfs_realpath(f->fs, "/t", path, sizeof path), 6);
    assert_string_equal(path, "/a/b/f");
    assert_returns(memfs_realpath(f->fs, "/..", path, sizeof path), 1);
    assert_string_equal(path, "/");
}

static void the_last_component_of_a_realpath_need_not_exist(void **state)
{
    struct fixture *f = *state;
    char path[64];
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_symlink(f->fs, "a", "/s", 0));
    assert_returns(memfs_realpath(f->fs, "/s/new", path, sizeof path), 6);
    assert_string_equal(path, "/a/new");
    assert_returns(memfs_realpath(f->fs, "/none/new", path, sizeof path), MEMFS_ENOENT);
}

static void a_realpath_that_does_not_fit_is_out_of_range(void **state)
{
    struct fixture *f = *state;
    char path[8] = "as was";
    assert_ok(memfs_mkdir(f->fs, "/12345", 0755));
    assert_returns(memfs_realpath(f->fs, "/12345", path, 6), MEMFS_ERANGE);
    assert_returns(memfs_realpath(f->fs, "/12345", path, 0), MEMFS_ERANGE);
    assert_string_equal(path, "as was");
    assert_returns(memfs_realpath(f->fs, "/12345", path, 7), 6);
    assert_string_equal(path, "/12345");
}

static void the_three_questions_follow_links_and_never_fail_on_what_is_missing(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "f", "/sf", 0));
    assert_ok(memfs_symlink(f->fs, "d", "/sd", 0));
    assert_ok(memfs_symlink(f->fs, "none", "/dangling", 0));
    assert_returns(memfs_exists(f->fs, "/f"), 1);
    assert_returns(memfs_exists(f->fs, "/sf"), 1);
    assert_returns(memfs_exists(f->fs, "/dangling"), 0);
    assert_returns(memfs_exists(f->fs, "/f/x"), 0);
    assert_returns(memfs_is_file(f->fs, "/sf"), 1);
    assert_returns(memfs_is_file(f->fs, "/d"), 0);
    assert_returns(memfs_is_file(f->fs, "/none"), 0);
    assert_returns(memfs_is_dir(f->fs, "/sd"), 1);
    assert_returns(memfs_is_dir(f->fs, "/"), 1);
    assert_returns(memfs_is_dir(f->fs, "/f"), 0);
    assert_returns(memfs_is_symlink(f->fs, "/sf"), 1);
    assert_returns(memfs_is_symlink(f->fs, "/f"), 0);
    assert_returns(memfs_is_symlink(f->fs, "/none"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_path_resolves_however_it_is_written),
        FS_TEST(dot_dot_at_the_root_is_the_root),
        FS_TEST(the_empty_path_is_no_entry),
        FS_TEST(trailing_slashes_mean_a_directory),
        FS_TEST(a_component_that_is_a_file_is_no_directory_and_not_missing),
        FS_TEST(symlinks_resolve_from_where_they_lie),
        FS_TEST(dot_dot_after_a_symlink_is_the_parent_of_where_it_led),
        FS_TEST(forty_symlinks_are_followed_and_forty_one_are_a_loop),
        FS_TEST(the_depth_counts_over_all_components_of_a_path),
        FS_TEST(symlinks_that_lead_to_themselves_are_a_loop),
        FS_TEST(a_symlink_says_its_target_and_its_length),
        FS_TEST(a_symlink_over_an_existing_name_is_refused),
        FS_TEST(a_target_may_be_as_long_as_a_path_but_not_empty),
        FS_TEST(a_name_of_255_bytes_is_accepted_and_of_256_refused),
        FS_TEST(a_path_of_4096_bytes_is_accepted_and_of_4097_refused),
        FS_TEST(names_are_any_bytes_but_slash),
        FS_TEST(case_and_similar_bytes_are_different_names),
        FS_TEST(realpath_is_absolute_and_without_links_and_dots),
        FS_TEST(the_last_component_of_a_realpath_need_not_exist),
        FS_TEST(a_realpath_that_does_not_fit_is_out_of_range),
        FS_TEST(the_three_questions_follow_links_and_never_fail_on_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
