/* Memory, room and the host fail at each step in turn: nothing may be left, on either side. */
#include "hostcalls.h"
#include "hosttree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEPS_MOST = 5000 };

static const memfs_hostdir_options replace = {.struct_size = sizeof replace,
                                              .flags = MEMFS_HOSTDIR_REPLACE};
static const memfs_hostdir_options merge = {.struct_size = sizeof merge,
                                            .flags = MEMFS_HOSTDIR_MERGE};

/* Small, but with something of everything: names, links, hard links, two levels, a piece. */
static void make_small(const struct hosttree *t)
{
    static const char text[] = "some text";
    host_mkdir(t, "in", 0755);
    host_mkdir(t, "in/sub", 0755);
    host_mkdir(t, "in/sub/deep", 0500);
    host_write(t, "in/a", text, 0644);
    host_write(t, "in/sub/b", text, 0600);
    host_symlink(t, "a", "in/link");
    assert_int_equal(link(host(t, "in/a"), host(t, "in/sub/c")), 0);
}

/* -------------------------------------------------------------------- memory */

/* Refuses the nth allocation, alone or with all that follow; true when it has passed. */
static bool passes_with_refusal(struct hosttree *t, uint64_t number, int every_later, bool exports)
{
    memfs_hostdir_result result;
    uint64_t used = used_bytes(t->fs);
    tracking_refuse(&t->fixture->allocator, number, every_later);
    int error = exports ? export_tree(t, "/in", "out", NULL, &result)
                        : import_tree(t, "in", "/in", NULL, &result);
    tracking_refuse(&t->fixture->allocator, 0, 0);
    if (error == 0)
        return true;
    assert_int_equal(error, MEMFS_ENOMEM);
    assert_int_equal(used_bytes(t->fs), used);
    assert_host_names(t, "", "in ");
    assert_only(t, exports ? "in " : "");
    return false;
}

static void a_refused_allocation_leaves_nothing(void **state)
{
    struct hosttree *t = *state;
    make_small(t);
    for (int every_later = 0; every_later < 2; every_later++) {
        uint64_t number = 1;
        while (!passes_with_refusal(t, number, every_later, false))
            assert_true(++number < STEPS_MOST);
        assert_true(number > 10);
        number = 1;
        while (!passes_with_refusal(t, number, every_later, true))
            assert_true(++number < STEPS_MOST);
        assert_true(number > 5);
        host_remove(t, "out");
        assert_ok(memfs_remove_tree(t->fs, "/in"));
    }
}

static void every_quota_is_enough_or_leaves_nothing(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_small(t);
    for (int exports = 0; exports < 2; exports++) {
        int error, refusals = 0;
        uint64_t used = used_bytes(t->fs);
        for (uint64_t room = 0;; room += 512) {
            fixture_set_quota(t->fixture, statfs_of(t->fs).committed_bytes);
            fixture_set_quota(t->fixture, statfs_of(t->fs).committed_bytes + room);
            error = exports ? export_tree(t, "/in", "out", NULL, &result)
                            : import_tree(t, "in", "/in", NULL, &result);
            fixture_set_quota(t->fixture, 16 << 20);
            if (error == 0)
                break;
            refusals++;
            assert_int_equal(error, MEMFS_EDQUOT);
            assert_int_equal(used_bytes(t->fs), used);
            assert_only(t, exports ? "in " : "");
            assert_host_names(t, "", "in ");
            assert_true(room < 1 << 20);
        }
        assert_true(refusals > 50); /* the buffer alone is 64 KiB */
    }
}

static void every_node_limit_is_enough_or_leaves_nothing(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_small(t);
    uint64_t limit = 1;
    int error;
    do {
        assert_ok(memfs_set_node_limit(t->fs, ++limit));
        error = import_tree(t, "in", "/in", NULL, &result);
        assert_true(error == 0 || error == MEMFS_ENOSPC);
        if (error != 0)
            assert_only(t, "");
    } while (error != 0);
    assert_int_equal(limit,
                     1 + 1 + 3 + 2 + 1); /* the root, the stage, directories, files, a link */
}

/* ------------------------------------------------------------ the host's calls */

struct sweep {
    const struct hosttree *tree;
    int (*act)(struct sweep *sweep);
    void (*check)(struct sweep *sweep, int error); /* what must hold after a failure or success */
    int failures;
};

