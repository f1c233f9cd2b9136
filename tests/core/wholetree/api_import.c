/* Importing: many files, directories and symlinks appear in one step, wherever they belong. */
#include "checks.h"

#include <memfs/storage.h>

#include <stdio.h>

#define ENTRY(path_, text) \
    { \
        .struct_size = sizeof(memfs_import_entry), .path = (path_), .data = (text), \
        .size = sizeof(text) - 1, .mode = 0640 \
    }
#define DIRECTORY(path_, mode_) \
    { \
        .struct_size = sizeof(memfs_import_entry), .path = (path_), .kind = MEMFS_KIND_DIRECTORY, \
        .mode = (mode_) \
    }
#define SYMLINK(path_, target) \
    { \
        .struct_size = sizeof(memfs_import_entry), .path = (path_), .data = (target), \
        .size = sizeof(target) - 1, .kind = MEMFS_KIND_SYMLINK \
    }

#define IMPORT(fs, entries, flags) memfs_import((fs), (entries), COUNT_OF(entries), (flags), NULL)

/* Refused at entry `index`, with everything as it was. */
static void check_fails(memfs *fs, const memfs_import_entry *entries, size_t count, unsigned flags,
                        int error, size_t index, int line)
{
    char *before = fixture_describe(fs);
    size_t failed = SIZE_MAX;
    check_returns(memfs_import(fs, entries, count, flags, &failed), error, "import", __FILE__,
                  line);
    if (failed != index)
        fail_msg("line %d: entry %zu failed instead of %zu", line, failed, index);
    check_described(fs, before, "import", __FILE__, line);
}

#define assert_fails(fs, entries, flags, error, index) \
    check_fails((fs), (entries), COUNT_OF(entries), (flags), (error), (index), __LINE__)

static void entries_appear_under_several_roots_with_their_parents(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/etc", 0755));
    put(f->fs, "/etc/old", "old");
    const memfs_import_entry entries[] = {
        ENTRY("/etc/app.conf", "conf"),      ENTRY("/var/lib/app/seed", "seed"),
        DIRECTORY("/var/lib/app/d", 0700),   SYMLINK("/etc/link", "app.conf"),
        ENTRY("/var/lib/app/d/inner", "in"), ENTRY("relative", ""),
        ENTRY("/var/./log//x", "x"),
    };
    assert_ok(IMPORT(f->fs, entries, 0));
    assert_text(f->fs, "/etc/link", "conf");
    assert_text(f->fs, "/var/lib/app/seed", "seed");
    assert_text(f->fs, "/var/lib/app/d/inner", "in");
    assert_text(f->fs, "/relative", "");
    assert_text(f->fs, "/var/log/x", "x");
    assert_names(f->fs, "/", "etc var relative ");
    assert_names(f->fs, "/etc", "old app.conf link ");
    assert_names(f->fs, "/var", "lib log ");
    assert_names(f->fs, "/var/lib/app", "seed d ");
    assert_int_equal(stat_of(f->fs, "/etc/app.conf").mode, 0640);
    assert_int_equal(stat_of(f->fs, "/var/lib/app/d").mode, 0700);
    assert_int_equal(stat_of(f->fs, "/var/lib").mode, 0755);
    assert_int_equal(stat_of(f->fs, "/").links, 4);
    assert_int_equal(stat_of(f->fs, "/var/lib/app").links, 3);
    assert_int_equal(stat_of(f->fs, "/relative").links, 1);
    assert_ok(memfs_audit(f->fs));
    put(f->fs, "/var/lib/app/d/later", "l");
    assert_names(f->fs, "/var/lib/app/d", "inner later ");
}

static void no_entries_are_imported_at_once(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_import(f->fs, NULL, 0, 0, NULL));
    const memfs_import_entry none[] = {DIRECTORY("/", 0700), DIRECTORY(".", 0),
                                       DIRECTORY("/..", 1)};
    char *before = fixture_describe(f->fs);
    assert_ok(IMPORT(f->fs, none, 0));
    check_described(f->fs, before, "import", __FILE__, __LINE__);
}

