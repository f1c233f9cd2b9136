/* Paths relative to an open directory. */
#include "checks.h"

struct place {
    memfs *fs;
    memfs_dir *at;
};

static struct place enter(struct fixture *f, const char *path)
{
    assert_ok(memfs_mkdir_parents(f->fs, path, 0755));
    return (struct place){f->fs, open_dir(f->fs, path)};
}

static void every_call_starts_at_the_directory_it_is_given(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/a/b");
    memfs_file *file = NULL;
    memfs_dir *dir = NULL;
    memfs_stat_info info = {.struct_size = sizeof info};
    char target[8];
    assert_ok(memfs_mkdirat(p.fs, p.at, "d", 0700));
    assert_ok(memfs_openat(p.fs, p.at, "d/f", MEMFS_O_RDWR | MEMFS_O_CREATE, 0600, &file));
    assert_ok(memfs_close(file));
    assert_int_equal(stat_of(p.fs, "/a/b/d/f").mode, 0600);
    assert_ok(memfs_symlinkat(p.fs, "d/f", p.at, "s", 0));
    assert_returns(memfs_readlinkat(p.fs, p.at, "s", target, sizeof target), 3);
    assert_ok(memfs_statat(p.fs, p.at, "s", &info, 0));
    assert_int_equal(info.kind, MEMFS_KIND_FILE);
    assert_ok(memfs_statat(p.fs, p.at, "s", &info, MEMFS_AT_NOFOLLOW));
    assert_int_equal(info.kind, MEMFS_KIND_SYMLINK);
    assert_ok(memfs_linkat(p.fs, p.at, "d/f", p.at, "g", 0));
    assert_ok(memfs_renameat(p.fs, p.at, "g", p.at, "h", 0));
    assert_ok(memfs_chmodat(p.fs, p.at, "h", 0640, 0));
    assert_ok(memfs_chownat(p.fs, p.at, "h", 3, 4, 0));
    assert_ok(memfs_utimensat(p.fs, p.at, "h", 5, 6, 0));
    info = stat_of(p.fs, "/a/b/h");
    assert_int_equal(info.mode, 0640);
    assert_int_equal(info.gid, 4);
    assert_int_equal(info.modify_ns, 6);
    assert_ok(memfs_opendirat(p.fs, p.at, "d", &dir));
    assert_ok(memfs_closedir(dir));
    assert_names(p.fs, "/a/b", "d s h ");
    assert_ok(memfs_unlinkat(p.fs, p.at, "h", 0));
    assert_ok(memfs_unlinkat(p.fs, p.at, "d/f", 0));
    assert_ok(memfs_unlinkat(p.fs, p.at, "d", MEMFS_AT_REMOVEDIR));
    assert_names(p.fs, "/a/b", "s ");
    assert_ok(memfs_closedir(p.at));
}

static void an_absolute_path_starts_at_the_root_all_the_same(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/a");
    assert_ok(memfs_mkdirat(p.fs, p.at, "/top", 0755));
    assert_int_equal(stat_of(p.fs, "/top").kind, MEMFS_KIND_DIRECTORY);
    assert_ok(memfs_closedir(p.at));
}

/* What can be reached is the directory itself, and nothing has a name in it or gets one. */
static void a_removed_directory_is_still_dot(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/gone");
    memfs_stat_info info = {.struct_size = sizeof info};
    memfs_file *file;
    memfs_dir *again;
    memfs_dirent entry = {.struct_size = sizeof entry};
    uint64_t number = stat_of(f->fs, "/gone").number;
    put(f->fs, "/f", "");
    assert_ok(memfs_rmdir(f->fs, "/gone"));
    assert_ok(memfs_statat(p.fs, p.at, ".", &info, 0));
    assert_int_equal(info.number, number);
    assert_int_equal(info.links, 0);
    assert_ok(memfs_statat(p.fs, p.at, "./.", &info, 0));
    assert_ok(memfs_statat(p.fs, p.at, "/f", &info, 0));
    assert_ok(memfs_opendirat(p.fs, p.at, ".", &again));
    assert_returns(memfs_readdir(again, &entry), 0);
    assert_ok(memfs_closedir(again));
    assert_returns(memfs_statat(p.fs, p.at, "..", &info, 0), MEMFS_ENOENT);
    assert_returns(memfs_statat(p.fs, p.at, "x", &info, 0), MEMFS_ENOENT);
    assert_returns(memfs_mkdirat(p.fs, p.at, "x", 0755), MEMFS_ENOENT);
    assert_returns(memfs_openat(p.fs, p.at, "x", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file),
                   MEMFS_ENOENT);
    assert_returns(memfs_symlinkat(p.fs, "f", p.at, "x", 0), MEMFS_ENOENT);
    assert_returns(memfs_linkat(p.fs, NULL, "/f", p.at, "x", 0), MEMFS_ENOENT);
    assert_returns(memfs_renameat(p.fs, NULL, "/f", p.at, "x", 0), MEMFS_ENOENT);
    assert_returns(memfs_renameat(p.fs, NULL, "/f", p.at, "x/y", MEMFS_RENAME_MAKE_PARENTS),
                   MEMFS_ENOENT);
    assert_ok(memfs_closedir(p.at));
}