/* Fails each call of the host in turn, until there are no more. */
static void run_sweep(struct sweep *sweep, int fail_with)
{
    for (uint64_t number = 1;; number++) {
        assert_true(number < STEPS_MOST);
        hostcalls_reset();
        hostcalls.fail_at = number;
        hostcalls.fail_with = fail_with;
        int error = sweep->act(sweep);
        bool has_failed = hostcalls.has_failed;
        hostcalls_reset();
        assert_true(error == 0 || has_failed);
        sweep->failures += error != 0;
        sweep->check(sweep, error);
        if (!has_failed)
            break;
    }
}

static int act_import(struct sweep *sweep)
{
    return import_tree(sweep->tree, "in", "/in", NULL, NULL);
}

static void check_import(struct sweep *sweep, int error)
{
    const struct hosttree *t = sweep->tree;
    assert_true(error == 0 || error == MEMFS_EIO);
    assert_only(t, error == 0 ? "in " : "");
    assert_int_equal(statfs_of(t->fs).open_files + statfs_of(t->fs).open_directories, 0);
    if (error == 0)
        assert_ok(memfs_remove_tree(t->fs, "/in"));
}

static void an_import_survives_the_failure_of_each_call_of_the_host(void **state)
{
    struct sweep sweep = {.tree = *state, .act = act_import, .check = check_import};
    make_small(*state);
    run_sweep(&sweep, EIO);
    assert_true(sweep.failures > 30);
}

static int act_skipping_import(struct sweep *sweep)
{
    memfs_hostdir_result result;
    memfs_hostdir_options skips = {.struct_size = sizeof skips,
                                   .flags = MEMFS_HOSTDIR_SKIP_UNREADABLE | MEMFS_HOSTDIR_COUNT};
    int error = import_tree(sweep->tree, "in", "/in", &skips, &result);
    if (error == 0 && result.files + result.directories + result.symlinks < 7)
        assert_true(result.unreadable > 0);
    return error;
}

static void an_import_that_skips_ends_well_unless_the_root_fails(void **state)
{
    struct sweep sweep = {.tree = *state, .act = act_skipping_import, .check = check_import};
    make_small(*state);
    run_sweep(&sweep, EACCES);
    assert_true(sweep.failures > 1);
    assert_true(sweep.failures < 15);
}

static int act_export(struct sweep *sweep)
{
    return export_tree(sweep->tree, "/in", "out", NULL, NULL);
}

static void check_export(struct sweep *sweep, int error)
{
    const struct hosttree *t = sweep->tree;
    assert_true(error == 0 || error == MEMFS_EIO);
    assert_host_names(t, "", error == 0 ? "in out " : "in ");
    assert_only(t, "in ");
    if (error != 0)
        return;
    assert_host_names(t, "out", "a link sub ");
    host_check_text(t, "out/sub/c", "some text");
    host_remove(t, "out");
}

static void an_export_survives_the_failure_of_each_call_of_the_host(void **state)
{
    struct hosttree *t = *state;
    struct sweep sweep = {.tree = t, .act = act_export, .check = check_export};
    make_small(t);
    assert_ok(import_tree(t, "in", "/in", NULL, NULL));
    run_sweep(&sweep, EIO);
    assert_true(sweep.failures > 25);
    run_sweep(&sweep, ENOSPC);
}

static int act_single_export(struct sweep *sweep)
{
    return export_tree(sweep->tree, "/in/a", "in/a", NULL, NULL);
}

static void check_single_export(struct sweep *sweep, int error)
{
    assert_true(error == 0 || error == MEMFS_EIO);
    assert_host_names(sweep->tree, "in", "a link sub ");
    host_check_text(sweep->tree, "in/a", error == 0 ? "new" : "some text");
    host_write(sweep->tree, "in/a", "some text", 0644);
}

static void a_file_is_replaced_or_as_it_was(void **state)
{
    struct hosttree *t = *state;
    struct sweep sweep = {.tree = t, .act = act_single_export, .check = check_single_export};
    make_small(t);
    assert_ok(import_tree(t, "in", "/in", NULL, NULL));
    put(t->fs, "/in/a", "new");
    run_sweep(&sweep, EIO);
    assert_true(sweep.failures > 5);
}

static int act_replacing_export(struct sweep *sweep)
{
    hostcalls.has_no_exchange = sweep->failures % 2 != 0;
    return export_tree(sweep->tree, "/in", "in", &replace, NULL);
}

