/*
 * A connection whose database has lost its place: every way to lose it, every way to keep a
 * journal, in every state of the connection.  The connection keeps what it had, is told when it
 * writes, and does nothing to the database that has the place now; nor is that database's
 * connection, which begins, undoes and commits meanwhile, kept from anything.
 */
#include "sqlite_fixture.h"

#include <stdbool.h>

enum { ROWS = 60 };

/* ------------------------------------------------------------------ the ways */

static void load_over(struct fixture *f, void *image, size_t size, int expected)
{
    assert_int_equal(memfs_sqlite_load_buffer(f->fs, image, size, "/d/db", 0), expected);
}

enum way { LOADED, RENAMED_OVER, RESTORED, MADE_ANEW, EXCHANGED, WAYS };

static const char *const way_names[WAYS] = {"loaded", "renamed over", "restored", "made anew",
                                            "exchanged"};

/* ---------------------------------------------------------- the journal modes */

static const struct mode {
    const char *journal_mode;
    const char *uri;
    bool is_exclusive;
} modes[] = {
    {"DELETE", "/d/db", false},
    {"TRUNCATE", "/d/db", false},
    {"PERSIST", "/d/db", false},
    {"MEMORY", "/d/db", false},
    {"OFF", "/d/db", false},
    {"WAL", "/d/db", false},
    {"MEMORY", "file:/d/db?memfs_mvcc=1", false},
    {"DELETE", "file:/d/db?memfs_mvcc=1", false},
    {"PERSIST", "file:/d/db?memfs_mvcc=1", false},
    {"DELETE", "/d/db", true},
    {"TRUNCATE", "/d/db", true},
    {"PERSIST", "/d/db", true},
    {"MEMORY", "/d/db", true},
    {"OFF", "/d/db", true},
    {"WAL", "/d/db", true},
    {"MEMORY", "file:/d/db?memfs_mvcc=1", true},
};

static bool has_wal(const struct mode *mode)
{
    return strcmp(mode->journal_mode, "WAL") == 0;
}

/* ----------------------------------------------------------------- the states */

/* What the connection has done when the place is lost, and what it does afterwards. */
enum after { NOTHING, FINISHES, COMMITS, ROLLS_BACK, WRITES_AND_COMMITS };

static const struct state {
    const char *name;
    const char *before; /* null: an open SELECT */
    enum after after;
} states[] = {
    {"idle", "", NOTHING},
    {"reading", NULL, FINISHES},
    {"has begun", "BEGIN IMMEDIATE", WRITES_AND_COMMITS},
    {"has begun exclusively", "BEGIN EXCLUSIVE", WRITES_AND_COMMITS},
    {"has written a page", "BEGIN; DELETE FROM t WHERE i=1", COMMITS},
    {"has written a page", "BEGIN; DELETE FROM t WHERE i=1", ROLLS_BACK},
    {"has spilled", "BEGIN; UPDATE t SET b='lost'||substr(b,5)", COMMITS},
    {"has spilled", "BEGIN; UPDATE t SET b='lost'||substr(b,5)", ROLLS_BACK},
    {"has spilled", "BEGIN; DELETE FROM t WHERE i%2; CREATE TABLE u AS SELECT * FROM t",
     WRITES_AND_COMMITS},
};

static bool writes_before(const struct state *state)
{
    return state->before != NULL && state->before[0] != '\0';
}

/* ---------------------------------------------------------------- one database */

static sqlite3 *open_mode(const struct mode *mode)
{
    sqlite3 *db = db_open(mode->uri);
    db_run(db, "PRAGMA locking_mode=%s", mode->is_exclusive ? "EXCLUSIVE" : "NORMAL");
    db_run(db, "PRAGMA journal_mode=%s; PRAGMA cache_size=5", mode->journal_mode);
    return db;
}

static void fill(sqlite3 *db, const char *tag)
{
    db_run(db,
           "CREATE TABLE t(i INTEGER PRIMARY KEY, b); "
           "WITH RECURSIVE c(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM c WHERE i<%d) "
           "INSERT INTO t SELECT i, '%s '||hex(zeroblob(700)) FROM c",
           ROWS, tag);
}

static void assert_is(sqlite3 *db, const char *tag)
{
    char sql[100];
    sqlite3_snprintf((int)sizeof sql, sql,
                     "SELECT count(*)||' '||sum(b LIKE '%s %%') FROM t NOT INDEXED", tag);
    char expected[32];
    sqlite3_snprintf((int)sizeof expected, expected, "%d %d", ROWS, ROWS);
    db_assert_text(db, sql, expected);
}

/* ---------------------------------------------------------------- losing a place */

