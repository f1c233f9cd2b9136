/* Links, pipes and names that lead elsewhere, there before or put there meanwhile. */
#include "hostcalls.h"
#include "hosttree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* A test's plan: something to be done once, before the call on the entry `name`. */
struct plan {
    const struct hosttree *tree;
    const char *call, *name;
    void (*act)(const struct hosttree *tree, int directory, const char *name);
    int acted;
};

static void carry_out(void *context, const char *call, int directory, const char *name)
{
    struct plan *plan = context;
    if (plan->acted || strcmp(call, plan->call) != 0 || strcmp(name, plan->name) != 0)
        return;
    plan->acted++;
    plan->act(plan->tree, directory, name);
}

static void begin(struct plan *plan)
{
    hostcalls_reset();
    hostcalls.before = carry_out;
    hostcalls.context = plan;
}

static void end(const struct plan *plan)
{
    hostcalls_reset();
    assert_int_equal(plan->acted, 1);
}

/* Of the host: outside/{secret, dir/inner}; of the tree: /t/{a, sub/{b, c}, first, second}. */
static void make_both(const struct hosttree *t)
{
    host_mkdir(t, "outside", 0755);
    host_mkdir(t, "outside/dir", 0755);
    host_write(t, "outside/secret", "secret", 0644);
    host_write(t, "outside/dir/inner", "inner", 0644);
    assert_ok(memfs_mkdir_parents(t->fs, "/t/sub", 0755));
    put(t->fs, "/t/a", "text a");
    put(t->fs, "/t/sub/b", "text b");
    put(t->fs, "/t/sub/c", "text c");
    put(t->fs, "/t/first", "linked");
    assert_ok(memfs_link(t->fs, "/t/first", "/t/second"));
}

static void assert_outside_is_untouched(const struct hosttree *t)
{
    host_check_text(t, "outside/secret", "secret");
    host_check_text(t, "outside/dir/inner", "inner");
    assert_host_names(t, "outside", "dir secret ");
    assert_host_names(t, "outside/dir", "inner ");
}

/* -------------------------------------------------------------------- export */

static void plant_link_to_secret(const struct hosttree *t, int directory, const char *name)
{
    (void)unlinkat(directory, name, 0);
    assert_int_equal(symlinkat(host(t, "outside/secret"), directory, name), 0);
}

static void plant_dangling_link(const struct hosttree *t, int directory, const char *name)
{
    assert_int_equal(symlinkat(host(t, "outside/new"), directory, name), 0);
}

static void plant_link_to_directory(const struct hosttree *t, int directory, const char *name)
{
    (void)unlinkat(directory, name, AT_REMOVEDIR);
    assert_int_equal(symlinkat(host(t, "outside/dir"), directory, name), 0);
}

/* Plants, exports, and expects what the host says, with nothing left. */
static void assert_export_stops(const struct hosttree *t, const char *name,
                                void (*act)(const struct hosttree *, int, const char *), int one,
                                int other)
{
    memfs_hostdir_result result;
    struct plan plan = {.tree = t, .call = "openat", .name = name, .act = act};
    begin(&plan);
    int error = export_tree(t, "/t", "out", NULL, &result);
    end(&plan);
    assert_int_equal(error, MEMFS_EIO);
    assert_true(result.host_errno == one || result.host_errno == other);
    assert_non_null(strstr(result.path, "/out/"));
    assert_host_names(t, "", "outside ");
    assert_outside_is_untouched(t);
}

static void links_that_appear_in_the_stage_are_not_followed(void **state)
{
    struct hosttree *t = *state;
    make_both(t);
    assert_export_stops(t, "a", plant_link_to_secret, EEXIST, EEXIST);
    assert_export_stops(t, "a", plant_dangling_link, EEXIST, EEXIST);
    assert_export_stops(t, "b", plant_link_to_secret, EEXIST, EEXIST);
    assert_export_stops(t, "sub", plant_link_to_directory, ELOOP, ENOTDIR);
}