/* The old tree or the new one is at the destination, whole; what could not be removed of the old
 * one may be beside it. */
static void check_replacing_export(struct sweep *sweep, int error)
{
    const struct hosttree *t = sweep->tree;
    char *names = host_names(t, "");
    assert_non_null(strstr(names, "in "));
    if (error == 0)
        assert_string_equal(names, "in ");
    bool is_new = host_exists(t, "in/marker");
    assert_true(is_new || error != 0);
    assert_true(is_new || strcmp(names, "in ") == 0);
    assert_host_names(t, "in", is_new ? "a link marker sub " : "a link sub ");
    assert_true(host_exists(t, "in/sub/c"));
    free(names);
    host_remove(t, "");
    assert_int_equal(mkdir(t->root, 0700), 0);
    make_small(t);
}

static void a_tree_is_replaced_or_as_it_was(void **state)
{
    struct hosttree *t = *state;
    struct sweep sweep = {.tree = t, .act = act_replacing_export, .check = check_replacing_export};
    make_small(t);
    assert_ok(import_tree(t, "in", "/in", NULL, NULL));
    put(t->fs, "/in/marker", "");
    run_sweep(&sweep, EIO);
    assert_true(sweep.failures > 25);
}

static int act_merge(struct sweep *sweep)
{
    return export_tree(sweep->tree, "/in", "in", &merge, NULL);
}

static void check_merge(struct sweep *sweep, int error)
{
    const struct hosttree *t = sweep->tree;
    assert_true(error == 0 || error == MEMFS_EIO);
    assert_host_names(t, "in", "a link sub ");
    assert_host_names(t, "in/sub", "b c deep ");
    host_check_text(t, "in/a", "some text");
    host_check_text(t, "in/sub/c", "some text");
}

static void a_merge_that_fails_leaves_no_temporary_name(void **state)
{
    struct hosttree *t = *state;
    struct sweep sweep = {.tree = t, .act = act_merge, .check = check_merge};
    make_small(t);
    assert_ok(import_tree(t, "in", "/in", NULL, NULL));
    run_sweep(&sweep, EIO);
    assert_true(sweep.failures > 25);
}

/* ------------------------------------------------------------- limits of a host */

static void a_host_that_is_full_leaves_nothing(void **state)
{
    struct hosttree *t = *state;
    struct rlimit before, limit;
    memfs_hostdir_result result;
    put_pattern(t->fs, "/large", 300000, 1);
    assert_ok(memfs_mkdir(t->fs, "/d", 0755));
    assert_ok(memfs_rename(t->fs, "/large", "/d/large", 0));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int tree_error = export_tree(t, "/d", "out", NULL, &result);
    int tree_errno = result.host_errno;
    int file_error = export_tree(t, "/d/large", "out", NULL, &result);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(tree_error, MEMFS_EIO);
    assert_int_equal(tree_errno, EFBIG);
    assert_int_equal(file_error, MEMFS_EIO);
    assert_int_equal(result.host_errno, EFBIG);
    assert_host_names(t, "", "");
    assert_ok(export_tree(t, "/d", "out", NULL, NULL));
}

static void too_few_descriptors_are_no_unreadable_files(void **state)
{
    struct hosttree *t = *state;
    struct rlimit before, limit;
    memfs_hostdir_options skips = {.struct_size = sizeof skips,
                                   .flags = MEMFS_HOSTDIR_SKIP_UNREADABLE};
    memfs_hostdir_result result;
    make_small(t);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int first_free = open("/dev/null", O_RDONLY);
    close(first_free);
    int error;
    rlim_t count = (rlim_t)first_free;
    do {
        limit = before;
        limit.rlim_cur = count++;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        error = import_tree(t, "in", "/in", &skips, &result);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (error != 0) {
            assert_int_equal(result.host_errno, EMFILE);
            assert_only(t, "");
        }
    } while (error != 0);
    assert_int_equal(result.unreadable, 0);
    assert_true(count > (rlim_t)first_free + 3);
    /* Descriptors: as many again are enough however deep it is. */
    assert_true(count < (rlim_t)first_free + 10);
}

/* ----------------------------------------------------------------- permissions */

enum { NOBODY = 65534 };

/* As root, becomes somebody whom permissions bind; false: they cannot be tested. */
static bool become_nobody(const struct hosttree *t)
{
    if (geteuid() != 0)
        return true;
    return chmod(t->root, 0777) == 0 && seteuid(NOBODY) == 0;
}

