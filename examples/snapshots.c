/*
 * The same fixture for every test: a database and a file beside it are built once,
 * kept in a snapshot, and put back before each test, however long the building took
 * and whatever the test before has done.  What a snapshot costs does not depend on
 * how much is in the files.
 */
#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <sqlite3.h>
#include <stdio.h>

static int run(memfs *fs, const char *sql)
{
    sqlite3 *db = NULL;
    int rc = memfs_sqlite_open(fs, "/shop.db", NULL, &db);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
    return rc == SQLITE_OK ? 0 : -1;
}

/* The answer to a query that counts; negative if there is none. */
static int count(memfs *fs, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int value = -1;
    if (memfs_sqlite_open(fs, "/shop.db", NULL, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static int build(memfs *fs)
{
    static const char settings[] = "currency = EUR\n";
    int error = run(fs,
                    "CREATE TABLE articles(id INTEGER PRIMARY KEY, name TEXT, stock INT);"
                    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i+1 FROM n WHERE i<20000)"
                    " INSERT INTO articles SELECT i, 'article ' || i, 10 FROM n");
    return error == 0 ? memfs_write_file(fs, "/settings", settings, sizeof settings - 1, 0644, 0)
                      : error;
}

/* ---------------------------------------------------------------- the tests */

static int selling_lowers_the_stock(memfs *fs)
{
    int error = run(fs, "UPDATE articles SET stock = stock - 1 WHERE id = 7");
    return error == 0 && count(fs, "SELECT stock FROM articles WHERE id = 7") == 9;
}

static int a_closed_shop_has_nothing(memfs *fs)
{
    int error = run(fs, "DROP TABLE articles; VACUUM");
    return error == 0 && memfs_unlink(fs, "/settings") == 0;
}

static int everything_is_there(memfs *fs)
{
    return count(fs, "SELECT sum(stock) FROM articles") == 200000 &&
           memfs_exists(fs, "/settings") == 1;
}

static const struct {
    const char *name;
    int (*test)(memfs *fs);
} tests[] = {
    {"selling lowers the stock", selling_lowers_the_stock},
    {"a closed shop has nothing", a_closed_shop_has_nothing},
    {"everything is there", everything_is_there},
};

static int run_all(memfs *fs)
{
    int failures = 0;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        int passed = memfs_snapshot_restore(fs, "built") == 0 && tests[i].test(fs);
        printf("%-6s %s\n", passed ? "ok" : "FAILED", tests[i].name);
        failures += !passed;
    }
    return failures;
}

int main(void)
{
    memfs *fs;
    memfs_snapshot_info info = {.struct_size = sizeof info};
    if (memfs_create(NULL, &fs) != 0 || memfs_sqlite_register(fs, "shop", 0) != 0)
        return 1;
    int failures = 1;
    if (build(fs) == 0 && memfs_snapshot_take(fs, "built") == 0 &&
        memfs_snapshot_stat(fs, "built", &info) == 0) {
        printf("a snapshot of %llu bytes costs %llu\n", (unsigned long long)info.size_bytes,
               (unsigned long long)info.own_bytes);
        failures = run_all(fs);
    }
    memfs_sqlite_unregister("shop");
    memfs_destroy(fs, 0);
    return failures == 0 ? 0 : 1;
}
