/* Visiting a tree: order, pruning, stopping, and edits on the way. */
#include "checks.h"

#include <stdio.h>

struct visit {
    memfs *fs;
    char text[8192];
    const char *prune, *stop; /* a name at which to do so, or null */
    int stop_with;
    int (*edit)(struct visit *visit, const memfs_walk_entry *entry);
    int calls;
};

static int note(void *context, const memfs_walk_entry *entry)
{
    struct visit *visit = context;
    static const char signs[] = "?-+=";
    size_t length = strlen(visit->text);
    snprintf(visit->text + length, sizeof visit->text - length, "%c%s:%u ", signs[entry->event & 3],
             entry->path, entry->depth);
    visit->calls++;
    if (visit->edit != NULL)
        return visit->edit(visit, entry);
    if (visit->stop != NULL && strcmp(entry->name, visit->stop) == 0)
        return visit->stop_with;
    if (visit->prune != NULL && strcmp(entry->name, visit->prune) == 0 &&
        entry->event == MEMFS_WALK_ENTER)
        return MEMFS_WALK_PRUNE;
    return MEMFS_WALK_CONTINUE;
}

static void make_tree(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/t/b/c", 0755));
    put(fs, "/t/b/c/f", "");
    put(fs, "/t/z", "");
    assert_ok(memfs_symlink(fs, "b", "/t/s", 0));
    assert_ok(memfs_mkdir(fs, "/t/a", 0755));
}

static void a_walk_is_depth_first_in_order_of_creation(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs};
    make_tree(f->fs);
    assert_ok(memfs_walk(f->fs, "/t", note, &visit));
    assert_string_equal(visit.text, "+/t:0 +/t/b:1 +/t/b/c:2 -/t/b/c/f:3 =/t/b/c:2 =/t/b:1 "
                                    "-/t/z:1 -/t/s:1 +/t/a:1 =/t/a:1 =/t:0 ");
}

static void a_walk_of_the_root_gives_good_paths(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs};
    put(f->fs, "/f", "");
    assert_ok(memfs_walk(f->fs, "/", note, &visit));
    assert_string_equal(visit.text, "+/:0 -/f:1 =/:0 ");
}

static void a_walk_of_a_file_is_that_file(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs};
    put(f->fs, "/f", "");
    assert_ok(memfs_walk(f->fs, "/f", note, &visit));
    assert_string_equal(visit.text, "-/f:0 ");
    assert_returns(memfs_walk(f->fs, "/none", note, &visit), MEMFS_ENOENT);
    assert_int_equal(visit.calls, 1);
}

static int check_stat(void *context, const memfs_walk_entry *entry)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    assert_ok(memfs_lstat(context, entry->path, &info));
    assert_int_equal(info.number, entry->stat->number);
    assert_int_equal(info.kind, entry->stat->kind);
    assert_int_equal(info.size_bytes, entry->stat->size_bytes);
    assert_int_equal(info.links, entry->stat->links);
    assert_int_equal(info.kind == MEMFS_KIND_DIRECTORY, entry->event != MEMFS_WALK_ENTRY);
    return MEMFS_WALK_CONTINUE;
}

static void each_entry_comes_with_its_stat(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    put_pattern(f->fs, "/t/a/big", 5000, 1);
    assert_ok(memfs_walk(f->fs, "/t", check_stat, f->fs));
}

static void a_pruned_directory_is_left_but_not_entered(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs, .prune = "b"};
    make_tree(f->fs);
    assert_ok(memfs_walk(f->fs, "/t", note, &visit));
    assert_string_equal(visit.text, "+/t:0 +/t/b:1 =/t/b:1 -/t/z:1 -/t/s:1 +/t/a:1 =/t/a:1 =/t:0 ");
}

static void a_stopped_walk_ends_at_once_and_says_so(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs, .stop = "c", .stop_with = MEMFS_WALK_STOP};
    make_tree(f->fs);
    assert_returns(memfs_walk(f->fs, "/t", note, &visit), MEMFS_WALK_STOP);
    assert_string_equal(visit.text, "+/t:0 +/t/b:1 +/t/b/c:2 ");
}

static void a_negative_return_ends_the_walk_with_that_error(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs, .stop = "f", .stop_with = -77};
    make_tree(f->fs);
    assert_returns(memfs_walk(f->fs, "/t", note, &visit), -77);
    assert_int_equal(visit.calls, 4);
}

static void a_symlink_is_followed_at_the_start_and_not_below(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs};
    make_tree(f->fs);
    assert_ok(memfs_walk(f->fs, "/t/s", note, &visit));
    assert_string_equal(visit.text, "+/t/s:0 +/t/s/c:1 -/t/s/c/f:2 =/t/s/c:1 =/t/s:0 ");
}

