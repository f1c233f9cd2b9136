/*
 * memfs/cmocka.h: fixtures of memfs/fixture.h as cmocka's.
 *
 * Each test gets, as its `*state`, a tree in the state that a function has built once.
 *
 *     #include <memfs/cmocka.h>
 *
 *     static int build(void *context, memfs *fs)
 *     {
 *         (void)context;
 *         return memfs_write_file(fs, "/greeting", "hello\n", 6, 0644, 0);
 *     }
 *
 *     static void a_test_may_do_anything(void **state)
 *     {
 *         assert_int_equal(memfs_unlink((memfs *)*state, "/greeting"), 0);
 *     }
 *
 *     static void and_the_next_one_does_not_see_it(void **state)
 *     {
 *         assert_file_equal((memfs *)*state, "/greeting", "hello\n", 6);
 *     }
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {
 *             MEMFS_CMOCKA_TEST(a_test_may_do_anything),
 *             MEMFS_CMOCKA_TEST(and_the_next_one_does_not_see_it),
 *         };
 *         const memfs_fixture_options options = {.struct_size = sizeof options, .build = build};
 *         memfs_cmocka_use(&options);
 *         return cmocka_run_group_tests(tests, memfs_cmocka_build, memfs_cmocka_destroy);
 *     }
 *
 * RULES
 *
 * - memfs_cmocka_use() says which fixture the next group builds; the options must stay until then.
 *   A group has one fixture, and cmocka runs its tests one after another, in one thread: assertions
 *   of cmocka in other threads end the program.
 * - A test that succeeds leaves nothing open, or its teardown fails.  After a test that fails its
 *   tree is printed, and saved where MEMFS_FIXTURE_SAVE says (memfs_fixture_report()).
 * - MEMFS_CMOCKA_SKIP() in the place of skip(), which memfs cannot tell from a failure.
 * - Everything here is inline and static: each source file of a program has a fixture of its own.
 */
#ifndef MEMFS_CMOCKA_H
#define MEMFS_CMOCKA_H

#include <memfs/fixture.h>

/* What cmocka's header wants to have before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MEMFS_CMOCKA_TEXT_BYTES 4096

/* A test of cmocka's, by its function. */
struct memfs_cmocka_test {
    const char *name;
    void (*function)(void **state);
};

/* What is going on in this source file. */
struct memfs_cmocka_run {
    const memfs_fixture_options *options;
    memfs_fixture *fixture;
    memfs_fixture_test test;
    const struct memfs_cmocka_test *running;
    int has_ended;                      /* the test's function has returned, or skipped */
    char text[MEMFS_CMOCKA_TEXT_BYTES]; /* of the difference that a comparison found */
};

static inline struct memfs_cmocka_run *memfs_cmocka_now(void)
{
    static struct memfs_cmocka_run run;
    return &run;
}

/* The fixture of the groups that are run from now on. */
static inline void memfs_cmocka_use(const memfs_fixture_options *options)
{
    memfs_cmocka_now()->options = options;
}

/* The name of the running test's SQLite VFS. */
static inline const char *memfs_cmocka_vfs(void)
{
    return memfs_cmocka_now()->test.vfs;
}

/* A group's setup and teardown. */
static inline int memfs_cmocka_build(void **state)
{
    struct memfs_cmocka_run *run = memfs_cmocka_now();
    (void)state;
    int error = memfs_fixture_create(run->options, &run->fixture);
    if (error != 0)
        print_error("the fixture was not built: %s\n", memfs_error_text(error));
    return error;
}

static inline int memfs_cmocka_destroy(void **state)
{
    struct memfs_cmocka_run *run = memfs_cmocka_now();
    (void)state;
    int error = memfs_fixture_destroy(run->fixture);
    if (error != 0)
        print_error("the fixture was not destroyed: %s\n", memfs_error_text(error));
    run->fixture = NULL;
    return error;
}

/* A test's setup, function and teardown; used by MEMFS_CMOCKA_TEST. */
static inline int memfs_cmocka_begin(void **state)
{
    struct memfs_cmocka_run *run = memfs_cmocka_now();
    run->running = (const struct memfs_cmocka_test *)*state;
    run->has_ended = 0;
    run->text[0] = '\0';
    int error = memfs_fixture_begin(run->fixture, &run->test);
    if (error != 0)
        print_error("%s got no tree: %s\n", run->running->name, memfs_error_text(error));
    *state = run->test.fs;
    return error;
}

static inline void memfs_cmocka_call(void **state)
{
    struct memfs_cmocka_run *run = memfs_cmocka_now();
    run->running->function(state);
    run->has_ended = 1;
}

static inline int memfs_cmocka_end(void **state)
{
    struct memfs_cmocka_run *run = memfs_cmocka_now();
    (void)state;
    if (!run->has_ended)
        (void)memfs_fixture_report(run->test.fs, run->running->name, run->text, stderr);
    int error = memfs_fixture_end(run->fixture, &run->test,
                                  run->has_ended ? 0 : MEMFS_FIXTURE_FAILED);
    if (error == MEMFS_EBUSY)
        print_error("%s has left something open\n", run->running->name);
    return error;
}

#define MEMFS_CMOCKA_TEST(test_function) \
    { \
#test_function, memfs_cmocka_call, memfs_cmocka_begin, memfs_cmocka_end, \
            &(struct memfs_cmocka_test) \
        { \
#test_function, test_function \
        } \
    }

#define MEMFS_CMOCKA_SKIP() (memfs_cmocka_now()->has_ended = 1, skip())

/* Fails the test unless the file has these bytes; says where it differs. */
#define assert_file_equal(fs, path, expected, size) \
    memfs_cmocka_check(memfs_fixture_compare_file((fs), (path), (expected), (size), \
                                                  memfs_cmocka_now()->text, \
                                                  MEMFS_CMOCKA_TEXT_BYTES), \
                       (path), __FILE__, __LINE__)

/* Fails the test unless the two trees are equal, by the flags of memfs_fixture_compare_trees(). */
#define assert_tree_equal(one, path, other, other_path, flags) \
    memfs_cmocka_check(memfs_fixture_compare_trees((one), (path), (other), (other_path), (flags), \
                                                   memfs_cmocka_now()->text, \
                                                   MEMFS_CMOCKA_TEXT_BYTES), \
                       (path), __FILE__, __LINE__)

static inline void memfs_cmocka_check(int result, const char *path, const char *file, int line)
{
    if (result == 0)
        return;
    if (result < 0)
        print_error("%s: %s\n", path, memfs_error_text(result));
    else
        print_error("%s", memfs_cmocka_now()->text);
    memfs_cmocka_now()->text[0] = '\0'; /* it is told */
    _fail(file, line);
}

#endif
