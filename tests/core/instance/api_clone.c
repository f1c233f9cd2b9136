/* Instances with a copy of a tree, and one memory for all of them. */
#include "checks.h"

#include <memfs/storage.h>

static memfs *clone_of(memfs *fs)
{
    memfs *clone = NULL;
    assert_ok(memfs_clone_instance(fs, &clone));
    assert_non_null(clone);
    return clone;
}

static void make_tree(memfs *fs)
{
    assert_ok(memfs_mkdir_parents(fs, "/src/sub/deep", 0750));
    put(fs, "/src/a", "the first");
    put_pattern(fs, "/src/sub/big", 50000, 1);
    assert_ok(memfs_link(fs, "/src/a", "/src/sub/same"));
    assert_ok(memfs_symlink(fs, "../a", "/src/sub/link", 0));
    memfs_file *sparse = create_file(fs, "/sparse");
    assert_int_equal(memfs_pwrite(sparse, "end", 3, 100000), 3);
    assert_ok(memfs_close(sparse));
    assert_ok(memfs_chown(fs, "/src/a", 3, 4));
    assert_ok(memfs_chmod(fs, "/", 0701));
}

/* What the description has of nodes and handles are numbers, which are not copied. */
static void assert_same_tree(memfs *one, memfs *other)
{
    static const char *const paths[] = {"/",
                                        "/src",
                                        "/src/a",
                                        "/src/sub",
                                        "/src/sub/big",
                                        "/src/sub/same",
                                        "/src/sub/link",
                                        "/src/sub/deep",
                                        "/sparse"};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        memfs_stat_info a = lstat_of(one, paths[i]), b = lstat_of(other, paths[i]);
        assert_int_equal(a.kind, b.kind);
        assert_int_equal(a.mode, b.mode);
        assert_int_equal(a.uid, b.uid);
        assert_int_equal(a.gid, b.gid);
        assert_int_equal(a.links, b.links);
        assert_int_equal(a.size_bytes, b.size_bytes);
        assert_int_equal(a.allocated_bytes, b.allocated_bytes);
        assert_int_equal(a.modify_ns, b.modify_ns);
        assert_int_equal(a.change_ns, b.change_ns);
        assert_int_equal(a.birth_ns, b.birth_ns);
        assert_int_equal(a.generation, b.generation);
    }
}

static void a_clone_has_the_whole_tree_and_shares_its_bytes(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    uint64_t data = statfs_of(f->fs).class_bytes[MEMFS_CLASS_DATA];
    memfs *clone = clone_of(f->fs);
    assert_same_tree(f->fs, clone);
    assert_names(clone, "/src/sub", "deep big same link ");
    assert_int_equal(stat_of(clone, "/src/a").number, stat_of(clone, "/src/sub/same").number);
    assert_text(clone, "/src/sub/link", "the first");
    memfs_file *big = open_file(clone, "/src/sub/big", MEMFS_O_READ);
    check_pattern(big, 50000, 0, 1);
    assert_ok(memfs_close(big));
    assert_int_equal(statfs_of(f->fs).class_bytes[MEMFS_CLASS_DATA], data);
    assert_int_equal(statfs_of(clone).files, statfs_of(f->fs).files);
    assert_ok(memfs_audit(f->fs));
    assert_ok(memfs_audit(clone));
    assert_ok(memfs_destroy(clone, 0));
}

static void what_one_changes_the_other_does_not_see(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    memfs *clone = clone_of(f->fs);
    put(clone, "/src/a", "changed");
    put(f->fs, "/new", "new");
    assert_ok(memfs_remove_tree(clone, "/src/sub"));
    memfs_file *big = open_file(f->fs, "/src/sub/big", MEMFS_O_RDWR);
    write_pattern(big, 10, 0, 9);
    check_pattern(big, 10, 0, 9);
    assert_ok(memfs_close(big));
    assert_text(f->fs, "/src/a", "the first");
    assert_false(is_there(clone, "/new"));
    assert_true(is_there(f->fs, "/src/sub/deep"));
    assert_ok(memfs_snapshot_take(clone, "s"));
    assert_int_equal(memfs_snapshot_exists(f->fs, "s"), 0);
    assert_ok(memfs_audit(clone));
    assert_ok(memfs_destroy(clone, 0));
    assert_ok(memfs_audit(f->fs));
}

