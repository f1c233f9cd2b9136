/*
 * Power cuts in the middle of SQLite's transactions.  The power is cut before every step of a
 * program that writes, in each journal mode; what it leaves is opened as a database, and has all
 * that was committed, or, where SQLite does not promise that, all but the last transaction.
 *
 * That this finds anything is shown by the same programs with one kind of sync that does nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <memfs/fault.h>
#include <memfs/sqlite.h>

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TRANSACTIONS = 8, ROWS = 40 };

struct mode {
    const char *name;
    const char *synchronous;
    int may_lose; /* of the transactions that were committed: at most so many */
};

/* With FULL the deletion of a journal is not synced, so the last transaction may be rolled back.
 * https://www.sqlite.org/pragma.html#pragma_synchronous */
static const struct mode modes[] = {
    {"delete", "extra", 0}, {"delete", "full", 1}, {"truncate", "full", 0},
    {"persist", "full", 0}, {"wal", "full", 0},    {"wal", "normal", TRANSACTIONS},
};

struct program {
    const struct mode *mode;
    const char *device;
    const char *ignored; /* the end of the paths whose syncs do nothing; null: none */
    bool ignores_dirs;   /* and those of directories */
    int committed;
    const char *complaint;
    unsigned sectors;
};

static int register_vfs(memfs *fs, const char *name)
{
    return memfs_sqlite_register(fs, name, 0);
}

static sqlite3 *open_on(const char *vfs, const struct program *p)
{
    char uri[128];
    sqlite3 *db = NULL;
    snprintf(uri, sizeof uri, "file:/app.db?memfs_device=%s&memfs_sector=%u", p->device,
             p->sectors);
    int rc = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
                             vfs);
    if (rc == SQLITE_OK)
        return db;
    sqlite3_close(db);
    return NULL;
}

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* One number, or -1. */
static int number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int(statement, 0);
    return sqlite3_finalize(statement) == SQLITE_OK ? number : -1;
}

/* A transaction adds rows, and changes those of earlier ones. */
static int transact(sqlite3 *db, int number)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "BEGIN;"
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
             " INSERT INTO t SELECT %d, i, randomblob(60) FROM n;"
             "UPDATE t SET filler = zeroblob(60) WHERE i %% 7 = %d;"
             "UPDATE done SET number = %d;"
             "COMMIT",
             ROWS, number, number % 7, number);
    return run(db, sql);
}

static int write_transactions(void *context, memfs *fs)
{
    struct program *p = context;
    char sql[256];
    (void)fs;
    sqlite3 *db = open_on("crash", p);
    if (db == NULL)
        return 1;
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = 1024; PRAGMA cache_size = 8; PRAGMA journal_mode = %s;"
             "PRAGMA synchronous = %s; PRAGMA wal_autocheckpoint = 30",
             p->mode->name, p->mode->synchronous);
    int rc = run(db, sql);
    if (rc == SQLITE_OK)
        rc = run(db, "BEGIN; CREATE TABLE t(number, i, filler); CREATE TABLE done(number);"
                     "INSERT INTO done VALUES(0); COMMIT");
    for (int number = 1; rc == SQLITE_OK && number <= TRANSACTIONS; number++) {
        rc = transact(db, number);
        if (rc == SQLITE_OK)
            p->committed = number;
    }
    sqlite3_close(db);
    return rc;
}

static int complain(struct program *p, const char *text)
{
    p->complaint = text;
    return 1;
}

static int look(struct program *p, sqlite3 *db)
{
    if (number_of(db, "SELECT count(*) FROM sqlite_master") == 0)
        return p->committed <= p->mode->may_lose ? 0 : complain(p, "the database is empty");
    if (number_of(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'") !=
        1)
        return complain(p, "it is damaged");
    int done = number_of(db, "SELECT number FROM done");
    if (done < 0 || done + p->mode->may_lose < p->committed)
        return complain(p, "a transaction is lost");
    if (number_of(db, "SELECT count(*) FROM t") != done * ROWS)
        return complain(p, "a transaction is there in parts");
    return 0;
}

static int check_database(void *context, memfs *fs, uint64_t step)
{
    struct program *p = context;
    (void)step;
    if (register_vfs(fs, "after") != 0)
        return complain(p, "the VFS cannot be registered");
    sqlite3 *db = open_on("after", p);
    int result = db != NULL ? look(p, db) : complain(p, "it cannot be opened");
    sqlite3_close(db);
    if (memfs_sqlite_unregister("after") != 0)
        return complain(p, "the VFS cannot be taken away");
    return result;
}

static int set_up(void *context, memfs *fs)
{
    (void)context;
    return register_vfs(fs, "crash");
}

static void tear_down(void *context, memfs *fs)
{
    (void)context;
    (void)fs;
    assert_int_equal(memfs_sqlite_unregister("crash"), 0);
}

/* ------------------------------------------------------------- running it */

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path), end_length = strlen(end);
    return length >= end_length && strcmp(path + length - end_length, end) == 0;
}

