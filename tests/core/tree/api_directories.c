/* Listing directories: order, cookies, and edits meanwhile. */
#include "checks.h"

#include <stdio.h>

static void numbered(char *path, size_t size, const char *prefix, int number)
{
    assert_true(snprintf(path, size, "%s%05d", prefix, number) < (int)size);
}

static void make_files(memfs *fs, const char *prefix, int first, int end)
{
    char path[64];
    for (int i = first; i < end; i++) {
        numbered(path, sizeof path, prefix, i);
        put(fs, path, "");
    }
}

static void entries_come_in_order_of_creation_without_dots(void **state)
{
    struct fixture *f = *state;
    put(f->fs, "/zebra", "");
    assert_ok(memfs_mkdir(f->fs, "/apple", 0755));
    assert_ok(memfs_symlink(f->fs, "x", "/mango", 0));
    put(f->fs, "/banana", "");
    assert_names(f->fs, "/", "zebra apple mango banana ");
    assert_names(f->fs, "/apple", "");
    assert_ok(memfs_unlink(f->fs, "/zebra"));
    put(f->fs, "/zebra", "");
    assert_names(f->fs, "/", "apple mango banana zebra ");
}

static void an_entry_tells_number_and_kind(void **state)
{
    struct fixture *f = *state;
    memfs_dirent entry = {.struct_size = sizeof entry};
    put(f->fs, "/f", "");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "f", "/s", 0));
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_int_equal(entry.kind, MEMFS_KIND_FILE);
    assert_int_equal(entry.number, stat_of(f->fs, "/f").number);
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_int_equal(entry.kind, MEMFS_KIND_DIRECTORY);
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_int_equal(entry.kind, MEMFS_KIND_SYMLINK);
    assert_int_equal(entry.number, lstat_of(f->fs, "/s").number);
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_ok(memfs_closedir(dir));
}

static void thousands_of_names_are_all_found_and_listed_in_order(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 3000 };
    char path[64];
    memfs_dirent entry = {.struct_size = sizeof entry};
    make_files(f->fs, "/", 0, COUNT);
    memfs_dir *dir = open_dir(f->fs, "/");
    for (int i = 0; i < COUNT; i++) {
        numbered(path, sizeof path, "/", i);
        assert_returns(memfs_readdir(dir, &entry), 1);
        assert_string_equal(entry.name, path + 1);
        assert_true(is_there(f->fs, path));
    }
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_ok(memfs_closedir(dir));
    for (int i = 0; i < COUNT; i++) {
        numbered(path, sizeof path, "/", (i * 7919) % COUNT);
        assert_ok(memfs_unlink(f->fs, path));
    }
    assert_names(f->fs, "/", "");
}

/* Lists while every second step removes a name that was there at first and adds another. */
static void an_entry_that_stays_while_others_come_and_go_is_seen_exactly_once(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 600 };
    static int seen[COUNT];
    char path[64];
    memfs_dirent entry = {.struct_size = sizeof entry};
    int added = 0, result;
    memset(seen, 0, sizeof seen);
    make_files(f->fs, "/old", 0, COUNT); /* those with an even number stay */
    memfs_dir *dir = open_dir(f->fs, "/");
    int steps = 0, doomed = COUNT - 1;
    while ((result = memfs_readdir(dir, &entry)) == 1 && steps < 10 * COUNT) {
        if (strncmp(entry.name, "old", 3) == 0)
            seen[atoi(entry.name + 3)]++;
        if (steps % 2 == 0 && doomed > 0) {
            numbered(path, sizeof path, "/old", doomed);
            assert_ok(memfs_unlink(f->fs, path));
            doomed -= 2;
        }
        if (added < 2 * COUNT)
            make_files(f->fs, "/new", added, added + 3), added += 3;
        steps++;
    }
    assert_ok(result);          /* an end was reached, */
    assert_true(steps < COUNT); /* and nothing that was added meanwhile came */
    assert_true(doomed < COUNT / 2);
    for (int i = 0; i < COUNT; i += 2)
        assert_int_equal(seen[i], 1);
    for (int i = 1; i < COUNT; i += 2)
        assert_true(seen[i] <= 1);
    assert_ok(memfs_closedir(dir));
}

static void removing_each_entry_as_it_is_listed_empties_the_directory(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 500 };
    char path[300] = "/d/";
    memfs_dirent entry = {.struct_size = sizeof entry};
    int listed = 0;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    make_files(f->fs, "/d/", 0, COUNT);
    memfs_dir *dir = open_dir(f->fs, "/d");
    while (memfs_readdir(dir, &entry) == 1) {
        strcpy(path + 3, entry.name);
        assert_ok(memfs_unlink(f->fs, path));
        listed++;
    }
    assert_int_equal(listed, COUNT);
    assert_ok(memfs_closedir(dir));
    assert_ok(memfs_rmdir(f->fs, "/d"));
}