static void without_a_directory_a_relative_path_starts_at_the_root(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdirat(f->fs, NULL, "top", 0755));
    assert_int_equal(stat_of(f->fs, "/top").kind, MEMFS_KIND_DIRECTORY);
    assert_ok(memfs_renameat(f->fs, NULL, "top", NULL, "bottom", 0));
    assert_true(is_there(f->fs, "/bottom"));
}

static void the_directory_itself_is_dot_and_its_parent_dot_dot(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/a/b");
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_statat(p.fs, p.at, ".", &info, 0));
    assert_int_equal(info.number, stat_of(p.fs, "/a/b").number);
    assert_ok(memfs_statat(p.fs, p.at, "..", &info, 0));
    assert_int_equal(info.number, stat_of(p.fs, "/a").number);
    assert_ok(memfs_statat(p.fs, p.at, "../..", &info, 0));
    assert_int_equal(info.number, stat_of(p.fs, "/").number);
    assert_returns(memfs_statat(p.fs, p.at, "", &info, 0), MEMFS_ENOENT);
    assert_ok(memfs_closedir(p.at));
}

static void the_directory_may_move_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/a/b");
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_mkdir(p.fs, "/c", 0755));
    assert_ok(memfs_rename(p.fs, "/a/b", "/c/moved", 0));
    assert_ok(memfs_mkdirat(p.fs, p.at, "d", 0755));
    assert_true(is_there(p.fs, "/c/moved/d"));
    assert_ok(memfs_statat(p.fs, p.at, "..", &info, 0));
    assert_int_equal(info.number, stat_of(p.fs, "/c").number);
    assert_ok(memfs_closedir(p.at));
}

static void names_move_between_two_open_directories(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/a"), q = enter(f, "/b");
    put(f->fs, "/a/f", "x");
    assert_ok(memfs_renameat(f->fs, p.at, "f", q.at, "g", 0));
    assert_text(f->fs, "/b/g", "x");
    assert_ok(memfs_linkat(f->fs, q.at, "g", p.at, "h", 0));
    assert_text(f->fs, "/a/h", "x");
    memfs_file *file = open_file(f->fs, "/b/g", MEMFS_O_READ);
    assert_ok(memfs_link_file(file, p.at, "i"));
    assert_text(f->fs, "/a/i", "x");
    assert_ok(memfs_close(file));
    assert_ok(memfs_closedir(p.at));
    assert_ok(memfs_closedir(q.at));
}

static void removedir_says_which_of_the_two_removals_is_meant(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/a");
    put(f->fs, "/a/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/a/d", 0755));
    assert_refused(f->fs, memfs_unlinkat(p.fs, p.at, "d", 0), MEMFS_EISDIR);
    assert_refused(f->fs, memfs_unlinkat(p.fs, p.at, "f", MEMFS_AT_REMOVEDIR), MEMFS_ENOTDIR);
    assert_refused(f->fs, memfs_unlinkat(p.fs, p.at, ".", MEMFS_AT_REMOVEDIR), MEMFS_EINVAL);
    assert_ok(memfs_closedir(p.at));
}

