/*
 * The promise: the transaction that does not fit is rolled back as a whole, the
 * database passes its integrity check, and work goes on.
 */
#include "full.h"

#include "report.h"

#include <stdio.h>

enum { ROOM_BYTES = 1 << 20, ENOUGH_BYTES = 48 << 20, FIRST_ROWS = 100, MANY_ROWS = 20000 };

static const char large_transaction[] = "BEGIN;"
                                        "UPDATE notes SET text = 'overwritten';"
                                        "INSERT INTO notes WITH RECURSIVE n(i) AS"
                                        "  (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                                        "  SELECT hex(randomblob(200)) FROM n;"
                                        "COMMIT";

static void step(const char *what, const char *outcome)
{
    printf("  %-34s %s\n", what, outcome);
    fflush(stdout);
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    return value;
}

/* PRAGMA integrity_check; prints its first line. */
static bool is_sound(sqlite3 *db)
{
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) != SQLITE_OK)
        return false;
    bool sound = false;
    if (sqlite3_step(statement) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(statement, 0);
        sound = line != NULL && strcmp(line, "ok") == 0;
        step("PRAGMA integrity_check", line != NULL ? line : "no answer");
    }
    sqlite3_finalize(statement);
    return sound;
}

static bool show_rows(sqlite3 *db, const char *when, int64_t expected)
{
    char outcome[160];
    int64_t rows = number(db, "SELECT count(*) FROM notes");
    int64_t overwritten = number(db, "SELECT count(*) FROM notes WHERE text = 'overwritten'");
    snprintf(outcome, sizeof outcome, "%s, %s of them overwritten",
             demo_count((uint64_t)rows).chars, demo_count((uint64_t)overwritten).chars);
    step(when, outcome);
    return rows == expected && overwritten == (expected == FIRST_ROWS ? 0 : FIRST_ROWS);
}

static void show_refusal(memfs *fs)
{
    memfs_refusal refusal = {.struct_size = sizeof refusal};
    char outcome[160];
    if (memfs_last_refusal(fs, &refusal) != 0)
        return;
    snprintf(outcome, sizeof outcome, "%s: %s wanted, %s left", memfs_error_text(refusal.error),
             demo_bytes(refusal.wanted).chars, demo_bytes(refusal.available).chars);
    step("memfs says", outcome);
}

/* Makes sure of room for the whole story; `quota` is what the quota is then. */
static bool make_room(memfs *fs, uint64_t *quota)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    int error = memfs_statfs(fs, &info);
    *quota = info.quota_bytes;
    if (error == 0 && *quota < info.committed_bytes + ENOUGH_BYTES) {
        *quota = info.committed_bytes + ENOUGH_BYTES;
        error = memfs_set_quota(fs, *quota);
    }
    if (error != 0)
        demo_complain("cannot make room", memfs_error_text(error));
    return error == 0;
}

/* Sets the quota to what is held now and a little. */
static bool lower_quota(memfs *fs)
{
    memfs_statfs_info info = {.struct_size = sizeof info};
    char outcome[160];
    int error = memfs_statfs(fs, &info);
    if (error == 0)
        error = memfs_set_quota(fs, info.committed_bytes + ROOM_BYTES);
    if (error != 0) {
        demo_complain("cannot lower the quota", memfs_error_text(error));
        return false;
    }
    snprintf(outcome, sizeof outcome, "%s, %s above what is held",
             demo_bytes(info.committed_bytes + ROOM_BYTES).chars, demo_bytes(ROOM_BYTES).chars);
    step("quota lowered to", outcome);
    return true;
}

static bool refused_as_promised(memfs *fs, sqlite3 *db)
{
    int code = sqlite3_exec(db, large_transaction, NULL, NULL, NULL);
    step("a transaction of some 8 MiB",
         code == SQLITE_FULL ? "SQLITE_FULL: database or disk is full" : sqlite3_errmsg(db));
    if (code != SQLITE_FULL) {
        demo_complain("expected SQLITE_FULL", sqlite3_errstr(code));
        return false;
    }
    show_refusal(fs);
    /* At a full disk SQLite may leave it to us whether to go on without the statement. */
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    step("the transaction", sqlite3_get_autocommit(db) ? "rolled back" : "still open");
    bool same = show_rows(db, "rows after", FIRST_ROWS);
    return is_sound(db) && same;
}

bool demo_full(memfs *fs, sqlite3 *db)
{
    uint64_t quota;
    if (!make_room(fs, &quota))
        return false;
    int code = sqlite3_exec(db,
                            "CREATE TABLE notes(text);"
                            "INSERT INTO notes WITH RECURSIVE n(i) AS"
                            "  (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
                            "  SELECT 'note ' || i FROM n;",
                            NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        demo_complain("cannot make a table", sqlite3_errmsg(db));
        return false;
    }
    if (!lower_quota(fs) || !show_rows(db, "rows before", FIRST_ROWS) ||
        !refused_as_promised(fs, db))
        return false;
    int error = memfs_set_quota(fs, quota);
    step("quota raised to", error == 0 ? demo_bytes(quota).chars : memfs_error_text(error));
    code = sqlite3_exec(db, large_transaction, NULL, NULL, NULL);
    step("the same transaction", code == SQLITE_OK ? "committed" : sqlite3_errmsg(db));
    bool all = show_rows(db, "rows now", FIRST_ROWS + MANY_ROWS);
    return error == 0 && code == SQLITE_OK && all && is_sound(db);
}
