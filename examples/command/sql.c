/*
 * memfs sql: statements over the files and the databases of a tree.
 *
 * The connection has the SQL functions and the table memfs_tree.  Rows are printed as by sqlite3: a
 * line each, values between bars.  The result is written only if every statement succeeded.
 */
#include "command.h"
#include "tree.h"

#include <memfs/sqlite.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static const char VFS[] = "memfs";

static enum ending complain_of_sql(sqlite3 *db, const char *what)
{
    int code = sqlite3_errcode(db) & 0xff;
    const char *reason = memfs_sqlite_last_error();
    if (code != SQLITE_CANTOPEN || reason[0] == '\0')
        reason = sqlite3_errmsg(db);
    complain("%s: %s%s", what, reason, code == SQLITE_FULL ? " (-q gives more)" : "");
    return code == SQLITE_FULL ? DID_NOT_FIT : FAILED;
}

static void print_row(sqlite3_stmt *statement)
{
    for (int column = 0; column < sqlite3_column_count(statement); column++) {
        const void *bytes = sqlite3_column_blob(statement, column);
        if (column > 0)
            fputc('|', stdout);
        if (bytes != NULL)
            fwrite(bytes, 1, (size_t)sqlite3_column_bytes(statement, column), stdout);
    }
    fputc('\n', stdout);
}

static enum ending run_statements(sqlite3 *db, const char *sql)
{
    while (*sql != '\0') {
        sqlite3_stmt *statement;
        int rc = sqlite3_prepare_v2(db, sql, -1, &statement, &sql);
        if (rc != SQLITE_OK)
            return complain_of_sql(db, "SQL");
        while (statement != NULL && (rc = sqlite3_step(statement)) == SQLITE_ROW)
            print_row(statement);
        enum ending ending = statement == NULL || rc == SQLITE_DONE ? DONE
                                                                    : complain_of_sql(db, "SQL");
        (void)sqlite3_finalize(statement);
        if (ending != DONE)
            return ending;
    }
    return DONE;
}

static enum ending run_connected(const struct options *options, memfs *fs, const char *sql)
{
    sqlite3 *db = NULL;
    enum ending ending;
    const char *name = options->database != NULL ? options->database : "";
    int rc = sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, VFS);
    if (rc != SQLITE_OK)
        ending = complain_of_sql(db, name);
    else if (memfs_sqlite_register_functions(db, fs, 0) != 0)
        ending = complain_of_sql(db, "the SQL functions");
    else
        ending = run_statements(db, sql);
    (void)sqlite3_close(db);
    return ending;
}

static enum ending run_in(const struct options *options, memfs *fs, const char *sql)
{
    int error = memfs_sqlite_register(fs, VFS, 0);
    if (error != 0)
        return complain_of("SQLite", "", error, "");
    enum ending ending = run_connected(options, fs, sql);
    error = memfs_sqlite_unregister(VFS);
    return ending == DONE && error != 0 ? complain_of("SQLite", "", error, "") : ending;
}

enum ending command_sql(const struct options *options, memfs *fs, char **arguments)
{
    enum ending ending = check_output(run_in(options, fs, arguments[0]));
    if (ending == DONE && options->output != NULL)
        ending = tree_save(options, fs, options->output);
    return ending;
}