static void a_clone_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    make_tree(f->fs);
    uint64_t used = used_bytes(f->fs);
    char *before = fixture_describe(f->fs);
    memfs *clone = clone_of(f->fs);
    uint64_t cost = used_bytes(f->fs) - used;
    assert_true(cost > 0 && cost < 4096);
    put_pattern(clone, "/more", 100000, 1);
    assert_ok(memfs_snapshot_take(clone, "s"));
    memfs_file *left_open = open_file(clone, "/more", MEMFS_O_RDWR);
    assert_returns(memfs_destroy(clone, 0), MEMFS_EBUSY);
    assert_int_equal(memfs_tell(left_open), 0);
    assert_ok(memfs_destroy(clone, MEMFS_DESTROY_FORCE));
    assert_int_equal(used_bytes(f->fs), used);
    check_described(f->fs, before, "a clone", __FILE__, __LINE__);
}

static void all_of_a_family_draw_on_one_quota(void **state)
{
    struct fixture *f = *state;
    memfs *clone = clone_of(f->fs), *second = clone_of(clone);
    assert_int_equal(statfs_of(clone).quota_bytes, statfs_of(f->fs).quota_bytes);
    put_pattern(clone, "/big", 12u << 20, 1);
    assert_int_equal(statfs_of(f->fs).committed_bytes, statfs_of(second).committed_bytes);
    static char more[8u << 20];
    assert_returns(memfs_write_file(second, "/big", more, sizeof more, 0644, 0), MEMFS_EDQUOT);
    assert_returns(memfs_write_file(f->fs, "/big", more, sizeof more, 0644, 0), MEMFS_EDQUOT);
    assert_ok(memfs_unlink(clone, "/big"));
    assert_ok(memfs_write_file(second, "/big", more, sizeof more, 0644, 0));
    fixture_set_quota(f, 20u << 20);
    assert_int_equal(statfs_of(second).quota_bytes, 20u << 20);
    assert_ok(memfs_destroy(second, 0));
    assert_ok(memfs_destroy(clone, 0));
}

static void the_first_instance_is_the_last_to_go(void **state)
{
    struct fixture *f = *state;
    memfs *clone = clone_of(f->fs), *of_clone = clone_of(clone);
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_destroy(clone, 0)); /* before the one that was made of it */
    put(of_clone, "/f", "still there");
    assert_text(of_clone, "/f", "still there");
    assert_returns(memfs_destroy(f->fs, 0), MEMFS_EBUSY);
    assert_ok(memfs_destroy(of_clone, 0));
}

static void force_ends_the_clones_too(void **state)
{
    (void)state;
    memfs *fs, *clone;
    struct tracking_allocator allocator;
    tracking_allocator_init(&allocator, 0);
    memfs_config config = memfs_config_default();
    config.allocator = tracking_hooks(&allocator);
    assert_ok(memfs_create(&config, &fs));
    make_tree(fs);
    clone = clone_of(fs);
    (void)create_file(clone, "/left-open");
    (void)clone_of(clone);
    assert_ok(memfs_destroy(fs, MEMFS_DESTROY_FORCE));
    tracking_assert_empty(&allocator);
}

static void handles_and_contents_do_not_pass_between_instances(void **state)
{
    struct fixture *f = *state;
    memfs_content_ref content;
    put(f->fs, "/f", "text");
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    memfs *clone = clone_of(f->fs);
    memfs_dir *dir = open_dir(f->fs, "/d");
    memfs_file *file = open_file(f->fs, "/f", MEMFS_O_RDWR), *other = NULL;
    assert_ok(memfs_content_take(file, &content));
    assert_returns(memfs_openat(clone, dir, "x", MEMFS_O_READ, 0, &other), MEMFS_EXDEV);
    other = open_file(clone, "/f", MEMFS_O_RDWR);
    assert_returns(memfs_content_restore(other, &content), MEMFS_EXDEV);
    assert_ok(memfs_content_drop(&content));
    assert_ok(memfs_close(other));
    assert_ok(memfs_close(file));
    assert_ok(memfs_closedir(dir));
    assert_ok(memfs_destroy(clone, 0));
}

