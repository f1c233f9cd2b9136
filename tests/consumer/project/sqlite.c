/* A stranger's program with a database in a memfs. */
#include <memfs/memfs.h>
#include <memfs/sqlite.h>

#include <sqlite3.h>
#include <stdio.h>

int main(void)
{
    memfs *fs = NULL;
    sqlite3 *db = NULL;
    if (memfs_create(NULL, &fs) != 0 || memfs_sqlite_register(fs, "consumer", 0) != 0)
        return 1;
    if (sqlite3_open_v2("/app.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "consumer") !=
        SQLITE_OK)
        return 2;
    if (sqlite3_exec(db, "CREATE TABLE t(a); INSERT INTO t VALUES(1);", NULL, NULL, NULL) !=
        SQLITE_OK)
        return 3;
    sqlite3_close(db);
    if (memfs_is_file(fs, "/app.db") != 1)
        return 4;
    if (memfs_sqlite_unregister("consumer") != 0 || memfs_destroy(fs, 0) != 0)
        return 5;
    puts("sqlite: ok");
    return 0;
}
