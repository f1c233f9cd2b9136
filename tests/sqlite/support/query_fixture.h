/* Connections with the SQL functions and the table, and what queries on them answer. */
#ifndef MEMFS_TESTS_QUERY_FIXTURE_H
#define MEMFS_TESTS_QUERY_FIXTURE_H

#include "checks.h"

#include <memfs/sqlite.h>
#include <sqlite3.h>

/* A connection to ":memory:" that reaches `fs`. */
sqlite3 *query_open(memfs *fs, unsigned flags);
void query_close(sqlite3 *db);

/* Runs statements and returns their rows: columns with "|" between, rows with "\n" between,
 * "NULL" for NULL. Fails the test if a statement fails. Free it with sqlite3_free(). */
char *query_rows(sqlite3 *db, const char *sql);

/* The rows are these. */
void query_is(sqlite3 *db, const char *sql, const char *rows);

/* Every ```sql block of a page answers what the ```text block behind it says; there are some. */
void query_page(sqlite3 *db, const char *page_path);

/* The statements fail with this extended code, and a message with these words in it. */
void query_fails(sqlite3 *db, const char *sql, int code, const char *words);

#endif
