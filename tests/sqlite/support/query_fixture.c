#include "query_fixture.h"

#include <stdio.h>
#include <string.h>

sqlite3 *query_open(memfs *fs, unsigned flags)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_extended_result_codes(db, 1);
    assert_int_equal(memfs_sqlite_register_functions(db, fs, flags), 0);
    return db;
}

void query_close(sqlite3 *db)
{
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void append_row(sqlite3_str *out, sqlite3_stmt *statement)
{
    if (sqlite3_str_length(out) > 0)
        sqlite3_str_appendchar(out, 1, '\n');
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const char *text = (const char *)sqlite3_column_text(statement, column);
        if (column > 0)
            sqlite3_str_appendchar(out, 1, '|');
        sqlite3_str_appendall(out, text != NULL ? text : "NULL");
    }
}

/* Runs the first statement and returns what is behind it. */
static const char *append_statement(sqlite3 *db, const char *sql, sqlite3_str *out)
{
    sqlite3_stmt *statement;
    const char *rest = sql;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, &rest);
    if (rc == SQLITE_OK && statement == NULL)
        return rest; /* blanks */
    if (rc == SQLITE_OK)
        while ((rc = sqlite3_step(statement)) == SQLITE_ROW)
            append_row(out, statement);
    if (rc != SQLITE_DONE)
        fail_msg("%s: %s (%d)", sql, sqlite3_errmsg(db), rc);
    sqlite3_finalize(statement);
    return rest;
}

char *query_rows(sqlite3 *db, const char *sql)
{
    sqlite3_str *out = sqlite3_str_new(db);
    while (*sql != '\0')
        sql = append_statement(db, sql, out);
    char *rows = sqlite3_str_finish(out);
    return rows != NULL ? rows : sqlite3_mprintf("");
}

void query_is(sqlite3 *db, const char *sql, const char *rows)
{
    char *answer = query_rows(db, sql);
    if (strcmp(answer, rows) != 0)
        fail_msg("%s\nanswers\n%s\nand not\n%s", sql, answer, rows);
    sqlite3_free(answer);
}

void query_fails(sqlite3 *db, const char *sql, int code, const char *words)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != code || strstr(sqlite3_errmsg(db), words) == NULL)
        fail_msg("%s: %s (%d), not %s (%d)", sql, sqlite3_errmsg(db), rc, words, code);
}

static char *read_page(const char *path)
{
    enum { SIZE = 1 << 20 };
    FILE *file = fopen(path, "r");
    char *page = malloc(SIZE);
    assert_non_null(file);
    assert_non_null(page);
    size_t length = fread(page, 1, SIZE - 1, file);
    fclose(file);
    page[length] = '\0';
    return page;
}

/* Cuts out the next block, which begins with `fence`; moves `*next` behind it. */
static char *cut_block(char **next, const char *fence)
{
    char *block = strstr(*next, "```");
    if (block == NULL || strncmp(block, fence, strlen(fence)) != 0)
        fail_msg("no %s here: %.60s", fence, *next);
    block += strlen(fence);
    char *end = strstr(block - 1, "\n```\n");
    assert_non_null(end);
    *end = '\0';
    *next = end + strlen("\n```\n");
    return block;
}

void query_page(sqlite3 *db, const char *page_path)
{
    char *page = read_page(page_path);
    char *next = page;
    int examples = 0;
    while ((next = strstr(next, "```sql\n")) != NULL) {
        char *sql = cut_block(&next, "```sql\n");
        char *rows = cut_block(&next, "```text\n");
        query_is(db, sql, rows);
        examples++;
    }
    assert_true(examples > 0);
    free(page);
}