struct scene {
    struct fixture *f;
    enum way way;
    void *image; /* of the new database */
    size_t size;
};

/* The new database, which says "new", waits to take the place. */
static void prepare(struct scene *scene)
{
    memfs *fs = scene->f->fs;
    assert_ok(memfs_mkdir(fs, "/d", 0755));
    assert_ok(memfs_mkdir(fs, "/e", 0755));
    sqlite3 *db = db_open("/d/db");
    fill(db, "new");
    assert_int_equal(memfs_sqlite_save_buffer(db, NULL, fs, &scene->image, &scene->size),
                     SQLITE_OK);
    db_close(db);
    assert_ok(memfs_snapshot_take(fs, "clean"));
    if (scene->way == EXCHANGED)
        assert_ok(memfs_copy(fs, "/d/db", "/e/db", 0));
    if (scene->way == RENAMED_OVER)
        assert_ok(memfs_copy(fs, "/d/db", "/new", 0));
    assert_ok(memfs_unlink(fs, "/d/db"));
}

static void lose_place(struct scene *scene)
{
    memfs *fs = scene->f->fs;
    if (scene->way == LOADED) {
        load_over(scene->f, scene->image, scene->size, SQLITE_OK);
    } else if (scene->way == RENAMED_OVER) {
        assert_ok(memfs_rename(fs, "/new", "/d/db", 0));
    } else if (scene->way == RESTORED) {
        assert_ok(memfs_snapshot_restore(fs, "clean"));
    } else if (scene->way == EXCHANGED) {
        assert_ok(memfs_rename(fs, "/d", "/e", MEMFS_RENAME_EXCHANGE));
    } else {
        assert_ok(memfs_unlink(fs, "/d/db"));
    }
}

static void clear(struct scene *scene)
{
    memfs *fs = scene->f->fs;
    assert_ok(memfs_free(fs, scene->image));
    assert_ok(memfs_snapshot_remove(fs, "clean"));
    (void)memfs_unlink(fs, "/new");
    (void)memfs_unlink(fs, "/e/db");
    assert_ok(memfs_unlink(fs, "/d/db"));
    assert_ok(memfs_rmdir(fs, "/d")); /* which is empty: there is no journal */
    assert_ok(memfs_rmdir(fs, "/e"));
}

/* --------------------------------------------------------------- the connection */

static void writing_is_refused(sqlite3 *old)
{
    assert_int_equal(db_try(old, "INSERT INTO t VALUES(NULL,'lost')"), SQLITE_READONLY_DBMOVED);
    assert_int_equal(sqlite3_get_autocommit(old), 1);
    assert_int_equal(db_try(old, "BEGIN; DELETE FROM t; COMMIT"), SQLITE_READONLY_DBMOVED);
    (void)db_try(old, "ROLLBACK");
    assert_int_equal(sqlite3_get_autocommit(old), 1);
}

