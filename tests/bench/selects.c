/*
 * Point SELECTs that SQLite's cache could answer: with the pages in the cache, and read where they
 * lie (mmap_size), against `:memory:`; each in a transaction of its own, and all in one.
 */
#include "bench.h"
#include "sql.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <stdio.h>

#define VFS_NAME "bench"

enum { ROWS = 20000 };

struct contestant {
    const char *what;
    const char *uri;
    const char *journal_mode;
    int maps;
    enum bench_bound bound;
    sqlite3 *db;
    sqlite3_stmt *select;
    struct samples alone, together;
};

/* The first is what the others are compared with. */
static struct contestant contestants[] = {
    {.what = ":memory:", .uri = ":memory:", .journal_mode = "MEMORY"},
    {.what = "DELETE", .uri = "file:/d.db?vfs=" VFS_NAME, .journal_mode = "DELETE"},
    {.what = "DELETE, mapped",
     .uri = "file:/e.db?vfs=" VFS_NAME,
     .journal_mode = "DELETE",
     .maps = 1,
     .bound = AT_MOST},
    {.what = "WAL", .uri = "file:/v.db?vfs=" VFS_NAME, .journal_mode = "WAL"},
    {.what = "WAL, mapped",
     .uri = "file:/w.db?vfs=" VFS_NAME,
     .journal_mode = "WAL",
     .maps = 1,
     .bound = AT_MOST},
    {.what = "memdb VFS", .uri = "file:/y?vfs=memdb", .journal_mode = "MEMORY"},
};

#define CONTESTANTS (sizeof contestants / sizeof *contestants)

static void open_contestant(struct contestant *contestant)
{
    char sql[300];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    sql_must(contestant->db, sqlite3_open_v2(contestant->uri, &contestant->db, flags, NULL),
             SQLITE_OK);
    sqlite3 *db = contestant->db;
    snprintf(sql, sizeof sql, "PRAGMA journal_mode=%s; PRAGMA mmap_size=%d",
             contestant->journal_mode, contestant->maps * 1000000000);
    sql_run(db, sql);
    sql_run(db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT)");
    snprintf(sql, sizeof sql,
             "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<%d)"
             " INSERT INTO t SELECT x, 'a row of some thirty characters' FROM c",
             ROWS);
    sql_run(db, sql);
    sql_run(db, "PRAGMA wal_checkpoint(TRUNCATE); SELECT sum(length(b)) FROM t");
    sql_must(db, sqlite3_prepare_v2(db, "SELECT b FROM t WHERE a=?", -1, &contestant->select, NULL),
             SQLITE_OK);
}

static void select_rows(struct contestant *contestant, struct samples *times, unsigned count)
{
    uint64_t state = 1;
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < count; i++) {
        int row = (int)(bench_random(&state) % ROWS) + 1;
        sql_must(contestant->db, sqlite3_bind_int(contestant->select, 1, row), SQLITE_OK);
        sql_must(contestant->db, sqlite3_step(contestant->select), SQLITE_ROW);
        sql_must(contestant->db, sqlite3_reset(contestant->select), SQLITE_OK);
    }
    samples_add(times, bench_cpu_ns() - start);
}

static void report(struct bench *bench)
{
    const struct contestant *first = &contestants[0];
    for (unsigned i = 1; i < CONTESTANTS; i++) {
        const struct contestant *contestant = &contestants[i];
        char what[72];
        snprintf(what, sizeof what, "point SELECT, %s, to :memory:", contestant->what);
        bench_report(bench, what, samples_ratio(&contestant->alone, &first->alone),
                     contestant->bound, 1.05);
        snprintf(what, sizeof what, "the same in one transaction, %s", contestant->what);
        bench_report(bench, what, samples_ratio(&contestant->together, &first->together),
                     contestant->bound, 1.05);
    }
}

void bench_selects(struct bench *bench)
{
    unsigned count = bench->smoke ? 200 : 5000;
    memfs *fs;
    bench_must(memfs_create(NULL, &fs));
    bench_must(memfs_sqlite_register(fs, VFS_NAME, 0));
    for (size_t i = 0; i < CONTESTANTS; i++)
        open_contestant(&contestants[i]);
    for (unsigned repetition = 0; repetition < bench->repetitions; repetition++)
        for (size_t i = 0; i < CONTESTANTS; i++) {
            select_rows(&contestants[i], &contestants[i].alone, count);
            sql_run(contestants[i].db, "BEGIN");
            select_rows(&contestants[i], &contestants[i].together, count);
            sql_run(contestants[i].db, "COMMIT");
        }
    for (size_t i = 0; i < CONTESTANTS; i++) {
        sqlite3_finalize(contestants[i].select);
        sql_must(contestants[i].db, sqlite3_close(contestants[i].db), SQLITE_OK);
    }
    bench_must(memfs_sqlite_unregister(VFS_NAME));
    bench_must(memfs_destroy(fs, 0));
    report(bench);
}