static void links_in_the_directory_that_is_merged_into_are_not_followed(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options merge = {.struct_size = sizeof merge, .flags = MEMFS_HOSTDIR_MERGE};
    memfs_hostdir_result result;
    make_both(t);
    host_mkdir(t, "out", 0755);
    host_symlink(t, host(t, "outside/secret"), "out/a");
    assert_int_equal(mkfifo(host(t, "out/first"), 0600), 0);
    host_symlink(t, host(t, "outside/dir"), "out/sub");
    assert_returns(export_tree(t, "/t", "out", &merge, &result), MEMFS_EIO);
    assert_true(result.host_errno == ENOTDIR || result.host_errno == ELOOP);
    assert_outside_is_untouched(t);
    assert_int_equal(unlink(host(t, "out/sub")), 0);
    assert_ok(export_tree(t, "/t", "out", &merge, &result));
    host_check_text(t, "out/a", "text a");
    host_check_text(t, "out/first", "linked");
    assert_outside_is_untouched(t);
    assert_host_names(t, "out", "a first second sub ");
    /* The root itself, too. */
    host_symlink(t, host(t, "outside/dir"), "to-dir");
    assert_returns(export_tree(t, "/t", "to-dir", &merge, &result), MEMFS_EIO);
    assert_outside_is_untouched(t);
}

static void merging_does_not_follow_links_that_appear(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options merge = {.struct_size = sizeof merge, .flags = MEMFS_HOSTDIR_MERGE};
    memfs_hostdir_result result;
    make_both(t);
    host_mkdir(t, "out", 0755);
    struct plan plan = {.tree = t, .call = "openat", .name = "sub", .act = plant_link_to_directory};
    begin(&plan);
    int error = export_tree(t, "/t", "out", &merge, &result);
    end(&plan);
    assert_int_equal(error, MEMFS_EIO);
    assert_outside_is_untouched(t);
}

static void swap_for_link_to_directory(const struct hosttree *t, int directory, const char *name)
{
    assert_int_equal(renameat(directory, name, directory, "moved"), 0);
    assert_int_equal(symlinkat(host(t, "outside/dir"), directory, name), 0);
}

/* What was at the place of an export is removed, and not what a link there leads to. */
static void removing_what_was_replaced_does_not_follow_links_that_appear(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options replace = {.struct_size = sizeof replace, .flags = MEMFS_HOSTDIR_REPLACE};
    memfs_hostdir_result result;
    make_both(t);
    host_mkdir(t, "out", 0755);
    host_mkdir(t, "out/before", 0755);
    host_write(t, "out/before/file", "text", 0644);
    struct plan plan = {
        .tree = t, .call = "openat", .name = "before", .act = swap_for_link_to_directory};
    begin(&plan);
    (void)export_tree(t, "/t", "out", &replace, &result);
    end(&plan);
    assert_outside_is_untouched(t);
}

/* The first copy is swapped for another file, or a link, before the second name is linked. */
static void a_hard_link_is_only_made_to_the_copy_itself(void **state)
{
    struct hosttree *t = *state;
    make_both(t);
    struct plan plan = {.tree = t, .call = "linkat", .name = "first", .act = plant_link_to_secret};
    begin(&plan);
    int error = export_tree(t, "/t", "out", NULL, NULL);
    end(&plan);
    assert_ok(error);
    host_check_text(t, "out/second", "linked");
    struct stat status;
    assert_int_equal(lstat(host(t, "out/second"), &status), 0);
    assert_true(S_ISREG(status.st_mode) && status.st_nlink == 1);
    assert_outside_is_untouched(t);
}

/* Below a directory that is moved away, which the way back must notice. */
static void move_away(const struct hosttree *t, int directory, const char *name)
{
    (void)name;
    char path[2048];
    strcpy(path, "..");
    for (int level = 0; level < 40; level++)
        strcat(path, "/..");
    char from[4096];
    snprintf(from, sizeof from, "%s/d", path);
    assert_int_equal(renameat(directory, from, AT_FDCWD, host(t, "moved")), 0);
}

