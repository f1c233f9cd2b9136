/* Ending the program at SQLite's first error. */
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>

void sql_must_at(sqlite3 *db, int code, int expected, const char *file, int line)
{
    if (code == expected)
        return;
    fprintf(stderr, "%s:%d: %s\n", file, line,
            db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(db));
    exit(EXIT_FAILURE);
}

void sql_run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return;
    fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    exit(EXIT_FAILURE);
}
