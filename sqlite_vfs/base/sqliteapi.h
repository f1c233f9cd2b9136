/*
 * SQLite's interface, for both forms of this code: linked into a program
 * (compiled with -DSQLITE_CORE, calls go to the library), or in the loadable
 * extension (calls go through the table that SQLite hands to the entry point).
 */
#ifndef MFS_SQLITEAPI_H
#define MFS_SQLITEAPI_H

#include <sqlite3ext.h>

#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT3
#endif

/* The oldest SQLite with all that is used here (SQLITE_OK_SYMLINK). */
#define MFS_SQLITE_VERSION_MIN 3032000

#endif
