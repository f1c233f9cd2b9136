/*
 * SQLite's heap, refusing: the SQL functions and the table must come through with an error,
 * nothing half done, and nothing lost.
 *
 * The heap is replaced before SQLite starts, so this is a program of its own.
 */
#define _XOPEN_SOURCE 700

#include "query_fixture.h"

#include <stdlib.h>
#include <unistd.h>

static sqlite3_mem_methods heap; /* SQLite's own */
static int countdown;            /* to the allocation that is refused; 0: none is */

static int is_refused(void)
{
    return countdown > 0 && --countdown == 0;
}

static void *heap_take(int size)
{
    return is_refused() ? NULL : heap.xMalloc(size);
}

static void *heap_resize(void *memory, int size)
{
    return is_refused() ? NULL : heap.xRealloc(memory, size);
}

static int replace_heap(void)
{
    sqlite3_mem_methods methods;
    int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &heap);
    if (rc != SQLITE_OK)
        return rc;
    methods = heap;
    methods.xMalloc = heap_take;
    methods.xRealloc = heap_resize;
    /* A reserve of small pieces for each connection would hide what is asked for. */
    rc = sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
    return rc == SQLITE_OK ? sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) : rc;
}

/* Refuses each allocation in turn.  A failure must change nothing that `probe` can see. */
static void sweep(sqlite3 *db, const char *sql, const char *probe)
{
    char *before = query_rows(db, probe);
    int refusals = 0;
    for (int number = 1;; number++) {
        countdown = number;
        int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
        int was_reached = countdown == 0;
        countdown = 0;
        if (rc == SQLITE_OK && !was_reached)
            break;
        if (rc == SQLITE_OK)
            continue; /* SQLite could do without */
        if (rc != SQLITE_NOMEM)
            fail_msg("%s: allocation %d: %s (%d)", sql, number, sqlite3_errmsg(db), rc);
        query_is(db, probe, before);
        refusals++;
    }
    sqlite3_free(before);
    if (refusals == 0)
        fail_msg("%s: takes no memory", sql);
}

#define PROBE "SELECT path, size_bytes FROM memfs_tree"

static void a_query_that_sqlites_heap_refuses_changes_nothing(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    query_is(db, "SELECT memfs_write('/d/e/f', 'x'), memfs_mkdir('/d/g')", "1|NULL");
    assert_int_equal(memfs_symlink(f->fs, "d", "/l", 0), 0);
    sweep(db, "SELECT path, name, parent, kind, data, root FROM memfs_tree('/', 9)", PROBE);
    sweep(db, "SELECT path FROM memfs_tree WHERE path='/d/e/f'", PROBE);
    sweep(db, "SELECT path FROM memfs_tree WHERE path GLOB '/d/*' AND path<'/z'", PROBE);
    sweep(db, "SELECT memfs_read('/d/e/f'), memfs_stat('/d/e/f')", PROBE);
    sweep(db, "SELECT memfs_mkdir('/new/directory')", PROBE);
    sweep(db, "SELECT memfs_remove_tree('/new')", PROBE);
    query_close(db);
}

/*
 * After the function has made its change, SQLite may need memory for the row that tells so; so
 * a failure may come with the change made, but it is whole.
 */
static void a_write_that_sqlites_heap_refuses_is_whole_or_not_there(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    for (int number = 1;; number++) {
        countdown = number;
        int rc = sqlite3_exec(db, "SELECT memfs_write('/a/b', 'x'), memfs_append('/c/d', 'y')",
                              NULL, NULL, NULL);
        int was_reached = countdown == 0;
        countdown = 0;
        if (rc == SQLITE_OK && !was_reached)
            break;
        assert_true(rc == SQLITE_OK || rc == SQLITE_NOMEM);
        query_is(db,
                 "SELECT count(*) FROM memfs_tree t WHERE kind='directory' AND path!='/' AND "
                 "NOT EXISTS(SELECT 1 FROM memfs_tree(t.path) WHERE kind='file')",
                 "0");
        (void)memfs_remove_tree(f->fs, "/a");
        (void)memfs_remove_tree(f->fs, "/c");
    }
    query_is(db, "SELECT path, data FROM memfs_tree WHERE kind='file'", "/a/b|x\n/c/d|y");
    query_close(db);
}

/* Counts down in both directions, over a directory of the host that the test makes. */
static void a_copy_to_or_from_the_host_that_is_refused_leaves_the_tree_alone(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = query_open(f->fs, MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS);
    char directory[] = "/tmp/memfs-heap-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    char *copy = sqlite3_mprintf("SELECT memfs_export('/d/f', '%s/f'), memfs_import('%s', '/i')",
                                 directory, directory);
    query_is(db, "SELECT memfs_write('/d/f', 'x')", "1");
    for (int number = 1;; number++) {
        countdown = number;
        int rc = sqlite3_exec(db, copy, NULL, NULL, NULL);
        int was_reached = countdown == 0;
        countdown = 0;
        if (rc == SQLITE_OK && !was_reached)
            break;
        assert_true(rc == SQLITE_OK || rc == SQLITE_NOMEM);
        (void)memfs_remove_tree(f->fs, "/i");
        query_is(db, "SELECT path FROM memfs_tree", "/\n/d\n/d/f");
    }
    query_is(db, "SELECT path, data FROM memfs_tree('/i') WHERE kind='file'", "/i/f|x");
    sqlite3_free(copy);
    char file[64];
    sqlite3_snprintf(sizeof file, file, "%s/f", directory);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(directory), 0); /* no temporary file is left */
    query_close(db);
}

static void a_registration_that_is_refused_leaves_no_function(void **state)
{
    struct fixture *f = *state;
    for (int number = 1;; number++) {
        sqlite3 *db;
        assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
        countdown = number;
        int error = memfs_sqlite_register_functions(db, f->fs, 0);
        countdown = 0;
        if (error == 0) {
            query_is(db, PROBE, "/|0");
            query_close(db);
            assert_true(number > 1);
            return;
        }
        assert_int_equal(error, MEMFS_ENOMEM);
        query_fails(db, "SELECT memfs_exists('/')", SQLITE_ERROR, "no such function");
        query_fails(db, PROBE, SQLITE_ERROR, "no such table");
        query_close(db);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FS_TEST(a_query_that_sqlites_heap_refuses_changes_nothing),
        FS_TEST(a_write_that_sqlites_heap_refuses_is_whole_or_not_there),
        FS_TEST(a_copy_to_or_from_the_host_that_is_refused_leaves_the_tree_alone),
        FS_TEST(a_registration_that_is_refused_leaves_no_function),
    };
    if (replace_heap() != SQLITE_OK)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