struct run_of {
    struct program program;
    memfs_sweep_report report;
    memfs_crash_options how;
    uint32_t seeds;
    uint64_t swallowed;
};

static bool is_swallowed(const struct program *p, const memfs_operation *operation)
{
    if (operation->what == MEMFS_OP_SYNC_DIR)
        return p->ignores_dirs;
    return operation->what == MEMFS_OP_SYNC && p->ignored != NULL &&
           ends_with(operation->path, p->ignored);
}

static void cut(struct run_of *r, memfs *fs)
{
    memfs_crash_options how = r->how;
    for (uint32_t i = 0; i < r->seeds && r->report.result == 0; i++, how.seed++) {
        memfs *after;
        int error = memfs_crash(fs, &how, &after);
        if (error == MEMFS_ENOENT)
            return;
        assert_int_equal(error, 0);
        r->report.result = check_database(&r->program, after, r->report.steps);
        r->report.failed_step = r->report.steps;
        r->report.failed_seed = how.seed;
        r->report.checks++;
        assert_int_equal(memfs_destroy(after, 0), 0);
    }
}

/* As memfs_sweep_run(), and swallows the syncs that are to do nothing: a call that a hook answers
 * with a positive number has not failed. */
static int hook(void *context, memfs *fs, const memfs_operation *operation)
{
    struct run_of *r = context;
    if (operation->is_after || (operation->what & MEMFS_OP_CHANGES) == 0 || r->report.result != 0)
        return 0;
    r->report.steps++;
    cut(r, fs);
    if (!is_swallowed(&r->program, operation))
        return 0;
    r->swallowed++;
    return 1;
}

/* A build for arenas only skips the test. */
static memfs *create(void)
{
    memfs *fs = NULL;
    int error = memfs_create(NULL, &fs);
    if (error == MEMFS_EOPNOTSUPP)
        skip();
    assert_int_equal(error, 0);
    return fs;
}

static void sweep(struct run_of *r)
{
    memfs *fs = create();
    assert_int_equal(set_up(NULL, fs), 0);
    int error = memfs_durability_start(fs, NULL);
    if (error == MEMFS_EOPNOTSUPP) {
        memfs_sqlite_unregister("crash");
        memfs_destroy(fs, 0);
        skip();
    }
    assert_int_equal(error, 0);
    assert_int_equal(memfs_fault_set_hook(fs, hook, r), 0);
    int rc = write_transactions(&r->program, fs);
    assert_int_equal(memfs_fault_set_hook(fs, NULL, NULL), 0);
    if (r->report.result == 0) {
        assert_int_equal(rc, SQLITE_OK);
        assert_int_equal(r->program.committed, TRANSACTIONS);
        cut(r, fs);
    }
    assert_int_equal(memfs_sqlite_unregister("crash"), 0);
    assert_int_equal(memfs_destroy(fs, 0), 0);
}

static struct run_of run_of(const struct mode *mode, const char *device, uint32_t percent,
                            uint32_t seeds)
{
    return (struct run_of){.program = {.mode = mode, .device = device, .sectors = 512},
                           .how = {sizeof(memfs_crash_options), MEMFS_CRASH_TORN, percent, 1},
                           .seeds = seeds};
}

static void whenever_the_power_goes_every_mode_keeps_what_was_committed(void **state)
{
    static const struct {
        const char *device;
        uint32_t percent, seeds;
    } ways[] = {{"disk", 0, 1}, {"disk", 50, 2}, {"powersafe", 80, 1}};
    (void)state;
    for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++) {
        for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
            struct run_of r = run_of(&modes[m], ways[w].device, ways[w].percent, ways[w].seeds);
            sweep(&r);
            print_message("%s, %s, %s, %u %%: %u cuts\n", modes[m].name, modes[m].synchronous,
                          ways[w].device, (unsigned)ways[w].percent, (unsigned)r.report.checks);
            if (r.report.result != 0)
                fail_msg("%s, %s, step %u, seed %u: %s", modes[m].name, ways[w].device,
                         (unsigned)r.report.failed_step, (unsigned)r.report.failed_seed,
                         r.program.complaint);
            assert_true(r.report.checks > 300);
        }
    }
}

