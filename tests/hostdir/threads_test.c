/* Several imports and exports at a time, of the same roots and to the same destination. */
#include "hosttree.h"

#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, ROUNDS = 15 };

struct worker {
    const struct hosttree *tree;
    int number;
    int import_error, own_error, shared_error;
    memfs_hostdir_result failed;
};

static void *copy_in_and_out(void *context)
{
    struct worker *w = context;
    memfs_hostdir_options replace = {.struct_size = sizeof replace, .flags = MEMFS_HOSTDIR_REPLACE};
    char in[128], in_tree[32], own[128], shared[128];
    snprintf(in, sizeof in, "%s/in", w->tree->root);
    snprintf(own, sizeof own, "%s/own-%d", w->tree->root, w->number);
    snprintf(shared, sizeof shared, "%s/shared", w->tree->root);
    snprintf(in_tree, sizeof in_tree, "/in-%d", w->number);
    w->failed.struct_size = sizeof w->failed;
    memfs *fs = w->tree->fs;
    for (int round = 0; round < ROUNDS; round++) {
        w->import_error |= memfs_hostdir_import(fs, in, in_tree, &replace, NULL);
        w->own_error |= memfs_hostdir_export(fs, in_tree, own, &replace, NULL);
        w->shared_error |= memfs_hostdir_export(fs, in_tree, shared, &replace, &w->failed);
    }
    return NULL;
}

static void copies_do_not_get_in_each_others_way(void **state)
{
    struct hosttree *t = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    host_mkdir(t, "in", 0755);
    host_mkdir(t, "in/sub", 0755);
    host_write(t, "in/a", "text", 0644);
    host_write(t, "in/sub/b", "more", 0600);
    host_symlink(t, "a", "in/link");
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.tree = t, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, copy_in_and_out, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_ok(workers[i].import_error);
        assert_ok(workers[i].own_error);
        if (workers[i].shared_error != 0)
            print_error("%s: errno %d\n", workers[i].failed.path, workers[i].failed.host_errno);
        assert_ok(workers[i].shared_error);
    }
    assert_host_names(t, "", "in own-0 own-1 own-2 own-3 shared ");
    assert_host_names(t, "shared", "a link sub ");
    host_check_text(t, "shared/sub/b", "more");
    host_check_text(t, "own-3/a", "text");
    assert_int_equal(statfs_of(t->fs).files, 2 * THREADS);
    assert_ok(memfs_audit(t->fs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOST_TEST(copies_do_not_get_in_each_others_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
