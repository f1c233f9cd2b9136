/* What the benchmarks of databases do with SQLite. */
#ifndef MEMFS_BENCH_SQL_H
#define MEMFS_BENCH_SQL_H

#include <sqlite3.h>

/* Ends the program, saying where and what SQLite says, unless `code` is `expected`.  `db` may be
 * null. */
#define sql_must(db, code, expected) sql_must_at((db), (code), (expected), __FILE__, __LINE__)
void sql_must_at(sqlite3 *db, int code, int expected, const char *file, int line);

/* Runs each statement, or ends the program, saying which they were. */
void sql_run(sqlite3 *db, const char *sql);

#endif
