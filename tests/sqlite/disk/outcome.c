#include "outcome.h"

uint64_t outcome_mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

uint64_t outcome_mix_row(uint64_t hash, sqlite3_stmt *statement)
{
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        int type = sqlite3_column_type(statement, i);
        const void *bytes = type == SQLITE_BLOB ? sqlite3_column_blob(statement, i)
                                                : (const void *)sqlite3_column_text(statement, i);
        int size = sqlite3_column_bytes(statement, i);
        hash = outcome_mix(hash, &type, sizeof type);
        hash = outcome_mix(hash, &size, sizeof size);
        hash = outcome_mix(hash, bytes, (size_t)size);
    }
    return outcome_mix(hash, "row", 3);
}

struct outcome outcome_of(sqlite3 *db, const char *sql)
{
    struct outcome outcome = {SQLITE_OK, OUTCOME_HASH_BEGIN};
    sqlite3_stmt *statement = NULL;
    outcome.code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (outcome.code != SQLITE_OK)
        return outcome;
    while ((outcome.code = sqlite3_step(statement)) == SQLITE_ROW)
        outcome.rows = outcome_mix_row(outcome.rows, statement);
    (void)sqlite3_finalize(statement);
    if (outcome.code == SQLITE_DONE)
        outcome.code = SQLITE_OK;
    return outcome;
}

uint64_t outcome_of_schema(sqlite3 *db, const char *schema)
{
    char *sql = sqlite3_mprintf("SELECT type, name, tbl_name, sql FROM %s.sqlite_schema "
                                "ORDER BY type, name",
                                schema);
    struct outcome outcome = outcome_of(db, sql);
    sqlite3_free(sql);
    uint64_t hash = outcome.rows;
    hash = outcome_mix(hash, &outcome.code, sizeof outcome.code);
    sql = sqlite3_mprintf("SELECT name FROM %s.sqlite_schema WHERE type='table' ORDER BY name",
                          schema);
    sqlite3_stmt *names = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &names, NULL) == SQLITE_OK) {
        while (sqlite3_step(names) == SQLITE_ROW) {
            char *select = sqlite3_mprintf("SELECT * FROM %s.\"%w\"", schema,
                                           sqlite3_column_text(names, 0));
            outcome = outcome_of(db, select);
            hash = outcome_mix(outcome_mix(hash, &outcome.code, sizeof outcome.code), &outcome.rows,
                               sizeof outcome.rows);
            sqlite3_free(select);
        }
    }
    sqlite3_finalize(names);
    sqlite3_free(sql);
    outcome = outcome_of(db, "PRAGMA integrity_check");
    return outcome_mix(hash, &outcome.rows, sizeof outcome.rows);
}