static void what_is_there_is_refused_unless_it_may_be_replaced(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "old a");
    put(f->fs, "/target", "target");
    assert_ok(memfs_symlink(f->fs, "target", "/l", 0));
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    const memfs_import_entry entries[] = {ENTRY("/new", "n"), ENTRY("/l", "new l"),
                                          ENTRY("/a", "new a")};
    assert_fails(f->fs, entries, 0, MEMFS_EEXIST, 1);
    assert_ok(IMPORT(f->fs, entries, MEMFS_IMPORT_REPLACE));
    assert_text(f->fs, "/a", "new a");
    assert_text(f->fs, "/l", "new l");
    assert_false(memfs_is_symlink(f->fs, "/l"));
    assert_text(f->fs, "/target", "target");
    assert_names(f->fs, "/", "a target l d new ");
    const memfs_import_entry over_dir[] = {ENTRY("/d", "x")};
    assert_fails(f->fs, over_dir, MEMFS_IMPORT_REPLACE, MEMFS_EISDIR, 0);
    const memfs_import_entry dir_over_file[] = {DIRECTORY("/a", 0755)};
    assert_fails(f->fs, dir_over_file, MEMFS_IMPORT_REPLACE, MEMFS_EEXIST, 0);
    const memfs_import_entry below_file[] = {ENTRY("/a/x", "x")};
    assert_fails(f->fs, below_file, MEMFS_IMPORT_REPLACE, MEMFS_ENOTDIR, 0);
}

static void a_replaced_file_lives_on_in_its_handles_and_other_names(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "old");
    assert_ok(memfs_link(f->fs, "/a", "/other"));
    memfs_file *file = open_file(f->fs, "/a", MEMFS_O_RDWR);
    uint64_t number = stat_of(f->fs, "/a").number;
    const memfs_import_entry entries[] = {ENTRY("/a", "new")};
    assert_ok(IMPORT(f->fs, entries, MEMFS_IMPORT_REPLACE));
    assert_text(f->fs, "/a", "new");
    assert_text(f->fs, "/other", "old");
    assert_true(stat_of(f->fs, "/a").number != number);
    assert_int_equal(fstat_of(file).number, number);
    assert_int_equal(fstat_of(file).links, 1);
    assert_returns(memfs_pwrite(file, "OLD", 3, 0), 3);
    assert_text(f->fs, "/other", "OLD");
    assert_text(f->fs, "/a", "new");
    assert_ok(memfs_close(file));
}

static void a_locked_file_is_not_replaced(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "old");
    memfs_file *file = open_file(f->fs, "/a", MEMFS_O_READ | MEMFS_O_SHARED_LOCK);
    const memfs_import_entry entries[] = {ENTRY("/b", "b"), ENTRY("/a", "new")};
    assert_fails(f->fs, entries, MEMFS_IMPORT_REPLACE, MEMFS_EBUSY, 1);
    assert_ok(memfs_unlock(file));
    assert_ok(IMPORT(f->fs, entries, MEMFS_IMPORT_REPLACE));
    assert_ok(memfs_close(file));
}

static void a_name_that_comes_twice_is_refused(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/there", "old");
    assert_ok(memfs_mkdir(f->fs, "/real", 0755));
    assert_ok(memfs_symlink(f->fs, "real", "/way", 0));
    const memfs_import_entry twice[] = {ENTRY("/a", "1"), ENTRY("/b", "2"), ENTRY("//a", "3")};
    assert_fails(f->fs, twice, MEMFS_IMPORT_REPLACE, MEMFS_EEXIST, 2);
    const memfs_import_entry replaced_twice[] = {ENTRY("/there", "1"), ENTRY("/there", "2")};
    assert_fails(f->fs, replaced_twice, MEMFS_IMPORT_REPLACE, MEMFS_EEXIST, 1);
    const memfs_import_entry by_two_ways[] = {ENTRY("/way/x", "1"), ENTRY("/real/x", "2")};
    assert_fails(f->fs, by_two_ways, MEMFS_IMPORT_REPLACE, MEMFS_EEXIST, 1);
    const memfs_import_entry below[] = {ENTRY("/n/m/x", "1"), ENTRY("/n/m/x", "2")};
    assert_fails(f->fs, below, MEMFS_IMPORT_REPLACE, MEMFS_EEXIST, 1);
    const memfs_import_entry file_for_dir[] = {ENTRY("/n/m", "1"), ENTRY("/n/m/x", "2")};
    assert_fails(f->fs, file_for_dir, MEMFS_IMPORT_REPLACE, MEMFS_ENOTDIR, 1);
    const memfs_import_entry dir_for_file[] = {ENTRY("/n/m/x", "1"), ENTRY("/n/m", "2")};
    assert_fails(f->fs, dir_for_file, MEMFS_IMPORT_REPLACE, MEMFS_EEXIST, 1);
    const memfs_import_entry through_own_link[] = {SYMLINK("/l", "real"), ENTRY("/l/x", "2")};
    assert_fails(f->fs, through_own_link, MEMFS_IMPORT_REPLACE, MEMFS_ENOTDIR, 1);
}