static void a_node_limit_holds_for_each_by_itself(void **state)
{
    struct fixture *f = *state;
    memfs *clone;
    put(f->fs, "/a", "");
    put(f->fs, "/b", "");
    assert_ok(memfs_set_node_limit(f->fs, 4));
    clone = clone_of(f->fs);
    put(clone, "/c", "");
    assert_returns(memfs_write_file(clone, "/d", "", 0, 0644, 0), MEMFS_ENOSPC);
    put(f->fs, "/c", "");
    assert_ok(memfs_set_node_limit(clone, MEMFS_UNLIMITED));
    put(clone, "/d", "");
    assert_ok(memfs_destroy(clone, 0));
}

static int remove_ballast(void *context, memfs *fs, const memfs_refusal *refusal)
{
    assert_int_equal(refusal->error, MEMFS_EDQUOT);
    ++*(int *)context;
    return memfs_unlink(fs, "/ballast") == 0 ? MEMFS_REFUSED_RETRY : MEMFS_REFUSED_FAIL;
}

/* The callback is called for the instance that was refused. */
static void callbacks_are_the_originals_until_they_are_changed(void **state)
{
    struct fixture *f = *state;
    int calls = 0;
    static char half[9u << 20];
    assert_ok(memfs_set_refused(f->fs, remove_ballast, &calls));
    memfs *clone = clone_of(f->fs);
    assert_ok(memfs_set_refused(f->fs, NULL, NULL));
    assert_ok(memfs_write_file(clone, "/ballast", half, sizeof half, 0644, 0));
    assert_returns(memfs_write_file(f->fs, "/mine", half, sizeof half, 0644, 0), MEMFS_EDQUOT);
    assert_int_equal(calls, 0);
    assert_ok(memfs_write_file(clone, "/mine", half, sizeof half, 0644, 0));
    assert_int_equal(calls, 1);
    assert_ok(memfs_destroy(clone, 0));
}

static void an_empty_tree_and_a_large_one_are_cloned(void **state)
{
    struct fixture *f = *state;
    char path[32];
    memfs *clone = clone_of(f->fs);
    assert_names(clone, "/", "");
    assert_ok(memfs_destroy(clone, 0));
    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof path, "/%d/%d", i % 7, i);
        assert_ok(
            memfs_write_file(f->fs, path, path, strlen(path), 0644, MEMFS_WRITE_MAKE_PARENTS));
    }
    clone = clone_of(f->fs);
    assert_int_equal(statfs_of(clone).files, 3000);
    assert_text(clone, "/3/2999", "/3/2999");
    assert_ok(memfs_destroy(clone, 0));
}

static void bad_arguments_are_told(void **state)
{
    struct fixture *f = *state;
    memfs *clone = NULL;
    assert_returns(memfs_clone_instance(NULL, &clone), MEMFS_EINVAL);
    assert_returns(memfs_clone_instance(f->fs, NULL), MEMFS_EINVAL);
    assert_null(clone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_clone_has_the_whole_tree_and_shares_its_bytes),
        FS_TEST(what_one_changes_the_other_does_not_see),
        FS_TEST(a_clone_leaves_no_trace),
        FS_TEST(all_of_a_family_draw_on_one_quota),
        FS_TEST(the_first_instance_is_the_last_to_go),
        cmocka_unit_test(force_ends_the_clones_too),
        FS_TEST(handles_and_contents_do_not_pass_between_instances),
        FS_TEST(a_node_limit_holds_for_each_by_itself),
        FS_TEST(callbacks_are_the_originals_until_they_are_changed),
        FS_TEST(an_empty_tree_and_a_large_one_are_cloned),
        FS_TEST(bad_arguments_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