static int remove_z_at_c(struct visit *visit, const memfs_walk_entry *entry)
{
    if (strcmp(entry->name, "c") == 0 && entry->event == MEMFS_WALK_ENTER) {
        assert_ok(memfs_unlink(visit->fs, "/t/z"));
        assert_ok(memfs_unlink(visit->fs, "/t/b/c/f"));
        assert_ok(memfs_rmdir(visit->fs, "/t/a"));
    }
    return MEMFS_WALK_CONTINUE;
}

static void what_vanishes_before_its_turn_is_skipped(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs, .edit = remove_z_at_c};
    make_tree(f->fs);
    assert_ok(memfs_walk(f->fs, "/t", note, &visit));
    assert_string_equal(visit.text, "+/t:0 +/t/b:1 +/t/b/c:2 =/t/b/c:2 =/t/b:1 -/t/s:1 =/t:0 ");
}

static int remove_on_the_way_out(struct visit *visit, const memfs_walk_entry *entry)
{
    if (entry->event == MEMFS_WALK_ENTRY)
        assert_ok(memfs_unlink(visit->fs, entry->path));
    if (entry->event == MEMFS_WALK_LEAVE && entry->depth > 0)
        assert_ok(memfs_rmdir(visit->fs, entry->path));
    return MEMFS_WALK_CONTINUE;
}

static void a_walk_can_remove_what_it_visits(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs, .edit = remove_on_the_way_out};
    make_tree(f->fs);
    assert_ok(memfs_walk(f->fs, "/t", note, &visit));
    assert_names(f->fs, "/t", "");
}

static int remove_the_whole_tree(struct visit *visit, const memfs_walk_entry *entry)
{
    if (strcmp(entry->name, "c") == 0 && entry->event == MEMFS_WALK_ENTER)
        assert_ok(memfs_remove_tree(visit->fs, "/t"));
    return MEMFS_WALK_CONTINUE;
}

static void a_walk_survives_the_removal_of_its_whole_tree(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs, .edit = remove_the_whole_tree};
    make_tree(f->fs);
    int result = memfs_walk(f->fs, "/t", note, &visit);
    assert_true(result == 0 || result == MEMFS_ENOENT);
    assert_null(strstr(visit.text, "/t/b/c/f"));
    assert_null(strstr(visit.text, "/t/z"));
    assert_int_equal(statfs_of(f->fs).directories, 1);
    assert_int_equal(statfs_of(f->fs).open_directories, 0);
}

static int walk_within(struct visit *visit, const memfs_walk_entry *entry)
{
    struct visit inner = {.fs = visit->fs};
    if (entry->event == MEMFS_WALK_ENTER) {
        put(visit->fs, "/beside", "the callback holds no lock");
        assert_ok(memfs_walk(visit->fs, "/t/b/c", note, &inner));
        assert_int_equal(inner.calls, 3);
    }
    return MEMFS_WALK_CONTINUE;
}

static void a_callback_may_do_anything_even_walk(void **state)
{
    struct fixture *f = *state;
    struct visit visit = {.fs = f->fs, .edit = walk_within};
    make_tree(f->fs);
    assert_ok(memfs_walk(f->fs, "/t", note, &visit));
    assert_int_equal(visit.calls, 11);
}

static void what_a_walk_holds_it_gives_back_however_it_ends(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    uint64_t used = used_bytes(f->fs), take = 0;
    int result;
    do {
        struct visit visit = {.fs = f->fs};
        tracking_refuse(&f->allocator, ++take, 1);
        result = memfs_walk(f->fs, "/t", note, &visit);
        tracking_refuse(&f->allocator, 0, 0);
        assert_int_equal(used_bytes(f->fs), used);
        assert_true(result == 0 || result == MEMFS_ENOMEM);
    } while (result != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_walk_is_depth_first_in_order_of_creation),
        FS_TEST(a_walk_of_the_root_gives_good_paths),
        FS_TEST(a_walk_of_a_file_is_that_file),
        FS_TEST(each_entry_comes_with_its_stat),
        FS_TEST(a_pruned_directory_is_left_but_not_entered),
        FS_TEST(a_stopped_walk_ends_at_once_and_says_so),
        FS_TEST(a_negative_return_ends_the_walk_with_that_error),
        FS_TEST(a_symlink_is_followed_at_the_start_and_not_below),
        FS_TEST(what_vanishes_before_its_turn_is_skipped),
        FS_TEST(a_walk_can_remove_what_it_visits),
        FS_TEST(a_walk_survives_the_removal_of_its_whole_tree),
        FS_TEST(a_callback_may_do_anything_even_walk),
        FS_TEST(what_a_walk_holds_it_gives_back_however_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
