/*
 * SQLite's own shims over a memfs: at a full quota a WAL is checkpointed, and rows are deleted.
 * Each shim lies over the default VFS, so the memfs is registered as that.
 */
#include <memfs/memfs.h>
#include <memfs/sqlite.h>
#include <sqlite3.h>

#include <stdio.h>

int sqlite3_register_cksumvfs(const char *unused);
int sqlite3_vfsstat_init(sqlite3 *db, char **message, const void *api);

static int failures;

static void expect(sqlite3 *db, const char *sql, int code)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc == code)
        return;
    failures++;
    printf("%s: %d %s\n", sql, rc, sqlite3_errmsg(db));
}

static void fill(sqlite3 *db)
{
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && i < 100000; i++)
        rc = sqlite3_exec(db, "INSERT INTO t VALUES(randomblob(800))", NULL, NULL, NULL);
    expect(db, "INSERT INTO t VALUES(randomblob(800))", SQLITE_FULL);
}

/* Fills a database through the shim and empties it again. */
static void try_shim(const char *shim, const char *path)
{
    sqlite3 *db;
    int checksum_bytes = 8; /* which cksumvfs keeps at the end of each page */
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, shim);
    if (rc != SQLITE_OK)
        failures++;
    (void)sqlite3_file_control(db, NULL, SQLITE_FCNTL_RESERVE_BYTES, &checksum_bytes);
    expect(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a)", SQLITE_OK);
    fill(db);
    for (int i = 0; i < 20; i++) {
        expect(db, "PRAGMA wal_checkpoint(TRUNCATE)", SQLITE_OK);
        expect(db, "DELETE FROM t WHERE rowid IN (SELECT rowid FROM t LIMIT 10)", SQLITE_OK);
    }
    expect(db, "PRAGMA integrity_check", SQLITE_OK);
    if (sqlite3_close(db) != SQLITE_OK)
        failures++;
    printf("%s: %d failures\n", shim, failures);
}

static memfs *make_default_vfs(const char *name)
{
    memfs *fs;
    memfs_config config = memfs_config_default();
    config.quota_bytes = 2 << 20;
    if (memfs_create(&config, &fs) != 0 ||
        memfs_sqlite_register(fs, name, MEMFS_SQLITE_REGISTER_DEFAULT) != 0)
        return NULL;
    return fs;
}

int main(void)
{
    sqlite3 *loader;
    char *message = NULL;
    if (make_default_vfs("below_cksmvfs") == NULL || sqlite3_register_cksumvfs(NULL) != SQLITE_OK)
        return 2;
    try_shim("cksmvfs", "/a.db");
    if (make_default_vfs("below_vfslog") == NULL ||
        sqlite3_open_v2(":memory:", &loader, SQLITE_OPEN_READWRITE, "below_vfslog") != SQLITE_OK)
        return 2;
    (void)sqlite3_vfsstat_init(loader, &message, NULL); /* SQLITE_OK_LOAD_PERMANENTLY */
    try_shim("vfslog", "/b.db");
    (void)sqlite3_close(loader);
    return failures == 0 ? 0 : 1;
}
