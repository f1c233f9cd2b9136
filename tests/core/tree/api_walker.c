/* Visiting a tree step by step: order, pruning, what stands at a step, edits in between. */
#include "checks.h"

#include <stdbool.h>

#include <stdio.h>

static memfs_walker *open_walker(memfs *fs, const char *path, unsigned flags)
{
    memfs_walker *walker = NULL;
    assert_ok(memfs_walk_open(fs, path, flags, &walker));
    assert_non_null(walker);
    return walker;
}

/* Goes to the next entry, which must have this path and event. */
static const memfs_walk_entry *step(memfs_walker *walker, int event, const char *path)
{
    const memfs_walk_entry *entry = NULL;
    assert_returns(memfs_walk_next(walker, &entry), 1);
    assert_string_equal(entry->path, path);
    assert_int_equal(entry->event, event);
    return entry;
}

static void assert_at_end(memfs_walker *walker)
{
    const memfs_walk_entry *entry = NULL;
    assert_returns(memfs_walk_next(walker, &entry), 0);
    assert_returns(memfs_walk_next(walker, &entry), 0);
    assert_null(entry);
}

static void make_tree(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/t/b/c", 0755));
    put(fs, "/t/b/c/f", "text of f");
    put(fs, "/t/z", "");
    assert_ok(memfs_symlink(fs, "b", "/t/s", 0));
    assert_ok(memfs_mkdir(fs, "/t/a", 0755));
}

static void a_walker_visits_what_a_walk_does(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t", 0);
    step(walker, MEMFS_WALK_ENTER, "/t");
    step(walker, MEMFS_WALK_ENTER, "/t/b");
    assert_int_equal(step(walker, MEMFS_WALK_ENTER, "/t/b/c")->depth, 2);
    const memfs_walk_entry *entry = step(walker, MEMFS_WALK_ENTRY, "/t/b/c/f");
    assert_string_equal(entry->name, "f");
    assert_int_equal(entry->stat->size_bytes, 9);
    step(walker, MEMFS_WALK_LEAVE, "/t/b/c");
    step(walker, MEMFS_WALK_LEAVE, "/t/b");
    step(walker, MEMFS_WALK_ENTRY, "/t/z");
    step(walker, MEMFS_WALK_ENTRY, "/t/s");
    step(walker, MEMFS_WALK_ENTER, "/t/a");
    step(walker, MEMFS_WALK_LEAVE, "/t/a");
    step(walker, MEMFS_WALK_LEAVE, "/t");
    assert_at_end(walker);
    assert_ok(memfs_walk_close(walker));
}

static void a_pruned_directory_is_left_at_once(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t", 0);
    assert_returns(memfs_walk_prune(walker), MEMFS_EINVAL); /* nowhere yet */
    step(walker, MEMFS_WALK_ENTER, "/t");
    step(walker, MEMFS_WALK_ENTER, "/t/b");
    assert_ok(memfs_walk_prune(walker));
    step(walker, MEMFS_WALK_LEAVE, "/t/b");
    assert_returns(memfs_walk_prune(walker), MEMFS_EINVAL);
    step(walker, MEMFS_WALK_ENTRY, "/t/z");
    assert_returns(memfs_walk_prune(walker), MEMFS_EINVAL);
    assert_ok(memfs_walk_close(walker));
}

static void a_link_is_followed_at_the_start_or_is_the_only_entry(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t/s", 0);
    step(walker, MEMFS_WALK_ENTER, "/t/s");
    step(walker, MEMFS_WALK_ENTER, "/t/s/c");
    assert_ok(memfs_walk_close(walker));
    walker = open_walker(f->fs, "/t/s", MEMFS_WALK_NOFOLLOW);
    char target[8];
    assert_returns(memfs_walk_readlink(walker, target, sizeof target), MEMFS_EINVAL);
    assert_int_equal(step(walker, MEMFS_WALK_ENTRY, "/t/s")->stat->kind, MEMFS_KIND_SYMLINK);
    assert_returns(memfs_walk_readlink(walker, target, sizeof target), 1);
    assert_int_equal(target[0], 'b');
    assert_at_end(walker);
    assert_ok(memfs_walk_close(walker));
    /* A slash behind it always follows. */
    walker = open_walker(f->fs, "/t/s/", MEMFS_WALK_NOFOLLOW);
    step(walker, MEMFS_WALK_ENTER, "/t/s/");
    step(walker, MEMFS_WALK_ENTER, "/t/s/c");
    assert_ok(memfs_walk_close(walker));
}

