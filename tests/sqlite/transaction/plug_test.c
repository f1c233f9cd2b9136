/*
 * The plug is pulled after every call of the VFS that changes the tree: the linker puts functions
 * that take a snapshot in place of those of memfs. Each snapshot, recovered in a tree of its own,
 * must hold the database before or after the transaction under way; and after it, once COMMIT has
 * returned.
 */
#include "plug.h"

#include <memfs/storage.h>

#include <stdbool.h>
#include <string.h>

enum { DATABASES_MAX = 2, STEPS = 3 };

static const char *const paths[DATABASES_MAX] = {"/db/a", "/db/b"};

/* What is being done, for the functions in place of memfs's. */
static struct {
    bool is_live; /* snapshots are taken */
    memfs *fs, *probe;
    const struct plug_settings *settings;
    int databases;
    bool as_one;     /* the databases are at the same generation */
    int done, aimed; /* generations: reported as committed, and under way */
    const char *call;
    unsigned snapshots, failures;
    unsigned midway; /* that were taken between the first change and the commit's end */
} scene;

static void complain(const char *what, const int *generations)
{
    scene.failures++;
    print_error("%s, %s, %s, pages of %d, %d databases: after snapshot %u (%s): %s: %d %d, "
                "committed %d, under way %d\n",
                scene.settings->journal_mode, scene.settings->locking_mode,
                scene.settings->synchronous, scene.settings->page_size, scene.databases,
                scene.snapshots, scene.call, what, generations[0], generations[1], scene.done,
                scene.aimed);
}

static void pull_the_plug(const char *call)
{
    int generations[DATABASES_MAX] = {0};
    if (!scene.is_live || scene.failures > 3)
        return;
    scene.is_live = false;
    scene.call = call;
    scene.snapshots++;
    scene.midway += scene.aimed != scene.done;
    int error = memfs_snapshot_take(scene.fs, "plug");
    if (error == 0) {
        plug_carry(scene.fs, "plug", scene.probe);
        error = memfs_snapshot_remove(scene.fs, "plug");
    }
    if (error != 0)
        complain(memfs_error_name(error), generations);
    for (int i = 0; error == 0 && i < scene.databases; i++) {
        generations[i] = plug_generation(paths[i], scene.settings);
        if (generations[i] != scene.done && generations[i] != scene.aimed)
            complain("neither before nor after", generations);
    }
    if (scene.as_one && scene.databases == 2 && generations[0] != generations[1])
        complain("torn", generations);
    scene.is_live = true;
}

