/*
 * SQLite connections in many threads, each with its own, on one database in a
 * file system that others use at the same time: in every rollback journal
 * mode, with room and at the quota.
 *
 * The invariant: the one row of `meta` says how many rows `log` has, in every
 * state that a connection can see, and at the end it is the number that the
 * threads know to have committed.  What may be said is SQLITE_OK, SQLITE_BUSY
 * and, at the quota, SQLITE_FULL.
 */
#include "crew.h"
#include "site.h"

#include <memfs/sqlite.h>

#include <sqlite3.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define VFS_NAME "stress"
#define DATABASE "/app.db"
#define WRITERS 3u
#define TRANSACTIONS 200u
#define BUSY_MS 60000

struct place {
    struct site site;
    const char *journal_mode;
    int may_be_full;
    _Atomic int64_t rows;  /* that committed transactions have left in `log` */
    _Atomic uint64_t full; /* times that SQLite said so */
};

static int is_allowed(struct place *place, int code)
{
    if (code == SQLITE_FULL)
        atomic_fetch_add(&place->full, 1);
    return code == SQLITE_OK || code == SQLITE_BUSY || (code == SQLITE_FULL && place->may_be_full);
}

static int execute(struct crew_member *me, sqlite3 *db, const char *sql)
{
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (!is_allowed(me->context, code)) {
        fprintf(stderr, "%s: %s (%d): %s\n", sql, sqlite3_errstr(code),
                sqlite3_extended_errcode(db), sqlite3_errmsg(db));
        crew_fail(me, "SQLite says what it must not", __FILE__, __LINE__);
    }
    return code;
}

/* The first row's integers, or that there is none: then SQLITE_BUSY or SQLITE_FULL. */
static int query(struct crew_member *me, sqlite3 *db, const char *sql, int64_t out[2])
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        for (int i = 0; i < 2; i++)
            out[i] = sqlite3_column_int64(statement, i);
    int end = sqlite3_finalize(statement);
    code = code == SQLITE_OK ? end : code;
    if (!is_allowed(me->context, code)) {
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
        crew_fail(me, "SQLite says what it must not", __FILE__, __LINE__);
    }
    return code;
}

static int open_database(const char *path, sqlite3 **db)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int code = sqlite3_open_v2(path, db, flags, VFS_NAME);
    sqlite3_busy_timeout(*db, BUSY_MS);
    return code;
}

/* Every other connection has a cache so small that it spills. */
static sqlite3 *opened(struct crew_member *me)
{
    struct place *place = me->context;
    sqlite3 *db = NULL;
    char pragma[64];
    crew_check(me, open_database(DATABASE, &db) == SQLITE_OK);
    snprintf(pragma, sizeof pragma, "PRAGMA journal_mode=%s", place->journal_mode);
    while (execute(me, db, pragma) == SQLITE_BUSY)
        continue;
    if (me->index % 2 == 1)
        execute(me, db, "PRAGMA cache_size=5");
    return db;
}

static void closed(struct crew_member *me, sqlite3 *db)
{
    crew_check(me, sqlite3_close(db) == SQLITE_OK);
}

/* Runs the statements between BEGIN and COMMIT; rolls back if one fails.  True if it committed. */
static int transact(struct crew_member *me, sqlite3 *db, const char *const *statements)
{
    if (execute(me, db, "BEGIN IMMEDIATE") != SQLITE_OK)
        return 0;
    int code = SQLITE_OK;
    for (; code == SQLITE_OK && *statements != NULL; statements++)
        code = execute(me, db, *statements);
    if (code == SQLITE_OK)
        code = execute(me, db, "COMMIT");
    if (code != SQLITE_OK && !sqlite3_get_autocommit(db))
        crew_check(me, execute(me, db, "ROLLBACK") == SQLITE_OK);
    crew_check(me, sqlite3_get_autocommit(db));
    return code == SQLITE_OK;
}

static int insert_rows(struct crew_member *me, sqlite3 *db)
{
    char insert[160], update[64];
    uint32_t count = 1 + crew_random(me, 6);
    snprintf(insert, sizeof insert,
             "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<%u) "
             "INSERT INTO log(body) SELECT randomblob(%u) FROM c",
             count, crew_random(me, 3000));
    snprintf(update, sizeof update, "UPDATE meta SET n=n+%u", count);
    if (!transact(me, db, (const char *const[]){insert, update, NULL}))
        return 0;
    atomic_fetch_add(&((struct place *)me->context)->rows, count);
    return 1;
}

static int delete_row(struct crew_member *me, sqlite3 *db)
{
    static const char *const statements[] = {
        "UPDATE meta SET n=n-(SELECT count(*) FROM (SELECT 1 FROM log LIMIT 1))",
        "DELETE FROM log WHERE id=(SELECT min(id) FROM log)", NULL};
    if (!transact(me, db, statements))
        return 0;
    atomic_fetch_sub(&((struct place *)me->context)->rows, sqlite3_changes(db));
    return 1;
}

static void write_rows(struct crew_member *me)
{
    sqlite3 *db = opened(me);
    for (unsigned i = 0; i < TRANSACTIONS; i++) {
        int committed = crew_random(me, 4) != 0 ? insert_rows(me, db) : delete_row(me, db);
        if (!committed)
            delete_row(me, db);
        me->done += (uint64_t)committed;
        if (crew_random(me, 16) == 0) {
            closed(me, db);
            db = opened(me);
        }
    }
    closed(me, db);
}

static void check_counts(struct crew_member *me, sqlite3 *db)
{
    int64_t seen[2] = {-1, -2};
    int code = query(me, db, "SELECT n, (SELECT count(*) FROM log) FROM meta", seen);
    if (code != SQLITE_OK)
        return;
    crew_check(me, seen[0] == seen[1]);
    me->done++;
}