static sqlite3_stmt *begin(sqlite3 *old, const struct state *state)
{
    sqlite3_stmt *reading = NULL;
    if (state->before != NULL) {
        db_run(old, "%s", state->before);
        return NULL;
    }
    assert_int_equal(sqlite3_prepare_v2(old, "SELECT b FROM t", -1, &reading, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(reading), SQLITE_ROW);
    return reading;
}

/* What was under way when the place was lost: what was read goes on, what was written is undone. */
static void end(sqlite3 *old, const struct state *state, sqlite3_stmt *reading)
{
    int rows = 1;
    int rc = SQLITE_OK;
    while (reading != NULL && sqlite3_step(reading) == SQLITE_ROW)
        rows += memcmp(sqlite3_column_text(reading, 0), "old ", 4) == 0;
    if (reading != NULL) {
        assert_int_equal(sqlite3_finalize(reading), SQLITE_OK);
        assert_int_equal(rows, ROWS);
    }
    if (state->after == WRITES_AND_COMMITS)
        rc = db_try(old, "INSERT INTO t VALUES(NULL,'lost')");
    if ((state->after == COMMITS || state->after == WRITES_AND_COMMITS) && rc == SQLITE_OK)
        rc = db_try(old, "COMMIT");
    if (state->after == COMMITS || state->after == WRITES_AND_COMMITS)
        assert_int_equal(rc, SQLITE_READONLY_DBMOVED);
    if (state->after == ROLLS_BACK || !sqlite3_get_autocommit(old))
        db_run(old, "ROLLBACK");
}

/* ------------------------------------------------------------ the new database's */

static const char *const change = "BEGIN; UPDATE t SET b='torn'||substr(b,4); "
                                  "DELETE FROM t WHERE i%2; CREATE INDEX x ON t(b)";

static sqlite3 *open_new(const struct scene *scene, const struct mode *mode)
{
    sqlite3 *fresh = open_mode(mode);
    if (scene->way == MADE_ANEW)
        fill(fresh, "new");
    assert_is(fresh, "new");
    return fresh;
}

static void assert_undone(sqlite3 *fresh)
{
    db_run(fresh, "ROLLBACK");
    assert_is(fresh, "new");
    db_assert_whole(fresh);
}

/* Closes a connection to a database that is in its place, without leaving a journal. */
static void close_clean(sqlite3 *db)
{
    db_run(db, "PRAGMA locking_mode=NORMAL; SELECT count(*) FROM sqlite_master");
    db_run(db, "PRAGMA journal_mode=DELETE; SELECT count(*) FROM sqlite_master");
    db_close(db);
}

/* TRUNCATE and PERSIST leave the journal, empty or with a header of zeros. */
static void assert_journal_is_finished(memfs *fs, const char *path)
{
    char first = 0;
    memfs_file *journal;
    if (memfs_open(fs, path, MEMFS_O_READ, 0, &journal) != 0)
        return;
    assert_true(memfs_pread(journal, &first, 1, 0) >= 0);
    assert_int_equal(first, 0);
    assert_ok(memfs_close(journal));
    assert_ok(memfs_unlink(fs, path));
}

static void look_at_both(const struct scene *scene)
{
    sqlite3 *db = db_open("/d/db");
    assert_is(db, "kept");
    db_assert_whole(db);
    close_clean(db);
    if (scene->way != EXCHANGED)
        return;
    db = db_open("/e/db");
    assert_is(db, "old");
    db_assert_whole(db);
    close_clean(db);
    assert_int_equal(memfs_exists(scene->f->fs, "/e/db-wal"), 0);
    assert_journal_is_finished(scene->f->fs, "/e/db-journal");
}

/* ------------------------------------------------------------------- the test */

static void go_on(struct scene *scene, sqlite3 *old, const struct state *state,
                  sqlite3_stmt *reading, const struct mode *new_mode)
{
    lose_place(scene);
    sqlite3 *fresh = open_new(scene, new_mode);
    db_run(fresh, "%s", change);
    end(old, state, reading);
    assert_is(old, "old");
    writing_is_refused(old);
    assert_undone(fresh);
    assert_is(old, "old");
    db_run(fresh, "UPDATE t SET b='kept'||substr(b,4)");
    assert_is(old, "old");
    db_assert_whole(old);
    db_run(fresh, "%s", change);
    db_close(old);
    db_run(fresh, "ROLLBACK");
    assert_is(fresh, "kept");
    db_assert_whole(fresh);
    close_clean(fresh);
    look_at_both(scene);
}

/* A database with a writer in it, or with a WAL, cannot be loaded over. */
static bool is_busy(const struct scene *scene, const struct mode *mode, const struct state *state)
{
    return scene->way == LOADED && (has_wal(mode) || mode->is_exclusive || writes_before(state));
}

static void be_refused(const struct scene *scene, sqlite3 *old, sqlite3_stmt *reading)
{
    load_over(scene->f, scene->image, scene->size, SQLITE_BUSY);
    (void)sqlite3_finalize(reading);
    (void)db_try(old, "COMMIT");
    db_run(old, "INSERT INTO t VALUES(NULL,'old')");
    db_assert_whole(old);
    close_clean(old);
}

static void run_case(struct fixture *f, enum way way, const struct mode *mode,
                     const struct state *state, const struct mode *new_mode)
{
    struct scene scene = {.f = f, .way = way};
    memfs_statfs_info before = statfs_of(f->fs);
    prepare(&scene);
    sqlite3 *old = open_mode(mode);
    fill(old, "old");
    assert_is(old, "old");
    sqlite3_stmt *reading = begin(old, state);
    if (is_busy(&scene, mode, state))
        be_refused(&scene, old, reading);
    else
        go_on(&scene, old, state, reading, new_mode);
    clear(&scene);
    memfs_statfs_info after = statfs_of(f->fs);
    assert_int_equal(after.used_bytes, before.used_bytes);
}

static void a_connection_without_its_place_harms_nothing_and_is_told(void **fixture)
{
    unsigned number = 0;
    for (enum way way = 0; way < WAYS; way++)
        for (size_t mode = 0; mode < COUNT_OF(modes); mode++)
            for (size_t state = 0; state < COUNT_OF(states); state++) {
                const struct mode *others[] = {&modes[mode], &modes[number++ % COUNT_OF(modes)]};
                for (size_t other = 0; other < COUNT_OF(others); other++) {
                    print_message("# %s, %s%s%s, %s, after that %d; new: %s\n", way_names[way],
                                  modes[mode].journal_mode,
                                  modes[mode].uri[0] == 'f' ? " mvcc" : "",
                                  modes[mode].is_exclusive ? " exclusive" : "", states[state].name,
                                  states[state].after, others[other]->journal_mode);
                    run_case(*fixture, way, &modes[mode], &states[state], others[other]);
                }
            }
}

/* The index of names has 128 slots, two for a connection. */
static void the_rules_hold_with_more_connections_than_the_index_has_slots(void **fixture)
{
    struct fixture *f = *fixture;
    sqlite3 *others[80];
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        others[i] = db_open("/other");
        db_run(others[i], "SELECT * FROM sqlite_master");
    }
    /* The root keeps the room for the names that a case makes. */
    static const char *const names[] = {"/d", "/e", "/new"};
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_ok(memfs_mkdir(f->fs, names[i], 0755));
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_ok(memfs_rmdir(f->fs, names[i]));
    for (size_t mode = 0; mode < COUNT_OF(modes); mode++)
        for (size_t state = 0; state < COUNT_OF(states); state++)
            run_case(f, RENAMED_OVER, &modes[mode], &states[state], &modes[mode]);
    for (size_t i = 0; i < COUNT_OF(others); i++)
        db_close(others[i]);
}