#define FOLLOWED(type, name, parameters, arguments) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters \
    { \
        type result = __real_##name arguments; \
        pull_the_plug(#name); \
        return result; \
    }

FOLLOWED(int64_t, memfs_pwrite,
         (memfs_file * file, const void *buffer, size_t length, int64_t offset),
         (file, buffer, length, offset))
FOLLOWED(int, memfs_ftruncate, (memfs_file * file, int64_t size), (file, size))
FOLLOWED(int, memfs_truncate, (memfs * fs, const char *path, int64_t size), (fs, path, size))
FOLLOWED(int, memfs_unlink, (memfs * fs, const char *path), (fs, path))
FOLLOWED(int, memfs_fallocate, (memfs_file * file, int64_t offset, int64_t length, unsigned flags),
         (file, offset, length, flags))
FOLLOWED(int, memfs_preallocate, (memfs_file * file, int64_t end), (file, end))
FOLLOWED(int, memfs_hold_private, (memfs_file * file, int on), (file, on))
FOLLOWED(int, memfs_close, (memfs_file * file), (file))
FOLLOWED(int64_t, memfs_content_write,
         (memfs_content_ref * version, const void *buffer, size_t length, int64_t offset),
         (version, buffer, length, offset))
FOLLOWED(int, memfs_content_truncate, (memfs_content_ref * version, int64_t size), (version, size))
FOLLOWED(int, memfs_content_exchange, (memfs_file * file, memfs_content_ref *version),
         (file, version))
FOLLOWED(int, memfs_content_restore, (memfs_file * file, memfs_content_ref *version),
         (file, version))
FOLLOWED(int, memfs_open_with,
         (memfs * fs, const char *path, const memfs_open_options *options, memfs_file **out),
         (fs, path, options, out))

/* ------------------------------------------------------------ transactions */

static void step_all(sqlite3 *db, const char *after)
{
    static const char *const schemas[DATABASES_MAX] = {"main", "two"};
    for (int i = 0; i < scene.databases; i++) {
        char *sql = plug_step(schemas[i], scene.settings, scene.done);
        db_run(db, "%s", sql);
        sqlite3_free(sql);
    }
    db_run(db, "%s", after);
}

/* A transaction that commits, after a savepoint in it was rolled back. */
static void commit_one(sqlite3 *db)
{
    scene.aimed = scene.done + 1;
    db_run(db, "BEGIN");
    /* OFF has no rollback, not of statements and not of savepoints. */
    if (sqlite3_stricmp(scene.settings->journal_mode, "OFF") != 0)
        db_run(db, "SAVEPOINT s; DELETE FROM t WHERE id > 5; ROLLBACK TO s; RELEASE s");
    step_all(db, "COMMIT");
    scene.done = scene.aimed;
    pull_the_plug("COMMIT");
}

static void roll_back_one(sqlite3 *db)
{
    db_run(db, "BEGIN");
    step_all(db, "ROLLBACK");
    pull_the_plug("ROLLBACK");
}

static void pull_at_each_call(struct fixture *f, const struct plug_settings *settings,
                              int databases)
{
    scene.settings = settings;
    scene.databases = databases;
    scene.done = scene.aimed = 0;
    assert_int_equal(memfs_mkdir(f->fs, "/db", 0755), 0);
    char *names[DATABASES_MAX] = {plug_name(paths[0], settings), plug_name(paths[1], settings)};
    sqlite3 *db = db_open(names[0]);
    assert_int_equal(plug_set_up(db, "main", settings), SQLITE_OK);
    if (databases == 2) {
        db_run(db, "ATTACH '%s' AS two", names[1]);
        assert_int_equal(plug_set_up(db, "two", settings), SQLITE_OK);
    }
    sqlite3_free(names[0]);
    sqlite3_free(names[1]);
    scene.is_live = true;
    pull_the_plug("nothing");
    for (int step = 0; step < STEPS; step++) {
        commit_one(db);
        if (step == 1)
            roll_back_one(db);
        if (step == 2)
            db_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
    db_close(db);
    scene.is_live = false;
    assert_int_equal(memfs_remove_tree(f->fs, "/db"), 0);
    assert_int_equal(scene.failures, 0);
}

/* A COMMIT over several databases is one step where a super-journal decides: SQLite makes one in
 * these modes, unless it was told not to care; with mvcc each is published by itself. */
static bool commits_as_one(const struct plug_settings *settings)
{
    const char *mode = settings->journal_mode;
    return strcmp(settings->synchronous, "OFF") != 0 && !settings->has_mvcc &&
           (strcmp(mode, "DELETE") == 0 || strcmp(mode, "TRUNCATE") == 0 ||
            strcmp(mode, "PERSIST") == 0);
}

static void run_mode(struct fixture *f, const char *mode, bool has_mvcc, int databases)
{
    static const int page_sizes[] = {512, 4096, 65536};
    static const char *const synchronous[] = {"FULL", "OFF", "NORMAL"};
    static const char *const locking[] = {"NORMAL", "EXCLUSIVE"};
    unsigned before = scene.snapshots;
    scene.midway = 0;
    for (int i = 0; i < 6; i += databases) {
        struct plug_settings settings = {mode, locking[i % 2], synchronous[i / 2],
                                         page_sizes[i / 2], has_mvcc};
        scene.as_one = commits_as_one(&settings);
        pull_at_each_call(f, &settings, databases);
    }
    print_message("%s%s, %d: %u snapshots, %u of them in a transaction\n", mode,
                  has_mvcc ? " with mvcc" : "", databases, scene.snapshots - before, scene.midway);
    assert_true(scene.midway > 100);
}

static void run_modes(struct fixture *f, int databases)
{
    static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        run_mode(f, modes[i], false, databases);
    run_mode(f, "MEMORY", true, databases);
    run_mode(f, "PERSIST", true, databases);
}

static void one_database_is_before_or_after_a_commit(void **state)
{
    run_modes(*state, 1);
}

static void two_databases_are_before_or_after_a_commit_together(void **state)
{
    run_modes(*state, 2);
}

static int setup(void **state)
{
    if (sqlite_setup(state) != 0)
        return -1;
    scene.fs = ((struct fixture *)*state)->fs;
    scene.failures = 0;
    return 0;
}

static struct fixture *probe;

static int set_up_probe(void **state)
{
    memfs_config config = memfs_config_default();
    (void)state;
    probe = fixture_create(&config);
    if (probe == NULL)
        return -1;
    scene.probe = probe->fs;
    return memfs_sqlite_register(probe->fs, PROBE_VFS, 0);
}

static int tear_down_probe(void **state)
{
    (void)state;
    int rc = memfs_sqlite_unregister(PROBE_VFS);
    fixture_destroy(probe);
    return rc;
}

#define PLUG_TEST(test) cmocka_unit_test_setup_teardown(test, setup, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLUG_TEST(one_database_is_before_or_after_a_commit),
        PLUG_TEST(two_databases_are_before_or_after_a_commit_together),
    };
    return cmocka_run_group_tests(tests, set_up_probe, tear_down_probe);
}
