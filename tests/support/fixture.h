/*
 * A file system on a tracking allocator, made and unmade for one test.
 *
 *     static void a_test(void **state)
 *     {
 *         struct fixture *f = *state;
 *         assert_int_equal(memfs_mkdir(f->fs, "/d", 0755), 0);
 *     }
 *
 *     cmocka_unit_test_setup_teardown(a_test, fixture_setup, fixture_teardown)
 *
 * The tests of the core run twice: as users do, with objects in slabs, and with
 * MEMFS_TEST_UNPOOLED in the environment, where `fs` is created with
 * MEMFS_CREATE_UNPOOLED and the allocator can refuse each single object.
 *
 * The teardown audits, destroys without force (so a leaked handle fails the
 * test), and checks that the allocator holds nothing.
 */
#ifndef MEMFS_TESTS_FIXTURE_H
#define MEMFS_TESTS_FIXTURE_H

#include "tracking_allocator.h"

#include <memfs/memfs.h>

struct fixture {
    memfs *fs;
    memfs *other; /* a second, empty instance, for tests that could confuse two; may be null */
    struct tracking_allocator allocator;       /* of `fs` */
    struct tracking_allocator other_allocator; /* of `other` */
    _Atomic int64_t now_ns;                    /* what the clock hook says; each reading adds one */
    void *fillers;                             /* see fixture_leave() */
    memfs_refused_callback refused;            /* as it was configured, for `fs` */
    void *refused_context;
    int is_pooled; /* 0: the allocator sees each object but pages, see above */
};

/* The usual one: quota 16 MiB, page size 4096, and an `other` like it. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* One made to measure: `config` gets the tracking allocator (unless it has an arena) and the
 * clock; there is no `other`.  Null if memfs_create() refuses it. */
struct fixture *fixture_create(const memfs_config *config);

/* Audits, destroys and checks as the teardown does, but aborts where that would fail the test. */
void fixture_destroy(struct fixture *fixture);

/* Changes the quota and the allocator's limit together (raising: limit first). */
void fixture_set_quota(struct fixture *fixture, uint64_t quota_bytes);

/* The same, to the looking reserve and `bytes`. */
void fixture_set_quota_above_looking(struct fixture *fixture, uint64_t bytes);

/*
 * Leaves no free page, no room in a page that is partly in use, and `more_bytes` under the quota
 * less the looking reserve: takes charged memory until nothing fits, and sets the quota.  The next
 * change of the quota, by one of these two functions, gives the charged memory back, and so does
 * the teardown.  The callback for refusals, if one was configured, is not asked meanwhile.
 */
void fixture_leave(struct fixture *fixture, uint64_t more_bytes);

/*
 * The whole visible state of the tree as text, to compare before and after a refused call: the
 * numbers of nodes and handles, and of every entry, in order, its path, kind, size, content's hash
 * with its holes, attributes, times, generation and which names are links of one node.  The access
 * times of directories and symlinks are left out, since describing them may change these.
 *
 * It opens and walks, so the quota must leave it some room (a few KiB).  Refused memory ends the
 * process.  From malloc; the caller frees.
 */
char *fixture_describe(memfs *fs);

#endif