static void a_database_that_is_back_in_its_place_is_written_again(void **fixture)
{
    struct fixture *f = *fixture;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    for (size_t mode = 0; mode < COUNT_OF(modes); mode++) {
        sqlite3 *db = open_mode(&modes[mode]);
        fill(db, "old");
        db_run(db, "BEGIN; UPDATE t SET b='kept'||substr(b,4)");
        assert_ok(memfs_rename(f->fs, "/d", "/e", 0));
        assert_ok(memfs_rename(f->fs, "/e", "/d", 0));
        db_run(db, "COMMIT");
        assert_is(db, "kept");
        assert_ok(memfs_rename(f->fs, "/d", "/e", 0));
        writing_is_refused(db);
        assert_ok(memfs_rename(f->fs, "/e", "/d", 0));
        db_run(db, "DROP TABLE t");
        db_assert_whole(db);
        close_clean(db);
        assert_ok(memfs_unlink(f->fs, "/d/db"));
    }
}

/* By the new name the WAL would not be found. */
static void a_wal_of_a_renamed_database_is_checkpointed_when_it_is_closed(void **fixture)
{
    struct fixture *f = *fixture;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    sqlite3 *db = open_mode(&modes[5]);
    assert_true(has_wal(&modes[5]));
    fill(db, "old");
    assert_ok(memfs_rename(f->fs, "/d/db", "/renamed", 0));
    sqlite3 *fresh = open_mode(&modes[5]);
    fill(fresh, "new");
    db_close(db);
    assert_is(fresh, "new");
    db_close(fresh);
    assert_int_equal(memfs_exists(f->fs, "/renamed-wal"), 0);
    db = db_open("/renamed");
    assert_is(db, "old");
    db_assert_whole(db);
    db_close(db);
}

/* A connection may use the WAL that the others have open, and make none of its own. */
static void a_connection_that_comes_late_to_its_wal_harms_nothing(void **fixture)
{
    struct fixture *f = *fixture;
    assert_ok(memfs_mkdir(f->fs, "/d", 0755));
    sqlite3 *first = open_mode(&modes[5]);
    fill(first, "old");
    sqlite3 *late = db_open("/d/db");
    sqlite3 *later = db_open("/d/db");
    assert_ok(memfs_unlink(f->fs, "/d/db"));
    assert_is(late, "old");
    writing_is_refused(late);
    sqlite3 *fresh = open_mode(&modes[5]);
    fill(fresh, "new");
    assert_int_equal(db_try(later, "SELECT * FROM t"), SQLITE_READONLY_DBMOVED);
    assert_is(late, "old");
    db_close(first);
    db_close(late);
    db_close(later);
    assert_is(fresh, "new");
    db_assert_whole(fresh);
    close_clean(fresh);
    assert_int_equal(memfs_exists(f->fs, "/d/db-wal"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(a_connection_without_its_place_harms_nothing_and_is_told),
        SQLITE_TEST(the_rules_hold_with_more_connections_than_the_index_has_slots),
        SQLITE_TEST(a_database_that_is_back_in_its_place_is_written_again),
        SQLITE_TEST(a_wal_of_a_renamed_database_is_checkpointed_when_it_is_closed),
        SQLITE_TEST(a_connection_that_comes_late_to_its_wal_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