static void real_paths_have_no_links_and_no_dots(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "t/a/.././s/c/..", MEMFS_WALK_REAL_PATHS);
    step(walker, MEMFS_WALK_ENTER, "/t/b");
    assert_string_equal(step(walker, MEMFS_WALK_ENTER, "/t/b/c")->name, "c");
    assert_ok(memfs_walk_close(walker));
    walker = open_walker(f->fs, "/t/s/../s", MEMFS_WALK_REAL_PATHS | MEMFS_WALK_NOFOLLOW);
    assert_string_equal(step(walker, MEMFS_WALK_ENTRY, "/t/s")->name, "s");
    assert_ok(memfs_walk_close(walker));
    walker = open_walker(f->fs, "/t/s/c/f", MEMFS_WALK_REAL_PATHS);
    step(walker, MEMFS_WALK_ENTRY, "/t/b/c/f");
    assert_ok(memfs_walk_close(walker));
    put(f->fs, "/top", "");
    walker = open_walker(f->fs, "./top", MEMFS_WALK_REAL_PATHS);
    step(walker, MEMFS_WALK_ENTRY, "/top");
    assert_ok(memfs_walk_close(walker));
    walker = open_walker(f->fs, "/..", MEMFS_WALK_REAL_PATHS);
    step(walker, MEMFS_WALK_ENTER, "/");
    step(walker, MEMFS_WALK_ENTER, "/t");
    assert_ok(memfs_walk_close(walker));
}