static void a_directory_that_is_moved_away_ends_the_copy(void **state)
{
    struct hosttree *t = *state;
    char path[256] = "/d";
    for (int level = 0; level < 60; level++)
        strcat(path, "/d");
    assert_ok(memfs_mkdir_parents(t->fs, path, 0755));
    strcat(path, "/bottom");
    put(t->fs, path, "text");
    memfs_hostdir_result result;
    struct plan plan = {.tree = t, .call = "openat", .name = "bottom", .act = move_away};
    begin(&plan);
    int error = export_tree(t, "/d", "out", NULL, &result);
    end(&plan);
    assert_int_equal(error, MEMFS_EIO);
    assert_int_equal(result.host_errno, ESTALE);
    assert_host_names(t, "", "moved ");
    host_remove(t, "moved");
    assert_ok(export_tree(t, "/d", "out", NULL, NULL));
    assert_ok(memfs_remove_tree(t->fs, "/d"));
    plan.acted = 0;
    begin(&plan);
    memfs_hostdir_options skip = {.struct_size = sizeof skip,
                                  .flags = MEMFS_HOSTDIR_SKIP_UNREADABLE};
    error = import_tree(t, "out", "/d", &skip, &result);
    end(&plan);
    assert_int_equal(error, MEMFS_EIO);
    assert_int_equal(result.host_errno, ESTALE);
    assert_only(t, "");
}

/* -------------------------------------------------------------------- import */

static void make_victims(const struct hosttree *t)
{
    make_both(t);
    host_mkdir(t, "in", 0755);
    host_mkdir(t, "in/victims", 0755);
    host_write(t, "in/victim", "text", 0644);
}

static void plant_pipe(const struct hosttree *t, int directory, const char *name)
{
    (void)t;
    assert_int_equal(unlinkat(directory, name, 0), 0);
    assert_int_equal(mkfifoat(directory, name, 0600), 0);
}

static void take_away(const struct hosttree *t, int directory, const char *name)
{
    (void)t;
    if (unlinkat(directory, name, 0) != 0)
        assert_int_equal(unlinkat(directory, name, AT_REMOVEDIR), 0);
}

static int import_after(const struct hosttree *t, const char *name,
                        void (*act)(const struct hosttree *, int, const char *),
                        memfs_hostdir_result *result)
{
    struct plan plan = {.tree = t, .call = "openat", .name = name, .act = act};
    begin(&plan);
    int error = import_tree(t, "in", "/in", NULL, result);
    end(&plan);
    return error;
}

static void a_file_that_becomes_a_link_is_not_read(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_victims(t);
    assert_int_equal(import_after(t, "victim", plant_link_to_secret, &result), MEMFS_EIO);
    assert_int_equal(result.host_errno, ELOOP);
    assert_only(t, "t ");
}

static void a_file_that_becomes_a_pipe_is_not_waited_for(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_victims(t);
    assert_int_equal(import_after(t, "victim", plant_pipe, &result), MEMFS_EOPNOTSUPP);
    assert_string_equal(result.path, host(t, "in/victim"));
    assert_only(t, "t ");
}

static void a_directory_that_becomes_a_link_is_not_entered(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_victims(t);
    assert_int_equal(import_after(t, "victims", plant_link_to_directory, &result), MEMFS_EIO);
    assert_true(result.host_errno == ENOTDIR || result.host_errno == ELOOP);
    assert_string_equal(result.path, host(t, "in/victims"));
    assert_only(t, "t ");
}

static void what_vanishes_before_it_is_opened_is_left_out(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_victims(t);
    assert_int_equal(import_after(t, "victim", take_away, &result), 0);
    assert_int_equal(result.files, 0);
    assert_int_equal(result.directories, 2);
    assert_names(t->fs, "/in", "victims ");
}

static void what_vanishes_before_it_is_looked_at_is_left_out(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    make_victims(t);
    struct plan plan = {.tree = t, .call = "fstatat", .name = "victims", .act = take_away};
    begin(&plan);
    int error = import_tree(t, "in", "/in", NULL, &result);
    end(&plan);
    assert_ok(error);
    assert_names(t->fs, "/in", "victim ");
}

static void names_of_the_host_that_climb_out_are_refused(void **state)
{
    struct hosttree *t = *state;
    static const char *const names[] = {"../outside/secret", "/etc/passwd", "victims/.."};
    memfs_hostdir_result result;
    make_victims(t);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        hostcalls_reset();
        hostcalls.climbing_name = names[i];
        assert_returns(import_tree(t, "in", "/in", NULL, &result), MEMFS_EIO);
        assert_int_equal(result.host_errno, EINVAL);
        assert_only(t, "t ");
    }
}

