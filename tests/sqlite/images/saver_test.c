/*
 * Savers: what is on the host is what was committed, only what was changed is written, and whatever
 * step of the host's fails, or is the last one, the host has the old state or the new one.
 */
#define _XOPEN_SOURCE 700

#include "host_directory.h"
#include "modes.h"
#include "random.h"
#include "sqlite_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 400 };

/* -------------------------------------------------- a host that fails, or goes away */

/*
 * The host's VFS with a count of what changes it.  From step `fail_at` on (0: never) all such calls
 * are refused: as by a host that has failed, or, since nothing changes any more, as after a crash.
 */
static struct {
    sqlite3_vfs base;
    sqlite3_vfs *below;
    unsigned steps, fail_at, fails;
} host;

struct host_file {
    sqlite3_file base;
    sqlite3_file *below;
};

static int step(void)
{
    host.steps++;
    bool fails = host.fail_at != 0 && host.steps >= host.fail_at &&
                 (host.fails == 0 || host.steps < host.fail_at + host.fails);
    return fails ? SQLITE_IOERR : SQLITE_OK;
}

static sqlite3_file *below(sqlite3_file *file)
{
    return ((struct host_file *)file)->below;
}

static int close_file(sqlite3_file *file)
{
    int rc = below(file)->pMethods->xClose(below(file));
    sqlite3_free(below(file));
    return rc;
}

static int read_file(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset)
{
    return below(file)->pMethods->xRead(below(file), bytes, count, offset);
}

/* What is refused may have been written in part. */
static int write_file(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset)
{
    if (step() == SQLITE_OK)
        return below(file)->pMethods->xWrite(below(file), bytes, count, offset);
    if (host.steps == host.fail_at)
        (void)below(file)->pMethods->xWrite(below(file), bytes, count / 2, offset);
    return SQLITE_IOERR_WRITE;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    return step() == SQLITE_OK ? below(file)->pMethods->xTruncate(below(file), size)
                               : SQLITE_IOERR_TRUNCATE;
}

static int sync_file(sqlite3_file *file, int flags)
{
    return step() == SQLITE_OK ? below(file)->pMethods->xSync(below(file), flags)
                               : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return below(file)->pMethods->xFileSize(below(file), size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xLock(below(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return below(file)->pMethods->xUnlock(below(file), level);
}

static int check_reserved(sqlite3_file *file, int *out)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), out);
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
    return below(file)->pMethods->xFileControl(below(file), operation, argument);
}

static int sector_size(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

static int characteristics(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

static const sqlite3_io_methods host_methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static int open_host_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                          int *out_flags)
{
    struct host_file *f = (struct host_file *)file;
    (void)vfs;
    f->base.pMethods = NULL;
    if ((flags & SQLITE_OPEN_CREATE) != 0 && step() != SQLITE_OK)
        return SQLITE_CANTOPEN;
    f->below = sqlite3_malloc(host.below->szOsFile);
    if (f->below == NULL)
        return SQLITE_NOMEM;
    memset(f->below, 0, (size_t)host.below->szOsFile);
    int rc = host.below->xOpen(host.below, name, f->below, flags, out_flags);
    if (rc == SQLITE_OK)
        f->base.pMethods = &host_methods;
    else
        sqlite3_free(f->below);
    return rc;
}

static int delete_host_file(sqlite3_vfs *vfs, const char *name, int syncs)
{
    (void)vfs;
    return step() == SQLITE_OK ? host.below->xDelete(host.below, name, syncs) : SQLITE_IOERR_DELETE;
}

static void host_begin(void)
{
    memset(&host, 0, sizeof host);
    host.below = sqlite3_vfs_find(NULL);
    host.base = *host.below;
    host.base.zName = "failing-host";
    host.base.pNext = NULL;
    host.base.szOsFile = (int)sizeof(struct host_file);
    host.base.xOpen = open_host_file;
    host.base.xDelete = delete_host_file;
    assert_int_equal(sqlite3_vfs_register(&host.base, 1), SQLITE_OK);
}

static void host_end(void)
{
    assert_int_equal(sqlite3_vfs_unregister(&host.base), SQLITE_OK);
}

static int setup(void **state)
{
    if (host_directory_make() != 0)
        return -1;
    host_begin();
    return sqlite_setup(state);
}

static int teardown(void **state)
{
    int result = sqlite_teardown(state);
    host_end();
    return host_directory_remove() == 0 ? result : -1;
}

/* ---------------------------------------------------------------------- steps */

static void insert_rows(sqlite3 *db, int count)
{
    db_run(db,
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<%d)"
           " INSERT INTO t(b) SELECT zeroblob(500) FROM n",
           count);
}