static void linkat_follows_a_symlink_only_if_told(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/f", "x");
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    assert_ok(memfs_linkat(f->fs, NULL, "/s", NULL, "/link of link", 0));
    assert_ok(memfs_linkat(f->fs, NULL, "/s", NULL, "/link of file", MEMFS_AT_FOLLOW));
    assert_int_equal(lstat_of(f->fs, "/link of link").kind, MEMFS_KIND_SYMLINK);
    assert_int_equal(lstat_of(f->fs, "/link of file").kind, MEMFS_KIND_FILE);
}

static void flags_that_a_function_does_not_know_are_invalid(void **state)
{
    struct fixture *f = *state;
    struct place p = enter(f, "/a");
    memfs_stat_info info = {.struct_size = sizeof info};
    put(f->fs, "/a/f", "x");
    assert_refused(p.fs, memfs_statat(p.fs, p.at, "f", &info, 8), MEMFS_EINVAL);
    assert_refused(p.fs, memfs_statat(p.fs, p.at, "f", &info, MEMFS_AT_REMOVEDIR), MEMFS_EINVAL);
    assert_refused(p.fs, memfs_unlinkat(p.fs, p.at, "f", MEMFS_AT_FOLLOW), MEMFS_EINVAL);
    assert_refused(p.fs, memfs_unlinkat(p.fs, p.at, "f", 0x80000000u), MEMFS_EINVAL);
    assert_refused(p.fs, memfs_linkat(p.fs, p.at, "f", p.at, "g", MEMFS_AT_REMOVEDIR),
                   MEMFS_EINVAL);
    assert_refused(p.fs, memfs_renameat(p.fs, p.at, "f", p.at, "g", 16), MEMFS_EINVAL);
    assert_refused(p.fs, memfs_chmodat(p.fs, p.at, "f", 0600, 8), MEMFS_EINVAL);
    assert_refused(p.fs, memfs_chownat(p.fs, p.at, "f", 1, 1, 8), MEMFS_EINVAL);
    assert_refused(p.fs, memfs_utimensat(p.fs, p.at, "f", 1, 1, 8), MEMFS_EINVAL);
    assert_ok(memfs_closedir(p.at));
}

static void a_directory_of_another_file_system_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_file *file = NULL;
    memfs_dir *dir = NULL;
    memfs_stat_info info = {.struct_size = sizeof info};
    char buffer[8];
    put(f->fs, "/f", "x");
    put(f->other, "/f", "y");
    memfs_dir *strange = open_dir(f->other, "/");
    memfs_open_options options = {.struct_size = sizeof options, .at = strange};
    assert_refused(f->fs, memfs_openat(f->fs, strange, "f", MEMFS_O_READ, 0, &file), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_open_with(f->fs, "f", &options, &file), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_statat(f->fs, strange, "f", &info, 0), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_mkdirat(f->fs, strange, "d", 0755), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_unlinkat(f->fs, strange, "f", 0), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_renameat(f->fs, strange, "f", NULL, "g", 0), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_renameat(f->fs, NULL, "f", strange, "g", 0), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_linkat(f->fs, NULL, "f", strange, "g", 0), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_symlinkat(f->fs, "x", strange, "g", 0), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_readlinkat(f->fs, strange, "f", buffer, 8), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_opendirat(f->fs, strange, "/", &dir), MEMFS_EXDEV);
    assert_refused(f->fs, memfs_chmodat(f->fs, strange, "f", 0600, 0), MEMFS_EXDEV);
    memfs_file *own = open_file(f->fs, "/f", MEMFS_O_READ);
    assert_refused(f->fs, memfs_link_file(own, strange, "g"), MEMFS_EXDEV);
    assert_ok(memfs_close(own));
    assert_ok(memfs_closedir(strange));
    assert_text(f->other, "/f", "y");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(every_call_starts_at_the_directory_it_is_given),
        FS_TEST(an_absolute_path_starts_at_the_root_all_the_same),
        FS_TEST(a_removed_directory_is_still_dot),
        FS_TEST(without_a_directory_a_relative_path_starts_at_the_root),
        FS_TEST(the_directory_itself_is_dot_and_its_parent_dot_dot),
        FS_TEST(the_directory_may_move_meanwhile),
        FS_TEST(names_move_between_two_open_directories),
        FS_TEST(removedir_says_which_of_the_two_removals_is_meant),
        FS_TEST(linkat_follows_a_symlink_only_if_told),
        FS_TEST(flags_that_a_function_does_not_know_are_invalid),
        FS_TEST(a_directory_of_another_file_system_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
