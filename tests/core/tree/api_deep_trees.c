/*
 * Trees a hundred thousand levels deep, on a thread with a small stack: nothing
 * recurses.  They are made with the ...at functions, since no path reaches down.
 */
#define _POSIX_C_SOURCE 200809L

#include "checks.h"

#include <pthread.h>

#define DEPTH 100000
#define STACK_BYTES (128 * 1024)

struct deep {
    memfs *fs;
    int result;
    uint64_t entered, left, deepest;
};

/* Makes /top/d/d/d/... with a file at the bottom. */
static int build(memfs *fs)
{
    memfs_dir *at, *next;
    memfs_file *file;
    int result = memfs_mkdir(fs, "/top", 0755);
    if (result == 0)
        result = memfs_opendir(fs, "/top", &at);
    for (int i = 1; result == 0 && i < DEPTH; i++) {
        result = memfs_mkdirat(fs, at, "d", 0755);
        if (result == 0)
            result = memfs_opendirat(fs, at, "d", &next);
        memfs_closedir(at);
        at = next;
    }
    if (result == 0)
        result = memfs_openat(fs, at, "leaf", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &file);
    if (result == 0) {
        result = memfs_write(file, "leaf", 4) == 4 ? 0 : MEMFS_EIO;
        memfs_close(file);
        memfs_closedir(at);
    }
    return result;
}

static int count_events(void *context, const memfs_walk_entry *entry)
{
    struct deep *deep = context;
    deep->entered += entry->event == MEMFS_WALK_ENTER;
    deep->left += entry->event == MEMFS_WALK_LEAVE;
    if (entry->depth > deep->deepest)
        deep->deepest = entry->depth;
    return MEMFS_WALK_CONTINUE;
}

static void *walk(void *context)
{
    struct deep *deep = context;
    deep->result = memfs_walk(deep->fs, "/top", count_events, deep);
    return NULL;
}

static void *usage(void *context)
{
    struct deep *deep = context;
    memfs_tree_info info = {.struct_size = sizeof info};
    deep->result = memfs_tree_usage(deep->fs, "/top", &info);
    deep->entered = info.directories;
    deep->left = info.size_bytes;
    return NULL;
}

static void *copy_and_remove(void *context)
{
    struct deep *deep = context;
    deep->result = memfs_copy_tree(deep->fs, "/top", "/copy", 0);
    if (deep->result == 0)
        deep->result = memfs_remove_tree(deep->fs, "/top");
    return NULL;
}

static void *remove_all(void *context)
{
    struct deep *deep = context;
    deep->result = memfs_remove_tree(deep->fs, "/top");
    return NULL;
}

static void *glob_all(void *context)
{
    struct deep *deep = context;
    memfs_list list = {.struct_size = sizeof list};
    deep->result = memfs_glob(deep->fs, "/**/leaf", &list);
    if (deep->result == 0)
        memfs_list_free(deep->fs, &list);
    return NULL;
}

static void *destroy(void *context)
{
    struct deep *deep = context;
    deep->result = memfs_destroy(deep->fs, 0);
    return NULL;
}

static void *audit(void *context)
{
    struct deep *deep = context;
    deep->result = memfs_audit(deep->fs);
    return NULL;
}

static void *rename_inwards(void *context)
{
    struct deep *deep = context;
    deep->result = memfs_rename(deep->fs, "/top", "/other", 0);
    if (deep->result == 0)
        deep->result = memfs_rename(deep->fs, "/other", "/top", 0);
    return NULL;
}

static struct deep run_on_a_small_stack(memfs *fs, void *(*function)(void *))
{
    struct deep deep = {.fs = fs, .result = 1};
    pthread_t thread;
    pthread_attr_t attributes;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, STACK_BYTES), 0);
    assert_int_equal(pthread_create(&thread, &attributes, function, &deep), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    return deep;
}

static struct fixture *with_a_deep_tree(void)
{
    memfs_config config = memfs_config_default();
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    assert_ok(build(f->fs));
    assert_int_equal(statfs_of(f->fs).directories, DEPTH + 1);
    return f;
}

static void a_walk_goes_down_to_the_bottom_and_comes_up_again(void **state)
{
    (void)state;
    struct fixture *f = with_a_deep_tree();
    struct deep deep = run_on_a_small_stack(f->fs, walk);
    assert_ok(deep.result);
    assert_int_equal(deep.entered, DEPTH);
    assert_int_equal(deep.left, DEPTH);
    assert_int_equal(deep.deepest, DEPTH);
    fixture_destroy(f);
}

static void tree_usage_adds_up_a_deep_tree(void **state)
{
    (void)state;
    struct fixture *f = with_a_deep_tree();
    struct deep deep = run_on_a_small_stack(f->fs, usage);
    assert_ok(deep.result);
    assert_int_equal(deep.entered, DEPTH);
    assert_int_equal(deep.left, 4);
    fixture_destroy(f);
}

static void a_deep_tree_is_copied_and_removed(void **state)
{
    (void)state;
    struct fixture *f = with_a_deep_tree();
    assert_ok(run_on_a_small_stack(f->fs, copy_and_remove).result);
    assert_names(f->fs, "/", "copy ");
    assert_int_equal(statfs_of(f->fs).directories, DEPTH + 1);
    assert_int_equal(statfs_of(f->fs).files, 1);
    assert_ok(run_on_a_small_stack(f->fs, audit).result);
    fixture_destroy(f);
}

static void removing_a_deep_tree_gives_all_of_it_back_and_allocates_nothing(void **state)
{
    (void)state;
    memfs_config config = memfs_config_default();
    struct fixture *f = fixture_create(&config);
    assert_non_null(f);
    put(f->fs, "/anchor", "");
    uint64_t used = used_bytes(f->fs);
    assert_ok(build(f->fs));
    tracking_refuse(&f->allocator, 1, 1);
    struct deep deep = run_on_a_small_stack(f->fs, remove_all);
    assert_int_equal(f->allocator.takes, 0);
    tracking_refuse(&f->allocator, 0, 0);
    assert_ok(deep.result);
    assert_int_equal(used_bytes(f->fs), used);
    fixture_destroy(f);
}

static void a_deep_tree_is_renamed_and_globbed(void **state)
{
    (void)state;
    struct fixture *f = with_a_deep_tree();
    assert_ok(run_on_a_small_stack(f->fs, rename_inwards).result);
    assert_ok(run_on_a_small_stack(f->fs, glob_all).result);
    fixture_destroy(f);
}

static void a_file_system_with_a_deep_tree_is_destroyed(void **state)
{
    (void)state;
    struct tracking_allocator allocator;
    memfs_config config = memfs_config_default();
    memfs *fs;
    tracking_allocator_init(&allocator, 0);
    config.allocator = tracking_hooks(&allocator);
    assert_ok(memfs_create(&config, &fs));
    assert_ok(build(fs));
    assert_ok(run_on_a_small_stack(fs, destroy).result);
    tracking_assert_empty(&allocator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_goes_down_to_the_bottom_and_comes_up_again),
        cmocka_unit_test(tree_usage_adds_up_a_deep_tree),
        cmocka_unit_test(a_deep_tree_is_copied_and_removed),
        cmocka_unit_test(removing_a_deep_tree_gives_all_of_it_back_and_allocates_nothing),
        cmocka_unit_test(a_deep_tree_is_renamed_and_globbed),
        cmocka_unit_test(a_file_system_with_a_deep_tree_is_destroyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