static void two_ways_to_one_directory_meet_there(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/real/sub", 0755));
    assert_ok(memfs_symlink(f->fs, "real/sub", "/way", 0));
    const memfs_import_entry entries[] = {ENTRY("/way/x", "x"),    ENTRY("/real/sub/y", "y"),
                                          ENTRY("/way/../z", "z"), DIRECTORY("/way", 0700),
                                          ENTRY("/way/n/p", "p"),  ENTRY("/real/sub/n/q", "q")};
    assert_ok(IMPORT(f->fs, entries, 0));
    assert_names(f->fs, "/real/sub", "x y n ");
    assert_names(f->fs, "/real/sub/n", "p q ");
    assert_text(f->fs, "/real/z", "z");
    assert_true(memfs_is_symlink(f->fs, "/way"));
    assert_int_equal(stat_of(f->fs, "/real/sub").mode, 0755);
}

static void directories_may_come_before_or_behind_what_is_in_them(void **state)
{
    struct fixture *f = *state;
    memfs_import_entry entries[] = {
        DIRECTORY("/a/", 0700), ENTRY("/a/x", "x"),      ENTRY("/b/c/y", "y"),
        DIRECTORY("/b", 0711),  DIRECTORY("/a/.", 0701), DIRECTORY("/b/c/d/.", 0712),
    };
    entries[1].modify_ns = 77;
    entries[3].modify_ns = 88;
    assert_ok(IMPORT(f->fs, entries, 0));
    assert_int_equal(stat_of(f->fs, "/a").mode, 0701);
    assert_int_equal(stat_of(f->fs, "/b").mode, 0711);
    assert_int_equal(stat_of(f->fs, "/b/c/d").mode, 0712);
    assert_int_equal(stat_of(f->fs, "/a/x").modify_ns, 77);
    assert_int_equal(stat_of(f->fs, "/b").modify_ns, 88);
    assert_names(f->fs, "/b/c", "y d ");
}

