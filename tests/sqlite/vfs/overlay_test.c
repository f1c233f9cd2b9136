/*
 * Another VFS that lies over ours, and passes SQLite's names or copies of them.
 */
#include "shim.h"
#include "sqlite_fixture.h"

static const char *shim_name;

static int setup_with(void **state, enum shim_names names)
{
    if (sqlite_setup(state) != 0)
        return -1;
    shim_name = shim_lay(names);
    return 0;
}

static int setup_keeping(void **state)
{
    return setup_with(state, SHIM_KEEPS_NAMES);
}

static int setup_copying(void **state)
{
    return setup_with(state, SHIM_COPIES_NAMES);
}

static int teardown(void **state)
{
    shim_remove();
    return sqlite_teardown(state);
}

static sqlite3 *open_over(const char *path)
{
    sqlite3 *db;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(path, &db, flags, shim_name), SQLITE_OK);
    return db;
}

static void connections_over_a_shim_and_without_it_work_together(void **state)
{
    (void)state;
    static const char *const modes[] = {"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF", "WAL"};
    for (size_t index = 0; index < sizeof modes / sizeof *modes; index++) {
        sqlite3 *over = open_over("/shared.db");
        sqlite3 *direct = db_open("/shared.db");
        db_run(over, "PRAGMA journal_mode=%s; CREATE TABLE in_%s(a)", modes[index], modes[index]);
        db_run(over, "BEGIN; INSERT INTO in_%s VALUES(zeroblob(100000)); COMMIT", modes[index]);
        db_run(direct, "INSERT INTO in_%s VALUES(1)", modes[index]);
        db_run(over, "BEGIN; DELETE FROM in_%s; ROLLBACK", modes[index]);
        assert_int_equal(db_number(direct, "SELECT count(*) FROM sqlite_master"), index + 1);
        db_assert_whole(over);
        db_close(direct);
        db_close(over);
    }
}

/* Which connection a WAL belongs to is unknown here: one of them leaves, and the other goes on. */
static void a_wal_is_charged_whichever_connection_closes_first(void **state)
{
    struct fixture *f = *state;
    for (int first = 0; first < 2; first++) {
        const char *path = first == 0 ? "/a.db" : "/b.db";
        sqlite3 *connections[2] = {open_over(path), open_over(path)};
        db_run(connections[0], "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;"
                               "CREATE TABLE t(v)");
        db_run(connections[1], "PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(1)");
        db_close(connections[first]);
        sqlite3 *db = connections[1 - first];
        uint64_t before = statfs_of(f->fs).preallocated_bytes;
        db_run(db, "INSERT INTO t VALUES(zeroblob(100000))");
        assert_true(statfs_of(f->fs).preallocated_bytes >= before + 90000);
        db_run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
        assert_int_equal(statfs_of(f->fs).preallocated_bytes, 0);
        db_close(db);
    }
}

#define KEEPING(name) cmocka_unit_test_setup_teardown(name, setup_keeping, teardown)
#define COPYING(name) cmocka_unit_test_setup_teardown(name, setup_copying, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEEPING(connections_over_a_shim_and_without_it_work_together),
        COPYING(connections_over_a_shim_and_without_it_work_together),
        KEEPING(a_wal_is_charged_whichever_connection_closes_first),
        COPYING(a_wal_is_charged_whichever_connection_closes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