static void the_file_that_is_opened_is_the_one_that_was_seen(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t/b/c/f", 0);
    memfs_file *file;
    char text[16];
    assert_returns(memfs_walk_open_file(walker, MEMFS_O_READ, &file), MEMFS_EINVAL);
    step(walker, MEMFS_WALK_ENTRY, "/t/b/c/f");
    assert_ok(memfs_rename(f->fs, "/t/b/c/f", "/moved", 0));
    put(f->fs, "/t/b/c/f", "another file");
    assert_ok(memfs_walk_open_file(walker, MEMFS_O_READ, &file));
    assert_returns(memfs_read(file, text, sizeof text), 9);
    assert_memory_equal(text, "text of f", 9);
    assert_returns(memfs_write(file, "x", 1), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    assert_returns(memfs_walk_open_file(walker, MEMFS_O_WRITE | MEMFS_O_CREATE, &file),
                   MEMFS_EINVAL);
    assert_ok(memfs_walk_open_file(walker, 0, &file)); /* to read */
    assert_returns(memfs_write(file, "x", 1), MEMFS_EBADF);
    assert_ok(memfs_close(file));
    assert_ok(memfs_unlink(f->fs, "/moved"));
    assert_returns(memfs_walk_open_file(walker, MEMFS_O_READ, &file), MEMFS_ENOENT);
    assert_ok(memfs_walk_close(walker));
}

static void what_is_no_file_is_not_opened_as_one(void **state)
{
    struct fixture *f = *state;
    memfs_file *file;
    char target[8];
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t", 0);
    step(walker, MEMFS_WALK_ENTER, "/t");
    assert_returns(memfs_walk_open_file(walker, MEMFS_O_RDWR, &file), MEMFS_EISDIR);
    assert_returns(memfs_walk_readlink(walker, target, sizeof target), MEMFS_EINVAL);
    step(walker, MEMFS_WALK_ENTER, "/t/b");
    assert_ok(memfs_walk_prune(walker));
    step(walker, MEMFS_WALK_LEAVE, "/t/b");
    step(walker, MEMFS_WALK_ENTRY, "/t/z");
    assert_returns(memfs_walk_readlink(walker, target, sizeof target), MEMFS_EINVAL);
    step(walker, MEMFS_WALK_ENTRY, "/t/s");
    assert_returns(memfs_walk_open_file(walker, MEMFS_O_READ, &file), MEMFS_ELOOP);
    assert_returns(memfs_walk_readlink(walker, NULL, 5), MEMFS_EINVAL);
    assert_returns(memfs_walk_readlink(walker, target, 0), MEMFS_EINVAL);
    assert_ok(memfs_walk_close(walker));
}

static void what_vanishes_between_two_steps_is_skipped(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t", 0);
    step(walker, MEMFS_WALK_ENTER, "/t");
    step(walker, MEMFS_WALK_ENTER, "/t/b");
    assert_ok(memfs_unlink(f->fs, "/t/z"));
    assert_ok(memfs_remove_tree(f->fs, "/t/b"));
    put(f->fs, "/t/late", "");     /* after the walk has begun: left out */
    assert_ok(memfs_audit(f->fs)); /* it counts what only the walker refers to */
    step(walker, MEMFS_WALK_LEAVE, "/t/b");
    step(walker, MEMFS_WALK_ENTRY, "/t/s");
    step(walker, MEMFS_WALK_ENTER, "/t/a");
    step(walker, MEMFS_WALK_LEAVE, "/t/a");
    assert_ok(memfs_remove_tree(f->fs, "/t"));
    assert_ok(memfs_audit(f->fs));
    step(walker, MEMFS_WALK_LEAVE, "/t");
    assert_at_end(walker);
    assert_ok(memfs_walk_close(walker));
    assert_int_equal(statfs_of(f->fs).directories, 1);
}

static void a_refused_step_is_tried_again_by_the_next_call(void **state)
{
    struct fixture *f = *state;
    if (f->is_pooled)
        skip(); /* the allocator is not asked for each step; the unpooled run has this test */
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t", 0);
    const memfs_walk_entry *entry = NULL;
    step(walker, MEMFS_WALK_ENTER, "/t");
    tracking_refuse(&f->allocator, 1, 1);
    assert_returns(memfs_walk_next(walker, &entry), MEMFS_ENOMEM);
    tracking_refuse(&f->allocator, 0, 0);
    step(walker, MEMFS_WALK_ENTER, "/t/b");
    assert_ok(memfs_walk_close(walker));
}

static void a_directory_that_cannot_be_entered_can_be_left_out(void **state)
{
    struct fixture *f = *state;
    if (f->is_pooled)
        skip();
    make_tree(f->fs);
    memfs_walker *walker = open_walker(f->fs, "/t", 0);
    const memfs_walk_entry *entry = NULL;
    step(walker, MEMFS_WALK_ENTER, "/t");
    tracking_refuse(&f->allocator, 1, 1);
    assert_returns(memfs_walk_next(walker, &entry), MEMFS_ENOMEM);
    assert_ok(memfs_walk_prune(walker));
    step(walker, MEMFS_WALK_LEAVE, "/t");
    assert_at_end(walker);
    assert_returns(memfs_walk_prune(walker), MEMFS_EINVAL);
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(memfs_walk_close(walker));
}

static void an_open_walker_keeps_the_file_system_alive_unless_that_is_forced(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    struct tracking_allocator allocator;
    memfs *fs;
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    assert_ok(memfs_create(&config, &fs));
    make_tree(fs);
    memfs_walker *first = open_walker(fs, "/t", 0);
    memfs_walker *second = open_walker(fs, "/t/b", 0);
    memfs_walker *third = open_walker(fs, "/t/b/c", 0);
    step(first, MEMFS_WALK_ENTER, "/t");
    step(first, MEMFS_WALK_ENTER, "/t/b");
    step(first, MEMFS_WALK_ENTER, "/t/b/c");
    assert_true(statfs_of(fs).class_bytes[MEMFS_CLASS_HANDLES] > 3 * sizeof(memfs_walk_entry));
    assert_returns(memfs_destroy(fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_walk_close(second));
    assert_ok(memfs_walk_close(third));
    assert_ok(memfs_remove_tree(fs, "/t"));
    assert_ok(memfs_destroy(fs, MEMFS_DESTROY_FORCE));
    tracking_assert_empty(&allocator);
}

static void bad_arguments_are_refused(void **state)
{
    struct fixture *f = *state;
    memfs_walker *walker = NULL;
    const memfs_walk_entry *entry;
    memfs_file *file;
    char target[8];
    assert_returns(memfs_walk_open(NULL, "/", 0, &walker), MEMFS_EINVAL);
    assert_returns(memfs_walk_open(f->fs, NULL, 0, &walker), MEMFS_EINVAL);
    assert_returns(memfs_walk_open(f->fs, "/", 0, NULL), MEMFS_EINVAL);
    assert_returns(memfs_walk_open(f->fs, "/", 0x80, &walker), MEMFS_EINVAL);
    assert_returns(memfs_walk_open(f->fs, "/none", 0, &walker), MEMFS_ENOENT);
    put(f->fs, "/f", "");
    assert_returns(memfs_walk_open(f->fs, "/f/", 0, &walker), MEMFS_ENOTDIR);
    assert_null(walker);
    assert_returns(memfs_walk_next(NULL, &entry), MEMFS_EBADF);
    assert_returns(memfs_walk_prune(NULL), MEMFS_EBADF);
    assert_returns(memfs_walk_open_file(NULL, MEMFS_O_READ, &file), MEMFS_EBADF);
    assert_returns(memfs_walk_readlink(NULL, target, sizeof target), MEMFS_EBADF);
    assert_returns(memfs_walk_close(NULL), MEMFS_EBADF);
    walker = open_walker(f->fs, "/f", 0);
    assert_returns(memfs_walk_next(walker, NULL), MEMFS_EINVAL);
    assert_returns(memfs_walk_open_file(walker, MEMFS_O_READ, NULL), MEMFS_EINVAL);
    assert_ok(memfs_walk_close(walker));
}

static bool glob_matches(const char *pattern, const char *path)
{
    int matches = -1;
    assert_ok(memfs_glob_match(pattern, path, &matches));
    assert_true(matches == 0 || matches == 1);
    return matches == 1;
}

static void a_path_is_matched_without_looking_it_up(void **state)
{
    (void)state;
    int matches = 7;
    assert_true(glob_matches("*.c", "main.c"));
    assert_false(glob_matches("*.c", "src/main.c"));
    assert_true(glob_matches("**/*.c", "src/deep/main.c"));
    assert_true(glob_matches("**/*.c", "main.c"));
    assert_true(glob_matches("/a/[!x]", "/a/b"));
    assert_returns(memfs_glob_match("[", "[", &matches), MEMFS_EINVAL);
    assert_returns(memfs_glob_match(NULL, "a", &matches), MEMFS_EINVAL);
    assert_returns(memfs_glob_match("a", NULL, &matches), MEMFS_EINVAL);
    assert_returns(memfs_glob_match("a", "a", NULL), MEMFS_EINVAL);
    assert_int_equal(matches, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_walker_visits_what_a_walk_does),
        FS_TEST(a_pruned_directory_is_left_at_once),
        FS_TEST(a_link_is_followed_at_the_start_or_is_the_only_entry),
        FS_TEST(real_paths_have_no_links_and_no_dots),
        FS_TEST(the_file_that_is_opened_is_the_one_that_was_seen),
        FS_TEST(what_is_no_file_is_not_opened_as_one),
        FS_TEST(what_vanishes_between_two_steps_is_skipped),
        FS_TEST(a_refused_step_is_tried_again_by_the_next_call),
        FS_TEST(a_directory_that_cannot_be_entered_can_be_left_out),
        cmocka_unit_test(an_open_walker_keeps_the_file_system_alive_unless_that_is_forced),
        FS_TEST(bad_arguments_are_refused),
        cmocka_unit_test(a_path_is_matched_without_looking_it_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