static void become_root(void)
{
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void what_may_not_be_read_is_refused_or_skipped(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options skips = {.struct_size = sizeof skips,
                                   .flags = MEMFS_HOSTDIR_SKIP_UNREADABLE | MEMFS_HOSTDIR_COUNT};
    memfs_hostdir_result strict, skipping, root;
    if (!become_nobody(t))
        skip();
    host_mkdir(t, "in", 0755);
    host_write(t, "in/fine", "fine", 0644);
    host_write(t, "in/secret", "secret", 0);
    host_mkdir(t, "in/closed", 0700);
    host_write(t, "in/closed/inner", "inner", 0644);
    host_mkdir(t, "in/names", 0700);
    host_write(t, "in/names/inner", "inner", 0644);
    assert_int_equal(chmod(host(t, "in/closed"), 0), 0);
    assert_int_equal(chmod(host(t, "in/names"), 0444), 0); /* its names, and no more */
    int strict_error = import_tree(t, "in", "/strict", NULL, &strict);
    int skipping_error = import_tree(t, "in", "/skipping", &skips, &skipping);
    int root_error = import_tree(t, "in/closed", "/root", &skips, &root);
    become_root();
    assert_int_equal(strict_error, MEMFS_EIO);
    assert_int_equal(strict.host_errno, EACCES);
    assert_ok(skipping_error);
    assert_int_equal(skipping.unreadable, 3);
    assert_int_equal(skipping.files, 1);
    assert_int_equal(skipping.directories, 3);
    assert_int_equal(root_error, MEMFS_EIO);
    assert_only(t, "skipping ");
    assert_false(is_there(t->fs, "/skipping/secret"));
}

static void modes_that_forbid_reading_and_writing_are_no_obstacle_to_an_export(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    assert_ok(memfs_mkdir_parents(t->fs, "/d/closed/deep", 0755));
    put(t->fs, "/d/closed/deep/f", "text");
    assert_ok(memfs_chmod(t->fs, "/d/closed/deep/f", 0));
    assert_ok(memfs_chmod(t->fs, "/d/closed/deep", 0));
    assert_ok(memfs_chmod(t->fs, "/d/closed", 0500));
    assert_ok(memfs_chmod(t->fs, "/d", 0555));
    if (!become_nobody(t))
        skip();
    int new_error = export_tree(t, "/d", "out", NULL, NULL);
    int replace_error = export_tree(t, "/d", "out", &replace, NULL);
    int readonly_error = export_tree(t, "/d", "out/below", NULL, &result);
    become_root();
    assert_ok(new_error);
    assert_ok(replace_error);
    assert_int_equal(readonly_error, MEMFS_EIO);
    assert_true(result.host_errno == EACCES || result.host_errno == EPERM);
    assert_host_names(t, "", "out ");
    struct stat status;
    assert_int_equal(stat(host(t, "out/closed/deep"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0);
}

static int teardown(void **state)
{
    hostcalls_reset();
    return hosttree_teardown(state);
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, hosttree_setup, teardown)

int main(void)
{
    /* So that the allocator sees each object, and each quota counts. */
    if (setenv("MEMFS_TEST_UNPOOLED", "1", 1) != 0)
        return 1;
    const struct CMUnitTest tests[] = {
        FAULT_TEST(a_refused_allocation_leaves_nothing),
        FAULT_TEST(every_quota_is_enough_or_leaves_nothing),
        FAULT_TEST(every_node_limit_is_enough_or_leaves_nothing),
        FAULT_TEST(an_import_survives_the_failure_of_each_call_of_the_host),
        FAULT_TEST(an_import_that_skips_ends_well_unless_the_root_fails),
        FAULT_TEST(an_export_survives_the_failure_of_each_call_of_the_host),
        FAULT_TEST(a_file_is_replaced_or_as_it_was),
        FAULT_TEST(a_tree_is_replaced_or_as_it_was),
        FAULT_TEST(a_merge_that_fails_leaves_no_temporary_name),
        FAULT_TEST(a_host_that_is_full_leaves_nothing),
        FAULT_TEST(too_few_descriptors_are_no_unreadable_files),
        FAULT_TEST(what_may_not_be_read_is_refused_or_skipped),
        FAULT_TEST(modes_that_forbid_reading_and_writing_are_no_obstacle_to_an_export),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
