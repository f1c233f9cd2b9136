/*
 * Streams and walks end at what was there when they began, and meet each entry at most once,
 * whatever is renamed, replaced, copied or restored meanwhile.  And what a directory costs goes
 * with the names that are there.
 */
#include "checks.h"

#include <stdio.h>

enum { COUNT = 300, STEPS_MAX = 20 * COUNT };

static void make_numbered(memfs *fs, const char *prefix, int count)
{
    char path[64];
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s%d", prefix, i);
        put(fs, path, "");
    }
}

/* How often the node with a number, and the name ending in a number, was met. */
struct sightings {
    int of_node[8 * COUNT];
    int of_name[8 * COUNT];
    int all;
};

static void sight(struct sightings *s, uint64_t number, const char *name)
{
    assert_true(number < 8 * COUNT);
    assert_true(++s->of_node[number] <= 1);
    size_t digits = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    assert_true(++s->of_name[atoi(name + digits)] <= 1);
    s->all++;
}

/* Renames each entry as it is listed, to a name that begins with `to_prefix`. */
static void rename_while_listing(struct fixture *f, const char *to_prefix, unsigned flags)
{
    static struct sightings s;
    char from[300], to[300];
    memfs_dirent entry = {.struct_size = sizeof entry};
    memset(&s, 0, sizeof s);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    make_numbered(f->fs, "/d/f", COUNT);
    memfs_dir *dir = open_dir(f->fs, "/d");
    int result;
    while ((result = memfs_readdir(dir, &entry)) == 1) {
        sight(&s, entry.number, entry.name);
        snprintf(from, sizeof from, "/d/%s", entry.name);
        snprintf(to, sizeof to, "%s%s", to_prefix, entry.name + 1);
        assert_ok(memfs_rename(f->fs, from, to, flags));
    }
    assert_ok(result);
    assert_int_equal(s.all, COUNT);
    assert_ok(memfs_closedir(dir));
}

static void a_stream_ends_though_every_entry_gets_a_new_name(void **state)
{
    rename_while_listing(*state, "/d/n", 0);
}

static void a_stream_ends_though_every_entry_gets_a_longer_name(void **state)
{
    rename_while_listing(*state, "/d/nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", 0);
}

static void a_stream_ends_though_every_entry_is_moved_away(void **state)
{
    struct fixture *f = *state;
    assert_ok(memfs_mkdir(f->fs, "/e", 0755));
    rename_while_listing(f, "/e/n", 0);
    assert_names(f->fs, "/d", "");
}

/* Each listed file replaces another one of the directory, before or behind it. */
static void a_replacement_in_the_directory_brings_neither_name_nor_node_again(void **state)
{
    struct fixture *f = *state;
    for (int step = -COUNT / 2; step <= COUNT / 2; step += 37) {
        static struct sightings s;
        char from[300], to[300];
        memfs_dirent entry = {.struct_size = sizeof entry};
        memset(&s, 0, sizeof s);
        if (is_there(f->fs, "/d"))
            assert_ok(memfs_remove_tree(f->fs, "/d"));
        assert_ok(memfs_mkdir(f->fs, "/d", 0755));
        uint64_t first = stat_of(f->fs, "/d").number;
        make_numbered(f->fs, "/d/f", COUNT);
        memfs_dir *dir = open_dir(f->fs, "/d");
        while (memfs_readdir(dir, &entry) == 1) {
            sight(&s, entry.number - first, entry.name);
            int number = atoi(entry.name + 1), target = (number + step + COUNT) % COUNT;
            snprintf(from, sizeof from, "/d/f%d", number);
            snprintf(to, sizeof to, "/d/f%d", target);
            if (is_there(f->fs, to) && target != number)
                assert_ok(memfs_rename(f->fs, from, to, 0));
        }
        assert_ok(memfs_closedir(dir));
    }
}

/* The usual way to replace a file safely: write another one, then rename it over the first. */
static void a_name_that_is_replaced_from_a_new_file_comes_exactly_once(void **state)
{
    struct fixture *f = *state;
    static struct sightings s;
    char path[300];
    memfs_dirent entry = {.struct_size = sizeof entry};
    memset(&s, 0, sizeof s);
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    make_numbered(f->fs, "/d/f", COUNT);
    memfs_dir *dir = open_dir(f->fs, "/d");
    for (int i = 0; memfs_readdir(dir, &entry) == 1; i++) {
        size_t digits = strspn(entry.name, "f");
        assert_int_equal(++s.of_name[atoi(entry.name + digits)], 1);
        s.all++;
        snprintf(path, sizeof path, "/d/f%d", (i * 7) % COUNT);
        put(f->fs, "/d/temporary", "new");
        assert_ok(memfs_rename(f->fs, "/d/temporary", path, 0));
    }
    assert_int_equal(s.all, COUNT);
    assert_ok(memfs_closedir(dir));
}

static void a_rewound_stream_begins_anew_and_a_sought_one_keeps_its_end(void **state)
{
    struct fixture *f = *state;
    memfs_dirent entry = {.struct_size = sizeof entry};
    make_numbered(f->fs, "/f", 3);
    memfs_dir *dir = open_dir(f->fs, "/");
    assert_returns(memfs_readdir(dir, &entry), 1);
    int64_t cookie = (int64_t)entry.cookie;
    put(f->fs, "/new", "");
    for (int i = 0; i < 2; i++) {
        assert_returns(memfs_readdir(dir, &entry), 1);
        assert_returns(memfs_readdir(dir, &entry), 1);
        assert_string_equal(entry.name, "f2");
        assert_returns(memfs_readdir(dir, &entry), 0);
        assert_ok(memfs_seekdir(dir, cookie));
    }
    assert_ok(memfs_rewinddir(dir));
    for (int i = 0; i < 4; i++)
        assert_returns(memfs_readdir(dir, &entry), 1);
    assert_string_equal(entry.name, "new");
    assert_ok(memfs_closedir(dir));
}

