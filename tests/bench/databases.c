/*
 * Autocommit INSERTs: a database on the memfs VFS in each journal mode, one on
 * tmpfs and one on SQLite's own memdb VFS, against `:memory:`.
 */
#include "bench.h"
#include "sql.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <stdio.h>

#define VFS_NAME "bench"

struct contestant {
    const char *what;
    const char *uri; /* null: DELETE on tmpfs */
    const char *journal_mode;
    enum bench_bound bound;
    double figure;
    sqlite3 *db;
    sqlite3_stmt *insert;
    struct samples times;
};

/* The first is what the others are compared with. */
static struct contestant contestants[] = {
    {.what = ":memory:", .uri = ":memory:", .journal_mode = "MEMORY"},
    {.what = "DELETE",
     .uri = "file:/d.db?vfs=" VFS_NAME,
     .journal_mode = "DELETE",
     .bound = AT_MOST,
     .figure = 1.8},
    {.what = "TRUNCATE",
     .uri = "file:/t.db?vfs=" VFS_NAME,
     .journal_mode = "TRUNCATE",
     .bound = AT_MOST,
     .figure = 1.8},
    {.what = "PERSIST",
     .uri = "file:/p.db?vfs=" VFS_NAME,
     .journal_mode = "PERSIST",
     .bound = AT_MOST,
     .figure = 1.8},
    {.what = "WAL",
     .uri = "file:/w.db?vfs=" VFS_NAME,
     .journal_mode = "WAL",
     .bound = AT_MOST,
     .figure = 1.8},
    {.what = "MEMORY", .uri = "file:/m.db?vfs=" VFS_NAME, .journal_mode = "MEMORY"},
    {.what = "OFF", .uri = "file:/o.db?vfs=" VFS_NAME, .journal_mode = "OFF"},
    {.what = "memdb VFS", .uri = "file:/x?vfs=memdb", .journal_mode = "MEMORY"},
    {.what = "tmpfs, DELETE", .uri = NULL, .journal_mode = "DELETE"},
};

#define CONTESTANTS (sizeof contestants / sizeof *contestants)

static void open_contestant(struct contestant *contestant, const char *uri)
{
    char pragma[64];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    sql_must(contestant->db, sqlite3_open_v2(uri, &contestant->db, flags, NULL), SQLITE_OK);
    sqlite3 *db = contestant->db;
    snprintf(pragma, sizeof pragma, "PRAGMA journal_mode=%s", contestant->journal_mode);
    sql_run(db, pragma);
    sql_run(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)");
    sql_must(db,
             sqlite3_prepare_v2(db, "INSERT INTO t(b) VALUES('a row of some thirty characters')",
                                -1, &contestant->insert, NULL),
             SQLITE_OK);
}

static void insert_rows(struct contestant *contestant, unsigned count)
{
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < count; i++) {
        sql_must(contestant->db, sqlite3_step(contestant->insert), SQLITE_DONE);
        sql_must(contestant->db, sqlite3_reset(contestant->insert), SQLITE_OK);
    }
    samples_add(&contestant->times, bench_cpu_ns() - start);
}

static void close_contestant(struct contestant *contestant)
{
    sqlite3_finalize(contestant->insert);
    sql_must(contestant->db, sqlite3_close(contestant->db), SQLITE_OK);
}

static void report(struct bench *bench)
{
    for (unsigned i = 1; i < CONTESTANTS; i++) {
        const struct contestant *contestant = &contestants[i];
        char what[72];
        if (contestant->times.count == 0)
            continue;
        snprintf(what, sizeof what, "autocommit INSERT, %s, to :memory:", contestant->what);
        bench_report(bench, what, samples_ratio(&contestant->times, &contestants[0].times),
                     contestant->bound, contestant->figure);
    }
}

void bench_databases(struct bench *bench)
{
    unsigned rows = bench->smoke ? 20 : 1000;
    char path[64];
    memfs *fs;
    bench_must(memfs_create(NULL, &fs));
    bench_must(memfs_sqlite_register(fs, VFS_NAME, 0));
    snprintf(path, sizeof path, "%s/x.db", bench->tmpfs == NULL ? "" : bench->tmpfs);
    size_t count = bench->tmpfs == NULL ? CONTESTANTS - 1 : CONTESTANTS;
    for (size_t i = 0; i < count; i++)
        open_contestant(&contestants[i], contestants[i].uri == NULL ? path : contestants[i].uri);
    for (unsigned repetition = 0; repetition < bench->repetitions; repetition++)
        for (size_t i = 0; i < count; i++)
            insert_rows(&contestants[i], rows);
    for (size_t i = 0; i < count; i++)
        close_contestant(&contestants[i]);
    if (bench->tmpfs != NULL)
        bench_must(remove(path));
    bench_must(memfs_sqlite_unregister(VFS_NAME));
    bench_must(memfs_destroy(fs, 0));
    report(bench);
}