static void read_rows(struct crew_member *me)
{
    sqlite3 *db = opened(me);
    for (unsigned i = 0; i < TRANSACTIONS * 2; i++)
        check_counts(me, db);
    closed(me, db);
}

/* During a read transaction no connection writes the database file, so a clone of the file alone
 * is whole. */
static void clone_database(struct crew_member *me)
{
    struct place *place = me->context;
    char path[32];
    snprintf(path, sizeof path, "/clone-%u.db", me->index);
    sqlite3 *db = opened(me);
    for (unsigned i = 0; i < TRANSACTIONS / 4; i++) {
        int64_t seen[2] = {-1, -1}, copied[2] = {-2, -2};
        crew_check(me, execute(me, db, "BEGIN") == SQLITE_OK);
        if (query(me, db, "SELECT n, 0 FROM meta", seen) == SQLITE_OK) {
            sqlite3 *clone = NULL;
            crew_must(me, memfs_copy(place->site.fs, DATABASE, path, 0));
            crew_check(me, open_database(path, &clone) == SQLITE_OK);
            crew_check(me, query(me, clone, "SELECT n, (SELECT count(*) FROM log) FROM meta",
                                 copied) == SQLITE_OK);
            crew_check(me, copied[0] == seen[0] && copied[1] == seen[0]);
            closed(me, clone);
        }
        execute(me, db, "COMMIT");
    }
    closed(me, db);
    crew_must(me, memfs_unlink(place->site.fs, path));
}

/* Other files of the same tree, which take the room that the database wants. */
static void use_files(struct crew_member *me)
{
    struct place *place = me->context;
    static const unsigned char bytes[100000];
    char path[32];
    for (unsigned i = 0; i < TRANSACTIONS * 4; i++) {
        snprintf(path, sizeof path, "/file-%u-%u", me->index, crew_random(me, 3));
        int result = memfs_write_file(place->site.fs, path, bytes,
                                      1 + crew_random(me, sizeof bytes), 0644, 0);
        crew_allow(me, result, place->may_be_full ? MEMFS_EDQUOT : MEMFS_EIO);
        snprintf(path, sizeof path, "/file-%u-%u", me->index, crew_random(me, 3));
        crew_allow(me, memfs_unlink(place->site.fs, path), MEMFS_ENOENT);
    }
}

static void create_tables(const struct place *place)
{
    sqlite3 *db = NULL;
    assert_int_equal(open_database(DATABASE, &db), SQLITE_OK);
    char sql[256];
    snprintf(sql, sizeof sql,
             "PRAGMA page_size=1024; PRAGMA journal_mode=%s;"
             "CREATE TABLE log(id INTEGER PRIMARY KEY, body BLOB);"
             "CREATE TABLE meta(n INTEGER); INSERT INTO meta VALUES(0);",
             place->journal_mode);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int expect_text(void *text, int columns, char **values, char **names)
{
    (void)names;
    assert_int_equal(columns, 1);
    assert_string_equal(values[0], (const char *)text);
    return 0;
}

static void check_whole(const struct place *place)
{
    sqlite3 *db = NULL;
    char rows[32], ok[] = "ok";
    snprintf(rows, sizeof rows, "%lld", (long long)place->rows);
    assert_int_equal(open_database(DATABASE, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA integrity_check", expect_text, ok, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT n FROM meta", expect_text, rows, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "SELECT count(*) FROM log", expect_text, rows, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void run_place(const char *journal_mode, uint64_t quota_bytes, int may_be_full)
{
    struct place place = {.journal_mode = journal_mode, .may_be_full = may_be_full};
    site_open(&place.site, quota_bytes, 0);
    /* Room for a WAL index and some frames: a connection may be the first, when all is full. */
    if (may_be_full)
        assert_int_equal(memfs_set_emergency_reserve(place.site.fs, 64u << 10), 0);
    assert_int_equal(memfs_sqlite_register(place.site.fs, VFS_NAME, 0), 0);
    create_tables(&place);
    struct crew *crew = crew_create(journal_mode, &place);
    crew_add(crew, "writer", WRITERS, write_rows);
    crew_add(crew, "reader", 2, read_rows);
    crew_add(crew, "files", may_be_full ? 2 : 1, use_files);
    /* In WAL mode a checkpoint writes the database while others read. */
    if (!may_be_full && strcmp(journal_mode, "WAL") != 0)
        crew_add(crew, "cloner", 1, clone_database);
    crew_run(crew);
    assert_true(crew_done(crew, "writer") > 0);
    assert_true(crew_done(crew, "reader") > 0);
    crew_destroy(crew);
    if (may_be_full)
        assert_true(place.full > 0);
    check_whole(&place);
    assert_int_equal(memfs_sqlite_unregister(VFS_NAME), 0);
    assert_int_equal(memfs_set_emergency_reserve(place.site.fs, 0), 0);
    site_close(&place.site);
}

static const char *const journal_modes[] = {"DELETE", "TRUNCATE", "PERSIST",
                                            "MEMORY", "OFF",      "WAL"};
#define JOURNAL_MODES (sizeof journal_modes / sizeof *journal_modes)

static void connections_in_many_threads_count_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOURNAL_MODES; i++)
        run_place(journal_modes[i], 64u << 20, 0);
}

static void connections_at_the_quota_count_exactly(void **state)
{
    (void)state;
    for (size_t i = 0; i < JOURNAL_MODES; i++)
        run_place(journal_modes[i], 364u << 10, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_in_many_threads_count_exactly),
        cmocka_unit_test(connections_at_the_quota_count_exactly),
    };
    return cmocka_run_group_tests_name("databases", tests, NULL, NULL);
}
