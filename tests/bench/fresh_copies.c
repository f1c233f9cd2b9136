/*
 * A fresh copy of a database for each of many tests, in the ways that a test suite has:
 * microseconds of CPU time for one test, which opens the copy, changes a row and closes it.  x is
 * the size of the database in MiB.
 */
#define _GNU_SOURCE 1

#include "bench.h"
#include "sql.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROW_BYTES = 1000, MIB = 1 << 20, PATH_ROOM = 300 };

/* The database, in each of the forms that the ways begin with. */
struct original {
    memfs *fs;
    const char *tmpfs;
    unsigned megabytes;
    unsigned char *image;
    sqlite3_int64 image_bytes;
};

static void fill(sqlite3 *db, unsigned megabytes)
{
    char sql[200];
    snprintf(
        sql, sizeof sql,
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b); WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL "
        "SELECT i+1 FROM n WHERE i<%u) INSERT INTO t SELECT i, zeroblob(%u) FROM n",
        megabytes * (MIB / ROW_BYTES), ROW_BYTES - 40);
    sql_run(db, sql);
}

static void test_and_close(sqlite3 *db)
{
    sql_run(db, "UPDATE t SET b=1 WHERE a=7");
    sqlite3_close(db);
}

static void by_clone(const struct original *original)
{
    memfs *fs;
    sqlite3 *db = NULL;
    bench_must(memfs_clone_instance(original->fs, &fs));
    bench_must(memfs_sqlite_register(fs, "bench-copy", 0));
    sql_must(db, memfs_sqlite_open(fs, "/db", NULL, &db), SQLITE_OK);
    test_and_close(db);
    bench_must(memfs_sqlite_unregister("bench-copy"));
    bench_must(memfs_destroy(fs, 0));
}

static void by_restoring(const struct original *original)
{
    sqlite3 *db = NULL;
    bench_must(memfs_snapshot_restore(original->fs, "built"));
    sql_must(db, memfs_sqlite_open(original->fs, "/db", NULL, &db), SQLITE_OK);
    test_and_close(db);
}

static void copy_on_tmpfs(const char *from, const char *to)
{
    static char buffer[1 << 17];
    ssize_t count;
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    bench_must(in < 0 || out < 0 ? -1 : 0);
    while ((count = read(in, buffer, sizeof buffer)) > 0)
        bench_must(write(out, buffer, (size_t)count));
    close(in);
    close(out);
}

static void by_copying(const struct original *original)
{
    char from[PATH_ROOM], to[PATH_ROOM];
    sqlite3 *db = NULL;
    snprintf(from, sizeof from, "%s/original.db", original->tmpfs);
    snprintf(to, sizeof to, "%s/copy.db", original->tmpfs);
    copy_on_tmpfs(from, to);
    sql_must(db, sqlite3_open(to, &db), SQLITE_OK);
    sql_run(db, "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY");
    test_and_close(db);
    bench_must(unlink(to));
}

static void by_deserializing(const struct original *original)
{
    sqlite3 *db = NULL;
    unsigned flags = SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE;
    unsigned char *copy = sqlite3_malloc64((sqlite3_uint64)original->image_bytes);
    bench_must(copy != NULL ? 0 : -1);
    memcpy(copy, original->image, (size_t)original->image_bytes);
    sql_must(db, sqlite3_open(":memory:", &db), SQLITE_OK);
    sql_must(
        db,
        sqlite3_deserialize(db, "main", copy, original->image_bytes, original->image_bytes, flags),
        SQLITE_OK);
    test_and_close(db);
}

static void by_building(const struct original *original)
{
    sqlite3 *db = NULL;
    sql_must(db, sqlite3_open(":memory:", &db), SQLITE_OK);
    fill(db, original->megabytes);
    test_and_close(db);
}

static const struct way {
    const char *name;
    void (*run)(const struct original *original);
    int needs_tmpfs;
} ways[] = {
    {"memfs clone", by_clone, 0},
    {"memfs snapshot put back", by_restoring, 0},
    {"file copied on tmpfs", by_copying, 1},
    {"sqlite3_deserialize()", by_deserializing, 0},
    {"schema and rows again", by_building, 0},
};

#define WAYS (sizeof ways / sizeof *ways)

/* ---------------------------------------------------------------------- running */

static void prepare(struct original *original)
{
    char path[PATH_ROOM];
    sqlite3 *db = NULL, *on_tmpfs = NULL;
    bench_must(memfs_create(NULL, &original->fs));
    bench_must(memfs_sqlite_register(original->fs, "bench-original", 0));
    sql_must(db, memfs_sqlite_open(original->fs, "/db", NULL, &db), SQLITE_OK);
    fill(db, original->megabytes);
    original->image = sqlite3_serialize(db, "main", &original->image_bytes, 0);
    bench_must(original->image != NULL ? 0 : -1);
    sqlite3_close(db);
    bench_must(memfs_snapshot_take(original->fs, "built"));
    if (original->tmpfs == NULL)
        return;
    snprintf(path, sizeof path, "%s/original.db", original->tmpfs);
    sql_must(on_tmpfs, sqlite3_open(path, &on_tmpfs), SQLITE_OK);
    sql_run(on_tmpfs, "PRAGMA synchronous=OFF");
    fill(on_tmpfs, original->megabytes);
    sqlite3_close(on_tmpfs);
}

static void end(struct original *original)
{
    char path[PATH_ROOM];
    sqlite3_free(original->image);
    bench_must(memfs_sqlite_unregister("bench-original"));
    bench_must(memfs_destroy(original->fs, 0));
    if (original->tmpfs == NULL)
        return;
    snprintf(path, sizeof path, "%s/original.db", original->tmpfs);
    bench_must(unlink(path));
}

void bench_fresh_copies(struct bench *bench)
{
    static const unsigned sizes[] = {1, 10, 100};
    unsigned last = bench->smoke ? 1 : bench->full ? 3 : 2;
    for (unsigned at = 0; at < last; at++) {
        struct original original = {.tmpfs = bench->tmpfs, .megabytes = sizes[at]};
        struct samples times[WAYS] = {{0}};
        unsigned tests = bench->smoke ? 1 : 20 / sizes[at] + 1;
        prepare(&original);
        for (unsigned i = 0; i < bench->repetitions; i++)
            for (unsigned w = 0; w < WAYS; w++) {
                if (ways[w].needs_tmpfs && bench->tmpfs == NULL)
                    continue;
                double start = bench_cpu_ns();
                for (unsigned test = 0; test < tests; test++)
                    ways[w].run(&original);
                samples_add(&times[w], (bench_cpu_ns() - start) / tests / 1000);
            }
        for (unsigned w = 0; w < WAYS; w++)
            if (times[w].count > 0)
                bench_plot(bench, "fresh-copies", ways[w].name, sizes[at],
                           samples_spread(&times[w]));
        end(&original);
    }
}
