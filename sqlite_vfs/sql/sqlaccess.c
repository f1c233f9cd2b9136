/*
 * memfs_sqlite_register_functions(): the SQL functions and the table, put into a connection
 * together.
 *
 * The functions come first: if they are there already and statements are running, SQLite refuses
 * the first of them, and nothing has changed.  Every later failure takes all of them out.
 */
#include "base/assertion.h"
#include "base/sqliteapi.h"
#include "sql/functions.h"
#include "sql/hostfunctions.h"
#include "sql/table.h"

#include <memfs/sqlite.h>

static int register_functions_and_table(sqlite3 *db, memfs *fs, bool has_host_access)
{
    MFS_ASSERT(db != NULL && fs != NULL);
    int rc = mfs_functions_register(db, fs, has_host_access);
    if (rc == SQLITE_BUSY)
        return MEMFS_EBUSY;
    if (rc == SQLITE_OK)
        rc = mfs_table_register(db, fs);
    if (rc == SQLITE_OK)
        return 0;
    mfs_functions_remove(db);
    mfs_table_remove(db);
    return rc == SQLITE_NOMEM ? MEMFS_ENOMEM : MEMFS_EOPNOTSUPP;
}

int memfs_sqlite_register_functions(sqlite3 *db, memfs *fs, unsigned flags)
{
    if (db == NULL || fs == NULL || (flags & ~MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS) != 0)
        return MEMFS_EINVAL;
    bool has_host_access = (flags & MEMFS_SQLITE_FUNCTIONS_HOST_ACCESS) != 0;
    if (sqlite3_libversion_number() < MFS_SQLITE_VERSION_MIN ||
        (has_host_access && !mfs_hostfunctions_are_available()))
        return MEMFS_EOPNOTSUPP;
    return register_functions_and_table(db, fs, has_host_access);
}
