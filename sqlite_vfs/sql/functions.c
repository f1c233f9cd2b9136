/*
 * The list of SQL functions, and how they get into a connection.
 *
 * 1. A function that changes the tree or reaches the host is SQLITE_DIRECTONLY: a view or trigger
 *    of a database that came from elsewhere cannot call it.  memfs_image() counts as changing: the
 *    connection that it opens may play back a journal, or run a checkpoint when it closes.
 * 2. None is SQLITE_DETERMINISTIC, since the tree may change between two calls.
 * 3. All are registered together or not at all.  SQLITE_BUSY means that a function of the name is
 *    there and a statement is running; if ours are there, it comes from the first.
 *
 * SQLITE_FULL and SQLITE_NOMEM as the code of a function's error may make SQLite end the
 * transaction that is open on the connection (sqlite3VdbeHalt() in SQLite); SQL.md says so.
 */
#include "sql/functions.h"

#include "base/assertion.h"
#include "sql/hostfunctions.h"
#include "sql/imagefunction.h"
#include "sql/readers.h"
#include "sql/writers.h"

#include <stddef.h>

enum function_effect { EFFECT_READS, EFFECT_CHANGES, EFFECT_REACHES_HOST };

/*
 * All functions.  A new one is a row here, and besides: a row in the table of SQL.md (a lint
 * compares the two), an entry in CHANGELOG.md, and a test in tests/sqlite/sql/functions_test.c.
 */
static const struct sql_function {
    const char *name;
    int arguments;
    enum function_effect effect;
    void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
} sql_functions[] = {
    {"memfs_read", 1, EFFECT_READS, mfs_readers_read},
    {"memfs_read", 2, EFFECT_READS, mfs_readers_read},
    {"memfs_read", 3, EFFECT_READS, mfs_readers_read},
    {"memfs_image", 1, EFFECT_CHANGES, mfs_imagefunction_image},
    {"memfs_stat", 1, EFFECT_READS, mfs_readers_stat},
    {"memfs_exists", 1, EFFECT_READS, mfs_readers_exists},
    {"memfs_last_error", 0, EFFECT_READS, mfs_readers_last_error},
    {"memfs_write", 2, EFFECT_CHANGES, mfs_writers_write},
    {"memfs_append", 2, EFFECT_CHANGES, mfs_writers_append},
    {"memfs_mkdir", 1, EFFECT_CHANGES, mfs_writers_mkdir},
    {"memfs_remove", 1, EFFECT_CHANGES, mfs_writers_remove},
    {"memfs_remove_tree", 1, EFFECT_CHANGES, mfs_writers_remove_tree},
    {"memfs_rename", 2, EFFECT_CHANGES, mfs_writers_rename},
    {"memfs_copy", 2, EFFECT_CHANGES, mfs_writers_copy},
    {"memfs_snapshot_extract", 3, EFFECT_CHANGES, mfs_writers_extract},
    {"memfs_import", 2, EFFECT_REACHES_HOST, mfs_hostfunctions_import},
    {"memfs_export", 2, EFFECT_REACHES_HOST, mfs_hostfunctions_export},
};

enum { SQL_FUNCTION_COUNT = sizeof sql_functions / sizeof *sql_functions };

/* `fs` null: takes the function out. */
static int put_function(sqlite3 *db, const struct sql_function *function, memfs *fs)
{
    int flags = SQLITE_UTF8 | (function->effect == EFFECT_READS ? 0 : SQLITE_DIRECTONLY);
    return sqlite3_create_function_v2(db, function->name, function->arguments, flags, fs,
                                      fs != NULL ? function->call : NULL, NULL, NULL, NULL);
}

int mfs_functions_register(sqlite3 *db, memfs *fs, bool has_host_access)
{
    MFS_ASSERT(fs != NULL);
    for (int index = 0; index < SQL_FUNCTION_COUNT; index++) {
        const struct sql_function *function = &sql_functions[index];
        bool is_wanted = function->effect != EFFECT_REACHES_HOST || has_host_access;
        int rc = put_function(db, function, is_wanted ? fs : NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

void mfs_functions_remove(sqlite3 *db)
{
    for (int index = 0; index < SQL_FUNCTION_COUNT; index++)
        (void)put_function(db, &sql_functions[index], NULL);
}