static void what_is_invalid_is_refused_before_anything_is_looked_up(void **state)
{
    struct fixture *f = *state;
    char long_name[MEMFS_NAME_MAX + 3];
    memset(long_name, 'n', sizeof long_name);
    long_name[0] = '/';
    long_name[sizeof long_name - 1] = '\0';
    const memfs_import_entry too_long[] = {ENTRY("/a", "1"), DIRECTORY(long_name, 0)};
    assert_fails(f->fs, too_long, 0, MEMFS_ENAMETOOLONG, 1);
    const memfs_import_entry empty_path[] = {ENTRY("/a", "1"), ENTRY("", "2")};
    assert_fails(f->fs, empty_path, 0, MEMFS_ENOENT, 1);
    const memfs_import_entry null_path[] = {ENTRY(NULL, "2")};
    assert_fails(f->fs, null_path, 0, MEMFS_EINVAL, 0);
    const memfs_import_entry slash[] = {ENTRY("/a/", "1")};
    assert_fails(f->fs, slash, 0, MEMFS_EISDIR, 0);
    const memfs_import_entry dots[] = {ENTRY("/a/..", "1")};
    assert_fails(f->fs, dots, 0, MEMFS_EISDIR, 0);
    const memfs_import_entry up[] = {ENTRY("/missing/../a", "1")};
    assert_fails(f->fs, up, 0, MEMFS_ENOENT, 0);
    const memfs_import_entry empty_target[] = {SYMLINK("/a", "")};
    assert_fails(f->fs, empty_target, 0, MEMFS_ENOENT, 0);
    const memfs_import_entry nul_target[] = {SYMLINK("/a", "a\0b")};
    assert_fails(f->fs, nul_target, 0, MEMFS_EINVAL, 0);
    memfs_import_entry odd[] = {ENTRY("/a", "1"), ENTRY("/b", "2")};
    odd[1].mode = 010000;
    assert_fails(f->fs, odd, 0, MEMFS_EINVAL, 1);
    odd[1].mode = 0;
    odd[1].kind = 9;
    assert_fails(f->fs, odd, 0, MEMFS_EINVAL, 1);
    odd[1].kind = 0;
    odd[1].data = NULL;
    assert_fails(f->fs, odd, 0, MEMFS_EINVAL, 1);
    odd[1].size = 0;
    odd[1].struct_size--;
    assert_fails(f->fs, odd, 0, MEMFS_EINVAL, 1);
    odd[1].struct_size++;
    assert_fails(f->fs, odd, 2, MEMFS_EINVAL, 2);
    assert_refused(f->fs, memfs_import(f->fs, NULL, 1, 0, NULL), MEMFS_EINVAL);
    assert_returns(memfs_import(NULL, odd, 2, 0, NULL), MEMFS_EINVAL);
    assert_ok(IMPORT(f->fs, odd, 0));
}

static void dangling_links_on_the_way_are_no_parents(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_symlink(f->fs, "nowhere", "/dangling", 0));
    assert_ok(memfs_symlink(f->fs, "loop", "/loop", 0));
    const memfs_import_entry entries[] = {ENTRY("/dangling/x", "x")};
    assert_fails(f->fs, entries, 0, MEMFS_ENOENT, 0);
    const memfs_import_entry looping[] = {ENTRY("/loop/x", "x")};
    assert_fails(f->fs, looping, 0, MEMFS_ELOOP, 0);
    const memfs_import_entry directory[] = {DIRECTORY("/dangling", 0)};
    assert_fails(f->fs, directory, MEMFS_IMPORT_REPLACE, MEMFS_EEXIST, 0);
}

static void the_node_limit_counts_what_is_made_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir_parents(f->fs, "/a/b", 0755));
    const memfs_import_entry entries[] = {ENTRY("/a/b/x", "x"), ENTRY("/a/c/y", "y"),
                                          DIRECTORY("/a/b", 0)};
    const memfs_statfs_info info = statfs_of(f->fs);
    uint64_t nodes = info.files + info.directories;
    assert_ok(memfs_set_node_limit(f->fs, nodes + 2));
    assert_fails(f->fs, entries, 0, MEMFS_ENOSPC, 1);
    assert_ok(memfs_set_node_limit(f->fs, nodes + 3));
    assert_ok(IMPORT(f->fs, entries, 0));
}

/* So many files in one directory, which has `before` files already. */
static void import_many(struct fixture *f, size_t before, size_t count)
{
    char(*paths)[32] = calloc(count, sizeof *paths);
    memfs_import_entry *entries = calloc(count, sizeof *entries);
    assert_true(paths != NULL && entries != NULL);
    assert_ok(memfs_mkdir(f->fs, "/many", 0755));
    for (size_t i = 0; i < before; i++) {
        char path[32];
        snprintf(path, sizeof path, "/many/old%zu", i);
        put(f->fs, path, "old");
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(paths[i], sizeof paths[i], "/many/%zu", i);
        entries[i] = (memfs_import_entry){
            .struct_size = sizeof *entries, .path = paths[i], .data = paths[i], .size = 5};
    }
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_import(f->fs, entries, count, 0, NULL));
    /* A node, a name, bytes; beside these the growth of two directories, in larger pieces. */
    if (!f->is_pooled)
        assert_true(f->allocator.takes <= count * 3 + count / 4 + 40);
    assert_ok(memfs_audit(f->fs));
    memfs_dir *dir = open_dir(f->fs, "/many");
    memfs_dirent entry = {.struct_size = sizeof entry};
    for (size_t i = 0; i < before; i++)
        assert_int_equal(memfs_readdir(dir, &entry), 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(memfs_readdir(dir, &entry), 1);
        assert_string_equal(entry.name, paths[i] + strlen("/many/"));
    }
    assert_int_equal(memfs_readdir(dir, &entry), 0);
    assert_ok(memfs_closedir(dir));
    assert_ok(memfs_remove_tree(f->fs, "/many"));
    free(entries);
    free(paths);
}

