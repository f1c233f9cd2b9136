/*
 * memfs_operations OPERATION N: one operation, N times, for a tool that counts instructions.  The
 * count of 2N times, less that of N, is N operations and nothing else.  `all` runs each of them.
 */
#include "bench.h"

#include <memfs/memfs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 4096, ERROR_BYTES = 200 };

static memfs *fs;
static memfs_file *file;
static char bytes[BYTES];

static void create_and_unlink(void)
{
    memfs_file *made;
    bench_must(memfs_open(fs, "/d/made", MEMFS_O_WRITE | MEMFS_O_CREATE, 0644, &made));
    bench_must(memfs_close(made));
    bench_must(memfs_unlink(fs, "/d/made"));
}

static void open_and_close(void)
{
    memfs_file *opened;
    bench_must(memfs_open(fs, "/d/file", MEMFS_O_READ, 0, &opened));
    bench_must(memfs_close(opened));
}

static void stat_a_path(void)
{
    memfs_stat_info info = {.struct_size = sizeof info};
    bench_must(memfs_stat(fs, "/d/file", &info));
}

static void read_64_bytes(void)
{
    bench_must(memfs_pread(file, bytes, 64, 100));
}

static void write_64_bytes(void)
{
    bench_must(memfs_pwrite(file, bytes, 64, 100));
}

static void read_a_page(void)
{
    bench_must(memfs_pread(file, bytes, BYTES, BYTES));
}

static void copy_a_file(void)
{
    bench_must(memfs_copy(fs, "/d/file", "/d/copy", 0));
}

static void rename_twice(void)
{
    bench_must(memfs_rename(fs, "/d/file", "/d/renamed", 0));
    bench_must(memfs_rename(fs, "/d/renamed", "/d/file", 0));
}

#ifdef WITH_SQLITE

#include "sql.h"

#include <memfs/sqlite.h>

static sqlite3 *db;
static sqlite3_stmt *insert;

static void open_database(const char *uri, const char *mode)
{
    char pragma[ERROR_BYTES];
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    sql_must(db, sqlite3_open_v2(uri, &db, flags, NULL), SQLITE_OK);
    snprintf(pragma, sizeof pragma,
             "PRAGMA journal_mode=%s; CREATE TABLE t(a INTEGER PRIMARY KEY, b)", mode);
    sql_run(db, pragma);
    sql_must(db,
             sqlite3_prepare_v2(db, "INSERT INTO t(b) VALUES('thirty characters of a row, so')", -1,
                                &insert, NULL),
             SQLITE_OK);
}

static void insert_a_row(void)
{
    sql_must(db, sqlite3_step(insert), SQLITE_DONE);
    sqlite3_reset(insert);
}

static void close_database(void)
{
    sqlite3_finalize(insert);
    sqlite3_close(db);
    insert = NULL;
    db = NULL;
}

#define DATABASE "file:/x.db?vfs=operations"

#endif

static const struct operation {
    const char *name;
    void (*run)(void);
    const char *uri, *mode; /* of a database; null: none is open */
} operations[] = {
    {"create-and-unlink", create_and_unlink, NULL, NULL},
    {"open-and-close", open_and_close, NULL, NULL},
    {"stat", stat_a_path, NULL, NULL},
    {"pread-64-bytes", read_64_bytes, NULL, NULL},
    {"pwrite-64-bytes", write_64_bytes, NULL, NULL},
    {"pread-4-KiB", read_a_page, NULL, NULL},
    {"copy-over-a-file", copy_a_file, NULL, NULL},
    {"rename-twice", rename_twice, NULL, NULL},
#ifdef WITH_SQLITE
    {"insert-in-:memory:", insert_a_row, ":memory:", "MEMORY"},
    {"insert-DELETE", insert_a_row, DATABASE, "DELETE"},
    {"insert-TRUNCATE", insert_a_row, DATABASE, "TRUNCATE"},
    {"insert-PERSIST", insert_a_row, DATABASE, "PERSIST"},
    {"insert-MEMORY", insert_a_row, DATABASE, "MEMORY"},
    {"insert-WAL", insert_a_row, DATABASE, "WAL"},
    {"insert-isolated", insert_a_row, DATABASE "&memfs_mvcc=1", "MEMORY"},
#endif
};

static void run_operation(const struct operation *operation, long count)
{
    bench_must(memfs_create(NULL, &fs));
    bench_must(memfs_mkdir(fs, "/d", 0755));
    bench_must(memfs_open(fs, "/d/file", MEMFS_O_RDWR | MEMFS_O_CREATE, 0644, &file));
    for (int i = 0; i < 4; i++)
        bench_must(memfs_write(file, bytes, BYTES));
#ifdef WITH_SQLITE
    bench_must(memfs_sqlite_register(fs, "operations", 0));
    if (operation->uri != NULL)
        open_database(operation->uri, operation->mode);
#endif
    for (long i = 0; i < count; i++)
        operation->run();
#ifdef WITH_SQLITE
    if (operation->uri != NULL)
        close_database();
    bench_must(memfs_sqlite_unregister("operations"));
#endif
    bench_must(memfs_close(file));
    bench_must(memfs_destroy(fs, 0));
}

int main(int count, char **words)
{
    int run = 0;
    long times = count == 3 ? strtol(words[2], NULL, 10) : 0;
    for (size_t i = 0; times > 0 && i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(words[1], "all") != 0 && strcmp(words[1], operations[i].name) != 0)
            continue;
        run_operation(&operations[i], times);
        run++;
    }
    if (run > 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "usage: memfs_operations OPERATION N\noperations:");
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        fprintf(stderr, " %s", operations[i].name);
    fprintf(stderr, "\n");
    return EXIT_FAILURE;
}