static void a_name_removed_before_its_turn_is_not_listed(void **state)
{
    struct fixture *f = *state;
    char names[64];
    memfs_dirent entry = {.struct_size = sizeof entry};
    make_files(f->fs, "/", 0, 4);
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_ok(memfs_unlink(f->fs, "/00002"));
    assert_string_equal(names_left(dir, names, sizeof names), "00001 00003 ");
    assert_ok(memfs_closedir(dir));
}

static void a_cookie_leads_back_to_its_place(void **state)
{
    struct fixture *f = *state;
    char names[256];
    memfs_dirent entry = {.struct_size = sizeof entry};
    int64_t cookies[10];
    make_files(f->fs, "/", 0, 10);
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_returns(memfs_telldir(dir), 0);
    for (int i = 0; i < 10; i++) {
        cookies[i] = memfs_telldir(dir);
        assert_true(cookies[i] >= 0);
        assert_returns(memfs_readdir(dir, &entry), 1);
        assert_returns(memfs_telldir(dir), entry.cookie);
    }
    for (int i = 9; i >= 0; i--) {
        assert_ok(memfs_seekdir(dir, cookies[i]));
        assert_returns(memfs_readdir(dir, &entry), 1);
        assert_int_equal(atoi(entry.name), i);
    }
    assert_ok(memfs_seekdir(dir, 0));
    assert_string_equal(names_left(dir, names, sizeof names),
                        "00000 00001 00002 00003 00004 00005 00006 00007 00008 00009 ");
    assert_ok(memfs_closedir(dir));
}

static void a_cookie_stays_good_after_edits(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 400 };
    char path[64];
    memfs_dirent entry = {.struct_size = sizeof entry};
    make_files(f->fs, "/", 0, COUNT);
    memfs_dir *dir = open_dir(f->fs, "/");
    for (int i = 0; i < 200; i++)
        assert_returns(memfs_readdir(dir, &entry), 1);
    int64_t cookie = memfs_telldir(dir);
    for (int i = 0; i < COUNT; i++) { /* 200, where the cookie points, goes too */
        numbered(path, sizeof path, "/", i);
        if (i % 10 != 1)
            assert_ok(memfs_unlink(f->fs, path));
    }
    make_files(f->fs, "/", COUNT, 2 * COUNT);
    assert_ok(memfs_seekdir(dir, cookie));
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_string_equal(entry.name, "00201");
    memfs_dir *another = open_dir(f->fs, "/");
    assert_ok(memfs_seekdir(another, cookie));
    assert_returns(memfs_readdir(another, &entry), 1);
    assert_string_equal(entry.name, "00201");
    assert_ok(memfs_closedir(another));
    assert_ok(memfs_closedir(dir));
}

static void a_cookie_beyond_all_entries_is_the_end_and_a_negative_one_invalid(void **state)
{
    struct fixture *f = *state;
    memfs_dirent entry = {.struct_size = sizeof entry};
    make_files(f->fs, "/", 0, 3);
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_ok(memfs_seekdir(dir, INT64_MAX));
    assert_returns(memfs_readdir(dir, &entry), 0);
    assert_returns(memfs_seekdir(dir, -1), MEMFS_EINVAL);
    assert_returns(memfs_seekdir(dir, INT64_MIN), MEMFS_EINVAL);
    assert_ok(memfs_seekdir(dir, 0));
    assert_returns(memfs_readdir(dir, &entry), 1);
    assert_ok(memfs_closedir(dir));
}

static void rewinding_shows_what_has_come_since(void **state)
{
    struct fixture *f = *state;
    char names[64];
    put(f->fs, "/a", "");
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_string_equal(names_left(dir, names, sizeof names), "a ");
    put(f->fs, "/b", "");
    assert_ok(memfs_rewinddir(dir));
    assert_string_equal(names_left(dir, names, sizeof names), "a b ");
    assert_ok(memfs_closedir(dir));
}

