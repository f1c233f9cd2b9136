/*
 * A commit while other connections to the database are open, and a read by one of them after it:
 * nanoseconds of CPU time for both, with x connections.
 */
#include "bench.h"
#include "sql.h"

#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <stdio.h>
#include <string.h>

#define VFS_NAME "bench-connections"

enum { CONNECTIONS_MAX = 200, URI_BYTES = 300 };

struct crowd {
    const char *name, *uri; /* null: on tmpfs */
    const char *pragmas;
    sqlite3 *connections[CONNECTIONS_MAX];
    sqlite3_stmt *update, *selects[CONNECTIONS_MAX];
    unsigned count, next;
    struct samples times;
};

static struct crowd crowds[] = {
    {.name = "memfs WAL", .uri = "file:/w.db?vfs=" VFS_NAME, .pragmas = "PRAGMA journal_mode=WAL"},
    {.name = "memfs DELETE",
     .uri = "file:/d.db?vfs=" VFS_NAME,
     .pragmas = "PRAGMA journal_mode=DELETE"},
    {.name = "memfs isolated",
     .uri = "file:/i.db?vfs=" VFS_NAME "&memfs_mvcc=1",
     .pragmas = "PRAGMA journal_mode=MEMORY"},
    {.name = "memdb VFS shared",
     .uri = "file:/shared?vfs=memdb",
     .pragmas = "PRAGMA journal_mode=MEMORY"},
    {.name = "tmpfs WAL synchronous=OFF",
     .uri = NULL,
     .pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF"},
};

#define CROWDS (sizeof crowds / sizeof *crowds)

static void add_connection(struct crowd *crowd, const char *uri)
{
    sqlite3 **db = &crowd->connections[crowd->count];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    sql_must(*db, sqlite3_open_v2(uri, db, flags, NULL), SQLITE_OK);
    sqlite3_busy_timeout(*db, 1000);
    sql_run(*db, crowd->pragmas);
    if (crowd->count == 0) {
        sql_run(*db, "CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES(1, 0)");
        sql_must(*db, sqlite3_prepare_v2(*db, "UPDATE t SET b=b+1", -1, &crowd->update, NULL),
                 SQLITE_OK);
    }
    sql_must(*db,
             sqlite3_prepare_v2(*db, "SELECT b FROM t", -1, &crowd->selects[crowd->count], NULL),
             SQLITE_OK);
    crowd->count++;
}

static void step_once(sqlite3_stmt *statement, int wanted)
{
    sql_must(sqlite3_db_handle(statement), sqlite3_step(statement), wanted);
    sqlite3_reset(statement);
}

/* The readers take turns. */
static double commit_and_read(struct crowd *crowd, unsigned operations)
{
    double start = bench_cpu_ns();
    for (unsigned i = 0; i < operations; i++) {
        step_once(crowd->update, SQLITE_DONE);
        step_once(crowd->selects[crowd->next++ % crowd->count], SQLITE_ROW);
    }
    return (bench_cpu_ns() - start) / operations;
}

static void close_crowd(struct crowd *crowd)
{
    sqlite3_finalize(crowd->update);
    for (unsigned i = 0; i < crowd->count; i++) {
        sqlite3_finalize(crowd->selects[i]);
        sqlite3_close(crowd->connections[i]);
    }
}

void bench_connections(struct bench *bench)
{
    static const unsigned counts[] = {1, 10, 50, CONNECTIONS_MAX};
    unsigned last = bench->smoke ? 2 : 4;
    char on_tmpfs[URI_BYTES];
    memfs *fs;
    bench_must(memfs_create(NULL, &fs));
    bench_must(memfs_sqlite_register(fs, VFS_NAME, 0));
    snprintf(on_tmpfs, sizeof on_tmpfs, "file:%s/connections.db",
             bench->tmpfs != NULL ? bench->tmpfs : "");
    for (unsigned at = 0; at < last; at++) {
        for (unsigned c = 0; c < CROWDS; c++) {
            const char *uri = crowds[c].uri != NULL ? crowds[c].uri : on_tmpfs;
            crowds[c].times.count = 0;
            while (crowds[c].count < counts[at] && (crowds[c].uri != NULL || bench->tmpfs != NULL))
                add_connection(&crowds[c], uri);
        }
        for (unsigned i = 0; i < bench->repetitions; i++)
            for (unsigned c = 0; c < CROWDS; c++)
                if (crowds[c].count > 0)
                    samples_add(&crowds[c].times,
                                commit_and_read(&crowds[c], bench->smoke ? 10 : 500));
        for (unsigned c = 0; c < CROWDS; c++)
            if (crowds[c].count > 0)
                bench_plot(bench, "connections", crowds[c].name, counts[at],
                           samples_spread(&crowds[c].times));
    }
    for (unsigned c = 0; c < CROWDS; c++)
        close_crowd(&crowds[c]);
    if (bench->tmpfs != NULL)
        (void)remove(on_tmpfs + strlen("file:"));
    bench_must(memfs_sqlite_unregister(VFS_NAME));
    bench_must(memfs_destroy(fs, 0));
}
