/* What SQLite's unix VFS answers, ours answers too: each question is put to both. */
#define _XOPEN_SOURCE 700

#include "sqlite_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN_FLAGS = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI };

static char directory[] = "/tmp/memfs-parity-test-XXXXXX"; /* the same path in both */

struct side {
    const char *vfs;
    memfs *fs; /* null: the host */
};

static char *path_of(const char *name)
{
    char *path = sqlite3_mprintf("%s/%s", directory, name);
    assert_non_null(path);
    return path;
}

static sqlite3 *try_to_open(const struct side *side, const char *name, const char *query)
{
    sqlite3 *db;
    char *uri = sqlite3_mprintf("file:%s/%s%s", directory, name, query);
    (void)sqlite3_open_v2(uri, &db, OPEN_FLAGS, side->vfs);
    sqlite3_free(uri);
    assert_non_null(db);
    sqlite3_extended_result_codes(db, 1);
    return db;
}

static unsigned mode_of(const struct side *side, const char *name)
{
    char *path = path_of(name);
    struct stat host = {0};
    memfs_stat_info ours = {.struct_size = sizeof ours};
    int error = side->fs != NULL ? memfs_stat(side->fs, path, &ours) : stat(path, &host);
    assert_int_equal(error, 0);
    sqlite3_free(path);
    return (side->fs != NULL ? ours.mode : (unsigned)host.st_mode) & 07777u;
}

static void change_mode(const struct side *side, const char *name, unsigned mode)
{
    char *path = path_of(name);
    int error = side->fs != NULL ? memfs_chmod(side->fs, path, mode) : chmod(path, mode);
    assert_int_equal(error, 0);
    sqlite3_free(path);
}

/* What was asked, one answer after the other. */
struct answers {
    int count;
    sqlite3_int64 values[32];
};

static void note(struct answers *answers, sqlite3_int64 value)
{
    assert_true(answers->count < (int)(sizeof answers->values / sizeof *answers->values));
    answers->values[answers->count++] = value;
}

static void note_control(struct answers *answers, sqlite3 *db, int operation, int argument)
{
    note(answers, sqlite3_file_control(db, "main", operation, &argument));
    note(answers, argument);
}

/* The same on both; a few answers at least. */
static void ask_both(struct fixture *f, void (*ask)(const struct side *, struct answers *))
{
    const struct side sides[] = {{"unix", NULL}, {TEST_VFS, f->fs}};
    struct answers answers[2] = {{0}, {0}};
    for (int index = 0; index < 2; index++)
        ask(&sides[index], &answers[index]);
    assert_true(answers[0].count >= 3);
    assert_int_equal(answers[0].count, answers[1].count);
    for (int index = 0; index < answers[0].count; index++)
        if (answers[0].values[index] != answers[1].values[index])
            fail_msg("answer %d: unix %lld, ours %lld", index, answers[0].values[index],
                     answers[1].values[index]);
}

static void ask_powersafe(const struct side *side, struct answers *answers)
{
    static const char *const queries[] = {"", "?psow=0", "?psow=1", "?psow=no", "?psow=maybe"};
    for (size_t index = 0; index < sizeof queries / sizeof *queries; index++) {
        sqlite3 *db = try_to_open(side, "psow.db", queries[index]);
        sqlite3_file *file;
        note_control(answers, db, SQLITE_FCNTL_POWERSAFE_OVERWRITE, -1);
        assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file),
                         SQLITE_OK);
        note(answers,
             file->pMethods->xDeviceCharacteristics(file) & SQLITE_IOCAP_POWERSAFE_OVERWRITE);
        db_close(db);
    }
}

static void psow_in_the_uri_counts(void **state)
{
    ask_both(*state, ask_powersafe);
}

static void ask_controls(const struct side *side, struct answers *answers)
{
    sqlite3 *db = try_to_open(side, "controls.db", "");
    db_run(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(x); BEGIN; SELECT * FROM t");
    note_control(answers, db, SQLITE_FCNTL_LAST_ERRNO, 7);
#ifdef SQLITE_FCNTL_EXTERNAL_READER
    note_control(answers, db, SQLITE_FCNTL_EXTERNAL_READER, 7);
#endif
    db_run(db, "COMMIT; PRAGMA journal_mode=DELETE; BEGIN IMMEDIATE");
    note_control(answers, db, SQLITE_FCNTL_LOCKSTATE, 7);
    note_control(answers, db, SQLITE_FCNTL_LAST_ERRNO, 7);
    note_control(answers, db, 987654, 7);
    db_close(db);
}

static void file_controls_of_a_database_answer(void **state)
{
    ask_both(*state, ask_controls);
}

static int count_row(void *rows, int count, char **values, char **names)
{
    (void)count, (void)values, (void)names;
    ++*(int *)rows;
    return 0;
}

static void ask_temporary(const struct side *side, struct answers *answers)
{
    sqlite3 *db;
    int rows = 0;
    assert_int_equal(sqlite3_open_v2("", &db, OPEN_FLAGS, side->vfs), SQLITE_OK);
    db_run(db, "PRAGMA cache_size=5; CREATE TABLE t(x); WITH s(i) AS (SELECT 1 UNION ALL"
               " SELECT i+1 FROM s WHERE i<50) INSERT INTO t SELECT zeroblob(9000) FROM s");
    note(answers, sqlite3_exec(db, "PRAGMA mmap_size=0", count_row, &rows, NULL));
    note(answers, rows);
    sqlite3_int64 size = -1;
    note(answers, sqlite3_file_control(db, "main", SQLITE_FCNTL_MMAP_SIZE, &size));
    note(answers, size);
    note_control(answers, db, SQLITE_FCNTL_LOCKSTATE, 7);
    note_control(answers, db, SQLITE_FCNTL_LAST_ERRNO, 7);
    db_close(db);
}

static void file_controls_of_a_temporary_database_answer(void **state)
{
    ask_both(*state, ask_temporary);
}

static void ask_system_errno(const struct side *side, struct answers *answers)
{
    static const char *const names[] = {"no/such/directory.db", "psow.db/under-a-file.db"};
    db_close(try_to_open(side, "psow.db", ""));
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        sqlite3 *db = try_to_open(side, names[index], "");
        note(answers, sqlite3_extended_errcode(db));
        note(answers, sqlite3_system_errno(db));
        db_close(db);
    }
    sqlite3 *db = try_to_open(side, "not-there.db", "?mode=rw");
    note(answers, sqlite3_extended_errcode(db));
    note(answers, sqlite3_system_errno(db));
    db_close(db);
}