/* Generation 0, in this mode. */
static sqlite3 *make_database(const struct db_mode *mode)
{
    char *name = sqlite3_mprintf("file:/db%s", mode->parameters);
    sqlite3 *db = db_open(name);
    sqlite3_free(name);
    db_run(db, "PRAGMA auto_vacuum=2; PRAGMA journal_mode=%s; %s", mode->journal_mode,
           mode->pragmas);
    db_run(db,
           "CREATE TABLE g(n); INSERT INTO g VALUES(0); CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
    insert_rows(db, ROWS);
    return db;
}

/* What the host's file has, seen by another program's VFS: its generation, and the checks that it
 * is of one piece. */
static int host_generation(void)
{
    sqlite3 *db;
    assert_int_equal(
        sqlite3_open_v2(host_path("saved"), &db, SQLITE_OPEN_READWRITE, host.below->zName),
        SQLITE_OK);
    db_assert_whole(db);
    int generation = (int)db_number(db, "SELECT n FROM g");
    db_close(db);
    return generation;
}

static memfs_sqlite_saver *open_saver(struct fixture *f, unsigned flags)
{
    memfs_sqlite_saver *saver = NULL;
    assert_int_equal(memfs_sqlite_saver_open(f->fs, "/db", host_path("saved"), flags, &saver),
                     SQLITE_OK);
    return saver;
}

static memfs_sqlite_save_report save(memfs_sqlite_saver *saver)
{
    memfs_sqlite_save_report report = {.struct_size = sizeof report};
    int rc = memfs_sqlite_saver_save(saver, &report);
    if (rc != SQLITE_OK)
        fail_msg("%s: %s", sqlite3_errstr(rc), memfs_sqlite_last_error());
    return report;
}

/* ---------------------------------------------------------------------- tests */

static void only_what_was_changed_is_written_in_every_mode(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < db_mode_count; i++) {
        sqlite3 *db = make_database(&db_modes[i]);
        memfs_sqlite_saver *saver = open_saver(f, MEMFS_SQLITE_SAVER_REPLACE);
        memfs_sqlite_save_report report = save(saver);
        assert_true(report.was_whole);
        assert_int_equal(report.pages_written, report.pages);
        assert_int_equal(host_generation(), 0);
        report = save(saver);
        assert_int_equal(report.pages_written + report.bytes_written, 0);
        for (int generation = 1; generation <= 5; generation++) {
            db_run(db, "UPDATE g SET n=%d; UPDATE t SET b=randomblob(500) WHERE a=%d", generation,
                   generation * 70);
            report = save(saver);
            assert_false(report.was_whole);
            assert_true(report.pages_written >= 2 && report.pages_written <= 5);
            assert_true(report.bytes_written > report.pages_written * 4096 &&
                        report.bytes_written < (2 * report.pages_written + 2) * 4200);
            assert_int_equal(host_generation(), generation);
            assert_int_equal(host_entries(), 1);
        }
        memfs_sqlite_saver_close(saver);
        db_close(db);
        assert_ok(memfs_unlink(f->fs, "/db"));
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static void a_database_grows_and_shrinks_on_the_host_too(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = 7;
    for (size_t i = 0; i < db_mode_count; i++) {
        sqlite3 *db = make_database(&db_modes[i]);
        memfs_sqlite_saver *saver = open_saver(f, MEMFS_SQLITE_SAVER_REPLACE);
        (void)save(saver);
        for (int generation = 1; generation <= 30; generation++) {
            db_run(db, "UPDATE g SET n=%d", generation);
            if (random_below(&seed, 2) == 0)
                insert_rows(db, (int)random_below(&seed, 200));
            else
                db_run(db, "DELETE FROM t WHERE a %% 7 = %u; PRAGMA incremental_vacuum",
                       random_below(&seed, 7));
            memfs_sqlite_save_report report = save(saver);
            assert_false(report.was_whole);
            assert_int_equal(report.pages, db_number(db, "PRAGMA page_count"));
            assert_int_equal(host_generation(), generation);
        }
        memfs_sqlite_saver_close(saver);
        db_close(db);
        assert_ok(memfs_unlink(f->fs, "/db"));
        (void)memfs_unlink(f->fs, "/db-journal");
    }
}

static void a_saver_begins_with_what_the_host_has(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make_database(&db_modes[0]);
    memfs_sqlite_saver *saver = open_saver(f, 0);
    db_run(db, "UPDATE g SET n=3");
    (void)save(saver);
    memfs_sqlite_saver_close(saver);
    db_close(db);
    assert_ok(memfs_unlink(f->fs, "/db"));
    saver = open_saver(f, 0);
    db = db_open("/db");
    assert_int_equal(db_number(db, "SELECT n FROM g"), 3);
    db_run(db, "UPDATE g SET n=4");
    memfs_sqlite_save_report report = save(saver);
    assert_false(report.was_whole);
    assert_int_equal(report.pages_written, 2);
    assert_int_equal(host_generation(), 4);
    memfs_sqlite_saver_close(saver);
    db_close(db);
}

static void another_programs_file_is_not_written(void **state)
{
    struct fixture *f = *state;
    sqlite3 *other, *db = make_database(&db_modes[0]);
    memfs_sqlite_saver *saver = open_saver(f, 0), *second = NULL;
    (void)save(saver);
    assert_int_equal(memfs_sqlite_saver_open(f->fs, "/db", host_path("saved"), 0, &second),
                     SQLITE_MISMATCH);
    assert_int_equal(
        sqlite3_open_v2(host_path("saved"), &other, SQLITE_OPEN_READWRITE, host.below->zName),
        SQLITE_OK);
    db_run(other, "UPDATE g SET n=77");
    db_run(db, "UPDATE g SET n=5");
    assert_int_equal(memfs_sqlite_saver_save(saver, NULL), SQLITE_MISMATCH);
    assert_non_null(strstr(memfs_sqlite_last_error(), "is not what was saved there last"));
    assert_int_equal(host_generation(), 77);
    memfs_sqlite_saver_close(saver);
    saver = open_saver(f, MEMFS_SQLITE_SAVER_REPLACE);
    assert_true(save(saver).was_whole);
    assert_int_equal(host_generation(), 5);
    db_close(other);
    memfs_sqlite_saver_close(saver);
    db_close(db);
}

static void a_reader_on_the_host_makes_a_save_wait_and_sees_the_new_state_after_it(void **state)
{
    struct fixture *f = *state;
    sqlite3 *other, *db = make_database(&db_modes[0]);
    memfs_sqlite_saver *saver = open_saver(f, 0);
    (void)save(saver);
    assert_int_equal(
        sqlite3_open_v2(host_path("saved"), &other, SQLITE_OPEN_READWRITE, host.below->zName),
        SQLITE_OK);
    assert_int_equal(db_number(other, "SELECT n FROM g"), 0);
    db_run(db, "UPDATE g SET n=9");
    (void)save(saver);
    assert_int_equal(db_number(other, "SELECT n FROM g"), 9); /* not from its cache */
    db_close(other);
    memfs_sqlite_saver_close(saver);
    db_close(db);
}

static void another_page_size_is_saved_whole(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make_database(&db_modes[0]);
    memfs_sqlite_saver *saver = open_saver(f, 0);
    (void)save(saver);
    db_run(db, "UPDATE g SET n=2; PRAGMA page_size=1024; VACUUM");
    assert_true(save(saver).was_whole);
    assert_int_equal(host_generation(), 2);
    db_run(db, "UPDATE g SET n=3");
    assert_false(save(saver).was_whole);
    assert_int_equal(host_generation(), 3);
    memfs_sqlite_saver_close(saver);
    db_close(db);
}

static void bad_input_is_refused(void **state)
{
    struct fixture *f = *state;
    memfs_sqlite_saver *saver = NULL;
    memfs_sqlite_save_report report = {.struct_size = 1};
    const char *name = host_path("saved");
    assert_int_equal(memfs_sqlite_saver_open(NULL, "/db", name, 0, &saver), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_saver_open(f->fs, NULL, name, 0, &saver), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_saver_open(f->fs, "/db", "", 0, &saver), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_saver_open(f->fs, "/db", name, 8, &saver), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_saver_open(f->fs, "/db", name, 0, NULL), SQLITE_MISUSE);
    assert_int_equal(memfs_sqlite_saver_open(f->fs, "/db", name, 0, &saver), SQLITE_CANTOPEN);
    assert_non_null(strstr(memfs_sqlite_last_error(), "neither"));
    host_write("saved",
               "no database, but longer than the header of one, which has 100 bytes"
               " ........................................",
               0644);
    assert_int_equal(memfs_sqlite_saver_open(f->fs, "/db", name, 0, &saver), SQLITE_NOTADB);
    assert_false(memfs_exists(f->fs, "/db"));
    assert_null(saver);
    assert_int_equal(memfs_sqlite_saver_save(NULL, NULL), SQLITE_MISUSE);
    memfs_sqlite_saver_close(NULL);
    sqlite3 *db = make_database(&db_modes[0]);
    saver = open_saver(f, MEMFS_SQLITE_SAVER_REPLACE);
    assert_int_equal(memfs_sqlite_saver_save(saver, &report), SQLITE_MISUSE);
    memfs_sqlite_saver_close(saver);
    db_close(db);
}

/* ------------------------------------------------------- failures and crashes */

/* From generation 1, which the host has, to 2, with pages changed, added and cut off. */
static void change_much(sqlite3 *db)
{
    db_run(db, "UPDATE g SET n=2; DELETE FROM t WHERE a > 200; PRAGMA incremental_vacuum;"
               "UPDATE t SET b=randomblob(500) WHERE a %% 5 = 0");
    insert_rows(db, 20);
}

/*
 * Fails, or crashes (`fails` 0), at each step of a save in turn.  After a failure the saver goes
 * on; after a crash the host's file is opened by others, and by a new saver.
 */
static void save_through_every_step(struct fixture *f, unsigned fails, bool grows)
{
    for (unsigned at = 1;; at++) {
        sqlite3 *db = make_database(&db_modes[at % db_mode_count]);
        memfs_sqlite_saver *saver = open_saver(f, MEMFS_SQLITE_SAVER_REPLACE);
        db_run(db, "UPDATE g SET n=1");
        (void)save(saver);
        change_much(db);
        if (grows)
            insert_rows(db, 600);
        host.steps = 0;
        host.fails = fails;
        host.fail_at = at;
        int rc = memfs_sqlite_saver_save(saver, NULL);
        bool was_reached = host.steps >= at;
        host.fail_at = 0;
        assert_true(was_reached || rc == SQLITE_OK);
        if (fails == 0) {
            int generation = host_generation();
            assert_true(generation == 2 || (rc != SQLITE_OK && generation == 1));
        } else {
            if (rc != SQLITE_OK && memfs_sqlite_saver_save(saver, NULL) != SQLITE_OK)
                fail_msg("step %u: %s", at, memfs_sqlite_last_error());
            assert_int_equal(host_generation(), 2);
        }
        memfs_sqlite_saver_close(saver);
        db_close(db);
        assert_ok(memfs_unlink(f->fs, "/db"));
        (void)memfs_unlink(f->fs, "/db-journal");
        saver = open_saver(f, 0);
        memfs_sqlite_saver_close(saver);
        assert_ok(memfs_unlink(f->fs, "/db"));
        assert_int_equal(unlink(host_path("saved")), 0);
        if (!was_reached)
            return;
        assert_true(at < 2000);
    }
}

static void a_host_that_fails_once_at_any_step_loses_nothing(void **state)
{
    save_through_every_step(*state, 1, false);
    save_through_every_step(*state, 1, true);
}

static void a_crash_at_any_step_leaves_the_old_state_or_the_new(void **state)
{
    save_through_every_step(*state, 0, false);
    save_through_every_step(*state, 0, true);
}

/* A file that takes all room that there is. */
static memfs_file *fill_up(struct fixture *f)
{
    static const char page[4096];
    memfs_file *file = create_file(f->fs, "/filler");
    quota_leave(f, 1 << 20);
    for (int64_t at = 0; memfs_pwrite(file, page, sizeof page, at) == sizeof page;)
        at += (int64_t)sizeof page;
    return file;
}

/* At every quota the save is made, or refused and nothing is different. */
static void a_save_at_any_quota_is_whole_or_refused(void **state)
{
    struct fixture *f = *state;
    const struct db_mode *wal = &db_modes[7];
    assert_true(wal->has_wal);
    sqlite3 *db = make_database(wal);
    memfs_sqlite_saver *saver = open_saver(f, 0);
    (void)save(saver);
    db_run(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint=0");
    db_run(db, "UPDATE g SET n=1; UPDATE t SET b=randomblob(500)");
    memfs_file *filler = fill_up(f);
    unsigned refused = 0;
    for (;; refused++) {
        uint64_t used = used_bytes(f->fs);
        int rc = memfs_sqlite_saver_save(saver, NULL);
        if (rc == SQLITE_OK)
            break;
        assert_int_equal(rc, SQLITE_FULL);
        assert_int_equal(used_bytes(f->fs), used);
        assert_int_equal(host_generation(), 0);
        int64_t size = memfs_file_size(filler);
        assert_true(size > 0);
        assert_ok(memfs_ftruncate(filler, size > 8192 ? size - 8192 : 0));
    }
    assert_true(refused > 3);
    assert_ok(memfs_close(filler));
    assert_int_equal(host_generation(), 1);
    db_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    quota_lift(f);
    memfs_sqlite_saver_close(saver);
    db_close(db);
}

/* A page that a checkpoint will overwrite is not shared with the base, so that it needs no room. */
static void a_checkpoint_needs_no_room_for_the_base(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = make_database(&db_modes[7]);
    db_run(db, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint=0");
    db_run(db, "UPDATE g SET n=1; UPDATE t SET b=randomblob(500)");
    insert_rows(db, 100);
    memfs_sqlite_saver *saver = open_saver(f, 0);
    (void)save(saver);
    memfs_file *filler = fill_up(f);
    db_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(db_number(db, "PRAGMA wal_checkpoint"), 0);
    assert_ok(memfs_close(filler));
    quota_lift(f);
    assert_int_equal(save(saver).pages_written, 0);
    memfs_sqlite_saver_close(saver);
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define HOST_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        HOST_TEST(only_what_was_changed_is_written_in_every_mode),
        HOST_TEST(a_database_grows_and_shrinks_on_the_host_too),
        HOST_TEST(a_saver_begins_with_what_the_host_has),
        HOST_TEST(another_programs_file_is_not_written),
        HOST_TEST(a_reader_on_the_host_makes_a_save_wait_and_sees_the_new_state_after_it),
        HOST_TEST(another_page_size_is_saved_whole),
        HOST_TEST(bad_input_is_refused),
        HOST_TEST(a_host_that_fails_once_at_any_step_loses_nothing),
        HOST_TEST(a_crash_at_any_step_leaves_the_old_state_or_the_new),
        HOST_TEST(a_save_at_any_quota_is_whole_or_refused),
        HOST_TEST(a_checkpoint_needs_no_room_for_the_base),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
