/*
 * SQLite's interface in both forms of this code.  Linked into a program (-DSQLITE_CORE), calls go
 * to the library; in the loadable extension they go through the table of functions that SQLite
 * passes to the entry point.
 */
#ifndef MFS_SQLITEAPI_H
#define MFS_SQLITEAPI_H

#include <sqlite3ext.h>

#ifndef SQLITE_CORE
SQLITE_EXTENSION_INIT3
#endif

/* The oldest SQLite that has everything used here (SQLITE_OK_SYMLINK is the newest). */
#define MFS_SQLITE_VERSION_MIN 3032000

#endif