static void a_directory_takes_many_entries_in_the_order_of_the_list(void **state)
{
    struct fixture *f = *state;
    static const size_t befores[] = {0, 1, 7, 8, 9, 28, 300}, counts[] = {1, 8, 29, 700, 5000};
    for (size_t i = 0; i < COUNT_OF(befores); i++)
        for (size_t j = 0; j < COUNT_OF(counts); j++)
            import_many(f, befores[i], counts[j]);
}

static void large_files_are_copied_once(void **state)
{
    struct fixture *f = *state;
    enum { BYTES = 1 << 20 };
    unsigned char *bytes = malloc(BYTES);
    assert_non_null(bytes);
    fill_pattern(bytes, BYTES, 4);
    memfs_import_entry entries[] = {ENTRY("/a", ""), ENTRY("/b", "")};
    entries[0].data = entries[1].data = bytes;
    entries[0].size = entries[1].size = BYTES;
    uint64_t taken = f->allocator.taken_bytes;
    assert_ok(IMPORT(f->fs, entries, 0));
    assert_true(f->allocator.taken_bytes - taken <= 2 * BYTES + BYTES / 4);
    memfs_file *file = open_file(f->fs, "/b", MEMFS_O_READ);
    check_pattern(file, BYTES, 0, 4);
    assert_ok(memfs_close(file));
    free(bytes);
}

static void a_listing_that_goes_on_meets_none_of_the_new_names(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/a", "a");
    put(f->fs, "/b", "b");
    memfs_dir *dir = open_dir(f->fs, "/");
    memfs_dirent entry = {.struct_size = sizeof entry};
    assert_int_equal(memfs_readdir(dir, &entry), 1);
    uint64_t generation = memfs_name_generation(f->fs);
    const memfs_import_entry entries[] = {ENTRY("/b", "new b"), ENTRY("/c", "c"),
                                          ENTRY("/d/e", "e")};
    assert_ok(IMPORT(f->fs, entries, MEMFS_IMPORT_REPLACE));
    assert_true(memfs_name_generation(f->fs) != generation);
    assert_int_equal(memfs_readdir(dir, &entry), 1);
    assert_string_equal(entry.name, "b");
    assert_int_equal(memfs_readdir(dir, &entry), 0);
    assert_ok(memfs_closedir(dir));
    assert_names(f->fs, "/", "a b c d ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(entries_appear_under_several_roots_with_their_parents),
        FS_TEST(no_entries_are_imported_at_once),
        FS_TEST(what_is_there_is_refused_unless_it_may_be_replaced),
        FS_TEST(a_replaced_file_lives_on_in_its_handles_and_other_names),
        FS_TEST(a_locked_file_is_not_replaced),
        FS_TEST(a_name_that_comes_twice_is_refused),
        FS_TEST(two_ways_to_one_directory_meet_there),
        FS_TEST(directories_may_come_before_or_behind_what_is_in_them),
        FS_TEST(what_is_invalid_is_refused_before_anything_is_looked_up),
        FS_TEST(dangling_links_on_the_way_are_no_parents),
        FS_TEST(the_node_limit_counts_what_is_made_and_nothing_else),
        FS_TEST(a_directory_takes_many_entries_in_the_order_of_the_list),
        FS_TEST(large_files_are_copied_once),
        FS_TEST(a_listing_that_goes_on_meets_none_of_the_new_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