static void pipes_and_devices_are_left_out_and_not_opened(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_result result;
    host_mkdir(t, "in", 0755);
    assert_int_equal(mkfifo(host(t, "in/pipe"), 0600), 0);
    assert_ok(import_tree(t, "in", "/in", NULL, &result));
    assert_int_equal(result.special, 1);
    assert_names(t->fs, "/in", "");
    assert_returns(import_tree(t, "in/pipe", "/pipe", NULL, &result), MEMFS_EOPNOTSUPP);
    memfs_hostdir_result device = {.struct_size = sizeof device};
    assert_returns(memfs_hostdir_import(t->fs, "/dev/null", "/null", NULL, &device),
                   MEMFS_EOPNOTSUPP);
    assert_string_equal(device.path, "/dev/null");
    assert_only(t, "in ");
}

/* ----------------------------------------------------------------- its links */

static const struct {
    const char *path, *target;
    bool is_inner;
} links[] = {
    {"l", "file", true},       {"l", "a/./b//c/", true}, {"l", ".", true},
    {"l", "..", false},        {"l", "./..", false},     {"l", "/file", false},
    {"l", "sub/..", false},    {"sub/l", "..", true},    {"sub/l", "../file", true},
    {"sub/l", "../..", false}, {"sub/l", "x/..", false}, {"sub/l", "..x/...", true},
    {"sub/l", ".././.", true}, {"sub/l", "//", false},   {"sub/l", "../sub/../..", false},
};

static void links_that_may_lead_out_are_refused_both_ways_if_asked_for(void **state)
{
    struct hosttree *t = *state;
    memfs_hostdir_options inner = {.struct_size = sizeof inner, .flags = MEMFS_HOSTDIR_INNER_LINKS};
    memfs_hostdir_result result;
    for (size_t i = 0; i < COUNT_OF(links); i++) {
        char path[64], in_tree[80];
        int wanted = links[i].is_inner ? 0 : MEMFS_EXDEV;
        host_mkdir(t, "in", 0755);
        host_mkdir(t, "in/sub", 0755);
        snprintf(path, sizeof path, "in/%s", links[i].path);
        host_symlink(t, links[i].target, path);
        assert_returns(import_tree(t, "in", "/in", &inner, &result), wanted);
        if (wanted != 0)
            assert_string_equal(result.path, host(t, path));
        if (wanted != 0)
            assert_ok(import_tree(t, "in", "/in", NULL, NULL));
        assert_returns(export_tree(t, "/in", "out", &inner, &result), wanted);
        snprintf(in_tree, sizeof in_tree, "/%s", path);
        if (wanted != 0)
            assert_string_equal(result.path, in_tree);
        assert_int_equal(host_exists(t, "out"), wanted == 0);
        if (wanted == 0)
            host_remove(t, "out");
        host_remove(t, "in");
        assert_ok(memfs_remove_tree(t->fs, "/in"));
    }
}

static int teardown(void **state)
{
    hostcalls_reset();
    return hosttree_teardown(state);
}

#define SAFETY_TEST(name) cmocka_unit_test_setup_teardown(name, hosttree_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAFETY_TEST(links_that_appear_in_the_stage_are_not_followed),
        SAFETY_TEST(links_in_the_directory_that_is_merged_into_are_not_followed),
        SAFETY_TEST(merging_does_not_follow_links_that_appear),
        SAFETY_TEST(removing_what_was_replaced_does_not_follow_links_that_appear),
        SAFETY_TEST(a_hard_link_is_only_made_to_the_copy_itself),
        SAFETY_TEST(a_directory_that_is_moved_away_ends_the_copy),
        SAFETY_TEST(a_file_that_becomes_a_link_is_not_read),
        SAFETY_TEST(a_file_that_becomes_a_pipe_is_not_waited_for),
        SAFETY_TEST(a_directory_that_becomes_a_link_is_not_entered),
        SAFETY_TEST(what_vanishes_before_it_is_opened_is_left_out),
        SAFETY_TEST(what_vanishes_before_it_is_looked_at_is_left_out),
        SAFETY_TEST(names_of_the_host_that_climb_out_are_refused),
        SAFETY_TEST(pipes_and_devices_are_left_out_and_not_opened),
        SAFETY_TEST(links_that_may_lead_out_are_refused_both_ways_if_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