/* What is sure to be found if a sync is missing: of which file, and in which modes. */
static const struct missing {
    size_t mode;
    const char *of; /* null: directories */
} missing[] = {
    {0, "-journal"}, {0, "/app.db"}, {0, NULL}, {1, "-journal"}, {1, "/app.db"}, {1, NULL},
    {2, "-journal"}, {2, "/app.db"}, {2, NULL}, {3, "-journal"}, {3, "/app.db"}, {3, NULL},
    {4, "-wal"},     {4, "/app.db"}, {4, NULL}, {5, "-wal"},     {5, "/app.db"},
};

static void a_sync_that_is_missing_is_found_in_every_mode(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        const struct mode *mode = &modes[missing[i].mode];
        struct run_of r = run_of(mode, "disk", 50, 4);
        r.program.ignored = missing[i].of;
        r.program.ignores_dirs = missing[i].of == NULL;
        sweep(&r);
        assert_true(r.swallowed > 0 || r.report.result != 0);
        if (r.report.result == 0)
            fail_msg("%s, %s: the missing sync of %s was not found", mode->name, mode->synchronous,
                     missing[i].of != NULL ? missing[i].of : "directories");
        print_message("%s, %s, without %s: step %u, %s\n", mode->name, mode->synchronous,
                      missing[i].of != NULL ? missing[i].of : "directories",
                      (unsigned)r.report.failed_step, r.program.complaint);
    }
}

static void the_sweep_of_the_library_does_the_same(void **state)
{
    (void)state;
    struct program p = {.mode = &modes[0], .device = "disk", .sectors = 4096};
    memfs_sweep_report report = {.struct_size = sizeof report};
    const memfs_sweep all = {.struct_size = sizeof all,
                             .context = &p,
                             .body = write_transactions,
                             .set_up = set_up,
                             .check = check_database,
                             .tear_down = tear_down};
    int result = memfs_sweep_run(&all, &report);
    if (result == MEMFS_EOPNOTSUPP)
        skip();
    assert_int_equal(result, 0);
    assert_true(report.checks > 100);
}

static void a_sync_that_fails_is_an_error_of_the_statement(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        uint32_t operation;
        int code;
    } kinds[] = {{"/*-journal", MEMFS_OP_SYNC, SQLITE_IOERR_FSYNC},
                 {"/app.db", MEMFS_OP_SYNC, SQLITE_IOERR_FSYNC},
                 {"/", MEMFS_OP_SYNC_DIR, SQLITE_IOERR_DIR_FSYNC}};
    const struct program p = {.device = "disk", .sectors = 512};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        memfs *fs = create();
        assert_int_equal(register_vfs(fs, "crash"), 0);
        const memfs_fault_rule rule = {.struct_size = sizeof rule,
                                       .operations = kinds[i].operation,
                                       .pattern = kinds[i].pattern,
                                       .nth = 1,
                                       .error = MEMFS_EIO};
        int error = memfs_fault_add(fs, &rule, NULL);
        if (error == 0) {
            sqlite3 *db = open_on("crash", &p);
            assert_non_null(db);
            assert_int_equal(run(db, "CREATE TABLE t(x)"), SQLITE_IOERR);
            assert_int_equal(sqlite3_extended_errcode(db), kinds[i].code);
            assert_int_equal(run(db, "CREATE TABLE t(x)"), SQLITE_OK);
            sqlite3_close(db);
        }
        assert_int_equal(memfs_sqlite_unregister("crash"), 0);
        assert_int_equal(memfs_destroy(fs, 0), 0);
        if (error == MEMFS_EOPNOTSUPP)
            skip();
        assert_int_equal(error, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whenever_the_power_goes_every_mode_keeps_what_was_committed),
        cmocka_unit_test(a_sync_that_is_missing_is_found_in_every_mode),
        cmocka_unit_test(the_sweep_of_the_library_does_the_same),
        cmocka_unit_test(a_sync_that_fails_is_an_error_of_the_statement),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