static void the_system_error_of_a_refused_open_is_there(void **state)
{
    ask_both(*state, ask_system_errno);
}

static void ask_modes(const struct side *side, struct answers *answers)
{
    static const unsigned modes[] = {0600, 0640, 0666, 0644};
    static const char *const journals[] = {"DELETE", "TRUNCATE", "PERSIST"};
    for (size_t index = 0; index < sizeof modes / sizeof *modes; index++) {
        sqlite3 *db = try_to_open(side, "modes.db", "");
        db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE IF NOT EXISTS t(x)", journals[index % 3]);
        change_mode(side, "modes.db", modes[index]);
        char *journal = path_of("modes.db-journal");
        (void)(side->fs != NULL ? memfs_unlink(side->fs, journal) : unlink(journal));
        sqlite3_free(journal);
        db_close(db);
        db = try_to_open(side, "modes.db", "");
        db_run(db, "PRAGMA journal_mode=%s; BEGIN; INSERT INTO t VALUES(1)", journals[index % 3]);
        note(answers, mode_of(side, "modes.db-journal"));
        db_run(db, "COMMIT; PRAGMA journal_mode=WAL; INSERT INTO t VALUES(1)");
        note(answers, mode_of(side, "modes.db-wal"));
        db_run(db, "PRAGMA journal_mode=DELETE");
        db_close(db);
        char *query = sqlite3_mprintf("?modeof=%s/modes.db", directory);
        char *name = sqlite3_mprintf("modeled-%d.db", (int)index);
        db = try_to_open(side, name, query);
        db_run(db, "CREATE TABLE t(x)");
        note(answers, mode_of(side, name));
        db_close(db);
        sqlite3_free(name);
        sqlite3_free(query);
    }
    /* SQLite 3.40's unix VFS answers the same, but leaks memory there. */
    if (side->fs != NULL) {
        sqlite3 *db = try_to_open(side, "modeled.db", "?modeof=/not/there");
        assert_int_equal(sqlite3_extended_errcode(db), SQLITE_IOERR_FSTAT);
        db_close(db);
    }
}

static void journals_and_wals_have_the_mode_of_their_database(void **state)
{
    ask_both(*state, ask_modes);
}

static void a_refused_write_leaves_its_number(void **state)
{
    struct fixture *f = *state;
    sqlite3 *db = db_open("/db");
    db_run(db, "PRAGMA journal_mode=DELETE; CREATE TABLE t(x)");
    quota_leave(f, 0);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(zeroblob(1000000))"), SQLITE_FULL);
    int number = 0;
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &number), SQLITE_OK);
    quota_lift(f);
    assert_true(number == 0 || number == -MEMFS_EDQUOT); /* 0: the journal was refused */
    db_run(db, "PRAGMA journal_mode=MEMORY");
    quota_leave(f, 0);
    assert_int_equal(db_try(db, "INSERT INTO t VALUES(zeroblob(1000000))"), SQLITE_FULL);
    assert_int_equal(sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &number), SQLITE_OK);
    assert_int_equal(number, -MEMFS_EDQUOT);
    quota_lift(f);
    db_close(db);
}

static int make_directory(void **state)
{
    if (sqlite_setup(state) != 0)
        return -1;
    struct fixture *f = *state;
    return memfs_mkdir_parents(f->fs, directory, 0755) == 0 ? 0 : -1;
}

#define PARITY_TEST(name) cmocka_unit_test_setup_teardown(name, make_directory, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PARITY_TEST(psow_in_the_uri_counts),
        PARITY_TEST(file_controls_of_a_database_answer),
        PARITY_TEST(file_controls_of_a_temporary_database_answer),
        PARITY_TEST(the_system_error_of_a_refused_open_is_there),
        PARITY_TEST(journals_and_wals_have_the_mode_of_their_database),
        PARITY_TEST(a_refused_write_leaves_its_number),
    };
    (void)umask(022);
    if (mkdtemp(directory) == NULL)
        return 1;
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    char command[100];
    sqlite3_snprintf((int)sizeof command, command, "rm -r %s", directory);
    return system(command) == 0 ? failures : 1;
}