static void two_streams_of_one_directory_do_not_disturb_each_other(void **state)
{
    struct fixture *f = *state;
    char names[64];
    memfs_dirent entry = {.struct_size = sizeof entry};
    make_files(f->fs, "/", 0, 3);
    memfs_dir *one = open_dir(f->fs, "/");
    memfs_dir *two = open_dir(f->fs, "/");
    assert_returns(memfs_readdir(one, &entry), 1);
    assert_string_equal(names_left(two, names, sizeof names), "00000 00001 00002 ");
    assert_string_equal(names_left(one, names, sizeof names), "00001 00002 ");
    assert_ok(memfs_closedir(one));
    assert_ok(memfs_closedir(two));
}

static void a_file_is_no_directory_to_open(void **state)
{
    struct fixture *f = *state;
    memfs_dir *dir = NULL;
    memfs_list list = {.struct_size = sizeof list};
    put(f->fs, "/f", "x");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    assert_ok(memfs_symlink(f->fs, "d", "/s", 0));
    assert_returns(memfs_opendir(f->fs, "/f", &dir), MEMFS_ENOTDIR);
    assert_returns(memfs_opendir(f->fs, "/none", &dir), MEMFS_ENOENT);
    assert_returns(memfs_list_dir(f->fs, "/f", &list), MEMFS_ENOTDIR);
    assert_null(dir);
    assert_ok(memfs_opendir(f->fs, "/s", &dir));
    assert_ok(memfs_closedir(dir));
}

static void a_list_is_sorted_by_bytes_and_ends_with_null(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {.struct_size = sizeof list};
    static const char *const names[] = {"b", "B", "a", "aa", "\xff", "10", "9", ".x"};
    static const char *const sorted[] = {".x", "10", "9", "B", "a", "aa", "b", "\xff"};
    char path[8];
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "/%s", names[i]);
        put(f->fs, path, "");
    }
    uint64_t used = used_bytes(f->fs);
    assert_ok(memfs_list_dir(f->fs, "/", &list));
    assert_true(used_bytes(f->fs) > used); /* it is charged */
    assert_int_equal(list.count, COUNT_OF(sorted));
    for (size_t i = 0; i < COUNT_OF(sorted); i++)
        assert_string_equal(list.names[i], sorted[i]);
    assert_null(list.names[list.count]);
    memfs_list_free(f->fs, &list);
    assert_int_equal(used_bytes(f->fs), used);
}

static void a_list_of_nothing_is_empty(void **state)
{
    struct fixture *f = *state;
    memfs_list list = {.struct_size = sizeof list};
    assert_ok(memfs_list_dir(f->fs, "/", &list));
    assert_int_equal(list.count, 0);
    memfs_list_free(f->fs, &list);
    memfs_list_free(f->fs, NULL);
    memfs_list_free(NULL, NULL);
}

static void deleting_names_from_a_large_directory_never_allocates(void **state)
{
    struct fixture *f = *state;
    enum { COUNT = 2000 };
    char path[64];
    make_files(f->fs, "/", 0, COUNT);
    tracking_refuse(&f->allocator, 1, 1);
    for (int i = 0; i < COUNT; i++) {
        numbered(path, sizeof path, "/", (i * 7919) % COUNT);
        assert_ok(memfs_unlink(f->fs, path));
    }
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
}

static void numbers_are_never_used_again(void **state)
{
    struct fixture *f = *state;
    uint64_t last = stat_of(f->fs, "/").number;
    for (int i = 0; i < 100; i++) {
        put(f->fs, "/f", "");
        uint64_t number = stat_of(f->fs, "/f").number;
        assert_true(number > last);
        last = number;
        assert_ok(memfs_unlink(f->fs, "/f"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(entries_come_in_order_of_creation_without_dots),
        FS_TEST(an_entry_tells_number_and_kind),
        FS_TEST(thousands_of_names_are_all_found_and_listed_in_order),
        FS_TEST(an_entry_that_stays_while_others_come_and_go_is_seen_exactly_once),
        FS_TEST(removing_each_entry_as_it_is_listed_empties_the_directory),
        FS_TEST(a_name_removed_before_its_turn_is_not_listed),
        FS_TEST(a_cookie_leads_back_to_its_place),
        FS_TEST(a_cookie_stays_good_after_edits),
        FS_TEST(a_cookie_beyond_all_entries_is_the_end_and_a_negative_one_invalid),
        FS_TEST(rewinding_shows_what_has_come_since),
        FS_TEST(two_streams_of_one_directory_do_not_disturb_each_other),
        FS_TEST(a_file_is_no_directory_to_open),
        FS_TEST(a_list_is_sorted_by_bytes_and_ends_with_null),
        FS_TEST(a_list_of_nothing_is_empty),
        FS_TEST(deleting_names_from_a_large_directory_never_allocates),
        FS_TEST(numbers_are_never_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
