/*
 * The child of a fork() beside threads that are busy in the VFS: its connections get errors and
 * never wait.  The threads call the VFS as the pager does, but not SQLite itself, whose own mutexes
 * could make the child wait.
 */
#define _POSIX_C_SOURCE 200809L

#include "io_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKS = 40, CHILD_SECONDS = 30, WORKERS = 3 };

#define CHILD_EXPECTS(condition) \
    do { \
        if (!(condition)) \
            _exit(__LINE__ % 250 + 1); \
    } while (0)

static atomic_int stop, wrong;

static sqlite3_vfs *vfs; /* found once, since looking for it takes a mutex of SQLite */

static sqlite3_file *open_by_vfs(const char *path, int flags)
{
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    if (file == NULL || vfs->xOpen(vfs, path, file, flags, NULL) != SQLITE_OK)
        abort();
    return file;
}

static void close_by_vfs(sqlite3_file *file)
{
    wrong += file->pMethods->xClose(file) != SQLITE_OK;
    free(file);
}

/* Locks, and opens and deletes a journal, all on the database that the other workers use. */
static void *write_without_an_end(void *context)
{
    const char *name = *(const char *const *)context;
    const char *journal_name = sqlite3_filename_journal(name);
    sqlite3_file *file = open_by_vfs(name, MAIN_FLAGS);
    while (!atomic_load(&stop)) {
        int exists;
        if (io_lock(file, SQLITE_LOCK_SHARED) != SQLITE_OK)
            continue;
        if (io_lock(file, SQLITE_LOCK_RESERVED) == SQLITE_OK) {
            sqlite3_file *journal = open_by_vfs(journal_name, JOURNAL_FLAGS);
            wrong += journal->pMethods->xWrite(journal, "journal", 7, 0) != SQLITE_OK;
            close_by_vfs(journal);
            wrong += vfs->xAccess(vfs, journal_name, SQLITE_ACCESS_EXISTS, &exists);
            wrong += vfs->xDelete(vfs, journal_name, 0) != SQLITE_OK;
        }
        wrong += io_unlock(file, SQLITE_LOCK_NONE) != SQLITE_OK;
    }
    close_by_vfs(file);
    return NULL;
}

static int primary(int rc)
{
    return rc & 0xff;
}

static void use_connections_of_the_parent(sqlite3 **connections, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3 *db = connections[i];
        /* In a transaction that is under way, the page cache may still take the row. */
        int rc = db_try(db, "INSERT INTO t VALUES(7)");
        if (rc == SQLITE_OK && !sqlite3_get_autocommit(db))
            rc = db_try(db, "COMMIT");
        CHILD_EXPECTS(primary(rc) == SQLITE_IOERR);
        CHILD_EXPECTS(primary(db_try(db, "PRAGMA memfs_quota")) == SQLITE_IOERR);
        CHILD_EXPECTS(db_try(db, "ATTACH '/other' AS other") == SQLITE_CANTOPEN);
        (void)db_try(db, "ROLLBACK");
        CHILD_EXPECTS(sqlite3_close(db) == SQLITE_OK);
    }
    sqlite3 *db = NULL;
    CHILD_EXPECTS(sqlite3_open_v2("/new", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                  TEST_VFS) == SQLITE_CANTOPEN);
    (void)sqlite3_close(db);
}

static void use_an_instance_of_its_own(void)
{
    static unsigned char arena[1 << 20]; /* so that a build for arenas only can do it too */
    memfs_config config = memfs_config_default();
    config.arena = arena;
    config.arena_bytes = sizeof arena;
    memfs *fs;
    sqlite3 *db = NULL;
    CHILD_EXPECTS(memfs_create(&config, &fs) == 0);
    CHILD_EXPECTS(memfs_sqlite_register(fs, "child", 0) == 0);
    CHILD_EXPECTS(memfs_sqlite_open(fs, "/db", NULL, &db) == SQLITE_OK);
    CHILD_EXPECTS(db_try(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1)") == SQLITE_OK);
    CHILD_EXPECTS(sqlite3_close(db) == SQLITE_OK);
    CHILD_EXPECTS(memfs_sqlite_unregister("child") == 0);
    CHILD_EXPECTS(memfs_destroy(fs, 0) == 0);
}

static void fork_once(sqlite3 **connections, size_t count)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(CHILD_SECONDS);
        use_connections_of_the_parent(connections, count);
        use_an_instance_of_its_own();
        _exit(0);
    }
    int status = 1;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static sqlite3 *open_in_mode(const char *uri, const char *mode)
{
    sqlite3 *db = db_open(uri);
    db_run(db, "PRAGMA journal_mode=%s; CREATE TABLE t(a); INSERT INTO t VALUES(1)", mode);
    return db;
}

static void connections_of_a_child_get_errors_and_the_parents_go_on(void **state)
{
    (void)state;
    pthread_t threads[WORKERS];
    const char *names[WORKERS];
    sqlite3 *connections[] = {
        open_in_mode("/delete", "DELETE"),
        open_in_mode("/persist", "PERSIST"),
        open_in_mode("/memory", "MEMORY"),
        open_in_mode("/wal", "WAL"),
        open_in_mode("/writing", "DELETE"),
        open_in_mode("/reading", "WAL"),
        open_in_mode("file:/isolated?memfs_mvcc=1", "PERSIST"),
    };
    enum { COUNT = sizeof connections / sizeof *connections };
    db_run(connections[4], "PRAGMA cache_size=1; BEGIN; INSERT INTO t VALUES(2)");
    db_run(connections[5], "BEGIN; SELECT * FROM t");
    vfs = io_vfs();
    io_close(io_open("/busy", MAIN_FLAGS));
    atomic_store(&stop, 0);
    for (size_t i = 0; i < WORKERS; i++) {
        names[i] = sqlite3_create_filename("/busy", "/busy-journal", "/busy-wal", 0, NULL);
        assert_non_null(names[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, write_without_an_end, &names[i]), 0);
    }
    for (int i = 0; i < FORKS; i++)
        fork_once(connections, COUNT);
    atomic_store(&stop, 1);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        sqlite3_free_filename((char *)(uintptr_t)names[i]);
    }
    assert_int_equal(wrong, 0);
    db_run(connections[4], "COMMIT");
    db_run(connections[5], "COMMIT");
    for (size_t i = 0; i < COUNT; i++) {
        db_run(connections[i], "INSERT INTO t VALUES(3)");
        db_assert_whole(connections[i]);
        db_close(connections[i]);
    }
}

int main(void)
{
    /* So that SQLite's allocator has no mutex, which the workers could hold. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    const struct CMUnitTest tests[] = {
        SQLITE_TEST(connections_of_a_child_get_errors_and_the_parents_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
