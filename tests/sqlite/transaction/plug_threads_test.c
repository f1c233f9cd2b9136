/*
 * The plug is pulled at random moments, under one writer for each way to keep a
 * journal, all in one tree.  A snapshot holds each database at a generation between
 * the last that was reported as committed before it was taken and the last that was
 * begun when it was there.
 *
 *     MEMFS_PLUG_SEED=N        another sequence of pauses
 *     MEMFS_PLUG_SNAPSHOTS=N   a longer run
 */
#define _POSIX_C_SOURCE 200809L

#include "plug.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SNAPSHOTS = 60, PATH_BYTES = 32 };

struct writer {
    struct plug_settings settings;
    int databases;
    bool as_one;
    unsigned index;
    char paths[2][PATH_BYTES];
    atomic_int done, aimed;
    uint64_t random;
    pthread_t thread;
};

#define MODE(mode, locking, size) \
    { \
        .settings = {mode, locking, "NORMAL", size, false}, .databases = 1 \
    }
#define PAIR(mode, size) \
    { \
        .settings = {mode, "NORMAL", "FULL", size, false}, .databases = 2, .as_one = true \
    }

#define MVCC(mode, size) \
    { \
        .settings = {mode, "NORMAL", "NORMAL", size, true}, .databases = 1 \
    }

static struct writer writers[] = {
    MODE("MEMORY", "NORMAL", 4096),
    MODE("MEMORY", "EXCLUSIVE", 8192),
    MODE("OFF", "NORMAL", 512),
    MVCC("MEMORY", 4096),
    MODE("DELETE", "NORMAL", 4096),
    MODE("TRUNCATE", "NORMAL", 1024),
    MODE("PERSIST", "NORMAL", 4096),
    MODE("WAL", "NORMAL", 4096),
    MODE("WAL", "EXCLUSIVE", 2048),
    MODE("DELETE", "EXCLUSIVE", 512),
    PAIR("DELETE", 4096),
    PAIR("PERSIST", 1024),
};

enum { WRITERS = sizeof writers / sizeof *writers };

static atomic_bool is_over;

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

/* cmocka's assertions belong to the test's thread. */
static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    abort();
}

static void step(struct writer *writer, sqlite3 *db)
{
    static const char *const schemas[] = {"main", "two"};
    int from = atomic_load(&writer->done);
    bool commits = next_random(&writer->random) % 5 != 0 ||
                   strcmp(writer->settings.journal_mode, "OFF") == 0;
    if (commits)
        atomic_store(&writer->aimed, from + 1);
    run(db, "BEGIN");
    for (int i = 0; i < writer->databases; i++) {
        char *sql = plug_step(schemas[i], &writer->settings, from);
        run(db, sql);
        sqlite3_free(sql);
    }
    run(db, commits ? "COMMIT" : "ROLLBACK");
    if (commits)
        atomic_store(&writer->done, from + 1);
}

static sqlite3 *open_databases(struct writer *writer)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
    char *name = plug_name(writer->paths[0], &writer->settings);
    assert_int_equal(sqlite3_open_v2(name, &db, flags, TEST_VFS), SQLITE_OK);
    sqlite3_free(name);
    assert_int_equal(plug_set_up(db, "main", &writer->settings), SQLITE_OK);
    if (writer->databases == 2) {
        db_run(db, "ATTACH '%s' AS two", writer->paths[1]);
        assert_int_equal(plug_set_up(db, "two", &writer->settings), SQLITE_OK);
    }
    return db;
}

static sqlite3 *connections[WRITERS];

static void *write_on(void *argument)
{
    struct writer *writer = argument;
    while (!atomic_load(&is_over))
        step(writer, connections[writer->index]);
    return NULL;
}

static void start(uint64_t seed)
{
    atomic_store(&is_over, false);
    for (unsigned i = 0; i < WRITERS; i++) {
        struct writer *writer = &writers[i];
        writer->index = i;
        writer->random = seed + i;
        snprintf(writer->paths[0], PATH_BYTES, "/%u-a", i);
        snprintf(writer->paths[1], PATH_BYTES, "/%u-b", i);
        connections[i] = open_databases(writer);
    }
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
}

static void stop(void)
{
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
    for (unsigned i = 0; i < WRITERS; i++)
        db_close(connections[i]);
}

/* The number of databases that were found in a transaction's place, so that something was tried. */
static unsigned judge(unsigned number, const int *done, const int *aimed)
{
    unsigned midway = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        struct writer *writer = &writers[i];
        int found[2] = {0};
        for (int k = 0; k < writer->databases; k++) {
            found[k] = plug_generation(writer->paths[k], &writer->settings);
            if (found[k] < done[i] || found[k] > aimed[i])
                fail_msg("snapshot %u, %s %s: generation %d, should be %d to %d", number,
                         writer->settings.journal_mode, writer->settings.locking_mode, found[k],
                         done[i], aimed[i]);
        }
        if (writer->as_one && found[0] != found[1])
            fail_msg("snapshot %u, %s: torn: %d and %d", number, writer->settings.journal_mode,
                     found[0], found[1]);
        midway += done[i] != aimed[i];
    }
    return midway;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void whenever_the_plug_is_pulled_databases_recover(void **state)
{
    struct fixture *f = *state;
    memfs_config config = memfs_config_default();
    struct fixture *probe = fixture_create(&config);
    uint64_t seed = setting("MEMFS_PLUG_SEED", 20240229);
    uint64_t count = setting("MEMFS_PLUG_SNAPSHOTS", SNAPSHOTS);
    uint64_t random = seed ^ 0x5eed;
    unsigned midway = 0;
    assert_non_null(probe);
    assert_int_equal(memfs_sqlite_register(probe->fs, PROBE_VFS, 0), 0);
    print_message("MEMFS_PLUG_SEED=%llu\n", (unsigned long long)seed);
    start(seed);
    for (unsigned number = 0; number < count; number++) {
        int done[WRITERS], aimed[WRITERS];
        for (uint32_t pause = next_random(&random) % 4000; pause > 0; pause--)
            (void)atomic_load(&is_over);
        for (unsigned i = 0; i < WRITERS; i++)
            done[i] = atomic_load(&writers[i].done);
        assert_int_equal(memfs_snapshot_take(f->fs, "plug"), 0);
        for (unsigned i = 0; i < WRITERS; i++)
            aimed[i] = atomic_load(&writers[i].aimed);
        plug_carry(f->fs, "plug", probe->fs);
        assert_int_equal(memfs_snapshot_remove(f->fs, "plug"), 0);
        midway += judge(number, done, aimed);
    }
    stop();
    print_message("%llu snapshots of %d databases, %u in the middle of a transaction\n",
                  (unsigned long long)count, WRITERS + 2, midway);
    assert_true(midway > 0);
    assert_int_equal(memfs_sqlite_unregister(PROBE_VFS), 0);
    fixture_destroy(probe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whenever_the_plug_is_pulled_databases_recover, sqlite_setup,
                                        sqlite_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