struct moving_walk {
    memfs *fs;
    struct sightings seen;
    int copies;
    int (*edit)(struct moving_walk *walk, const memfs_walk_entry *entry);
};

static int visit_and_edit(void *context, const memfs_walk_entry *entry)
{
    struct moving_walk *walk = context;
    if (entry->event != MEMFS_WALK_ENTRY)
        return MEMFS_WALK_CONTINUE;
    assert_true(walk->seen.all < STEPS_MAX);
    sight(&walk->seen, entry->stat->number, entry->name);
    return walk->edit(walk, entry);
}

/* Into a directory that the walk enters later. */
static int move_ahead(struct moving_walk *walk, const memfs_walk_entry *entry)
{
    char to[300];
    snprintf(to, sizeof to, "/z/%s", entry->name);
    if (strncmp(entry->path, "/z/", 3) != 0)
        assert_ok(memfs_rename(walk->fs, entry->path, to, 0));
    return MEMFS_WALK_CONTINUE;
}

static int copy_beside(struct moving_walk *walk, const memfs_walk_entry *entry)
{
    char to[300];
    snprintf(to, sizeof to, "%s.copy", entry->path);
    assert_ok(memfs_copy(walk->fs, entry->path, to, 0));
    walk->copies++;
    return MEMFS_WALK_CONTINUE;
}

/* A whole tree beside the one that is walked, and restores it. */
static int restore(struct moving_walk *walk, const memfs_walk_entry *entry)
{
    (void)entry;
    if (walk->copies++ == 10)
        assert_ok(memfs_snapshot_restore(walk->fs, "s"));
    return MEMFS_WALK_CONTINUE;
}

static void walk_and_edit(struct fixture *f,
                          int (*edit)(struct moving_walk *walk, const memfs_walk_entry *entry),
                          int least, int most)
{
    static struct moving_walk walk;
    memset(&walk, 0, sizeof walk);
    walk.fs = f->fs;
    walk.edit = edit;
    assert_ok(memfs_mkdir(f->fs, "/a", 0755));
    assert_ok(memfs_mkdir(f->fs, "/z", 0755));
    make_numbered(f->fs, "/a/f", COUNT);
    assert_ok(memfs_snapshot_take(f->fs, "s"));
    assert_ok(memfs_walk(f->fs, "/", visit_and_edit, &walk));
    assert_true(walk.seen.all >= least && walk.seen.all <= most);
    assert_ok(memfs_snapshot_remove(f->fs, "s"));
}

static void a_walk_meets_a_file_once_that_is_moved_ahead_of_it(void **state)
{
    walk_and_edit(*state, move_ahead, COUNT, COUNT);
}

static void a_walk_does_not_meet_the_copies_that_are_made_of_what_it_meets(void **state)
{
    walk_and_edit(*state, copy_beside, COUNT, COUNT);
}

static void a_walk_does_not_meet_what_is_restored_meanwhile(void **state)
{
    walk_and_edit(*state, restore, 11, 11);
}

/* Bytes of names, of a directory that has had many and has one. */
static void what_a_directory_costs_goes_with_the_names_that_are_there(void **state)
{
    struct fixture *f = *state;
    enum { NAMES = 10000, BYTES_LEFT = 1024 };
    char path[64];
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    uint64_t before = statfs_of(f->fs).class_bytes[MEMFS_CLASS_NAMES];
    make_numbered(f->fs, "/d/f", NAMES);
    for (int i = 0; i < NAMES - 1; i++) {
        snprintf(path, sizeof path, "/d/f%d", i);
        assert_ok(memfs_unlink(f->fs, path));
    }
    for (int i = 0; i < NAMES; i++) {
        put(f->fs, "/d/x", "");
        assert_ok(memfs_unlink(f->fs, "/d/x"));
    }
    assert_true(statfs_of(f->fs).class_bytes[MEMFS_CLASS_NAMES] <= before + BYTES_LEFT);
    assert_ok(memfs_unlink(f->fs, "/d/f9999"));
    assert_true(statfs_of(f->fs).class_bytes[MEMFS_CLASS_NAMES] == before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_stream_ends_though_every_entry_gets_a_new_name),
        FS_TEST(a_stream_ends_though_every_entry_gets_a_longer_name),
        FS_TEST(a_stream_ends_though_every_entry_is_moved_away),
        FS_TEST(a_replacement_in_the_directory_brings_neither_name_nor_node_again),
        FS_TEST(a_name_that_is_replaced_from_a_new_file_comes_exactly_once),
        FS_TEST(a_rewound_stream_begins_anew_and_a_sought_one_keeps_its_end),
        FS_TEST(a_walk_meets_a_file_once_that_is_moved_ahead_of_it),
        FS_TEST(a_walk_does_not_meet_the_copies_that_are_made_of_what_it_meets),
        FS_TEST(a_walk_does_not_meet_what_is_restored_meanwhile),
        FS_TEST(what_a_directory_costs_goes_with_the_names_that_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
