/*
 * A directory of the host for one test, beside a file system in memory, and the whole visible
 * state of a tree of the host as text.
 */
#ifndef MEMFS_TESTS_HOSTTREE_H
#define MEMFS_TESTS_HOSTTREE_H

#include "checks.h"

#include <memfs/hostdir.h>
#include <stdbool.h>

struct hosttree {
    struct fixture *fixture;
    memfs *fs;
    char root[64]; /* of the host, empty at first */
};

int hosttree_setup(void **state);
int hosttree_teardown(void **state);

#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, hosttree_setup, hosttree_teardown)

/* The path of `name` in the root; valid until the eighth call that follows. */
const char *host(const struct hosttree *tree, const char *name);

void host_write(const struct hosttree *tree, const char *name, const char *text, unsigned mode);
void host_mkdir(const struct hosttree *tree, const char *name, unsigned mode);
void host_symlink(const struct hosttree *tree, const char *target, const char *name);
void host_set_times(const struct hosttree *tree, const char *name, int64_t access_ns,
                    int64_t modify_ns);
void host_remove(const struct hosttree *tree, const char *name);
bool host_exists(const struct hosttree *tree, const char *name);

/* The file has just this content. */
void host_check_text(const struct hosttree *tree, const char *name, const char *text);

/*
 * Every entry of the tree, in the order of their names: path, kind, mode, times, size, a hash of
 * the content, the target, and which names are links of one file.  Pipes and devices are left out.
 * Changes no time of access where the system allows that.  From malloc.
 */
char *host_describe(const struct hosttree *tree, const char *name);

/* The names in a directory, sorted, with a blank after each.  From malloc. */
char *host_names(const struct hosttree *tree, const char *name);

#define assert_host_names(tree, name, names) \
    do { \
        char *names_found = host_names((tree), (name)); \
        assert_string_equal(names_found, (names)); \
        free(names_found); \
    } while (0)

/* A tree with something of everything that this part knows: see hosttree.c. */
void host_make_sample(const struct hosttree *tree, const char *name);

/* The calls, with a result that is checked against what they return. */
int import_tree(const struct hosttree *tree, const char *from, const char *to,
                const memfs_hostdir_options *options, memfs_hostdir_result *result);
int export_tree(const struct hosttree *tree, const char *from, const char *to,
                const memfs_hostdir_options *options, memfs_hostdir_result *result);

/* The tree is sound, and nothing but `names` is in its root. */
#define assert_only(tree, names) \
    do { \
        assert_ok(memfs_audit((tree)->fs)); \
        assert_names((tree)->fs, "/", (names)); \
    } while (0)

#endif
