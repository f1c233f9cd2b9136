/*
 * One writer and two readers of one database for a while, all as fast as they can: point SELECTs
 * and autocommit UPDATEs done, against those on tmpfs in WAL mode.
 */
#define _POSIX_C_SOURCE 200809L

#include "bench.h"
#include "sql.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#define VFS_NAME "concurrency"
#define READERS 2u
#define ROWS 1000u

struct contestant {
    const char *what;
    const char *uri; /* null: a file on tmpfs */
    const char *pragmas;
    enum bench_bound reads_bound, writes_bound;
    double reads_figure, writes_figure;
    struct samples reads, writes; /* per run */
    unsigned long refused;
};

/* The first is what the others are compared with. */
static struct contestant contestants[] = {
    {.what = "tmpfs, WAL", .pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"},
    {.what = "WAL",
     .uri = "file:/w.db?vfs=" VFS_NAME,
     .pragmas = "PRAGMA journal_mode=WAL",
     .reads_bound = AT_LEAST,
     .writes_bound = AT_LEAST,
     .reads_figure = 2,
     .writes_figure = 3},
    {.what = "mvcc",
     .uri = "file:/m.db?vfs=" VFS_NAME "&memfs_mvcc=1",
     .pragmas = "",
     .reads_bound = AT_LEAST,
     .writes_bound = AT_LEAST,
     .reads_figure = 3,
     .writes_figure = 6},
    {.what = "shared cache, uncommitted",
     .uri = "file:concurrency?mode=memory&cache=shared",
     .pragmas = "PRAGMA read_uncommitted=1"},
    {.what = "memdb VFS, shared", .uri = "file:/concurrency?vfs=memdb", .pragmas = ""},
};

#define CONTESTANTS (sizeof contestants / sizeof *contestants)

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    atomic_bool *ends;
    sqlite3 *db;
    const char *sql;
    unsigned long done, refused;
    uint64_t random;
};

static sqlite3 *open_connection(const struct contestant *contestant, const char *path)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    const char *uri = contestant->uri == NULL ? path : contestant->uri;
    sql_must(db, sqlite3_open_v2(uri, &db, flags, NULL), SQLITE_OK);
    sql_must(db, sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    sql_run(db, contestant->pragmas);
    return db;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    sqlite3_stmt *statement;
    sql_must(worker->db, sqlite3_prepare_v2(worker->db, worker->sql, -1, &statement, NULL),
             SQLITE_OK);
    pthread_barrier_wait(worker->start);
    while (!atomic_load(worker->ends)) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)(bench_random(&worker->random) % ROWS));
        int code = sqlite3_step(statement);
        worker->done += code == SQLITE_ROW || code == SQLITE_DONE;
        worker->refused += code != SQLITE_ROW && code != SQLITE_DONE;
        (void)sqlite3_reset(statement);
    }
    sqlite3_finalize(statement);
    return NULL;
}

static void run(struct contestant *contestant, const char *path, long milliseconds)
{
    struct worker workers[1 + READERS] = {{0}};
    pthread_barrier_t start;
    atomic_bool ends;
    atomic_init(&ends, false);
    pthread_barrier_init(&start, NULL, 2 + READERS);
    for (unsigned i = 0; i <= READERS; i++) {
        struct worker *worker = &workers[i];
        *worker = (struct worker){.start = &start, .ends = &ends, .random = i};
        worker->db = open_connection(contestant, path);
        worker->sql = i == 0 ? "UPDATE t SET b=b+1 WHERE a=?" : "SELECT b FROM t WHERE a=?";
        pthread_create(&worker->thread, NULL, work, worker);
    }
    pthread_barrier_wait(&start);
    nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
    atomic_store(&ends, true);
    double reads = 0;
    for (unsigned i = 0; i <= READERS; i++) {
        pthread_join(workers[i].thread, NULL);
        reads += i == 0 ? 0 : (double)workers[i].done;
        contestant->refused += workers[i].refused;
        sql_must(workers[i].db, sqlite3_close(workers[i].db), SQLITE_OK);
    }
    pthread_barrier_destroy(&start);
    samples_add(&contestant->reads, reads + 1);
    samples_add(&contestant->writes, (double)workers[0].done + 1);
}

static void report(struct bench *bench, struct contestant *contestant)
{
    char what[72];
    snprintf(what, sizeof what, "1 writer, 2 readers: reads, %s, to tmpfs", contestant->what);
    bench_report(bench, what, samples_ratio(&contestant->reads, &contestants[0].reads),
                 contestant->reads_bound, contestant->reads_figure);
    snprintf(what, sizeof what, "1 writer, 2 readers: writes, %s, to tmpfs", contestant->what);
    bench_report(bench, what, samples_ratio(&contestant->writes, &contestants[0].writes),
                 contestant->writes_bound, contestant->writes_figure);
    if (contestant->refused > 0)
        printf("%s: %lu calls were refused\n", contestant->what, contestant->refused);
}

void bench_concurrency(struct bench *bench)
{
    char path[64];
    memfs *fs;
    sqlite3 *keepers[CONTESTANTS]; /* so that what is in memory stays between runs */
    if (bench->tmpfs == NULL)
        return;
    bench_must(memfs_create(NULL, &fs));
    bench_must(memfs_sqlite_register(fs, VFS_NAME, 0));
    snprintf(path, sizeof path, "%s/c.db", bench->tmpfs);
    for (size_t i = 0; i < CONTESTANTS; i++) {
        keepers[i] = open_connection(&contestants[i], path);
        sql_run(keepers[i], "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);"
                            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n"
                            " WHERE i<999) INSERT INTO t SELECT i, 0, zeroblob(100) FROM n");
    }
    for (unsigned repetition = 0; repetition < bench->repetitions; repetition++)
        for (size_t i = 0; i < CONTESTANTS; i++)
            run(&contestants[i], path, bench->smoke ? 5 : 200);
    for (size_t i = 0; i < CONTESTANTS; i++)
        sql_must(keepers[i], sqlite3_close(keepers[i]), SQLITE_OK);
    bench_must(remove(path));
    bench_must(memfs_sqlite_unregister(VFS_NAME));
    bench_must(memfs_destroy(fs, 0));
    for (size_t i = 1; i < CONTESTANTS; i++)
        report(bench, &contestants[i]);
}
